//! How a property reaches the vGPU: which carriers a document uses, and which of them work on the
//! libvirt at hand.

use std::ops::Range;

use super::{
    Argument, Domain, Override, PropertySyntax, Set, attribute_span, is_graphics_card,
    is_host_device_number, is_vgpu,
};
use crate::property::{self, PropertyType, VGPU_PROPERTIES, type_of};
use crate::qemu::global_parts;
use foldhash::HashMap;

/// What carries a property to the vGPU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PropertySource<'d> {
    /// An attribute of the hostdev, or its absence.
    Attribute(&'static str),
    /// libvirt's choice.
    Libvirt,
    /// `<qemu:property>`.
    Override(Override<'d>),
    /// `-set`.
    Set(Set<'d>),
    /// `-global`.
    Global(Argument<'d>),
    /// The argument of `-device`.
    Device(Argument<'d>),
}

/// A property that reaches the vGPU.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectiveProperty<'d> {
    /// Its value, with `true` and `false` for a bool.
    pub value: String,
    /// What carries it.
    pub carrier: PropertySource<'d>,
}

/// What `-set` and overrides say about the vGPU, by property; the last one of each counts.
#[derive(Default)]
pub(crate) struct VgpuProperties<'d> {
    pub(crate) sets: HashMap<&'d str, Set<'d>>,
    pub(crate) overrides: HashMap<&'d str, Override<'d>>,
}

/// Of all that is said, the last by device and property.
pub(super) type LastByDeviceProperty<'d, T> = HashMap<(&'d str, &'d str), T>;

impl<'d> Domain<'d> {
    /// The `-set` that counts for a property of the device with this id: the last one.
    pub fn last_set(&self, device: &str, property: &str) -> Option<Set<'d>> {
        let all = || self.sets.iter().map(|set| ((set.device, set.property), *set)).collect();
        self.answers.last_sets.get_or_init(all).get(&(device, property)).copied()
    }

    /// The same of overrides.
    pub fn last_override(&self, device: &str, property: &str) -> Option<Override<'d>> {
        let all =
            || self.overrides.iter().map(|found| ((found.alias, found.property), *found)).collect();
        self.answers.last_overrides.get_or_init(all).get(&(device, property)).copied()
    }

    /// The value of a property that the vGPU gets, and how it gets there; None where nobody says
    /// anything about it.
    pub fn effective_property(&self, name: &str) -> Option<EffectiveProperty<'d>> {
        if let Some(raw) = self.raw_vgpu {
            return self.raw_property(self.raw_device_of(raw)?, name);
        }
        let vgpu = self.vgpu?;
        if self.set_reaches()
            && let Some(&set) = self.addressed().sets.get(name)
        {
            return Some(EffectiveProperty {
                value: typed(name, set.value),
                carrier: PropertySource::Set(set),
            });
        }
        if self.override_reaches()
            && let Some(&found) = self.addressed().overrides.get(name)
        {
            return Some(EffectiveProperty {
                value: found.value.to_owned(),
                carrier: PropertySource::Override(found),
            });
        }
        let on = |name| vgpu.attribute(name) == Some("on");
        let said = match name {
            // The attribute works with a <graphics> that shows it, and has to go off without.
            "display" => Some((
                if self.is_shown_by_graphics() && on("display") { "on" } else { "off" },
                PropertySource::Attribute("display"),
            )),
            "driver" => Some((
                if on("ramfb") { "vfio-pci-nohotplug" } else { "vfio-pci" },
                PropertySource::Libvirt,
            )),
            "ramfb" if on("ramfb") => Some(("true", PropertySource::Attribute("ramfb"))),
            _ => None,
        };
        if let Some((value, carrier)) = said {
            return Some(EffectiveProperty { value: value.into(), carrier });
        }
        // libvirt says nothing about it, so QEMU's default for all devices of this kind counts.
        let (value, argument) = self.global("vfio-pci-nohotplug", name)?;
        Some(EffectiveProperty {
            value: typed(name, value),
            carrier: PropertySource::Global(argument),
        })
    }

    /// What `-set` and overrides say about the vGPU, whether it reaches it or not.
    pub(crate) fn addressed(&self) -> &VgpuProperties<'d> {
        self.answers.addressed.get_or_init(|| {
            let Some(alias) = self.vgpu.and_then(|vgpu| self.alias_of(vgpu)) else {
                return VgpuProperties::default();
            };
            VgpuProperties {
                sets: self
                    .sets
                    .iter()
                    .filter(|set| set.device == alias)
                    .map(|set| (set.property, *set))
                    .collect(),
                overrides: self
                    .overrides
                    .iter()
                    .filter(|found| found.alias == alias)
                    .map(|found| (found.property, *found))
                    .collect(),
            }
        })
    }

    /// The argument of `-device` that is the vGPU.
    pub(crate) fn raw_argument(&self) -> Option<Argument<'d>> {
        self.raw_vgpu
            .map(|element| Argument { element, value: element.attribute("value").unwrap_or("") })
    }

    /// Whether another rule's finding brings the property along: the document says something about
    /// it in a way that does not reach the vGPU, or libvirt chooses it by what is missing too.
    pub fn is_handled_by_other_rule(&self, name: &str) -> bool {
        // What libvirt's attribute of that name says is wrong where no <graphics> shows the vGPU.
        let comes_with_attribute = || {
            let attribute = self.vgpu.and_then(|vgpu| vgpu.attribute("display"));
            let is_wrong = |value: &str| {
                value == "on" || value != "off" && self.devices_named("graphics").is_empty()
            };
            name == "display" && attribute.is_some_and(is_wrong) && !self.is_shown_by_graphics()
        };
        let comes_with_ramfb = || {
            name == "driver"
                && self.form() == PropertySyntax::Override
                && self.effective_property("ramfb").is_none()
        };
        comes_with_attribute()
            || comes_with_ramfb()
            || self.sets.iter().any(|set| {
                set.property == name && !self.set_reaches_device(set) && self.set_means_vgpu(set)
            })
            || self.overrides.iter().any(|found| {
                found.property == name
                    && !(self.override_reaches() && self.is_vgpu_alias(found.alias))
                    && self.override_means_vgpu(found)
            })
    }

    /// Whether an id is the vGPU's.
    pub fn is_vgpu_alias(&self, alias: &str) -> bool {
        self.vgpu.is_some_and(|vgpu| self.alias_of(vgpu) == Some(alias))
    }

    /// Whether a `-set` reaches the host device that it names, or the device of a `-device`
    /// argument, which it reaches on any libvirt.
    pub fn set_reaches_device(&self, set: &Set<'d>) -> bool {
        if self.raw_device(set.device).is_some() {
            return true;
        }
        self.set_reaches()
            && self.host_device(set.device).is_some_and(|device| {
                is_vgpu(device)
                    || is_graphics_card(device)
                    || !is_vgpu_only(set.property, set.value)
            })
    }

    /// Whether a `-set` is meant for the vGPU: it names it, or sets what only a vGPU has on a host
    /// device that is none.
    pub fn set_means_vgpu(&self, set: &Set<'d>) -> bool {
        self.means_vgpu(set.device, set.property, set.value)
    }

    /// The same for an override.
    pub fn override_means_vgpu(&self, found: &Override<'d>) -> bool {
        self.means_vgpu(found.alias, found.property, found.value)
    }

    fn means_vgpu(&self, alias: &str, property: &str, value: &str) -> bool {
        match self.host_device(alias) {
            Some(device) if is_vgpu(device) => self.vgpu == Some(device),
            // Every property of a graphics card belongs to that card.
            Some(device) if is_graphics_card(device) => false,
            None if self.raw_device(alias).is_some() => false,
            // No libvirt numbers a sound card hostdev5; an id of its own for another kind of device
            // may be anybody's.
            _ => {
                is_vgpu_only(property, value)
                    && (is_host_device_id(alias)
                        || matches!(property, "x-igd-opregion" | "ramfb" | "driver"))
            }
        }
    }

    /// Where to point for a property: what delivers it, else the vGPU's start tag.
    pub fn property_span(&self, delivered: Option<&EffectiveProperty<'d>>) -> Range<usize> {
        let fallback = || self.vgpu.or(self.raw_vgpu).unwrap_or(self.root).start_tag().span;
        match delivered.map(|delivered| delivered.carrier) {
            Some(PropertySource::Override(found)) => attribute_span(found.element, "value"),
            Some(PropertySource::Set(found)) => attribute_span(found.operand, "value"),
            Some(PropertySource::Global(argument) | PropertySource::Device(argument)) => {
                attribute_span(argument.element, "value")
            }
            Some(PropertySource::Attribute(name)) => {
                self.vgpu.map_or_else(fallback, |vgpu| attribute_span(vgpu, name))
            }
            Some(PropertySource::Libvirt) | None => fallback(),
        }
    }
}

