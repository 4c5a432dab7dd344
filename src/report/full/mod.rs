//! Findings for people: what is wrong, where, what to do, and what the fix changes.
//!
//! A finding with a fix shows the fix as a small diff; one without shows the line that it is in,
//! drawn by miette.

use std::cell::OnceCell;
use std::fmt;
use std::fmt::Write as _;
use std::ops::Range;

use miette::{
    Diagnostic as Miette, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode,
};
use textwrap::WordSplitter;
use textwrap::core::display_width;

use super::style::Paint;
use super::{FileFindings, Part, Report, State};
use crate::diagnostic::{Diagnostic, Related};
use crate::edit::Applicability;
use crate::rules::schema::Severity;
use crate::sanitize::clean;
use crate::source::{Position, Source};
use crate::wrap;

mod hunks;
mod line;
mod snippet;

use hunks::{Kind, Line};
use snippet::Snippet;

/// So many other places of a finding are named.
const MAX_RELATED: usize = 5;

/// Each finding with its place, what to do, and what the fix changes.
pub struct Full {
    color: bool,
    /// In columns.
    width: usize,
    /// Made for the first finding: most runs have none.
    handler: OnceCell<GraphicalReportHandler>,
}

impl Full {
    /// With colours, or as plain text; prose is broken between words at this width, in columns.
    pub fn new(color: bool, width: usize) -> Self {
        Full { color, width, handler: OnceCell::new() }
    }

    fn handler(&self) -> &GraphicalReportHandler {
        self.handler.get_or_init(|| {
            let theme = if self.color {
                GraphicalTheme::unicode()
            } else {
                GraphicalTheme::unicode_nocolor()
            };
            let handler =
                GraphicalReportHandler::new_themed(theme).without_cause_chain().with_links(false);
            // miette leaves two columns free.
            let handler = handler.with_width(self.width + 2).with_break_words(false);
            handler
                .with_word_separator(wrap::SEPARATOR)
                .with_word_splitter(WordSplitter::NoHyphenation)
        })
    }

    fn paint(&self) -> Paint {
        Paint::new(self.color)
    }

    /// What is wrong in a text that is no domain, in the same form.
    pub fn error(
        &self,
        source: &Source<'_>,
        span: Range<usize>,
        message: &str,
        help: Option<&str>,
    ) -> String {
        let mut text = String::new();
        let snippet = Snippet::new(source, &span, source.position(span.start));
        self.add_message("error", Severity::Error, message, Some(snippet), &mut text);
        help.into_iter()
            .flat_map(str::lines)
            .for_each(|line| self.add_note("help", line, &mut text));
        text.push('\n');
        text
    }

    fn add(&self, part: &Part<'_>, diagnostic: &Diagnostic<'_>, text: &mut String) {
        let word = match part.state {
            State::Found | State::Left => diagnostic.severity.name(),
            State::Fixed | State::Fixable | State::Suppressed => part.state.name(),
        };
        let word = format!("{word}[{}]", diagnostic.rule.id);
        let edits = diagnostic.fix.as_ref().map(|fix| &fix.edits).filter(|edits| !edits.is_empty());
        let is_shown = edits.is_none() && !is_binary(part.source, diagnostic.start);
        let snippet =
            is_shown.then(|| Snippet::new(part.source, &diagnostic.span, diagnostic.start));
        self.add_message(&word, diagnostic.severity, &diagnostic.message, snippet, text);
        if edits.is_none() && !is_shown {
            self.add_diff(part.source.name(), diagnostic.start, &[], 0, text);
        } else if let Some(edits) = edits {
            let (lines, more) = hunks::lines(part.source, edits.iter(), diagnostic.span.start);
            self.add_diff(part.source.name(), diagnostic.start, &lines, more, text);
        }
        let what = diagnostic.help.as_deref().or(diagnostic.fix.as_ref().map(|fix| &*fix.title));
        if let Some(what) = what {
            self.add_note(label(part.state, diagnostic), what, text);
        }
        if let Some(risk) = diagnostic
            .fix
            .as_ref()
            .and_then(|fix| fix.risk.as_deref())
            .filter(|_| part.state != State::Fixed)
        {
            self.add_note("risk", &format!("this may lose {risk}"), text);
        }
        // What a fix removes is named, however much it is.
        let (removed, others): (Vec<&Related>, Vec<&Related>) =
            diagnostic.related.iter().partition(|related| related.is_removed);
        for related in others.iter().take(MAX_RELATED).chain(&removed) {
            let Related { start: Position { line, column }, message, .. } = related;
            let place = match &related.file {
                // As it is written so that terminals and editors open it.
                Some(file) => format!("{file}:{line}:{column}"),
                None => format!("line {line}, column {column}"),
            };
            self.add_note("note", &format!("{place}: {message}"), text);
        }
        match others.len().saturating_sub(MAX_RELATED) {
            0 => {}
            more => self.add_note("note", &format!("and {more} more"), text),
        }
        text.push('\n');
    }

