//! What one source says: flags, or a configuration.

use std::fmt;
use std::path::PathBuf;

use crate::rules::schema::Severity;
use crate::settings::SettingOverrides;
use crate::version::Version;

/// What one source says: the flags of a run, or the configuration of a file. None where it does not
/// say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartialConfig {
    /// The libvirt that will read the documents.
    pub libvirt: Option<Version>,
    /// What the documents may say too.
    pub wishes: SettingOverrides,
    /// Whether a `<video>` stays.
    pub keep_video: Option<bool>,
    /// Whether fixes that may lose something are applied.
    pub unsafe_fixes: Option<bool>,
    /// The rules or groups that are asked, and no others.
    pub only: Option<Vec<String>>,
    /// The rules or groups that are not asked.
    pub ignore: Option<Vec<String>>,
    /// The least severity that makes the exit code 1.
    pub fail_on: Option<Severity>,
    /// Whether domains with no sign of GVT-g are looked at too.
    pub all: Option<bool>,
    /// Whether documents are judged as those that somebody named.
    pub named: Option<bool>,
    /// The address of the rules' pages, up to a rule's id.
    pub rule_pages: Option<String>,
    /// A folder of further rules, from the configuration's own folder if it is relative.
    pub site_rules: Option<PathBuf>,
}

/// A value as a configuration writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(String),
    /// true or false.
    Switch(bool),
    /// An array of strings.
    Names(Vec<String>),
}

impl fmt::Display for Value {
    /// As a configuration writes it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A string of JSON is one of TOML.
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
