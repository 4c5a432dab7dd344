//! The devices of `-device` arguments, and the properties that `-set` and `-global` give them.

use super::{Argument, Domain, EffectiveProperty, PropertySource, Set, to_effective_value};
use crate::qemu::{OptionList, Syntax, global_parts};
use crate::xml::Element;
use foldhash::HashMap;

/// QEMU's driver for host devices.
const VFIO: &str = "vfio-pci";
/// The driver derived from [`VFIO`] that supports ramfb.
const VFIO_NOHOTPLUG: &str = "vfio-pci-nohotplug";

/// The last value that `-global` gives each property, and the argument, by driver and property.
pub(super) type Globals<'d> = HashMap<String, HashMap<String, (String, Argument<'d>)>>;

/// A device that a `-device` argument creates.
#[derive(Clone, Debug)]
pub struct RawDevice<'d> {
    /// The `<qemu:arg value='-device'/>`.
    pub option: Element<'d>,
    /// The `<qemu:arg>` with its operand.
    pub argument: Argument<'d>,
    /// The parsed operand.
    list: OptionList<'d>,
}

impl RawDevice<'_> {
    /// The device's driver.
    pub fn driver(&self) -> &str {
        self.list.get("driver").unwrap_or("")
    }

    /// The id that the argument gives the device, if any.
    pub fn id(&self) -> Option<&str> {
        self.list.get("id").filter(|id| !id.is_empty())
    }

    /// Whether the device is a host device, by its driver.
    pub fn is_vfio(&self) -> bool {
        matches!(self.driver(), VFIO | VFIO_NOHOTPLUG)
    }

    /// Whether `-set` reaches the device; it does not reach devices written as JSON.
    pub fn is_settable(&self) -> bool {
        !self.argument.value.starts_with('{')
    }
}

impl<'d> Domain<'d> {
    /// The devices that `-device` arguments create, in order. Arguments that QEMU could not parse
    /// are left out.
    pub fn raw_devices(&self) -> &[RawDevice<'d>] {
        self.cache.raw_devices.get_or_init(|| {
            let devices = self.options.iter().filter(|option| option.name == "device");
            let parsed_devices = devices.filter_map(|option| {
                let argument = option.operand?;
                let list = OptionList::parse(argument.value, Syntax::DEVICE).ok()?;
                Some(RawDevice { option: option.element, argument, list })
            });
            parsed_devices.collect()
        })
    }

    /// The device of a `-device` argument with this id.
    pub fn raw_device(&self, id: &str) -> Option<&RawDevice<'d>> {
        let indices = || {
            let devices = self.raw_devices().iter().enumerate();
            devices.filter_map(|(index, device)| Some((device.id()?.to_owned(), index))).collect()
        };
        self.raw_devices().get(*self.cache.raw_ids.get_or_init(indices).get(id)?)
    }

    /// The device that this operand of a `-device` creates.
    pub(crate) fn raw_device_of(&self, argument: Element<'d>) -> Option<&RawDevice<'d>> {
        self.raw_devices().iter().find(|device| device.argument.element == argument)
    }

    /// The value of a property of a `-device` argument's device, and its source; `None` if nothing
    /// sets it.
    pub fn raw_property(
        &self,
        device: &RawDevice<'d>,
        name: &str,
    ) -> Option<EffectiveProperty<'d>> {
        if let Some(set) = self.raw_set(device, name) {
            return Some(EffectiveProperty {
                value: to_effective_value(name, set.value),
                source: PropertySource::Set(set),
            });
        }
        if let Some(value) = device.list.get(name) {
            return Some(EffectiveProperty {
                value: to_effective_value(name, value),
                source: PropertySource::Device(device.argument),
            });
        }
        let (value, argument) = self.global(device.driver(), name)?;
        Some(EffectiveProperty {
            value: to_effective_value(name, value),
            source: PropertySource::Global(argument),
        })
    }

    /// The `-set` that takes effect for a property of a `-device` argument's device.
    fn raw_set(&self, device: &RawDevice<'d>, name: &str) -> Option<Set<'d>> {
        if !device.is_settable() {
            return None;
        }
        self.last_set(device.id()?, name)
    }

    /// The value that the last `-global` gives a property of all devices of a driver, and the
    /// argument. A `-global` for a driver applies to derived drivers too.
    pub(crate) fn global(&self, driver: &str, name: &str) -> Option<(&str, Argument<'d>)> {
        let globals = self.cache.globals.get_or_init(|| {
            let mut globals: Globals<'d> = HashMap::default();
            let operands = self
                .options
                .iter()
                .filter(|option| option.name == "global")
                .filter_map(|option| option.operand);
            for argument in operands {
                let Some([driver, property, value]) = global_parts(argument.value) else {
                    continue;
                };
                if driver == VFIO {
                    globals
                        .entry(VFIO_NOHOTPLUG.into())
                        .or_default()
                        .insert(property.clone(), (value.clone(), argument));
                }
                globals.entry(driver).or_default().insert(property, (value, argument));
            }
            globals
        });
        globals.get(driver)?.get(name).map(|(value, argument)| (value.as_str(), *argument))
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::PropertySource;
    use crate::domain::testing::{commandline, with_domain};

    #[test]
    fn set_wins_over_device_argument_and_global() {
        for (arguments, expected) in [
            (&["-device", "vfio-pci,host=01:00.0"][..], None),
            (&["-device", "vfio-pci,x-vga=on,id=a"], Some(("true", "device"))),
            (
                &["-device", "vfio-pci,x-vga=on,id=a", "-set", "device.a.x-vga=off"],
                Some(("false", "set")),
            ),
            (
                &["-device", "vfio-pci,x-vga=on,id=a", "-set", "device.b.x-vga=off"],
                Some(("true", "device")),
            ),
            (
                &[
                    "-device",
                    "{&quot;driver&quot;:&quot;vfio-pci&quot;,&quot;id&quot;:&quot;a&quot;}",
                    "-set",
                    "device.a.x-vga=off",
                ],
                None,
            ),
            (&["-device", "vfio-pci", "-global", "vfio-pci.x-vga=yes"], Some(("true", "global"))),
            (
                &["-device", "vfio-pci-nohotplug", "-global", "vfio-pci.x-vga=on"],
                Some(("true", "global")),
            ),
            (&["-device", "vfio-pci", "-global", "vfio-pci-nohotplug.x-vga=on"], None),
        ] {
            let qemu = commandline(arguments);
            let value_and_source = with_domain("", &qemu, "newest", |domain| {
                let property = domain.raw_property(&domain.raw_devices()[0], "x-vga");
                property.map(|property| {
                    let source = match property.source {
                        PropertySource::Set(_) => "set",
                        PropertySource::Device(_) => "device",
                        _ => "global",
                    };
                    (property.value, source)
                })
            });
            assert_eq!(
                value_and_source,
                expected.map(|(value, source)| (value.to_owned(), source)),
                "{arguments:?}"
            );
        }
    }
}