    /// The word, what is wrong, and the line of it where that is to be drawn.
    fn add_message(
        &self,
        word: &str,
        severity: Severity,
        message: &str,
        snippet: Option<Snippet>,
        text: &mut String,
    ) {
        let message = format!("{}: {}", self.paint().severity(severity, word), clean(message));
        // Writing to a String does not fail.
        let _ = self.handler().render_report(text, &Shown { severity, message, snippet });
    }

    /// The diff in a frame like miette's.
    fn add_diff(
        &self,
        name: &str,
        place: Position,
        lines: &[Line],
        more: usize,
        text: &mut String,
    ) {
        let paint = self.paint();
        let last = lines.iter().filter_map(|line| line.number).max().unwrap_or(place.line);
        let width = last.to_string().len();
        let place = format!("{}:{}:{}", clean(name), place.line, place.column);
        let _ = writeln!(text, "{:width$}  ╭─[{}]", "", paint.place(&place));
        for line in lines {
            let number = line.number.map_or_else(String::new, |number| number.to_string());
            let number = paint.faint(&format!("{number:>width$}"));
            let _ = match line.kind {
                Kind::Stays => writeln!(text, " {number} │   {}", line.text),
                Kind::Goes => {
                    writeln!(text, " {number} │ {}", paint.removed(&format!("- {}", line.text)))
                }
                Kind::Comes => {
                    writeln!(text, " {number} │ {}", paint.added(&format!("+ {}", line.text)))
                }
                Kind::Gap => writeln!(text, " {number} ⋮"),
            };
        }
        let _ = match more {
            0 => writeln!(text, "{:width$}  ╰────", ""),
            more => writeln!(text, "{:width$}  ╰─ and {more} more lines", ""),
        };
    }

    /// What to do or to know, broken between words.
    fn add_note(&self, label: &str, note: &str, text: &mut String) {
        let first = format!("  {} ", self.paint().strong(&format!("{label}:")));
        let (indent, note) = (label.len() + 4, clean(note));
        // What fits is not taken apart into words: most notes are short.
        if indent + display_width(&note) <= self.width && !note.is_empty() && !note.ends_with(' ') {
            let _ = writeln!(text, "{first}{note}");
            return;
        }
        let rest = " ".repeat(indent);
        let options = wrap::options(self.width).initial_indent(&first).subsequent_indent(&rest);
        for line in textwrap::wrap(&note, options) {
            text.push_str(&line);
            text.push('\n');
        }
    }
}

/// Whether the line at this place is binary data, which tells nobody anything.
fn is_binary(source: &Source<'_>, place: Position) -> bool {
    const MANY: usize = 8;
    let line = &source.text()[source.line(place.line)];
    line.chars().take(line::LONGEST).filter(|c| c.is_control() && *c != '\t' && *c != '\r').count()
        > MANY
}

/// Who does what is to be done.
fn label(state: State, diagnostic: &Diagnostic<'_>) -> &'static str {
    match diagnostic.fix.as_ref().map(|fix| fix.applicability) {
        Some(Applicability::Safe) if state != State::Left => "fix",
        Some(Applicability::Unsafe) => "fix --unsafe-fixes",
        _ => "help",
    }
}

impl Report for Full {
    fn file(&mut self, file: &FileFindings<'_>, text: &mut String) {
        for (part, diagnostic) in file.each() {
            self.add(part, diagnostic, text);
        }
    }
}

/// A message in the form that miette draws; no text in it can steer a terminal.
struct Shown {
    severity: Severity,
    message: String,
    snippet: Option<Snippet>,
}

impl fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl Miette for Shown {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Info => miette::Severity::Advice,
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.snippet.as_ref().map(|snippet| snippet as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let mark = &self.snippet.as_ref()?.mark;
        Some(Box::new(
            [LabeledSpan::new_primary_with_span(None, (mark.start, mark.len()))].into_iter(),
        ))
    }
}
