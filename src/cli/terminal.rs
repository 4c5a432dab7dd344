//! The terminal that somebody looks at: its colours and its width.

use std::io::{IsTerminal, stderr, stdout};
use std::os::fd::AsFd;

use super::ColorChoice;

/// So wide is text where nothing says a width, in columns; longer lines are hard to read, on however wide a terminal.
const WIDEST: usize = 100;

/// One that is narrower breaks the lines by itself.
const NARROWEST: usize = 30;

/// What a stream shows to whoever looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) color: bool,
    /// In columns.
    pub(super) width: usize,
}

impl Look {
    /// That of stdout.
    pub(super) fn of_stdout(choice: ColorChoice) -> Self {
        Look { color: use_color(choice, stdout().is_terminal()), width: width_of(stdout()) }
    }

    /// That of stderr.
    pub(super) fn of_stderr(choice: ColorChoice) -> Self {
        Look { color: use_color(choice, stderr().is_terminal()), width: width_of(stderr()) }
    }

    /// That of a file.
    pub(super) fn of_file(choice: ColorChoice) -> Self {
        Look { color: use_color(choice, false), width: WIDEST }
    }
}

/// The columns of text for people on stdout.
pub(super) fn width() -> usize {
    width_of(stdout())
}

/// The columns of the terminal that a stream is; None where it is none.
pub(super) fn columns(stream: impl AsFd) -> Option<usize> {
    rustix::termios::tcgetwinsize(stream).ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Those of the terminal, or else those that the environment says, as far as a line is read with ease.
fn width_of(stream: impl AsFd) -> usize {
    let said = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns(stream).or_else(said).map_or(WIDEST, |columns: usize| columns.clamp(NARROWEST, WIDEST))
}

/// Whether to use colours on a stream.
fn use_color(choice: ColorChoice, stream_is_terminal: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
            let is_forced = |name: &str| is_set(name) && std::env::var_os(name).is_some_and(|value| value != "0");
            let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            let is_wanted = is_forced("FORCE_COLOR") || is_forced("CLICOLOR_FORCE") || stream_is_terminal && !is_dumb;
            is_wanted && !is_set("NO_COLOR")
        }
    }
}
