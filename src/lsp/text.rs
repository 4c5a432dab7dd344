//! The protocol's places and this program's byte offsets, and texts that change piece by piece.

use super::protocol::{Change, Position, Range};

/// What the protocol counts characters in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// 16-bit units: a character beyond the basic plane is two.
    Utf16,
}

impl Encoding {
    /// The protocol's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "utf-8",
            Encoding::Utf16 => "utf-16",
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

/// Where each line of a text begins, for as long as it doesn't change.
#[derive(Clone, Debug)]
pub struct Lines<'t> {
    text: &'t str,
    encoding: Encoding,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// LF, CRLF and a lone CR end a line, as the protocol has it.
    pub fn new(text: &'t str, encoding: Encoding) -> Self {
        let bytes = text.as_bytes();
        let ends = memchr::memchr2_iter(b'\n', b'\r', bytes)
            .filter(|&at| bytes[at] == b'\n' || bytes.get(at + 1) != Some(&b'\n'));
        Lines { text, encoding, starts: std::iter::once(0).chain(ends.map(|at| at + 1)).collect() }
    }

    /// The place of a byte offset; one past the end or inside a character is moved back.
    pub fn position(&self, offset: usize) -> Position {
        let offset = floor(self.text, offset);
        let line = self.starts.partition_point(|&start| start <= offset) - 1;
        let units = self.encoding.units(&self.text[self.starts[line]..offset]);
        Position { line: to_u32(line), character: to_u32(units) }
    }

    /// The place of a range of bytes.
    pub fn range(&self, span: std::ops::Range<usize>) -> Range {
        Range { start: self.position(span.start), end: self.position(span.end) }
    }

    /// The byte offset of a place. One behind its line means the line's end, one inside a character
    /// the character's start.
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

/// Does a change; places are those of the text before it.
pub fn apply(text: &mut String, change: Change, encoding: Encoding) {
    let Some(range) = change.range else {
        *text = change.text;
        return;
    };
    let lines = Lines::new(text, encoding);
    let (start, end) = (lines.offset(range.start), lines.offset(range.end));
    text.replace_range(start..end.max(start), &change.text);
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
    use super::*;

    // é is one unit of UTF-16 and two bytes, 😀 two and four.
    const TEXT: &str = "aé\r\n😀b\rc\n";

    fn at(encoding: Encoding, line: u32, character: u32) -> usize {
        Lines::new(TEXT, encoding).offset(Position { line, character })
    }

    #[test]
    fn places_are_offsets_and_back() {
        for encoding in [Encoding::Utf8, Encoding::Utf16] {
            let lines = Lines::new(TEXT, encoding);
            for (offset, _) in TEXT.char_indices().filter(|(offset, _)| *offset != 4) {
                assert_eq!(lines.offset(lines.position(offset)), offset, "{encoding:?} {offset}");
            }
        }
        let place = |offset| {
            let position = Lines::new(TEXT, Encoding::Utf16).position(offset);
            (position.line, position.character)
        };
        assert_eq!(
            (place(3), place(5), place(9), place(11), place(13)),
            ((0, 2), (1, 0), (1, 2), (2, 0), (3, 0))
        );
        assert_eq!(place(99), (3, 0), "past the end is the end");
    }

    #[test]
    fn places_that_are_none_are_moved_to_the_nearest_before() {
        assert_eq!(at(Encoding::Utf16, 1, 1), 5, "the middle of a pair is its start");
        assert_eq!(at(Encoding::Utf8, 0, 2), 1, "the middle of a character is its start");
        assert_eq!(at(Encoding::Utf16, 0, 99), 3, "behind a line is its end, before CRLF");
        assert_eq!(
            (at(Encoding::Utf16, 3, 7), at(Encoding::Utf16, 9, 0)),
            (TEXT.len(), TEXT.len())
        );
    }

    #[test]
    fn changes_are_done_where_they_say() {
        let mut text = TEXT.to_owned();
        let range = |start: (u32, u32), end: (u32, u32)| {
            let position = |(line, character)| Position { line, character };
            Some(Range { start: position(start), end: position(end) })
        };
        apply(
            &mut text,
            Change { range: range((1, 0), (1, 2)), text: "x".into() },
            Encoding::Utf16,
        );
        assert_eq!(text, "aé\r\nxb\rc\n");
        apply(
            &mut text,
            Change { range: range((0, 2), (1, 0)), text: String::new() },
            Encoding::Utf16,
        );
        assert_eq!(text, "aéxb\rc\n");
        apply(
            &mut text,
            Change { range: range((9, 9), (0, 0)), text: "end".into() },
            Encoding::Utf16,
        );
        assert_eq!(text, "aéxb\rc\nend", "an end before its start is an insertion");
        apply(&mut text, Change { range: None, text: "new".into() }, Encoding::Utf16);
        assert_eq!(text, "new");
    }
}
