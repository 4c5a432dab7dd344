//! The effective properties of the vGPU: which sources in a document set one, and which of those
//! work with the target libvirt release.

use std::ops::Range;

use super::{
    Argument, Domain, Override, PropertySyntax, Set, attribute_span, is_graphics_card,
    is_host_device_number, is_vgpu,
};
use crate::qemu::global_parts;
use crate::qemu::property::{self, PropertyType, VGPU_PROPERTIES, type_of};
use foldhash::HashMap;

/// The source of a property's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PropertySource<'d> {
    /// An attribute of the hostdev, or its absence.
    Attribute(&'static str),
    /// libvirt's own choice of driver.
    Libvirt,
    /// A `<qemu:property>` of an override.
    Override(Override<'d>),
    /// A `-set` option.
    Set(Set<'d>),
    /// The operand of a `-global`.
    Global(Argument<'d>),
    /// The operand of a `-device`.
    Device(Argument<'d>),
}

/// A property that reaches a device.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectiveProperty<'d> {
    /// The value, as `true` or `false` for a bool.
    pub value: String,
    /// The source of the value.
    pub source: PropertySource<'d>,
}

/// The `-set` options and overrides that name the vGPU, by property; the last one for each
/// property.
#[derive(Default)]
pub(crate) struct VgpuProperties<'d> {
    pub(crate) sets: HashMap<&'d str, Set<'d>>,
    pub(crate) overrides: HashMap<&'d str, Override<'d>>,
}

/// The last assignment for each (device, property).
pub(super) type LastByDeviceProperty<'d, T> = HashMap<(&'d str, &'d str), T>;

impl<'d> Domain<'d> {
    /// The last `-set` for a property of the device with this id, which is the one that takes
    /// effect.
    pub fn last_set(&self, device: &str, property: &str) -> Option<Set<'d>> {
        let assignments =
            || self.sets.iter().map(|set| ((set.device, set.property), *set)).collect();
        self.cache.last_sets.get_or_init(assignments).get(&(device, property)).copied()
    }

    /// The last override for a property of the device with this alias, which is the one that takes
    /// effect.
    pub fn last_override(&self, device: &str, property: &str) -> Option<Override<'d>> {
        let assignments = || {
            self.qemu_overrides
                .iter()
                .map(|entry| ((entry.alias, entry.property), *entry))
                .collect()
        };
        self.cache.last_overrides.get_or_init(assignments).get(&(device, property)).copied()
    }

    /// The value that a property of the vGPU has, and its source; `None` if nothing sets it.
    pub fn effective_property(&self, name: &str) -> Option<EffectiveProperty<'d>> {
        if let Some(raw) = self.raw_vgpu {
            return self.raw_property(self.raw_device_of(raw)?, name);
        }
        let vgpu = self.vgpu?;
        if self.set_reaches()
            && let Some(&set) = self.vgpu_properties().sets.get(name)
        {
            return Some(EffectiveProperty {
                value: to_effective_value(name, set.value),
                source: PropertySource::Set(set),
            });
        }
        if self.override_reaches()
            && let Some(&entry) = self.vgpu_properties().overrides.get(name)
        {
            return Some(EffectiveProperty {
                value: entry.value.to_owned(),
                source: PropertySource::Override(entry),
            });
        }
        let has_attribute_on = |name| vgpu.attribute(name) == Some("on");
        let libvirt_value = match name {
            // The attribute only works with a <graphics> that shows the vGPU; otherwise it has to
            // be off.
            "display" => Some((
                if self.is_shown_by_graphics() && has_attribute_on("display") {
                    "on"
                } else {
                    "off"
                },
                PropertySource::Attribute("display"),
            )),
            "driver" => Some((
                if has_attribute_on("ramfb") { "vfio-pci-nohotplug" } else { "vfio-pci" },
                PropertySource::Libvirt,
            )),
            "ramfb" if has_attribute_on("ramfb") => {
                Some(("true", PropertySource::Attribute("ramfb")))
            }
            _ => None,
        };
        if let Some((value, source)) = libvirt_value {
            return Some(EffectiveProperty { value: value.into(), source });
        }
        // libvirt does not set it, so QEMU's default for all devices of this driver takes effect.
        let (value, argument) = self.global("vfio-pci-nohotplug", name)?;
        Some(EffectiveProperty {
            value: to_effective_value(name, value),
            source: PropertySource::Global(argument),
        })
    }

    /// The `-set` options and overrides that name the vGPU, including those that do not reach it.
    pub(crate) fn vgpu_properties(&self) -> &VgpuProperties<'d> {
        self.cache.vgpu_properties.get_or_init(|| {
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
                    .qemu_overrides
                    .iter()
                    .filter(|entry| entry.alias == alias)
                    .map(|entry| (entry.property, *entry))
                    .collect(),
            }
        })
    }

    /// The operand of the `-device` that is the primary vGPU.
    pub(crate) fn raw_argument(&self) -> Option<Argument<'d>> {
        self.raw_vgpu
            .map(|element| Argument { element, value: element.attribute("value").unwrap_or("") })
    }

    /// Whether the fix of another rule also sets the property: the document sets it in a way that
    /// does not reach the vGPU, or libvirt derives it from another missing property.
    pub fn is_handled_by_other_rule(&self, name: &str) -> bool {
        // The display attribute is wrong if no <graphics> shows the vGPU, and that finding sets the
        // property too.
        let is_set_with_attribute = || {
            let attribute = self.vgpu.and_then(|vgpu| vgpu.attribute("display"));
            let is_wrong = |value: &str| {
                value == "on" || value != "off" && self.devices_named("graphics").is_empty()
            };
            name == "display" && attribute.is_some_and(is_wrong) && !self.is_shown_by_graphics()
        };
        let is_set_with_ramfb = || {
            name == "driver"
                && self.property_syntax() == PropertySyntax::Override
                && self.effective_property("ramfb").is_none()
        };
        is_set_with_attribute()
            || is_set_with_ramfb()
            || self.sets.iter().any(|set| {
                set.property == name && !self.set_reaches_device(set) && self.set_means_vgpu(set)
            })
            || self.qemu_overrides.iter().any(|entry| {
                entry.property == name
                    && !(self.override_reaches() && self.is_vgpu_alias(entry.alias))
                    && self.override_means_vgpu(entry)
            })
    }

    /// Whether this is the id of the primary vGPU's hostdev.
    pub fn is_vgpu_alias(&self, alias: &str) -> bool {
        self.vgpu.is_some_and(|vgpu| self.alias_of(vgpu) == Some(alias))
    }

    /// Whether a `-set` reaches the host device that it names. The device of a `-device` argument
    /// is reached on any libvirt release.
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

    /// Whether a `-set` is meant for the vGPU: it names the vGPU, or it sets a property that only a
    /// vGPU has and does not name another device that could have it.
    pub fn set_means_vgpu(&self, set: &Set<'d>) -> bool {
        self.means_vgpu(set.device, set.property, set.value)
    }

    /// Whether an override is meant for the vGPU, by the rules of [`Domain::set_means_vgpu`].
    pub fn override_means_vgpu(&self, entry: &Override<'d>) -> bool {
        self.means_vgpu(entry.alias, entry.property, entry.value)
    }

    fn means_vgpu(&self, alias: &str, property: &str, value: &str) -> bool {
        match self.host_device(alias) {
            Some(device) if is_vgpu(device) => self.vgpu == Some(device),
            // Every property of a graphics card belongs to that card.
            Some(device) if is_graphics_card(device) => false,
            None if self.raw_device(alias).is_some() => false,
            // libvirt never gives a sound card an id like hostdev5, so such an id means a host
            // device. A user-defined id of another form may belong to any device.
            _ => {
                is_vgpu_only(property, value)
                    && (is_host_device_id(alias)
                        || matches!(property, "x-igd-opregion" | "ramfb" | "driver"))
            }
        }
    }

    /// The span to report for a property: its source, or the vGPU's start tag if nothing sets it.
    pub fn property_span(&self, property: Option<&EffectiveProperty<'d>>) -> Range<usize> {
        let fallback = || self.vgpu.or(self.raw_vgpu).unwrap_or(self.root).start_tag().span;
        match property.map(|property| property.source) {
            Some(PropertySource::Override(entry)) => attribute_span(entry.element, "value"),
            Some(PropertySource::Set(set)) => attribute_span(set.operand, "value"),
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

/// Whether only a vGPU has this property with this value. `driver` needs its value checked because
/// disks have a driver too.
fn is_vgpu_only(property: &str, value: &str) -> bool {
    VGPU_PROPERTIES.contains(&property) && (property != "driver" || value == "vfio-pci-nohotplug")
}

/// Whether an id looks like a host device's: a user-defined alias, or a libvirt number that no
/// other kind of device gets.
fn is_host_device_id(alias: &str) -> bool {
    alias.starts_with("ua-") || is_host_device_number(alias)
}

/// The value that the operand of a `-global` gives a property of the vGPU; a `-global` applies to a
/// driver and to those derived from it.
pub fn global_property(operand: &str, name: &str) -> Option<String> {
    let [driver, property, value] = global_parts(operand)?;
    let is_vgpu_driver = matches!(driver.as_str(), "vfio-pci-nohotplug" | "vfio-pci");
    if is_vgpu_driver && property == name { Some(value) } else { None }
}

/// Converts a property's value from the notation of arguments to that of overrides: `true` and
/// `false` for a bool. A value that has no such form is kept.
pub(super) fn to_effective_value(name: &str, value: &str) -> String {
    let kind = type_of(name).unwrap_or(PropertyType::String);
    // QEMU accepts `yes` and `true` for `on`, but not `ON`.
    let is_readable = kind != PropertyType::Bool || !value.contains(char::is_uppercase);
    let converted = if is_readable { property::to_override(kind, value) } else { None };
    converted.unwrap_or_else(|| value.to_owned())
}
