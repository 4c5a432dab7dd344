//! What to say of a command line that can't be read: clap's words, and what is meant where somebody uses another program's.

use std::path::Path;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory, Error, Parser};

use super::Cli;
use crate::emit::shell;
use crate::printable::clean_lines;

/// Words that other linters and formatters have, and what does it here. The first that fits is taken.
struct Familiar {
    words: &'static [&'static str],
    /// The command that it is said to; none: any.
    behind: Option<&'static str>,
    instead: &'static str,
}

const fn word(words: &'static [&'static str], instead: &'static str) -> Familiar {
    Familiar { words, behind: None, instead }
}

const fn word_of(behind: &'static str, words: &'static [&'static str], instead: &'static str) -> Familiar {
    Familiar { words, behind: Some(behind), instead }
}

const FLAGS: &[Familiar] = &[
    word_of("lint", &["--fix", "--write", "-w", "--in-place", "-i", "--apply", "--autofix"], "`lint` changes nothing: `gvtg-xml fix` does"),
    word_of("lint", &["--diff", "--check"], "`gvtg-xml fix` has it: gvtg-xml fix --diff FILE"),
    word_of("fix", &["--write", "-w", "--fix", "--inplace", "--overwrite", "--save", "--apply"], "--in-place writes the files"),
    word(
        &["--dry-run", "-n", "--no-write", "--preview", "--show-fixes"],
        "`gvtg-xml fix --diff` shows the changes, `fix --check` names the files",
    ),
    word(&["--select", "--enable", "--rule", "--include"], "--only RULE[,RULE]… asks no other rules or groups of them"),
    word(
        &["--disable", "--exclude", "--skip", "--except", "--extend-ignore", "--suppress-rule"],
        "--ignore RULE[,RULE]… leaves out rules or groups of them",
    ),
    word(&["--noqa", "--add-noqa", "--suppress-all"], "`gvtg-xml fix --suppress RULE --reason TEXT` writes down what is to be ignored"),
    word(&["--output-format", "--reporter", "--formatter", "-f"], "--format says how findings are printed"),
    word(&["--json", "--sarif", "--github", "--junit"], "--format json (sarif, github, junit …) says how findings are printed"),
    word_of("fix", &["--output", "-o", "--out"], "the domain goes to stdout: gvtg-xml fix FILE > NEW; --output-file is for the report"),
    word(&["--output", "-o", "--out"], "--output-file FILE is where the report of the --format before it goes"),
    word(
        &["--severity", "--min-severity", "--level", "--max-warnings", "--strict", "--werror", "--fail-level"],
        "--fail-on says which severity makes the exit code 1",
    ),
    word(&["--unsafe", "--force", "--aggressive"], "--unsafe-fixes also makes fixes that may lose something you want"),
    word(
        &["--stdin", "--stdin-filepath", "--stdin-file-path", "--stdin-path"],
        "stdin is read without a FILE, or for `-`; --stdin-filename gives it a name",
    ),
    word(&["--no-config", "--no-rc"], "--isolated reads no configuration"),
    word(&["-c"], "--config FILE"),
    word(&["--no-color", "--no-colour", "--colour", "--colors"], "--color never (auto, always)"),
    word(&["--silent", "-s"], "--quiet"),
    word(&["--list-rules", "--rules-list", "--explain"], "`gvtg-xml explain` lists the rules, `gvtg-xml explain RULE` says more about one"),
    word(&["--target", "--target-version", "--libvirt-version"], "--libvirt VERSION says which libvirt will read the domain"),
    word(&["--recursive", "-r", "-R"], "folders are searched as they are: name one"),
];

const COMMANDS: &[Familiar] = &[
    word_of(
        "emit",
        &["grub", "bootloader", "kernel", "parameters"],
        "`gvtg-xml emit cmdline` has the kernel parameters; --bootloader grub as a file",
    ),
    word_of("emit", &["mdev", "vgpu"], "`gvtg-xml emit hook` makes vGPUs; so do nodedev and mdevctl"),
    word(
        &["check", "validate", "verify", "scan", "analyze", "analyse", "show"],
        "`gvtg-xml lint` says what is wrong; `gvtg-xml fix --check` names what would change",
    ),
    word(&["format", "fmt", "apply", "convert", "patch", "repair", "mend", "write", "edit"], "`gvtg-xml fix` writes the mended domain"),
    word(&["diff"], "`gvtg-xml fix --diff` shows the changes"),
    word(
        &["rule", "rules", "list", "why", "docs", "man"],
        "`gvtg-xml explain` lists the rules, `gvtg-xml explain RULE` says more about one",
    ),
    word(
        &["doctor", "diagnose", "status", "probe", "info", "system"],
        "`gvtg-xml host` says what this machine lacks; `gvtg-xml explain` reads logs",
    ),
    word(&["server", "language-server", "languageserver"], "`gvtg-xml lsp` is the language server"),
    word(
        &["completion", "completions", "manpage", "manpages", "schema"],
        "`gvtg-xml generate` prints manual pages, completions and the configuration's schema",
    ),
    word(
        &["init", "settings", "conf", "configuration"],
        "`gvtg-xml config` shows what is in force; the configuration is a file, gvtg-xml.toml",
    ),
    word(
        &["hook", "modules", "cmdline", "modprobe", "nodedev", "mdevctl", "udev", "filter", "install", "setup"],
        "`gvtg-xml emit all --root /` writes what the host needs; the hook alone: gvtg-xml emit hook",
    ),
    word(&["suppress", "ignore", "noqa"], "`gvtg-xml fix --suppress RULE --reason TEXT` writes down what is to be ignored"),
    word(&["vgpus", "gpus", "list-types", "type"], "`gvtg-xml types` lists the types of vGPUs"),
    word(&["version"], "gvtg-xml --version"),
];

/// What to say. What somebody typed, or a script pasted, is in it, and must not look like a line of it.
pub(super) fn told(error: Error, arguments: &[String]) -> String {
    let mut error = Cli::try_parse_from(arguments).err().unwrap_or(error);
    if let Some(said) = empty_name(&error, arguments) {
        return said;
    }
    if let Some(tip) = tip(&error, arguments) {
        for other in [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand] {
            error.remove(other);
        }
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
    }
    clean_lines(&error.render().to_string())
}

/// Where an empty word stands for a name: clap takes it for none.
fn empty_name(error: &Error, arguments: &[String]) -> Option<String> {
    let is_empty = error.kind() == ErrorKind::InvalidValue && text(error, ContextKind::InvalidValue)?.is_empty();
    let is_given = arguments.iter().any(|argument| argument.is_empty() || argument.ends_with('='));
    let what = text(error, ContextKind::InvalidArg)?;
    (is_empty && is_given).then(|| {
        format!(
            "error: the name that was given for '{what}' is empty\n\n  tip: a variable of the shell may be unset, as in \"$FILE\"\n\n\
             For more information, try '--help'.\n"
        )
    })
}

fn tip(error: &Error, arguments: &[String]) -> Option<String> {
    let first = arguments.get(1).map_or("", String::as_str);
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let flag = text(error, ContextKind::InvalidArg)?.split('=').next()?;
            let having = commands_with(flag);
            match &having[..] {
                [.., last] if first.starts_with('-') => Some(format!("it stands behind a command that has it: gvtg-xml {last} {flag}")),
                _ => {
                    let instead = familiar(FLAGS, first, flag).map(str::to_owned);
                    let elsewhere = || having.last().filter(|_| error.get(ContextKind::SuggestedArg).is_none());
                    instead.or_else(|| elsewhere().map(|command| format!("`gvtg-xml {command}` has it")))
                }
            }
        }
        ErrorKind::InvalidSubcommand => {
            let word = text(error, ContextKind::InvalidSubcommand)?;
            let is_file = word == first && Path::new(word).exists();
            let file = || match (word.ends_with(".log"), shell::argument(word)) {
                (true, log) => format!("a command comes before the file: gvtg-xml explain {log}"),
                (false, file) => format!("a command comes before the file: gvtg-xml lint {file}, or gvtg-xml fix {file}"),
            };
            familiar(COMMANDS, first, word).map(str::to_owned).or_else(|| is_file.then(file))
        }
        _ => None,
    }
}

