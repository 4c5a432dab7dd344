//! Errors of reading a document.

use std::error::Error;
use std::fmt;

/// The kind of an [`XmlError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum XmlErrorKind {
    /// The text is not XML that libvirt would read.
    NotWellFormed,
    /// The text is XML, but not a domain.
    NotADomain,
}

/// An error of reading a document, with its place and advice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct XmlError {
    /// The kind of error.
    pub kind: XmlErrorKind,
    /// The byte offset in the text.
    pub offset: usize,
    /// The description of the problem.
    pub message: String,
    /// The advice.
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
