//! Pieces of a document's lines, sanitized and clipped to the width of a screen.

use std::ops::Range;

use crate::text::BOM;
use crate::text::sanitize::is_harmful;

/// Maximum number of characters shown of a line.
pub(super) const MAX_LINE_CHARS: usize = 160;

/// Returns a piece of a line for display: sanitized, except for tabs, and cut after
/// [`MAX_LINE_CHARS`] characters.
pub(super) fn clipped(piece: &str) -> String {
    // The common case, without a copy per character.
    if piece.len() <= MAX_LINE_CHARS
        && piece.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
    {
        return piece.to_owned();
    }
    let mut text = String::new();
    for (count, c) in piece.chars().enumerate() {
        if count == MAX_LINE_CHARS {
            text.push('…');
            break;
        }
        push_clean(&mut text, c);
    }
    text
}

/// Appends a character, sanitized; a byte order mark is left out.
pub(super) fn push_clean(text: &mut String, c: char) {
    match c {
        // A byte order mark is not part of the line.
        BOM => {}
        '\t' => text.push('\t'),
        c if is_harmful(c) => text.extend(c.escape_unicode()),
        c => text.push(c),
    }
}

/// Returns the byte offset from which to show a line so that the byte `at` is visible.
pub(super) fn window_start(text: &str, line: &Range<usize>, at: usize) -> usize {
    if line.len() <= MAX_LINE_CHARS || at - line.start < MAX_LINE_CHARS / 2 {
        return line.start;
    }
    let mut from = at - MAX_LINE_CHARS / 4;
    while !text.is_char_boundary(from) {
        from -= 1;
    }
    from
}
