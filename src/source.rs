//! Text and positions: byte offsets inside, 1-based lines and columns for people.

use std::cell::OnceCell;
use std::ops::Range;

/// The byte order mark, which editors don't count as a column.
pub const BOM: char = '\u{feff}';

/// Every this many bytes the index notes how many characters came before, so that a column in a line of megabytes costs no more
/// than one in a short line.
const BLOCK: usize = 512;

/// A place for people: 1-based line, 1-based column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// 1-based; LF, CRLF and a lone CR end a line.
    pub line: usize,
    /// 1-based, in characters (Unicode scalar values); a byte order mark counts as none.
    pub column: usize,
}

/// A named text with an index of its lines, made when the first position is asked for.
#[derive(Debug)]
pub struct Source<'a> {
    name: &'a str,
    text: &'a str,
    index: OnceCell<Index>,
}

#[derive(Debug)]
struct Index {
    /// Byte offset of each line's first byte, in the first 4 GiB: more no XML reader here takes, and a big text has many lines.
    lines: Vec<u32>,
    /// Number of characters before byte `i * BLOCK` (before the character that holds this byte).
    characters: Vec<usize>,
}

impl<'a> Source<'a> {
    /// A text under the name that messages show: a path, or `<stdin>`.
    pub fn new(name: &'a str, text: &'a str) -> Self {
        Source { name, text, index: OnceCell::new() }
    }

    /// The name that messages show.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The whole text, byte order mark included.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The position of a byte offset. Offsets past the end or inside a character are moved back to the nearest one that is fine.
    pub fn position(&self, offset: usize) -> Position {
        let offset = floor_char_boundary(self.text, offset);
        let index = self.index();
        let line = index.lines_until(offset);
        let start = index.lines[line - 1] as usize;
        let mark = usize::from(line == 1 && offset > 0 && self.text.starts_with(BOM));
        let characters = match offset - start {
            ..BLOCK => count_characters(&self.text.as_bytes()[start..offset]),
            _ => self.characters_before(offset) - self.characters_before(start),
        };
        Position { line, column: characters + 1 - mark }
    }

    /// The byte range of a 1-based line without its line ending; empty past the last line.
    pub fn line(&self, line: usize) -> Range<usize> {
        let lines = &self.index().lines;
        let Some(start) = line.checked_sub(1).and_then(|index| lines.get(index)).map(|&start| start as usize) else {
            return self.text.len()..self.text.len();
        };
        let end = lines.get(line).map_or(self.text.len(), |&end| end as usize);
        let content = self.text[start..end].trim_end_matches(['\r', '\n']);
        start..start + content.len()
    }

    /// The byte offset at which the line that holds this offset begins.
    pub fn line_start(&self, offset: usize) -> usize {
        let index = self.index();
        index.lines[index.lines_until(offset) - 1] as usize
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::new(self.text))
    }

    fn characters_before(&self, offset: usize) -> usize {
        let block = offset / BLOCK;
        let start = floor_char_boundary(self.text, block * BLOCK);
        self.index().characters[block] + count_characters(&self.text.as_bytes()[start..offset])
    }
}

impl Index {
    fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut lines = vec![0];
        for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
            // The CR of a CRLF: the LF behind it ends the line.
            if bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n') {
                continue;
            }
            let Ok(start) = u32::try_from(at + 1) else { break };
            lines.push(start);
        }
        let mut characters = Vec::with_capacity(bytes.len() / BLOCK + 1);
        let (mut before, mut start) = (0, 0);
        for block in 0..=bytes.len() / BLOCK {
            let end = floor_char_boundary(text, block * BLOCK);
            before += count_characters(&bytes[start..end]);
            characters.push(before);
            start = end;
        }
        Index { lines, characters }
    }

    /// How many lines begin at an offset or before it.
    fn lines_until(&self, offset: usize) -> usize {
        self.lines.partition_point(|&start| start as usize <= offset)
    }
}

/// Characters in a slice that begins and ends between characters: each has one byte that is no continuation byte.
fn count_characters(bytes: &[u8]) -> usize {
    // A chunk's count fits a byte, which lets the compiler count many bytes at once.
    let count = |chunk: &[u8]| chunk.iter().map(|&byte| u8::from((byte as i8) >= -0x40)).sum::<u8>();
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
    fn lines_end_with_lf_crlf_or_cr() {
        let text = "a\nb\r\nc\rd";
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, 1), (1, 2));
        assert_eq!(position(text, 2), (2, 1));
        assert_eq!(position(text, 4), (2, 3), "between CR and LF is still line 2");
        assert_eq!(position(text, 5), (3, 1));
        assert_eq!(position(text, 7), (4, 1));
        assert_eq!(position(text, 99), (4, 2), "past the end is the end");
    }

    #[test]
    fn columns_are_characters_and_skip_the_bom() {
        assert_eq!(position("äöü<", 6), (1, 4));
        assert_eq!(position("\u{feff}<a>", 3), (1, 1));
        assert_eq!(position("\u{feff}<a>", 4), (1, 2));
        assert_eq!(position("\u{feff}a\nb", 5), (2, 1));
        assert_eq!(position("ä", 1), (1, 1), "inside a character is its start");
    }

    #[test]
    fn columns_are_right_across_blocks() {
        let text = format!("{}\n{}x", "é".repeat(BLOCK), "ü".repeat(3 * BLOCK + 7));
        assert_eq!(position(&text, text.len() - 1), (2, 3 * BLOCK + 8));
    }

    #[test]
    fn a_line_is_its_text_without_the_ending() {
        let source = Source::new("t", "a\r\nbc\n");
        assert_eq!(&source.text()[source.line(1)], "a");
        assert_eq!(&source.text()[source.line(2)], "bc");
        assert_eq!(source.line(3), 6..6);
        assert_eq!(source.line(9), 6..6);
    }
}
