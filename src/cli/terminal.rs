//! Colors and width of the terminal.

use std::io::{IsTerminal, stderr, stdout};
use std::os::fd::AsFd;

use super::ColorChoice;
use crate::text::wrap;

/// Default and maximum width of text in columns; longer lines are hard to read.
const MAX_WIDTH: usize = 100;

/// Minimum width in columns; narrower terminals wrap the lines themselves.
const MIN_WIDTH: usize = 30;

/// Indentation of a message's continuation lines, in columns.
const HANGING: usize = 2;

/// The color and width of text on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TerminalStyle {
    pub(super) color: bool,
    /// In columns.
    pub(super) width: usize,
}

impl TerminalStyle {
    /// Returns the style of text on stdout.
    pub(super) fn of_stdout(choice: ColorChoice) -> Self {
        TerminalStyle {
            color: use_color(choice, stdout().is_terminal()),
            width: width_of(stdout()),
        }
    }

    /// Returns the style of text on stderr.
    pub(super) fn of_stderr(choice: ColorChoice) -> Self {
        TerminalStyle {
            color: use_color(choice, stderr().is_terminal()),
            width: width_of(stderr()),
        }
    }

    /// Returns the style of text in a file.
    pub(super) fn of_file(choice: ColorChoice) -> Self {
        TerminalStyle { color: use_color(choice, false), width: MAX_WIDTH }
    }
}

/// Returns the width of prose on stdout, in columns.
pub(super) fn width() -> usize {
    width_of(stdout())
}

/// Returns the columns of the stream's terminal; `None` if it is not a terminal.
pub(super) fn columns(stream: impl AsFd) -> Option<usize> {
    rustix::termios::tcgetwinsize(stream)
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 0)
}

/// Returns the terminal's columns, else those of `$COLUMNS`, within the limits for readable lines.
fn width_of(stream: impl AsFd) -> usize {
    let columns_variable =
        || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns(stream)
        .or_else(columns_variable)
        .map_or(MAX_WIDTH, |columns: usize| columns.clamp(MIN_WIDTH, MAX_WIDTH))
}

/// Wraps prose if stdout is a terminal.
pub(super) fn for_stdout(text: &str) -> String {
    if columns(stdout()).is_some() { wrap::lines(text, width(), HANGING) } else { text.to_owned() }
}

/// Wraps prose if stderr is a terminal.
pub(super) fn for_stderr(text: &str) -> String {
    if columns(stderr()).is_some() {
        wrap::lines(text, width_of(stderr()), HANGING)
    } else {
        text.to_owned()
    }
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
