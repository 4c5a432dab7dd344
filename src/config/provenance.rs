//! What is in force for a document, and from where each of it comes.

use super::keys::{KEYS, Key};
use super::merge::level;
use super::model::{Level, Section};
use super::partial::{PartialConfig, Value};
use super::resolved::ResolvedConfig;
use crate::rules::Rule;

/// A key, with what is in force.
pub struct KeyWithOrigin<'f> {
    /// Which one.
    pub key: &'static Key,
    /// What is said; None for the default.
    pub value: Option<Value>,
    /// Who says it.
    pub from: ValueOrigin<'f>,
}

/// A rule that the configuration says something of.
pub struct RuleWithOrigin<'f> {
    /// Which one.
    pub rule: &'static Rule,
    /// What is said.
    pub level: &'f Level,
    /// Where.
    pub from: ValueOrigin<'f>,
}

/// Where something comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueOrigin<'f> {
    /// Nobody says it.
    Default,
    /// The command line.
    Flag,
    /// This line of the configuration; with these patterns where it is an override.
    Line(usize, Vec<&'f str>),
}

/// All keys, with what is in force for what was found.
pub fn keys<'f>(flags: &PartialConfig, found: &'f ResolvedConfig) -> Vec<KeyWithOrigin<'f>> {
    let sections = sections(found);
    let told = |key: &'static Key| {
        if let Some(value) = (key.get)(flags) {
            return KeyWithOrigin { key, value: Some(value), from: ValueOrigin::Flag };
        }
        let said = sections.iter().rev().find_map(|(section, files)| {
            let entry = section.entries.iter().find(|entry| entry.key.name == key.name)?;
            Some((entry, files))
        });
        match (said, &found.loaded) {
            (Some((entry, files)), Some(loaded)) => {
                let from = ValueOrigin::Line(loaded.line(&entry.span), files.clone());
                KeyWithOrigin { key, value: Some(entry.value.clone()), from }
            }
            _ => KeyWithOrigin { key, value: None, from: ValueOrigin::Default },
        }
    };
    KEYS.iter().map(told).collect()
}

/// The rules that the configuration says something of, by their ids.
pub fn rules<'f>(
    found: &'f ResolvedConfig,
    all: impl Iterator<Item = &'static Rule>,
) -> Vec<RuleWithOrigin<'f>> {
    let (Some(loaded), sections) = (&found.loaded, sections(found)) else { return Vec::new() };
    let plain: Vec<&Section> = sections.iter().map(|(section, _)| *section).collect();
    let told = |rule: &'static Rule| {
        let level = level(rule, &plain)?;
        let files = sections
            .iter()
            .find(|(section, _)| section.levels.iter().any(|one| std::ptr::eq(one, level)));
        let files = files.map_or(Vec::new(), |(_, files)| files.clone());
        Some(RuleWithOrigin {
            rule,
            level,
            from: ValueOrigin::Line(loaded.line(&level.span), files),
        })
    };
    let mut rules: Vec<RuleWithOrigin<'f>> = all.filter_map(told).collect();
    rules.sort_by(|left, right| left.rule.id.cmp(&right.rule.id));
    rules
}

/// The sections that count, the later before the earlier where they differ, each with the patterns
/// of its override.
fn sections(found: &ResolvedConfig) -> Vec<(&Section, Vec<&str>)> {
    let Some(loaded) = &found.loaded else { return Vec::new() };
    let of_override = |index: &usize| {
        let one = loaded.config.overrides.get(*index)?;
        Some((&one.section, one.files.iter().map(|glob| glob.as_str()).collect()))
    };
    std::iter::once((&loaded.config.section, Vec::new()))
        .chain(found.overrides.iter().filter_map(of_override))
        .collect()
}
