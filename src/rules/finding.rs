//! A finding: its place, the values for its message, its fix, and whether it is suppressed.

use std::ops::Range;
use std::sync::Arc;

use super::risk::Risk;
use super::schema::Rule;
use crate::domain::attribute_span;
use crate::fix::Change;
use crate::text::{Applicability, Position};
use crate::xml::Element;

/// One place where a rule's check fails, before its message is rendered. The check sets what is
/// wrong and how to fix it; the linter adds whether that is safe, and whether the document
/// suppresses it.
#[derive(Debug)]
pub struct Finding<'d, 'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// The place in the document, in bytes.
    pub span: Range<usize>,
    /// The element that the finding is about.
    pub element: Option<Element<'d>>,
    /// The placeholders that the check fills in, by name.
    pub values: Vec<(&'static str, String)>,
    /// Related places in the document, each with a note.
    pub related: Vec<(Range<usize>, String)>,
    /// The changes that the fix makes; `None` if it cannot be fixed automatically.
    pub changes: Option<Vec<Change<'d>>>,
    /// The possible loss by the fix in this domain, although the rule declares it safe.
    pub risk: Option<Risk>,
    /// Whether the finding is about a setting of this run that does not suit the domain. `fix` then
    /// writes nothing.
    pub is_about_setting: bool,
    /// Whether the problem only arises once another fix of the same run has removed something.
    pub is_pending: bool,
    /// Whether the changes also set the vGPU property that the rule's fix names (`fix.property`).
    pub gives_property: bool,
    /// How safe the fix is; `None` if there is none.
    pub applicability: Option<Applicability>,
    /// The template expression that the fix would remove.
    pub template: Option<String>,
    /// Whether the document suppresses the finding.
    pub suppression_state: SuppressionState,
    /// The place in another document that the finding conflicts with.
    pub conflict: Option<Related>,
}

/// Whether a document suppresses a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SuppressionState {
    /// The finding is not suppressed.
    Open,
    /// A faulty suppression seems to mean this finding. It is reported, and its fix is unsafe.
    Doubtful,
    /// The finding is suppressed, for this reason.
    Suppressed(String),
}

/// Another place that is related to a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Related {
    /// The other document's name; `None` if the place is in the same document.
    pub file: Option<Arc<str>>,
    /// The byte range in its document.
    pub span: Range<usize>,
    /// The start as line and column.
    pub start: Position,
    /// The text shown at this place.
    pub message: String,
    /// Whether the finding's fix removes or turns off what is at this place.
    pub is_removed: bool,
}

impl<'d, 'r> Finding<'d, 'r> {
    /// Creates a finding at an element's start tag.
    pub fn at(rule: &'r Rule, element: Element<'d>) -> Self {
        Finding::within(rule, element, element.start_tag().span)
    }

    /// Creates a finding at an attribute, or at the element's start tag if it has no such
    /// attribute.
    pub fn at_attribute(rule: &'r Rule, element: Element<'d>, name: &str) -> Self {
        Finding::within(rule, element, attribute_span(element, name))
    }

    /// Creates a finding about an element, at any span within it.
    pub fn within(rule: &'r Rule, element: Element<'d>, span: Range<usize>) -> Self {
        Finding { element: Some(element), ..Finding::of_no_element(rule, span) }
    }

    /// Creates a finding without an element, for example about a comment.
    pub fn of_no_element(rule: &'r Rule, span: Range<usize>) -> Self {
        Finding {
            rule,
            span,
            element: None,
            values: Vec::new(),
            related: Vec::new(),
            changes: None,
            risk: None,
            is_about_setting: false,
            is_pending: false,
            gives_property: false,
            applicability: None,
            template: None,
            suppression_state: SuppressionState::Open,
            conflict: None,
        }
    }

    /// Adds a value for a placeholder.
    pub fn with_value(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.values.push((name, value.into()));
        self
    }

    /// Sets the changes that fix the problem.
    pub fn fixed_by(mut self, changes: Vec<Change<'d>>) -> Self {
        self.changes = Some(changes);
        self
    }

    /// Adds a related place, in bytes, with a note.
    pub fn related_to(mut self, span: Range<usize>, message: impl Into<String>) -> Self {
        self.related.push((span, message.into()));
        self
    }

    /// The changes that the fix makes; empty if there is none.
    pub fn changes(&self) -> &[Change<'d>] {
        self.changes.as_deref().unwrap_or_default()
    }

    /// The elements that the fix removes.
    pub fn removed(&self) -> impl Iterator<Item = Element<'d>> {
        self.changes().iter().filter_map(|change| match change {
            Change::Remove(element) => Some(*element),
            _ => None,
        })
    }

    /// Whether the finding is not suppressed and has a fix of this safety or a safer one.
    pub fn is_fixable(&self, level: Applicability) -> bool {
        let is_high_enough =
            |applicability| applicability >= level && applicability != Applicability::Manual;
        !self.is_suppressed() && self.applicability.is_some_and(is_high_enough)
    }

    /// Whether the document suppresses the finding.
    pub fn is_suppressed(&self) -> bool {
        self.suppression_state.reason().is_some()
    }

    /// Whether the document suppresses the finding or seems to; its fix is then made only on
    /// request.
    pub fn is_kept_by_user(&self) -> bool {
        self.suppression_state != SuppressionState::Open
    }

    /// Makes the fix unsafe, unless it is manual already.
    pub fn demote_to_unsafe(&mut self, risk: Risk) {
        self.risk.get_or_insert(risk);
        self.applicability =
            self.applicability.map(|applicability| applicability.min(Applicability::Unsafe));
    }
}

impl SuppressionState {
    /// The reason of the suppression; `None` if the finding is not suppressed.
    pub fn reason(&self) -> Option<&str> {
        match self {
            SuppressionState::Suppressed(reason) => Some(reason),
            SuppressionState::Open | SuppressionState::Doubtful => None,
        }
    }
}
