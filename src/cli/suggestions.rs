//! Usage errors: clap's messages, with hints for flags and commands known from other programs.

use std::path::Path;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory, Error, Parser};

use super::Cli;
use crate::emit::shell;
use crate::text::sanitize::clean_lines;

/// Flags or commands of other programs, and the hint to show for them. The first matching entry is
/// used.
struct ForeignFlag {
    words: &'static [&'static str],
    /// The commands for which the hint holds; empty for all.
    commands: &'static [&'static str],
    instead: &'static str,
}

const fn word(words: &'static [&'static str], instead: &'static str) -> ForeignFlag {
    ForeignFlag { words, commands: &[], instead }
}

const fn word_of(
    commands: &'static [&'static str],
    words: &'static [&'static str],
    instead: &'static str,
) -> ForeignFlag {
    ForeignFlag { words, commands, instead }
}

const FLAGS: &[ForeignFlag] = &[
    word(&["--version", "-V"], "`gvtg-xml --version` prints the version"),
    word(
        &["--list-rules", "--rules-list", "--explain"],
        "`gvtg-xml explain` lists the rules, `gvtg-xml explain RULE` explains one",
    ),
    word_of(
        &["lint"],
        &["--fix", "--write", "-w", "--in-place", "-i", "--apply", "--autofix"],
        "`lint` changes nothing; `gvtg-xml fix --in-place FILE` changes the file",
    ),
    word_of(
        &["lint"],
        &["--diff", "--check", "--dry-run", "-n", "--no-write", "--preview", "--show-fixes"],
        "`gvtg-xml fix --diff FILE` shows what would change",
    ),
    word_of(
        &["fix"],
        &["--write", "-w", "--fix", "--inplace", "--overwrite", "--save", "--apply"],
        "--in-place writes the files",
    ),
    word_of(
        &["fix"],
        &["--dry-run", "-n", "--no-write", "--preview", "--show-fixes"],
        "--diff shows the changes, --check lists the files that would change",
    ),
    word_of(
        &["fix"],
        &["--undo", "--revert", "--restore", "--remove"],
        "`fix` can't be undone: save the XML first with `virsh dumpxml --inactive --security-info win10 > win10.xml`; `virsh define win10.xml` restores it",
    ),
    word_of(
        &["emit"],
        &["--dry-run", "-n", "--no-write", "--preview", "--check"],
        "--diff shows what would change below --root, for example `gvtg-xml emit all --root / --diff win10.xml`",
    ),
    word_of(
        &["emit"],
        &["--undo", "--revert", "--restore", "--remove", "--uninstall", "--delete", "--clean"],
        "`gvtg-xml emit all --root / --remove` removes the files again",
    ),
    word_of(
        &["emit"],
        &["--write", "-w", "--install", "--in-place", "-i"],
        "`--root /` writes the file to this machine",
    ),
    word_of(
        &["emit"],
        &["--output", "-o", "--out", "--output-file"],
        "the file goes to stdout: add `> FILE`, or write it to its place below a folder with `--root DIR`",
    ),
    word_of(
        &["fix"],
        &["--output", "-o", "--out"],
        "the domain goes to stdout: `gvtg-xml fix FILE > NEW`; --output-file is for the report",
    ),
    word_of(
        &["lint"],
        &["--output", "-o", "--out"],
        "--output-file FILE, after --format, writes that report to a file",
    ),
    word_of(
        &["host", "types", "config", "kubevirt", "generate"],
        &["--output", "-o", "--out", "--output-file"],
        "the output goes to stdout: add `> FILE`",
    ),
    word_of(
        &["lint", "fix", "config", "lsp"],
        &["--select", "--enable", "--rule", "--include"],
        "--only RULE[,RULE]… checks only these rules or groups of rules",
    ),
    word_of(
        &["lint", "fix"],
        &["--exclude", "--exclude-dir", "--extend-exclude", "--ignore-path", "--glob", "-g"],
        "files can't be excluded: name the files or folders to check instead (--ignore RULE disables rules, not files)",
    ),
    word_of(
        &["lint", "fix", "config", "lsp", "host", "kubevirt"],
        &["--disable", "--skip", "--except", "--extend-ignore", "--suppress-rule"],
        "--ignore RULE[,RULE]… disables rules",
    ),
    word_of(
        &["lint", "fix"],
        &["--noqa", "--add-noqa", "--suppress-all"],
        "`gvtg-xml fix --suppress RULE --reason TEXT` suppresses findings in the domain",
    ),
    word_of(
        &["lint", "fix"],
        &["--output-format", "--reporter", "--formatter", "-f"],
        "--format selects the report's format",
    ),
    word_of(
        &["lint", "fix"],
        &["--json", "--sarif", "--github", "--junit"],
        "--format selects the report's format: json, sarif, github, junit …",
    ),
    word_of(
        &["host", "types", "config"],
        &["--json", "--output-format", "--reporter", "--formatter", "-f"],
        "--format json prints JSON",
    ),
    word_of(
        &["host", "types", "config"],
        &["--sarif", "--github", "--gitlab", "--junit"],
        "--format takes only text and json here",
    ),
    word_of(
        &["lint", "fix", "config"],
        &[
            "--severity",
            "--min-severity",
            "--level",
            "--max-warnings",
            "--strict",
            "--werror",
            "--fail-level",
        ],
        "--fail-on SEVERITY sets the lowest severity for exit code 1: info, warning or error",
    ),
    word_of(
        &["fix", "config"],
        &["--unsafe", "--force", "--aggressive"],
        "--unsafe-fixes also applies fixes that may lose something you want",
    ),
    word_of(
        &["lint", "fix", "emit"],
        &["--stdin", "--stdin-filepath", "--stdin-file-path", "--stdin-path"],
        "stdin is read if there is no FILE, or for `-`; --stdin-filename NAME sets its name",
    ),
    word_of(
        &["lint", "fix", "emit", "host", "config", "lsp"],
        &["--no-config", "--no-rc"],
        "--isolated reads no configuration",
    ),
    word_of(
        &["lint", "fix", "emit", "host", "config", "lsp"],
        &["-c"],
        "--config FILE selects the configuration",
    ),
    word_of(
        &["lint", "fix", "config"],
        &["--no-color", "--no-colour", "--colour", "--colors"],
        "--color never, auto or always",
    ),
    word(
        &["--no-color", "--no-colour", "--color", "--colour"],
        "set NO_COLOR=1 in the environment: this command has no --color",
    ),
    word_of(
        &["lint", "fix", "emit", "host", "kubevirt"],
        &["--silent", "-s"],
        "--quiet prints less",
    ),
    word_of(
        &["lint", "fix", "config", "lsp", "kubevirt", "emit"],
        &["--target", "--target-version", "--libvirt-version"],
        "--libvirt VERSION sets the libvirt that will read the domain",
    ),
    word_of(
        &["lint", "fix", "emit", "host"],
        &["--recursive", "-r", "-R"],
        "folders are always searched recursively: just name the folder",
    ),
];

