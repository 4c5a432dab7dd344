//! What `fix` would change in a document, as a diff.

use similar::TextDiff;

use super::terminal::TerminalStyle;
use crate::report::Paint;
use crate::sanitize::{clean, clean_lines};

/// The diff from one text to another, which patch reads; in colours for whoever looks at it.
pub(super) fn diff(name: &str, old: &str, new: &str, look: TerminalStyle) -> String {
    if old == new {
        return String::new();
    }
    let name = clean(name);
    let (before, after) = (
        format!("a/{}", name.trim_start_matches('/')),
        format!("b/{}", name.trim_start_matches('/')),
    );
    // A document with characters that nobody sees gives a diff to be read: patch refuses it.
    let diff = clean_lines(
        &TextDiff::from_lines(old, new).unified_diff().header(&before, &after).to_string(),
    );
    if look.color { painted(&diff) } else { diff }
}

fn painted(diff: &str) -> String {
    let paint = Paint::new(true);
    let lines = diff.split_inclusive('\n').map(|whole| {
        let line = whole.trim_end_matches(['\r', '\n']);
        let shown = match line.as_bytes() {
            [b'-', b'-', b'-', b' ', ..] | [b'+', b'+', b'+', b' ', ..] => paint.strong(line),
            [b'-', ..] => paint.removed(line),
            [b'+', ..] => paint.added(line),
            [b'@', ..] => paint.place(line),
            _ => line.to_owned(),
        };
        shown + &whole[line.len()..]
    });
    lines.collect()
}
