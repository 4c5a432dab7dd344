//! Whose a domain's devices are, and through what its guest is watched: which of it speaks of
//! GVT-g, and which must be left alone.

use super::{Domain, Set, attribute_span, is_pci_card, is_template, parse_uuid};
use crate::property::{PropertyType, to_override};
use crate::qemu::{OptionList, Syntax, global_parts};
use crate::xml::Element;
use foldhash::{HashMap, HashMapExt};
use std::ops::Range;

use uuid::Uuid;

/// Intel's number among the makers of PCI devices.
const INTEL: &str = "32902";

impl<'d> Domain<'d> {
    /// Why a GVT-g vGPU can't be in this guest, and where it says so; None for a guest that can
    /// have one.
    pub fn unsuitable(&self) -> Option<(Element<'d>, String)> {
        let kind = self.root.attribute("type").unwrap_or("");
        // A value that a template fills in may be right.
        if !matches!(kind, "kvm" | "qemu" | "") && !is_template(kind) {
            return Some((self.root, format!("its hypervisor is {kind}")));
        }
        if let Some(system) = self.child("os").and_then(|os| os.child("type")) {
            let arch = system.attribute("arch").unwrap_or("x86_64");
            if !matches!(arch, "x86_64" | "i686") && !is_template(arch) {
                return Some((system, format!("its architecture is {arch}")));
            }
            // libvirt: "No PCI buses available".
            if let Some(machine @ ("microvm" | "isapc" | "none")) = system.attribute("machine") {
                return Some((system, format!("its machine type '{machine}' has no PCI bus")));
            }
        }
        let channel = self.devices_named("hostdev").into_iter().find(|hostdev| {
            matches!(hostdev.attribute("model"), Some("vfio-ccw" | "vfio-ap"))
                && hostdev.attribute("type") == Some("mdev")
        });
        if let Some(hostdev) = channel {
            return Some((
                hostdev,
                format!(
                    "a mediated device of model {} is not a GPU",
                    hostdev.attribute("model").unwrap_or("")
                ),
            ));
        }
        let other = self
            .non_intel_mdevs
            .first()
            .filter(|_| self.vgpus.is_empty() && self.raw_vgpu.is_none());
        other.map(|(hostdev, what)| {
            (*hostdev, format!("its mediated device is not from Intel ({what})"))
        })
    }

    /// What says that a mediated device is another maker's than Intel.
    pub(super) fn other_maker(&self, vgpu: Element<'d>) -> Option<String> {
        let alias = self.alias_of(vgpu)?;
        if let Some(vendor) = self.vendor(alias).filter(|vendor| vendor != INTEL) {
            let number = vendor.parse::<u64>().map_or(vendor, |number| format!("{number:#06x}"));
            return Some(format!("x-pci-vendor-id is {number}"));
        }
        if alias.starts_with("ua-nvidia") {
            return Some(format!("its alias is {alias}"));
        }
        let uuid = super::uuid_of(vgpu);
        let recorded =
            self.recorded("type", uuid).filter(|recorded| recorded.starts_with("nvidia-"))?;
        Some(format!("its type is {recorded}"))
    }

    /// The maker's number that a host device shows to the guest, as a decimal number.
    fn vendor(&self, alias: &str) -> Option<String> {
        const NAME: &str = "x-pci-vendor-id";
        let set = self.last_set(alias, NAME).map(|set| set.value);
        let found = || self.last_override(alias, NAME).map(|found| found.value);
        to_override(PropertyType::Unsigned, set.or_else(found)?)
    }

    /// Whether the document itself says that its mediated device is Intel's: then properties that
    /// stop QEMU on others are safe. What a PCI card has is that card's, and says nothing.
    pub fn has_gvtg_sign(&self) -> bool {
        let is_own_name = |alias: &str| {
            alias.starts_with("ua-gvtg") && !self.host_device(alias).is_some_and(is_pci_card)
        };
        if self.metadata().is_some_and(|metadata| !metadata.only_ignores())
            || self.vgpus.iter().any(|vgpu| self.alias_of(*vgpu).is_some_and(is_own_name))
            || self.sets.iter().any(|set| is_own_name(set.device))
            || self.overrides.iter().any(|found| is_own_name(found.alias))
        {
            return true;
        }
        if let Some(raw) = self.raw_vgpu {
            let is_named = |set: &&Set<'d>| {
                self.raw_device(set.device).is_some_and(|device| device.argument.element == raw)
            };
            let is_set =
                self.sets.iter().filter(is_named).any(|set| set.property.starts_with("x-igd-"));
            return is_set || is_intels(raw.attribute("value").unwrap_or(""));
        }
        let Some(vgpu) = self.vgpu else { return false };
        let is_igd = |property: &str| property.starts_with("x-igd-");
        self.sets.iter().any(|set| is_igd(set.property) && self.set_means_vgpu(set))
            || self
                .overrides
                .iter()
                .any(|found| is_igd(found.property) && self.override_means_vgpu(found))
            || self
                .alias_of(vgpu)
                .and_then(|alias| self.vendor(alias))
                .is_some_and(|vendor| vendor == INTEL)
            || self.graphics_cards().next().is_none() && self.has_global(is_igd)
    }

    fn has_global(&self, is_meant: impl Fn(&str) -> bool) -> bool {
        let globals = self
            .options
            .iter()
            .filter(|option| option.name == "global")
            .filter_map(|option| option.operand);
        let mut parts = globals.filter_map(|operand| global_parts(operand.value));
        parts.any(|[driver, property, _]| driver.starts_with("vfio-pci") && is_meant(&property))
    }

    /// Where a PCI card gets a property that only an integrated GPU of Intel's has.
    pub fn igd_property(&self, card: Element<'d>) -> Option<Range<usize>> {
        let places = || {
            let is_igd = |property: &str| property.starts_with("x-igd-");
            let sets = self
                .sets
                .iter()
                .filter(|set| is_igd(set.property))
                .map(|set| (set.device, set.operand, "value"));
            let overrides = self
                .overrides
                .iter()
                .filter(|found| is_igd(found.property))
                .map(|found| (found.alias, found.element, "name"));
            let mut places = HashMap::new();
            for (alias, element, attribute) in sets.chain(overrides) {
                places.entry(alias).or_insert_with(|| attribute_span(element, attribute));
            }
            places
        };
        self.answers.igd_properties.get_or_init(places).get(self.alias_of(card)?).cloned()
    }
}

