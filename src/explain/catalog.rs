//! All messages that are known, and which rule or symptom each is of.

use std::ops::Range;

use super::pattern::{Index, Pattern};
use super::strip_ansi::plain;
use crate::rules::schema::{MessageSource, Rule};
use crate::rules::symptom::Symptom;

/// What explains a message.
#[derive(Clone, Debug)]
pub enum Answer<'r> {
    /// What it means and what to do stands in a file of its own.
    Symptom(&'r Symptom),
    /// The rules that say that libvirt, QEMU or the system say it.
    Rules(Vec<&'r Rule>),
}

impl Answer<'_> {
    /// Whether it tells nothing by itself.
    pub fn is_vague(&self) -> bool {
        matches!(self, Answer::Symptom(symptom) if symptom.fallback)
    }
}

/// Rules and symptoms, ready for the question which of them a message is of.
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

/// A message that is known.
#[derive(Clone, Debug)]
struct Message {
    text: String,
    /// The number of its answer.
    answer: usize,
    /// Whether other programs say the same, so that it counts only beside the name of the one that
    /// is meant.
    is_common: bool,
}

const QUOTES: [char; 2] = ['\'', '"'];

/// Messages with fewer letters than these may be anybody's.
const COMMON: usize = 22;

/// What stands in the lines of the programs whose messages are known: the daemons, QEMU and virsh.
const LOG_PROGRAMS: [&[u8]; 4] = [b"qemu", b"virt", b"error", b"hook"];

impl<'r> Catalog<'r> {
    /// Makes rules and symptoms ready. A message that a symptom has too is the symptom's.
    pub fn new(rules: impl IntoIterator<Item = &'r Rule>, symptoms: &'r [Symptom]) -> Self {
        let rules: Vec<&'r Rule> = rules.into_iter().collect();
        let mut known = Catalog {
            rules,
            symptoms: symptoms.iter().collect(),
            answers: Vec::new(),
            messages: Vec::new(),
            index: Index::new(Vec::new()),
        };
        let mut patterns = Vec::new();
        for symptom in symptoms {
            let answer = known.add_answer(Answer::Symptom(symptom));
            for words in symptom.known_message.iter() {
                known.add_message(&words.text, words.at, answer, &mut patterns);
            }
        }
        for rule in known.rules.clone() {
            for says in rule.known_message.iter() {
                match known
                    .messages
                    .iter()
                    .find(|message| message.text == says.text)
                    .map(|message| message.answer)
                {
                    Some(answer) => known.add_rule(answer, rule),
                    None => {
                        let answer = known.add_answer(Answer::Rules(vec![rule]));
                        known.add_message(&says.text, says.at, answer, &mut patterns);
                    }
                }
            }
        }
        known.index = Index::new(patterns);
        known
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
            let is_common = at != MessageSource::System && pattern.weight() < COMMON;
            self.messages.push(Message { text: text.to_owned(), answer, is_common });
            patterns.push(pattern);
        }
    }

    /// An answer by its number.
    pub fn answer(&self, number: usize) -> &Answer<'r> {
        &self.answers[number]
    }

    /// The answers to the messages in a line of plain text (no colours, no control characters),
    /// with the places of those messages: each answer once. Of two messages in one place the one
    /// counts that says more.
    pub fn in_line(&self, line: &[u8]) -> Vec<(usize, Range<usize>)> {
        self.found_by(&self.index, line)
    }

    fn found_by(&self, index: &Index, line: &[u8]) -> Vec<(usize, Range<usize>)> {
        let lower = line.to_ascii_lowercase();
        let mut found = index.find(&lower);
        if found.is_empty() {
            return Vec::new();
        }
        let is_spoken =
            LOG_PROGRAMS.iter().any(|speaker| memchr::memmem::find(&lower, speaker).is_some());
        found.retain(|(number, _)| is_spoken || !self.messages[*number].is_common);
        found.sort_by_key(|(number, _)| {
            (std::cmp::Reverse(index.pattern(*number).weight()), *number)
        });
        let mut answers: Vec<(usize, Range<usize>)> = Vec::new();
        for (number, place) in found {
            let answer = self.messages[number].answer;
            if answers.iter().all(|(other, taken)| {
                *other != answer && (taken.end <= place.start || place.end <= taken.start)
            }) {
                answers.push((answer, place));
            }
        }
        answers.sort_by_key(|(_, place)| place.start);
        answers
    }

    /// The answers to the messages in a text that somebody gives as one, in its order; what is
    /// vague only where nothing else is known. A shell may have taken the quotes.
    pub fn in_message(&self, text: &str) -> Vec<&Answer<'r>> {
        let numbers = self.numbers_in(&self.index, text);
        let numbers = if numbers.is_empty() {
            let unquoted = self.messages.iter().map(|message| message.text.replace(QUOTES, ""));
            // All were patterns with quotes, so those without them have a piece left that is long
            // enough.
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
            // Whoever asks says by asking that it is QEMU's or libvirt's.
            let line = [&*plain(line.as_bytes()), b" qemu"].concat();
            for (number, _) in self.found_by(index, &line) {
                if !numbers.contains(&number) {
                    numbers.push(number);
                }
            }
        }
        numbers
    }

    /// The answers whose messages have this piece, with anything in the places that vary: those
    /// that have most of its letters.
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

    /// These answers without the vague ones, if there are others.
    pub(super) fn without_vague(&self, mut numbers: Vec<usize>) -> Vec<usize> {
        if numbers.iter().any(|number| !self.answers[*number].is_vague()) {
            numbers.retain(|number| !self.answers[*number].is_vague());
        }
        numbers
    }
}

/// A piece with fewer letters is in too many messages.
const MIN_LETTERS: usize = 6;

/// Where a piece of a message may begin and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Also inside a word: the user may have copied only a part of a line.
    Anywhere,
    /// Only where a word begins or ends.
    BetweenWords,
}

/// How many letters of `asked` are letters of `says`, if it is a piece of it with anything in the
/// places that vary; else 0.
fn letters_in_common(says: &str, asked: &str, cut: Cut) -> usize {
    // None stands for a place that varies: it takes any letters, also none.
    let pattern: Vec<Option<char>> =
        says.replace("{}", "\0").chars().map(|c| (c != '\0').then_some(c)).collect();
    let is_letter =
        |at: usize| pattern.get(at).copied().flatten().is_some_and(char::is_alphanumeric);
    let can_cut =
        |at: usize| cut == Cut::Anywhere || at == 0 || !is_letter(at - 1) || !is_letter(at);
    // The best count for each place in the pattern to be at, before a letter of `asked`.
    let mut best: Vec<Option<usize>> =
        (0..=pattern.len()).map(|at| can_cut(at).then_some(0)).collect();
    for letter in asked.chars() {
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
