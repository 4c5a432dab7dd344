//! What the rules find in a domain, and how it looks from outside.

use std::ops::Range;

use super::SMALL_TEXT;
use super::removals::removals_beside;
use super::suppression_lints::{faults, would_orphan_suppression};
use crate::change::{Change, EditPlanner, overwritten};
use crate::diagnostic::{Detail, Diagnostic, Fix, Related};
use crate::domain::Domain;
use crate::edit::{Applicability, Edits};
use crate::rules::check;
use crate::rules::finding::Finding;
use crate::rules::risk::Risk;
use crate::rules::schema::{Group, Phase, Rule};
use crate::rules::select::Search;
use crate::rules::{Context, RuleSet, template};
use crate::suppress::{SuppressionState, Suppressions};
use crate::xml::{Element, ElementSet};
use foldhash::HashSet;

/// So many places are renamed in the edits of single findings. In a domain with thousands of `-set`
/// that name renumbered devices, each of thousands of findings would rename them all, and each
/// removed device the thousands behind it; behind this number only `fix`, which does it once, says
/// what changes.
const MAX_RENAMES_IN_EDITS: usize = 20_000;

/// The edits of all findings of a document carry this many times its size of new text at most, and
/// [`SMALL_TEXT`] more: of thousands of blocks inside each other, each finding would carry all that
/// are further in. Behind that only `fix` says what changes.
const MAX_EDIT_FACTOR: usize = 4;

/// Something found, with its rule.
pub(super) struct RuleFinding<'d, 'r> {
    pub(super) rule: &'r Rule,
    pub(super) finding: Finding<'d>,
    pub(super) applicability: Option<Applicability>,
    /// What the document says of it.
    pub(super) verdict: SuppressionState,
    /// The place in another document that it is at odds with.
    pub(super) elsewhere: Option<Related>,
    /// The template expression that its fix would remove.
    pub(super) template: Option<String>,
}

impl<'d, 'r> RuleFinding<'d, 'r> {
    pub(super) fn is_fixable(&self, level: Applicability) -> bool {
        let is_sure =
            |applicability| applicability >= level && applicability != Applicability::Manual;
        !self.is_suppressed() && self.applicability.is_some_and(is_sure)
    }

    /// Whether the document says that it is to be ignored.
    pub(super) fn is_suppressed(&self) -> bool {
        self.verdict.reason().is_some()
    }

    /// Whether the document says something of it, so that it stays unless somebody asks for its
    /// fix.
    pub(super) fn is_kept_by_user(&self) -> bool {
        self.verdict != SuppressionState::Open
    }

    pub(super) fn changes(&self) -> &[Change<'d>] {
        self.finding.changes.as_deref().unwrap_or_default()
    }

