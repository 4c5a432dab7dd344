//! Pieces of a document's lines: harmless, and never longer than a screen takes.

use std::ops::Range;

use crate::sanitize::is_harmful;
use crate::source::BOM;

/// The longest piece of a line that is shown, in characters.
pub(super) const LONGEST: usize = 160;

/// A piece of a line as it can be shown: without what steers a terminal, its tabs kept, and cut
/// where it is too long.
pub(super) fn clipped(piece: &str) -> String {
    // Nearly all lines of domains are like this.
    if piece.len() <= LONGEST && piece.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
        return piece.to_owned();
    }
    let mut text = String::new();
    for (count, c) in piece.chars().enumerate() {
        if count == LONGEST {
            text.push('…');
            break;
        }
        push_clean(&mut text, c);
    }
    text
}

/// Adds a character, unless it is one that nobody sees.
pub(super) fn push_clean(text: &mut String, c: char) {
    match c {
        // A byte order mark is no part of the line.
        BOM => {}
        '\t' => text.push('\t'),
        c if is_harmful(c) => text.extend(c.escape_unicode()),
        c => text.push(c),
    }
}

/// Where to begin to show a line so that `at` is in what is shown.
pub(super) fn window_start(text: &str, line: &Range<usize>, at: usize) -> usize {
    if line.len() <= LONGEST || at - line.start < LONGEST / 2 {
        return line.start;
    }
    let mut from = at - LONGEST / 4;
    while !text.is_char_boundary(from) {
        from -= 1;
    }
    from
}