const COMMANDS: &[ForeignFlag] = &[
    word_of(
        &["emit"],
        &["grub", "bootloader", "kernel", "parameters"],
        "`gvtg-xml emit cmdline` prints the kernel parameters; add --bootloader grub for a GRUB file",
    ),
    word_of(
        &["emit"],
        &["mdev", "vgpu"],
        "`gvtg-xml emit hook` prints the hook that creates vGPUs; nodedev and mdevctl are alternatives",
    ),
    word_of(
        &["emit"],
        &["remove", "undo", "revert", "restore", "uninstall", "delete", "clean"],
        "`gvtg-xml emit all --root / --remove` removes the files again",
    ),
    word(
        &["check", "validate", "verify", "scan", "analyze", "analyse", "show"],
        "`gvtg-xml lint` reports problems; `gvtg-xml fix --check` lists the files that would change",
    ),
    word(
        &["format", "fmt", "apply", "convert", "patch", "repair", "mend", "write", "edit"],
        "`gvtg-xml fix` writes the fixed domain",
    ),
    word(&["diff"], "`gvtg-xml fix --diff` shows what would change"),
    word(
        &["rule", "rules", "list", "why", "docs"],
        "`gvtg-xml explain` lists the rules, `gvtg-xml explain RULE` explains one",
    ),
    word(
        &["man", "manual", "manpage", "manpages"],
        "`gvtg-xml generate man` prints the manual page, `gvtg-xml generate man DIR` writes all of them",
    ),
    word(
        &["doctor", "diagnose", "status", "probe", "info", "system"],
        "`gvtg-xml host` checks this machine; `gvtg-xml explain` explains messages and logs",
    ),
    word(
        &["server", "language-server", "languageserver"],
        "`gvtg-xml lsp` runs the language server",
    ),
    word(
        &["completion", "completions", "schema"],
        "`gvtg-xml generate` prints shell completions and the configuration's schema",
    ),
    word(
        &["init", "settings", "conf", "configuration"],
        "`gvtg-xml config` shows the settings; to change them, write a file named gvtg-xml.toml",
    ),
    word(
        &["install", "setup", "prepare"],
        "`gvtg-xml emit all --root /` writes all files that the host needs; `gvtg-xml emit hook` prints the hook only",
    ),
    word(
        &["undo", "revert", "remove", "restore", "rollback", "reset", "uninstall"],
        "`virsh define BACKUP.xml` restores a VM from XML that you saved; `gvtg-xml emit all --root / --remove` removes the files from the host",
    ),
    word(
        &["suppress", "ignore", "noqa"],
        "`gvtg-xml fix --suppress RULE --reason TEXT` suppresses findings in the domain",
    ),
    word(&["vgpus", "gpus", "list-types", "type"], "`gvtg-xml types` lists the vGPU types"),
    word(&["version"], "`gvtg-xml --version` prints the version"),
];

/// Renders a usage error. User input is escaped, so that it cannot fake lines of output.
pub(super) fn render_usage_error(error: Error, arguments: &[String]) -> String {
    let error = Cli::try_parse_from(arguments).err().unwrap_or(error);
    let (path, mut command) = find_command(arguments);
    if let Some(message) = empty_value_message(&error, arguments) {
        return message;
    }
    let hint = hint(&error, arguments, &path);
    clean_lines(&render_with_hint(error, hint, &mut command))
}

