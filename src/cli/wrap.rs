//! Wraps pages of text to the width of a terminal.

pub(super) use crate::text::wrap::wrapped;

/// Removes trailing whitespace from each line.
pub(super) fn trimmed(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
