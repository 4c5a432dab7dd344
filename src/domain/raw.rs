//! Devices that the user's own `-device` arguments make, and the properties that they get there, by
//! `-set` and by `-global`.

use super::{Argument, Domain, EffectiveProperty, PropertySource, Set, typed};
use crate::qemu::{OptionList, Syntax, global_parts};
use crate::xml::Element;
use foldhash::HashMap;

/// QEMU's driver for a host device.
const VFIO: &str = "vfio-pci";
/// The driver derived from it that has ramfb.
const VFIO_NOHOTPLUG: &str = "vfio-pci-nohotplug";

/// The last value that `-global` gives each property, and its argument, by driver and property.
pub(super) type Globals<'d> = HashMap<String, HashMap<String, (String, Argument<'d>)>>;

/// A device that a `-device` argument makes.
#[derive(Clone, Debug)]
pub struct RawDevice<'d> {
    /// The `<qemu:arg value='-device'/>`.
    pub option: Element<'d>,
    /// Its operand.
    pub argument: Argument<'d>,
    list: OptionList<'d>,
}

impl RawDevice<'_> {
    /// The device's driver.
    pub fn driver(&self) -> &str {
        self.list.get("driver").unwrap_or("")
    }

    /// The id that the argument gives the device.
    pub fn id(&self) -> Option<&str> {
        self.list.get("id").filter(|id| !id.is_empty())
    }

    /// Whether the device is a host device.
    pub fn is_vfio(&self) -> bool {
        matches!(self.driver(), VFIO | VFIO_NOHOTPLUG)
    }

    /// Whether `-set` finds the device: it finds none that is written as JSON.
    pub fn is_settable(&self) -> bool {
        !self.argument.value.starts_with('{')
    }
}

impl<'d> Domain<'d> {
    /// The devices that `-device` arguments make, in order, as far as QEMU can read the arguments.
    pub fn raw_devices(&self) -> &[RawDevice<'d>] {
        self.answers.raw_devices.get_or_init(|| {
            let devices = self.options.iter().filter(|option| option.name == "device");
            let read = devices.filter_map(|option| {
                let argument = option.operand?;
                let list = OptionList::parse(argument.value, Syntax::DEVICE).ok()?;
                Some(RawDevice { option: option.element, argument, list })
            });
            read.collect()
        })
    }

    /// The device of the user's own `-device` argument that an id means.
    pub fn raw_device(&self, id: &str) -> Option<&RawDevice<'d>> {
        let places = || {
            let devices = self.raw_devices().iter().enumerate();
            devices.filter_map(|(index, device)| Some((device.id()?.to_owned(), index))).collect()
        };
        self.raw_devices().get(*self.answers.raw_ids.get_or_init(places).get(id)?)
    }

    /// The device that the operand of a `-device` makes.
    pub(crate) fn raw_device_of(&self, argument: Element<'d>) -> Option<&RawDevice<'d>> {
        self.raw_devices().iter().find(|device| device.argument.element == argument)
    }

    /// The value of a property that a `-device` argument's device gets, and how it gets there.
    pub fn raw_property(
        &self,
        device: &RawDevice<'d>,
        name: &str,
    ) -> Option<EffectiveProperty<'d>> {
        if let Some(set) = self.raw_set(device, name) {
            return Some(EffectiveProperty {
                value: typed(name, set.value),
                carrier: PropertySource::Set(set),
            });
        }
        if let Some(value) = device.list.get(name) {
            return Some(EffectiveProperty {
                value: typed(name, value),
                carrier: PropertySource::Device(device.argument),
            });
        }
        let (value, argument) = self.global(device.driver(), name)?;
        Some(EffectiveProperty {
            value: typed(name, value),
            carrier: PropertySource::Global(argument),
        })
    }

    /// The `-set` that counts for a property of a `-device` argument's device.
    fn raw_set(&self, device: &RawDevice<'d>, name: &str) -> Option<Set<'d>> {
        device.id().filter(|_| device.is_settable()).and_then(|id| self.last_set(id, name))
    }

    /// The value that the last `-global` gives a property of all devices of a driver. One for a
    /// driver works on those that derive from it too.
    pub(crate) fn global(&self, driver: &str, name: &str) -> Option<(&str, Argument<'d>)> {
        let globals = self.answers.globals.get_or_init(|| {
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
    use crate::domain::{PropertySource, read};
    use crate::settings::Settings;
    use crate::xml::QEMU_NAMESPACE;

    #[test]
    fn a_raw_device_gets_a_property_from_set_then_its_argument_then_global() {
        for (arguments, wanted) in [
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
            let arguments: String =
                arguments.iter().map(|value| format!("<qemu:arg value='{value}'/>")).collect();
            let text = format!(
                "<domain xmlns:qemu='{QEMU_NAMESPACE}'><qemu:commandline>{arguments}</qemu:commandline></domain>"
            );
            let found = read(&text, &Settings::default(), |domain| {
                let delivered = domain.raw_property(&domain.raw_devices()[0], "x-vga");
                delivered.map(|delivered| {
                    let carrier = match delivered.carrier {
                        PropertySource::Set(_) => "set",
                        PropertySource::Device(_) => "device",
                        _ => "global",
                    };
                    (delivered.value, carrier)
                })
            });
            assert_eq!(
                found.unwrap(),
                wanted.map(|(value, carrier)| (value.to_owned(), carrier)),
                "{arguments}"
            );
        }
    }
}
