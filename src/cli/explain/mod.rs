//! `gvtg-xml explain`: explains rules by name, messages by their text, and logs by the messages in
//! them.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self as standard, Read};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

mod error;
mod local_rules;
mod log;
mod query;
mod unexplained;

use super::error::{fail, print_error};
use super::{ColorChoice, ExplainArgs, Status, configs, io, terminal};
use crate::explain::{Answer, Catalog, Entry, QueryResult, Topic, page, page_of};
use crate::rules::schema::Rule;
use crate::rules::{of_host, symptoms};
use crate::settings::config::Configs;
use crate::text::sanitize::clean_lines;
use crate::text::wrap::{paragraphs, wrapped};
use error::ExplainError;
use local_rules::LocalRules;
use log::examine;
use query::{are_separate, is_named, misplaced_flag, missing_file};
use unexplained::{Unexplained, unknown};

pub(super) fn run(args: &ExplainArgs) -> Status {
    let found =
        Configs::new(args.origin.origin(), args.settings.values.clone()).and_then(|mut configs| {
            let resolved = configs.find_in(Path::new(""), None)?;
            configs::print_skipped_configs(&configs);
            Ok((configs, resolved))
        });
    let (configs, resolved) = match found {
        Ok(found) => found,
        Err(failure) => return configs::fail(failure, ColorChoice::Auto),
    };
    let rules = configs.rules(resolved.loaded.as_deref());
    let local_rules =
        LocalRules::new(&resolved, configs.sources(&resolved).rules_with_severity(&rules));
    let mut all: Vec<&Rule> = rules.iter().map(|rule| &**rule).chain(of_host()).collect();
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
            if let Err(error) = io::print(&text) {
                return fail(&error);
            }
            note.iter().chain(&unknown).for_each(|unexplained| print_error(unexplained));
            if unknown.is_empty() { Status::Clean } else { Status::Findings }
        }
        Err(error) => fail(&error),
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
    /// A query that nothing explains.
    unknown: Vec<Unexplained>,
    /// An additional message for the user.
    note: Option<Unexplained>,
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
) -> Result<Explanation, ExplainError> {
    let mut explanation = Explanation::default();
    if words.is_empty() {
        // Piped input is a log.
        if io::stdin_is_terminal()
            || !examine("<stdin>", standard::stdin().lock(), catalog, &mut explanation)?
        {
            explanation.text = local_rules.list(catalog);
            explanation.note = stdin_is_redirected().then(|| unexplained::empty_log("<stdin>"));
        }
        return Ok(explanation);
    }
    let sentence = words.join(" ");
    if sentence.trim().is_empty() {
        return Err(ExplainError::NoQuery);
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

/// Whether stdin is a pipe or a file. `/dev/null` is a character device, like a terminal.
fn stdin_is_redirected() -> bool {
    let stdin = standard::stdin().as_fd().try_clone_to_owned().map(File::from);
    stdin
        .and_then(|file| file.metadata())
        .is_ok_and(|metadata| !metadata.file_type().is_char_device())
}

fn explain_named(
    word: &str,
    catalog: &Catalog<'_>,
    local_rules: &LocalRules<'_>,
    explanation: &mut Explanation,
) -> Result<(), ExplainError> {
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
        let file = File::open(word).map_err(|error| ExplainError::unreadable(word, error))?;
        explain_log(word, file, catalog, explanation)?;
    }
    Ok(())
}

fn explain_log(
    name: &str,
    log: impl Read,
    catalog: &Catalog<'_>,
    explanation: &mut Explanation,
) -> Result<(), ExplainError> {
    if !examine(name, log, catalog, explanation)? {
        explanation.unknown.push(unexplained::empty_log(name));
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
