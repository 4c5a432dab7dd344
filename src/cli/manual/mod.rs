//! Help texts and manual pages, built on demand because a normal run does not need them.

use clap::{Arg, Command, CommandFactory};

mod examples;
mod flags;
mod roff;
mod texts;

pub(super) use roff::{first as first_page, pages};
pub use texts::{Example, PAGES, Page};

use super::wrap::{trimmed, wrapped};
use super::{Cli, terminal};

/// Length of a help text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// `-h`: the common flags, one line each.
    Short,
    /// `--help`: all flags.
    Long,
}

/// Returns the command-line definition with all help texts.
pub fn command(length: Length) -> Command {
    let mut command = Cli::command();
    // Builds the flags of the commands, which are deferred.
    command.build();
    with_long_help(command, "", length)
}

/// Returns the page of a command, given by its path without the program's name, such as `emit
/// hook`.
pub fn page(path: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.command == path)
}

fn with_long_help(command: Command, path: &str, length: Length) -> Command {
    let page = page(path);
    let command = command.mut_args(|argument| with_texts(argument, path, page, length));
    command.mut_subcommands(|sub| {
        // The command `help` is hidden from lists of commands.
        let sub = if sub.get_name() == "help" { sub.hide(true) } else { sub };
        let path = format!("{path} {}", sub.get_name());
        with_long_help(sub, path.trim_start(), length)
    })
}

fn with_texts(argument: Arg, path: &str, page: Option<&Page>, length: Length) -> Arg {
    let id = argument.get_id().as_str().to_owned();
    let common_flags = page.map_or(&[][..], |page| page.usual);
    let is_common = common_flags.is_empty()
        || common_flags.contains(&&*id)
        || id == "help"
        || argument.is_positional();
    let argument = match flags::long(path, &id) {
        Some(long) => argument.long_help(long),
        None => argument,
    };
    let has_heading = argument.get_help_heading().is_some();
    let argument = match (length, flags::heading(path, &id)) {
        // The few flags of `-h` need no headings.
        (Length::Short, _) => argument.help_heading(None::<&str>),
        (Length::Long, Some(heading)) if !has_heading && !argument.is_positional() => {
            argument.help_heading(heading)
        }
        _ => argument,
    };
    // `-h` shows a flag without its possible values, which take several lines. A positional
    // argument is shown in full.
    let is_brief = length == Length::Short && !argument.is_positional();
    let argument = argument.hide_possible_values(is_brief).hide_short_help(!is_common);
    match (&*id, common_flags.is_empty()) {
        ("help", false) => argument
            .help("Print help; --help lists all options")
            .long_help("Print help; -h lists the common options only"),
        ("help", true) => argument
            .help("Print help; --help has more detail")
            .long_help("Print help; -h prints a summary"),
        _ => argument,
    }
}

/// Returns the help that these arguments request.
pub(super) fn help(arguments: &[String]) -> String {
    let words = || arguments.iter().skip(1).map(String::as_str);
    let is_long = words().any(|word| word == "--help") || words().next() == Some("help");
    let mut command = command(if is_long { Length::Long } else { Length::Short });
    let width = terminal::width();
    command = command.term_width(width);
    let mut path = String::new();
    let mut requested = &command;
    for word in words().skip_while(|word| *word == "help") {
        let Some(sub) = requested.find_subcommand(word) else { break };
        requested = sub;
        path = format!("{path} {word}").trim_start().to_owned();
    }
    // clap reads the width from the command that it renders.
    let mut requested = requested.clone().term_width(width);
    let help = if is_long { requested.render_long_help() } else { requested.render_help() };
    let help = trimmed(&help.to_string());
    // clap wraps all lines but this one.
    let usage = help.lines().find(|line| line.starts_with("Usage: ")).unwrap_or("");
    let help = help.replacen(usage, &wrapped(usage, width), 1);
    let page = page(&path);
    let examples = page.map_or(String::new(), |page| examples::section(page.examples, width));
    let codes = match page {
        Some(page) if is_long => exit_codes(page, width),
        _ => String::new(),
    };
    format!("{help}{codes}{examples}")
}

fn exit_codes(page: &Page, width: usize) -> String {
    let codes: String =
        page.exit_status.iter().map(|(code, means)| format!("  {code}  {means}\n")).collect();
    if codes.is_empty() { codes } else { format!("\nExit codes:\n{}", wrapped(&codes, width)) }
}
