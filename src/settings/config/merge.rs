//! Merges flags, configuration and defaults, in this order of precedence. This is the only place
//! that knows the defaults.

use std::sync::Mutex;

use super::model::{Level, Section};
use super::partial::PartialConfig;
use crate::domain::Settings;
use crate::rules::schema::Severity;
use crate::rules::{Rule, RuleSet};
use crate::version::Version;

/// The effective configuration for a document.
#[derive(Clone, Debug)]
pub struct EffectiveConfig {
    /// The effective settings; the caller sets `explicitly_named`.
    pub settings: Settings,
    /// Whether a flag or the configuration sets the libvirt version; otherwise it is the newest.
    pub has_libvirt: bool,
    /// The enabled rules, with their effective severities.
    pub rules: RuleSet<'static>,
    /// The lowest severity that makes the exit code 1.
    pub fail_on: Severity,
    /// Whether domains found in folders are checked even without signs of GVT-g.
    pub all: bool,
    /// Whether documents found in folders are treated as if the user had named them.
    pub named: bool,
    /// The URL of the rules' pages, to which a rule's ID is appended.
    pub rule_pages: Option<String>,
}

/// Merges the flags with the sections of a configuration that apply to the document; later sections
/// take precedence over earlier ones. `rules` are all rules, built-in and custom.
///
/// # Errors
/// Returns an error for an unknown rule: in a flag, or in the configuration's `only` if `--rules`
/// replaced the configuration's custom rules.
pub fn merge(
    flags: &PartialConfig,
    sections: &[&Section],
    rules: impl Iterator<Item = &'static Rule>,
) -> Result<EffectiveConfig, String> {
    let mut configured = PartialConfig::default();
    for entry in sections.iter().flat_map(|section| &section.entries) {
        // The value was valid when it was read, but `installed` fails once libvirt is removed.
        entry.key.apply(&entry.value, &mut configured)?;
    }
    let named = flags.named.or(configured.named).unwrap_or(false);
    let libvirt = flags.libvirt.or(configured.libvirt);
    Ok(EffectiveConfig {
        has_libvirt: libvirt.is_some(),
        settings: Settings {
            libvirt: libvirt.unwrap_or(Version::NEWEST),
            explicit: flags.wishes.clone(),
            keep_video: flags.keep_video.or(configured.keep_video).unwrap_or(false),
            unsafe_fixes: flags.unsafe_fixes.or(configured.unsafe_fixes).unwrap_or(false),
            fallback: configured.wishes.clone(),
            ..Settings::default()
        },
        rules: resolve_rules(flags, &configured, sections, rules)?,
        fail_on: flags.fail_on.or(configured.fail_on).unwrap_or(Severity::Warning),
        all: flags.all.or(configured.all).unwrap_or(false) || named,
        named,
        rule_pages: flags.rule_pages.clone().or(configured.rule_pages),
    })
}

/// Selects the enabled rules. A rule whose ID is in `--only` is enabled even if the configuration
/// switches it off.
fn resolve_rules(
    flags: &PartialConfig,
    configured: &PartialConfig,
    sections: &[&Section],
    rules: impl Iterator<Item = &'static Rule>,
) -> Result<RuleSet<'static>, String> {
    let mut all = Vec::new();
    let mut ignore = Vec::new();
    let is_named_by_only =
        |rule: &Rule| flags.only.iter().flatten().any(|name| rule.is_named(name));
    let configured_ignore: &[String] = match &flags.ignore {
        Some(_) => &[],
        None => configured.ignore.as_deref().unwrap_or_default(),
    };
    for rule in rules {
        let level = level(rule, sections).map(|level| level.severity);
        let is_off =
            level == Some(None) || configured_ignore.iter().any(|name| rule.matches_name(name));
        if is_off && !is_named_by_only(rule) {
            ignore.push(rule.id.to_string());
        }
        all.push(level.flatten().map_or(rule, |severity| with_severity(rule, severity)));
    }
    let mut rule_set = RuleSet::all(all);
    let only = flags.only.as_ref().or(configured.only.as_ref());
    ignore.extend(flags.ignore.iter().flatten().cloned());
    rule_set.narrow(only.map_or(&[], Vec::as_slice), &ignore).map_err(|error| error.to_string())?;
    Ok(rule_set)
}

/// Finds the severity that the last matching section sets for a rule; within a section, the rule's
/// ID takes precedence over its group.
pub fn level<'s>(rule: &Rule, sections: &[&'s Section]) -> Option<&'s Level> {
    sections.iter().rev().find_map(|section| {
        let by_id = section.levels.iter().rfind(|level| rule.is_named(&level.name));
        by_id.or_else(|| section.levels.iter().rfind(|level| rule.matches_name(&level.name)))
    })
}

/// Returns a copy of the rule with another severity. Rules live as long as the process; each copy
/// is made (and leaked) only once.
fn with_severity(rule: &'static Rule, severity: Severity) -> &'static Rule {
    static CHANGED: Mutex<Vec<(&'static Rule, &'static Rule)>> = Mutex::new(Vec::new());
    if rule.severity == severity {
        return rule;
    }
    let mut changed = CHANGED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let existing = changed
        .iter()
        .find(|(original, copy)| std::ptr::eq(*original, rule) && copy.severity == severity);
    if let Some((_, copy)) = existing {
        return copy;
    }
    let copy: &'static Rule = Box::leak(Box::new(Rule { severity, ..rule.clone() }));
    changed.push((rule, copy));
    copy
}
