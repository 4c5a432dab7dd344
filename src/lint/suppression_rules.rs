//! Runs the rules about suppressions: the active ones, and for unused suppressions with all
//! settings under which they could be needed. [`suppress`](super::suppress) finds the faults in the
//! document.

use super::findings::{DisplayFixes, check_all};
use crate::domain::{Domain, SettingOverrides, Settings, UUID_NAMESPACE};
use crate::fix::Change;
use crate::lint::Detail;
use crate::lint::suppress::{Suppressions, reportable_names};
use crate::qemu::property::PICTURE_PROPERTIES;
use crate::rules::finding::Finding;
use crate::rules::schema::{Check, Group, Phase, Rule, Severity, SuppressionFault};
use crate::rules::{RuleSet, builtin, check};
use crate::version::Version;
use foldhash::{HashSet, HashSetExt};

/// Returns findings about faulty suppressions; unused ones are found by [`unused`].
pub(super) fn faults<'d, 'r>(
    domain: &Domain<'d>,
    rules: &RuleSet<'r>,
    suppressions: &mut Suppressions<'_, 'd>,
) -> Vec<Finding<'d, 'r>> {
    if suppressions.is_empty() {
        return Vec::new();
    }
    suppression_findings(
        &|fault| fault != SuppressionFault::Unused,
        &HashSet::new(),
        domain,
        rules,
        suppressions,
    )
}

/// Returns findings about unused suppressions: those that match no finding of any known rule,
/// active or not, with any settings. Suppressions of a rule that the user disabled are not
/// reported.
pub(super) fn unused<'d, 'r>(
    domain: &Domain<'d>,
    rules: &RuleSet<'r>,
    findings: &[Finding<'d, 'r>],
    suppressions: &mut Suppressions<'_, 'd>,
) -> Vec<Finding<'d, 'r>> {
    let is_active = || {
        applicable_rules(domain, rules).any(|rule| {
            matches!(rule.check, Check::Suppression { fault: SuppressionFault::Unused })
        })
    };
    if suppressions.is_empty() || !is_active() || !is_fully_analyzed(domain, findings) {
        return Vec::new();
    }
    let is_unsuitable = domain.unsuitable().is_some();
    let applicable: Vec<&Rule> =
        rules.known.iter().copied().filter(|rule| rule.when.unsuitable == is_unsuitable).collect();
    let reportable_names = reportable_names(&rules.wanted, &applicable);
    for settings in &all_settings(domain.settings) {
        let names = suppressions.unused_names(&reportable_names);
        if names.is_empty() {
            return Vec::new();
        }
        // Rules that no unused suppression names need not run, except those whose fixes remove
        // elements: the other rules do not see these.
        let may_match = |rule: &&Rule| {
            rule.phase() != Phase::Rest || rule.names().any(|name| names.contains(name))
        };
        let active = rules.known.iter().copied().filter(may_match).collect();
        let rules = RuleSet { active, ..rules.clone() };
        if settings == domain.settings {
            check_all(domain, &rules, Detail::Words, suppressions, DisplayFixes::Allowed);
        } else {
            let domain = Domain::new(domain.document, settings);
            check_all(&domain, &rules, Detail::Words, suppressions, DisplayFixes::Allowed);
        }
    }
    suppression_findings(
        &|fault| fault == SuppressionFault::Unused,
        &reportable_names,
        domain,
        rules,
        suppressions,
    )
}

/// Returns findings about suppressions with the wanted faults.
fn suppression_findings<'d, 'r>(
    is_wanted: &dyn Fn(SuppressionFault) -> bool,
    reportable_names: &HashSet<&str>,
    domain: &Domain<'d>,
    rules: &RuleSet<'r>,
    suppressions: &mut Suppressions<'_, 'd>,
) -> Vec<Finding<'d, 'r>> {
    let mut findings = Vec::new();
    for rule in applicable_rules(domain, rules) {
        let Check::Suppression { fault } = &rule.check else { continue };
        if is_wanted(*fault) {
            for mut finding in suppressions.faults(rule, *fault, &rules.known, reportable_names) {
                finding.suppression_state = suppressions.state_of(rule, finding.span.start);
                finding.applicability = check::applicability(&finding, domain);
                findings.push(finding);
            }
        }
    }
    findings
}

