//! What the domain's `<metadata>` records of its vGPUs: the only place that reads it.
//!
//! libvirt keeps one element for each namespace, so all is in one: what it says itself holds for
//! every vGPU, what a `<gvtg:vgpu>` in it says for the one with that uuid. What is to be ignored
//! stands there too (`ignores.rs`), and says nothing of vGPUs.
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
use crate::settings::METADATA_NAMESPACE;
use crate::xml::Element;
use foldhash::{HashMap, HashMapExt};

/// This program's element in `<metadata>`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metadata<'d> {
    /// `<gvtg:domain>`.
    pub element: Element<'d>,
}

impl Metadata<'_> {
    /// Whether it is there for what is to be ignored and for nothing else: anybody's domain may say
    /// that.
    pub fn only_ignores(self) -> bool {
        let mut children = self.element.children().peekable();
        children.peek().is_some()
            && children.all(|child| child.name() == "ignore")
            && self.element.attribute_names().next().is_none()
    }
}

impl<'d> Domain<'d> {
    /// This program's element in `<metadata>`.
    pub fn metadata(&self) -> Option<Metadata<'d>> {
        let is_ours = |element: &Element<'_>| {
            element.namespace() == Some(METADATA_NAMESPACE) && element.name() == "domain"
        };
        let find =
            || self.child("metadata")?.children().find(is_ours).map(|element| Metadata { element });
        *self.answers.metadata.get_or_init(find)
    }

    /// The `<gvtg:vgpu>` of the vGPU with this uuid; of several the first.
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
        self.answers.recorded_vgpus.get_or_init(by_uuid).get(&uuid).copied()
    }

    /// What is recorded under this name (`type` or `pci`) for the vGPU with this uuid.
    pub fn recorded(&self, name: &str, uuid: Option<Uuid>) -> Option<&'d str> {
        let own = uuid
            .and_then(|uuid| self.recorded_vgpu(uuid))
            .and_then(|element| element.attribute(name));
        own.or_else(|| self.metadata()?.element.attribute(name))
    }
}
