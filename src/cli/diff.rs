//! Renders what `fix` would change as a unified diff.

use similar::TextDiff;

use super::terminal::TerminalStyle;
use crate::report::Paint;
use crate::text::sanitize::{clean, clean_lines};

/// Returns the unified diff between two texts, in the format that patch reads; colored if `look`
/// says so. Empty if the texts are equal.
pub(super) fn diff(name: &str, old: &str, new: &str, look: TerminalStyle) -> String {
    if old == new {
        return String::new();
    }
    let name = clean(name);
    let (before, after) = (
        format!("a/{}", name.trim_start_matches('/')),
        format!("b/{}", name.trim_start_matches('/')),
    );
    // Invisible characters are escaped, so that they can be reviewed; patch refuses such a diff.
    let diff = clean_lines(
        &TextDiff::from_lines(old, new).unified_diff().header(&before, &after).to_string(),
    );
    if look.color { colorize(&diff) } else { diff }
}

fn colorize(diff: &str) -> String {
    let paint = Paint::new(true);
    let lines = diff.split_inclusive('\n').map(|raw_line| {
        let line = raw_line.trim_end_matches(['\r', '\n']);
        let shown = match line.as_bytes() {
            [b'-', b'-', b'-', b' ', ..] | [b'+', b'+', b'+', b' ', ..] => paint.strong(line),
            [b'-', ..] => paint.removed(line),
            [b'+', ..] => paint.added(line),
            [b'@', ..] => paint.place(line),
            _ => line.to_owned(),
        };
        shown + &raw_line[line.len()..]
    });
    lines.collect()
}
