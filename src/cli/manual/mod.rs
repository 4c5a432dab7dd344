//! What is told of the command line: by `-h`, by `--help`, on manual pages. A run that does its
//! work needs none of it, so it is put together only where somebody asks.

use clap::{Arg, Command, CommandFactory};

mod examples;
mod flags;
mod roff;
mod texts;

pub(super) use roff::{first as first_page, pages};
pub use texts::{Example, PAGES, Page};

use super::wrap::{trimmed, wrapped};
use super::{Cli, terminal};

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// `-h`: the usual flags, a line each.
    Short,
    /// `--help`: all flags.
    Long,
}

/// The command line with all that is told of it.
pub fn command(length: Length) -> Command {
    let mut command = Cli::command();
    // The flags of commands are there from then on.
    command.build();
    with_long_help(command, "", length)
}

/// The page about a command, by the names behind the program's: `emit hook`.
pub fn page(path: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.command == path)
}

fn with_long_help(command: Command, path: &str, length: Length) -> Command {
    let page = page(path);
    let command = command.mut_args(|argument| described(argument, path, page, length));
    command.mut_subcommands(|sub| {
        // Nobody looks for help about help in a list.
        let sub = if sub.get_name() == "help" { sub.hide(true) } else { sub };
        let path = format!("{path} {}", sub.get_name());
        with_long_help(sub, path.trim_start(), length)
    })
}

fn described(argument: Arg, path: &str, page: Option<&Page>, length: Length) -> Arg {
    let id = argument.get_id().as_str().to_owned();
    let usual = page.map_or(&[][..], |page| page.usual);
    let is_usual =
        usual.is_empty() || usual.contains(&&*id) || id == "help" || argument.is_positional();
    let argument = match flags::long(path, &id) {
        Some(long) => argument.long_help(long),
        None => argument,
    };
    let has_heading = argument.get_help_heading().is_some();
    let argument = match (length, flags::heading(path, &id)) {
        // A few flags need no order.
        (Length::Short, _) => argument.help_heading(None::<&str>),
        (Length::Long, Some(heading)) if !has_heading && !argument.is_positional() => {
            argument.help_heading(heading)
        }
        _ => argument,
    };
    // A list of values would take lines: -h has the flag, --help what can stand behind it. A word
    // that has to be given is told whole.
    let is_brief = length == Length::Short && !argument.is_positional();
    let argument = argument.hide_possible_values(is_brief).hide_short_help(!is_usual);
    match (&*id, usual.is_empty()) {
        ("help", false) => argument
            .help("Print help; --help lists all options")
            .long_help("Print help; -h lists the common options only"),
        ("help", true) => argument
            .help("Print help; --help has more detail")
            .long_help("Print help; -h prints a summary"),
        _ => argument,
    }
}

/// The help that somebody has asked for with these arguments.
pub(super) fn help(arguments: &[String]) -> String {
    let words = || arguments.iter().skip(1).map(String::as_str);
    let is_long = words().any(|word| word == "--help") || words().next() == Some("help");
    let mut command = command(if is_long { Length::Long } else { Length::Short });
    let width = terminal::width();
    command = command.term_width(width);
    let mut path = String::new();
    let mut asked = &command;
    for word in words().skip_while(|word| *word == "help") {
        let Some(sub) = asked.find_subcommand(word) else { break };
        asked = sub;
        path = format!("{path} {word}").trim_start().to_owned();
    }
    // clap writes down the width where it begins.
    let mut asked = asked.clone().term_width(width);
    let help = if is_long { asked.render_long_help() } else { asked.render_help() };
    let help = trimmed(&help.to_string());
    // clap breaks all lines but this.
    let usage = help.lines().find(|line| line.starts_with("Usage: ")).unwrap_or("");
    let help = help.replacen(usage, &wrapped(usage, width), 1);
    let page = page(&path);
    let examples = page.map_or(String::new(), |page| examples::section(page.examples, width));
    let codes = page.filter(|_| is_long).map_or(String::new(), |page| exit_codes(page, width));
    format!("{help}{codes}{examples}")
}

fn exit_codes(page: &Page, width: usize) -> String {
    let codes: String =
        page.exit_status.iter().map(|(code, means)| format!("  {code}  {means}\n")).collect();
    if codes.is_empty() { codes } else { format!("\nExit codes:\n{}", wrapped(&codes, width)) }
}
