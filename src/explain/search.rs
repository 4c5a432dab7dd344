//! Rules and symptoms by what they are about.

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
    /// Its name.
    pub fn id(self) -> &'r str {
        match self {
            Entry::Rule(rule) => &rule.id,
            Entry::Symptom(symptom) => &symptom.id,
        }
    }

    /// What it is about, in a line.
    pub fn summary(self) -> &'r str {
        match self {
            Entry::Rule(rule) => &rule.summary,
            Entry::Symptom(symptom) => &symptom.summary,
        }
    }

    /// All that it says, in lower case.
    fn words(self) -> String {
        let mut text = format!("{} {}", self.id(), self.summary());
        match self {
            Entry::Rule(rule) => {
                let says = rule.known_message.iter().map(|says| &*says.text);
                text.extend(
                    [&*rule.message, &*rule.why]
                        .into_iter()
                        .chain(rule.help.as_deref())
                        .chain(says)
                        .flat_map(|part| [" ", part]),
                );
            }
            Entry::Symptom(symptom) => {
                let says = symptom.known_message.iter().map(|words| &*words.text);
                text.extend(
                    std::iter::once(&*symptom.explanation)
                        .chain(symptom.steps.iter().map(|step| &**step))
                        .chain(says)
                        .flat_map(|part| [" ", part]),
                );
            }
        }
        text.to_lowercase()
    }
}

/// What is about a topic.
#[derive(Clone, Debug, Default)]
pub struct Topic<'r> {
    /// Those that have all of its words in their name or their line.
    pub about: Vec<Entry<'r>>,
    /// Those that have them somewhere else.
    pub beside: Vec<Entry<'r>>,
}

impl<'r> Catalog<'r> {
    /// All rules, then all symptoms.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'r>> {
        self.rules
            .iter()
            .map(|rule| Entry::Rule(rule))
            .chain(self.symptoms.iter().map(|symptom| Entry::Symptom(symptom)))
    }

    /// What is about these words, whatever their order.
    pub fn about(&self, asked: &str) -> Topic<'r> {
        let asked = asked.to_lowercase();
        let words: Vec<&str> = asked.split_whitespace().collect();
        let has_all = |text: &str| words.iter().all(|word| has_word(text, word));
        let mut topic = Topic::default();
        if words.iter().all(|word| word.chars().count() < MIN_WORD_LEN) {
            return topic;
        }
        for entry in self.entries() {
            if has_all(&format!("{} {}", entry.id(), entry.summary()).to_lowercase()) {
                topic.about.push(entry);
            } else if has_all(&entry.words()) {
                topic.beside.push(entry);
            }
        }
        // A name says more than a line does.
        topic.about.sort_by_key(|entry| (!has_all(entry.id()), entry.id()));
        topic
    }

    /// The names that come nearest to what nothing is known of: one that is spelt like it, else up
    /// to three that share most of its words. A word that is in more than a sixteenth of all texts
    /// does not count.
    pub fn nearest(&self, asked: &str) -> Vec<&'r str> {
        let asked = asked.to_lowercase();
        let entries: Vec<(&str, String)> =
            self.entries().map(|entry| (entry.id(), entry.words())).collect();
        let is_rare = |word: &&str| {
            entries.iter().filter(|(_, text)| has_word(text, word)).count() <= entries.len() / 16
        };
        let words = asked
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.chars().count() > MIN_WORD_LEN);
        let words: Vec<&str> = words.filter(is_rare).collect();
        let shared = |text: &str| words.iter().filter(|word| has_word(text, word)).count();
        let mut counted: Vec<(usize, &str)> = entries
            .iter()
            .map(|(id, text)| (shared(text), *id))
            .filter(|(count, _)| *count > 0)
            .collect();
        counted.sort_by_key(|(count, id)| (std::cmp::Reverse(*count), *id));
        match closest_match(&asked, self.entries().map(Entry::id)) {
            Some(id) => vec![id],
            None => counted.into_iter().map(|(_, id)| id).take(3).collect(),
        }
    }
}

/// Whether a text has a word, in the singular or the plural, but not inside a longer word: `bar` is
/// not in `barely`.
fn has_word(text: &str, word: &str) -> bool {
    let is_word = |text: &&str| text.len() >= MIN_WORD_LEN && text.chars().all(char::is_alphabetic);
    let singular = word.strip_suffix('s').filter(is_word).unwrap_or(word);
    has_exact_word(text, word) || has_exact_word(text, singular)
}

/// Whether a text has this word, or this word and an `s`.
fn has_exact_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        let begins =
            !(before.ends_with(char::is_alphanumeric) && word.starts_with(char::is_alphanumeric));
        let ends = |after: &str| {
            !(after.starts_with(char::is_alphanumeric) && word.ends_with(char::is_alphanumeric))
        };
        begins && (ends(after) || after.strip_prefix('s').is_some_and(ends))
    })
}

/// Shorter words are in too many texts.
const MIN_WORD_LEN: usize = 3;

#[cfg(test)]
mod tests {
    use super::has_word;

    #[test]
    fn a_word_is_found_between_word_boundaries() {
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
