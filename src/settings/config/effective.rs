//! What is in effect for a document: flags, configuration and defaults, in this order of
//! precedence. This is the only place that knows the defaults.

use std::ops::Range;

use super::file::{Entry, Level, Loaded, Section};
use super::globs::Glob;
use super::keys::keys;
use super::rules::EffectiveRules;
use super::values::{PartialConfig, Value};
use crate::domain::Settings;
use crate::rules::schema::Severity;
use crate::rules::{Rule, RuleRef};
use crate::settings::{Key, SETTINGS, Setting, SettingError, parsers};

/// The effective configuration for a document.
#[derive(Clone, Debug)]
pub struct EffectiveConfig {
    /// The effective settings; the caller sets `explicitly_named`.
    pub settings: Settings,
    /// Whether a flag or the configuration sets the libvirt version; otherwise it is the newest.
    pub has_libvirt: bool,
    /// The rules, with their effective severities.
    pub rules: EffectiveRules,
    /// The lowest severity that makes the exit code 1.
    pub fail_on: Severity,
    /// Whether domains found in folders are checked even without signs of GVT-g.
    pub all: bool,
    /// Whether documents found in folders are treated as if the user had named them.
    pub named: bool,
    /// The URL of the rules' pages, to which a rule's ID is appended.
    pub rule_pages: Option<String>,
}

/// The sources of a document's settings.
pub struct Sources<'c> {
    flags: &'c PartialConfig,
    /// The sections of the configuration that apply to the document, in ascending order of
    /// precedence, with the patterns of their overrides.
    sections: Vec<(&'c Section, &'c [Glob])>,
    loaded: Option<&'c Loaded>,
}

/// The origin of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueOrigin<'c> {
    /// The default.
    Default,
    /// The command line.
    Flag,
    /// A line of the configuration (1-based), with the patterns of its override if it is in one.
    Line(usize, Vec<&'c str>),
}

/// A key with its effective value.
pub struct KeyWithOrigin<'c> {
    /// The key.
    pub key: &'static Key,
    /// The effective value; `None` if it is the default.
    pub value: Option<&'c Value>,
    /// The origin of the value.
    pub origin: ValueOrigin<'c>,
}

/// A rule whose severity the configuration sets.
pub struct RuleWithOrigin<'c> {
    /// The rule.
    pub rule: RuleRef<'static>,
    /// The severity that is set.
    pub level: &'c Level,
    /// The place where it is set.
    pub origin: ValueOrigin<'c>,
}

impl EffectiveConfig {
    /// Creates the configuration of these flags alone. `rules` are all rules.
    ///
    /// # Errors
    /// Returns an error for a flag that names an unknown rule.
    pub fn of_flags(
        flags: &PartialConfig,
        rules: Vec<RuleRef<'static>>,
    ) -> Result<Self, SettingError> {
        Sources::new(flags, None, &[]).effective(rules)
    }
}

impl<'c> Sources<'c> {
    /// Combines the flags with a configuration; `overrides` are the indices of its overrides for
    /// the document.
    pub fn new(flags: &'c PartialConfig, loaded: Option<&'c Loaded>, overrides: &[usize]) -> Self {
        let sections = loaded.map_or(Vec::new(), |loaded| loaded.sections(overrides));
        Sources { flags, sections, loaded }
    }

    /// The entry of the configuration that sets a setting, with the patterns of its override.
    fn entry(&self, name: &str) -> Option<(&'c Entry, &'c [Glob])> {
        self.sections.iter().rev().find_map(|(section, files)| {
            Some((section.entries.iter().find(|entry| entry.setting.name == name)?, *files))
        })
    }

