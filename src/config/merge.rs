//! What is in force for a document: flags where they say something, else its configuration, else
//! defaults. The only place that knows the defaults.

use std::sync::Mutex;

use super::model::{Level, Section};
use super::partial::PartialConfig;
use crate::rules::schema::Severity;
use crate::rules::{Rule, RuleSet};
use crate::settings::Settings;
use crate::version::Version;

/// What is in force for a document.
#[derive(Clone, Debug)]
pub struct EffectiveConfig {
    /// What the user wants of it; whether it is named is said by whoever reads it.
    pub settings: Settings,
    /// Whether a flag or the configuration sets the libvirt version; otherwise the settings have
    /// the newest.
    pub has_libvirt: bool,
    /// The rules that are asked, with the severities that they have.
    pub rules: RuleSet<'static>,
    /// The least severity that makes the exit code 1.
    pub fail_on: Severity,
    /// Whether it needs no sign of GVT-g where a folder brought it along.
    pub all: bool,
    /// Whether it is judged as one that somebody named.
    pub named: bool,
    /// The address of the rules' pages, up to a rule's id.
    pub rule_pages: Option<String>,
}

/// Merges what the flags say with the sections of a configuration that are about the document, the
/// later before the earlier. `rules` are those that there are: the built-in ones and a site's own.
///
/// # Errors
/// A name that no rule has: in a flag, or in the configuration's `only` where other rules have
/// taken the place of its own.
pub fn merge(
    flags: &PartialConfig,
    sections: &[&Section],
    rules: impl Iterator<Item = &'static Rule>,
) -> Result<EffectiveConfig, String> {
    let mut said = PartialConfig::default();
    for entry in sections.iter().flat_map(|section| &section.entries) {
        // It fitted when it was read; `installed` may be gone since.
        entry.key.apply(&entry.value, &mut said)?;
    }
    let named = flags.named.or(said.named).unwrap_or(false);
    let libvirt = flags.libvirt.or(said.libvirt);
    Ok(EffectiveConfig {
        has_libvirt: libvirt.is_some(),
        settings: Settings {
            libvirt: libvirt.unwrap_or(Version::NEWEST),
            explicit: flags.wishes.clone(),
            keep_video: flags.keep_video.or(said.keep_video).unwrap_or(false),
            unsafe_fixes: flags.unsafe_fixes.or(said.unsafe_fixes).unwrap_or(false),
            fallback: said.wishes.clone(),
            ..Settings::default()
        },
        rules: resolve_rules(flags, &said, sections, rules)?,
        fail_on: flags.fail_on.or(said.fail_on).unwrap_or(Severity::Warning),
        all: flags.all.or(said.all).unwrap_or(false) || named,
        named,
        rule_pages: flags.rule_pages.clone().or(said.rule_pages),
    })
}

/// The rules that are asked. One that `--only` names by its id is asked even where the
/// configuration switches it off.
fn resolve_rules(
    flags: &PartialConfig,
    said: &PartialConfig,
    sections: &[&Section],
    rules: impl Iterator<Item = &'static Rule>,
) -> Result<RuleSet<'static>, String> {
    let (mut all, mut ignore) = (Vec::new(), Vec::new());
    let is_asked_for = |rule: &Rule| flags.only.iter().flatten().any(|name| rule.is_named(name));
    let ignored = said.ignore.iter().flatten().filter(|_| flags.ignore.is_none());
    for rule in rules {
        let level = level(rule, sections).map(|level| level.severity);
        let is_off = level == Some(None) || ignored.clone().any(|name| rule.matches_name(name));
        if is_off && !is_asked_for(rule) {
            ignore.push(rule.id.to_string());
        }
        all.push(level.flatten().map_or(rule, |severity| with_severity(rule, severity)));
    }
    let mut chosen = RuleSet::all(all);
    let only = flags.only.as_ref().or(said.only.as_ref());
    ignore.extend(flags.ignore.iter().flatten().cloned());
    chosen.narrow(only.map_or(&[], Vec::as_slice), &ignore)?;
    Ok(chosen)
}

/// What the last section that says something says of a rule, its own name before its group's.
pub fn level<'s>(rule: &Rule, sections: &[&'s Section]) -> Option<&'s Level> {
    sections.iter().rev().find_map(|section| {
        let own = section.levels.iter().rfind(|level| rule.is_named(&level.name));
        own.or_else(|| section.levels.iter().rfind(|level| rule.matches_name(&level.name)))
    })
}

/// The same rule with another severity. Rules live as long as the process, and so does this one: it
/// is made once.
fn with_severity(rule: &'static Rule, severity: Severity) -> &'static Rule {
    static CHANGED: Mutex<Vec<(&'static Rule, &'static Rule)>> = Mutex::new(Vec::new());
    if rule.severity == severity {
        return rule;
    }
    let mut changed = CHANGED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let known = changed
        .iter()
        .find(|(original, other)| std::ptr::eq(*original, rule) && other.severity == severity);
    if let Some((_, known)) = known {
        return known;
    }
    let new: &'static Rule = Box::leak(Box::new(Rule { severity, ..rule.clone() }));
    changed.push((rule, new));
    new
}
