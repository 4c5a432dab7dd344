//! What a document says is to be ignored, among what is found: faults of it, and what is of no use.

use super::findings::{Picture, RuleFinding, check_all};
use crate::change::Change;
use crate::diagnostic::Detail;
use crate::domain::Domain;
use crate::property::PICTURE_PROPERTIES;
use crate::rules::schema::{Check, Group, IgnoreFault, Rule, Severity};
use crate::rules::{RuleSet, builtin, check};
use crate::settings::{Audio, SettingOverrides, Settings, UUID_NAMESPACE};
use crate::suppress::{Suppressions, judged};
use crate::version::Version;
use foldhash::{HashSet, HashSetExt};

/// What is found wrong with what the document says, but whether it is of use.
pub(super) fn faults<'d, 'r>(
    domain: &Domain<'d>,
    rules: &RuleSet<'r>,
    suppressions: &mut Suppressions<'_, 'd>,
) -> Vec<RuleFinding<'d, 'r>> {
    if suppressions.is_empty() {
        return Vec::new();
    }
    of(&|fault| fault != IgnoreFault::Unused, &HashSet::new(), domain, rules, suppressions)
}

/// What the document says to no use: none of all rules, whether they are asked in this run or not,
/// finds it with any setting. An ignore of a rule that somebody switched off is left alone.
pub(super) fn unused<'d, 'r>(
    domain: &Domain<'d>,
    rules: &RuleSet<'r>,
    found: &[RuleFinding<'d, 'r>],
    suppressions: &mut Suppressions<'_, 'd>,
) -> Vec<RuleFinding<'d, 'r>> {
    let is_asked = || {
        asked(domain, rules)
            .any(|rule| matches!(rule.check, Check::Ignore { fault: IgnoreFault::Unused }))
    };
    if suppressions.is_empty() || !is_asked() || !is_fully_analyzed(domain, found) {
        return Vec::new();
    }
    let is_unsuitable = domain.unsuitable().is_some();
    let of_this_guest: Vec<&Rule> =
        rules.known.iter().copied().filter(|rule| rule.when.unsuitable == is_unsuitable).collect();
    let judged = judged(&rules.wanted, &of_this_guest);
    let all = RuleSet { active: rules.known.clone(), ..rules.clone() };
    for settings in all_settings(domain.settings) {
        if !suppressions.has_unused(&judged) {
            return Vec::new();
        }
        check_all(
            &Domain::new(domain.document, &settings),
            &all,
            Detail::Words,
            suppressions,
            Picture::Replaceable,
        );
    }
    of(&|fault| fault == IgnoreFault::Unused, &judged, domain, rules, suppressions)
}

fn of<'d, 'r>(
    is_wanted: &dyn Fn(IgnoreFault) -> bool,
    judged: &HashSet<&str>,
    domain: &Domain<'d>,
    rules: &RuleSet<'r>,
    suppressions: &mut Suppressions<'_, 'd>,
) -> Vec<RuleFinding<'d, 'r>> {
    let mut found = Vec::new();
    for rule in asked(domain, rules) {
        let Check::Ignore { fault } = &rule.check else { continue };
        if is_wanted(*fault) {
            for finding in suppressions.faults(*fault, &rules.known, judged) {
                let verdict = suppressions.verdict(rule, finding.span.start);
                let applicability = check::applicability(rule, &finding, domain);
                found.push(RuleFinding {
                    rule,
                    finding,
                    applicability,
                    verdict,
                    elsewhere: None,
                    template: None,
                });
            }
        }
    }
    found
}

/// The rules that are asked of this domain.
pub(super) fn asked<'r>(
    domain: &Domain<'_>,
    rules: &RuleSet<'r>,
) -> impl Iterator<Item = &'r Rule> {
    let is_unsuitable = domain.unsuitable().is_some();
    rules.active.iter().copied().filter(move |rule| rule.when.unsuitable == is_unsuitable)
}

/// Whether the rules see all that they will see once the domain is mended: what has no vGPU, or
/// parts where nobody looks, will have more.
fn is_fully_analyzed(domain: &Domain<'_>, found: &[RuleFinding<'_, '_>]) -> bool {
    let hides = |found: &RuleFinding<'_, '_>| {
        found.rule.group == Group::Namespace
            || found.changes().iter().any(|change| matches!(change, Change::InsertSource(..)))
    };
    domain.has_vgpu() && !found.iter().any(hides)
}

/// These settings, and others with which rules find what they don't find with these: other
/// libvirts, whatever can be asked for, and whatever goes.
fn all_settings(settings: &Settings) -> Vec<Settings> {
    let reader = |libvirt: Version| Settings { libvirt, ..settings.clone() };
    let wishes = SettingOverrides {
        vgpu_type: Some("i915-GVTg_V5_4".into()),
        pci: Some("0000:00:1f.7".into()),
        display: Some("sdl,gl=core".into()),
        display_env: Some(":99".into()),
        gdk_scale: Some("9.5".into()),
        alias: Some("ua-gvtg-other".into()),
        romfile: Some("/other.rom".into()),
        audio: Some(Audio { backend: "oss".into(), attributes: Vec::new() }),
    };
    let asked = Settings { uuid: Some(UUID_NAMESPACE), explicit: wishes, ..settings.clone() };
    let plain = Settings {
        unsafe_fixes: settings.unsafe_fixes,
        explicitly_named: settings.explicitly_named,
        ..Settings::default()
    };
    let unsafe_fixes = Settings { unsafe_fixes: !settings.unsafe_fixes, ..settings.clone() };
    let keep_video = Settings { keep_video: !settings.keep_video, ..settings.clone() };
    // One of each form that libvirt has had, by `domain::json_capability` and
    // `domain::override_works`.
    let readers =
        [Version::new(7, 0, 0), Version::new(7, 9, 0), Version::new(8, 1, 0), Version::NEWEST]
            .map(reader);
    readers.into_iter().chain([settings.clone(), asked, plain, unsafe_fixes, keep_video]).collect()
}

/// Whether changes move an element that a comment speaks of to another place: the comment would
/// stay, and speak of something else.
pub(super) fn would_orphan_suppression<'d>(changes: &[Change<'d>], domain: &Domain<'d>) -> bool {
    let moves = |change: &Change<'d>| matches!(change, Change::InsertSource(..));
    let leaves = |change: &Change<'d>| matches!(change, Change::Remove(element) if !domain.comments_for(element.id()).is_empty());
    changes.iter().any(moves) && changes.iter().any(leaves)
}

/// Whether the document suppresses this finding, and it is about something that may leave the
/// guest's screen dark: then nothing is sure to show the guest. A lower severity in a configuration
/// does not change what happens.
pub(super) fn is_left_error(found: &RuleFinding<'_, '_>) -> bool {
    let is_error = |rule: &Rule| rule.severity == Severity::Error;
    let built_in = || builtin().iter().find(|rule| rule.id == found.rule.id);
    let is_for_the_picture = || matches!(&found.rule.check, Check::Property { name, .. } if PICTURE_PROPERTIES.contains(&&**name));
    found.is_kept_by_user()
        && (is_error(found.rule) || is_for_the_picture() || built_in().is_some_and(is_error))
}
