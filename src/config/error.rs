//! Why it can't be said what is in force.

use std::path::PathBuf;

use super::model::ConfigError;
use crate::sanitize::clean_path;
use crate::source::Source;

/// Why it can't be said what is in force.
#[derive(Debug)]
pub enum LoadError {
    /// In words: the first line says what is wrong, others what to do.
    Message(String),
    /// A configuration says what none can say.
    Wrong {
        /// The configuration.
        path: PathBuf,
        /// Its text.
        text: String,
        /// What is wrong in it.
        errors: Vec<ConfigError>,
    },
}

impl From<String> for LoadError {
    fn from(message: String) -> Self {
        LoadError::Message(message)
    }
}

impl LoadError {
    /// All of it as lines, each with its place.
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