/// The active rules that apply to this domain.
pub(super) fn applicable_rules<'r>(
    domain: &Domain<'_>,
    rules: &RuleSet<'r>,
) -> impl Iterator<Item = &'r Rule> {
    let is_unsuitable = domain.unsuitable().is_some();
    rules.active.iter().copied().filter(move |rule| rule.when.unsuitable == is_unsuitable)
}

/// Whether the rules already see everything that they will see once the domain is fixed. A domain
/// without a vGPU, or with elements that a fix moves to another namespace or block, will have more
/// findings.
fn is_fully_analyzed(domain: &Domain<'_>, findings: &[Finding<'_, '_>]) -> bool {
    let hides_elements = |finding: &Finding<'_, '_>| {
        finding.rule.group == Group::Namespace
            || finding.changes().iter().any(|change| matches!(change, Change::InsertSource(..)))
    };
    domain.has_vgpu() && !findings.iter().any(hides_elements)
}

/// These settings and variants with which rules have other findings: other versions of libvirt,
/// every setting given explicitly, the defaults, and `unsafe_fixes` or `keep_video` inverted.
/// Without duplicates.
fn all_settings(settings: &Settings) -> Vec<Settings> {
    let with_libvirt = |libvirt: Version| Settings { libvirt, ..settings.clone() };
    let explicit = Settings {
        uuid: Some(UUID_NAMESPACE),
        explicit: SettingOverrides::all_unusual(),
        ..settings.clone()
    };
    let defaults = Settings {
        unsafe_fixes: settings.unsafe_fixes,
        explicitly_named: settings.explicitly_named,
        ..Settings::default()
    };
    let unsafe_fixes = Settings { unsafe_fixes: !settings.unsafe_fixes, ..settings.clone() };
    let keep_video = Settings { keep_video: !settings.keep_video, ..settings.clone() };
    // One for each form that libvirt has supported, see `domain::json_capability` and
    // `domain::override_works`.
    let other_libvirts =
        [Version::new(7, 0, 0), Version::new(7, 9, 0), Version::new(8, 1, 0), Version::NEWEST]
            .map(with_libvirt);
    let mut all = vec![settings.clone()];
    for variant in other_libvirts.into_iter().chain([explicit, defaults, unsafe_fixes, keep_video])
    {
        if !all.contains(&variant) {
            all.push(variant);
        }
    }
    all
}

/// Whether the changes would move an element away from its suppression comment, which would then
/// apply to another element.
pub(super) fn would_orphan_suppression<'d>(changes: &[Change<'d>], domain: &Domain<'d>) -> bool {
    let moves_source = |change: &Change<'d>| matches!(change, Change::InsertSource(..));
    let removes_commented = |change: &Change<'d>| matches!(change, Change::Remove(element) if !domain.comments_for(element.id()).is_empty());
    changes.iter().any(moves_source) && changes.iter().any(removes_commented)
}

/// Whether the document suppresses this finding and the finding means that the guest's screen may
/// stay dark. The severity in a configuration does not change that, so the built-in severity counts
/// too.
pub(super) fn is_suppressed_error(finding: &Finding<'_, '_>) -> bool {
    let is_error = |rule: &Rule| rule.severity == Severity::Error;
    let builtin_rule = || builtin().iter().find(|rule| rule.id == finding.rule.id);
    let affects_display = || matches!(&finding.rule.check, Check::Property { name, .. } if PICTURE_PROPERTIES.contains(&&**name));
    finding.is_kept_by_user()
        && (is_error(finding.rule) || affects_display() || builtin_rule().is_some_and(is_error))
}
