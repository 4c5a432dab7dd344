//! Configuration errors.

use std::path::PathBuf;

use super::model::ConfigError;
use crate::text::Source;
use crate::text::sanitize::clean_path;

/// An error that prevents loading a configuration.
#[derive(Debug)]
pub enum LoadError {
    /// A message: the first line says what is wrong, further lines say what to do.
    Message(String),
    /// An invalid configuration.
    Wrong {
        /// The path of the configuration.
        path: PathBuf,
        /// Its text.
        text: String,
        /// All errors in it.
        errors: Vec<ConfigError>,
    },
}

impl From<String> for LoadError {
    fn from(message: String) -> Self {
        LoadError::Message(message)
    }
}

impl LoadError {
    /// The errors as lines of text, each with its position if it has one.
    pub fn lines(&self) -> Vec<String> {
        match self {
            LoadError::Message(message) => message.lines().map(str::to_owned).collect(),
            LoadError::Wrong { path, text, errors } => {
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
