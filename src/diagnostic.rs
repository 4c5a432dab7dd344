//! A finding as the outside sees it.

use std::ops::Range;

use crate::edit::{Applicability, Edit, Edits};
use crate::rules::schema::Severity;
use crate::rules::{self, Rule};
use crate::source::{Position, Source};
use crate::xml::{self, Unreadable, XmlError};

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
}

impl Diagnostic<'static> {
    /// What is found in a text that can't be read: the first thing that is in the way, at the character or tag where it is.
    pub fn unreadable(source: &Source<'_>, error: &XmlError) -> Self {
        let text = source.text();
        let character = text.get(error.offset..).and_then(|rest| rest.chars().next()).filter(|c| !matches!(c, '\r' | '\n'));
        let span = match error.kind {
            Unreadable::NotWellFormed => error.offset..error.offset + character.map_or(0, char::len_utf8),
            Unreadable::NotADomain => xml::root_tag(text).map_or(error.offset..error.offset, |tag| tag.span),
        };
        let rule = rules::about(error.kind);
        Diagnostic {
            rule,
            severity: rule.severity,
            start: source.position(span.start),
            end: source.position(span.end),
            span,
            message: error.message.clone(),
            help: Some(error.help.clone()),
            related: Vec::new(),
            fix: None,
        }
    }
}

impl Diagnostic<'_> {
    /// Gives all its bytes other places, as `place` says; lines and columns are those of before.
    pub(crate) fn move_to(&mut self, place: &impl Fn(usize) -> usize) {
        let moved = |range: &Range<usize>| place(range.start)..place(range.end).max(place(range.start));
        self.span = moved(&self.span);
        for related in &mut self.related {
            related.span = moved(&related.span);
        }
        if let Some(fix) = &mut self.fix {
            let edits = fix.edits.iter().map(|edit| Edit { range: moved(&edit.range), text: edit.text.clone() });
            fix.edits = Edits::compatible(edits.collect());
        }
    }

    /// Gives all its bytes the lines and columns that they have in this text.
    pub(crate) fn locate(&mut self, source: &Source<'_>) {
        (self.start, self.end) = (source.position(self.span.start), source.position(self.span.end));
        for related in &mut self.related {
            related.start = source.position(related.span.start);
        }
    }
}

/// Another place that has to do with a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Related {
    /// Where, in bytes.
    pub span: Range<usize>,
    /// Where, for people.
    pub start: Position,
    /// What it is.
    pub message: String,
}

/// How a finding can be mended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fix {
    /// What it does, as an order.
    pub title: String,
    /// How sure it is.
    pub applicability: Applicability,
    /// The bytes it changes; none where only a person can do it, or where thousands of findings would each change thousands of
    /// places or carry a large part of the document.
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
