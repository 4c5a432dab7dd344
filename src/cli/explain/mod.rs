//! `gvtg-xml explain`: explains rules by name, messages by their text, and logs by the messages in
//! them.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self as standard, Read};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use clap::{Args as _, Command};

mod local_rules;
mod log;

use super::lint::fail;
use super::wrap::{paragraphs, wrapped};
use super::{ColorChoice, ExplainArgs, Status, configs, io, terminal};
use crate::explain::{Answer, Catalog, Entry, QueryResult, Topic, page, page_of};
use crate::rules::schema::Rule;
use crate::rules::{of_host, symptoms};
use crate::settings::config::{Configs, PartialConfig, custom_rules};
use crate::text::sanitize::{clean, clean_lines, system_error};
use local_rules::LocalRules;
use log::examine;

pub(super) fn run(args: &ExplainArgs) -> Status {
    let choices = PartialConfig { site_rules: args.rules.clone(), ..PartialConfig::default() };
    let configs = Configs::new(args.origin.origin(), choices, None);
    let (resolved, site_rules) = match configs.and_then(|mut configs| {
        let resolved = configs.find_in(Path::new(""), None)?;
        let site_rules = configs.rules(resolved.loaded.as_deref());
        configs::print_skipped_configs(&configs);
        Ok((resolved, site_rules))
    }) {
        Ok(configuration) => configuration,
        Err(failure) => return configs::fail(&failure, ColorChoice::Auto),
    };
    let local_rules = LocalRules::new(&resolved, site_rules);
    let mut all: Vec<&Rule> = custom_rules::merged(site_rules).chain(of_host()).collect();
    all.sort_by_key(|rule| &rule.id);
    let catalog = Catalog::new(all, symptoms());
    match answer(&args.what, &catalog, &local_rules) {
        Ok(Explanation { text, unknown, note }) => {
            let text = clean_lines(&text);
            // Output for programs is not wrapped.
            let text = if terminal::columns(std::io::stdout()).is_some() {
                wrapped(&unfold_paragraphs(text, &catalog), terminal::width())
            } else {
                text
            };
            if let Err(message) = io::print(&text) {
                return fail(&message);
            }
            note.iter().chain(&unknown).for_each(|message| io::print_error(message));
            if unknown.is_empty() { Status::Clean } else { Status::Findings }
        }
        Err(message) => fail(&message),
    }
}

/// Joins each paragraph of a rule or symptom into one line.
fn unfold_paragraphs(mut text: String, catalog: &Catalog<'_>) -> String {
    let explanations_of_rules = catalog.rules.iter().map(|rule| rule.why.trim());
    for prose in explanations_of_rules
        .chain(catalog.symptoms.iter().map(|symptom| symptom.explanation.trim()))
        .filter(|prose| prose.contains('\n'))
    {
        text = text.replace(prose, &paragraphs(prose));
    }
    text
}

/// The result of a query: explanations, and what no explanation was found for.
#[derive(Default)]
struct Explanation {
    text: String,
    /// Messages about unknown words, each followed by lines with the next steps.
    unknown: Vec<String>,
    /// An additional message for the user.
    note: Option<String>,
}

impl Explanation {
    fn add(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(text);
    }
}

/// Explains what the arguments name.
///
/// # Errors
/// Fails if a log can't be read or the arguments are empty.
fn answer(
    words: &[String],
    catalog: &Catalog<'_>,
    local_rules: &LocalRules<'_>,
) -> Result<Explanation, String> {
    let mut explanation = Explanation::default();
    if words.is_empty() {
        // Piped input is a log.
        if io::stdin_is_terminal()
            || !examine("<stdin>", standard::stdin().lock(), catalog, &mut explanation)?
        {
            explanation.text = local_rules.list(catalog);
            explanation.note = stdin_is_redirected().then(|| log::empty("<stdin>"));
        }
        return Ok(explanation);
    }
    let sentence = words.join(" ");
    if sentence.trim().is_empty() {
        return Err("give a rule, a message or a log file to explain".into());
    }
    if let Some(error) = misplaced_flag(words, catalog) {
        return Err(error);
    }
    // The path of a log is never a message, even if a known message contains such a path.
    if let [word] = words
        && let Some(error) = missing_file(word)
    {
        return Err(error);
    }
    if words.iter().all(|word| is_named(word, catalog)) {
        for word in words {
            explain_named(word, catalog, local_rules, &mut explanation)?;
        }
    } else if !explain_message(&sentence, catalog, local_rules, &mut explanation) {
        if !are_separate(words, catalog) {
            explanation.unknown.push(unknown(&sentence, catalog));
            return Ok(explanation);
        }
        for word in words {
            if is_named(word, catalog) {
                explain_named(word, catalog, local_rules, &mut explanation)?;
            } else if let Some(error) = missing_file(word) {
                return Err(error);
            } else if words.len() == 1
                || !explain_message(word, catalog, local_rules, &mut explanation)
            {
                explanation.unknown.push(unknown(word, catalog));
            }
        }
    }
    Ok(explanation)
}

