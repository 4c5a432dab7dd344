//! What is in force for a document: flags where they say something, else its configuration, else defaults. The only place that knows the
//! defaults.

use std::sync::Mutex;

use super::keys::Choices;
use super::read::{Config, Level};
use crate::rules::schema::Severity;
use crate::rules::{Rule, RuleSet};
use crate::settings::Settings;
use crate::version::Version;

/// What is in force for a document.
#[derive(Clone, Debug)]
pub struct InForce {
    /// What the user wants of it; `named` is said by whoever reads it.
    pub settings: Settings,
    /// The rules that are asked, with the severities that they have.
    pub rules: RuleSet<'static>,
    /// The least severity that makes the exit code 1.
    pub fail_on: Severity,
    /// Whether domains in folders need no sign of GVT-g.
    pub all: bool,
}

/// Merges what the flags say with a configuration. `rules` are those that there are: the built-in ones and a site's own.
///
/// # Errors
/// A name in a flag that no rule has.
pub fn merge(flags: &Choices, config: Option<&Config>, rules: impl Iterator<Item = &'static Rule>) -> Result<InForce, String> {
    let none = Config::default();
    let config = config.unwrap_or(&none);
    let said = &config.choices;
    Ok(InForce {
        settings: Settings {
            libvirt: flags.libvirt.or(said.libvirt).unwrap_or(Version::CURRENT),
            asked: flags.wishes.clone(),
            fallback: said.wishes.clone(),
            keep_video: flags.keep_video.or(said.keep_video).unwrap_or(false),
            unsafe_fixes: flags.unsafe_fixes.or(said.unsafe_fixes).unwrap_or(false),
            ..Settings::default()
        },
        rules: choose(flags, config, rules)?,
        fail_on: flags.fail_on.or(said.fail_on).unwrap_or(Severity::Warning),
        all: flags.all.or(said.all).unwrap_or(false),
    })
}

/// The rules that are asked. One that `--only` names by its id is asked even where the configuration switches it off.
fn choose(flags: &Choices, config: &Config, rules: impl Iterator<Item = &'static Rule>) -> Result<RuleSet<'static>, String> {
    let (mut all, mut ignore) = (Vec::new(), Vec::new());
    let is_asked_for = |rule: &Rule| flags.only.iter().flatten().any(|name| rule.is_named(name));
    let ignored = config.choices.ignore.iter().flatten().filter(|_| flags.ignore.is_none());
    for rule in rules {
        let level = level(rule, &config.levels);
        let is_off = level == Some(None) || ignored.clone().any(|name| rule.is_meant_by(name));
        if is_off && !is_asked_for(rule) {
            ignore.push(rule.id.to_string());
        }
        all.push(level.flatten().map_or(rule, |severity| with_severity(rule, severity)));
    }
    let mut chosen = RuleSet::all(all);
    let only = flags.only.as_ref().or(config.choices.only.as_ref());
    ignore.extend(flags.ignore.iter().flatten().cloned());
    chosen.narrow(only.map_or(&[], Vec::as_slice), &ignore)?;
    Ok(chosen)
}

/// What `[rules]` says of a rule, its own name before its group's; None where it says nothing.
fn level(rule: &Rule, levels: &[Level]) -> Option<Option<Severity>> {
    let own = levels.iter().rfind(|level| rule.is_named(&level.name));
    own.or_else(|| levels.iter().rfind(|level| rule.is_meant_by(&level.name))).map(|level| level.severity)
}

/// The same rule with another severity. Rules live as long as the process, and so does this one: it is made once.
fn with_severity(rule: &'static Rule, severity: Severity) -> &'static Rule {
    static CHANGED: Mutex<Vec<(&'static Rule, &'static Rule)>> = Mutex::new(Vec::new());
    if rule.severity == severity {
        return rule;
    }
    let mut changed = CHANGED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let known = changed.iter().find(|(original, other)| std::ptr::eq(*original, rule) && other.severity == severity);
    if let Some((_, known)) = known {
        return known;
    }
    let new: &'static Rule = Box::leak(Box::new(Rule { severity, ..rule.clone() }));
    changed.push((rule, new));
    new
}
