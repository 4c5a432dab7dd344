//! The rules of a configuration: custom ones, the built-in ones that they don't replace, and which
//! of them are active.

use std::fs;
use std::path::Path;

use super::LoadError;
use crate::lint::Diagnostic;
use crate::rules::schema::{Check, Group};
use crate::rules::{Rule, RuleRef, RuleSet, builtin, parse};
use crate::settings::SettingError;
use crate::text::Source;
use crate::text::sanitize::{clean, clean_path, system_error};

/// Loads the custom rules (`*.toml`) of a folder.
///
/// # Errors
/// Returns an error for a folder or file that can't be read and for invalid rule files.
pub fn load_custom_rules(folder: &Path) -> Result<Vec<RuleRef<'static>>, LoadError> {
    let unreadable = |path: &Path, error: &std::io::Error| {
        format!("{}: can't be read: {}", clean_path(path), system_error(error))
    };
    let entries = fs::read_dir(folder)
        .map_err(|error| LoadError::CustomRules(vec![unreadable(folder, &error)]))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let mut rules = Vec::new();
    let mut errors = Vec::new();
    for path in &paths {
        match fs::read_to_string(path) {
            Ok(text) => match custom_rule(path, &text) {
                Ok(rule) => rules.push(RuleRef::from(rule)),
                Err(rule_errors) => errors.extend(rule_errors),
            },
            Err(error) => errors.push(unreadable(path, &error)),
        }
    }
    if !errors.is_empty() {
        return Err(LoadError::CustomRules(errors));
    }
    if rules.is_empty() {
        let reason = "no rule files (*.toml) in this folder";
        return Err(LoadError::unusable(folder, reason, None));
    }
    Ok(rules)
}

/// Parses a custom rule. Errors are lines with file:line:column and the cause.
fn custom_rule(path: &Path, text: &str) -> Result<Rule, Vec<String>> {
    let name = clean_path(path);
    let rule = parse(text).map_err(|errors| {
        let source = Source::new(&name, text);
        let line = |error: crate::rules::RuleError| {
            let position = source.position(error.span.start);
            format!("{name}:{}:{}: {}", position.line, position.column, clean(&error.message))
        };
        errors.into_iter().map(line).collect::<Vec<_>>()
    })?;
    let error = if rule.group == Group::Host {
        "custom rules can check domains only, not the host".to_owned()
    } else if matches!(rule.check, Check::WellFormed | Check::Domain) {
        "this kind of check is reserved for built-in rules".to_owned()
    } else if path.file_stem().is_none_or(|stem| stem != &*rule.id) {
        format!("the file must be named after the rule's id: {}.toml", rule.id)
    } else {
        return Ok(rule);
    };
    Err(vec![format!("{name}:1:1: {error}")])
}

/// All rules: the custom ones, then the built-in ones that they don't replace.
pub fn all_rules(custom: &[RuleRef<'static>]) -> Vec<RuleRef<'static>> {
    let is_not_replaced =
        |rule: &&'static Rule| !custom.iter().any(|custom_rule| custom_rule.id == rule.id);
    let others = builtin().iter().filter(is_not_replaced).map(RuleRef::from);
    custom.iter().cloned().chain(others).collect()
}

/// The rules for a document, with the severities that the configuration sets.
#[derive(Clone, Debug)]
pub struct EffectiveRules {
    /// All rules, in the order in which they run.
    known: Vec<RuleRef<'static>>,
    /// For each of them, whether it is active, and whether it is wanted.
    states: Vec<(bool, bool)>,
}

impl EffectiveRules {
    /// Selects the active rules, as [`RuleSet::narrow`] does.
    pub(super) fn new(
        mut known: Vec<RuleRef<'static>>,
        only: &[String],
        ignore: &[String],
    ) -> Result<Self, SettingError> {
        known.sort_by(|left, right| (left.phase(), &left.id).cmp(&(right.phase(), &right.id)));
        let mut set = RuleSet::all(known.iter().map(|rule| &**rule));
        set.narrow(only, ignore).map_err(|error| clean(&error.to_string()).into_owned())?;
        let mut active = set.active.into_iter().peekable();
        let mut wanted = set.wanted.into_iter().peekable();
        let state = |rule: &RuleRef<'static>| {
            let is_rule = |other: &&Rule| std::ptr::eq(*other, &**rule);
            (active.next_if(is_rule).is_some(), wanted.next_if(is_rule).is_some())
        };
        let states = known.iter().map(state).collect();
        Ok(EffectiveRules { known, states })
    }

    /// The set of these rules.
    pub fn set(&self) -> RuleSet<'_> {
        let empty = || Vec::with_capacity(self.known.len());
        let mut set = RuleSet { active: empty(), wanted: empty(), known: empty() };
        for (rule, (is_active, is_wanted)) in self.known.iter().zip(&self.states) {
            set.known.push(rule);
            if *is_active {
                set.active.push(rule);
            }
            if *is_wanted {
                set.wanted.push(rule);
            }
        }
        set
    }

    /// The active rules.
    pub fn active(&self) -> impl Iterator<Item = &RuleRef<'static>> {
        self.known.iter().zip(&self.states).filter(|(_, state)| state.0).map(|(rule, _)| rule)
    }

    /// Makes findings of these rules independent of the configuration.
    pub fn detach(&self, findings: Vec<Diagnostic<'_>>) -> Vec<Diagnostic<'static>> {
        let detach = |finding: Diagnostic<'_>| {
            let rule = self.known.iter().find(|rule| rule.id == finding.rule.id)?.clone();
            Some(finding.with_rule(rule))
        };
        findings.into_iter().filter_map(detach).collect()
    }
}