/// Maximum number of topics; more words are a sentence, even if each of them is a topic.
const MAX_TOPICS: usize = 3;

/// Whether these words are separate queries. If not, they are an unknown message.
fn are_separate(words: &[String], catalog: &Catalog<'_>) -> bool {
    let is_group = |word: &str| catalog.rules.iter().any(|rule| rule.group.name() == word);
    let is_name = |word: &String| is_named(word, catalog) && !is_group(word);
    let is_topic = |word: &str| words.len() <= MAX_TOPICS && !catalog.query(word).is_nothing();
    let is_question =
        |word: &String| is_named(word, catalog) || missing_file(word).is_some() || is_topic(word);
    words.iter().any(is_name) || words.iter().all(is_question)
}

/// Whether stdin is a pipe or a file. `/dev/null` is a character device, like a terminal.
fn stdin_is_redirected() -> bool {
    let stdin = standard::stdin().as_fd().try_clone_to_owned().map(File::from);
    stdin
        .and_then(|file| file.metadata())
        .is_ok_and(|metadata| !metadata.file_type().is_char_device())
}

/// Returns the error for a flag after the first name. Clap takes it for part of the message,
/// because a message may begin with a dash.
fn misplaced_flag(words: &[String], catalog: &Catalog<'_>) -> Option<String> {
    let at = words.iter().position(|word| looks_like_flag(word))?;
    let is_after_names = words[..at].iter().all(|word| is_named(word, catalog));
    if !is_after_names || !catalog.in_message(&words.join(" ")).is_empty() {
        return None;
    }
    let flag = words[at].split('=').next().unwrap_or_default();
    let command = ExplainArgs::augment_args(Command::new("explain"));
    let flags: Vec<String> = command
        .get_arguments()
        .filter_map(|argument| Some(format!("--{}", argument.get_long()?)))
        .collect();
    if flags.iter().any(|name| name == flag) {
        return Some(format!(
            "{flag} must come before the rule, message or log: `gvtg-xml explain {flag} …`"
        ));
    }
    Some(format!(
        "`gvtg-xml explain` has no flag {flag}\n  \
         help: `gvtg-xml explain` lists all rules and known messages, `gvtg-xml explain NAME` explains one of them\n  \
         help: its flags are {}",
        flags.join(", ")
    ))
}

/// Whether a word is `--name`, `--name=value` or `-n`.
fn looks_like_flag(word: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    match word.strip_prefix("--") {
        Some(rest) => is_name(rest.split('=').next().unwrap_or_default()),
        None => word.strip_prefix('-').is_some_and(|letter| letter.len() == 1 && is_name(letter)),
    }
}

/// Whether a word names a rule, a symptom, a group of rules or a file.
fn is_named(word: &str, catalog: &Catalog<'_>) -> bool {
    word == "-"
        || catalog.rules.iter().any(|rule| rule.matches_name(word))
        || catalog.symptoms.iter().any(|symptom| symptom.id == word)
        || is_file(word)
}

fn is_file(word: &str) -> bool {
    fs::metadata(word).is_ok_and(|metadata| !metadata.is_dir())
}

/// Returns the error for a word that looks like a path but is not a readable file.
fn missing_file(word: &str) -> Option<String> {
    let looks_like_path = !word.contains(char::is_whitespace)
        && (word.starts_with(['/', '.', '~']) || word.ends_with(".log"));
    if !looks_like_path {
        return None;
    }
    let error = fs::metadata(word).err()?;
    Some(unreadable(word, &error))
}

fn unreadable(path: &str, error: &standard::Error) -> String {
    let hint = match error.kind() {
        standard::ErrorKind::PermissionDenied => {
            " (only root can read the logs of qemu:///system: use sudo)".to_owned()
        }
        standard::ErrorKind::NotFound if path.contains("/qemu/") => {
            format!(
                "\n  help: the VM was never started, or QEMU did not get that far: let `explain` read what virsh prints: {START}"
            )
        }
        _ => String::new(),
    };
    format!("{}: can't be read: {}{hint}", clean(path), system_error(error))
}

