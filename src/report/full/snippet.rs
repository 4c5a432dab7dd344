//! The line of a finding, as a source that miette draws.
//!
//! miette's own source types scan the text from its start for each finding; this one uses the known
//! line index and clips long lines.

use std::ops::Range;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::line::{MAX_LINE_CHARS, push_clean, window_start};
use crate::text::sanitize::clean;
use crate::text::{Position, Source};

/// The first line of a finding, sanitized and clipped.
#[derive(Debug)]
pub(super) struct Snippet {
    name: String,
    text: String,
    /// The finding's range, in bytes of `text`.
    pub(super) mark: Range<usize>,
    /// 0-based line and column of the finding in the document.
    start: (usize, usize),
}

impl Snippet {
    pub(super) fn new(source: &Source<'_>, span: &Range<usize>, start: Position) -> Self {
        let line = source.line(start.line);
        // In a line of megabytes, only the part around the finding is read.
        let from = window_start(source.text(), &line, span.start);
        let mut text = if from > line.start { "…".to_owned() } else { String::new() };
        let mut mark = None;
        let mut end = from;
        for (count, (at, c)) in source.text()[from..line.end].char_indices().enumerate() {
            let at = from + at;
            if count == MAX_LINE_CHARS {
                text.push('…');
                break;
            }
            if at == span.start {
                mark = Some(text.len()..text.len());
            }
            push_clean(&mut text, c);
            end = at + c.len_utf8();
            if let Some(mark) = mark.as_mut().filter(|_| at < span.end) {
                mark.end = text.len();
            }
        }
        let mark = mark.filter(|_| span.start < end).unwrap_or(text.len()..text.len());
        Snippet {
            name: clean(source.name()).into_owned(),
            text,
            mark,
            start: (start.line - 1, start.column - 1),
        }
    }
}

impl SourceCode for Snippet {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        _after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        // miette reads without context to locate the mark in the document, and with context to get
        // the lines to draw.
        let (range, (line, column)) = if before == 0 {
            (span.offset()..span.offset() + span.len(), self.start)
        } else {
            (0..self.text.len(), (self.start.0, 0))
        };
        let span = SourceSpan::new(range.start.into(), range.len());
        let data = self.text.as_bytes().get(range).ok_or(MietteError::OutOfBounds)?;
        Ok(Box::new(MietteSpanContents::new_named(self.name.clone(), data, span, line, column, 1)))
    }
}
