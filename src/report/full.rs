//! Findings with the lines of the document around them: the only user of miette.
//!
//! miette's own source code reads a text from its first byte for each finding; ours knows the lines already and clips long ones.

use std::cell::OnceCell;
use std::fmt;
use std::ops::Range;

use miette::{
    Diagnostic as Miette, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan,
    SpanContents,
};

use super::{FileFindings, Part, Report, State};
use crate::diagnostic::Diagnostic;
use crate::printable::{clean, clean_lines, is_harmful};
use crate::rules::schema::Severity;
use crate::source::{Position, Source};

/// The longest piece of a line that is shown, in characters.
const LONGEST: usize = 160;

/// How many lines of a fix are shown.
const MOST_LINES: usize = 12;

/// Each finding with the lines around it, what to do, and what the fix changes.
pub struct Full {
    color: bool,
    /// Made for the first finding: most runs have none.
    handler: OnceCell<GraphicalReportHandler>,
}

impl Full {
    /// With colours, or as plain text.
    pub fn new(color: bool) -> Self {
        Full { color, handler: OnceCell::new() }
    }

    fn handler(&self) -> &GraphicalReportHandler {
        self.handler.get_or_init(|| {
            let theme = if self.color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
            GraphicalReportHandler::new_themed(theme).with_width(120).without_cause_chain().with_links(false)
        })
    }

    /// What is wrong in a text that is no domain, in the same form.
    pub fn error(&self, source: &Source<'_>, span: Range<usize>, message: &str, help: Option<&str>) -> String {
        let help = help.map(clean_lines).unwrap_or_default();
        let snippet = Snippet::new(source, &span, source.position(span.start));
        let shown = Shown { code: "error".into(), severity: Severity::Error, message: clean(message), snippet, help };
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = self.handler().render_report(&mut text, &shown);
        text.push('\n');
        text
    }
}

impl Report for Full {
    fn file(&mut self, file: &FileFindings<'_>, text: &mut String) {
        for (part, diagnostic) in file.each() {
            let shown = Shown::new(part, diagnostic);
            // Writing to a String does not fail.
            let _ = self.handler().render_report(text, &shown);
            text.push('\n');
        }
    }
}

/// A finding in the form that miette draws; no text in it can steer a terminal.
struct Shown {
    /// What stands above it.
    code: String,
    severity: Severity,
    message: String,
    snippet: Snippet,
    help: String,
}

impl Shown {
    fn new(part: &Part<'_>, diagnostic: &Diagnostic<'_>) -> Self {
        let word = match part.state {
            State::Found | State::Left => diagnostic.severity.name(),
            State::Fixed | State::Fixable | State::Suppressed => part.state.name(),
        };
        Shown {
            code: format!("{word}[{}]", diagnostic.rule.id),
            severity: diagnostic.severity,
            message: clean(&diagnostic.message),
            snippet: Snippet::new(part.source, &diagnostic.span, diagnostic.start),
            help: help(part.source, diagnostic),
        }
    }
}

/// What to do, what the fix does, and where else to look.
fn help(source: &Source<'_>, diagnostic: &Diagnostic<'_>) -> String {
    let mut lines: Vec<String> = diagnostic.help.iter().map(|help| clean(help)).collect();
    for related in &diagnostic.related {
        let (message, line, column) = (clean(&related.message), related.start.line, related.start.column);
        lines.push(match &related.file {
            // As it is written so that terminals and editors open it.
            Some(file) => format!("{message}: {}:{line}:{column}", clean(file)),
            None => format!("{message}: line {line}, column {column}"),
        });
    }
    if let Some(fix) = &diagnostic.fix {
        lines.push(format!("fix ({}): {}", fix.applicability.name(), clean(&fix.title)));
        let mut changes = Vec::new();
        for edit in fix.edits.iter() {
            let old = source.text().get(edit.range.clone()).unwrap_or("");
            changes.extend(piece(old).map(|line| format!("- {line}")));
            changes.extend(piece(&edit.text).map(|line| format!("+ {line}")));
        }
        let more = changes.len().saturating_sub(MOST_LINES);
        changes.truncate(MOST_LINES);
        lines.extend(changes);
        if more > 0 {
            lines.push(format!("… and {more} lines more"));
        }
    }
    lines.join("\n")
}

