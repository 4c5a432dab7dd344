//! Parses selectors; [`path`](super::path) has the grammar.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use super::path::{Axis, Condition, List, Name, Path, Step, Text, Value};

/// A syntax error in a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectorError {
    /// The selector.
    source: String,
    /// The byte offset of the error.
    offset: usize,
    expected: &'static str,
    /// The character at the offset; `None` at the end.
    found: Option<char>,
}

impl fmt::Display for SelectorError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SelectorError { source, offset, expected, found } = self;
        write!(formatter, "in the path `{source}`: expected {expected} at byte {offset}, found ")?;
        match found {
            Some(character) => write!(formatter, "'{character}'"),
            None => formatter.write_str("the end"),
        }
    }
}

impl Error for SelectorError {}

/// Reads a selector from its start to its end.
pub(super) struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Parser { text, at: 0 }
    }

    /// Parses the whole text.
    pub(super) fn paths(mut self) -> Result<Vec<Path>, SelectorError> {
        let mut paths = vec![self.path()?];
        while self.take("|") {
            paths.push(self.path()?);
        }
        if self.at < self.text.len() {
            return Err(self.expected("'|', '/' or the end"));
        }
        if paths.iter().any(|path| !path.absolute && path.steps.is_empty()) {
            return Err(self.expected("a path"));
        }
        Ok(paths)
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn expected(&self, expected: &'static str) -> SelectorError {
        let (source, offset) = (self.text.to_owned(), self.at);
        SelectorError { source, offset, expected, found: self.rest().chars().next() }
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn take(&mut self, token: &str) -> bool {
        self.skip_space();
        let is_next = self.rest().starts_with(token);
        if is_next {
            self.at += token.len();
            self.skip_space();
        }
        is_next
    }

    /// Takes a keyword (`and`, `or`) if no name character follows it.
    fn take_word(&mut self, word: &str) -> bool {
        self.skip_space();
        let ends =
            self.rest().strip_prefix(word).is_some_and(|rest| !rest.starts_with(is_name_character));
        ends && self.take(word)
    }

    fn name(&mut self) -> Result<Text, SelectorError> {
        let length = self.rest().find(|c| !is_name_character(c)).unwrap_or(self.rest().len());
        if length == 0 || !self.rest().starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return Err(self.expected("a name"));
        }
        let name = self.rest()[..length].to_owned();
        self.at += length;
        Ok(Cow::Owned(name))
    }

    fn path(&mut self) -> Result<Path, SelectorError> {
        self.skip_space();
        let absolute = self.rest().starts_with('/');
        let mut steps = Vec::new();
        let mut first = true;
        loop {
            let axis = if self.take("//") {
                Axis::Descendant
            } else if self.take("/") || first {
                Axis::Child
            } else {
                break;
            };
            first = false;
            if self.rest().starts_with('@') {
                // An attribute ends a value; the caller reads it.
                if axis == Axis::Descendant {
                    return Err(self.expected("an element before '@'"));
                }
                break;
            }
            steps.push(self.step(axis)?);
        }
        Ok(Path { absolute, steps: Cow::Owned(steps), stem: None })
    }

    fn step(&mut self, axis: Axis) -> Result<Step, SelectorError> {
        if axis == Axis::Descendant && self.rest().starts_with('.') {
            return Err(self.expected("a name after '//'"));
        }
        let simple = |axis| Ok(Step { axis, name: Name::Any, conditions: Cow::Borrowed(&[]) });
        if self.take("..") {
            return simple(Axis::Parent);
        }
        if self.take(".") {
            return simple(Axis::Own);
        }
        let name = if self.take("*") {
            Name::Any
        } else {
            let name = self.name()?;
            if name != "qemu" || !self.rest().starts_with(':') {
                Name::Plain(name)
            } else {
                self.at += 1;
                if self.take("*") { Name::AnyQemu } else { Name::Qemu(self.name()?) }
            }
        };
        let mut conditions = Vec::new();
        while self.take("[") {
            conditions.push(self.condition()?);
            if !self.take("]") {
                return Err(self.expected("']'"));
            }
        }
        Ok(Step { axis, name, conditions: Cow::Owned(conditions) })
    }

    fn condition(&mut self) -> Result<Condition, SelectorError> {
        let mut choices = vec![self.conjunction()?];
        while self.take_word("or") {
            choices.push(self.conjunction()?);
        }
        Ok(single_or(choices, Condition::Any))
    }

    fn conjunction(&mut self) -> Result<Condition, SelectorError> {
        let mut parts = vec![self.term()?];
        while self.take_word("and") {
            parts.push(self.term()?);
        }
        Ok(single_or(parts, Condition::All))
    }

    fn term(&mut self) -> Result<Condition, SelectorError> {
        let negated = self.take("not(");
        if negated || self.take("(") {
            let condition = self.condition()?;
            if !self.take(")") {
                return Err(self.expected("')'"));
            }
            return Ok(if negated {
                Condition::Not(Cow::Owned(vec![condition]))
            } else {
                condition
            });
        }
        let value = self.value()?;
        if self.take("!=") {
            return Ok(Condition::Different(value, self.string()?));
        }
        if self.take("=") {
            return Ok(Condition::Equal(value, self.string()?));
        }
        Ok(Condition::Exists(value))
    }

    fn value(&mut self) -> Result<Value, SelectorError> {
        self.skip_space();
        let path = if self.rest().starts_with('@') {
            Path { absolute: false, steps: Cow::Borrowed(&[]), stem: None }
        } else {
            self.path()?
        };
        let attribute = if self.take("@") { Some(self.name()?) } else { None };
        self.skip_space();
        Ok(Value { path, attribute })
    }

    fn string(&mut self) -> Result<Text, SelectorError> {
        let Some(quote) = self.rest().chars().next().filter(|c| matches!(c, '\'' | '"')) else {
            return Err(self.expected("a string in quotes"));
        };
        let inside = &self.rest()[1..];
        let Some(length) = inside.find(quote) else {
            return Err(self.expected("the closing quote"));
        };
        let string = inside[..length].to_owned();
        self.at += length + 2;
        self.skip_space();
        Ok(Cow::Owned(string))
    }
}

fn single_or(mut conditions: Vec<Condition>, make: fn(List<Condition>) -> Condition) -> Condition {
    match conditions.len() {
        1 => conditions.remove(0),
        _ => make(Cow::Owned(conditions)),
    }
}

fn is_name_character(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}
