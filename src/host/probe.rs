//! The result of reading a fact from a machine.

use std::io;

use crate::text::sanitize::system_error;

/// The result of reading a fact: that it is absent or may not be read is a fact, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe<T> {
    /// The value that was read.
    Present(T),
    /// The file does not exist.
    Absent,
    /// The file cannot be read, and may or may not exist. Holds the system's error message.
    Unreadable(String),
}

impl<T> Probe<T> {
    /// Returns the value, if it was read.
    pub fn present(self) -> Option<T> {
        match self {
            Probe::Present(value) => Some(value),
            _ => None,
        }
    }

    /// Borrows the value, if it was read.
    pub fn as_present(&self) -> Option<&T> {
        match self {
            Probe::Present(value) => Some(value),
            _ => None,
        }
    }

    /// Applies `make` to the value, if it was read.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Probe<U> {
        match self {
            Probe::Present(value) => Probe::Present(make(value)),
            Probe::Absent => Probe::Absent,
            Probe::Unreadable(why) => Probe::Unreadable(why),
        }
    }
}

impl<T> From<io::Result<T>> for Probe<T> {
    fn from(result: io::Result<T>) -> Self {
        match result {
            Ok(value) => Probe::Present(value),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Probe::Absent
            }
            Err(error) => Probe::Unreadable(system_error(&error)),
        }
    }
}
