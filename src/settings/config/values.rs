//! The values of a single source: the flags of a run, or a section of a configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::settings::setting;

/// A setting's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(String),
    /// A boolean.
    Switch(bool),
    /// An array of strings.
    Names(Vec<String>),
    /// A path, which need not be UTF-8.
    Folder(PathBuf),
}

/// The settings of a single source by name; those that the source does not set are missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartialConfig(BTreeMap<&'static str, Value>);

impl PartialConfig {
    /// Adds the value of the setting with this name, if there is one.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        debug_assert!(setting(name).is_some(), "there is no setting {name}");
        if let Some(value) = value {
            self.0.insert(name, value.into());
        }
        self
    }

    /// Returns the settings except those with these names.
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|name, _| !names.contains(name));
        self
    }

    /// The value of the setting with this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

impl Value {
    /// The string; `None` for other types.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean; `None` for other types.
    pub fn switch(&self) -> Option<bool> {
        match self {
            Value::Switch(is_on) => Some(*is_on),
            _ => None,
        }
    }

    /// The array; `None` for other types.
    pub fn names(&self) -> Option<&[String]> {
        match self {
            Value::Names(names) => Some(names),
            _ => None,
        }
    }

    /// The path; `None` for other types.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Value::Folder(folder) => Some(folder),
            _ => None,
        }
    }

    /// The value as a string, if it is a string or a boolean.
    pub fn plain(&self) -> Option<String> {
        match self {
            Value::Text(text) => Some(text.clone()),
            Value::Switch(is_on) => Some(is_on.to_string()),
            Value::Names(_) | Value::Folder(_) => None,
        }
    }

    /// Converts the value to JSON.
    pub fn json(&self) -> Json {
        match self {
            Value::Text(text) => json!(text),
            Value::Switch(is_on) => json!(is_on),
            Value::Names(names) => json!(names),
            Value::Folder(folder) => json!(folder.display().to_string()),
        }
    }
}

impl fmt::Display for Value {
    /// Writes the value in TOML syntax, which is JSON's for these types except for the space after
    /// a comma.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Names(names) => {
                let quoted: Vec<String> =
                    names.iter().map(|name| json!(name).to_string()).collect();
                write!(formatter, "[{}]", quoted.join(", "))
            }
            value => write!(formatter, "{}", value.json()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<bool> for Value {
    fn from(is_on: bool) -> Self {
        Value::Switch(is_on)
    }
}

impl From<Vec<String>> for Value {
    fn from(names: Vec<String>) -> Self {
        Value::Names(names)
    }
}

impl From<PathBuf> for Value {
    fn from(folder: PathBuf) -> Self {
        Value::Folder(folder)
    }
}
