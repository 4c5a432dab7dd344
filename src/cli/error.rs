//! The errors that several commands share, and the one place that prints errors.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::{Status, io};
use crate::emit::shell;
use crate::text::sanitize::clean;
use crate::text::{Position, Source};
use crate::xml::XmlError;

/// Prints an error and returns [`Status::Failed`].
pub(super) fn fail(error: &dyn Diagnostic) -> Status {
    print_error(error);
    Status::Failed
}

/// Prints an error to stderr: what is wrong on the first line, and each line of its help, or of its
/// cause's, on a line of its own.
pub(super) fn print_error(error: &dyn Diagnostic) {
    io::print_note(&error.to_string());
    let help_of_cause = || error.diagnostic_source().and_then(|cause| cause.help());
    if let Some(help) = error.help().or_else(help_of_cause) {
        for line in help.to_string().lines() {
            io::eprint_wrapped(&format!("  help: {}\n", clean(line)));
        }
    }
}

/// A folder for `--root` that does not exist.
#[derive(Debug, Error, Diagnostic)]
#[error("{}: no such folder", .0.display())]
pub(super) struct NoSuchFolder(pub(super) PathBuf);

/// A file or stdin that can't be read.
#[derive(Debug, Error, Diagnostic)]
#[error("{name}: {reason}")]
pub(super) struct UnreadableInput {
    name: String,
    reason: io::ReadError,
    #[help]
    help: Option<String>,
}

impl UnreadableInput {
    /// Creates the error for the input at this path. If the name looks like a VM's, its help
    /// suggests a pipe in which `flags` are virsh's and `command` reads the XML.
    pub(super) fn new(
        path: &Path,
        name: &str,
        reason: io::ReadError,
        flags: &str,
        command: &str,
    ) -> Self {
        let help = looks_like_vm(path).then(|| {
            let vm = shell::argument(&clean(name));
            let virsh = ["virsh dumpxml --inactive", flags, &vm]
                .into_iter()
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                .join(" ");
            format!("if {vm} is a VM, pipe its XML in: `{virsh} | {command}`")
        });
        UnreadableInput { name: name.to_owned(), reason, help }
    }
}

/// Whether a path that can't be read may be meant as the name of a VM.
fn looks_like_vm(path: &Path) -> bool {
    let has_extension = path.extension().is_some_and(|extension| {
        ["xml", "toml", "log", "txt"].iter().any(|known| extension == *known)
    });
    let is_one_word = path.components().count() == 1
        && path.to_str().is_some_and(|path| !path.contains('/') && path != "-");
    is_one_word && !has_extension && !path.exists()
}

/// An error at a position in a document.
#[derive(Debug, Error, Diagnostic)]
#[error("{name}:{}:{}: error: {message}", position.line, position.column)]
pub(super) struct DocumentError {
    /// The document's name.
    pub(super) name: String,
    pub(super) position: Position,
    pub(super) message: String,
    #[help]
    pub(super) help: String,
}

impl DocumentError {
    /// Creates the error for a document that can't be parsed.
    pub(super) fn new(name: &str, position: Position, error: &XmlError) -> Self {
        DocumentError {
            name: name.to_owned(),
            position,
            message: error.message.clone(),
            help: error.help.clone(),
        }
    }

    /// Creates the error for bytes that are not valid UTF-8.
    pub(super) fn in_bytes(name: &str, bytes: &[u8], error: &XmlError) -> Self {
        let text = String::from_utf8_lossy(&bytes[..error.offset]);
        Self::new(name, Source::new("", &text).position(error.offset), error)
    }
}
