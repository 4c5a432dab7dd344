//! Answers a query: a message, an excerpt of one, or search terms.

use super::catalog::{Answer, Catalog, Cut};
use super::search::Topic;

/// The result of a query: explanations if it is a message or an excerpt of one, else rules and
/// symptoms that match its words.
#[derive(Clone, Debug, Default)]
pub struct QueryResult<'k, 'r> {
    /// The explanations of the messages in the query.
    pub answers: Vec<&'k Answer<'r>>,
    /// The rules and symptoms that match its words, if it contains no message.
    pub topic: Topic<'r>,
}

impl QueryResult<'_, '_> {
    /// Whether the result is empty.
    pub fn is_nothing(&self) -> bool {
        self.answers.is_empty() && self.topic.about.is_empty() && self.topic.mentions.is_empty()
    }
}

impl<'r> Catalog<'r> {
    /// Answers a query. A single word is a search term first and an excerpt of a message second.
    pub fn query(&self, question: &str) -> QueryResult<'_, 'r> {
        let is_one_word = !question.trim().contains(char::is_whitespace);
        let mut answers = self.find_in_message(question);
        if answers.is_empty() && !is_one_word {
            answers = self.find_by_excerpt(question, Cut::Anywhere);
        }
        if !answers.is_empty() {
            return QueryResult { answers, topic: Topic::default() };
        }
        let topic = self.about(question);
        if topic.about.is_empty() {
            answers = self.find_by_excerpt(question, Cut::BetweenWords);
        }
        if answers.is_empty() {
            QueryResult { answers, topic }
        } else {
            QueryResult { answers, topic: Topic::default() }
        }
    }
}
