//! Configuration errors.

use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use miette::Diagnostic;

use crate::rules::closest_match;
use crate::settings::SettingError;
use crate::text::Source;
use crate::text::sanitize::clean_path;

/// An error that prevents loading a configuration.
#[derive(Debug)]
pub enum LoadError {
    /// A file or folder that can't be used, or an invalid flag.
    Unusable {
        /// What is wrong, with the path.
        message: String,
        /// What to do.
        help: Option<String>,
    },
    /// Invalid custom rules: a line for each error, with its position.
    CustomRules(Vec<String>),
    /// An invalid configuration.
    Invalid {
        /// The path of the configuration.
        path: PathBuf,
        /// Its text.
        text: String,
        /// All errors in it.
        errors: Vec<ConfigError>,
    },
}

/// An error in the text of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The message.
    pub message: String,
    /// A hint that says what to do.
    pub help: Option<String>,
    /// The byte range in the text.
    pub span: Range<usize>,
}

impl LoadError {
    /// Creates the error for a file or folder that can't be used.
    pub fn unusable(path: &Path, reason: impl fmt::Display, help: Option<String>) -> Self {
        LoadError::Unusable { message: format!("{}: {reason}", clean_path(path)), help }
    }

    /// The errors as lines of text, each with its position if it has one.
    pub fn lines(&self) -> Vec<String> {
        match self {
            LoadError::Unusable { message, help } => {
                let help = help.iter().map(|help| format!("  help: {help}"));
                std::iter::once(message.clone()).chain(help).collect()
            }
            LoadError::CustomRules(lines) => lines.clone(),
            LoadError::Invalid { path, text, errors } => {
                let name = clean_path(path);
                let source = Source::new(&name, text);
                let line = |error: &ConfigError| {
                    let position = source.position(error.span.start);
                    let help =
                        error.help.iter().map(|help| format!(" ({help})")).collect::<String>();
                    format!("{name}:{}:{}: {}{help}", position.line, position.column, error.message)
                };
                errors.iter().map(line).collect()
            }
        }
    }
}

/// Shows the first error; [`LoadError::lines`] returns all.
impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.lines().first().map_or("", String::as_str))
    }
}

impl Error for LoadError {}

impl Diagnostic for LoadError {
    /// Returns what to do; or else the errors after the first.
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = match self {
            LoadError::Unusable { help, .. } => help.clone()?,
            LoadError::CustomRules(_) | LoadError::Invalid { .. } => {
                self.lines().get(1..).unwrap_or_default().join("\n")
            }
        };
        if help.is_empty() { None } else { Some(Box::new(help)) }
    }
}

impl From<SettingError> for LoadError {
    fn from(error: SettingError) -> Self {
        LoadError::Unusable { message: error.to_string(), help: None }
    }
}

/// Returns the help that suggests the most similar of these names, if one is similar enough.
pub(super) fn did_you_mean<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    closest_match(name, names).map(|closest| format!("did you mean '{closest}'?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message_and_help(error: &LoadError) -> (String, Option<String>) {
        (error.to_string(), error.help().map(|help| help.to_string()))
    }

    #[test]
    fn separates_the_message_from_the_help() {
        let path = Path::new("a.toml");
        assert_eq!(
            message_and_help(&LoadError::unusable(path, "too large", Some("split it".into()))),
            ("a.toml: too large".into(), Some("split it".into()))
        );
        assert_eq!(
            message_and_help(&LoadError::unusable(path, "too large", None)),
            ("a.toml: too large".into(), None)
        );
    }

    #[test]
    fn shows_the_errors_after_the_first_as_help() {
        let of_rules = |lines: &[&str]| {
            LoadError::CustomRules(lines.iter().map(|&line| line.to_owned()).collect())
        };
        assert_eq!(message_and_help(&of_rules(&["one"])), ("one".into(), None));
        assert_eq!(
            message_and_help(&of_rules(&["one", "two", "three"])),
            ("one".into(), Some("two\nthree".into()))
        );
    }
}
