//! What a check finds: where, what its words need, and what mends it.

use std::ops::Range;

use super::risk::Risk;
use crate::change::Change;
use crate::domain::attribute_span;
use crate::xml::Element;

/// Something found, before its words are filled in.
#[derive(Debug)]
pub struct Finding<'d> {
    /// Where, in bytes.
    pub span: Range<usize>,
    /// The element that it is about.
    pub element: Option<Element<'d>>,
    /// What its words need.
    pub values: Vec<(&'static str, String)>,
    /// Other places that have to do with it.
    pub related: Vec<(Range<usize>, String)>,
    /// What mends it; None where only a person can.
    pub changes: Option<Vec<Change<'d>>>,
    /// What the fix may lose here, though the rule calls it safe.
    pub risk: Option<Risk>,
    /// Whether a setting of the run is wrong for this domain, so that `fix` writes nothing.
    pub is_of_setting: bool,
    /// Whether it only becomes true once another fix of the same run has removed something.
    pub is_pending: bool,
    /// Whether the fix gives the vGPU the property that the rule's fix names.
    pub gives_property: bool,
}

impl<'d> Finding<'d> {
    /// A finding about an element, at its start tag.
    pub fn at(element: Element<'d>) -> Self {
        Finding::within(element, element.start_tag().span)
    }

    /// A finding about an element's attribute, or its start tag where it lacks that.
    pub fn at_attribute(element: Element<'d>, name: &str) -> Self {
        Finding::within(element, attribute_span(element, name))
    }

    /// A finding about an element, at some place in it.
    pub fn within(element: Element<'d>, span: Range<usize>) -> Self {
        Finding { element: Some(element), ..Finding::of_no_element(span) }
    }

    /// A finding about a comment.
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

    /// The same with something that its words need.
    pub fn with_value(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.values.push((name, value.into()));
        self
    }

    /// The same with what mends it.
    pub fn fixed_by(mut self, changes: Vec<Change<'d>>) -> Self {
        self.changes = Some(changes);
        self
    }

    /// The same with another place that has to do with it.
    pub fn related_to(mut self, span: Range<usize>, message: impl Into<String>) -> Self {
        self.related.push((span, message.into()));
        self
    }
}
