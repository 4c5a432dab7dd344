//! Tells what the words of a query are: names, files, flags or a message.

use std::fs;

use clap::{Args as _, Command};

use super::super::ExplainArgs;
use super::error::ExplainError;
use crate::explain::Catalog;

/// Maximum number of topics; more words are a sentence, even if each of them is a topic.
const MAX_TOPICS: usize = 3;

/// Whether these words are separate queries. If not, they are an unknown message.
pub(super) fn are_separate(words: &[String], catalog: &Catalog<'_>) -> bool {
    let is_group = |word: &str| catalog.rules.iter().any(|rule| rule.group.name() == word);
    let is_name = |word: &String| is_named(word, catalog) && !is_group(word);
    let is_topic = |word: &str| words.len() <= MAX_TOPICS && !catalog.query(word).is_nothing();
    let is_question =
        |word: &String| is_named(word, catalog) || missing_file(word).is_some() || is_topic(word);
    words.iter().any(is_name) || words.iter().all(is_question)
}

/// Returns the error for a flag after the first name. Clap takes it for part of the message,
/// because a message may begin with a dash.
pub(super) fn misplaced_flag(words: &[String], catalog: &Catalog<'_>) -> Option<ExplainError> {
    let at = words.iter().position(|word| looks_like_flag(word))?;
    let is_after_names = words[..at].iter().all(|word| is_named(word, catalog));
    if !is_after_names || !catalog.find_in_message(&words.join(" ")).is_empty() {
        return None;
    }
    let flag = words[at].split('=').next().unwrap_or_default();
    let command = ExplainArgs::augment_args(Command::new("explain"));
    let flags: Vec<String> = command
        .get_arguments()
        .filter_map(|argument| Some(format!("--{}", argument.get_long()?)))
        .collect();
    if flags.iter().any(|name| name == flag) {
        return Some(ExplainError::MisplacedFlag { flag: flag.to_owned() });
    }
    Some(ExplainError::UnknownFlag { flag: flag.to_owned(), flags: flags.join(", ") })
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
pub(super) fn is_named(word: &str, catalog: &Catalog<'_>) -> bool {
    word == "-"
        || catalog.rules.iter().any(|rule| rule.matches_name(word))
        || catalog.symptoms.iter().any(|symptom| symptom.id == word)
        || is_file(word)
}

fn is_file(word: &str) -> bool {
    fs::metadata(word).is_ok_and(|metadata| !metadata.is_dir())
}

/// Returns the error for a word that looks like a path but is not a readable file.
pub(super) fn missing_file(word: &str) -> Option<ExplainError> {
    let looks_like_path = !word.contains(char::is_whitespace)
        && (word.starts_with(['/', '.', '~']) || word.ends_with(".log"));
    if !looks_like_path {
        return None;
    }
    let error = fs::metadata(word).err()?;
    Some(ExplainError::unreadable(word, error))
}
