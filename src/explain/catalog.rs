//! The catalog of known messages, with the rule or symptom that explains each.

use std::ops::Range;

use super::pattern::{Index, Pattern};
use super::strip_ansi::plain;
use crate::rules::schema::{MessageSource, Rule};
use crate::rules::symptom::Symptom;

/// The explanation of a message.
#[derive(Clone, Debug)]
pub enum Answer<'r> {
    /// A symptom, which has its own file with meaning and steps.
    Symptom(&'r Symptom),
    /// The rules that list the message as one of libvirt, QEMU or the system.
    Rules(Vec<&'r Rule>),
}

impl Answer<'_> {
    /// Whether the message alone says too little, so that other answers are preferred.
    pub fn is_vague(&self) -> bool {
        matches!(self, Answer::Symptom(symptom) if symptom.fallback)
    }
}

/// The catalog of known messages.
#[derive(Clone, Debug)]
pub struct Catalog<'r> {
    /// All rules.
    pub rules: Vec<&'r Rule>,
    /// All symptoms.
    pub symptoms: Vec<&'r Symptom>,
    answers: Vec<Answer<'r>>,
    messages: Vec<Message>,
    index: Index,
}

/// A known message.
#[derive(Clone, Debug)]
struct Message {
    text: String,
    /// The index of its answer.
    answer: usize,
    /// Whether other programs print this text too, so that it only counts in a line that
    /// contains one of `LOG_MARKERS`.
    is_common: bool,
}

const QUOTES: [char; 2] = ['\'', '"'];

/// Messages with fewer fixed bytes than these may come from any program.
const MIN_SPECIFIC_LENGTH: usize = 22;

/// Words that mark a log line as libvirt's or QEMU's: the names of the programs and daemons, the
/// `error:` of virsh and the daemons, and messages about hooks.
const LOG_MARKERS: [&[u8]; 4] = [b"qemu", b"virt", b"error", b"hook"];

impl<'r> Catalog<'r> {
    /// Builds the catalog. A message of both a symptom and a rule belongs to the symptom.
    pub fn new(rules: impl IntoIterator<Item = &'r Rule>, symptoms: &'r [Symptom]) -> Self {
        let rules: Vec<&'r Rule> = rules.into_iter().collect();
        let mut catalog = Catalog {
            rules,
            symptoms: symptoms.iter().collect(),
            answers: Vec::new(),
            messages: Vec::new(),
            index: Index::new(Vec::new()),
        };
        let mut patterns = Vec::new();
        for symptom in symptoms {
            let answer = catalog.add_answer(Answer::Symptom(symptom));
            for message in symptom.known_message.iter() {
                catalog.add_message(&message.text, message.at, answer, &mut patterns);
            }
        }
        for rule in catalog.rules.clone() {
            for known_message in rule.known_message.iter() {
                match catalog
                    .messages
                    .iter()
                    .find(|message| message.text == known_message.text)
                    .map(|message| message.answer)
                {
                    Some(answer) => catalog.add_rule(answer, rule),
                    None => {
                        let answer = catalog.add_answer(Answer::Rules(vec![rule]));
                        catalog.add_message(
                            &known_message.text,
                            known_message.at,
                            answer,
                            &mut patterns,
                        );
                    }
                }
            }
        }
        catalog.index = Index::new(patterns);
        catalog
    }

    fn add_answer(&mut self, answer: Answer<'r>) -> usize {
        self.answers.push(answer);
        self.answers.len() - 1
    }

    fn add_rule(&mut self, answer: usize, rule: &'r Rule) {
        if let Answer::Rules(rules) = &mut self.answers[answer] {
            rules.push(rule);
        }
    }

    fn add_message(
        &mut self,
        text: &str,
        at: MessageSource,
        answer: usize,
        patterns: &mut Vec<Pattern>,
    ) {
        if let Some(pattern) = Pattern::parse(text) {
            let is_common = at != MessageSource::System && pattern.weight() < MIN_SPECIFIC_LENGTH;
            self.messages.push(Message { text: text.to_owned(), answer, is_common });
            patterns.push(pattern);
        }
    }

