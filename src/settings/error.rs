//! Invalid values of settings.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

/// A value that a setting does not accept. The text is that of a help line: what to use instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError(Cow<'static, str>);

impl fmt::Display for SettingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Error for SettingError {}

impl From<&'static str> for SettingError {
    fn from(help: &'static str) -> Self {
        SettingError(help.into())
    }
}

impl From<String> for SettingError {
    fn from(help: String) -> Self {
        SettingError(help.into())
    }
}
