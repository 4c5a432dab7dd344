//! The settings of a single source: the flags or a configuration.

use std::fmt;
use std::path::PathBuf;

use crate::domain::SettingOverrides;
use crate::rules::schema::Severity;
use crate::version::Version;

/// The settings of a single source: the flags of a run, or a configuration. `None` marks a setting
/// that the source does not set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartialConfig {
    /// The libvirt release that will read the documents.
    pub libvirt: Option<Version>,
    /// The settings that documents can also contain.
    pub wishes: SettingOverrides,
    /// Whether a `<video>` is kept.
    pub keep_video: Option<bool>,
    /// Whether unsafe fixes, which may remove something the user wants, are applied.
    pub unsafe_fixes: Option<bool>,
    /// The only rules or groups that are enabled.
    pub only: Option<Vec<String>>,
    /// The rules or groups that are disabled.
    pub ignore: Option<Vec<String>>,
    /// The lowest severity that makes the exit code 1.
    pub fail_on: Option<Severity>,
    /// Whether domains found in folders are checked even without signs of GVT-g.
    pub all: Option<bool>,
    /// Whether documents found in folders are treated as if the user had named them.
    pub named: Option<bool>,
    /// The URL of the rules' pages, to which a rule's ID is appended.
    pub rule_pages: Option<String>,
    /// A folder of custom rules, relative to the configuration's folder unless it is absolute.
    pub site_rules: Option<PathBuf>,
}

/// A value of a configuration key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(String),
    /// A boolean.
    Switch(bool),
    /// An array of strings.
    Names(Vec<String>),
}

impl fmt::Display for Value {
    /// Writes the value in TOML syntax.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A JSON string is also a valid TOML string.
        let quoted = |text: &String| serde_json::Value::from(text.as_str()).to_string();
        match self {
            Value::Text(text) => formatter.write_str(&quoted(text)),
            Value::Switch(on) => write!(formatter, "{on}"),
            Value::Names(names) => {
                write!(formatter, "[{}]", names.iter().map(quoted).collect::<Vec<_>>().join(", "))
            }
        }
    }
}
