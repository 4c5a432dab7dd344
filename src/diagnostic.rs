//! A finding as the outside sees it.

use std::ops::Range;
use std::sync::Arc;

use crate::edit::{Applicability, Edits};
use crate::rules::schema::Severity;
use crate::rules::{self, Rule};
use crate::source::{Position, Source};
use crate::xml::{self, XmlError, XmlErrorKind};

/// How much of a finding somebody looks at, from least to most: nothing else is worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Where it is, what is wrong, and how sure its fix is: no help, no title of the fix, no edits.
    Line,
    /// And all that is said of it.
    Words,
    /// And the edits that mend it alone.
    Edits,
}

/// Something that a rule found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Diagnostic<'r> {
    /// The rule that found it.
    pub rule: &'r Rule,
    /// What happens to the user.
    pub severity: Severity,
    /// Where, in bytes.
    pub span: Range<usize>,
    /// Where, for people.
    pub start: Position,
    /// The first character behind it.
    pub end: Position,
    /// What is wrong.
    pub message: String,
    /// What the user can do.
    pub help: Option<String>,
    /// Other places that have to do with it.
    pub related: Vec<Related>,
    /// How it can be mended.
    pub fix: Option<Fix>,
    /// Whether it is about what a fix put in: then the place is where that was put.
    pub in_inserted_text: bool,
    /// Why it is to be ignored, as the document says; None for one that counts.
    pub reason: Option<String>,
}

impl Diagnostic<'static> {
    /// What is found in a text that can't be read: the first thing that is in the way, at the
    /// character or tag where it is.
    pub fn unreadable(source: &Source<'_>, error: &XmlError) -> Self {
        let text = source.text();
        let character = text
            .get(error.offset..)
            .and_then(|rest| rest.chars().next())
            .filter(|c| !matches!(c, '\r' | '\n'));
        let span = match error.kind {
            XmlErrorKind::NotWellFormed => {
                error.offset..error.offset + character.map_or(0, char::len_utf8)
            }
            XmlErrorKind::NotADomain => {
                xml::root_tag(text).map_or(error.offset..error.offset, |tag| tag.span)
            }
        };
        let (start, end) = source.positions(span.clone());
        Diagnostic { span, end, ..Diagnostic::unreadable_at(start, error) }
    }

    /// The same of a text that is gone: its place is all that is known of it.
    pub fn unreadable_at(start: Position, error: &XmlError) -> Self {
        let rule = rules::rule_for_xml_error(error.kind);
        Diagnostic {
            rule,
            severity: rule.severity,
            span: error.offset..error.offset,
            start,
            end: start,
            message: error.message.clone(),
            help: Some(error.help.clone()),
            in_inserted_text: false,
            reason: None,
            related: Vec::new(),
            fix: None,
        }
    }
}

/// Another place that has to do with a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Related {
    /// The name of the document, where it is another one.
    pub file: Option<Arc<str>>,
    /// Where, in bytes.
    pub span: Range<usize>,
    /// Where, for people.
    pub start: Position,
    /// What it is.
    pub message: String,
    /// Whether the finding's fix removes what is there or turns it off.
    pub is_removed: bool,
}

/// How a finding can be mended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fix {
    /// What it does, as an order.
    pub title: String,
    /// How sure it is.
    pub applicability: Applicability,
    /// What it may lose, as the end of "this may lose …": for one that is not made unasked.
    pub risk: Option<String>,
    /// The bytes it changes; none where only a person can do it, where another fix comes first, or
    /// where thousands of findings would each change thousands of places or carry a large part of
    /// the document.
    pub edits: Edits,
}

impl Severity {
    /// The word that reports and flags use.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}