/// Whether no device but a vGPU has this property with this value: a disk has a driver too.
fn is_vgpu_only(property: &str, value: &str) -> bool {
    VGPU_PROPERTIES.contains(&property) && (property != "driver" || value == "vfio-pci-nohotplug")
}

/// Whether an id looks like a host device's: libvirt's number, or one that can't be any other
/// device's number.
fn is_host_device_id(alias: &str) -> bool {
    alias.starts_with("ua-") || is_host_device_number(alias)
}

/// The value that the operand of a `-global` gives a property of a vGPU: it works on a driver and
/// on those that derive from it.
pub fn global_property(operand: &str, name: &str) -> Option<String> {
    let [driver, property, value] = global_parts(operand)?;
    (matches!(driver.as_str(), "vfio-pci-nohotplug" | "vfio-pci") && property == name)
        .then_some(value)
}

/// A property's value as overrides write it: `true` and `false` for a bool.
pub(super) fn typed(name: &str, value: &str) -> String {
    let kind = type_of(name).unwrap_or(PropertyType::String);
    // QEMU takes `yes` and `true` for `on`, but not `ON`.
    let is_readable = kind != PropertyType::Bool || !value.contains(char::is_uppercase);
    property::to_override(kind, value).filter(|_| is_readable).unwrap_or_else(|| value.to_owned())
}
