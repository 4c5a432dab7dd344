//! Runs the rules on a domain and turns their findings into diagnostics.

use std::ops::Range;

use super::SMALL_TEXT;
use super::removals::other_removals;
use super::suppression_lints::{faults, would_orphan_suppression};
use crate::domain::Domain;
use crate::fix::{self, Change, overwritten};
use crate::lint::suppress::{SuppressionState, Suppressions};
use crate::lint::{Detail, Diagnostic, Fix, Related};
use crate::rules::check;
use crate::rules::finding::Finding;
use crate::rules::risk::Risk;
use crate::rules::schema::{Group, Phase, Rule};
use crate::rules::select::Search;
use crate::rules::{Context, RuleSet, template};
use crate::text::{Applicability, Edits};
use crate::xml::fragment::Style;
use crate::xml::{Element, ElementSet};
use foldhash::HashSet;

/// Limit on the places renamed in the edits of single findings. In a domain with thousands of
/// `-set` that name renumbered devices, each of thousands of findings would rename all of them, and
/// each removed device the thousands after it. Beyond the limit only `fix`, which renames once,
/// shows the changes.
const MAX_RENAMES_IN_EDITS: usize = 20_000;

/// Limit on the new text in the edits of all findings, as a multiple of the document's size, plus
/// [`SMALL_TEXT`]. With thousands of nested blocks, each finding's edits would contain all blocks
/// inside its own. Beyond the limit only `fix` shows the changes.
const MAX_EDIT_FACTOR: usize = 4;

/// A finding with its rule.
pub(super) struct RuleFinding<'d, 'r> {
    pub(super) rule: &'r Rule,
    pub(super) finding: Finding<'d>,
    pub(super) applicability: Option<Applicability>,
    /// Whether the document suppresses the finding.
    pub(super) suppression_state: SuppressionState,
    /// The place in another document that it conflicts with.
    pub(super) elsewhere: Option<Related>,
    /// The template expression that its fix would remove.
    pub(super) template: Option<String>,
}

impl<'d, 'r> RuleFinding<'d, 'r> {
    pub(super) fn is_fixable(&self, level: Applicability) -> bool {
        let is_high_enough =
            |applicability| applicability >= level && applicability != Applicability::Manual;
        !self.is_suppressed() && self.applicability.is_some_and(is_high_enough)
    }

    /// Whether the document suppresses the finding.
    pub(super) fn is_suppressed(&self) -> bool {
        self.suppression_state.reason().is_some()
    }

    /// Whether the document suppresses the finding or seems to; its fix is then made only on
    /// request.
    pub(super) fn is_kept_by_user(&self) -> bool {
        self.suppression_state != SuppressionState::Open
    }

    pub(super) fn changes(&self) -> &[Change<'d>] {
        self.finding.changes.as_deref().unwrap_or_default()
    }

