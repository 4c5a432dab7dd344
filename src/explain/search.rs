//! Searches rules and symptoms by topic.

use super::catalog::Catalog;
use crate::rules::closest_match;
use crate::rules::schema::Rule;
use crate::rules::symptom::Symptom;

/// A rule or a symptom.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'r> {
    /// A rule.
    Rule(&'r Rule),
    /// A symptom.
    Symptom(&'r Symptom),
}

impl<'r> Entry<'r> {
    /// The ID of the rule or symptom.
    pub fn id(self) -> &'r str {
        match self {
            Entry::Rule(rule) => &rule.id,
            Entry::Symptom(symptom) => &symptom.id,
        }
    }

    /// The one-line summary.
    pub fn summary(self) -> &'r str {
        match self {
            Entry::Rule(rule) => &rule.summary,
            Entry::Symptom(symptom) => &symptom.summary,
        }
    }

    /// Its whole text, in lower case.
    fn words(self) -> String {
        let mut text = format!("{} {}", self.id(), self.summary());
        match self {
            Entry::Rule(rule) => {
                let messages = rule.known_message.iter().map(|message| &*message.text);
                text.extend(
                    [&*rule.message, &*rule.why]
                        .into_iter()
                        .chain(rule.help.as_deref())
                        .chain(messages)
                        .flat_map(|part| [" ", part]),
                );
            }
            Entry::Symptom(symptom) => {
                let messages = symptom.known_message.iter().map(|message| &*message.text);
                text.extend(
                    std::iter::once(&*symptom.explanation)
                        .chain(symptom.steps.iter().map(|step| &**step))
                        .chain(messages)
                        .flat_map(|part| [" ", part]),
                );
            }
        }
        text.to_lowercase()
    }
}

/// The search result for a topic.
#[derive(Clone, Debug, Default)]
pub struct Topic<'r> {
    /// The entries that have all of its words in their ID or summary.
    pub about: Vec<Entry<'r>>,
    /// The entries that have them only in the rest of their text.
    pub mentions: Vec<Entry<'r>>,
}

impl<'r> Catalog<'r> {
    /// All rules, then all symptoms.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'r>> {
        self.rules
            .iter()
            .map(|rule| Entry::Rule(rule))
            .chain(self.symptoms.iter().map(|symptom| Entry::Symptom(symptom)))
    }

    /// Finds the entries that contain all of these words, in any order.
    pub fn about(&self, query: &str) -> Topic<'r> {
        let query = query.to_lowercase();
        let words: Vec<&str> = query.split_whitespace().collect();
        let has_all = |text: &str| words.iter().all(|word| has_word(text, word));
        let mut topic = Topic::default();
        if words.iter().all(|word| word.chars().count() < MIN_WORD_LEN) {
            return topic;
        }
        for entry in self.entries() {
            if has_all(&format!("{} {}", entry.id(), entry.summary()).to_lowercase()) {
                topic.about.push(entry);
            } else if has_all(&entry.words()) {
                topic.mentions.push(entry);
            }
        }
        // A match in the ID is more relevant than one in the summary.
        topic.about.sort_by_key(|entry| (!has_all(entry.id()), entry.id()));
        topic
    }

    /// Suggests IDs for a query without results: one with a similar spelling, else up to three
    /// entries that share the most words with it. Words in more than a sixteenth of all entries are
    /// ignored.
    pub fn nearest(&self, query: &str) -> Vec<&'r str> {
        let query = query.to_lowercase();
        let entries: Vec<(&str, String)> =
            self.entries().map(|entry| (entry.id(), entry.words())).collect();
        let is_rare = |word: &&str| {
            entries.iter().filter(|(_, text)| has_word(text, word)).count() <= entries.len() / 16
        };
        let words = query
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.chars().count() > MIN_WORD_LEN);
        let words: Vec<&str> = words.filter(is_rare).collect();
        let shared_word_count =
            |text: &str| words.iter().filter(|word| has_word(text, word)).count();
        let mut counted: Vec<(usize, &str)> = entries
            .iter()
            .map(|(id, text)| (shared_word_count(text), *id))
            .filter(|(count, _)| *count > 0)
            .collect();
        counted.sort_by_key(|(count, id)| (std::cmp::Reverse(*count), *id));
        match closest_match(&query, self.entries().map(Entry::id)) {
            Some(id) => vec![id],
            None => counted.into_iter().map(|(_, id)| id).take(3).collect(),
        }
    }
}

/// Whether a string contains a word, in the singular or plural, but not inside a longer word:
/// `barely` does not contain `bar`.
fn has_word(text: &str, word: &str) -> bool {
    let is_word = |text: &&str| text.len() >= MIN_WORD_LEN && text.chars().all(char::is_alphabetic);
    let singular = word.strip_suffix('s').filter(is_word).unwrap_or(word);
    has_exact_word(text, word) || has_exact_word(text, singular)
}

/// Whether a string contains this word, or this word followed by `s`.
fn has_exact_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        let starts_at_boundary =
            !(before.ends_with(char::is_alphanumeric) && word.starts_with(char::is_alphanumeric));
        let ends_at_boundary = |after: &str| {
            !(after.starts_with(char::is_alphanumeric) && word.ends_with(char::is_alphanumeric))
        };
        starts_at_boundary
            && (ends_at_boundary(after) || after.strip_prefix('s').is_some_and(ends_at_boundary))
    })
}

/// Minimum length of a word; shorter ones occur in too many rules.
const MIN_WORD_LEN: usize = 3;

#[cfg(test)]
mod tests {
    use super::has_word;

    #[test]
    fn has_word_respects_word_boundaries() {
        for text in ["bar", "a bar.", "foo-bar", "foo_bar=1", "`bar`", "bars", "barely a bar"] {
            assert!(has_word(text, "bar"), "{text}");
        }
        assert!(has_word("a bar", "bars") && !has_word("barely", "bars"));
        for text in ["", "barely", "rebar", "barst", "bar1", "éxbar"] {
            assert!(!has_word(text, "bar"), "{text}");
        }
        assert!(has_word("x-igd-opregion=on", "x-igd-opregion"));
        assert!(has_word("QEMU: -set device", "-set"));
    }
}