    /// The elements that its fix removes.
    fn removed(&self) -> impl Iterator<Item = Element<'d>> {
        self.changes().iter().filter_map(|change| match change {
            Change::Remove(element) => Some(*element),
            _ => None,
        })
    }

    /// Whether other fixes wait for its fix: elements that move into libvirt's namespace mean
    /// something only then, and so do devices that move into the block that everything else is
    /// looked for in.
    pub(super) fn is_first(&self, domain: &Domain<'d>) -> bool {
        self.joins(domain)
            || self.rule.group == Group::Namespace
                && !matches!(self.changes(), [] | [Change::DeclareNamespace])
    }

    /// Whether its fix is made beside one that others wait for.
    pub(super) fn may_be_first(&self, domain: &Domain<'d>) -> bool {
        self.joins(domain) || self.rule.group == Group::Namespace
    }

    fn joins(&self, domain: &Domain<'d>) -> bool {
        let is_joined = |change: &Change<'d>| matches!(change, Change::InsertSource(block, _) if Some(*block) == domain.devices);
        self.changes().iter().any(is_joined)
    }

    /// Whether its fix gives QEMU a `-display`.
    fn opens_a_display(&self) -> bool {
        self.changes()
            .iter()
            .any(|change| matches!(change, Change::Arguments(arguments) if arguments.iter().any(|argument| argument == "-display")))
    }

    /// Makes its fix one that is made only where somebody asks for it.
    fn demote_to_unsafe(&mut self, risk: Risk) {
        self.finding.risk.get_or_insert(risk);
        self.applicability =
            self.applicability.map(|applicability| applicability.min(Applicability::Unsafe));
    }

    /// It as the outside sees it; with a composer, with the edits that mend it alone.
    fn diagnostic(
        &self,
        domain: &Domain<'d>,
        detail: Detail,
        composer: Option<&EditPlanner<'_, 'd>>,
    ) -> Diagnostic<'r> {
        let source = domain.document.source();
        let RuleFinding { rule, finding, applicability, verdict, elsewhere, template } = self;
        let fill =
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
                let edits = composer
                    .map_or_else(Edits::default, |composer| composer.edits(self.changes().iter()));
                let with_property = fix.property.as_ref().filter(|_| finding.gives_property);
                let title = with_property
                    .and_then(|property| property.title.as_ref())
                    .unwrap_or(&fix.title);
                let title = if has_words { fill(title) } else { String::new() };
                let may_lose = || {
                    finding
                        .risk
                        .map(|risk| risk.words().to_owned())
                        .or_else(|| fix.risk.as_deref().map(fill))
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
        let removed_too = removals_beside(domain, self.changes(), &finding.span);
        let (start, end) = source.positions(finding.span.clone());
        let message = rule
            .message_once_removed
            .as_ref()
            .filter(|_| finding.is_pending)
            .unwrap_or(&rule.message);
        Diagnostic {
            rule,
            severity: rule.severity,
            span: finding.span.clone(),
            start,
            end,
            message: match template {
                Some(expression) => format!(
                    "{}; {} is filled in later by a template",
                    fill(message),
                    template::clipped(expression)
                ),
                None => fill(message),
            },
            help: rule.help.as_deref().filter(|_| has_words).map(fill),
            related: finding
                .related
                .iter()
                .map(related)
                .chain(removed_too)
                .chain(elsewhere.clone())
                .collect(),
            fix,
            in_inserted_text: false,
            reason: verdict.reason().map(str::to_owned),
        }
    }
}

/// The findings as the outside sees them, in the order of the text; with a composer, each has the
/// edits that mend it alone.
pub(super) fn diagnostics<'f, 'd: 'f, 'r: 'f>(
    domain: &Domain<'d>,
    found: impl Iterator<Item = &'f RuleFinding<'d, 'r>>,
    detail: Detail,
    composer: Option<&EditPlanner<'_, 'd>>,
) -> Vec<Diagnostic<'r>> {
    let found: Vec<_> = found.collect();
    // An edit that waits for another may be none any more when that is done.
    let waits = composer.is_some()
        && found
            .iter()
            .any(|found| found.is_fixable(Applicability::Safe) && found.is_first(domain));
    let mut most = if composer.is_some() { MAX_RENAMES_IN_EDITS } else { 0 };
    let mut carried =
        domain.document.text().len().saturating_mul(MAX_EDIT_FACTOR).saturating_add(SMALL_TEXT);
    let diagnostics = found.into_iter().map(|found| {
        if most > 0 && found.changes().contains(&Change::NameVgpu) {
            most = most.saturating_sub(domain.renaming().len());
        }
        if most > 0 && found.changes().iter().any(|change| matches!(change, Change::Remove(_))) {
            most = most.saturating_sub(
                domain.references().kinds.iter().map(|kind| kind.devices.len()).sum(),
            );
            // Removing a host device changes the numbers of those after it, which every -set may
            // name.
            if found.removed().any(|element| domain.alias_of(element).is_some()) {
                most = most.saturating_sub(domain.host_devices.len() + domain.sets.len());
            }
        }
        let mut diagnostic = found.diagnostic(
            domain,
            detail,
            composer.filter(|_| most > 0 && (!waits || found.may_be_first(domain))),
        );
        if let Some(fix) = &mut diagnostic.fix {
            match carried.checked_sub(fix.edits.inserted()) {
                Some(rest) => carried = rest,
                None => fix.edits = Edits::default(),
            }
        }
        diagnostic
    });
    let mut diagnostics: Vec<_> = diagnostics.collect();
    sort(&mut diagnostics);
    diagnostics
}