    /// The elements that the fix removes.
    fn removed(&self) -> impl Iterator<Item = Element<'d>> {
        self.changes().iter().filter_map(|change| match change {
            Change::Remove(element) => Some(*element),
            _ => None,
        })
    }

    /// Whether other fixes must wait for this one: elements that move into libvirt's namespace, or
    /// devices that move into the `<devices>` that rules search, only take effect afterwards.
    pub(super) fn is_first(&self, domain: &Domain<'d>) -> bool {
        self.moves_into_devices(domain)
            || self.rule.group == Group::Namespace
                && !matches!(self.changes(), [] | [Change::DeclareNamespace])
    }

    /// Whether the fix may be made together with one that others wait for.
    pub(super) fn may_be_first(&self, domain: &Domain<'d>) -> bool {
        self.moves_into_devices(domain) || self.rule.group == Group::Namespace
    }

    fn moves_into_devices(&self, domain: &Domain<'d>) -> bool {
        let moves_there = |change: &Change<'d>| matches!(change, Change::InsertSource(block, _) if Some(*block) == domain.devices);
        self.changes().iter().any(moves_there)
    }

    /// Whether the fix gives QEMU a `-display`.
    fn opens_a_display(&self) -> bool {
        self.changes()
            .iter()
            .any(|change| matches!(change, Change::Arguments(arguments) if arguments.iter().any(|argument| argument == "-display")))
    }

    /// Makes the fix unsafe, unless it is manual already.
    fn demote_to_unsafe(&mut self, risk: Risk) {
        self.finding.risk.get_or_insert(risk);
        self.applicability =
            self.applicability.map(|applicability| applicability.min(Applicability::Unsafe));
    }

    /// Converts the finding to a diagnostic; with a style, it gets the edits that fix it alone.
    fn diagnostic(
        &self,
        domain: &Domain<'d>,
        detail: Detail,
        style: Option<&Style>,
    ) -> Diagnostic<'r> {
        let source = domain.document.source();
        let RuleFinding { rule, finding, applicability, suppression_state, elsewhere, template } =
            self;
        let render =
            |text: &str| template::render_message(text, domain, finding.element, &finding.values);
        let has_words = detail >= Detail::Words;
        let related = |(span, message): &(Range<usize>, String)| Related {
            file: None,
            span: span.clone(),
            start: source.position(span.start),
            message: message.clone(),
            is_removed: false,
        };
        let fix = match (applicability, rule.fix_for(domain.settings.libvirt)) {
            (Some(applicability), Some(fix)) => {
                let edits = style.map_or_else(Edits::default, |style| {
                    fix::edits(domain, style, self.changes().iter())
                });
                let with_property =
                    if finding.gives_property { fix.property.as_ref() } else { None };
                let title = with_property
                    .and_then(|property| property.title.as_ref())
                    .unwrap_or(&fix.title);
                let title = if has_words { render(title) } else { String::new() };
                let may_lose = || {
                    finding
                        .risk
                        .map(|risk| risk.words().to_owned())
                        .or_else(|| fix.risk.as_deref().map(render))
                };
                let risk = if has_words && *applicability == Applicability::Unsafe {
                    may_lose()
                } else {
                    None
                };
                Some(Fix { title, applicability: *applicability, risk, edits })
            }
            _ => None,
        };
        let also_removed = other_removals(domain, self.changes(), &finding.span);
        let (start, end) = source.positions(finding.span.clone());
        let message = match &rule.message_once_removed {
            Some(message) if finding.is_pending => message,
            _ => &rule.message,
        };
        Diagnostic {
            rule,
            severity: rule.severity,
            span: finding.span.clone(),
            start,
            end,
            message: match template {
                Some(expression) => format!(
                    "{}; {} is filled in later by a template",
                    render(message),
                    template::clipped(expression)
                ),
                None => render(message),
            },
            help: if has_words { rule.help.as_deref().map(render) } else { None },
            related: finding
                .related
                .iter()
                .map(related)
                .chain(also_removed)
                .chain(elsewhere.clone())
                .collect(),
            fix,
            in_inserted_text: false,
            reason: suppression_state.reason().map(str::to_owned),
        }
    }
}

/// Converts findings to diagnostics, in the order of the text; with a style, each gets the edits that
/// fix it alone.
pub(super) fn diagnostics<'f, 'd: 'f, 'r: 'f>(
    domain: &Domain<'d>,
    findings: impl Iterator<Item = &'f RuleFinding<'d, 'r>>,
    detail: Detail,
    style: Option<&Style>,
) -> Vec<Diagnostic<'r>> {
    let findings: Vec<_> = findings.collect();
    // An edit that waits for another fix may not be needed after that one.
    let others_wait = style.is_some()
        && findings
            .iter()
            .any(|finding| finding.is_fixable(Applicability::Safe) && finding.is_first(domain));
    let mut renames_left = if style.is_some() { MAX_RENAMES_IN_EDITS } else { 0 };
    let mut bytes_left =
        domain.document.text().len().saturating_mul(MAX_EDIT_FACTOR).saturating_add(SMALL_TEXT);
    let diagnostics = findings.into_iter().map(|finding| {
        if renames_left > 0 && finding.changes().contains(&Change::NameVgpu) {
            renames_left = renames_left.saturating_sub(domain.renaming().len());
        }
        if renames_left > 0
            && finding.changes().iter().any(|change| matches!(change, Change::Remove(_)))
        {
            renames_left = renames_left.saturating_sub(
                domain.references().kinds.iter().map(|kind| kind.devices.len()).sum(),
            );
            // Removing a host device changes the numbers of those after it, which every -set may
            // name.
            if finding.removed().any(|element| domain.alias_of(element).is_some()) {
                renames_left =
                    renames_left.saturating_sub(domain.host_devices.len() + domain.sets.len());
            }
        }
        let mut diagnostic = finding.diagnostic(
            domain,
            detail,
            style.filter(|_| renames_left > 0 && (!others_wait || finding.may_be_first(domain))),
        );
        if let Some(fix) = &mut diagnostic.fix {
            match bytes_left.checked_sub(fix.edits.inserted()) {
                Some(rest) => bytes_left = rest,
                None => fix.edits = Edits::default(),
            }
        }
        diagnostic
    });
    let mut diagnostics: Vec<_> = diagnostics.collect();
    sort(&mut diagnostics);
    diagnostics
}

