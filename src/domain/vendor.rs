//! The vendor of mediated devices and signs of GVT-g in a domain.

use super::{Domain, Set, attribute_span, is_pci_card, is_template, parse_uuid};
use crate::qemu::property::{PropertyType, to_override};
use crate::qemu::{OptionList, Syntax, global_parts};
use crate::xml::Element;
use foldhash::{HashMap, HashMapExt};
use std::ops::Range;

use uuid::Uuid;

/// Intel's PCI vendor id (0x8086) as a decimal number.
const INTEL: &str = "32902";

impl<'d> Domain<'d> {
    /// The reason why this domain cannot have a GVT-g vGPU, with the element that shows it; `None`
    /// if it can have one.
    pub fn unsuitable(&self) -> Option<(Element<'d>, String)> {
        let kind = self.root.attribute("type").unwrap_or("");
        // A template may fill in a suitable value.
        if !matches!(kind, "kvm" | "qemu" | "") && !is_template(kind) {
            return Some((self.root, format!("its hypervisor is {kind}")));
        }
        if let Some(system) = self.child("os").and_then(|os| os.child("type")) {
            let arch = system.attribute("arch").unwrap_or("x86_64");
            if !matches!(arch, "x86_64" | "i686") && !is_template(arch) {
                return Some((system, format!("its architecture is {arch}")));
            }
            // libvirt rejects a PCI device there: "No PCI buses available".
            if let Some(machine @ ("microvm" | "isapc" | "none")) = system.attribute("machine") {
                return Some((system, format!("its machine type '{machine}' has no PCI bus")));
            }
        }
        let ccw_or_ap_device = self.devices_named("hostdev").into_iter().find(|hostdev| {
            matches!(hostdev.attribute("model"), Some("vfio-ccw" | "vfio-ap"))
                && hostdev.attribute("type") == Some("mdev")
        });
        if let Some(hostdev) = ccw_or_ap_device {
            return Some((
                hostdev,
                format!(
                    "a mediated device of model {} is not a GPU",
                    hostdev.attribute("model").unwrap_or("")
                ),
            ));
        }
        if !self.vgpus.is_empty() || self.raw_vgpu.is_some() {
            return None;
        }
        let (hostdev, evidence) = self.non_intel_mdevs.first()?;
        Some((*hostdev, format!("its mediated device is not from Intel ({evidence})")))
    }

    /// The fact that shows that a mediated device is not from Intel, as a clause for messages: its
    /// PCI vendor id, its alias or its recorded type.
    pub(super) fn other_vendor_evidence(&self, vgpu: Element<'d>) -> Option<String> {
        let alias = self.alias_of(vgpu)?;
        if let Some(vendor) = self.vendor_id(alias).filter(|vendor| vendor != INTEL) {
            let number = vendor.parse::<u64>().map_or(vendor, |number| format!("{number:#06x}"));
            return Some(format!("x-pci-vendor-id is {number}"));
        }
        if alias.starts_with("ua-nvidia") {
            return Some(format!("its alias is {alias}"));
        }
        let uuid = super::uuid_of(vgpu);
        let recorded =
            self.recorded_value("type", uuid).filter(|recorded| recorded.starts_with("nvidia-"))?;
        Some(format!("its type is {recorded}"))
    }

    /// The PCI vendor id that a host device shows to the guest, as a decimal number, if `-set` or
    /// an override sets it.
    fn vendor_id(&self, alias: &str) -> Option<String> {
        const NAME: &str = "x-pci-vendor-id";
        let set_value = self.last_set(alias, NAME).map(|set| set.value);
        let override_value = || self.last_override(alias, NAME).map(|entry| entry.value);
        to_override(PropertyType::Unsigned, set_value.or_else(override_value)?)
    }

    /// Whether the document itself shows that its mediated device is from Intel. Only then are
    /// properties safe that make QEMU exit on other devices. Properties of a PCI card say nothing
    /// about the mediated device.
    pub fn has_gvtg_sign(&self) -> bool {
        let is_gvtg_alias = |alias: &str| {
            alias.starts_with("ua-gvtg") && !self.host_device(alias).is_some_and(is_pci_card)
        };
        if self.metadata().is_some_and(|metadata| !metadata.has_only_suppressions())
            || self.vgpus.iter().any(|vgpu| self.alias_of(*vgpu).is_some_and(is_gvtg_alias))
            || self.sets.iter().any(|set| is_gvtg_alias(set.device))
            || self.qemu_overrides.iter().any(|entry| is_gvtg_alias(entry.alias))
        {
            return true;
        }
        if let Some(raw) = self.raw_vgpu {
            let is_for_raw_vgpu = |set: &&Set<'d>| {
                self.raw_device(set.device).is_some_and(|device| device.argument.element == raw)
            };
            let has_igd_set = self
                .sets
                .iter()
                .filter(is_for_raw_vgpu)
                .any(|set| set.property.starts_with("x-igd-"));
            return has_igd_set || is_intel_gpu(raw.attribute("value").unwrap_or(""));
        }
        let Some(vgpu) = self.vgpu else { return false };
        let is_igd = |property: &str| property.starts_with("x-igd-");
        self.sets.iter().any(|set| is_igd(set.property) && self.set_means_vgpu(set))
            || self
                .qemu_overrides
                .iter()
                .any(|entry| is_igd(entry.property) && self.override_means_vgpu(entry))
            || self
                .alias_of(vgpu)
                .and_then(|alias| self.vendor_id(alias))
                .is_some_and(|vendor| vendor == INTEL)
            || self.graphics_cards().next().is_none() && self.has_global(is_igd)
    }

    /// Whether a `-global` sets a property of a `vfio-pci` driver whose name matches.
    fn has_global(&self, is_property: impl Fn(&str) -> bool) -> bool {
        let globals = self
            .options
            .iter()
            .filter(|option| option.name == "global")
            .filter_map(|option| option.operand);
        let mut parts = globals.filter_map(|operand| global_parts(operand.value));
        parts.any(|[driver, property, _]| driver.starts_with("vfio-pci") && is_property(&property))
    }

    /// The span that gives a PCI card an `x-igd-` property, which only integrated Intel GPUs have.
    pub fn igd_property(&self, card: Element<'d>) -> Option<Range<usize>> {
        let spans_by_alias = || {
            let is_igd = |property: &str| property.starts_with("x-igd-");
            let sets = self
                .sets
                .iter()
                .filter(|set| is_igd(set.property))
                .map(|set| (set.device, set.operand, "value"));
            let overrides = self
                .qemu_overrides
                .iter()
                .filter(|entry| is_igd(entry.property))
                .map(|entry| (entry.alias, entry.element, "name"));
            let mut spans = HashMap::new();
            for (alias, element, attribute) in sets.chain(overrides) {
                spans.entry(alias).or_insert_with(|| attribute_span(element, attribute));
            }
            spans
        };
        self.cache.igd_properties.get_or_init(spans_by_alias).get(self.alias_of(card)?).cloned()
    }
}

