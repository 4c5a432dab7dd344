//! The vGPUs of a domain: which one counts, and all that is said of each.

use uuid::Uuid;

use super::{Domain, RawDevice, is_raw_vgpu, parse_uuid, raw_vgpu_uuid, uuid_of};
use crate::settings::derived_uuid;
use crate::xml::Element;
use foldhash::HashSet;

/// All that a domain says of one of its vGPUs.
#[derive(Clone, Debug, PartialEq)]
pub struct Vgpu<'d> {
    /// Its hostdev.
    pub element: Element<'d>,
    /// Its uuid; None where libvirt could read none.
    pub uuid: Option<Uuid>,
    /// The type that the metadata records for it, as it stands there.
    pub recorded_type: Option<&'d str>,
    /// The GPU's PCI address that the metadata records for it, as it stands there.
    pub recorded_pci: Option<&'d str>,
    /// The id that libvirt gives it.
    pub alias: Option<String>,
}

/// The vGPU that shows the picture.
pub(super) enum Primary<'d> {
    None,
    /// A `<hostdev>`.
    Hostdev(Element<'d>),
    /// The operand of a `-device`.
    Argument(Element<'d>),
}

impl<'d> Domain<'d> {
    /// Whether there is a vGPU that properties, alias and display can speak about.
    pub fn has_vgpu(&self) -> bool {
        self.vgpu.is_some() || self.raw_vgpu.is_some()
    }

    /// All that the domain says of one of its vGPUs.
    pub fn describe(&self, vgpu: Element<'d>) -> Vgpu<'d> {
        let uuid = uuid_of(vgpu);
        Vgpu {
            element: vgpu,
            uuid,
            recorded_type: self.recorded("type", uuid),
            recorded_pci: self.recorded("pci", uuid),
            alias: self.alias_of(vgpu).map(str::to_owned),
        }
    }

    /// The uuid that a vGPU without one gets, and one with another where another is asked for;
    /// `index` is its place among the domain's vGPUs.
    pub fn new_uuid(&self, index: usize, vgpu: Element<'d>) -> Uuid {
        let asked = self.settings.uuid.filter(|_| self.vgpu == Some(vgpu));
        // virt-manager's name for the device, or the uuid one element too high: what was meant is
        // plain.
        let misplaced = || vgpu.child("source")?.attribute("uuid").and_then(parse_uuid);
        asked.or_else(misplaced).unwrap_or_else(|| derived_uuid(self.identity(), index + 1))
    }

    /// The uuid of [`Domain::raw_vgpu`].
    pub fn raw_uuid(&self) -> Option<Uuid> {
        raw_vgpu_uuid(self.raw_vgpu?.attribute("value")?)
    }

    /// The vGPU that properties and display are about: a hostdev, or the argument of a `-device`.
    /// It is chosen by what the user says, then by what the document does with it: ramfb works only
    /// together with a display, so a vGPU with both comes before one with either, and of those
    /// alike a hostdev before an argument.
    pub(super) fn primary(&self) -> Primary<'d> {
        let find = |fits: &dyn Fn(Element<'d>) -> bool| {
            self.vgpus.iter().copied().find(|vgpu| fits(*vgpu)).map(Primary::Hostdev)
        };
        let is_among = |vgpu: Element<'d>, aliases: &HashSet<&str>| {
            self.alias_of(vgpu).is_some_and(|alias| aliases.contains(alias))
        };
        let raw_vgpus: Vec<&RawDevice<'d>> =
            self.raw_devices().iter().filter(|raw| is_raw_vgpu(raw.argument.value)).collect();
        let find_raw = |fits: &dyn Fn(&RawDevice<'d>) -> bool| {
            raw_vgpus
                .iter()
                .find(|raw| fits(raw))
                .map(|raw| Primary::Argument(raw.argument.element))
        };
        let asked = self.settings.uuid.and_then(|uuid| {
            let hostdev = find(&|vgpu| uuid_of(vgpu).is_some_and(|own| own == uuid));
            hostdev.or_else(|| find_raw(&|raw| raw_vgpu_uuid(raw.argument.value) == Some(uuid)))
        });
        // A uuid that no vGPU has is given to a hostdev.
        let may_be_raw = self.settings.uuid.is_none() || self.vgpus.is_empty();
        let has = |raw: &RawDevice<'d>, name: &str| {
            may_be_raw
                && self
                    .raw_property(raw, name)
                    .is_some_and(|found| matches!(found.value.as_str(), "on" | "true"))
        };
        let switched_on = || {
            let (displays, ramfbs) =
                (self.aliases_with_on("display"), self.aliases_with_on("ramfb"));
            let is_on = |vgpu: Element<'d>, name: &str| vgpu.attribute(name) == Some("on");
            let has_both = |vgpu: Element<'d>| {
                (is_on(vgpu, "display") || is_among(vgpu, &displays))
                    && (is_on(vgpu, "ramfb") || is_among(vgpu, &ramfbs))
            };
            // The property comes before the attribute: a fix replaces display='on' with it, and the
            // choice must stay the same.
            let has_property = |vgpu: Element<'d>| is_among(vgpu, &displays);
            let has_attribute = |vgpu: Element<'d>| is_on(vgpu, "ramfb") || is_on(vgpu, "display");
            find(&has_both)
                .or_else(|| find_raw(&|raw| has(raw, "display") && has(raw, "ramfb")))
                .or_else(|| find(&has_property))
                .or_else(|| find(&has_attribute))
                .or_else(|| find_raw(&|raw| has(raw, "display")))
        };
        let addressed = || {
            let named = self
                .sets
                .iter()
                .map(|set| set.device)
                .chain(self.overrides.iter().map(|property| property.alias));
            let named: HashSet<&str> = named.collect();
            find(&|vgpu| is_among(vgpu, &named))
        };
        let first = || find(&|_| true).or_else(|| find_raw(&|_| true));
        asked.or_else(switched_on).or_else(addressed).or_else(first).unwrap_or(Primary::None)
    }

    /// The ids for which a `-set` or an override turns this property on.
    fn aliases_with_on(&self, name: &str) -> HashSet<&'d str> {
        let sets = self.sets.iter().map(|set| (set.device, set.property, set.value));
        let overrides =
            self.overrides.iter().map(|found| (found.alias, found.property, found.value));
        let on = sets
            .chain(overrides)
            .filter(|(_, property, value)| *property == name && matches!(*value, "on" | "true"));
        on.map(|(alias, ..)| alias).collect()
    }
}