/// Whether fixes may change how the guest is displayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DisplayFixes {
    /// Fixes may replace the display.
    Allowed,
    /// Fixes keep the display, because nothing else would show the guest.
    Withheld,
}

impl DisplayFixes {
    /// Whether this rule's fixes may be made.
    pub(super) fn allow(self, rule: &Rule) -> bool {
        self == DisplayFixes::Allowed || !rule.touches_picture()
    }
}

/// Returns all findings with their suppression states. Unused suppressions are not among them
/// ([`unused`](super::suppression_lints::unused)).
pub(super) fn find<'c, 'd, 'r: 'c>(
    domain: &'c Domain<'d>,
    rules: &RuleSet<'r>,
    detail: Detail,
    display_fixes: DisplayFixes,
) -> (Vec<RuleFinding<'d, 'r>>, Suppressions<'c, 'd>) {
    let mut suppressions = Suppressions::new(domain, &rules.known);
    let mut findings = check_all(domain, rules, detail, &mut suppressions, display_fixes);
    findings.extend(faults(domain, rules, &mut suppressions));
    if is_vendor_unknown(domain) {
        // Only the fixes are held back; the findings are the same.
        findings.iter_mut().for_each(|finding| finding.demote_to_unsafe(Risk::NotIntels));
    }
    (findings, suppressions)
}

/// Runs all rules, those that remove elements first: the others see the domain without these.
pub(super) fn check_all<'d, 'r>(
    domain: &Domain<'d>,
    rules: &RuleSet<'r>,
    detail: Detail,
    suppressions: &mut Suppressions<'_, '_>,
    display_fixes: DisplayFixes,
) -> Vec<RuleFinding<'d, 'r>> {
    let search = Search::new(&domain.children);
    let wants_changes = detail >= Detail::Words || domain.may_have_templates();
    let level = domain.settings.applicability();
    let is_unsuitable = domain.unsuitable().is_some();
    let narrowed_rules = rules_for_new_vgpu(domain, rules, suppressions);
    let rules = narrowed_rules.as_ref().unwrap_or(rules);
    let mut removed: ElementSet = Default::default();
    let mut findings: Vec<RuleFinding<'d, 'r>> = Vec::new();
    let mut phase = Phase::Removal;
    // A guest with its own SR-IOV share of the GPU keeps its display.
    let keeps_screen = domain.is_served_by_sriov();
    let is_applicable = |rule: &&Rule| {
        rule.when.unsuitable == is_unsuitable && !(keeps_screen && rule.touches_picture())
    };
    for rule in rules.active.iter().copied().filter(|rule| is_applicable(rule)) {
        if rule.phase() != phase {
            keep_display_if_graphics_kept(domain, &mut findings);
            let is_applied = |finding: &&RuleFinding<'d, 'r>| {
                finding.is_fixable(level) && display_fixes.allow(finding.rule)
            };
            removed = findings
                .iter()
                .filter(is_applied)
                .flat_map(RuleFinding::removed)
                .map(Element::id)
                .collect();
            phase = rule.phase();
        }
        for mut finding in check::findings(
            rule,
            &Context { domain, search: &search, rules, removed: &removed, wants_changes },
        ) {
            finding.changes.take_if(|changes| would_orphan_suppression(changes, domain));
            let suppression_state = suppressions.state_of(rule, finding.span.start);
            let applicability = check::applicability(rule, &finding, domain);
            let template =
                finding.changes.as_deref().and_then(|changes| overwritten(domain, changes));
            let mut rule_finding = RuleFinding {
                rule,
                applicability,
                finding,
                suppression_state,
                elsewhere: None,
                template,
            };
            if rule_finding.template.is_some() {
                rule_finding.demote_to_unsafe(Risk::Template);
            }
            if rule_finding.suppression_state == SuppressionState::Doubtful {
                rule_finding.demote_to_unsafe(Risk::UnclearIgnore);
            }
            findings.push(rule_finding);
        }
    }
    keep_display_if_graphics_kept(domain, &mut findings);
    convert_all_or_nothing(&mut findings);
    findings
}

