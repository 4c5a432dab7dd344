//! This program's own element in `<metadata>`, where there is none yet.

use super::Change;
use crate::domain::Domain;
use crate::fragment::NewElement;
use crate::settings::METADATA_NAMESPACE;

/// The change that makes it, filled by `fill`; its prefix is `gvtg:`.
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
