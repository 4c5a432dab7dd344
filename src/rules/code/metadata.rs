//! Checks of what this program's metadata records about vGPUs.

use uuid::Uuid;

use crate::domain::uuid_of;
use crate::fix::{Change, new_metadata};
use crate::rules::Context;
use crate::rules::finding::Finding;
use crate::xml::Element;
use crate::xml::fragment::NewElement;

/// Finds a requested type or PCI address that is not recorded in the metadata, from which the host
/// creates the vGPU.
pub(super) fn unrecorded_type<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let settings = domain.settings;
    let metadata = domain.metadata();
    // With several vGPUs, each has its own record, keyed by its UUID. A missing UUID is fixed
    // first.
    let uuid = domain.vgpu.and_then(uuid_of);
    let is_one_of_several = domain.vgpus.len() > 1;
    if is_one_of_several && uuid.is_none() {
        return Vec::new();
    }
    let explicit = &settings.explicit;
    let fallback = &settings.fallback;
    let wanted =
        [("type", &explicit.vgpu_type, &fallback.vgpu_type), ("pci", &explicit.pci, &fallback.pci)];
    let missing = wanted.into_iter().filter_map(|(name, explicit, fallback)| {
        match domain.recorded_value(name, uuid) {
            None => Some((name, explicit.as_deref().or(fallback.as_deref())?)),
            Some(recorded) => {
                Some((name, explicit.as_deref().filter(|explicit| *explicit != recorded)?))
            }
        }
    });
    let missing: Vec<(&str, &str)> = missing.collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let recorded = |element: NewElement| {
        missing.iter().fold(element, |element, (name, value)| element.with_attribute(*name, *value))
    };
    let vgpu_element = |prefix: &str, uuid: Uuid| {
        recorded(NewElement::new(format!("{prefix}vgpu")).with_attribute("uuid", uuid.to_string()))
    };
    let change = match (metadata, uuid) {
        (Some(metadata), Some(uuid))
            if domain.recorded_vgpu(uuid).is_some() || is_one_of_several =>
        {
            match domain.recorded_vgpu(uuid) {
                Some(element) => set_all(element, &missing),
                None => {
                    vec![Change::Insert(
                        metadata.element,
                        vgpu_element(metadata.element.written_prefix(), uuid),
                    )]
                }
            }
        }
        (Some(metadata), _) => set_all(metadata.element, &missing),
        (None, _) => vec![new_metadata(domain, |element| match uuid {
            Some(uuid) if is_one_of_several => element.with_child(vgpu_element("gvtg:", uuid)),
            _ => recorded(element),
        })],
    };
    let recorded_at = metadata.map(|metadata| {
        uuid.and_then(|uuid| domain.recorded_vgpu(uuid)).unwrap_or(metadata.element)
    });
    let place = recorded_at.or(domain.child("metadata")).unwrap_or(domain.root);
    vec![Finding::at(context.rule, place).fixed_by(change)]
}

fn set_all<'d>(element: Element<'d>, attributes: &[(&str, &str)]) -> Vec<Change<'d>> {
    attributes
        .iter()
        .map(|(name, value)| Change::SetAttribute(element, (*name).into(), (*value).into()))
        .collect()
}