    /// The answer with this index.
    pub fn answer(&self, index: usize) -> &Answer<'r> {
        &self.answers[index]
    }

    /// Finds known messages in a line of plain text (without colors and control characters).
    /// Returns the indices of their answers, each once, with the byte ranges of the messages,
    /// sorted by position. Where two messages overlap, the more specific one wins.
    pub fn find_in_line(&self, line: &[u8]) -> Vec<(usize, Range<usize>)> {
        self.answers_in(&self.index, line)
    }

    fn answers_in(&self, index: &Index, line: &[u8]) -> Vec<(usize, Range<usize>)> {
        let lower = line.to_ascii_lowercase();
        let mut matches = index.find(&lower);
        if matches.is_empty() {
            return Vec::new();
        }
        let is_from_known_program =
            LOG_MARKERS.iter().any(|program| memchr::memmem::find(&lower, program).is_some());
        matches.retain(|(message, _)| is_from_known_program || !self.messages[*message].is_common);
        matches.sort_by_key(|(message, _)| {
            (std::cmp::Reverse(index.pattern(*message).weight()), *message)
        });
        let mut answers: Vec<(usize, Range<usize>)> = Vec::new();
        for (message, place) in matches {
            let answer = self.messages[message].answer;
            if answers.iter().all(|(other_answer, other_place)| {
                *other_answer != answer
                    && (other_place.end <= place.start || place.end <= other_place.start)
            }) {
                answers.push((answer, place));
            }
        }
        answers.sort_by_key(|(_, place)| place.start);
        answers
    }

    /// Finds known messages in a string that the user passes as one message, and returns their
    /// answers in the order of the string. Vague answers are only returned if there are no others.
    /// Quotes are ignored in a second attempt, because a shell may have removed them.
    pub fn find_in_message(&self, text: &str) -> Vec<&Answer<'r>> {
        let mut indices = self.answer_indices(&self.index, text);
        if indices.is_empty() {
            let unquoted = self.messages.iter().map(|message| message.text.replace(QUOTES, ""));
            // A pattern that is too short without its quotes is used with them.
            let patterns: Vec<Pattern> = unquoted
                .zip(&self.messages)
                .filter_map(|(text, message)| {
                    Pattern::parse(&text).or_else(|| Pattern::parse(&message.text))
                })
                .collect();
            indices = self.answer_indices(&Index::new(patterns), &text.replace(QUOTES, ""));
        }
        self.drop_vague(indices).into_iter().map(|index| &self.answers[index]).collect()
    }

    fn answer_indices(&self, index: &Index, text: &str) -> Vec<usize> {
        let mut indices: Vec<usize> = Vec::new();
        for line in text.lines() {
            // A message passed on the command line is assumed to come from QEMU or libvirt.
            let line = [&*plain(line.as_bytes()), b" qemu"].concat();
            for (answer, _) in self.answers_in(index, &line) {
                if !indices.contains(&answer) {
                    indices.push(answer);
                }
            }
        }
        indices
    }

    /// Finds the messages that contain an excerpt, and returns the answers of those whose fixed
    /// text has the most characters of it. A `{}` in a message matches anything, so at least two
    /// thirds of the excerpt must match fixed text.
    pub(super) fn find_by_excerpt(&self, excerpt: &str, cut: Cut) -> Vec<&Answer<'r>> {
        let excerpt = String::from_utf8_lossy(&plain(excerpt.trim().as_bytes())).to_lowercase();
        let needed = (excerpt.chars().count() * 2 / 3).max(MIN_CHARACTERS);
        let counts = self
            .messages
            .iter()
            .map(|message| count_shared_characters(&message.text.to_lowercase(), &excerpt, cut));
        let counted: Vec<(usize, usize)> =
            counts.zip(&self.messages).map(|(count, message)| (count, message.answer)).collect();
        let most = counted.iter().map(|(count, _)| *count).max().unwrap_or(0);
        let mut indices: Vec<usize> = Vec::new();
        for (_, answer) in counted.into_iter().filter(|(count, _)| *count == most && most >= needed)
        {
            if !indices.contains(&answer) {
                indices.push(answer);
            }
        }
        self.drop_vague(indices).into_iter().map(|index| &self.answers[index]).collect()
    }

    /// Removes the indices of vague answers if there are others.
    pub(super) fn drop_vague(&self, mut indices: Vec<usize>) -> Vec<usize> {
        if indices.iter().any(|index| !self.answers[*index].is_vague()) {
            indices.retain(|index| !self.answers[*index].is_vague());
        }
        indices
    }
}

/// Minimum number of characters of an excerpt; shorter ones occur in too many messages.
const MIN_CHARACTERS: usize = 6;

/// The places at which an excerpt of a message may begin and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Anywhere, even inside a word, because users copy parts of lines.
    Anywhere,
    /// Only where a word begins or ends.
    BetweenWords,
}

/// Counts the characters of `excerpt` that match the fixed text of `message`, not a `{}`. Returns 0
/// if `message` does not contain `excerpt`.
fn count_shared_characters(message: &str, excerpt: &str, cut: Cut) -> usize {
    // `None` stands for `{}`, which matches any number of characters.
    let pattern: Vec<Option<char>> =
        message.replace("{}", "\0").chars().map(|c| (c != '\0').then_some(c)).collect();
    let is_word_character =
        |at: usize| pattern.get(at).copied().flatten().is_some_and(char::is_alphanumeric);
    let can_cut = |at: usize| {
        cut == Cut::Anywhere || at == 0 || !is_word_character(at - 1) || !is_word_character(at)
    };
    // For each index in the pattern, the highest count with which it can be reached before the next
    // character of `excerpt`.
    let mut best: Vec<Option<usize>> =
        (0..=pattern.len()).map(|at| can_cut(at).then_some(0)).collect();
    for character in excerpt.chars() {
        let mut next = vec![None; pattern.len() + 1];
        for (at, count) in best.iter().enumerate().filter_map(|(at, count)| Some((at, (*count)?))) {
            match pattern.get(at) {
                Some(None) => {
                    next[at] = next[at].max(Some(count));
                    if pattern.get(at + 1) == Some(&Some(character)) {
                        next[at + 2] = next[at + 2].max(Some(count + 1));
                    }
                }
                Some(Some(expected)) if *expected == character => {
                    next[at + 1] = next[at + 1].max(Some(count + 1))
                }
                _ => {}
            }
        }
        best = next;
    }
    best.into_iter()
        .enumerate()
        .filter(|(at, _)| can_cut(*at))
        .filter_map(|(_, count)| count)
        .max()
        .unwrap_or(0)
}
