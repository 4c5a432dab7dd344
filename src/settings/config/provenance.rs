//! Effective values and where each one comes from.

use super::keys::{KEYS, Key};
use super::merge::level;
use super::model::{Level, Section};
use super::partial::{PartialConfig, Value};
use super::resolved::ResolvedConfig;
use crate::rules::Rule;

/// A key with its effective value.
pub struct KeyWithOrigin<'f> {
    /// The key.
    pub key: &'static Key,
    /// The effective value; `None` if it is the default.
    pub value: Option<Value>,
    /// The origin of the value.
    pub from: ValueOrigin<'f>,
}

/// A rule whose severity the configuration sets.
pub struct RuleWithOrigin<'f> {
    /// The rule.
    pub rule: &'static Rule,
    /// The severity that is set.
    pub level: &'f Level,
    /// The place where it is set.
    pub from: ValueOrigin<'f>,
}

/// The origin of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueOrigin<'f> {
    /// The default.
    Default,
    /// The command line.
    Flag,
    /// A line of the configuration (1-based), with the patterns of its override if it is in one.
    Line(usize, Vec<&'f str>),
}

/// All keys with their effective values in a resolved configuration.
pub fn keys<'f>(flags: &PartialConfig, resolved: &'f ResolvedConfig) -> Vec<KeyWithOrigin<'f>> {
    let sections = sections(resolved);
    let key_with_origin = |key: &'static Key| {
        if let Some(value) = (key.get)(flags) {
            return KeyWithOrigin { key, value: Some(value), from: ValueOrigin::Flag };
        }
        let entry = sections.iter().rev().find_map(|(section, files)| {
            let entry = section.entries.iter().find(|entry| entry.key.name == key.name)?;
            Some((entry, files))
        });
        match (entry, &resolved.loaded) {
            (Some((entry, files)), Some(loaded)) => {
                let from = ValueOrigin::Line(loaded.line(&entry.span), files.clone());
                KeyWithOrigin { key, value: Some(entry.value.clone()), from }
            }
            _ => KeyWithOrigin { key, value: None, from: ValueOrigin::Default },
        }
    };
    KEYS.iter().map(key_with_origin).collect()
}

/// The rules whose severity the configuration sets, sorted by ID.
pub fn rules<'f>(
    resolved: &'f ResolvedConfig,
    all: impl Iterator<Item = &'static Rule>,
) -> Vec<RuleWithOrigin<'f>> {
    let Some(loaded) = &resolved.loaded else { return Vec::new() };
    let sections = sections(resolved);
    let plain_sections: Vec<&Section> = sections.iter().map(|(section, _)| *section).collect();
    let rule_with_origin = |rule: &'static Rule| {
        let level = level(rule, &plain_sections)?;
        let files = sections.iter().find(|(section, _)| {
            section.levels.iter().any(|section_level| std::ptr::eq(section_level, level))
        });
        let files = files.map_or(Vec::new(), |(_, files)| files.clone());
        Some(RuleWithOrigin {
            rule,
            level,
            from: ValueOrigin::Line(loaded.line(&level.span), files),
        })
    };
    let mut rules: Vec<RuleWithOrigin<'f>> = all.filter_map(rule_with_origin).collect();
    rules.sort_by(|left, right| left.rule.id.cmp(&right.rule.id));
    rules
}

/// The sections that apply, in ascending order of precedence, each with the patterns of its
/// override.
fn sections(resolved: &ResolvedConfig) -> Vec<(&Section, Vec<&str>)> {
    let Some(loaded) = &resolved.loaded else { return Vec::new() };
    let override_section = |index: &usize| {
        let matching_override = loaded.config.overrides.get(*index)?;
        Some((
            &matching_override.section,
            matching_override.files.iter().map(|glob| glob.as_str()).collect(),
        ))
    };
    std::iter::once((&loaded.config.section, Vec::new()))
        .chain(resolved.overrides.iter().filter_map(override_section))
        .collect()
}
