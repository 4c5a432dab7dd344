//! Usage errors: clap's messages, with tips for flags and commands known from other programs.

use std::path::Path;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory, Error, Parser};

use super::Cli;
use super::tips::tip_for;
use crate::emit::shell;
use crate::text::sanitize::clean_lines;

/// Renders a usage error. User input is escaped, so that it cannot fake lines of output.
pub(super) fn render_usage_error(error: Error, arguments: &[String]) -> String {
    let error = Cli::try_parse_from(arguments).err().unwrap_or(error);
    let (path, mut command) = find_command(arguments);
    if let Some(message) = empty_value_message(&error, arguments) {
        return message;
    }
    let tip = tip(&error, arguments, &path);
    clean_lines(&render_with_tip(error, tip, &mut command))
}

/// Renders an error with a tip, if there is one, and the command's usage.
fn render_with_tip(mut error: Error, tip: Option<String>, command: &mut Command) -> String {
    let usage = command.render_usage();
    // An error raised by this program, which clap has rendered with the usage of the whole program.
    if error.kind() == ErrorKind::ArgumentConflict && error.get(ContextKind::InvalidArg).is_none() {
        let message = error.render().to_string();
        let message = message.lines().next().unwrap_or_default();
        return format!("{message}\n\n{usage}\n\nFor more information, try '--help'.\n");
    }
    if error.get(ContextKind::Usage).is_some() {
        error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
    }
    // Values that are only offered for completion are not all that the flag accepts.
    let flag =
        text(&error, ContextKind::InvalidArg).and_then(|shown| shown.split([' ', '=']).next());
    let flag = flag.and_then(|flag| flag.strip_prefix("--")).and_then(|name| {
        command.get_arguments().find(|argument| argument.get_long() == Some(name))
    });
    if flag.is_some_and(Arg::is_hide_possible_values_set) {
        error.remove(ContextKind::ValidValue);
    }
    if let Some(tip) = tip {
        for other in [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand] {
            error.remove(other);
        }
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
    }
    error.render().to_string()
}

/// Finds the command that the arguments name, and returns its path and definition. Flags before it,
/// where they are not allowed, are skipped.
fn find_command(arguments: &[String]) -> (Vec<String>, Command) {
    let mut command = Cli::command();
    command.build();
    let mut rest = arguments.get(1..).unwrap_or_default();
    if rest.first().is_some_and(|word| word.starts_with('-')) {
        let command_index = rest.iter().position(|word| command.find_subcommand(word).is_some());
        rest = command_index.map_or(&[], |command_index| &rest[command_index..]);
    }
    let mut path: Vec<String> = Vec::new();
    for word in rest.iter().filter(|word| !word.starts_with('-')) {
        let Some(sub) = command.find_subcommand(word).cloned() else { break };
        path.push(word.clone());
        command = sub;
    }
    (path, command)
}

/// Returns the message for an empty value (`--flag=` or `""`), which clap reports as a missing one.
fn empty_value_message(error: &Error, arguments: &[String]) -> Option<String> {
    let is_empty = error.kind() == ErrorKind::InvalidValue
        && text(error, ContextKind::InvalidValue)?.is_empty();
    let is_given = arguments.iter().any(|argument| argument.is_empty() || argument.ends_with('='));
    let argument_name = text(error, ContextKind::InvalidArg)?;
    (is_empty && is_given).then(|| {
        format!(
            "error: the value for '{argument_name}' is empty\n\n  tip: is a shell variable unset, as in \"$FILE\"?\n\n\
             For more information, try '--help'.\n"
        )
    })
}

fn tip(error: &Error, arguments: &[String], path: &[String]) -> Option<String> {
    let command = path.first().map_or("", String::as_str);
    let first = arguments.get(1).map_or("", String::as_str);
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let flag = text(error, ContextKind::InvalidArg)?.split('=').next()?;
            let commands_with_flag = commands_with(flag);
            if first.starts_with('-') && !commands_with_flag.is_empty() {
                return tip_for_misplaced_flag(flag, arguments, path, &commands_with_flag);
            }
            let instead = tip_for(command, flag);
            let elsewhere = || {
                commands_with_flag.last().filter(|_| error.get(ContextKind::SuggestedArg).is_none())
            };
            instead.or_else(|| {
                elsewhere().map(|command| format!("`gvtg-xml {command}` has this option"))
            })
        }
        ErrorKind::MissingRequiredArgument
            if path == ["emit", "all"] && arguments.iter().any(|word| word == "--dry-run") =>
        {
            Some("--dry-run is for --remove; --diff shows what would be written".to_owned())
        }
        ErrorKind::InvalidSubcommand => {
            let word = text(error, ContextKind::InvalidSubcommand)?;
            let tip_for_kind = || {
                let is_kind = command.is_empty()
                    && all_commands().iter().any(|(path, _)| *path == format!("emit {word}"));
                let kind_tip = format!(
                    "`gvtg-xml emit {word}` prints the file; `gvtg-xml emit all --root /` writes all files that the host needs"
                );
                is_kind.then_some(kind_tip)
            };
            let is_file = word == first && Path::new(word).exists();
            let tip_for_file = || match (word.ends_with(".log"), shell::argument(word)) {
                (true, log) => format!("the command is missing: `gvtg-xml explain {log}`"),
                (false, file) => format!(
                    "the command is missing: `gvtg-xml lint {file}` or `gvtg-xml fix {file}`"
                ),
            };
            tip_for(command, word).or_else(tip_for_kind).or_else(|| is_file.then(tip_for_file))
        }
        _ => None,
    }
}

