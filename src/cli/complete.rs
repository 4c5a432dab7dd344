//! Completion candidates for `generate words`, which the shell scripts call. They come from the
//! program's own command definition, so that there is no second list to maintain.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Command, ValueHint};

use super::manual::{self, Length};
use crate::rules::schema::{Group, Rule};
use crate::rules::{RuleRef, of_host, symptoms};
use crate::settings::config::file::GROUPS;
use crate::settings::config::{Configs, Origin, PartialConfig, all_rules};

/// The kind of paths that a shell offers next to the words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Paths {
    #[default]
    None,
    Files,
    Folders,
}

/// The candidates for one position of the command line.
#[derive(Debug, Default)]
struct Completions {
    paths: Paths,
    /// Words, each with its meaning.
    words: Vec<(String, String)>,
}

/// Returns the answer for a shell with these words, of which the last is incomplete: `files`,
/// `folders` or `none` on the first line, then one candidate per line, followed by a tab and its
/// meaning. Bash splits words at `=`; then a candidate is only the part after it.
pub(super) fn completions(words: &[String]) -> String {
    let (joined_words, is_split) = join_at_equals(words);
    let candidates = candidates(&joined_words);
    let prefix_length = if is_split {
        joined_words.last().and_then(|word| word.find('=')).map_or(0, |equals| equals + 1)
    } else {
        0
    };
    let mut text = match candidates.paths {
        Paths::None => "none\n".to_owned(),
        Paths::Files => "files\n".to_owned(),
        Paths::Folders => "folders\n".to_owned(),
    };
    for (word, meaning) in &candidates.words {
        let _ = writeln!(text, "{}\t{meaning}", &word[prefix_length.min(word.len())..]);
    }
    text
}

/// Joins the words `--only`, `=` and `display` to one; also returns whether the last word was
/// joined.
fn join_at_equals(words: &[String]) -> (Vec<String>, bool) {
    let mut joined: Vec<String> = Vec::new();
    let mut is_split = false;
    for (index, word) in words.iter().enumerate() {
        let is_after_equals = index > 0 && words[index - 1] == "=";
        match joined.last_mut() {
            Some(flag)
                if flag.starts_with("--")
                    && (word == "=" || is_after_equals && flag.ends_with('=')) =>
            {
                flag.push_str(word);
                is_split = true;
            }
            _ => {
                joined.push(word.clone());
                is_split = false;
            }
        }
    }
    (joined, is_split)
}

fn candidates(words: &[String]) -> Completions {
    let Some((current, before)) = words.split_last() else { return Completions::default() };
    let root = manual::command(Length::Long);
    // Only commands follow `help`.
    let is_help = before.get(1).is_some_and(|word| word == "help");
    let (mut command, mut path) = (&root, Vec::new());
    let (mut flag_before_value, mut positionals, mut is_literal): (Option<&Arg>, usize, bool) =
        (None, 0, false);
    for word in before.iter().skip(if is_help { 2 } else { 1 }) {
        if flag_before_value.take().is_some() {
            continue;
        }
        if is_literal || !word.starts_with('-') || word == "-" {
            match command.find_subcommand(word).filter(|_| !is_literal && positionals == 0) {
                Some(sub) => {
                    command = sub;
                    path.push(word.as_str());
                }
                None => positionals += 1,
            }
        } else if word == "--" {
            is_literal = true;
        } else {
            flag_before_value = flag(command, word).filter(|flag| needs_word(flag));
        }
    }
    let is_of_host = path.contains(&"host");
    if let Some(flag) = flag_before_value {
        return value(flag, "", current, is_of_host);
    }
    if let Some((name, text)) =
        current.split_once('=').filter(|_| current.starts_with("--") && !is_literal)
    {
        let prefix = format!("{name}=");
        return flag(command, name)
            .map_or_else(Completions::default, |flag| value(flag, &prefix, text, is_of_host));
    }
    if current.starts_with('-') && !is_literal && !is_help {
        return Completions { paths: Paths::None, words: flags(command, current) };
    }
    let subs = command.get_subcommands().filter(|sub| !sub.is_hide_set() && positionals == 0);
    let subs = subs.map(|sub| {
        (sub.get_name().to_owned(), sub.get_about().map(ToString::to_string).unwrap_or_default())
    });
    let mut candidates = Completions { paths: Paths::None, words: starting_with(current, subs) };
    let last = command.get_positionals().filter(|argument| !argument.is_hide_set()).last();
    let is_several =
        last.is_some_and(|last| last.get_num_args().is_some_and(|count| count.max_values() > 1));
    let argument = command.get_positionals().nth(positionals).or(last.filter(|_| is_several));
    if let Some(argument) = argument.filter(|argument| !argument.is_hide_set() && !is_help) {
        let more = value(argument, "", current, is_of_host);
        candidates.paths = more.paths;
        candidates.words.extend(more.words);
    }
    candidates
}

