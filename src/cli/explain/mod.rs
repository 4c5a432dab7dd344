//! `gvtg-xml explain`: rules by name, messages by what they say, and logs by what is in them.

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
use crate::config::{Configs, PartialConfig, custom_rules};
use crate::explain::{Answer, Catalog, Entry, QueryResult, Topic, page, page_of};
use crate::rules::schema::Rule;
use crate::rules::{of_host, symptoms};
use crate::sanitize::{clean, clean_lines, system_error};
use local_rules::LocalRules;
use log::examine;

pub(super) fn run(args: &ExplainArgs) -> Status {
    let choices = PartialConfig { site_rules: args.rules.clone(), ..PartialConfig::default() };
    let configs = Configs::new(args.origin.origin(), choices, None);
    let (found, own) = match configs.and_then(|mut configs| {
        let found = configs.find_in(Path::new(""), None)?;
        let own = configs.rules(found.loaded.as_deref());
        configs::print_skipped_configs(&configs);
        Ok((found, own))
    }) {
        Ok(here) => here,
        Err(failure) => return configs::fail(&failure, ColorChoice::Auto),
    };
    let here = LocalRules::new(&found, own);
    let mut all: Vec<&Rule> = custom_rules::merged(own).chain(of_host()).collect();
    all.sort_by_key(|rule| &rule.id);
    let known = Catalog::new(all, symptoms());
    match answer(&args.what, &known, &here) {
        Ok(Explanation { text, unknown, note }) => {
            let text = clean_lines(&text);
            // What a program reads keeps its lines.
            let text = if terminal::columns(std::io::stdout()).is_some() {
                wrapped(&unfolded(text, &known), terminal::width())
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

/// The same with each paragraph of a rule or a symptom on one line.
fn unfolded(mut text: String, known: &Catalog<'_>) -> String {
    let of_rules = known.rules.iter().map(|rule| rule.why.trim());
    for prose in of_rules
        .chain(known.symptoms.iter().map(|symptom| symptom.explanation.trim()))
        .filter(|prose| prose.contains('\n'))
    {
        text = text.replace(prose, &paragraphs(prose));
    }
    text
}

/// What is told, and of what nothing is known.
#[derive(Default)]
struct Explanation {
    text: String,
    /// Each with what to do next, on lines of its own.
    unknown: Vec<String>,
    /// What else the user should know.
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

/// What somebody asks for with these arguments.
///
/// # Errors
/// Why a log can't be read, or that nothing is asked.
fn answer(
    asked: &[String],
    known: &Catalog<'_>,
    here: &LocalRules<'_>,
) -> Result<Explanation, String> {
    let mut told = Explanation::default();
    if asked.is_empty() {
        // What is piped in is a log.
        if io::stdin_is_terminal()
            || !examine("<stdin>", standard::stdin().lock(), known, &mut told)?
        {
            told.text = here.list(known);
            told.note = stdin_is_redirected().then(|| log::empty("<stdin>"));
        }
        return Ok(told);
    }
    let sentence = asked.join(" ");
    if sentence.trim().is_empty() {
        return Err("give a rule, a message or a log file to explain".into());
    }
    if let Some(error) = misplaced_flag(asked, known) {
        return Err(error);
    }
    // The path of a log is never a message, even where a known message has such a path in it.
    if let [word] = asked
        && let Some(error) = missing_file(word)
    {
        return Err(error);
    }
    if asked.iter().all(|word| is_named(word, known)) {
        for word in asked {
            explain_named(word, known, here, &mut told)?;
        }
    } else if !explain_message(&sentence, known, here, &mut told) {
        if !are_separate(asked, known) {
            told.unknown.push(unknown(&sentence, known));
            return Ok(told);
        }
        for word in asked {
            if is_named(word, known) {
                explain_named(word, known, here, &mut told)?;
            } else if let Some(error) = missing_file(word) {
                return Err(error);
            } else if asked.len() == 1 || !explain_message(word, known, here, &mut told) {
                told.unknown.push(unknown(word, known));
            }
        }
    }
    Ok(told)
}

/// More words than these are a sentence, even if each of them is a topic.
const MAX_TOPICS: usize = 3;

/// Whether these words are several questions. If not, they are a message that is not known.
fn are_separate(words: &[String], known: &Catalog<'_>) -> bool {
    let is_group = |word: &str| known.rules.iter().any(|rule| rule.group.name() == word);
    let is_name = |word: &String| is_named(word, known) && !is_group(word);
    let is_topic = |word: &str| words.len() <= MAX_TOPICS && !known.asked(word).is_nothing();
    let is_question =
        |word: &String| is_named(word, known) || missing_file(word).is_some() || is_topic(word);
    words.iter().any(is_name) || words.iter().all(is_question)
}

/// Whether stdin is a pipe or a file; `/dev/null` is a device, like a terminal.
fn stdin_is_redirected() -> bool {
    let stdin = standard::stdin().as_fd().try_clone_to_owned().map(File::from);
    stdin
        .and_then(|file| file.metadata())
        .is_ok_and(|metadata| !metadata.file_type().is_char_device())
}

/// Why a word that looks like a flag can't be one where it is. Clap takes it for a part of the
/// message, because a message may begin with a dash.
fn misplaced_flag(asked: &[String], known: &Catalog<'_>) -> Option<String> {
    let at = asked.iter().position(|word| looks_like_flag(word))?;
    let is_after_names = asked[..at].iter().all(|word| is_named(word, known));
    if !is_after_names || !known.in_message(&asked.join(" ")).is_empty() {
        return None;
    }
    let flag = asked[at].split('=').next().unwrap_or_default();
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

/// Whether a word is the name of a rule, of a symptom, of a group of rules or of a file.
fn is_named(word: &str, known: &Catalog<'_>) -> bool {
    word == "-"
        || known.rules.iter().any(|rule| rule.matches_name(word))
        || known.symptoms.iter().any(|symptom| symptom.id == word)
        || is_file(word)
}

fn is_file(word: &str) -> bool {
    fs::metadata(word).is_ok_and(|metadata| !metadata.is_dir())
}

/// Why a word that looks like a path is no file that can be read.
fn missing_file(word: &str) -> Option<String> {
    let looks_like_one = !word.contains(char::is_whitespace)
        && (word.starts_with(['/', '.', '~']) || word.ends_with(".log"));
    let error = fs::metadata(word).err().filter(|_| looks_like_one)?;
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
    known: &Catalog<'_>,
    here: &LocalRules<'_>,
    told: &mut Explanation,
) -> Result<(), String> {
    if let Some(rule) = known.rules.iter().find(|rule| rule.is_named(word)) {
        told.add(&here.page(rule));
    } else if let Some(symptom) = known.symptoms.iter().find(|symptom| symptom.id == word) {
        told.add(&page_of(symptom));
    } else if known.rules.iter().any(|rule| rule.group.name() == word) {
        told.add(
            &here.lines(
                known
                    .rules
                    .iter()
                    .filter(|rule| rule.group.name() == word)
                    .map(|rule| Entry::Rule(rule)),
            ),
        );
    } else if word == "-" {
        explain_log("<stdin>", standard::stdin().lock(), known, told)?;
    } else {
        let file = File::open(word).map_err(|error| unreadable(word, &error))?;
        explain_log(word, file, known, told)?;
    }
    Ok(())
}

fn explain_log(
    name: &str,
    log: impl Read,
    known: &Catalog<'_>,
    told: &mut Explanation,
) -> Result<(), String> {
    if !examine(name, log, known, told)? {
        told.unknown.push(log::empty(name));
    }
    Ok(())
}

/// Explains a message, a piece of one, or what somebody looks for; false where nothing is known of
/// it.
fn explain_message(
    asked: &str,
    known: &Catalog<'_>,
    here: &LocalRules<'_>,
    told: &mut Explanation,
) -> bool {
    let asked = known.asked(asked);
    if asked.is_nothing() {
        return false;
    }
    let QueryResult { answers, topic } = asked;
    for answer in answers {
        told.add(&match answer {
            Answer::Rules(rules) if rules.len() == 1 => here.page(rules[0]),
            answer => page(answer),
        });
    }
    if let ([one], true) = (&topic.about[..], topic.beside.is_empty()) {
        told.add(&match one {
            Entry::Rule(rule) => here.page(rule),
            Entry::Symptom(symptom) => page_of(symptom),
        });
    } else if !topic.about.is_empty() || !topic.beside.is_empty() {
        told.add(&topic_list(&topic, here));
    }
    true
}

/// A topic's list has at most this many entries.
const MAX_LIST_ENTRIES: usize = 20;

/// What is about a topic, one line for each entry, and how many entries were left out.
fn topic_list(topic: &Topic<'_>, here: &LocalRules<'_>) -> String {
    let about = &topic.about[..topic.about.len().min(MAX_LIST_ENTRIES)];
    let beside = &topic.beside[..topic.beside.len().min(MAX_LIST_ENTRIES - about.len())];
    let mut text = here.lines(about.iter().copied());
    if !beside.is_empty() {
        text.push_str(if about.is_empty() { "Mentioned in:\n" } else { "\nAlso mentioned in:\n" });
        text.push_str(&here.lines(beside.iter().copied()));
    }
    let left_out = topic.about.len() + topic.beside.len() - about.len() - beside.len();
    if left_out > 0 {
        let _ = writeln!(text, "… and {left_out} more: add a word to narrow the list");
    }
    text + "\n`gvtg-xml explain NAME` explains one of these.\n"
}

/// Starts a VM and explains why that fails; messages are known in English.
const START: &str = "`LC_ALL=C virsh start win10 2>&1 | gvtg-xml explain`";

const QEMU_LOG: &str = "`sudo gvtg-xml explain /var/log/libvirt/qemu/win10.log`";

const REPORT: &str = "\n  help: if that does not help, report the message to the gvtg-xml project, with the versions of libvirt and QEMU";

/// What to say of something that nothing is known of, and what to do next.
fn unknown(asked: &str, known: &Catalog<'_>) -> String {
    let message = format!("no known message matches '{}'", clean(asked));
    if asked.contains(char::is_whitespace) {
        let english =
            "only English messages are known: run the failed command again with `LC_ALL=C`";
        let log = format!("explain all of QEMU's log, which often has the cause: {QEMU_LOG}");
        return format!(
            "{message}{}\n  help: {log}\n  help: {english}{REPORT}",
            related(asked, known)
        );
    }
    match &known.nearest(asked)[..] {
        [one] => format!("{message}; did you mean '{one}'?"),
        _ => format!(
            "{message}{}\n  help: `gvtg-xml explain` lists all rules and known messages",
            related(asked, known)
        ),
    }
}

/// The names that come nearest to what nothing is known of, as a command that explains them.
fn related(asked: &str, known: &Catalog<'_>) -> String {
    match &known.nearest(asked)[..] {
        [] => String::new(),
        names => format!("\n  help: these may be related: `gvtg-xml explain {}`", names.join(" ")),
    }
}
