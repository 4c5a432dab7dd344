//! Report formats, one per module.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::lint::{Detail, Diagnostic, Related};
use crate::rules::schema::Severity;
use crate::text::{Position, Source};

mod concise;
mod fingerprint;
#[cfg(feature = "cli")]
mod full;
mod github;
mod gitlab;
pub mod host;
mod json;
mod junit;
mod sarif;
mod statistics;
mod style;

pub use concise::Concise;
#[cfg(feature = "cli")]
pub use full::Full;
pub use github::GitHub;
pub use gitlab::GitLab;
pub use json::{Json, JsonLines};
pub use junit::JUnit;
pub use sarif::Sarif;
pub use statistics::Statistics;
pub use style::Paint;

/// A report format, which renders the findings of one file after the other. Each function appends
/// to `text`; the caller may write and clear it between calls.
pub trait Report {
    /// Appends what comes before the first file.
    fn begin(&mut self, _text: &mut String) {}

    /// Appends the findings of one file.
    fn file(&mut self, file: &FileFindings<'_>, text: &mut String);

    /// Appends what comes after the last file.
    fn end(&mut self, _text: &mut String) {}

    /// Returns how much of a finding the format shows. Edits are the default, but computing them
    /// takes most of the time of a finding.
    fn detail(&self) -> Detail {
        Detail::Edits
    }
}

/// The findings of one file.
pub struct FileFindings<'f> {
    /// The name that messages show: a path, or `<stdin>`.
    pub name: &'f str,
    /// The findings, grouped by their state.
    pub parts: &'f [Part<'f>],
    /// The lowest severity that counts for the exit code.
    pub fail_on: Severity,
}

/// The findings of a file that are in the same state.
pub struct Part<'f> {
    /// The state of the findings.
    pub state: State,
    /// The text that their positions refer to.
    pub source: &'f Source<'f>,
    /// The findings, in the order of that text.
    pub diagnostics: &'f [Diagnostic<'f>],
}

/// The state of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Found by `lint`.
    Found,
    /// Fixed by `fix`, in the text that was written.
    Fixed,
    /// Fixable by `fix`, which was told not to write (`--diff`, `--check`).
    Fixable,
    /// Not fixed by `fix`.
    Remaining,
    /// Suppressed in the document.
    Suppressed,
}

impl State {
    /// Returns the name that reports use.
    pub fn name(self) -> &'static str {
        match self {
            State::Found => "found",
            State::Fixed => "fixed",
            State::Fixable => "fixable",
            State::Remaining => "left",
            State::Suppressed => "suppressed",
        }
    }
}

/// Returns a finding's message with the related places in other files and everything that its fix
/// also removes; for formats that show no related places.
fn message<'d>(diagnostic: &'d Diagnostic<'_>) -> Cow<'d, str> {
    let mut text = Cow::Borrowed(&*diagnostic.message);
    for related in &diagnostic.related {
        if related.file.is_some() || related.is_removed {
            add_place(related, &mut text);
        }
    }
    text
}

/// Appends a related place to a message.
fn add_place(related: &Related, text: &mut Cow<'_, str>) {
    let Related { file, start: Position { line, column }, message, .. } = related;
    let _ = match file {
        Some(file) => write!(text.to_mut(), "; {message}: {file}:{line}:{column}"),
        None => write!(text.to_mut(), "; {message} ({line}:{column})"),
    };
}

impl<'f> FileFindings<'f> {
    /// Iterates over all findings, including suppressed ones, each with its part.
    fn all(&self) -> impl Iterator<Item = (&'f Part<'f>, &'f Diagnostic<'f>)> {
        self.parts
            .iter()
            .flat_map(|part| part.diagnostics.iter().map(move |diagnostic| (part, diagnostic)))
    }

    /// Iterates over the findings that are not suppressed.
    fn each(&self) -> impl Iterator<Item = (&'f Part<'f>, &'f Diagnostic<'f>)> {
        self.all().filter(|(part, _)| part.state != State::Suppressed)
    }

    /// Iterates over the findings that are neither suppressed nor fixed, for servers that show what
    /// is left to do.
    fn open(&self) -> impl Iterator<Item = (&'f Part<'f>, &'f Diagnostic<'f>)> {
        self.each().filter(|(part, _)| part.state != State::Fixed)
    }

    /// Iterates over the suppressed findings.
    fn suppressed(&self) -> impl Iterator<Item = (&'f Part<'f>, &'f Diagnostic<'f>)> {
        self.all().filter(|(part, _)| part.state == State::Suppressed)
    }
}
