//! Findings for people: what is wrong and where, how to resolve it, and what the fix changes.
//!
//! A finding with a fix shows it as a small diff; one without shows its line, drawn by miette.

use std::cell::OnceCell;
use std::fmt;
use std::fmt::Write as _;
use std::ops::Range;

use miette::{
    Diagnostic as MietteDiagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode,
};
use textwrap::WordSplitter;
use textwrap::core::display_width;

use super::style::Paint;
use super::{FileFindings, Part, Report, State};
use crate::lint::{Diagnostic, Related};
use crate::rules::schema::Severity;
use crate::text::sanitize::clean;
use crate::text::wrap;
use crate::text::{Applicability, Position, Source};

mod hunks;
mod line;
mod snippet;

use hunks::{Kind, Line};
use snippet::Snippet;

/// Maximum number of related places shown per finding.
const MAX_RELATED: usize = 5;

/// The format `full`: each finding with its place, its help, and the changes of its fix.
pub struct Full {
    color: bool,
    /// The number of columns to wrap prose to.
    width: usize,
    /// Created for the first finding, since most runs have none.
    handler: OnceCell<GraphicalReportHandler>,
}

impl Full {
    /// Creates the format, with or without colors. Prose is wrapped to `width` columns.
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
            // miette leaves two columns empty.
            let handler = handler.with_width(self.width + 2).with_break_words(false);
            handler
                .with_word_separator(wrap::SEPARATOR)
                .with_word_splitter(WordSplitter::NoHyphenation)
        })
    }

    fn paint(&self) -> Paint {
        Paint::new(self.color)
    }

    /// Renders an error in a configuration or another file that is not a domain, in the same form
    /// as a finding.
    pub fn render_error(
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
        let label = match part.state {
            State::Found | State::Remaining => diagnostic.severity.name(),
            State::Fixed | State::Fixable | State::Suppressed => part.state.name(),
        };
        let label = format!("{label}[{}]", diagnostic.rule.id);
        let edits = diagnostic.fix.as_ref().map(|fix| &fix.edits).filter(|edits| !edits.is_empty());
        let has_snippet = edits.is_none() && !is_binary(part.source, diagnostic.start);
        let snippet = if has_snippet {
            Some(Snippet::new(part.source, &diagnostic.span, diagnostic.start))
        } else {
            None
        };
        self.add_message(&label, diagnostic.severity, &diagnostic.message, snippet, text);
        if edits.is_none() && !has_snippet {
            self.add_diff(part.source.name(), diagnostic.start, &[], 0, text);
        } else if let Some(edits) = edits {
            let (lines, more) = hunks::lines(part.source, edits.iter(), diagnostic.span.start);
            self.add_diff(part.source.name(), diagnostic.start, &lines, more, text);
        }
        let help = diagnostic.help.as_deref().or(diagnostic.fix.as_ref().map(|fix| &*fix.title));
        if let Some(help) = help {
            self.add_note(help_label(part.state, diagnostic), help, text);
        }
        if part.state != State::Fixed
            && let Some(risk) = diagnostic.fix.as_ref().and_then(|fix| fix.risk.as_deref())
        {
            self.add_note("risk", &format!("this may lose {risk}"), text);
        }
        // Everything that a fix removes is listed.
        let (removed, others): (Vec<&Related>, Vec<&Related>) =
            diagnostic.related.iter().partition(|related| related.is_removed);
        for related in others.iter().take(MAX_RELATED).chain(&removed) {
            let Related { start: Position { line, column }, message, .. } = related;
            let place = match &related.file {
                // Terminals and editors open a place in this form.
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

    /// Appends the label (the severity or state), the message, and the snippet if there is one.
    fn add_message(
        &self,
        label: &str,
        severity: Severity,
        message: &str,
        snippet: Option<Snippet>,
        text: &mut String,
    ) {
        let message = format!("{}: {}", self.paint().severity(severity, label), clean(message));
        // Writing to a String can't fail.
        let _ = self.handler().render_report(text, &MietteMessage { severity, message, snippet });
    }

    /// Appends the diff in a frame like miette's.
    fn add_diff(
        &self,
        name: &str,
        position: Position,
        lines: &[Line],
        more: usize,
        text: &mut String,
    ) {
        let paint = self.paint();
        let last = lines.iter().filter_map(|line| line.number).max().unwrap_or(position.line);
        let width = last.to_string().len();
        let place = format!("{}:{}:{}", clean(name), position.line, position.column);
        let _ = writeln!(text, "{:width$}  ╭─[{}]", "", paint.place(&place));
        for line in lines {
            let number = line.number.map_or_else(String::new, |number| number.to_string());
            let number = paint.faint(&format!("{number:>width$}"));
            let _ = match line.kind {
                Kind::Unchanged => writeln!(text, " {number} │   {}", line.text),
                Kind::Removed => {
                    writeln!(text, " {number} │ {}", paint.removed(&format!("- {}", line.text)))
                }
                Kind::Added => {
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

    /// Appends a note, wrapped between words.
    fn add_note(&self, label: &str, note: &str, text: &mut String) {
        let first = format!("  {} ", self.paint().strong(&format!("{label}:")));
        let (indent, note) = (label.len() + 4, clean(note));
        // Most notes are short, so a note that fits is not split into words.
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

/// Whether the line at this position is binary data, which is not worth showing.
fn is_binary(source: &Source<'_>, position: Position) -> bool {
    const MAX_CONTROL_CHARS: usize = 8;
    let line = &source.text()[source.line(position.line)];
    line.chars()
        .take(line::MAX_LINE_CHARS)
        .filter(|c| c.is_control() && *c != '\t' && *c != '\r')
        .count()
        > MAX_CONTROL_CHARS
}

/// Returns the label of a finding's help: the command that applies the fix, or "help" if only the
/// user can make the change.
fn help_label(state: State, diagnostic: &Diagnostic<'_>) -> &'static str {
    match diagnostic.fix.as_ref().map(|fix| fix.applicability) {
        Some(Applicability::Safe) if state != State::Remaining => "fix",
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

/// A message in the form that miette draws. All of its text is sanitized.
struct MietteMessage {
    severity: Severity,
    message: String,
    snippet: Option<Snippet>,
}

impl fmt::Debug for MietteMessage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl fmt::Display for MietteMessage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for MietteMessage {}

impl MietteDiagnostic for MietteMessage {
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
