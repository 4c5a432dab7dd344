//! Writes QEMU's blocks: the command line, overrides, capabilities, and their namespace.

use super::edit_builder::{EditBuilder, NewChild, NewOverride, Rank};
use crate::text::Edit;
use crate::xml::fragment::NewElement;
use crate::xml::{Element, QEMU_NAMESPACE, QEMU_PREFIX};
use foldhash::{HashMap, HashMapExt};

impl<'c, 'd> EditBuilder<'c, 'd> {
    pub(super) fn commandline(&mut self) {
        if self.new_sets.is_empty() && self.arguments.is_empty() && self.environment.is_empty() {
            return;
        }
        let block = self.kept_block("commandline");
        let prefix = self.qemu_prefix(block);
        let element = |name: &str| NewElement::new(format!("{prefix}{name}"));
        let sets = self.new_sets.iter().flat_map(|(_, operand)| ["-set", operand]);
        let arguments = sets
            .chain(self.arguments.iter().map(String::as_str))
            .map(|value| element("arg").with_attribute("value", value));
        let variables = self.environment.iter().map(|(name, value)| {
            element("env").with_attribute("name", *name).with_attribute("value", *value)
        });
        let (arguments, variables): (Vec<_>, Vec<_>) = (arguments.collect(), variables.collect());
        match block {
            Some(block) => {
                arguments
                    .into_iter()
                    .for_each(|child| self.insert(block, Rank::Child, NewChild::Element(child)));
                variables.into_iter().for_each(|child| {
                    self.insert(block, Rank::Environment, NewChild::Element(child))
                });
            }
            None => {
                let block = arguments
                    .into_iter()
                    .chain(variables)
                    .fold(element("commandline"), NewElement::with_child);
                self.insert(self.domain.root, Rank::Commandline, NewChild::Element(block));
            }
        }
    }

