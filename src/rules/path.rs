//! The selector language of rule files: a subset of XPath 1.0 with the semantics of XPath.
//!
//! ```text
//! selector  = path { "|" path }
//! path      = [ "/" | "//" ] step { ( "/" | "//" ) step }
//! step      = ".." | "." | ( NAME | "qemu:" NAME | "*" | "qemu:*" ) { "[" condition "]" }
//! condition = and { "or" and }        and = term { "and" term }
//! term      = "not(" condition ")" | "(" condition ")" | value [ ( "=" | "!=" ) STRING ]
//! value     = path | [ path "/" ] "@" NAME
//! ```
//! A name without a prefix matches elements in no namespace; `qemu:` stands for libvirt's QEMU
//! namespace, whatever prefix the document uses.

use std::borrow::Cow;

use serde::Deserialize;

/// Text that is compiled in, or read from a file.
pub type Text = Cow<'static, str>;
/// A list that is compiled in, or read from a file.
pub type List<T> = Cow<'static, [T]>;

/// A set of paths; selects the elements that any of them matches.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    /// The selector as written.
    pub source: Text,
    /// The alternatives between `|`.
    pub paths: List<Path>,
}

/// A sequence of steps from one element to others.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Whether it starts at the document (`/…`) instead of the context element.
    pub absolute: bool,
    /// The steps in order.
    pub steps: List<Step>,
    /// The index of its prefix in the trie of the built-in selectors
    /// (`selector_trie`); `None` for paths that are not built in or have no
    /// such prefix.
    pub stem: Option<usize>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The direction of the step.
    pub axis: Axis,
    /// The names that it matches.
    pub name: Name,
    /// The predicates; all must hold.
    pub conditions: List<Condition>,
}

/// The direction of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Axis {
    /// `/name`.
    Child,
    /// `//name`.
    Descendant,
    /// `..`.
    Parent,
    /// `.`.
    Own,
}

/// The name test of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Name {
    /// `*`.
    Any,
    /// `name`, in no namespace.
    Plain(Text),
    /// `qemu:name`, in libvirt's namespace for QEMU.
    Qemu(Text),
    /// `qemu:*`, any name in that namespace.
    AnyQemu,
}

/// A predicate on an element.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All of these hold.
    All(List<Condition>),
    /// At least one of these holds.
    Any(List<Condition>),
    /// None of these holds.
    Not(List<Condition>),
    /// The path matches something.
    Exists(Value),
    /// A match has this value (XPath: `=`).
    Equal(Value, Text),
    /// A match has another value (XPath: `!=`).
    Different(Value, Text),
}

/// An element's text, or an attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// The path to the element.
    pub path: Path,
    /// The attribute's name; `None` for the element's text.
    pub attribute: Option<Text>,
}

impl Selector {
    /// Parses a selector.
    ///
    /// # Errors
    /// Returns a message with the byte offset of the error.
    pub fn parse(source: &str) -> Result<Self, String> {
        let mut parser = Parser { text: source, at: 0 };
        let mut paths = vec![parser.path()?];
        while parser.take("|") {
            paths.push(parser.path()?);
        }
        if parser.at < source.len() {
            return Err(parser.expected("'|', '/' or the end"));
        }
        if paths.iter().any(|path| !path.absolute && path.steps.is_empty()) {
            return Err(parser.expected("a path"));
        }
        Ok(Selector { source: Cow::Owned(source.into()), paths: Cow::Owned(paths) })
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Selector::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn expected(&self, what: &str) -> String {
        let next = match self.rest().chars().next() {
            Some(next) => format!("'{next}'"),
            None => "the end".into(),
        };
        format!("in the path `{}`: expected {what} at byte {}, found {next}", self.text, self.at)
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

    fn name(&mut self) -> Result<Text, String> {
        let length = self.rest().find(|c| !is_name_character(c)).unwrap_or(self.rest().len());
        if length == 0 || !self.rest().starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return Err(self.expected("a name"));
        }
        let name = self.rest()[..length].to_owned();
        self.at += length;
        Ok(Cow::Owned(name))
    }

    fn path(&mut self) -> Result<Path, String> {
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

    fn step(&mut self, axis: Axis) -> Result<Step, String> {
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

    fn condition(&mut self) -> Result<Condition, String> {
        let mut choices = vec![self.conjunction()?];
        while self.take_word("or") {
            choices.push(self.conjunction()?);
        }
        Ok(single_or(choices, Condition::Any))
    }

    fn conjunction(&mut self) -> Result<Condition, String> {
        let mut parts = vec![self.term()?];
        while self.take_word("and") {
            parts.push(self.term()?);
        }
        Ok(single_or(parts, Condition::All))
    }

    fn term(&mut self) -> Result<Condition, String> {
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

    fn value(&mut self) -> Result<Value, String> {
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

    fn string(&mut self) -> Result<Text, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_paths_of_every_shape() {
        for source in [
            "/domain/devices/graphics",
            "//qemu:arg",
            "/*",
            "/domain/qemu:*",
            "/domain[@type='kvm' and not(@id)]/devices/*[@a or @b]",
            "/domain/devices/hostdev[source/address/@uuid = \"x\"]/..",
            "a | b[.='x'] | ../c[(d or e) and f!='']",
            "/domain/devices/video[model/@type!='none']",
        ] {
            assert!(Selector::parse(source).is_ok(), "{:?}", Selector::parse(source));
        }
    }

    #[test]
    fn errors_have_the_offset_and_what_was_expected() {
        let error = |source| Selector::parse(source).unwrap_err();
        assert_eq!(
            error("/domain["),
            "in the path `/domain[`: expected a name at byte 8, found the end"
        );
        assert_eq!(
            error("/a[@b=c]"),
            "in the path `/a[@b=c]`: expected a string in quotes at byte 6, found 'c'"
        );
        assert_eq!(
            error("/a]"),
            "in the path `/a]`: expected '|', '/' or the end at byte 2, found ']'"
        );
        assert_eq!(
            error("/a[not(b]"),
            "in the path `/a[not(b]`: expected ')' at byte 8, found ']'"
        );
        for source in ["", "|", "/a|", "/a/@b", "/a[//@b]", "//..", "/a//.", "1", "/a[@b='x]"] {
            assert!(Selector::parse(source).is_err(), "{source}");
        }
    }
}