/// Renders an error with a hint, if there is one, and the command's usage.
fn render_with_hint(mut error: Error, hint: Option<String>, command: &mut Command) -> String {
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
    if let Some(hint) = hint {
        for other in [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand] {
            error.remove(other);
        }
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(hint)]));
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

fn hint(error: &Error, arguments: &[String], path: &[String]) -> Option<String> {
    let command = path.first().map_or("", String::as_str);
    let first = arguments.get(1).map_or("", String::as_str);
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let flag = text(error, ContextKind::InvalidArg)?.split('=').next()?;
            let commands_with_flag = commands_with(flag);
            if first.starts_with('-') && !commands_with_flag.is_empty() {
                return hint_for_misplaced_flag(flag, arguments, path, &commands_with_flag);
            }
            let instead = foreign_hint(FLAGS, command, flag).map(str::to_owned);
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
            let hint_for_kind = || {
                let is_kind = command.is_empty()
                    && all_commands().iter().any(|(path, _)| *path == format!("emit {word}"));
                let kind_hint = format!(
                    "`gvtg-xml emit {word}` prints the file; `gvtg-xml emit all --root /` writes all files that the host needs"
                );
                is_kind.then_some(kind_hint)
            };
            let is_file = word == first && Path::new(word).exists();
            let hint_for_file = || match (word.ends_with(".log"), shell::argument(word)) {
                (true, log) => format!("the command is missing: `gvtg-xml explain {log}`"),
                (false, file) => format!(
                    "the command is missing: `gvtg-xml lint {file}` or `gvtg-xml fix {file}`"
                ),
            };
            foreign_hint(COMMANDS, command, word)
                .map(str::to_owned)
                .or_else(hint_for_kind)
                .or_else(|| is_file.then(hint_for_file))
        }
        _ => None,
    }
}

/// Returns the hint for a flag before the command; `commands_with_flag` are those that have it.
fn hint_for_misplaced_flag(
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

impl ForeignFlag {
    /// Whether the entry has this word and applies to this command.
    fn fits(&self, command: &str, word: &str) -> bool {
        self.words.contains(&word) && (self.commands.is_empty() || self.commands.contains(&command))
    }
}

/// Returns the hint for a word of another program.
fn foreign_hint(table: &'static [ForeignFlag], command: &str, word: &str) -> Option<&'static str> {
    table.iter().find(|entry| entry.fits(command, word)).map(|entry| entry.instead)
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
    use super::*;

    #[test]
    fn lists_only_words_that_this_program_lacks() {
        let mut command = Cli::command();
        command.build();
        for ForeignFlag { words, commands, .. } in COMMANDS {
            let around: Vec<&Command> = match commands {
                [] => vec![&command],
                names => names.iter().map(|name| command.find_subcommand(name).unwrap()).collect(),
            };
            for word in *words {
                around.iter().for_each(|command| {
                    assert!(command.find_subcommand(word).is_none(), "{word} is a command")
                });
            }
        }
        let all: Vec<String> =
            command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        for (index, ForeignFlag { words, commands, .. }) in FLAGS.iter().enumerate() {
            for word in *words {
                let commands_with_word = commands_with(word);
                commands.iter().for_each(|command| {
                    assert!(
                        !commands_with_word.iter().any(|other| other == command),
                        "{command} has {word}"
                    )
                });
                let is_hidden = |command: &str| {
                    FLAGS[..index].iter().any(|earlier| earlier.fits(command, word))
                };
                let names = if commands.is_empty() {
                    all.iter().map(String::as_str).collect()
                } else {
                    commands.to_vec()
                };
                assert!(
                    names.iter().any(|command| !is_hidden(command)),
                    "an earlier entry has {word}"
                );
            }
        }
    }

    #[test]
    fn suggests_only_existing_commands_and_flags() {
        let mut command = Cli::command();
        command.build();
        for ForeignFlag { commands, instead, .. } in FLAGS.iter().chain(COMMANDS) {
            for (before, _) in instead.match_indices("gvtg-xml ") {
                let name = instead[before + "gvtg-xml ".len()..].split([' ', '`']).next().unwrap();
                assert!(
                    name == "--version" || command.find_subcommand(name).is_some(),
                    "{instead}"
                );
            }
            let flags = instead.split([' ', '`']).filter(|word| word.starts_with("--"));
            for flag in flags.map(|word| {
                word.trim_end_matches([',', ';', ':', ')']).split(['=', '[']).next().unwrap()
            }) {
                let is_others = matches!(flag, "--version" | "--inactive" | "--security-info");
                assert!(is_others || !commands_with(flag).is_empty(), "{instead}: {flag}");
                // A flag at the start of the hint belongs to the command that was given.
                let is_own = instead.starts_with(flag);
                let has_it = |command: &&str| {
                    commands_with(flag)
                        .iter()
                        .any(|other| other == command || other.starts_with(&format!("{command} ")))
                };
                assert!(!is_own || commands.iter().all(has_it), "{commands:?} have no {flag}");
            }
        }
    }
}
