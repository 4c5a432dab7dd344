//! Creates this program's element in `<metadata>`.

use super::Change;
use crate::domain::{Domain, METADATA_NAMESPACE};
use crate::xml::fragment::NewElement;

/// Returns the change that inserts the element, filled by `fill`, with the prefix `gvtg:`. The
/// domain must not have one yet.
pub fn new_metadata<'d>(
    domain: &Domain<'d>,
    fill: impl FnOnce(NewElement) -> NewElement,
) -> Change<'d> {
    let element =
        fill(NewElement::new("gvtg:domain").with_attribute("xmlns:gvtg", METADATA_NAMESPACE));
    match domain.child("metadata") {
        Some(metadata) => Change::Insert(metadata, element),
        None => Change::Insert(domain.root, NewElement::new("metadata").with_child(element)),
    }
}