/// How far fixes may change the guest's screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Picture {
    /// They may replace it.
    Replaceable,
    /// It stays, because nothing else would show the guest.
    Kept,
}

impl Picture {
    /// Whether a rule's fixes may be made.
    pub(super) fn allows(self, rule: &Rule) -> bool {
        self == Picture::Replaceable || !rule.touches_picture()
    }
}

/// All that the rules find, and what the document says of it; whether that is of use is another
/// question ([`unused`](super::ignored::unused)).
pub(super) fn find<'c, 'd, 'r: 'c>(
    domain: &'c Domain<'d>,
    rules: &RuleSet<'r>,
    detail: Detail,
    picture: Picture,
) -> (Vec<RuleFinding<'d, 'r>>, Suppressions<'c, 'd>) {
    let mut suppressions = Suppressions::new(domain, &rules.known);
    let mut found = check_all(domain, rules, detail, &mut suppressions, picture);
    found.extend(faults(domain, rules, &mut suppressions));
    if is_vendor_unknown(domain) {
        // What is found is the same whether the fixes are held back or not.
        found.iter_mut().for_each(|found| found.demote_to_unsafe(Risk::NotIntels));
    }
    (found, suppressions)
}

/// Asks all rules, those that remove elements first: the others see what these leave.
pub(super) fn check_all<'d, 'r>(
    domain: &Domain<'d>,
    rules: &RuleSet<'r>,
    detail: Detail,
    suppressions: &mut Suppressions<'_, '_>,
    picture: Picture,
) -> Vec<RuleFinding<'d, 'r>> {
    let (search, wants_changes) =
        (Search::new(&domain.children), detail >= Detail::Words || domain.may_have_templates());
    let level = domain.settings.applicability();
    let is_unsuitable = domain.unsuitable().is_some();
    let of_new_vgpu = rules_for_new_vgpu(domain, rules, suppressions);
    let rules = of_new_vgpu.as_ref().unwrap_or(rules);
    let mut removed: ElementSet = Default::default();
    let mut found: Vec<RuleFinding<'d, 'r>> = Vec::new();
    let mut phase = Phase::Removal;
    // A guest with its own share of the GPU keeps its screen.
    let keeps_screen = domain.is_served_by_sriov();
    let is_asked = |rule: &&Rule| {
        rule.when.unsuitable == is_unsuitable && !(keeps_screen && rule.touches_picture())
    };
    for rule in rules.active.iter().copied().filter(|rule| is_asked(rule)) {
        if rule.phase() != phase {
            keep_display_if_graphics_kept(domain, &mut found);
            let is_made = |found: &&RuleFinding<'d, 'r>| {
                found.is_fixable(level) && picture.allows(found.rule)
            };
            removed = found
                .iter()
                .filter(is_made)
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
            let verdict = suppressions.verdict(rule, finding.span.start);
            let applicability = check::applicability(rule, &finding, domain);
            let template =
                finding.changes.as_deref().and_then(|changes| overwritten(domain, changes));
            let mut one =
                RuleFinding { rule, applicability, finding, verdict, elsewhere: None, template };
            if one.template.is_some() {
                one.demote_to_unsafe(Risk::Template);
            }
            if one.verdict == SuppressionState::Doubtful {
                one.demote_to_unsafe(Risk::UnclearIgnore);
            }
            found.push(one);
        }
    }
    keep_display_if_graphics_kept(domain, &mut found);
    convert_all_or_nothing(&mut found);
    found
}

