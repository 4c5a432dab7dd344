//! Runs the rules on a domain.

use super::suppression_rules::{faults, would_orphan_suppression};
use crate::domain::Domain;
use crate::fix::{Change, overwritten};
use crate::lint::Detail;
use crate::lint::suppress::Suppressions;
use crate::rules::check;
use crate::rules::finding::{Finding, SuppressionState};
use crate::rules::risk::Risk;
use crate::rules::schema::{Group, Phase, Rule};
use crate::rules::select::Search;
use crate::rules::{Context, RuleSet};
use crate::xml::{Element, ElementSet};
use foldhash::HashSet;

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
/// ([`unused`](super::suppression_rules::unused)).
pub(super) fn find<'c, 'd, 'r: 'c>(
    domain: &'c Domain<'d>,
    rules: &RuleSet<'r>,
    detail: Detail,
    display_fixes: DisplayFixes,
) -> (Vec<Finding<'d, 'r>>, Suppressions<'c, 'd>) {
    let mut suppressions = Suppressions::new(domain, &rules.known);
    let mut findings = check_all(domain, rules, detail, &mut suppressions, display_fixes);
    findings.extend(faults(domain, rules, &mut suppressions));
    if needs_explicit_name(domain) {
        // The findings are the same; only their fixes become unsafe.
        findings.iter_mut().for_each(|finding| finding.demote_to_unsafe(Risk::NotIntels));
    }
    (findings, suppressions)
}

/// Runs all rules in the order of their phases, in which a [`RuleSet`] is sorted. Each phase sees
/// the domain without the elements that fixes of earlier phases remove.
pub(super) fn check_all<'d, 'r>(
    domain: &Domain<'d>,
    rules: &RuleSet<'r>,
    detail: Detail,
    suppressions: &mut Suppressions<'_, '_>,
    display_fixes: DisplayFixes,
) -> Vec<Finding<'d, 'r>> {
    let search = Search::new(&domain.children);
    let wants_changes = detail >= Detail::Words || domain.may_have_templates();
    let allowed = domain.settings.applicability();
    let is_unsuitable = domain.unsuitable().is_some();
    let narrowed_rules = rules_for_new_vgpu(domain, rules, suppressions);
    let rules = narrowed_rules.as_ref().unwrap_or(rules);
    let mut removed: ElementSet = Default::default();
    let mut findings: Vec<Finding<'d, 'r>> = Vec::new();
    let mut phase = Phase::Removal;
    // A guest with its own SR-IOV share of the GPU keeps its display.
    let keeps_screen = domain.is_served_by_sriov();
    let is_applicable = |rule: &&Rule| {
        rule.when.unsuitable == is_unsuitable && !(keeps_screen && rule.touches_picture())
    };
    for rule in rules.active.iter().copied().filter(|rule| is_applicable(rule)) {
        if rule.phase() != phase {
            demote_display_fixes_if_graphics_kept(domain, &mut findings);
            let is_applied = |finding: &&Finding<'d, 'r>| {
                finding.is_fixable(allowed) && display_fixes.allow(finding.rule)
            };
            removed = findings
                .iter()
                .filter(is_applied)
                .flat_map(Finding::removed)
                .map(Element::id)
                .collect();
            phase = rule.phase();
        }
        let context =
            Context { domain, rule, search: &search, rules, removed: &removed, wants_changes };
        for mut finding in check::findings(&context) {
            finding.changes.take_if(|changes| would_orphan_suppression(changes, domain));
            finding.suppression_state = suppressions.state_of(rule, finding.span.start);
            finding.applicability = check::applicability(&finding, domain);
            finding.template = overwritten(domain, finding.changes());
            if finding.template.is_some() {
                finding.demote_to_unsafe(Risk::Template);
            }
            if finding.suppression_state == SuppressionState::Doubtful {
                finding.demote_to_unsafe(Risk::UnclearSuppression);
            }
            findings.push(finding);
        }
    }
    demote_display_fixes_if_graphics_kept(domain, &mut findings);
    demote_partial_conversions(&mut findings);
    findings
}

/// Makes fixes that would remove a display unsafe if a `<graphics>` that another fix would remove
/// stays, because the document suppresses the removal or because a template fills it in. The user
/// may watch the guest's `<video>` through that `<graphics>`.
fn demote_display_fixes_if_graphics_kept(domain: &Domain<'_>, findings: &mut [Finding<'_, '_>]) {
    let removes_graphics =
        |finding: &Finding<'_, '_>| finding.removed().any(|element| element.is("graphics"));
    let is_kept = |finding: &&Finding<'_, '_>| {
        (finding.is_kept_by_user() || finding.template.is_some()) && removes_graphics(finding)
    };
    let risk = match findings.iter().filter(is_kept).map(Finding::is_kept_by_user).max() {
        Some(true) => Risk::KeptGraphics,
        Some(false) => Risk::TemplateGraphics,
        None => return,
    };
    // QEMU has only one `-display`: one among the user's arguments replaces the one that libvirt
    // writes for these.
    let is_a_display =
        |graphics: Element<'_>| matches!(graphics.attribute("type"), Some("dbus" | "rdp" | "sdl"));
    let keeps_a_display =
        findings.iter().filter(is_kept).flat_map(Finding::removed).any(is_a_display);
    let is_unsafe_if_watched = |rule: &Rule| {
        rule.fix_for(domain.settings.libvirt).is_some_and(|fix| fix.unsafe_if_watched)
    };
    for finding in findings.iter_mut().filter(|finding| !removes_graphics(finding)) {
        let removes_display =
            finding.rule.group == Group::Display && is_unsafe_if_watched(finding.rule);
        if removes_display
            || keeps_a_display
                && (check::is_for_the_picture(finding.rule, domain) || opens_a_display(finding))
        {
            finding.demote_to_unsafe(risk);
        }
    }
}

/// Makes all conversions between `-set` and overrides unsafe if one of them cannot be made: a
/// mixture of both forms works on no libvirt.
fn demote_partial_conversions(findings: &mut [Finding<'_, '_>]) {
    let converts = |finding: &Finding<'_, '_>| {
        let adds_property = finding
            .changes()
            .iter()
            .any(|change| matches!(change, Change::Override { .. } | Change::Set { .. }));
        adds_property && finding.removed().next().is_some()
    };
    let is_kept =
        |finding: &Finding<'_, '_>| finding.is_kept_by_user() || finding.template.is_some();
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
    let risk = match kept.map(Finding::is_kept_by_user).max() {
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

/// Whether the user has to name the file before its fixes are safe: it was found in a folder, and
/// nothing shows that its vGPU is Intel's. All fixes are then unsafe together: some make QEMU exit
/// with other vendors' devices, and the rest are useless without these.
pub(super) fn needs_explicit_name(domain: &Domain<'_>) -> bool {
    !domain.settings.explicitly_named && domain.has_vgpu() && !domain.has_gvtg_sign()
}

/// Whether the fix gives QEMU a `-display`.
fn opens_a_display(finding: &Finding<'_, '_>) -> bool {
    finding
        .changes()
        .iter()
        .any(|change| matches!(change, Change::Arguments(arguments) if arguments.iter().any(|argument| argument == "-display")))
}
