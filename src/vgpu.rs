//! How a property reaches the vGPU: which carriers a document uses, which of them work on the libvirt at hand, and what to write
//! for one that is missing.
//!
//! libvirt has no element for most of what GVT-g needs, and the means to say it changed three times (`form_for`). Whatever delivers
//! a property is left alone; only what is missing is written, in the form that the libvirt at hand reads.

use std::collections::HashMap;
use std::ops::Range;

use crate::change::Change;
use crate::domain::{
    Argument, Domain, Override, Set, attribute_span, is_host_device_number, is_pci_card, is_vgpu, json_capability, override_works,
    user_alias,
};
use crate::fragment::NewElement;
use crate::property::{self, PropertyType, VGPU_PROPERTIES, type_of};
use crate::qemu::{OptionList, Syntax, global_parts};
use crate::version::Version;
use crate::xml::Element;

/// What to write a missing property as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `-set device.ALIAS.PROPERTY=VALUE`, and the capability to delete so that it reaches the device.
    Set(Option<&'static str>),
    /// `<qemu:override>`, or an attribute of the hostdev where libvirt has one.
    Override,
}

/// What a libvirt release reads (measured on 7.0, 9.0, 11.3 and 12.8; libvirt NEWS of 7.9, 8.0, 8.1, 8.2 and 8.5 for the rest).
pub fn form_for(libvirt: Version) -> Form {
    if override_works(libvirt) { Form::Override } else { Form::Set(json_capability(libvirt)) }
}

/// What carries a property to the vGPU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Carrier<'d> {
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
pub struct Delivered<'d> {
    /// Its value, with `true` and `false` for a bool.
    pub value: String,
    /// What carries it.
    pub carrier: Carrier<'d>,
}