    pub(super) fn override_block(&mut self) {
        let mut by_alias: Vec<(&str, Vec<NewOverride<'c>>)> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (alias, new) in std::mem::take(&mut self.overrides) {
            let place = *places.entry(alias).or_insert(by_alias.len());
            if place == by_alias.len() {
                by_alias.push((alias, Vec::new()));
            }
            by_alias[place].1.push(new);
        }
        if by_alias.is_empty() {
            return;
        }
        let block = self.kept_block("override");
        let prefix = self.qemu_prefix(block);
        let element = |prefix: &str, name: &str| NewElement::new(format!("{prefix}{name}"));
        let property = |prefix: &str, new: &NewOverride<'c>| {
            element(prefix, "property")
                .with_attribute("name", new.property)
                .with_attribute("type", new.kind.name())
                .with_attribute("value", new.value)
        };
        let mut devices = Vec::new();
        for (alias, list) in by_alias {
            // An override that names the vGPU by its number is reused: it gets the alias in the
            // same pass.
            let aliased_vgpu =
                self.domain.vgpu.filter(|_| self.names_vgpu && alias == self.domain.vgpu_alias());
            let current = aliased_vgpu.and_then(|vgpu| self.domain.alias_of(vgpu)).unwrap_or(alias);
            let devices_of = |alias: &str| {
                block.map_or(&[][..], |block| self.domain.override_devices(block, alias))
            };
            let existing_devices =
                if devices_of(alias).is_empty() { devices_of(current) } else { devices_of(alias) };
            let alias = self.new_id(alias).unwrap_or_else(|| alias.to_owned());
            let device = existing_devices.iter().copied().find(|device| !self.is_removed(*device));
            let frontend = device.and_then(|device| {
                device
                    .children()
                    .find(|child| child.is_qemu("frontend") && !self.is_removed(*child))
            });
            // An existing element may have its own prefix, which is also valid inside it.
            let prefix = frontend.or(device).map_or(prefix.as_str(), Element::written_prefix);
            let properties = list.iter().map(|new| property(prefix, new));
            match (device, frontend) {
                (_, Some(frontend)) => {
                    for child in properties.collect::<Vec<_>>() {
                        self.insert(frontend, Rank::Child, NewChild::Element(child));
                    }
                }
                (Some(device), None) => {
                    let frontend =
                        properties.fold(element(prefix, "frontend"), NewElement::with_child);
                    self.insert(device, Rank::Child, NewChild::Element(frontend));
                }
                (None, None) => {
                    let frontend =
                        properties.fold(element(prefix, "frontend"), NewElement::with_child);
                    devices.push(
                        element(prefix, "device")
                            .with_attribute("alias", alias)
                            .with_child(frontend),
                    );
                }
            }
        }
        match block {
            _ if devices.is_empty() => {}
            Some(block) => devices
                .into_iter()
                .for_each(|device| self.insert(block, Rank::Child, NewChild::Element(device))),
            None => {
                let block =
                    devices.into_iter().fold(element(&prefix, "override"), NewElement::with_child);
                self.insert(self.domain.root, Rank::Override, NewChild::Element(block));
            }
        }
    }

    pub(super) fn capability_block(&mut self) {
        if self.capabilities.is_empty() {
            return;
        }
        let block = self.kept_block("capabilities");
        let prefix = self.qemu_prefix(block);
        let element = |name: &str| NewElement::new(format!("{prefix}{name}"));
        let deletions: Vec<NewElement> = self
            .capabilities
            .iter()
            .map(|name| element("del").with_attribute("capability", *name))
            .collect();
        match block {
            Some(block) => deletions
                .into_iter()
                .for_each(|del| self.insert(block, Rank::Child, NewChild::Element(del))),
            None => {
                let block =
                    deletions.into_iter().fold(element("capabilities"), NewElement::with_child);
                self.insert(self.domain.root, Rank::Capabilities, NewChild::Element(block));
            }
        }
    }

    /// Returns the first block of this name that is not removed.
    fn kept_block(&self, name: &str) -> Option<Element<'d>> {
        self.domain.blocks(name).iter().copied().find(|block| !self.is_removed(*block))
    }

    /// Returns the prefix, with its colon, for QEMU's new elements: that of their block, else one
    /// that the root has or gets.
    fn qemu_prefix(&mut self, block: Option<Element<'d>>) -> String {
        if let Some(block) = block {
            return block.written_prefix().to_owned();
        }
        self.needs_declaration |= declared_prefix(self.domain.root).is_none();
        root_prefix(self.domain.root)
    }

    pub(super) fn declare_namespace(&mut self) {
        let root = self.domain.root;
        if declared_prefix(root).is_some() {
            return;
        }
        let at = root.start_tag().attributes_end(self.text());
        let (quote, prefix) = (self.style.quote, free_prefix(root));
        self.edits.push(Edit {
            range: at..at,
            text: format!(" xmlns:{prefix}={quote}{QEMU_NAMESPACE}{quote}"),
        });
    }
}

/// Returns the prefix (with its colon) that QEMU's elements directly in `<domain>` have or get.
pub fn root_prefix(root: Element<'_>) -> String {
    format!("{}:", declared_prefix(root).map_or_else(|| free_prefix(root), str::to_owned))
}

/// Maximum length in bytes of a declared prefix that is reused: it is written for thousands of
/// elements.
const MAX_PREFIX_LEN: usize = 32;

fn declared_prefix<'d>(root: Element<'d>) -> Option<&'d str> {
    root.prefix_for(QEMU_NAMESPACE).filter(|prefix| prefix.len() <= MAX_PREFIX_LEN)
}

/// Returns `qemu`, or a numbered prefix if the root uses `qemu` for another namespace.
fn free_prefix(root: Element<'_>) -> String {
    if root.namespace_of(QEMU_PREFIX).is_none_or(|uri| uri == QEMU_NAMESPACE) {
        return QEMU_PREFIX.into();
    }
    let numbered = (1..).map(|number| format!("{QEMU_PREFIX}{number}"));
    let mut free = numbered.filter(|prefix| root.namespace_of(prefix).is_none());
    free.next().unwrap_or_default()
}
