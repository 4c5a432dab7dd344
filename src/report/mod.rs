//! Findings as text, a file a format.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::diagnostic::{Detail, Diagnostic, Related};
use crate::rules::schema::Severity;
use crate::source::{Position, Source};

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

/// A format: what is said about one file after the other becomes one text. Each function appends to
/// it, and whoever calls them may write and clear it in between.
pub trait Report {
    /// What stands before the first file.
    fn begin(&mut self, _text: &mut String) {}

    /// A file, and all that is said about it.
    fn file(&mut self, file: &FileFindings<'_>, text: &mut String);

    /// What stands behind the last file.
    fn end(&mut self, _text: &mut String) {}

    /// How much of a finding it shows: what a fix changes is most of the time of one.
    fn detail(&self) -> Detail {
        Detail::Edits
    }
}

/// What is said about one file.
pub struct FileFindings<'f> {
    /// The name that messages show: a path, or `<stdin>`.
    pub name: &'f str,
    /// The findings by what has become of them.
    pub parts: &'f [Part<'f>],
    /// The least severity that counts for the exit code.
    pub fail_on: Severity,
}

/// Findings of which the same has become.
pub struct Part<'f> {
    /// What has become of them.
    pub state: State,
    /// The text that their places are in.
    pub source: &'f Source<'f>,
    /// The findings in the order of that text.
    pub diagnostics: &'f [Diagnostic<'f>],
}

/// What has become of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// `lint` found it.
    Found,
    /// `fix` mended it, in the text that was written.
    Fixed,
    /// `fix` would mend it, but was not to write.
    Fixable,
    /// `fix` left it.
    Left,
    /// The document says that it is to be ignored.
    Suppressed,
}

impl State {
    /// The word that reports use.
    pub fn name(self) -> &'static str {
        match self {
            State::Found => "found",
            State::Fixed => "fixed",
            State::Fixable => "fixable",
            State::Left => "left",
            State::Suppressed => "suppressed",
        }
    }
}

/// A finding's message, with the places in other files that it names and with all that its fix
/// removes besides: for formats that show no other places.
fn message<'d>(diagnostic: &'d Diagnostic<'_>) -> Cow<'d, str> {
    let mut text = Cow::Borrowed(&*diagnostic.message);
    for related in &diagnostic.related {
        if related.file.is_some() || related.is_removed {
            add_place(related, &mut text);
        }
    }
    text
}

/// Adds another place to a message.
fn add_place(related: &Related, text: &mut Cow<'_, str>) {
    let Related { file, start: Position { line, column }, message, .. } = related;
    let _ = match file {
        Some(file) => write!(text.to_mut(), "; {message}: {file}:{line}:{column}"),
        None => write!(text.to_mut(), "; {message} ({line}:{column})"),
    };
}

impl<'f> FileFindings<'f> {
    /// Each finding with its part, those that are to be ignored too.
    fn all(&self) -> impl Iterator<Item = (&'f Part<'f>, &'f Diagnostic<'f>)> {
        self.parts
            .iter()
            .flat_map(|part| part.diagnostics.iter().map(move |diagnostic| (part, diagnostic)))
    }

    /// Each finding that counts.
    fn each(&self) -> impl Iterator<Item = (&'f Part<'f>, &'f Diagnostic<'f>)> {
        self.all().filter(|(part, _)| part.state != State::Suppressed)
    }

    /// Each finding that is still one: for servers that show what is to be done.
    fn open(&self) -> impl Iterator<Item = (&'f Part<'f>, &'f Diagnostic<'f>)> {
        self.each().filter(|(part, _)| part.state != State::Fixed)
    }

    /// Each finding that is to be ignored.
    fn suppressed(&self) -> impl Iterator<Item = (&'f Part<'f>, &'f Diagnostic<'f>)> {
        self.all().filter(|(part, _)| part.state == State::Suppressed)
    }
}
