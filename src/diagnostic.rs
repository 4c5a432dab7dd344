//! A finding as the outside sees it.

use std::ops::Range;

use crate::edit::{Applicability, Edits};
use crate::rules::Rule;
use crate::rules::schema::Severity;
use crate::source::Position;

/// Something that a rule found.
#[derive(Clone, Debug)]
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
    pub is_new: bool,
}

/// Another place that has to do with a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
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
pub struct Fix {
    /// What it does, as an order.
    pub title: String,
    /// How sure it is.
    pub applicability: Applicability,
    /// The bytes it changes; none where only a person can do it, or where thousands of findings would each change thousands of places.
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