/// Returns the flag that a word names.
fn flag<'c>(command: &'c Command, word: &str) -> Option<&'c Arg> {
    let is_named = |argument: &&Arg| match word.strip_prefix("--") {
        Some(name) => argument.get_long() == Some(name),
        None => argument.get_short().is_some_and(|short| word.ends_with(short)),
    };
    command.get_arguments().find(is_named)
}

/// Whether the next word is the flag's value.
fn needs_word(flag: &Arg) -> bool {
    !flag.is_require_equals_set() && flag.get_num_args().is_some_and(|count| count.takes_values())
}

fn flags(command: &Command, current: &str) -> Vec<(String, String)> {
    let shown = command
        .get_arguments()
        .filter(|argument| !argument.is_positional() && !argument.is_hide_set());
    let names = shown.flat_map(|argument| {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let short = argument
            .get_short()
            .filter(|_| !current.starts_with("--"))
            .map(|short| format!("-{short}"));
        let long = argument.get_long().map(|long| format!("--{long}"));
        [short, long].into_iter().flatten().map(move |name| (name, help.clone()))
    });
    starting_with(current, names)
}

/// Returns the candidates for an argument's value, each with `prefix` before it.
fn value(argument: &Arg, prefix: &str, text: &str, is_of_host: bool) -> Completions {
    // In a list, only the last item is incomplete.
    let is_list = argument.get_value_delimiter().is_some();
    let (earlier_items, text) = text
        .rsplit_once(',')
        .filter(|_| is_list)
        .map_or(("", text), |(earlier_items, text)| (earlier_items, text));
    let prefix = if earlier_items.is_empty() {
        prefix.to_owned()
    } else {
        format!("{prefix}{earlier_items},")
    };
    let (paths, words) = all_values(argument, is_of_host);
    let open =
        words.into_iter().filter(|(word, _)| !earlier_items.split(',').any(|item| item == word));
    let words = starting_with(text, open)
        .into_iter()
        .map(|(word, meaning)| (format!("{prefix}{word}"), meaning))
        .collect();
    Completions { paths, words }
}

/// Returns all values of an argument: those of its declaration, or rules and messages.
fn all_values(argument: &Arg, is_of_host: bool) -> (Paths, Vec<(String, String)>) {
    let possible = argument.get_possible_values();
    if !possible.is_empty() {
        let shown = possible.iter().filter(|value| !value.is_hide_set());
        let words = shown.map(|value| {
            (
                value.get_name().to_owned(),
                value.get_help().map(ToString::to_string).unwrap_or_default(),
            )
        });
        return (Paths::None, words.collect());
    }
    let paths = match argument.get_value_hint() {
        ValueHint::AnyPath | ValueHint::FilePath => Paths::Files,
        ValueHint::DirPath => Paths::Folders,
        _ => Paths::None,
    };
    // Rules can be custom, so no declaration lists them.
    let is_rule = argument
        .get_value_names()
        .is_some_and(|names| names.first().is_some_and(|name| name == "RULE"));
    let words = match argument.get_id().as_str() {
        "what" => topics(),
        _ if is_rule && is_of_host => rule_names(of_host().iter()),
        _ if is_rule => groups_and_rules(),
        _ => Vec::new(),
    };
    (paths, words)
}

