//! Documents and positions: byte offsets internally, 1-based lines and columns for users.

use std::cell::OnceCell;
use std::ops::Range;

/// The byte order mark, which editors do not count as a column.
pub const BOM: char = '\u{feff}';

/// Block size of the position index in bytes. With fixed blocks, a position in a line of megabytes
/// costs no more than in a short one, and short lines do not make the index larger.
const BLOCK: usize = 512;

/// A position as shown to users: 1-based line, 1-based column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// 1-based; LF, CRLF and a lone CR end a line.
    pub line: usize,
    /// 1-based, in characters (Unicode scalar values); a byte order mark does not count.
    pub column: usize,
}

/// A named text with a position index, which is built on first use.
#[derive(Debug)]
pub struct Source<'a> {
    name: &'a str,
    text: &'a str,
    blocks: OnceCell<Vec<Block>>,
}

/// The index entry of a block's first byte. 32 bits suffice: no XML parser here accepts more than 4
/// GiB.
#[derive(Clone, Copy, Debug)]
struct Block {
    /// The number of characters before it, or before the character that contains it.
    characters: u32,
    line: Line,
}

/// A line of the text.
#[derive(Clone, Copy, Debug)]
struct Line {
    /// 1-based.
    number: u32,
    /// The byte offset of its start.
    start: u32,
}

impl<'a> Source<'a> {
    /// Creates a source; `name` is shown in messages: a path, or `<stdin>`.
    pub fn new(name: &'a str, text: &'a str) -> Self {
        Source { name, text, blocks: OnceCell::new() }
    }

    /// The name shown in messages.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The whole text, including any byte order mark.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Returns the position of a byte offset. An offset past the end or inside a character counts
    /// as the nearest valid one before it.
    pub fn position(&self, offset: usize) -> Position {
        let offset = floor_char_boundary(self.text, offset);
        let line = self.line_at(offset);
        let (number, start) = (line.number as usize, line.start as usize);
        let mark = usize::from(number == 1 && offset > 0 && self.text.starts_with(BOM));
        let characters = match offset - start {
            ..BLOCK => count_characters(&self.text.as_bytes()[start..offset]),
            _ => self.characters_before(offset) - self.characters_before(start),
        };
        Position { line: number, column: characters + 1 - mark }
    }

    /// Returns the positions of both ends of a range.
    pub fn positions(&self, range: Range<usize>) -> (Position, Position) {
        let start = self.position(range.start);
        // Most ranges are short, on one line, and not after a byte order mark.
        let is_plain =
            |text: &&str| text.len() < BLOCK && range.start > 0 && !text.contains(['\n', '\r']);
        match self.text.get(range.clone()).filter(is_plain) {
            Some(text) => (
                start,
                Position { column: start.column + count_characters(text.as_bytes()), ..start },
            ),
            None => (start, self.position(range.end)),
        }
    }

    /// The byte range of a 1-based line without its line ending; empty past the last line.
    pub fn line(&self, line: usize) -> Range<usize> {
        let length = self.text.len();
        let Some(start) = self.start_of(line) else { return length..length };
        // Uses the index too, because a line may be as long as the text.
        let end = self.start_of(line + 1).unwrap_or(length);
        let content = self.text[start..end].trim_end_matches(['\r', '\n']);
        start..start + content.len()
    }

    /// Returns the byte offset of the start of the line that contains this offset.
    pub fn line_start(&self, offset: usize) -> usize {
        self.line_at(offset.min(self.text.len())).start as usize
    }

    /// Returns the last line that begins at or before an offset.
    fn line_at(&self, offset: usize) -> Line {
        let block = offset / BLOCK;
        line_starts(self.text.as_bytes(), block * BLOCK..offset)
            .fold(self.blocks()[block].line, Line::next)
    }

    /// Returns the byte offset of the start of a 1-based line; `None` past the last line.
    fn start_of(&self, line: usize) -> Option<usize> {
        let blocks = self.blocks();
        let next_block = blocks.partition_point(|block| (block.line.number as usize) < line);
        match blocks.get(next_block).map(|block| block.line) {
            Some(found_line) if found_line.number as usize == line => {
                Some(found_line.start as usize)
            }
            _ => {
                // The line begins inside the previous block, if it exists.
                let block = next_block.checked_sub(1)?;
                let nth = line - blocks[block].line.number as usize - 1;
                line_starts(self.text.as_bytes(), block * BLOCK..self.text.len()).nth(nth)
            }
        }
    }

    fn characters_before(&self, offset: usize) -> usize {
        let block = offset / BLOCK;
        let start = floor_char_boundary(self.text, block * BLOCK);
        self.blocks()[block].characters as usize
            + count_characters(&self.text.as_bytes()[start..offset])
    }

    fn blocks(&self) -> &[Block] {
        self.blocks.get_or_init(|| blocks(self.text))
    }
}

impl Line {
    fn next(self, start: usize) -> Line {
        Line { number: self.number + 1, start: start as u32 }
    }
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::with_capacity(text.len() / BLOCK + 1);
    let mut entry = Block { characters: 0, line: Line { number: 1, start: 0 } };
    let mut start = 0;
    for block in 0..=text.len() / BLOCK {
        let end = floor_char_boundary(text, block * BLOCK);
        entry.characters += count_characters(&text.as_bytes()[start..end]) as u32;
        let previous_block = block.saturating_sub(1) * BLOCK..block * BLOCK;
        entry.line = line_starts(text.as_bytes(), previous_block).fold(entry.line, Line::next);
        blocks.push(entry);
        start = end;
    }
    blocks
}

