//! The errors of `explain`.

use std::io::{self, ErrorKind};

use miette::Diagnostic;
use thiserror::Error;

use super::unexplained::START;
use crate::text::sanitize::system_error;

/// An error of `explain`.
#[derive(Debug, Error, Diagnostic)]
pub(super) enum ExplainError {
    #[error("give a rule, a message or a log file to explain")]
    NoQuery,
    #[error("{flag} must come before the rule, message or log: `gvtg-xml explain {flag} …`")]
    MisplacedFlag { flag: String },
    #[error("`gvtg-xml explain` has no flag {flag}")]
    #[diagnostic(help(
        "`gvtg-xml explain` lists all rules and known messages, `gvtg-xml explain NAME` explains one of them\nits flags are {flags}"
    ))]
    UnknownFlag { flag: String, flags: String },
    #[error("{name}: this is a domain, not a log: check it with `gvtg-xml lint{file}`")]
    IsDomain {
        name: String,
        /// The argument for `lint`, after a blank; empty for stdin.
        file: String,
    },
    #[error("{path}: can't be read: {}{}", system_error(error), sudo_hint(error))]
    Unreadable {
        path: String,
        error: io::Error,
        #[help]
        help: Option<String>,
    },
}

impl ExplainError {
    /// Creates the error for a log that can't be read.
    pub(super) fn unreadable(path: &str, error: io::Error) -> Self {
        let is_log_of_qemu = error.kind() == ErrorKind::NotFound && path.contains("/qemu/");
        let help = is_log_of_qemu.then(|| {
            format!(
                "the VM was never started, or QEMU did not get that far: let `explain` read what virsh prints: {START}"
            )
        });
        ExplainError::Unreadable { path: path.to_owned(), error, help }
    }
}

fn sudo_hint(error: &io::Error) -> &'static str {
    if error.kind() == ErrorKind::PermissionDenied {
        " (only root can read the logs of qemu:///system: use sudo)"
    } else {
        ""
    }
}