/// Makes fixes that would remove a display unsafe if a `<graphics>` that another fix would remove
/// is kept, because the document suppresses the removal or because a template fills it in. The
/// guest is watched through that `<graphics>`, which shows its `<video>`.
fn keep_display_if_graphics_kept(domain: &Domain<'_>, findings: &mut [RuleFinding<'_, '_>]) {
    let removes_graphics =
        |finding: &RuleFinding<'_, '_>| finding.removed().any(|element| element.is("graphics"));
    let is_kept = |finding: &&RuleFinding<'_, '_>| {
        (finding.is_kept_by_user() || finding.template.is_some()) && removes_graphics(finding)
    };
    let risk = match findings.iter().filter(is_kept).map(RuleFinding::is_kept_by_user).max() {
        Some(true) => Risk::KeptGraphics,
        Some(false) => Risk::TemplateGraphics,
        None => return,
    };
    // QEMU has one `-display`: a window among its arguments replaces the one that libvirt writes
    // for these.
    let is_a_display =
        |graphics: Element<'_>| matches!(graphics.attribute("type"), Some("dbus" | "rdp" | "sdl"));
    let keeps_a_display =
        findings.iter().filter(is_kept).flat_map(RuleFinding::removed).any(is_a_display);
    let is_unsafe_if_watched = |rule: &Rule| {
        rule.fix_for(domain.settings.libvirt).is_some_and(|fix| fix.unsafe_if_watched)
    };
    for finding in findings.iter_mut().filter(|finding| !removes_graphics(finding)) {
        let removes_display =
            finding.rule.group == Group::Display && is_unsafe_if_watched(finding.rule);
        if removes_display
            || keeps_a_display
                && (check::is_for_the_picture(finding.rule, domain) || finding.opens_a_display())
        {
            finding.demote_to_unsafe(risk);
        }
    }
}

/// Makes conversions between `-set` and overrides unsafe if one of their properties has to stay:
/// half of the properties in each form would work on no libvirt.
fn convert_all_or_nothing(findings: &mut [RuleFinding<'_, '_>]) {
    let converts = |finding: &RuleFinding<'_, '_>| {
        let adds_property = finding
            .changes()
            .iter()
            .any(|change| matches!(change, Change::Override { .. } | Change::Set { .. }));
        adds_property && finding.removed().next().is_some()
    };
    let is_kept =
        |finding: &RuleFinding<'_, '_>| finding.is_kept_by_user() || finding.template.is_some();
    if !findings.iter().any(is_kept) {
        return;
    }
    let converting: HashSet<&str> = findings
        .iter()
        .filter(|finding| converts(finding))
        .map(|finding| &*finding.rule.id)
        .collect();
    let kept = findings
        .iter()
        .filter(|finding| is_kept(finding) && converting.contains(&*finding.rule.id));
    let risk = match kept.map(RuleFinding::is_kept_by_user).max() {
        Some(true) => Risk::KeptPart,
        Some(false) => Risk::Template,
        None => return,
    };
    findings
        .iter_mut()
        .filter(|finding| converting.contains(&*finding.rule.id))
        .for_each(|finding| finding.demote_to_unsafe(risk));
}

/// Returns the rules with `wanted` reduced to those that the document does not suppress where a new
/// vGPU would be inserted; `None` if the domain has a vGPU or the document has no suppressions.
fn rules_for_new_vgpu<'r>(
    domain: &Domain<'_>,
    rules: &RuleSet<'r>,
    suppressions: &mut Suppressions<'_, '_>,
) -> Option<RuleSet<'r>> {
    if suppressions.is_empty() || domain.has_vgpu() {
        return None;
    }
    let insertion_offset = domain.devices.unwrap_or(domain.root).span().start;
    let mut narrowed_rules = rules.clone();
    narrowed_rules.wanted.retain(|rule| {
        !matches!(suppressions.state_of(rule, insertion_offset), SuppressionState::Suppressed(_))
    });
    Some(narrowed_rules)
}

pub(super) fn sort(diagnostics: &mut [Diagnostic<'_>]) {
    diagnostics.sort_by(|left, right| {
        let key = |diagnostic: &Diagnostic<'_>| (diagnostic.start, diagnostic.end);
        key(left).cmp(&key(right)).then_with(|| left.rule.id.cmp(&right.rule.id))
    });
}

/// Whether the domain was found in a folder and nothing shows that its vGPU is Intel's. All fixes
/// are then held back together: some make QEMU exit with other vendors' devices, and the rest are
/// useless without these.
pub(super) fn is_vendor_unknown(domain: &Domain<'_>) -> bool {
    !domain.settings.explicitly_named && domain.has_vgpu() && !domain.has_gvtg_sign()
}
