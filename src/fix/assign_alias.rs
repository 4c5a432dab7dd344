//! Gives the vGPU its alias and updates the `-set` and overrides that refer to renamed devices.

use super::Change;
use crate::domain::Domain;
use crate::xml::fragment::NewElement;

/// Returns the change that gives the vGPU the id by which properties refer to it; none if it has
/// that id or there is no vGPU yet.
pub fn assign_alias<'d>(domain: &Domain<'d>) -> Vec<Change<'d>> {
    if domain.needs_alias() { vec![Change::NameVgpu] } else { Vec::new() }
}

/// Expands [`Change::NameVgpu`] into simpler changes.
pub(super) fn alias_changes<'d>(domain: &Domain<'d>) -> Vec<Change<'d>> {
    let Some(vgpu) = domain.vgpu else { return Vec::new() };
    let alias = domain.vgpu_alias();
    let alias_change = match vgpu.child("alias") {
        Some(element) => Change::SetAttribute(element, "name".into(), alias.into()),
        None => Change::Insert(vgpu, NewElement::new("alias").with_attribute("name", alias)),
    };
    let renaming = domain.renaming();
    let sets = renaming.sets.iter().map(|(set, id)| Change::SetDevice(*set, id.clone()));
    let overrides = renaming
        .overrides
        .iter()
        .map(|(device, id)| Change::SetAttribute(*device, "alias".into(), id.clone()));
    std::iter::once(alias_change).chain(sets).chain(overrides).collect()
}
