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

use super::path_parser::{Parser, SelectorError};

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
    /// Returns the first error, with its byte offset.
    pub fn parse(source: &str) -> Result<Self, SelectorError> {
        let paths = Parser::new(source).paths()?;
        Ok(Selector { source: Cow::Owned(source.into()), paths: Cow::Owned(paths) })
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Selector::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
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
        let error = |source| Selector::parse(source).unwrap_err().to_string();
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