/// Returns the names that `explain` accepts.
fn topics() -> Vec<(String, String)> {
    let mut words = groups_and_rules();
    words.push((Group::Host.name().to_owned(), "All rules in this group".to_owned()));
    words.extend(rule_names(of_host().iter()));
    words.extend(
        symptoms().iter().map(|symptom| (symptom.id.to_string(), symptom.summary.to_string())),
    );
    words
}

fn groups_and_rules() -> Vec<(String, String)> {
    let groups =
        GROUPS.iter().map(|group| (group.name().to_owned(), "All rules in this group".to_owned()));
    groups.chain(rule_names(local_rules().iter().map(|rule| &**rule))).collect()
}

/// Returns the rules in the current folder, with the custom ones of its configuration if they can be
/// read.
fn local_rules() -> Vec<RuleRef<'static>> {
    let local_rules =
        Configs::new(Origin::Nearest, PartialConfig::default()).and_then(|mut configs| {
            let local_configuration = configs.find_in(Path::new(""), None)?;
            Ok(configs.rules(local_configuration.loaded.as_deref()))
        });
    local_rules.unwrap_or_else(|_| all_rules(&[]))
}

fn rule_names<'r>(rules: impl Iterator<Item = &'r Rule>) -> Vec<(String, String)> {
    rules.map(|rule| (rule.id.to_string(), rule.summary.to_string())).collect()
}

fn starting_with(
    text: &str,
    words: impl Iterator<Item = (String, String)>,
) -> Vec<(String, String)> {
    words.filter(|(word, _)| word.starts_with(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::parsers;

    fn words(line: &str) -> Vec<String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        completions(&words)
            .lines()
            .skip(1)
            .map(|line| line.split('\t').next().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn offers_only_values_that_the_program_accepts() {
        for word in words("gvtg-xml fix --libvirt ").iter().filter(|word| *word != "installed") {
            parsers::libvirt(word).unwrap();
        }
        words("gvtg-xml fix --type ")
            .iter()
            .for_each(|word| assert!(parsers::vgpu_type(word).is_ok(), "{word}"));
        words("gvtg-xml fix --audio ")
            .iter()
            .for_each(|word| assert!(parsers::audio(word).is_ok(), "{word}"));
        words("gvtg-xml fix --fail-on ")
            .iter()
            .for_each(|word| assert!(parsers::severity(word).is_ok(), "{word}"));
        for (line, count) in [
            ("--libvirt", 2),
            ("--type", 8),
            ("--audio", 10),
            ("--fail-on", 3),
            ("--format", 8),
            ("--color", 3),
        ] {
            assert_eq!(words(&format!("gvtg-xml fix {line} ")).len(), count, "{line}");
        }
        assert_eq!(words("gvtg-xml emit nodedev --only "), [""; 0], "a uuid is no rule");
    }

    #[test]
    fn completes_lists_and_words_split_by_bash() {
        assert_eq!(
            words("gvtg-xml lint --only vgpu,disp"),
            [
                "vgpu,display",
                "vgpu,display-gl-off",
                "vgpu,display-without-gl",
                "vgpu,display-without-graphics"
            ]
        );
        assert!(
            !words("gvtg-xml lint --only display,").contains(&"display,display".to_owned()),
            "it is there already"
        );
        assert_eq!(words("gvtg-xml lint --fail-on=w"), ["--fail-on=warning"]);
        assert_eq!(words("gvtg-xml lint --fail-on = w"), ["warning"]);
        assert_eq!(words("gvtg-xml lint --fail-on ="), ["info", "warning", "error"]);
        assert_eq!(
            words("gvtg-xml lint --keep-video="),
            ["--keep-video=true", "--keep-video=false"]
        );
        assert_eq!(words("gvtg-xml lint -- --f"), [""; 0]);
        assert_eq!(words("gvtg-xml emit --f"), [""; 0]);
        assert_eq!(words("gvtg-xml emit all --f"), ["--force"]);
        assert_eq!(words("gvtg-xml help emit qe"), ["qemu-conf"]);
        assert_eq!(words("gvtg-xml help lint "), [""; 0]);
    }
}
