//! Turns the `[[fix]]` of a rule file into changes to a domain.

use std::cell::OnceCell;

use super::finding::Finding;
use super::schema::{Fix, Operation};
use super::{Context, template};
use crate::fix::{Change, deliver};
use crate::xml::fragment::NewElement;
use crate::xml::{Element, QEMU_NAMESPACE, QEMU_PREFIX};

/// A fix from a rule file, applied to one domain.
pub(super) struct DeclarativeFix<'c, 'd, 'r> {
    pub(super) fix: Option<&'c Fix>,
    /// The element that the fix inserts, before placeholders are filled in; parsed once for all
    /// findings.
    pub(super) template: OnceCell<Option<NewElement>>,
    pub(super) context: &'c Context<'c, 'd, 'r>,
}

impl<'d, 'r> DeclarativeFix<'_, 'd, 'r> {
    /// Adds the fix's changes to a finding. `attribute` is the attribute that the check is about.
    pub(super) fn with_fix(&self, finding: Finding<'d, 'r>, attribute: &str) -> Finding<'d, 'r> {
        let (Some(fix), Some(element)) = (self.fix, finding.element) else { return finding };
        let fill =
            |text: &str| template::fill(text, self.context.domain, Some(element), &finding.values);
        let change = match &fix.op {
            Operation::Remove => Some(Change::Remove(element)),
            Operation::Insert(text) => {
                // Parsing a rule file already rejects text that cannot be inserted.
                let template = self.template.get_or_init(|| NewElement::parse(text).ok());
                template.as_ref().map(|template| {
                    Change::Insert(element, with_qemu_prefix(template.fill_values(&fill), element))
                })
            }
            Operation::SetAttribute(value) => {
                Some(Change::SetAttribute(element, attribute.to_owned(), fill(value)))
            }
            Operation::RemoveAttribute => {
                Some(Change::RemoveAttribute(element, attribute.to_owned()))
            }
            Operation::SetText(text) => Some(Change::SetText(element, fill(text))),
            Operation::Deliver | Operation::Code => None,
        };
        let Some(change) = change else { return finding };
        let property = fix.property.as_ref().filter(|_| self.context.domain.vgpu == Some(element));
        let delivered = property.map_or_else(Vec::new, |property| {
            deliver(self.context.domain, &property.name, &property.value)
        });
        let gives_property = !delivered.is_empty();
        Finding {
            gives_property,
            ..finding.fixed_by(std::iter::once(change).chain(delivered).collect())
        }
    }
}

/// Replaces the `qemu:` prefix of a new element with the document's prefix for libvirt's QEMU
/// namespace, or declares the namespace on the element if the document does not.
fn with_qemu_prefix(element: NewElement, parent: Element<'_>) -> NewElement {
    if !element.has_prefix(QEMU_PREFIX)
        || parent.resolve_prefix(Some(QEMU_PREFIX)) == Some(QEMU_NAMESPACE)
    {
        return element;
    }
    match parent.prefix_for(QEMU_NAMESPACE) {
        Some(prefix) => element.with_prefix(QEMU_PREFIX, prefix),
        None => element.with_attribute(format!("xmlns:{QEMU_PREFIX}"), QEMU_NAMESPACE),
    }
}