    /// The value that takes effect, as written; `None` if it is the default.
    fn value(&self, name: &str) -> Option<&'c Value> {
        self.flags.get(name).or_else(|| Some(&self.entry(name)?.0.value))
    }

    /// Finds the severity that the last matching section sets for a rule, with the patterns of that
    /// section; within a section, the rule's ID takes precedence over its group.
    fn level(&self, rule: &Rule) -> Option<(&'c Level, &'c [Glob])> {
        self.sections.iter().rev().find_map(|(section, files)| {
            let by_id = section.levels.iter().rfind(|level| rule.is_named(&level.name));
            let by_group = || section.levels.iter().rfind(|level| rule.matches_name(&level.name));
            Some((by_id.or_else(by_group)?, *files))
        })
    }

    /// Merges the sources. `rules` are all rules, built-in and custom.
    ///
    /// # Errors
    /// Returns an error for an unknown rule: in a flag, or in the configuration's `only` if
    /// `--rules` replaced the configuration's custom rules; and if the configuration wants the
    /// installed libvirt, and that was removed.
    pub fn effective(&self, rules: Vec<RuleRef<'static>>) -> Result<EffectiveConfig, SettingError> {
        let is_on = |name| self.value(name).and_then(Value::switch).unwrap_or(false);
        let fail_on = self.value("fail-on").and_then(Value::text);
        Ok(EffectiveConfig {
            settings: self.settings()?,
            has_libvirt: self.value("libvirt").is_some(),
            rules: self.rules(rules)?,
            fail_on: fail_on.map_or(Ok(Severity::Warning), parsers::severity)?,
            all: is_on("all") || is_on("named"),
            named: is_on("named"),
            rule_pages: self.value("rule-pages").and_then(Value::text).map(str::to_owned),
        })
    }

    fn settings(&self) -> Result<Settings, SettingError> {
        let mut settings = Settings::default();
        for setting in SETTINGS {
            let configured = self.entry(setting.name).and_then(|(entry, _)| entry.value.plain());
            if let Some(text) = configured {
                settings.set_fallback(setting.name, &setting.parse(&text)?);
            }
            if let Some(text) = self.flags.get(setting.name).and_then(Value::plain) {
                settings.set(setting.name, &text);
            }
        }
        Ok(settings)
    }

    /// Selects the active rules. A rule whose ID is in `--only` is active even if the configuration
    /// switches it off.
    fn rules(&self, mut rules: Vec<RuleRef<'static>>) -> Result<EffectiveRules, SettingError> {
        let names = |value: Option<&'c Value>| value.and_then(Value::names).unwrap_or_default();
        let only_flag = names(self.flags.get("only"));
        let mut ignore = names(self.flags.get("ignore")).to_vec();
        let configured_ignore = match self.flags.get("ignore") {
            Some(_) => &[],
            None => names(self.value("ignore")),
        };
        for rule in &mut rules {
            let level = self.level(rule).map(|(level, _)| level.severity);
            let is_off =
                level == Some(None) || configured_ignore.iter().any(|name| rule.matches_name(name));
            if is_off && !only_flag.iter().any(|name| rule.is_named(name)) {
                ignore.push(rule.id.to_string());
            }
            if let Some(Some(severity)) = level
                && severity != rule.severity
            {
                *rule = RuleRef::from(Rule { severity, ..Rule::clone(rule) });
            }
        }
        EffectiveRules::new(rules, names(self.value("only")), &ignore)
    }

    /// All keys with their effective values.
    pub fn keys(&self) -> Vec<KeyWithOrigin<'c>> {
        let with_origin = |(key, setting): (&'static Key, &'static Setting)| {
            let name = setting.name;
            let (value, origin) = match (self.flags.get(name), self.entry(name)) {
                (Some(flag), _) => (Some(flag), ValueOrigin::Flag),
                (None, Some((entry, files))) => {
                    (Some(&entry.value), self.origin(&entry.span, files))
                }
                (None, None) => (None, ValueOrigin::Default),
            };
            KeyWithOrigin { key, value, origin }
        };
        keys().map(with_origin).collect()
    }

    /// The rules whose severity the configuration sets, sorted by ID.
    pub fn rules_with_severity(&self, all: &[RuleRef<'static>]) -> Vec<RuleWithOrigin<'c>> {
        let with_origin = |rule: &RuleRef<'static>| {
            let (level, files) = self.level(rule)?;
            let origin = self.origin(&level.span, files);
            Some(RuleWithOrigin { rule: rule.clone(), level, origin })
        };
        let mut rules: Vec<RuleWithOrigin<'c>> = all.iter().filter_map(with_origin).collect();
        rules.sort_by(|left, right| left.rule.id.cmp(&right.rule.id));
        rules
    }

    fn origin(&self, span: &Range<usize>, files: &'c [Glob]) -> ValueOrigin<'c> {
        let line = self.loaded.map_or(0, |loaded| loaded.line(span));
        ValueOrigin::Line(line, files.iter().map(Glob::as_str).collect())
    }
}
