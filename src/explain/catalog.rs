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
    /// Whether other programs print this text too, so that it only counts in a line that names one
    /// of `LOG_PROGRAMS`.
    is_common: bool,
}

const QUOTES: [char; 2] = ['\'', '"'];

/// Messages with fewer fixed bytes than these may come from any program.
const MIN_SPECIFIC_LENGTH: usize = 22;

/// Text in the log lines of the known programs: the daemons, QEMU and virsh.
const LOG_PROGRAMS: [&[u8]; 4] = [b"qemu", b"virt", b"error", b"hook"];

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
    pub fn answer(&self, number: usize) -> &Answer<'r> {
        &self.answers[number]
    }

    /// Finds known messages in a line of plain text (without colors and control characters).
    /// Returns the indices of their answers, each once, with the byte ranges of the messages,
    /// sorted by position. Where two messages overlap, the more specific one wins.
    pub fn in_line(&self, line: &[u8]) -> Vec<(usize, Range<usize>)> {
        self.answers_in(&self.index, line)
    }

    fn answers_in(&self, index: &Index, line: &[u8]) -> Vec<(usize, Range<usize>)> {
        let lower = line.to_ascii_lowercase();
        let mut matches = index.find(&lower);
        if matches.is_empty() {
            return Vec::new();
        }
        let names_log_program =
            LOG_PROGRAMS.iter().any(|program| memchr::memmem::find(&lower, program).is_some());
        matches.retain(|(number, _)| names_log_program || !self.messages[*number].is_common);
        matches.sort_by_key(|(number, _)| {
            (std::cmp::Reverse(index.pattern(*number).weight()), *number)
        });
        let mut answers: Vec<(usize, Range<usize>)> = Vec::new();
        for (number, place) in matches {
            let answer = self.messages[number].answer;
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

    /// Finds known messages in a text that the user passes as one message, in the order of the
    /// text. Vague answers are only returned if there are no others. Quotes are ignored in a second
    /// attempt, because a shell may have removed them.
    pub fn in_message(&self, text: &str) -> Vec<&Answer<'r>> {
        let numbers = self.numbers_in(&self.index, text);
        let numbers = if numbers.is_empty() {
            let unquoted = self.messages.iter().map(|message| message.text.replace(QUOTES, ""));
            // A pattern that is too short without its quotes is used with them.
            let patterns: Vec<Pattern> = unquoted
                .zip(&self.messages)
                .filter_map(|(text, message)| {
                    Pattern::parse(&text).or_else(|| Pattern::parse(&message.text))
                })
                .collect();
            self.numbers_in(&Index::new(patterns), &text.replace(QUOTES, ""))
        } else {
            numbers
        };
        self.without_vague(numbers).into_iter().map(|number| &self.answers[number]).collect()
    }

    fn numbers_in(&self, index: &Index, text: &str) -> Vec<usize> {
        let mut numbers: Vec<usize> = Vec::new();
        for line in text.lines() {
            // A message passed on the command line is assumed to come from QEMU or libvirt.
            let line = [&*plain(line.as_bytes()), b" qemu"].concat();
            for (number, _) in self.answers_in(index, &line) {
                if !numbers.contains(&number) {
                    numbers.push(number);
                }
            }
        }
        numbers
    }

    /// Finds messages that contain a piece of text, in which `{}` of the message matches anything,
    /// and returns the answers of those that share the most letters with it.
    pub(super) fn with_piece(&self, piece: &str, cut: Cut) -> Vec<&Answer<'r>> {
        let piece = String::from_utf8_lossy(&plain(piece.trim().as_bytes())).to_lowercase();
        let needed = (piece.chars().count() * 2 / 3).max(MIN_LETTERS);
        let counts = self
            .messages
            .iter()
            .map(|message| letters_in_common(&message.text.to_lowercase(), &piece, cut));
        let counted: Vec<(usize, usize)> =
            counts.zip(&self.messages).map(|(count, message)| (count, message.answer)).collect();
        let most = counted.iter().map(|(count, _)| *count).max().unwrap_or(0);
        let mut numbers: Vec<usize> = Vec::new();
        for (_, number) in counted.into_iter().filter(|(count, _)| *count == most && most >= needed)
        {
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        self.without_vague(numbers).into_iter().map(|number| &self.answers[number]).collect()
    }

    /// Removes the vague answers if there are others.
    pub(super) fn without_vague(&self, mut numbers: Vec<usize>) -> Vec<usize> {
        if numbers.iter().any(|number| !self.answers[*number].is_vague()) {
            numbers.retain(|number| !self.answers[*number].is_vague());
        }
        numbers
    }
}

/// Minimum number of letters; shorter pieces occur in too many messages.
const MIN_LETTERS: usize = 6;

/// Where a piece of a message may begin and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Anywhere, even inside a word: the user may have copied only a part of a line.
    Anywhere,
    /// Only where a word begins or ends.
    BetweenWords,
}

/// Counts the letters that `piece` shares with `message`, in which `{}` matches anything. Returns 0
/// if `piece` is not contained in it.
fn letters_in_common(message: &str, piece: &str, cut: Cut) -> usize {
    // `None` stands for `{}`, which matches any number of letters.
    let pattern: Vec<Option<char>> =
        message.replace("{}", "\0").chars().map(|c| (c != '\0').then_some(c)).collect();
    let is_letter =
        |at: usize| pattern.get(at).copied().flatten().is_some_and(char::is_alphanumeric);
    let can_cut =
        |at: usize| cut == Cut::Anywhere || at == 0 || !is_letter(at - 1) || !is_letter(at);
    // For each index in the pattern, the highest count with which it can be reached before the next
    // letter of `piece`.
    let mut best: Vec<Option<usize>> =
        (0..=pattern.len()).map(|at| can_cut(at).then_some(0)).collect();
    for letter in piece.chars() {
        let mut next = vec![None; pattern.len() + 1];
        for (at, count) in best.iter().enumerate().filter_map(|(at, count)| Some((at, (*count)?))) {
            match pattern.get(at) {
                Some(None) => {
                    next[at] = next[at].max(Some(count));
                    if pattern.get(at + 1) == Some(&Some(letter)) {
                        next[at + 2] = next[at + 2].max(Some(count + 1));
                    }
                }
                Some(Some(expected)) if *expected == letter => {
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
