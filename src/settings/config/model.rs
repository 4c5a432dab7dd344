//! The parsed configuration.

use std::ops::Range;

use super::globs::Glob;
use super::keys::Key;
use super::partial::Value;
use crate::rules::Rule;
use crate::rules::schema::{Group, Severity};

/// A parsed configuration.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The settings for all files.
    pub section: Section,
    /// The overrides, in the order of the file; where several match a file, the last one wins.
    pub overrides: Vec<Override>,
    /// The custom rules that `site-rules` names.
    pub site_rules: &'static [Rule],
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

/// A key and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: &'static Key,
    /// The value.
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

impl Level {
    /// The severity as written in the configuration, such as `off`.
    pub fn word(&self) -> &'static str {
        LEVELS
            .iter()
            .find(|(_, severity)| *severity == self.severity)
            .map_or("off", |(word, _)| word)
    }
}

/// An error in a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The message.
    pub message: String,
    /// A hint that says what to do.
    pub help: Option<String>,
    /// The byte range in the text.
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