/// Whether the operand of a `-device` means an Intel GPU: it has an `x-igd-` property, or its path
/// is below the PCI address of the integrated GPU.
fn is_intel_gpu(operand: &str) -> bool {
    let Ok(list) = OptionList::parse(operand, Syntax::DEVICE) else { return false };
    let has_property = list.iter().any(|(name, _)| name.starts_with("x-igd-"));
    let is_igpu = list.get("sysfsdev").is_some_and(|path| path.contains("0000:00:02.0/"));
    has_property || is_igpu
}

/// Whether the operand of a `-device` means a mediated device, named by a uuid or by a template
/// expression for one.
pub(super) fn is_raw_vgpu(operand: &str) -> bool {
    let Some(path) = vfio_path(operand) else { return false };
    let name = last_component(&path);
    parse_uuid(name).is_some() || path.contains("mdev") && is_template(name)
}

/// The uuid of the mediated device that the operand of a `-device` means: the last part of its
/// path, below the GPU or in the folder of all mediated devices. `None` if it is not a mediated
/// device.
pub(super) fn raw_vgpu_uuid(operand: &str) -> Option<Uuid> {
    parse_uuid(last_component(&vfio_path(operand)?))
}

/// The `sysfsdev` path of the host device that the operand of a `-device` passes to the guest.
fn vfio_path(operand: &str) -> Option<String> {
    let list = OptionList::parse(operand, Syntax::DEVICE).ok()?;
    let is_vfio = list
        .get("driver")
        .is_some_and(|driver| matches!(driver, "vfio-pci" | "vfio-pci-nohotplug"));
    if is_vfio { list.get("sysfsdev").map(str::to_owned) } else { None }
}

fn last_component(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use crate::domain::testing::{commandline, with_domain};

    const MDEV: &str = "<hostdev type='mdev' model='vfio-pci'><source><address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></source></hostdev>";
    const CARD: &str = "<hostdev type='pci'><source><address domain='0' bus='0' slot='2' function='0'/></source></hostdev>";

    fn has_sign(devices: &str, arguments: &[&str]) -> bool {
        with_domain(devices, &commandline(arguments), "newest", |domain| domain.has_gvtg_sign())
    }

    #[test]
    fn gvtg_signs_count_on_mediated_devices_only() {
        let card_and_mdev = format!("{CARD}{MDEV}");
        let usb_and_mdev = format!("<hostdev type='usb'/>{MDEV}");
        let opregion = "-global=x vfio-pci-nohotplug.x-igd-opregion=on";
        let global = ["-global", "vfio-pci-nohotplug.x-igd-opregion=on"];
        for (devices, arguments, expected) in [
            (MDEV, &[][..], false),
            (MDEV, &["-set", "device.hostdev0.x-igd-opregion=on"], true),
            (MDEV, &["-set", "device.hostdev0.xres=800"], false),
            (MDEV, &["-set", "device.ua-gvtg.xres=800"], true),
            (MDEV, &["-set", "device.hostdev0.x-pci-vendor-id=0x8086"], true),
            (MDEV, &global, true),
            (MDEV, &[opregion], false),
            (CARD, &["-set", "device.hostdev0.x-igd-opregion=on"], false),
            (CARD, &global, false),
            (card_and_mdev.as_str(), &["-set", "device.hostdev0.x-igd-opregion=on"], false),
            (card_and_mdev.as_str(), &["-set", "device.hostdev1.x-igd-opregion=on"], true),
            (card_and_mdev.as_str(), &global, false),
            (usb_and_mdev.as_str(), &["-set", "device.hostdev0.x-igd-opregion=on"], true),
            (
                "",
                &[
                    "-device",
                    "vfio-pci,sysfsdev=/sys/bus/pci/devices/0000:00:02.0/ab54baba-ea9a-4ce5-b7b4-51b376b65849",
                ],
                true,
            ),
            (
                "",
                &[
                    "-device",
                    "vfio-pci,sysfsdev=/sys/bus/mdev/devices/ab54baba-ea9a-4ce5-b7b4-51b376b65849",
                ],
                false,
            ),
        ] {
            assert_eq!(has_sign(devices, arguments), expected, "{devices} {arguments:?}");
        }
    }
}
