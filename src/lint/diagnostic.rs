//! Findings as reports and editors see them.

use std::ops::Range;

use crate::rules::finding::Related;
use crate::rules::schema::Severity;
use crate::rules::{self, RuleRef};
use crate::text::{Applicability, Edits, Position, Source};
use crate::xml::{self, XmlError, XmlErrorKind};

/// The parts of a finding that are computed, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// The position, message and applicability: no help, no fix title, no edits.
    Line,
    /// Everything except edits.
    Words,
    /// Everything, including the edits that fix the finding alone.
    Edits,
}

/// A finding of a rule.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Diagnostic<'r> {
    /// The rule that found it.
    pub rule: RuleRef<'r>,
    /// The severity.
    pub severity: Severity,
    /// The byte range in the document.
    pub span: Range<usize>,
    /// The start as line and column.
    pub start: Position,
    /// The end as line and column, exclusive.
    pub end: Position,
    /// The description of the problem.
    pub message: String,
    /// The advice for the user.
    pub help: Option<String>,
    /// Other places that are related to the finding.
    pub related: Vec<Related>,
    /// The fix, if there is one.
    pub fix: Option<Fix>,
    /// Whether the finding is about text that a fix inserted; the position is then where that text
    /// was inserted.
    pub in_inserted_text: bool,
    /// The reason given in the document for suppressing the finding; `None` if it is not
    /// suppressed.
    pub reason: Option<String>,
}

impl Diagnostic<'static> {
    /// Creates the finding for a document that cannot be read, at the character or tag that the
    /// error is about.
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

    /// Like [`Diagnostic::unreadable`], but without the text: the span is empty, at the error's
    /// offset.
    pub fn unreadable_at(start: Position, error: &XmlError) -> Self {
        let rule = rules::rule_for_xml_error(error.kind);
        Diagnostic {
            rule: rule.into(),
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

impl Diagnostic<'_> {
    /// Replaces the reference to the rule, which must be another one to the same rule.
    pub fn with_rule<'s>(self, rule: RuleRef<'s>) -> Diagnostic<'s> {
        let Diagnostic {
            rule: _,
            severity,
            span,
            start,
            end,
            message,
            help,
            related,
            fix,
            in_inserted_text,
            reason,
        } = self;
        Diagnostic {
            rule,
            severity,
            span,
            start,
            end,
            message,
            help,
            related,
            fix,
            in_inserted_text,
            reason,
        }
    }
}

/// The fix for a finding.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fix {
    /// The title, as an imperative ("remove …").
    pub title: String,
    /// The safety of the fix.
    pub applicability: Applicability,
    /// The possible loss of an unsafe fix, as the end of "this may lose …".
    pub risk: Option<String>,
    /// The edits of this fix alone. Empty if only the user can make the fix, if another fix has to
    /// come first, or if the edits of thousands of findings would change thousands of places each
    /// or contain a large part of the document.
    pub edits: Edits,
}

impl Severity {
    /// The name used in reports and flags.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}
