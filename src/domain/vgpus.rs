//! The vGPUs of a domain: their uuids, types and aliases, and the choice of the primary one.

use uuid::Uuid;

use super::{Domain, RawDevice, is_raw_vgpu, parse_uuid, raw_vgpu_uuid, uuid_of};
use crate::domain::derived_uuid;
use crate::xml::Element;
use foldhash::HashSet;

/// A vGPU as the domain describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Vgpu<'d> {
    /// The `<hostdev>` element.
    pub element: Element<'d>,
    /// The uuid; `None` if it is missing or libvirt could not read it.
    pub uuid: Option<Uuid>,
    /// The type recorded in the metadata, verbatim.
    pub recorded_type: Option<&'d str>,
    /// The PCI address of the GPU recorded in the metadata, verbatim.
    pub recorded_pci: Option<&'d str>,
    /// The id that libvirt gives the device.
    pub alias: Option<String>,
}

/// The primary vGPU: the one to which properties and the display apply.
pub(super) enum PrimaryVgpu<'d> {
    /// The domain has no vGPU.
    None,
    /// A `<hostdev>`.
    Hostdev(Element<'d>),
    /// The operand of a `-device`.
    Argument(Element<'d>),
}

impl<'d> Domain<'d> {
    /// Whether the domain has a primary vGPU, as a hostdev or as a `-device` argument.
    pub fn has_vgpu(&self) -> bool {
        self.vgpu.is_some() || self.raw_vgpu.is_some()
    }

    /// Collects what the domain says about one of its vGPUs.
    pub fn describe(&self, vgpu: Element<'d>) -> Vgpu<'d> {
        let uuid = uuid_of(vgpu);
        Vgpu {
            element: vgpu,
            uuid,
            recorded_type: self.recorded_value("type", uuid),
            recorded_pci: self.recorded_value("pci", uuid),
            alias: self.alias_of(vgpu).map(str::to_owned),
        }
    }

    /// The uuid to give to `vgpu` if it has none or the settings ask for another one; `index` is
    /// its 0-based position among the vGPUs.
    pub fn new_uuid(&self, index: usize, vgpu: Element<'d>) -> Uuid {
        let requested_uuid = if self.vgpu == Some(vgpu) { self.settings.uuid } else { None };
        // The uuid may be on <source>: as virt-manager's name for the device, or one level too
        // high. Either way, the intention is clear.
        let misplaced_uuid = || vgpu.child("source")?.attribute("uuid").and_then(parse_uuid);
        requested_uuid
            .or_else(misplaced_uuid)
            .unwrap_or_else(|| derived_uuid(self.identity(), index + 1))
    }

    /// The uuid of [`Domain::raw_vgpu`].
    pub fn raw_uuid(&self) -> Option<Uuid> {
        raw_vgpu_uuid(self.raw_vgpu?.attribute("value")?)
    }

    /// Chooses the primary vGPU, a hostdev or the argument of a `-device`: the first that exists of
    ///
    /// 1. the one with the uuid in the settings;
    /// 2. one with both display and ramfb, since ramfb works only together with a display;
    /// 3. a hostdev with display as a property, else with display or ramfb as an attribute, else an
    ///    argument with display;
    /// 4. a hostdev for which a `-set` or an override sets any property;
    /// 5. any.
    ///
    /// Within 1, 2 and 5, hostdevs come before arguments. Of several, the first one in the document
    /// is chosen.
    pub(super) fn primary_vgpu(&self) -> PrimaryVgpu<'d> {
        let find_hostdev = |fits: &dyn Fn(Element<'d>) -> bool| {
            self.vgpus.iter().copied().find(|vgpu| fits(*vgpu)).map(PrimaryVgpu::Hostdev)
        };
        let is_among = |vgpu: Element<'d>, aliases: &HashSet<&str>| {
            self.alias_of(vgpu).is_some_and(|alias| aliases.contains(alias))
        };
        let raw_vgpus: Vec<&RawDevice<'d>> =
            self.raw_devices().iter().filter(|raw| is_raw_vgpu(raw.argument.value)).collect();
        let find_argument = |fits: &dyn Fn(&RawDevice<'d>) -> bool| {
            raw_vgpus
                .iter()
                .find(|raw| fits(raw))
                .map(|raw| PrimaryVgpu::Argument(raw.argument.element))
        };
        let with_requested_uuid = self.settings.uuid.and_then(|uuid| {
            let hostdev = find_hostdev(&|vgpu| uuid_of(vgpu) == Some(uuid));
            hostdev
                .or_else(|| find_argument(&|raw| raw_vgpu_uuid(raw.argument.value) == Some(uuid)))
        });
        // A requested uuid that no vGPU has is given to a hostdev.
        let may_be_raw = self.settings.uuid.is_none() || self.vgpus.is_empty();
        let argument_turns_on = |raw: &RawDevice<'d>, name: &str| {
            may_be_raw
                && self
                    .raw_property(raw, name)
                    .is_some_and(|property| matches!(property.value.as_str(), "on" | "true"))
        };
        let with_display_or_ramfb = || {
            let aliases_with_display = self.aliases_with_on("display");
            let aliases_with_ramfb = self.aliases_with_on("ramfb");
            let has_attribute_on =
                |vgpu: Element<'d>, name: &str| vgpu.attribute(name) == Some("on");
            let has_both = |vgpu: Element<'d>| {
                (has_attribute_on(vgpu, "display") || is_among(vgpu, &aliases_with_display))
                    && (has_attribute_on(vgpu, "ramfb") || is_among(vgpu, &aliases_with_ramfb))
            };
            // The property comes before the attribute: a fix replaces display='on' with it, and the
            // choice must stay the same.
            let has_display_property = |vgpu: Element<'d>| is_among(vgpu, &aliases_with_display);
            let has_any_attribute = |vgpu: Element<'d>| {
                has_attribute_on(vgpu, "ramfb") || has_attribute_on(vgpu, "display")
            };
            find_hostdev(&has_both)
                .or_else(|| {
                    find_argument(&|raw| {
                        argument_turns_on(raw, "display") && argument_turns_on(raw, "ramfb")
                    })
                })
                .or_else(|| find_hostdev(&has_display_property))
                .or_else(|| find_hostdev(&has_any_attribute))
                .or_else(|| find_argument(&|raw| argument_turns_on(raw, "display")))
        };
        let with_any_property = || {
            let aliases = self
                .sets
                .iter()
                .map(|set| set.device)
                .chain(self.qemu_overrides.iter().map(|entry| entry.alias));
            let aliases: HashSet<&str> = aliases.collect();
            find_hostdev(&|vgpu| is_among(vgpu, &aliases))
        };
        let first_vgpu = || find_hostdev(&|_| true).or_else(|| find_argument(&|_| true));
        with_requested_uuid
            .or_else(with_display_or_ramfb)
            .or_else(with_any_property)
            .or_else(first_vgpu)
            .unwrap_or(PrimaryVgpu::None)
    }

    /// The aliases of devices for which a `-set` or an override turns this property on.
    fn aliases_with_on(&self, name: &str) -> HashSet<&'d str> {
        let sets = self.sets.iter().map(|set| (set.device, set.property, set.value));
        let overrides =
            self.qemu_overrides.iter().map(|entry| (entry.alias, entry.property, entry.value));
        let turned_on = sets
            .chain(overrides)
            .filter(|(_, property, value)| *property == name && matches!(*value, "on" | "true"));
        turned_on.map(|(alias, ..)| alias).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::testing::with_domain;

    #[test]
    fn fixing_keeps_the_primary_vgpu() {
        let vgpus = |display: &str| {
            format!(
                "<hostdev type='mdev'/><hostdev type='mdev' id='2' display='{display}'><alias name='ua-x'/></hostdev>"
            )
        };
        let set_option = |operand: &str| {
            format!(
                "<qemu:commandline><qemu:arg value='-set'/><qemu:arg value='device.{operand}'/></qemu:commandline>"
            )
        };
        for (devices, qemu, expects_second) in [
            (vgpus("off"), String::new(), false),
            (vgpus("on"), String::new(), true),
            (vgpus("on"), set_option("hostdev0.x-igd-opregion=on"), true),
            (
                vgpus("off"),
                set_option("ua-x.display=on") + &set_option("hostdev0.x-igd-opregion=on"),
                true,
            ),
            (vgpus("off"), set_option("ua-x.x-igd-opregion=on"), true),
        ] {
            let is_second = with_domain(&devices, &qemu, "9.0", |domain| {
                domain.vgpu.and_then(|vgpu| vgpu.attribute("id")).is_some()
            });
            assert_eq!(is_second, expects_second, "{devices}{qemu}");
        }
    }
}
