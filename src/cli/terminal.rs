//! The terminal that somebody looks at: its colours and its width.

use std::io::{IsTerminal, stderr, stdout};
use std::os::fd::AsFd;

use super::ColorChoice;
use crate::wrap;

/// So wide is text where nothing says a width, in columns; longer lines are hard to read, on
/// however wide a terminal.
const MAX_WIDTH: usize = 100;

/// One that is narrower breaks the lines by itself.
const MIN_WIDTH: usize = 30;

/// What a stream shows to whoever looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TerminalStyle {
    pub(super) color: bool,
    /// In columns.
    pub(super) width: usize,
}

impl TerminalStyle {
    /// That of stdout.
    pub(super) fn of_stdout(choice: ColorChoice) -> Self {
        TerminalStyle {
            color: use_color(choice, stdout().is_terminal()),
            width: width_of(stdout()),
        }
    }

    /// That of stderr.
    pub(super) fn of_stderr(choice: ColorChoice) -> Self {
        TerminalStyle {
            color: use_color(choice, stderr().is_terminal()),
            width: width_of(stderr()),
        }
    }

    /// That of a file.
    pub(super) fn of_file(choice: ColorChoice) -> Self {
        TerminalStyle { color: use_color(choice, false), width: MAX_WIDTH }
    }
}

/// The columns of text for people on stdout.
pub(super) fn width() -> usize {
    width_of(stdout())
}

/// The columns of the terminal that a stream is; None where it is none.
pub(super) fn columns(stream: impl AsFd) -> Option<usize> {
    rustix::termios::tcgetwinsize(stream)
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 0)
}

/// Those of the terminal, or else those that the environment says, as far as a line is read with
/// ease.
fn width_of(stream: impl AsFd) -> usize {
    let said = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns(stream)
        .or_else(said)
        .map_or(MAX_WIDTH, |columns: usize| columns.clamp(MIN_WIDTH, MAX_WIDTH))
}

/// Text for people on stdout: on a terminal its lines are broken between words.
pub(super) fn for_stdout(text: &str) -> String {
    if columns(stdout()).is_some() { lines(text, width()) } else { text.to_owned() }
}

/// The same for stderr.
pub(super) fn for_stderr(text: &str) -> String {
    if columns(stderr()).is_some() { lines(text, width_of(stderr())) } else { text.to_owned() }
}

/// Each line as lines of at most `width` columns, of which those after the first are indented by
/// two more, or begin below the text of a list item or a label.
fn lines(text: &str, width: usize) -> String {
    let line = |line: &str| {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        let label = ["help: ", "checked: "]
            .iter()
            .find(|label| line[blanks..].starts_with(**label))
            .map_or(2, |label| label.len());
        let number = line[blanks..]
            .split_once(". ")
            .filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()));
        let hanging = blanks + number.map_or(label, |(number, _)| number.len() + 2);
        wrap::line(line, width, &" ".repeat(hanging))
    };
    text.split_inclusive('\n')
        .map(|whole| whole.strip_suffix('\n').map_or_else(|| line(whole), |text| line(text) + "\n"))
        .collect()
}

/// Whether to use colors on a stream.
fn use_color(choice: ColorChoice, stream_is_terminal: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
            let is_forced = |name: &str| {
                is_set(name) && std::env::var_os(name).is_some_and(|value| value != "0")
            };
            let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            let is_wanted = is_forced("FORCE_COLOR")
                || is_forced("CLICOLOR_FORCE")
                || stream_is_terminal && !is_dumb;
            is_wanted && !is_set("NO_COLOR")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn a_line_goes_on_below_its_text() {
        assert_eq!(
            lines("gvtg-xml: one two three\nshort\n", 16),
            "gvtg-xml: one\n  two three\nshort\n"
        );
        assert_eq!(lines("  help: one two three\n", 16), "  help: one two\n        three\n");
        assert_eq!(lines("  1. one two three", 14), "  1. one two\n     three");
        assert_eq!(
            lines("  help: run `virsh start win10`\n", 16),
            "  help: run\n        `virsh start win10`\n"
        );
        assert_eq!(lines("\n", 16), "\n");
    }
}