fn explain_named(
    word: &str,
    catalog: &Catalog<'_>,
    local_rules: &LocalRules<'_>,
    explanation: &mut Explanation,
) -> Result<(), String> {
    if let Some(rule) = catalog.rules.iter().find(|rule| rule.is_named(word)) {
        explanation.add(&local_rules.page(rule));
    } else if let Some(symptom) = catalog.symptoms.iter().find(|symptom| symptom.id == word) {
        explanation.add(&page_of(symptom));
    } else if catalog.rules.iter().any(|rule| rule.group.name() == word) {
        explanation.add(
            &local_rules.lines(
                catalog
                    .rules
                    .iter()
                    .filter(|rule| rule.group.name() == word)
                    .map(|rule| Entry::Rule(rule)),
            ),
        );
    } else if word == "-" {
        explain_log("<stdin>", standard::stdin().lock(), catalog, explanation)?;
    } else {
        let file = File::open(word).map_err(|error| unreadable(word, &error))?;
        explain_log(word, file, catalog, explanation)?;
    }
    Ok(())
}

fn explain_log(
    name: &str,
    log: impl Read,
    catalog: &Catalog<'_>,
    explanation: &mut Explanation,
) -> Result<(), String> {
    if !examine(name, log, catalog, explanation)? {
        explanation.unknown.push(log::empty(name));
    }
    Ok(())
}

/// Explains a message, a part of one, or a topic; returns false if nothing matches.
fn explain_message(
    query: &str,
    catalog: &Catalog<'_>,
    local_rules: &LocalRules<'_>,
    explanation: &mut Explanation,
) -> bool {
    let result = catalog.query(query);
    if result.is_nothing() {
        return false;
    }
    let QueryResult { answers, topic } = result;
    for answer in answers {
        explanation.add(&match answer {
            Answer::Rules(rules) if rules.len() == 1 => local_rules.page(rules[0]),
            answer => page(answer),
        });
    }
    if let ([entry], true) = (&topic.about[..], topic.mentions.is_empty()) {
        explanation.add(&match entry {
            Entry::Rule(rule) => local_rules.page(rule),
            Entry::Symptom(symptom) => page_of(symptom),
        });
    } else if !topic.about.is_empty() || !topic.mentions.is_empty() {
        explanation.add(&topic_list(&topic, local_rules));
    }
    true
}

/// Maximum number of entries in a topic's list.
const MAX_LIST_ENTRIES: usize = 20;

/// Lists the entries about a topic, one per line, and the number of omitted ones.
fn topic_list(topic: &Topic<'_>, local_rules: &LocalRules<'_>) -> String {
    let about = &topic.about[..topic.about.len().min(MAX_LIST_ENTRIES)];
    let mentions = &topic.mentions[..topic.mentions.len().min(MAX_LIST_ENTRIES - about.len())];
    let mut text = local_rules.lines(about.iter().copied());
    if !mentions.is_empty() {
        text.push_str(if about.is_empty() { "Mentioned in:\n" } else { "\nAlso mentioned in:\n" });
        text.push_str(&local_rules.lines(mentions.iter().copied()));
    }
    let left_out = topic.about.len() + topic.mentions.len() - about.len() - mentions.len();
    if left_out > 0 {
        let _ = writeln!(text, "… and {left_out} more: add a word to narrow the list");
    }
    text + "\n`gvtg-xml explain NAME` explains one of these.\n"
}

/// Starts a VM and explains why that fails. LC_ALL=C, because only English messages are known.
const START: &str = "`LC_ALL=C virsh start win10 2>&1 | gvtg-xml explain`";

const QEMU_LOG: &str = "`sudo gvtg-xml explain /var/log/libvirt/qemu/win10.log`";

const REPORT: &str = "\n  help: if that does not help, report the message to the gvtg-xml project, with the versions of libvirt and QEMU";

/// Returns the message for an unknown word or message, with the next steps.
fn unknown(query: &str, catalog: &Catalog<'_>) -> String {
    let message = format!("no known message matches '{}'", clean(query));
    if query.contains(char::is_whitespace) {
        let english =
            "only English messages are known: run the failed command again with `LC_ALL=C`";
        let log = format!("explain all of QEMU's log, which often has the cause: {QEMU_LOG}");
        return format!(
            "{message}{}\n  help: {log}\n  help: {english}{REPORT}",
            related(query, catalog)
        );
    }
    match &catalog.nearest(query)[..] {
        [name] => format!("{message}; did you mean '{name}'?"),
        _ => format!(
            "{message}{}\n  help: `gvtg-xml explain` lists all rules and known messages",
            related(query, catalog)
        ),
    }
}

/// Returns a help line with the command that explains the names nearest to an unknown word; empty
/// if there are none.
fn related(query: &str, catalog: &Catalog<'_>) -> String {
    match &catalog.nearest(query)[..] {
        [] => String::new(),
        names => format!("\n  help: these may be related: `gvtg-xml explain {}`", names.join(" ")),
    }
}
