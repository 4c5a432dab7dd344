//! Help texts and manual pages, made from the command-line definition on demand, because a normal
//! run does not need them.

use clap::builder::Resettable;
use clap::{Arg, Command, CommandFactory};

mod examples;
mod pages;

pub use examples::{Example, examples};
pub(super) use pages::{first_page, pages};

use super::{Cli, terminal};
use crate::text::wrap;

/// Length of a help text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// `-h`: the common flags, one line each.
    Short,
    /// `--help`: all flags.
    Long,
}

/// Returns the command-line definition, with the flags of all commands, for help of this length.
pub fn command(length: Length) -> Command {
    let mut command = Cli::command();
    // Builds the flags of the commands, which are deferred.
    command.build();
    for_help(command, length)
}

fn for_help(command: Command, length: Length) -> Command {
    let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let details = command.get_after_long_help().map(|details| format!("{details}\n\n{examples}"));
    let command = match length {
        Length::Short => command.mut_args(brief),
        // clap shows either the details or the examples.
        Length::Long => command.after_long_help(Resettable::from(details.map(Into::into))),
    };
    // Lines are wrapped later, at the width of the terminal.
    command.term_width(0).mut_subcommands(|sub| {
        // The command `help` is hidden from lists of commands.
        let sub = if sub.get_name() == "help" { sub.hide(true) } else { sub };
        for_help(sub, length)
    })
}

/// Removes what the few flags of `-h` do without: headings, and possible values, which take several
/// lines. A positional argument is shown in full.
fn brief(argument: Arg) -> Arg {
    if argument.is_positional() {
        argument
    } else {
        argument.help_heading(None::<&str>).hide_possible_values(true)
    }
}

/// Returns the help that these arguments request.
pub(super) fn help(arguments: &[String]) -> String {
    let mut words = arguments.iter().skip(1).map(String::as_str);
    let is_long = words.next() == Some("help") || arguments.iter().any(|word| word == "--help");
    let length = if is_long { Length::Long } else { Length::Short };
    match command(length).try_get_matches_from(arguments) {
        Ok(_) => String::new(),
        Err(help) => laid_out(&help.render().to_string(), terminal::width()),
    }
}

/// Wraps a help text; the examples at its end stay commands that a shell accepts.
fn laid_out(help: &str, width: usize) -> String {
    let (help, examples) = help.split_once("Examples:\n").unwrap_or((help, ""));
    let help: String = help.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    format!("{}{}", wrap::lines(&help, width, 0), examples::section(examples, width))
}
