//! The vGPU records in the domain's `<metadata>`. No other module reads them.
//!
//! libvirt keeps only one element per namespace, so everything is in one element: its own
//! attributes apply to every vGPU, those of a `<gvtg:vgpu>` in it to the vGPU with that uuid.
//! Suppressions are in it too (`suppressions/`) and have nothing to do with vGPUs.
//!
//! ```xml
//! <gvtg:domain xmlns:gvtg='urn:gvtg-xml:1' type='i915-GVTg_V5_4'>
//!   <gvtg:vgpu uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849' type='i915-GVTg_V5_8' pci='0000:00:02.0'/>
//!   <gvtg:ignore rule='stray-video'>the installer needs it</gvtg:ignore>
//! </gvtg:domain>
//! ```

use uuid::Uuid;

use super::Domain;
use super::parse::parse_uuid;
use crate::domain::METADATA_NAMESPACE;
use crate::xml::Element;
use foldhash::{HashMap, HashMapExt};

/// The `gvtg-xml` element in `<metadata>`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metadata<'d> {
    /// The `<gvtg:domain>` element.
    pub element: Element<'d>,
}

impl Metadata<'_> {
    /// Whether the element has nothing but suppressions, which a domain without a vGPU can have
    /// too.
    pub fn has_only_suppressions(self) -> bool {
        let mut children = self.element.children().peekable();
        children.peek().is_some()
            && children.all(|child| child.name() == "ignore")
            && self.element.attribute_names().next().is_none()
    }
}

impl<'d> Domain<'d> {
    /// Finds the `gvtg-xml` element in `<metadata>`.
    pub fn metadata(&self) -> Option<Metadata<'d>> {
        let is_ours = |element: &Element<'_>| {
            element.namespace() == Some(METADATA_NAMESPACE) && element.name() == "domain"
        };
        let find =
            || self.child("metadata")?.children().find(is_ours).map(|element| Metadata { element });
        *self.cache.metadata.get_or_init(find)
    }

    /// The `<gvtg:vgpu>` of the vGPU with this uuid; the first one if there are several.
    pub fn recorded_vgpu(&self, uuid: Uuid) -> Option<Element<'d>> {
        let metadata = self.metadata()?;
        let by_uuid = || {
            let is_vgpu = |element: &Element<'_>| {
                element.namespace() == Some(METADATA_NAMESPACE) && element.name() == "vgpu"
            };
            let with_uuid = |element: Element<'d>| {
                Some((element.attribute("uuid").and_then(parse_uuid)?, element))
            };
            let mut by_uuid = HashMap::new();
            for (uuid, element) in metadata.element.children().filter(is_vgpu).filter_map(with_uuid)
            {
                by_uuid.entry(uuid).or_insert(element);
            }
            by_uuid
        };
        self.cache.recorded_vgpus.get_or_init(by_uuid).get(&uuid).copied()
    }

    /// The value recorded under this name (`type` or `pci`) for the vGPU with this uuid, else for
    /// all vGPUs.
    pub fn recorded_value(&self, name: &str, uuid: Option<Uuid>) -> Option<&'d str> {
        let vgpu_value = uuid
            .and_then(|uuid| self.recorded_vgpu(uuid))
            .and_then(|element| element.attribute(name));
        vgpu_value.or_else(|| self.metadata()?.element.attribute(name))
    }
}
