//! The errors of `fix`.

use miette::Diagnostic;
use thiserror::Error;

use super::super::atomic_write::ReplaceError;
use super::super::error::UnreadableInput;
use super::super::io::StdoutError;
use super::super::output::OutputError;

/// An error of `fix`.
#[derive(Debug, Error, Diagnostic)]
pub(in crate::cli) enum FixCommandError {
    #[error("no input: name a FILE, or pipe a domain's XML through gvtg-xml")]
    #[diagnostic(help(
        "`virsh dumpxml --inactive --security-info win10 | gvtg-xml fix --libvirt installed | virsh define --validate /dev/stdin`"
    ))]
    NoInput,
    #[error("--in-place requires FILE arguments: stdin can't be changed in place")]
    StdinInPlace,
    #[error(
        "only one file can go to stdout: for several files or a folder, use --in-place, --diff or --check"
    )]
    SeveralFiles,
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unreadable(#[from] UnreadableInput),
    #[error(
        "{name}: conflicting fixes (a bug in gvtg-xml or in custom rules): the fixes of these rules undo each other: {rules}"
    )]
    #[diagnostic(help("disable one of them with --ignore, and please report this"))]
    Loop { name: String, rules: String },
    #[error("{name}: {message}")]
    Setting {
        name: String,
        message: String,
        #[help]
        help: String,
    },
    #[error(
        "{name}: the fixes make the document many times larger, mostly those of the rule {rule}"
    )]
    #[diagnostic(help("disable the rule with `--ignore {rule}`, or make it select less"))]
    Growth { name: String, rule: String },
    #[error("{name}: {error}")]
    Replace {
        name: String,
        #[diagnostic_source]
        error: ReplaceError,
    },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Output(#[from] OutputError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Stdout(#[from] StdoutError),
}