impl<'d> Domain<'d> {
    /// The value of a property that the vGPU gets, and how it gets there; None where nobody says anything about it.
    pub fn delivered(&self, name: &str) -> Option<Delivered<'d>> {
        let typed = |value: &str| {
            let kind = type_of(name).unwrap_or(PropertyType::String);
            // QEMU takes `yes` and `true` for `on`, but not `ON`.
            let is_readable = kind != PropertyType::Bool || !value.contains(char::is_uppercase);
            property::to_override(kind, value).filter(|_| is_readable).unwrap_or_else(|| value.to_owned())
        };
        if let Some(argument) = self.raw_argument() {
            let list = OptionList::parse(argument.value, Syntax::DEVICE).ok()?;
            return Some(Delivered { value: typed(list.get(name)?), carrier: Carrier::Device(argument) });
        }
        let vgpu = self.vgpu?;
        if self.set_reaches()
            && let Some(&set) = self.said().sets.get(name)
        {
            return Some(Delivered { value: typed(set.value), carrier: Carrier::Set(set) });
        }
        if self.override_reaches()
            && let Some(&found) = self.said().overrides.get(name)
        {
            return Some(Delivered { value: found.value.to_owned(), carrier: Carrier::Override(found) });
        }
        let on = |name| vgpu.attribute(name) == Some("on");
        let said = match name {
            // The attribute works with a <graphics> that shows it, and has to go off without.
            "display" => Some((if self.is_shown_by_graphics() { "on" } else { "off" }, Carrier::Attribute("display"))),
            "driver" => Some((if on("ramfb") { "vfio-pci-nohotplug" } else { "vfio-pci" }, Carrier::Libvirt)),
            "ramfb" if on("ramfb") => Some(("true", Carrier::Attribute("ramfb"))),
            _ => None,
        };
        if let Some((value, carrier)) = said {
            return Some(Delivered { value: value.into(), carrier });
        }
        // libvirt says nothing about it, so QEMU's default for all devices of this kind counts.
        let (value, argument) = self.globals().get(name)?;
        Some(Delivered { value: typed(value), carrier: Carrier::Global(*argument) })
    }

    fn raw_argument(&self) -> Option<Argument<'d>> {
        self.raw_vgpu.map(|element| Argument { element, value: element.attribute("value").unwrap_or("") })
    }

    /// The last `-global` of each property that is the vGPU's.
    fn globals(&self) -> &HashMap<String, (String, Argument<'d>)> {
        self.globals_once(|| {
            let globals = self.options.iter().filter(|option| option.name == "global").filter_map(|option| option.operand);
            globals.filter_map(|argument| global(argument.value).map(|(name, value)| (name, (value, argument)))).collect()
        })
    }

    /// Whether another rule's finding brings the property along: the document says something about it in a way that does not reach
    /// the vGPU, or libvirt chooses it by what is missing too.
    pub fn is_spoken_for(&self, name: &str) -> bool {
        let comes_with_ramfb = || name == "driver" && self.form() == Form::Override && self.delivered("ramfb").is_none();
        comes_with_ramfb()
            || self.sets.iter().any(|set| set.property == name && !self.set_is_fine(set) && self.set_means_vgpu(set))
            || self.overrides.iter().any(|found| {
                found.property == name && !(self.override_reaches() && self.is_vgpu_alias(found.alias)) && self.override_means_vgpu(found)
            })
    }

    /// Whether an id is the vGPU's.
    pub fn is_vgpu_alias(&self, alias: &str) -> bool {
        self.vgpu.is_some_and(|vgpu| self.alias_of(vgpu) == Some(alias))
    }

    /// Whether a `-set` reaches the host device that it names.
    pub fn set_is_fine(&self, set: &Set<'d>) -> bool {
        self.set_reaches()
            && self
                .host_device(set.device)
                .is_some_and(|device| is_vgpu(device) || is_pci_card(device) || !is_vgpu_only(set.property, set.value))
    }

    /// Whether a `-set` is meant for the vGPU: it names it, or sets what only a vGPU has on a host device that is none.
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
            // Whatever a PCI card has is that card's.
            Some(device) if is_pci_card(device) => false,
            // No libvirt numbers a sound card hostdev5; an id of its own for another kind of device may be anybody's.
            _ => is_vgpu_only(property, value) && (is_host_device_id(alias) || matches!(property, "x-igd-opregion" | "ramfb" | "driver")),
        }
    }

    /// The form in which this document's vGPU gets what it lacks: the libvirt's, but `-set` where the document has made it work.
    pub fn form(&self) -> Form {
        match form_for(self.settings.libvirt) {
            Form::Override if self.set_reaches() && !self.said().sets.is_empty() => Form::Set(None),
            Form::Set(_) if self.set_reaches() => Form::Set(None),
            form => form,
        }
    }

    /// The id by which properties name the vGPU, and what makes it so. With no vGPU yet, the one that a new one gets.
    pub fn vgpu_alias(&self) -> (String, Vec<Change<'d>>) {
        let (alias, is_new) = self.vgpu_alias_once(|| self.choose_alias());
        (alias.clone(), if *is_new && self.vgpu.is_some() { vec![Change::NameVgpu] } else { Vec::new() })
    }

    fn choose_alias(&self) -> (String, bool) {
        if let Some(vgpu) = self.vgpu
            && let Some(own) = user_alias(vgpu).filter(|own| own.len() <= LONGEST_ALIAS)
            && self.settings.alias.as_deref().is_none_or(|asked| asked == own)
        {
            return (own.to_owned(), false);
        }
        let asked = self.settings.alias.is_some();
        if matches!(self.form(), Form::Set(_)) && !asked {
            let current = self.vgpu.and_then(|vgpu| self.alias_of(vgpu));
            let addressed = current.filter(|_| !self.said().sets.is_empty());
            if let Some(alias) = addressed {
                return (alias.to_owned(), false);
            }
            if self.is_only_host_device() {
                return ("hostdev0".into(), false);
            }
        }
        let wanted = self.settings.alias();
        let numbered = (1..).map(|number| if number == 1 { wanted.to_owned() } else { format!("{wanted}-{number}") });
        // Its own may be the asked one with a number, where another vGPU has that one.
        let own = self.vgpu.and_then(user_alias);
        let mut free = numbered.filter(|alias| own == Some(alias) || !self.is_alias_taken(alias));
        let alias = free.next().unwrap_or_default();
        let is_new = own != Some(&alias);
        (alias, is_new)
    }

    /// Whether the vGPU is hostdev0 whatever libvirt makes of the rest: no other hostdev, no interface that can become one.
    fn is_only_host_device(&self) -> bool {
        let others = self.devices_named("hostdev").into_iter().any(|hostdev| Some(hostdev) != self.vgpu);
        let interfaces = self.devices_named("interface");
        let can_become_one = |interface: &Element<'d>| matches!(interface.attribute("type"), Some("hostdev" | "network"));
        !others && !interfaces.iter().any(can_become_one)
    }

    /// What [`Change::NameVgpu`] means: the vGPU has its alias, and every `-set` and override stays on the device that it means now,
    /// as a device with an alias of its own takes no number, so that those behind it move up.
    pub fn naming(&self) -> &[Change<'d>] {
        self.naming_once(|| {
            let (alias, _) = self.vgpu_alias();
            self.vgpu.map_or(Vec::new(), |vgpu| self.give_alias(vgpu, &alias))
        })
    }

    fn give_alias(&self, vgpu: Element<'d>, alias: &str) -> Vec<Change<'d>> {
        let mut changes = vec![match vgpu.child("alias") {
            Some(element) => Change::SetAttribute(element, "name".into(), alias.into()),
            None => Change::Insert(vgpu, NewElement::new("alias").with("name", alias)),
        }];
        let renamed = |id: &str| self.renamed(id, alias);
        for set in &self.sets {
            if let Some(id) = renamed(set.device) {
                changes.push(Change::SetDevice(*set, id));
            }
        }
        let mut devices: Vec<Element<'d>> = self.overrides.iter().filter_map(|found| found.element.parent()?.parent()).collect();
        devices.dedup();
        for device in devices {
            if let Some(id) = device.attribute("alias").and_then(renamed) {
                changes.push(Change::SetAttribute(device, "alias".into(), id));
            }
        }
        changes
    }

    /// The id that a device has once the vGPU has this alias; None for one that keeps its own.
    pub fn renamed(&self, id: &str, alias: &str) -> Option<String> {
        let old = self.vgpu.and_then(|vgpu| self.alias_of(vgpu))?;
        let number = |alias: &str| alias.strip_prefix("hostdev").and_then(|digits| digits.parse::<usize>().ok());
        match (number(id), number(old)) {
            _ if id == old => Some(alias.to_owned()),
            (Some(own), Some(gone)) if own > gone && self.host_device(id).is_some() => Some(format!("hostdev{}", own - 1)),
            _ => None,
        }
    }

    /// What makes a property reach the vGPU with this value (`true`/`false` for a bool); nothing where it does already.
    pub fn deliver(&self, name: &str, value: &str) -> Vec<Change<'d>> {
        let kind = type_of(name).unwrap_or(PropertyType::String);
        if let Some(delivered) = self.delivered(name) {
            if delivered.value == value {
                return Vec::new();
            }
            match delivered.carrier {
                Carrier::Override(found) => {
                    return vec![
                        Change::SetAttribute(found.element, "type".into(), kind.name().into()),
                        Change::SetAttribute(found.element, "value".into(), value.into()),
                    ];
                }
                Carrier::Set(found) => return vec![Change::SetValue(found, property::to_set(kind.name(), value))],
                Carrier::Device(argument) => return device_change(argument, name, value),
                Carrier::Global(_) | Carrier::Attribute(_) | Carrier::Libvirt => {}
            }
        } else if let Some(argument) = self.raw_argument() {
            return device_change(argument, name, value);
        }
        let order = property_order(name);
        match self.form() {
            // What libvirt has an attribute for: it picks the driver for it too. An attribute that is there has to be right in any form.
            form if matches!((name, value), ("ramfb", "true") | ("driver", "vfio-pci-nohotplug"))
                && (form == Form::Override || self.vgpu.is_some_and(|vgpu| vgpu.attribute("ramfb").is_some())) =>
            {
                self.vgpu.map(|vgpu| Change::SetAttribute(vgpu, "ramfb".into(), "on".into())).into_iter().collect()
            }
            Form::Override => {
                let (alias, mut changes) = self.vgpu_alias();
                changes.push(Change::Override { alias, property: name.into(), kind, value: value.into(), order });
                changes
            }
            Form::Set(capability) => {
                let (alias, mut changes) = self.vgpu_alias();
                let set = format!("device.{alias}.{name}={}", property::to_set(kind.name(), value));
                changes.push(Change::Arguments(order, vec!["-set".into(), set]));
                changes.extend(capability.map(|name| Change::DeleteCapability(name.into())));
                changes
            }
        }
    }

    /// Where to point for a property: what delivers it, else the vGPU's start tag.
    pub fn property_span(&self, delivered: Option<&Delivered<'d>>) -> Range<usize> {
        let fallback = || self.vgpu.or(self.raw_vgpu).unwrap_or(self.root).start_tag().span;
        match delivered.map(|delivered| delivered.carrier) {
            Some(Carrier::Override(found)) => attribute_span(found.element, "value"),
            Some(Carrier::Set(found)) => attribute_span(found.operand, "value"),
            Some(Carrier::Global(argument) | Carrier::Device(argument)) => attribute_span(argument.element, "value"),
            Some(Carrier::Attribute(name)) => self.vgpu.map_or_else(fallback, |vgpu| attribute_span(vgpu, name)),
            Some(Carrier::Libvirt) | None => fallback(),
        }
    }
}

