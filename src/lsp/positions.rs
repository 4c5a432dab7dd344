//! Converts between the protocol's positions and byte offsets, and applies changes to a document.

use gen_lsp_types::{
    Position, PositionEncodingKind, Range, TextDocumentContentChangeEvent,
    TextDocumentContentChangePartial as PartialChange,
};

/// The unit in which the protocol counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// 16-bit code units: a character outside the basic multilingual plane counts as two.
    Utf16,
}

impl Encoding {
    /// The protocol's name of the encoding.
    pub fn kind(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    fn units(self, text: &str) -> usize {
        match self {
            Encoding::Utf8 => text.len(),
            Encoding::Utf16 if text.is_ascii() => text.len(),
            Encoding::Utf16 => text.chars().map(char::len_utf16).sum(),
        }
    }
}

/// The byte offset of each line of a document.
#[derive(Clone, Debug)]
pub struct Lines<'t> {
    text: &'t str,
    encoding: Encoding,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Splits a document into lines at LF, CRLF and single CR, as the protocol requires.
    pub fn new(text: &'t str, encoding: Encoding) -> Self {
        let bytes = text.as_bytes();
        let ends = memchr::memchr2_iter(b'\n', b'\r', bytes)
            .filter(|&at| bytes[at] == b'\n' || bytes.get(at + 1) != Some(&b'\n'));
        Lines { text, encoding, starts: std::iter::once(0).chain(ends.map(|at| at + 1)).collect() }
    }

    /// The position of a byte offset. An offset past the end or inside a character is rounded down.
    pub fn position(&self, offset: usize) -> Position {
        let offset = floor(self.text, offset);
        let line = self.starts.partition_point(|&start| start <= offset) - 1;
        let units = self.encoding.units(&self.text[self.starts[line]..offset]);
        Position { line: to_u32(line), character: to_u32(units) }
    }

    /// The positions of a byte range.
    pub fn range(&self, span: std::ops::Range<usize>) -> Range {
        Range { start: self.position(span.start), end: self.position(span.end) }
    }

    /// The byte offset of a position. A position past the end of its line becomes the line's end,
    /// one inside a character the character's start.
    pub fn offset(&self, position: Position) -> usize {
        let line = position.line as usize;
        let Some(&start) = self.starts.get(line) else { return self.text.len() };
        let end = self.starts.get(line + 1).copied().unwrap_or(self.text.len());
        start
            + offset_in(
                self.text[start..end].trim_end_matches(['\r', '\n']),
                position.character as usize,
                self.encoding,
            )
    }
}

/// Applies a change; its range refers to the text before it.
pub fn apply(text: &mut String, change: TextDocumentContentChangeEvent, encoding: Encoding) {
    match change {
        TextDocumentContentChangeEvent::TextDocumentContentChangePartial(PartialChange {
            range,
            text: new_text,
            ..
        }) => {
            let lines = Lines::new(text, encoding);
            let (start, end) = (lines.offset(range.start), lines.offset(range.end));
            text.replace_range(start..end.max(start), &new_text);
        }
        TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(change) => {
            *text = change.text;
        }
    }
}

fn offset_in(line: &str, units: usize, encoding: Encoding) -> usize {
    if encoding == Encoding::Utf8 || line.is_ascii() {
        return floor(line, units);
    }
    let mut counted = 0;
    for (offset, character) in line.char_indices() {
        counted += character.len_utf16();
        if counted > units {
            return offset;
        }
    }
    line.len()
}

fn floor(text: &str, offset: usize) -> usize {
    if offset >= text.len() {
        return text.len();
    }
    (0..=offset).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // é is one UTF-16 unit and two bytes, 😀 two units and four bytes.
    const TEXT: &str = "aé\r\n😀b\rc\n";

    fn offset_at(encoding: Encoding, line: u32, character: u32) -> usize {
        Lines::new(TEXT, encoding).offset(Position { line, character })
    }

    #[test]
    fn converts_positions_to_offsets_and_back() {
        for encoding in [Encoding::Utf8, Encoding::Utf16] {
            let lines = Lines::new(TEXT, encoding);
            for (offset, _) in TEXT.char_indices().filter(|(offset, _)| *offset != 4) {
                assert_eq!(lines.offset(lines.position(offset)), offset, "{encoding:?} {offset}");
            }
        }
        let line_and_character = |offset| {
            let position = Lines::new(TEXT, Encoding::Utf16).position(offset);
            (position.line, position.character)
        };
        assert_eq!(
            (
                line_and_character(3),
                line_and_character(5),
                line_and_character(9),
                line_and_character(11),
                line_and_character(13)
            ),
            ((0, 2), (1, 0), (1, 2), (2, 0), (3, 0))
        );
        assert_eq!(line_and_character(99), (3, 0), "past the end is the end");
    }

    #[test]
    fn rounds_invalid_positions_down() {
        assert_eq!(offset_at(Encoding::Utf16, 1, 1), 5, "the middle of a pair is its start");
        assert_eq!(offset_at(Encoding::Utf8, 0, 2), 1, "the middle of a character is its start");
        assert_eq!(
            offset_at(Encoding::Utf16, 0, 99),
            3,
            "a position after a line is its end, before CRLF"
        );
        assert_eq!(
            (offset_at(Encoding::Utf16, 3, 7), offset_at(Encoding::Utf16, 9, 0)),
            (TEXT.len(), TEXT.len())
        );
    }

    #[test]
    fn applies_changes() {
        let mut text = TEXT.to_owned();
        let mut change = |value: serde_json::Value| {
            apply(&mut text, serde_json::from_value(value).unwrap(), Encoding::Utf16);
            text.clone()
        };
        let range = |start: (u32, u32), end: (u32, u32)| {
            let position = |(line, character)| Position { line, character };
            json!(Range { start: position(start), end: position(end) })
        };
        assert_eq!(change(json!({ "range": range((1, 0), (1, 2)), "text": "x" })), "aé\r\nxb\rc\n");
        assert_eq!(change(json!({ "range": range((0, 2), (1, 0)), "text": "" })), "aéxb\rc\n");
        assert_eq!(
            change(json!({ "range": range((9, 9), (0, 0)), "text": "end" })),
            "aéxb\rc\nend",
            "an end before its start is an insertion"
        );
        assert_eq!(change(json!({ "text": "new" })), "new");
        assert_eq!(change(json!({ "range": null, "text": "newer" })), "newer");
    }
}