/// Returns the starts of the lines after the line endings in a range.
fn line_starts(bytes: &[u8], range: Range<usize>) -> impl Iterator<Item = usize> {
    let begin = range.start;
    memchr::memchr2_iter(b'\n', b'\r', &bytes[range]).map(move |at| begin + at + 1).filter(
        |&start| {
            // Not after the CR of a CRLF: its LF ends the line.
            bytes[start - 1] == b'\n' || bytes.get(start) != Some(&b'\n')
        },
    )
}

/// Counts the characters of a slice that begins and ends between characters: the bytes that are not
/// continuation bytes.
fn count_characters(bytes: &[u8]) -> usize {
    // The count of a chunk fits in a byte, so the compiler can vectorize it.
    let count =
        |chunk: &[u8]| chunk.iter().map(|&byte| u8::from((byte as i8) >= -0x40)).sum::<u8>();
    bytes.chunks(255).map(|chunk| usize::from(count(chunk))).sum()
}

fn floor_char_boundary(text: &str, offset: usize) -> usize {
    if offset >= text.len() {
        return text.len();
    }
    (0..=offset).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(text: &str, offset: usize) -> (usize, usize) {
        let Position { line, column } = Source::new("t", text).position(offset);
        (line, column)
    }

    #[test]
    fn ends_lines_at_lf_crlf_or_cr() {
        let text = "a\nb\r\nc\rd";
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, 1), (1, 2));
        assert_eq!(position(text, 2), (2, 1));
        assert_eq!(position(text, 4), (2, 3), "between CR and LF is still line 2");
        assert_eq!(position(text, 5), (3, 1));
        assert_eq!(position(text, 7), (4, 1));
        assert_eq!(position(text, 99), (4, 2), "past the end is the end");
        assert_eq!(Source::new("t", text).line_start(99), 7);
    }

    #[test]
    fn counts_columns_in_characters_without_the_bom() {
        assert_eq!(position("äöü<", 6), (1, 4));
        assert_eq!(position("\u{feff}<a>", 3), (1, 1));
        assert_eq!(position("\u{feff}<a>", 4), (1, 2));
        assert_eq!(position("\u{feff}a\nb", 5), (2, 1));
        assert_eq!(position("ä", 1), (1, 1), "inside a character is its start");
        let positions = Source::new("t", "\u{feff}<a>").positions(0..4);
        assert_eq!(positions, (Position { line: 1, column: 1 }, Position { line: 1, column: 2 }));
    }

    #[test]
    fn counts_columns_across_blocks() {
        let text = format!("{}\n{}x", "é".repeat(BLOCK), "ü".repeat(3 * BLOCK + 7));
        assert_eq!(position(&text, text.len() - 1), (2, 3 * BLOCK + 8));
    }

    /// All kinds of line endings at each offset of a block, compared with a count byte by byte.
    #[test]
    fn finds_positions_wherever_blocks_end() {
        for (shift, step) in (0..12).zip([1, 2, 3, 5, 7, 11, 97, 200, 511, 512, 513, 700]) {
            let text = ["x", "\n", "\r\n", "é", "\r", "\n", "\r", "\r\n"]
                .iter()
                .cycle()
                .skip(shift)
                .take(400);
            let text: String =
                text.flat_map(|piece| [(*piece).to_owned(), "y".repeat(step % 97)]).collect();
            let source = Source::new("t", &text);
            let (mut line, mut start, mut line_starts) = (1, 0, vec![0]);
            for (offset, c) in text.char_indices().chain([(text.len(), ' ')]) {
                let before = &text[..offset];
                if before.ends_with('\n') || before.ends_with('\r') && c != '\n' {
                    (line, start) = (line + 1, offset);
                    line_starts.push(offset);
                }
                let column = text[start..offset].chars().count() + 1;
                let position = Position { line, column };
                assert_eq!(source.position(offset), position, "{offset} of {text:?}");
                for before in [0, 1, 7, 600].map(|length| offset.saturating_sub(length)) {
                    let ends = (source.position(before), position);
                    assert_eq!(
                        source.positions(before..offset),
                        ends,
                        "{before}..{offset} of {text:?}"
                    );
                }
                assert_eq!(source.line_start(offset), start, "{offset} of {text:?}");
            }
            for (line, start) in (1..).zip(&line_starts) {
                let length = text[*start..].find(['\n', '\r']).unwrap_or(text.len() - start);
                assert_eq!(source.line(line), *start..start + length, "line {line} of {text:?}");
            }
            assert_eq!(source.line(line_starts.len() + 1), text.len()..text.len());
        }
    }

    #[test]
    fn returns_lines_without_their_endings() {
        let source = Source::new("t", "a\r\nbc\n");
        assert_eq!(&source.text()[source.line(1)], "a");
        assert_eq!(&source.text()[source.line(2)], "bc");
        assert_eq!(source.line(3), 6..6);
        assert_eq!(source.line(9), 6..6);
    }
}