/// What does here what a word does elsewhere.
fn familiar(table: &'static [Familiar], command: &str, word: &str) -> Option<&'static str> {
    let fits = |familiar: &&Familiar| familiar.words.contains(&word) && familiar.behind.is_none_or(|behind| behind == command);
    table.iter().find(fits).map(|familiar| familiar.instead)
}

/// The commands that have a flag, the one that has the most flags last.
fn commands_with(flag: &str) -> Vec<String> {
    let mut command = Cli::command();
    command.build();
    let has_it = |argument: &Arg| {
        let long = argument.get_long().map(|long| format!("--{long}"));
        let short = argument.get_short().map(|short| format!("-{short}"));
        [long, short].iter().flatten().any(|name| name == flag)
    };
    let mut having: Vec<&Command> = command.get_subcommands().filter(|command| command.get_arguments().any(has_it)).collect();
    having.sort_by_key(|command| command.get_arguments().count());
    having.into_iter().map(|command| command.get_name().to_owned()).collect()
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
    fn no_familiar_word_is_one_of_this_program() {
        let mut command = Cli::command();
        command.build();
        for Familiar { words, behind, .. } in COMMANDS {
            let command = behind.map_or(&command, |name| command.find_subcommand(name).unwrap());
            words.iter().for_each(|word| assert!(command.find_subcommand(word).is_none(), "{word} is a command"));
        }
        for Familiar { words, behind, .. } in FLAGS {
            for word in *words {
                let having = commands_with(word);
                let is_free = behind.map_or(having.is_empty(), |behind| !having.iter().any(|command| command == behind));
                assert!(is_free, "{having:?} have {word}");
            }
        }
    }

    #[test]
    fn what_is_named_instead_is_there() {
        let mut command = Cli::command();
        command.build();
        for instead in FLAGS.iter().chain(COMMANDS).map(|familiar| familiar.instead) {
            for (before, _) in instead.match_indices("gvtg-xml ") {
                let name = instead[before + "gvtg-xml ".len()..].split([' ', '`']).next().unwrap();
                assert!(name == "--version" || command.find_subcommand(name).is_some(), "{instead}");
            }
            let flags = instead.split_whitespace().filter(|word| word.starts_with("--"));
            for flag in flags.map(|word| word.trim_end_matches([',', ';', ':', '`']).split(['=', '[']).next().unwrap()) {
                assert!(flag == "--version" || !commands_with(flag).is_empty() || flag == "--bootloader", "{instead}: {flag}");
            }
        }
    }
}
