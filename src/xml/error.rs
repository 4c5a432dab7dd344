//! Why a text can't be read.

use std::error::Error;
use std::fmt;

/// In which way a text can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum XmlErrorKind {
    /// It is no XML that libvirt would read.
    NotWellFormed,
    /// It is XML, but no domain's.
    NotADomain,
}

/// Why a text can't be read, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct XmlError {
    /// In which way.
    pub kind: XmlErrorKind,
    /// Byte offset in the text.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl XmlError {
    pub(crate) fn new(offset: usize, message: impl Into<String>, help: impl Into<String>) -> Self {
        XmlError {
            kind: XmlErrorKind::NotWellFormed,
            offset,
            message: message.into(),
            help: help.into(),
        }
    }
}

impl fmt::Display for XmlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (byte {})", self.message, self.offset)
    }
}

impl Error for XmlError {}