/// Whether the operand of a `-device` speaks of Intel's GPU: by a property of its own, or by where
/// it is.
fn is_intels(operand: &str) -> bool {
    let Ok(list) = OptionList::parse(operand, Syntax::DEVICE) else { return false };
    let has_property = list.iter().any(|(name, _)| name.starts_with("x-igd-"));
    let is_igpu = list.get("sysfsdev").is_some_and(|path| path.contains("0000:00:02.0/"));
    has_property || is_igpu
}

/// Whether the operand of a `-device` is a mediated device, with a uuid or an expression that a
/// template fills in with one.
pub(super) fn is_raw_vgpu(operand: &str) -> bool {
    let Some(path) = vfio_path(operand) else { return false };
    let name = last_part(&path);
    parse_uuid(name).is_some() || path.contains("mdev") && is_template(name)
}

/// The uuid of the mediated device that the operand of a `-device` is: the kernel names it by that,
/// below the GPU or in the folder of all of them. None where it is no mediated device.
pub(super) fn raw_vgpu_uuid(operand: &str) -> Option<Uuid> {
    parse_uuid(last_part(&vfio_path(operand)?))
}

/// The path of the host's device that the operand of a `-device` hands to the guest.
fn vfio_path(operand: &str) -> Option<String> {
    let list = OptionList::parse(operand, Syntax::DEVICE).ok()?;
    let is_vfio = list
        .get("driver")
        .is_some_and(|driver| matches!(driver, "vfio-pci" | "vfio-pci-nohotplug"));
    list.get("sysfsdev").filter(|_| is_vfio).map(str::to_owned)
}

fn last_part(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use crate::domain::read;
    use crate::settings::Settings;
    use crate::xml::QEMU_NAMESPACE;

    const MDEV: &str = "<hostdev type='mdev' model='vfio-pci'><source><address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></source></hostdev>";
    const CARD: &str = "<hostdev type='pci'><source><address domain='0' bus='0' slot='2' function='0'/></source></hostdev>";

    fn has_sign(devices: &str, arguments: &[&str]) -> bool {
        let arguments: String =
            arguments.iter().map(|value| format!("<qemu:arg value='{value}'/>")).collect();
        let text = format!(
            "<domain xmlns:qemu='{QEMU_NAMESPACE}'><devices>{devices}</devices><qemu:commandline>{arguments}</qemu:commandline></domain>"
        );
        read(&text, &Settings::default(), |domain| domain.has_gvtg_sign()).unwrap()
    }

    #[test]
    fn a_sign_is_on_a_mediated_device_and_on_no_card() {
        let (both, other) = (format!("{CARD}{MDEV}"), format!("<hostdev type='usb'/>{MDEV}"));
        let opregion = "-global=x vfio-pci-nohotplug.x-igd-opregion=on";
        let global = ["-global", "vfio-pci-nohotplug.x-igd-opregion=on"];
        for (devices, arguments, wanted) in [
            (MDEV, &[][..], false),
            (MDEV, &["-set", "device.hostdev0.x-igd-opregion=on"], true),
            (MDEV, &["-set", "device.hostdev0.xres=800"], false),
            (MDEV, &["-set", "device.ua-gvtg.xres=800"], true),
            (MDEV, &["-set", "device.hostdev0.x-pci-vendor-id=0x8086"], true),
            (MDEV, &global, true),
            (MDEV, &[opregion], false),
            (CARD, &["-set", "device.hostdev0.x-igd-opregion=on"], false),
            (CARD, &global, false),
            (both.as_str(), &["-set", "device.hostdev0.x-igd-opregion=on"], false),
            (both.as_str(), &["-set", "device.hostdev1.x-igd-opregion=on"], true),
            (both.as_str(), &global, false),
            (other.as_str(), &["-set", "device.hostdev0.x-igd-opregion=on"], true),
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
            assert_eq!(has_sign(devices, arguments), wanted, "{devices} {arguments:?}");
        }
    }
}
