//! What a configuration says, once it is read.

use std::ops::Range;

use super::globs::Glob;
use super::keys::Key;
use super::partial::Value;
use crate::rules::Rule;
use crate::rules::schema::{Group, Severity};

/// What a configuration says.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Of all files.
    pub section: Section,
    /// Of some files, in the order of the file: of two that are about the same one the later
    /// counts.
    pub overrides: Vec<Override>,
    /// The rules of its `site-rules`.
    pub site_rules: &'static [Rule],
}

/// What is said in one place.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Its keys, in the order of the file.
    pub entries: Vec<Entry>,
    /// What it says of rules, in the order of the file.
    pub levels: Vec<Level>,
}

/// What is said of some files.
#[derive(Clone, Debug)]
pub struct Override {
    /// Which ones: those that one of these is about.
    pub files: Vec<Glob>,
    /// What is said of them.
    pub section: Section,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Which one.
    pub key: &'static Key,
    /// What it says.
    pub value: Value,
    /// Where the key stands, in bytes.
    pub span: Range<usize>,
}

/// What `[rules]` says of a rule or a group of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// The rule or group.
    pub name: String,
    /// How severe it is; None for one that is off.
    pub severity: Option<Severity>,
    /// Where it stands, in bytes.
    pub span: Range<usize>,
}

impl Level {
    /// Its word.
    pub fn word(&self) -> &'static str {
        LEVELS
            .iter()
            .find(|(_, severity)| *severity == self.severity)
            .map_or("off", |(word, _)| word)
    }
}

/// Something wrong in a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where in the text, in bytes.
    pub span: Range<usize>,
}

/// The words of `[rules]`, from the least to the most severe.
pub const LEVELS: &[(&str, Option<Severity>)] = &[
    ("off", None),
    ("info", Some(Severity::Info)),
    ("warning", Some(Severity::Warning)),
    ("error", Some(Severity::Error)),
];

/// The groups that rules can be named by.
pub const GROUPS: &[Group] =
    &[Group::Display, Group::Vgpu, Group::Namespace, Group::Qemu, Group::Domain];
