//! The result of a check: its place, the values for its message, and its fix.

use std::ops::Range;

use super::risk::Risk;
use crate::domain::attribute_span;
use crate::fix::Change;
use crate::xml::Element;

/// A result of a check, before its message is rendered.
#[derive(Debug)]
pub struct Finding<'d> {
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
    pub is_of_setting: bool,
    /// Whether the problem only arises once another fix of the same run has removed something.
    pub is_pending: bool,
    /// Whether the changes also set the vGPU property that the rule's fix names (`fix.property`).
    pub gives_property: bool,
}

impl<'d> Finding<'d> {
    /// Creates a finding at an element's start tag.
    pub fn at(element: Element<'d>) -> Self {
        Finding::within(element, element.start_tag().span)
    }

    /// Creates a finding at an attribute, or at the element's start tag if it has no such
    /// attribute.
    pub fn at_attribute(element: Element<'d>, name: &str) -> Self {
        Finding::within(element, attribute_span(element, name))
    }

    /// Creates a finding about an element, at any span within it.
    pub fn within(element: Element<'d>, span: Range<usize>) -> Self {
        Finding { element: Some(element), ..Finding::of_no_element(span) }
    }

    /// Creates a finding without an element, for example about a comment.
    pub fn of_no_element(span: Range<usize>) -> Self {
        Finding {
            span,
            element: None,
            values: Vec::new(),
            related: Vec::new(),
            changes: None,
            risk: None,
            is_of_setting: false,
            is_pending: false,
            gives_property: false,
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
}