/// Withholds fixes that would remove a screen if a `<graphics>` that a fix would remove is kept,
/// because the domain says so or because a template fills it in. The guest is watched through that
/// `<graphics>`, which shows its `<video>`.
fn keep_display_if_graphics_kept(domain: &Domain<'_>, found: &mut [RuleFinding<'_, '_>]) {
    let removes_graphics =
        |found: &RuleFinding<'_, '_>| found.removed().any(|element| element.is("graphics"));
    let kept = |found: &&RuleFinding<'_, '_>| {
        (found.is_kept_by_user() || found.template.is_some()) && removes_graphics(found)
    };
    let risk = match found.iter().filter(kept).map(RuleFinding::is_kept_by_user).max() {
        Some(true) => Risk::KeptGraphics,
        Some(false) => Risk::TemplateGraphics,
        None => return,
    };
    // QEMU has one `-display`: a window among its arguments replaces the one that libvirt writes
    // for these.
    let is_a_display =
        |graphics: Element<'_>| matches!(graphics.attribute("type"), Some("dbus" | "rdp" | "sdl"));
    let keeps_a_display =
        found.iter().filter(kept).flat_map(RuleFinding::removed).any(is_a_display);
    let is_for_the_watched = |rule: &Rule| {
        rule.fix_for(domain.settings.libvirt).is_some_and(|fix| fix.unsafe_if_watched)
    };
    for found in found.iter_mut().filter(|found| !removes_graphics(found)) {
        let takes_the_screen = found.rule.group == Group::Display && is_for_the_watched(found.rule);
        if takes_the_screen
            || keeps_a_display
                && (check::is_for_the_picture(found.rule, domain) || found.opens_a_display())
        {
            found.demote_to_unsafe(risk);
        }
    }
}

/// What carries properties in one form is written in the other as a whole or not at all: where one
/// of them is to stay, half in each form would work on no libvirt.
fn convert_all_or_nothing(found: &mut [RuleFinding<'_, '_>]) {
    let converts = |found: &RuleFinding<'_, '_>| {
        let adds = found
            .changes()
            .iter()
            .any(|change| matches!(change, Change::Override { .. } | Change::Set { .. }));
        adds && found.removed().next().is_some()
    };
    let is_kept = |found: &RuleFinding<'_, '_>| found.is_kept_by_user() || found.template.is_some();
    if !found.iter().any(is_kept) {
        return;
    }
    let converting: HashSet<&str> =
        found.iter().filter(|found| converts(found)).map(|found| &*found.rule.id).collect();
    let kept = found.iter().filter(|found| is_kept(found) && converting.contains(&*found.rule.id));
    let risk = match kept.map(RuleFinding::is_kept_by_user).max() {
        Some(true) => Risk::KeptPart,
        Some(false) => Risk::Template,
        None => return,
    };
    found
        .iter_mut()
        .filter(|found| converting.contains(&*found.rule.id))
        .for_each(|found| found.demote_to_unsafe(risk));
}

/// The rules, with those alone that a new vGPU is to meet where it will stand; None where there is
/// none to come, or all are.
fn rules_for_new_vgpu<'r>(
    domain: &Domain<'_>,
    rules: &RuleSet<'r>,
    suppressions: &mut Suppressions<'_, '_>,
) -> Option<RuleSet<'r>> {
    if suppressions.is_empty() || domain.has_vgpu() {
        return None;
    }
    let place = domain.devices.unwrap_or(domain.root).span().start;
    let mut of_new_vgpu = rules.clone();
    of_new_vgpu.wanted.retain(|rule| {
        !matches!(suppressions.verdict(rule, place), SuppressionState::Suppressed(_))
    });
    Some(of_new_vgpu)
}

pub(super) fn sort(diagnostics: &mut [Diagnostic<'_>]) {
    diagnostics.sort_by(|left, right| {
        let key = |diagnostic: &Diagnostic<'_>| (diagnostic.start, diagnostic.end);
        key(left).cmp(&key(right)).then_with(|| left.rule.id.cmp(&right.rule.id))
    });
}

/// Whether the domain's vGPU was met in a folder and nothing says that it is Intel's: then all
/// fixes are held back together, as a part of them stops QEMU on other makers' devices, and the
/// rest is of no use without that part.
pub(super) fn is_vendor_unknown(domain: &Domain<'_>) -> bool {
    !domain.settings.explicitly_named && domain.has_vgpu() && !domain.has_gvtg_sign()
}
