//! What is known of a question: of a message, a piece of one, or of what somebody looks for.

use super::catalog::{Answer, Catalog, Cut};
use super::search::Topic;

/// What is known of a question: answers where it is a message or a piece of one, else what is about
/// its words.
#[derive(Clone, Debug, Default)]
pub struct QueryResult<'k, 'r> {
    /// What explains the messages in it.
    pub answers: Vec<&'k Answer<'r>>,
    /// What is about its words, where no message is in it.
    pub topic: Topic<'r>,
}

impl QueryResult<'_, '_> {
    /// Whether nothing is known of it.
    pub fn is_nothing(&self) -> bool {
        self.answers.is_empty() && self.topic.about.is_empty() && self.topic.beside.is_empty()
    }
}

impl<'r> Catalog<'r> {
    /// What is known of a question. A single word is a topic before it is a piece of a message.
    pub fn asked(&self, question: &str) -> QueryResult<'_, 'r> {
        let is_one_word = !question.trim().contains(char::is_whitespace);
        let mut answers = self.in_message(question);
        if answers.is_empty() && !is_one_word {
            answers = self.with_piece(question, Cut::Anywhere);
        }
        if !answers.is_empty() {
            return QueryResult { answers, topic: Topic::default() };
        }
        let topic = self.about(question);
        if topic.about.is_empty() {
            answers = self.with_piece(question, Cut::BetweenWords);
        }
        match answers.is_empty() {
            true => QueryResult { answers, topic },
            false => QueryResult { answers, topic: Topic::default() },
        }
    }
}