/// A longer alias is none to write once a property: the vGPU gets another.
const LONGEST_ALIAS: usize = 1000;

/// The guide's order of properties; what the guide doesn't name comes behind.
pub fn property_order(name: &str) -> u8 {
    VGPU_PROPERTIES.iter().position(|known| *known == name).unwrap_or(VGPU_PROPERTIES.len()) as u8
}

/// Whether no device but a vGPU has this property with this value: a disk has a driver too.
fn is_vgpu_only(property: &str, value: &str) -> bool {
    VGPU_PROPERTIES.contains(&property) && (property != "driver" || value == "vfio-pci-nohotplug")
}

/// Whether an id looks like a host device's: libvirt's number, or one that can't be any other device's number.
fn is_host_device_id(alias: &str) -> bool {
    alias.starts_with("ua-") || is_host_device_number(alias)
}

/// What gives an argument of `-device` a property; nothing where QEMU can't read the argument.
fn device_change<'d>(argument: Argument<'d>, name: &str, value: &str) -> Vec<Change<'d>> {
    let is_readable = OptionList::parse(argument.value, Syntax::DEVICE).is_ok();
    if is_readable { vec![Change::DeviceProperty(argument.element, name.to_owned(), value.to_owned())] } else { Vec::new() }
}

/// The value that the operand of a `-global` gives a property of a vGPU: it works on a driver and on those that derive from it.
pub fn global_property(operand: &str, name: &str) -> Option<String> {
    global(operand).filter(|(known, _)| known == name).map(|(_, value)| value)
}

fn global(operand: &str) -> Option<(String, String)> {
    let [driver, property, value] = global_parts(operand)?;
    matches!(driver.as_str(), "vfio-pci-nohotplug" | "vfio-pci").then_some((property, value))
}