/// The lines of an edit's text, so many as are shown and one more for each that is not.
fn piece(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| !line.trim().is_empty()).map(clipped)
}

fn clipped(line: &str) -> String {
    let short: String = line.chars().take(LONGEST).collect();
    let mark = if short.len() < line.len() { "…" } else { "" };
    format!("{}{mark}", clean(&short))
}

/// The lines around a finding, harmless and short.
#[derive(Debug)]
struct Snippet {
    name: String,
    text: String,
    /// 0-based number of the first line.
    first: usize,
    /// What the finding marks, in bytes of `text`.
    mark: Range<usize>,
    /// 0-based line and column of the finding in the document.
    start: (usize, usize),
}

impl Snippet {
    fn new(source: &Source<'_>, span: &Range<usize>, start: Position) -> Self {
        let (line, column) = (start.line, start.column);
        let first = line.saturating_sub(1).max(1);
        let (mut text, mut mark) = (String::new(), 0..0);
        for number in first..=line + 1 {
            let range = source.line(number);
            if number > line && range.start >= source.text().len() {
                break;
            }
            if number > first {
                text.push('\n');
            }
            // In a line of megabytes only the part around the finding is looked at.
            let from = if number == line { window_start(source.text(), &range, span.start) } else { range.start };
            if from > range.start {
                text.push('…');
            }
            let mut end = from;
            for (count, (at, c)) in source.text()[from..range.end].char_indices().enumerate() {
                let at = from + at;
                if count == LONGEST {
                    text.push('…');
                    break;
                }
                if number == line && at == span.start {
                    mark = text.len()..text.len();
                }
                push_clean(&mut text, c);
                end = at + c.len_utf8();
                if number == line && at >= span.start && at < span.end {
                    mark.end = text.len();
                }
            }
            if number == line && span.start >= end && mark.end == 0 {
                mark = text.len()..text.len();
            }
        }
        Snippet { name: clean(source.name()), text, first: first - 1, mark, start: (line - 1, column - 1) }
    }
}

/// Where to begin to show a line so that `at` is in what is shown.
fn window_start(text: &str, line: &Range<usize>, at: usize) -> usize {
    if at - line.start < LONGEST / 2 {
        return line.start;
    }
    let mut from = at - LONGEST / 4;
    while !text.is_char_boundary(from) {
        from -= 1;
    }
    from
}

fn push_clean(text: &mut String, c: char) {
    match c {
        // A byte order mark is no part of the line, and miette widens tabs by itself.
        crate::source::BOM => {}
        '\t' => text.push('\t'),
        c if is_harmful(c) => text.extend(c.escape_unicode()),
        c => text.push(c),
    }
}

impl SourceCode for Snippet {
    fn read_span<'a>(&'a self, span: &SourceSpan, before: usize, _after: usize) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        // Without context miette asks where the mark is in the document; with it, for the lines to draw.
        let (range, (line, column)) =
            if before == 0 { (span.offset()..span.offset() + span.len(), self.start) } else { (0..self.text.len(), (self.first, 0)) };
        let span = SourceSpan::new(range.start.into(), range.len());
        let data = self.text.as_bytes().get(range).ok_or(MietteError::OutOfBounds)?;
        Ok(Box::new(MietteSpanContents::new_named(self.name.clone(), data, span, line, column, 1)))
    }
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
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Info => miette::Severity::Advice,
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        (!self.help.is_empty()).then(|| Box::new(&self.help) as Box<dyn fmt::Display + 'a>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.snippet)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let mark = &self.snippet.mark;
        Some(Box::new([LabeledSpan::new_primary_with_span(None, (mark.start, mark.len()))].into_iter()))
    }
}
