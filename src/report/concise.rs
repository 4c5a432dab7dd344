//! `file:line:column: severity[rule] message`: one line a finding, for editors and grep.

use std::fmt::Write as _;

use super::{FileFindings, Report, State, message};
use crate::diagnostic::{Detail, Diagnostic};
use crate::printable::clean;

/// One line a finding; of what is mended it says what the fix does.
pub struct Concise;

impl Report for Concise {
    fn file(&mut self, file: &FileFindings<'_>, text: &mut String) {
        for (part, diagnostic) in file.each() {
            add(file.name, part.state, diagnostic, text);
        }
    }

    fn detail(&self) -> Detail {
        Detail::Line
    }
}

fn add(name: &str, state: State, diagnostic: &Diagnostic<'_>, text: &mut String) {
    let (word, what) = match state {
        State::Found | State::Left | State::Suppressed => (diagnostic.severity.name(), message(diagnostic)),
        State::Fixed | State::Fixable => (state.name(), diagnostic.fix.as_ref().map_or("", |fix| &*fix.title).into()),
    };
    let (line, column, rule) = (diagnostic.start.line, diagnostic.start.column, &diagnostic.rule.id);
    let new = if state == State::Left && diagnostic.is_new { " (in what fix adds here)" } else { "" };
    let _ = writeln!(text, "{}:{line}:{column}: {word}[{rule}] {}{new}", clean(name), clean(&what));
}
