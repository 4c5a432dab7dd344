//! A parsed `gvtg-xml.toml`.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::globs::Glob;
use super::values::Value;
use crate::rules::RuleRef;
use crate::rules::schema::{Group, Severity};
use crate::settings::Setting;
use crate::text::Source;

/// A configuration that was read.
#[derive(Debug)]
pub struct Loaded {
    /// The path of the file.
    pub path: PathBuf,
    /// The text of the file.
    pub text: String,
    /// The parsed text.
    pub config: Config,
    /// The folder that its patterns are relative to, without symbolic links.
    pub(super) base: PathBuf,
}

/// A parsed configuration.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The settings for all files.
    pub section: Section,
    /// The overrides, in the order of the file; where several match a file, the last one wins.
    pub overrides: Vec<Override>,
    /// The custom rules that `site-rules` names.
    pub custom_rules: Vec<RuleRef<'static>>,
}

/// The settings at the top level or in one override.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Its keys with their values, in the order of the file.
    pub entries: Vec<Entry>,
    /// The severities in its table `[rules]`, in the order of the file.
    pub levels: Vec<Level>,
}

/// Settings for some of the files.
#[derive(Clone, Debug)]
pub struct Override {
    /// The patterns; the override applies to a file that matches one of them.
    pub files: Vec<Glob>,
    /// The settings.
    pub section: Section,
}

/// A setting and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The setting.
    pub setting: &'static Setting,
    /// The value as written.
    pub value: Value,
    /// The byte range of the key.
    pub span: Range<usize>,
}

/// The severity that `[rules]` sets for a rule or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// The name of the rule or group.
    pub name: String,
    /// The severity; `None` for `off`.
    pub severity: Option<Severity>,
    /// The byte range of the name.
    pub span: Range<usize>,
}

/// The values of `[rules]`, from the least to the most severe.
pub const LEVELS: &[(&str, Option<Severity>)] = &[
    ("off", None),
    ("info", Some(Severity::Info)),
    ("warning", Some(Severity::Warning)),
    ("error", Some(Severity::Error)),
];

/// The groups whose names can be used for their rules.
pub const GROUPS: &[Group] =
    &[Group::Display, Group::Vgpu, Group::Namespace, Group::Qemu, Group::Domain];

impl Level {
    /// The severity as written in the configuration, such as `off`.
    pub fn word(&self) -> &'static str {
        self.severity.map_or("off", Severity::name)
    }
}

impl Loaded {
    /// The sections that apply to a document, given the indices of its overrides, in ascending
    /// order of precedence. Each is returned with the patterns of its override.
    pub fn sections(&self, overrides: &[usize]) -> Vec<(&Section, &[Glob])> {
        let overrides = overrides.iter().filter_map(|&index| self.config.overrides.get(index));
        let overrides = overrides.map(|matching| (&matching.section, &*matching.files));
        std::iter::once((&self.config.section, &[][..])).chain(overrides).collect()
    }

    /// The indices of the overrides that match a file.
    pub(super) fn overrides_for(&self, file: &Path) -> Vec<usize> {
        let overrides = self.config.overrides.iter().enumerate();
        let matching = overrides
            .filter(|(_, section)| section.files.iter().any(|glob| glob.matches(&self.base, file)));
        matching.map(|(index, _)| index).collect()
    }

    /// The 1-based line at which a byte range of its text starts.
    pub fn line(&self, span: &Range<usize>) -> usize {
        Source::new("", &self.text).position(span.start).line
    }
}