/// Returns the tip for a flag before the command; `commands_with_flag` are those that have it.
fn tip_for_misplaced_flag(
    flag: &str,
    arguments: &[String],
    path: &[String],
    commands_with_flag: &[String],
) -> Option<String> {
    let rest = &arguments[1..];
    let shown = |words: &[String]| {
        words.iter().map(|word| format!(" {}", shell::argument(word))).collect::<String>()
    };
    let Some(command) = path.first() else {
        return commands_with_flag
            .last()
            .map(|command| format!("put it after a command: `gvtg-xml {command}{}`", shown(rest)));
    };
    if !commands_with_flag.contains(&path.join(" ")) {
        return Some(format!("`gvtg-xml {}` has no {flag}", path.join(" ")));
    }
    let index = rest.iter().position(|word| word == command)?;
    let flags = &rest[..index];
    let after = &rest[index..];
    let (commands, others) = after.split_at(path.len().min(after.len()));
    Some(format!(
        "put it after the command: `gvtg-xml{}{}{}`",
        shown(commands),
        shown(flags),
        shown(others)
    ))
}

/// Returns all commands, including the kinds of `emit`, by their path.
fn all_commands() -> Vec<(String, Command)> {
    let mut root = Cli::command();
    root.build();
    let mut all = Vec::new();
    for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
        all.push((command.get_name().to_owned(), command.clone()));
        let kinds = command.get_subcommands().filter(|kind| kind.get_name() != "help");
        all.extend(
            kinds.map(|kind| (format!("{} {}", command.get_name(), kind.get_name()), kind.clone())),
        );
    }
    all
}

/// Returns the commands that have a flag; the one with the most flags is last.
fn commands_with(flag: &str) -> Vec<String> {
    let has_it = |argument: &Arg| {
        let long = argument.get_long().map(|long| format!("--{long}"));
        let short = argument.get_short().map(|short| format!("-{short}"));
        [long, short].iter().flatten().any(|name| name == flag)
    };
    let mut commands = all_commands();
    commands.retain(|(_, command)| command.get_arguments().any(has_it));
    commands.sort_by_key(|(_, command)| command.get_arguments().count());
    commands.into_iter().map(|(path, _)| path).collect()
}

fn text(error: &Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tips::{TIPS, Tip, tips};
    use super::*;

    /// Returns the paths of the commands that a tip applies to.
    fn commands_of(tip: &Tip) -> Vec<String> {
        let is_for = |path: &String| tip.commands == ["*"] || tip.commands.contains(&path.as_str());
        all_commands().into_iter().map(|(path, _)| path).filter(is_for).collect()
    }

    fn is_command(path: &str) -> bool {
        all_commands().iter().any(|(other, _)| other == path)
    }

    #[test]
    fn the_table_is_complete() {
        let lines = TIPS.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(tips().count(), lines);
        for tip in tips() {
            assert!(
                tip.commands.iter().all(|name| *name == "*" || is_command(name)),
                "{:?}",
                tip.commands
            );
        }
    }

    #[test]
    fn lists_only_words_that_this_program_lacks() {
        for (index, tip) in tips().enumerate() {
            for word in &tip.words {
                let owners = commands_with(word);
                let commands = commands_of(&tip);
                if word.starts_with('-') {
                    let own = commands.iter().find(|command| owners.contains(command));
                    assert!(tip.commands == ["*"] || own.is_none(), "{own:?} has {word}");
                } else {
                    assert!(!is_command(word) || tip.commands != ["*"], "{word} is a command");
                    let own = commands.iter().find(|path| is_command(&format!("{path} {word}")));
                    assert_eq!(own, None, "it has {word}");
                }
                let is_hidden =
                    |command: &String| tips().take(index).any(|other| other.fits(command, word));
                assert!(!commands.iter().all(is_hidden), "an earlier tip has {word}");
            }
        }
    }

    #[test]
    fn suggests_only_existing_commands_and_flags() {
        for tip in tips() {
            let text = tip.text;
            for command in text.split("gvtg-xml ").skip(1) {
                let name = command.split([' ', '`']).next().unwrap();
                assert!(name == "--version" || is_command(name), "{text}");
            }
            let flags = text.split([' ', '`']).filter(|word| word.starts_with("--"));
            for flag in flags.map(|word| {
                word.trim_end_matches([',', ';', ':', ')']).split(['=', '[']).next().unwrap()
            }) {
                let is_foreign = matches!(flag, "--version" | "--inactive" | "--security-info");
                assert!(is_foreign || !commands_with(flag).is_empty(), "{text}: {flag}");
                // A flag at the start of the tip belongs to the command that was given.
                let has_it = |command: &&str| {
                    commands_with(flag)
                        .iter()
                        .any(|other| other == command || other.starts_with(&format!("{command} ")))
                };
                let is_own = text.starts_with(flag);
                assert!(!is_own || tip.commands.iter().all(has_it), "{text}: {flag} is missing");
            }
        }
    }
}
