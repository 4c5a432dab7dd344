//! The elements of a domain by name, and the values that identify the domain.

use uuid::Uuid;

use super::Domain;
use crate::xml::{Element, ElementMap};
use foldhash::HashMap;

impl<'d> Domain<'d> {
    /// The domain's name as libvirt passes it to its hooks, including leading and trailing blanks;
    /// `None` if it is missing or empty.
    pub fn name(&self) -> Option<String> {
        self.child("name").map(Element::deep_text).filter(|name| !name.is_empty())
    }

    /// The string that generated names derive from: the domain's uuid if it is valid, else its
    /// name, else an empty string.
    pub fn identity(&self) -> &str {
        self.cache.identity.get_or_init(|| {
            let child_text = |name| {
                self.child(name)
                    .map(|element| element.deep_text().trim().to_owned())
                    .filter(|text| !text.is_empty())
            };
            child_text("uuid")
                .filter(|uuid| Uuid::parse_str(uuid).is_ok())
                .or_else(|| child_text("name"))
                .unwrap_or_default()
        })
    }

    /// The first child of `<domain>` with this name in libvirt's own namespace.
    pub fn child(&self, name: &str) -> Option<Element<'d>> {
        self.children.named(self.root, name).find(|element| element.is(name))
    }

    /// The children of `parent` with this name in libvirt's own namespace.
    pub fn children_named(&self, parent: Element<'d>, name: &str) -> Vec<Element<'d>> {
        self.children.named(parent, name).filter(|element| element.is(name)).collect()
    }

    /// The children of `<devices>` with this name.
    pub fn devices_named(&self, name: &str) -> Vec<Element<'d>> {
        self.devices.map_or(Vec::new(), |devices| self.children_named(devices, name))
    }

    /// The `<qemu:NAME>` blocks of the domain, for `commandline`, `capabilities` or `override`.
    pub fn blocks(&self, name: &str) -> &[Element<'d>] {
        self.blocks
            .iter()
            .find(|(block_name, _)| *block_name == name)
            .map_or(&[], |(_, blocks)| blocks)
    }

    /// The `<qemu:device>` elements for the device `alias` in one `<qemu:override>` block.
    pub fn override_devices(&self, block: Element<'d>, alias: &str) -> &[Element<'d>] {
        let by_block = self.cache.override_devices.get_or_init(|| {
            let mut by_block: ElementMap<HashMap<&str, Vec<Element<'d>>>> = Default::default();
            for block in self.blocks("override") {
                let by_alias = by_block.entry(block.id()).or_default();
                for device in block.children().filter(|child| child.is_qemu("device")) {
                    if let Some(alias) = device.attribute("alias") {
                        by_alias.entry(alias).or_default().push(device);
                    }
                }
            }
            by_block
        });
        by_block
            .get(&block.id())
            .and_then(|by_alias| by_alias.get(alias))
            .map_or(&[], Vec::as_slice)
    }
}
