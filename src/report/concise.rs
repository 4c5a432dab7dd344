//! `file:line:column: severity[rule] message`: one line per finding, for editors and grep.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{FileFindings, Paint, Report, State, add_place};
use crate::lint::{Detail, Diagnostic, Related};
use crate::text::Applicability;
use crate::text::sanitize::clean;

/// One line per finding; for a fixed finding, what the fix does.
#[derive(Debug, Default)]
pub struct Concise {
    color: bool,
    has_help: bool,
}

impl Concise {
    /// Creates the format, with or without colors.
    pub fn new(color: bool) -> Self {
        Concise { color, has_help: false }
    }

    /// Creates a variant for people, which adds lines on how to resolve the findings that are left.
    pub fn with_help(color: bool) -> Self {
        Concise { color, has_help: true }
    }

    /// Appends a finding; `name` is the file's name as it is printed.
    fn add(&self, name: &str, state: State, diagnostic: &Diagnostic<'_>, text: &mut String) {
        let paint = Paint::new(self.color);
        let is_open = !matches!(state, State::Fixed | State::Fixable);
        let (word, mut description) = match is_open {
            true => (diagnostic.severity.name(), Cow::Borrowed(&*diagnostic.message)),
            false => (state.name(), diagnostic.fix.as_ref().map_or("", |fix| &*fix.title).into()),
        };
        // With help, each removed element has its own line below.
        let is_inline = |related: &&Related| {
            if related.is_removed { !self.has_help } else { is_open && related.file.is_some() }
        };
        diagnostic
            .related
            .iter()
            .filter(is_inline)
            .for_each(|related| add_place(related, &mut description));
        let (line, column, rule) =
            (diagnostic.start.line, diagnostic.start.column, &diagnostic.rule.id);
        let _ = match self.color {
            true => {
                let word = format!("{word}[{rule}]");
                let word = if is_open {
                    paint.severity(diagnostic.severity, &word)
                } else {
                    paint.added(&word)
                };
                write!(text, "{} {word} ", paint.strong(&format!("{name}:{line}:{column}:")))
            }
            // Written directly, without intermediate strings, because there may be a hundred
            // thousand lines.
            false => write!(text, "{name}:{line}:{column}: {word}[{rule}] "),
        };
        let new = if state == State::Remaining && diagnostic.in_inserted_text {
            " (in the XML that fix adds here)"
        } else {
            ""
        };
        let _ = writeln!(text, "{}{new}", clean(&description));
        if !self.has_help {
            return;
        }
        if is_open {
            Concise::add_help(diagnostic, text);
        }
        for Related { start, message, .. } in
            diagnostic.related.iter().filter(|related| related.is_removed)
        {
            let _ = writeln!(text, "  {name}:{}:{}: {}", start.line, start.column, clean(message));
        }
    }

    /// Appends how to resolve a finding that is left.
    fn add_help(diagnostic: &Diagnostic<'_>, text: &mut String) {
        if let Some(help) = &diagnostic.help {
            let _ = writeln!(text, "  help: {}", clean(help));
        }
        if let Some(fix) =
            diagnostic.fix.as_ref().filter(|fix| fix.applicability == Applicability::Unsafe)
        {
            let risk =
                fix.risk.as_ref().map_or(String::new(), |risk| format!("; this may lose {risk}"));
            let _ = writeln!(text, "  with --unsafe-fixes: {}{}", clean(&fix.title), clean(&risk));
        }
    }
}

impl Report for Concise {
    fn file(&mut self, file: &FileFindings<'_>, text: &mut String) {
        let name = clean(file.name);
        for (part, diagnostic) in file.each() {
            self.add(&name, part.state, diagnostic, text);
        }
    }

    fn detail(&self) -> Detail {
        if self.has_help { Detail::Words } else { Detail::Line }
    }
}
