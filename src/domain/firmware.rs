//! The ways in which QEMU provides a screen to the guest's firmware: ramfb, the OpRegion, and
//! option ROMs that draw by themselves.
//!
//! ramfb and the OpRegion are fw_cfg files with fixed names, so QEMU exits if two devices have the
//! same one.

use std::ops::Range;

use super::{
    Domain, EffectiveProperty, PropertySource, RawDevice, Set, attribute_span, is_graphics_card,
    is_pci_card, is_vgpu,
};
use crate::qemu::property::is_on;
use crate::qemu::{OptionList, Syntax};
use crate::version::Version;
use crate::xml::{Element, ElementSet};

/// The fw_cfg file with Intel's OpRegion.
const OPREGION_FILE: &str = "etc/igd-opregion";
/// The driver that supports ramfb.
const NOHOTPLUG: &str = "vfio-pci-nohotplug";

/// A device other than the vGPU that has ramfb.
#[derive(Clone, Debug, PartialEq)]
pub struct Ramfb<'d> {
    /// The `<hostdev>` or `<video>`, or the `<qemu:arg>` with the operand of its `-device`.
    pub device: Element<'d>,
    /// The span that gives it ramfb.
    pub place: Range<usize>,
    /// The `<qemu:arg>` with `-device`, if the device is an argument.
    pub option: Option<Element<'d>>,
    /// The `-set` that gives ramfb to the device of an argument.
    pub set: Option<Set<'d>>,
    /// Whether it is another GVT-g vGPU.
    pub is_vgpu: bool,
}

impl<'d> Domain<'d> {
    /// Whether the vGPU has ramfb, or will have it once a property with a wrong alias reaches it.
    pub fn has_ramfb(&self) -> bool {
        let is_in_effect = || {
            self.effective_property("ramfb").is_some_and(|ramfb| {
                // A -global only applies to the driver that supports ramfb. If the vGPU has another
                // driver, it is another device that gets ramfb.
                let applies = || {
                    !matches!(ramfb.carrier, PropertySource::Global(_))
                        || self.has_nohotplug_driver()
                        || self.other_ramfbs().is_empty()
                };
                ramfb.value == "true" && applies()
            })
        };
        is_in_effect() || self.vgpu.is_some_and(|vgpu| self.hostdev_ramfb(vgpu).is_some())
    }

    /// Whether the vGPU has the driver that supports ramfb.
    fn has_nohotplug_driver(&self) -> bool {
        self.effective_property("driver").is_some_and(|driver| driver.value == NOHOTPLUG)
    }

    /// The devices with ramfb other than the vGPU: host devices in document order, then `<video>`
    /// cards, then arguments.
    pub fn other_ramfbs(&self) -> &[Ramfb<'d>] {
        self.cache.other_ramfbs.get_or_init(|| {
            let hostdevs = self
                .devices_named("hostdev")
                .into_iter()
                .filter(|hostdev| Some(*hostdev) != self.vgpu);
            let vgpus: ElementSet = self.vgpus.iter().map(|vgpu| vgpu.id()).collect();
            let hostdev_to_ramfb = |device: Element<'d>| {
                Some(Ramfb {
                    device,
                    place: self.hostdev_ramfb(device)?,
                    option: None,
                    set: None,
                    is_vgpu: vgpus.contains(&device.id()),
                })
            };
            let hostdevs = hostdevs.filter_map(hostdev_to_ramfb);
            let is_ramfb = |video: &Element<'d>| {
                video.child("model").is_some_and(|model| model.attribute("type") == Some("ramfb"))
            };
            let videos = self.devices_named("video").into_iter().filter(is_ramfb);
            let videos = videos.map(|device| Ramfb {
                device,
                place: device.start_tag().span,
                option: None,
                set: None,
                is_vgpu: false,
            });
            let argument_to_ramfb = |raw: &RawDevice<'d>| {
                let source = match raw.driver() {
                    "ramfb" => PropertySource::Device(raw.argument),
                    _ => self.raw_source_of_on(raw, "ramfb")?,
                };
                let (element, set) = match source {
                    PropertySource::Set(set) => (set.operand, Some(set)),
                    PropertySource::Global(argument) | PropertySource::Device(argument) => {
                        (argument.element, None)
                    }
                    _ => return None,
                };
                Some(Ramfb {
                    device: raw.argument.element,
                    place: attribute_span(element, "value"),
                    option: Some(raw.option),
                    set,
                    is_vgpu: false,
                })
            };
            let arguments = self
                .raw_devices()
                .iter()
                .filter(|raw| Some(raw.argument.element) != self.raw_vgpu)
                .filter_map(argument_to_ramfb);
            hostdevs.chain(videos).chain(arguments).collect()
        })
    }

    /// The span that gives a host device ramfb. An attribute counts even if an override turns it
    /// off, because libvirt counts attributes. A `-set` or override that does not reach the device
    /// counts too, because a fix makes it reach the device.
    fn hostdev_ramfb(&self, hostdev: Element<'d>) -> Option<Range<usize>> {
        const NAME: &str = "ramfb";
        // libvirt before 10.3 drops the attribute on PCI devices.
        let reads_attribute =
            !is_pci_card(hostdev) || self.settings.libvirt >= Version::new(10, 3, 0);
        if reads_attribute && hostdev.attribute(NAME) == Some("on") {
            return Some(attribute_span(hostdev, NAME));
        }
        let by_global = || {
            let alias = self.own_alias(hostdev)?;
            let set_value = self.last_set(alias, "driver").map(|set| set.value);
            let override_value = || self.last_override(alias, "driver").map(|entry| entry.value);
            if set_value.or_else(override_value)? != NOHOTPLUG {
                return None;
            }
            let (_, argument) = self.global(NOHOTPLUG, NAME).filter(|(value, _)| is_on(value))?;
            Some(PropertySource::Global(argument))
        };
        let carrier = self.source_of_on(hostdev, NAME).or_else(by_global)?;
        Some(self.property_span(Some(&EffectiveProperty { value: "true".into(), carrier })))
    }

    /// The argument that provides the OpRegion from a file.
    pub fn opregion_argument(&self) -> Option<Element<'d>> {
        let operands = self
            .options
            .iter()
            .filter(|option| option.name == "fw_cfg")
            .filter_map(|option| option.operand);
        let argument = operands
            .map(|operand| (operand.element, operand.value))
            .find(|(_, operand)| is_opregion(operand));
        // An option in one argument with its operand counts too; another rule splits it.
        let joined_argument = || {
            self.arguments.iter().find_map(|argument| {
                let name = argument
                    .value
                    .strip_prefix("--")
                    .or_else(|| argument.value.strip_prefix('-'))?;
                let operand = name.strip_prefix("fw_cfg")?.strip_prefix([' ', '='])?;
                is_opregion(operand.trim_start()).then_some((argument.element, operand))
            })
        };
        argument.or_else(joined_argument).map(|(element, _)| element)
    }

    /// The device other than the vGPU that has the OpRegion, as its `<hostdev>` or the argument of
    /// its `-device`, and the source of the property.
    pub fn other_opregion(&self) -> Option<(Element<'d>, PropertySource<'d>)> {
        const NAME: &str = "x-igd-opregion";
        // Only vGPUs and graphics cards can have an OpRegion; on any other device, the property is
        // meant for the vGPU and is moved there.
        let can_have_opregion =
            |device: &Element<'d>| is_vgpu(*device) || is_graphics_card(*device);
        let mut other_hostdevs = self
            .host_devices
            .iter()
            .map(|(device, _)| *device)
            .filter(|device| Some(*device) != self.vgpu)
            .filter(can_have_opregion);
        let mut other_arguments =
            self.raw_devices().iter().filter(|raw| Some(raw.argument.element) != self.raw_vgpu);
        let hostdev_with_opregion = other_hostdevs.find_map(|device| {
            Some((
                device,
                self.source_of_on(device, NAME).or_else(|| self.global_of_on(device, NAME))?,
            ))
        });
        hostdev_with_opregion.or_else(|| {
            other_arguments
                .find_map(|raw| Some((raw.argument.element, self.raw_source_of_on(raw, NAME)?)))
        })
    }

    /// The id by which properties name a host device; `None` for another device with the vGPU's id,
    /// because those properties apply to the vGPU.
    pub fn own_alias(&self, hostdev: Element<'d>) -> Option<&str> {
        self.alias_of(hostdev)
            .filter(|alias| Some(hostdev) == self.vgpu || !self.is_vgpu_alias(alias))
    }

    /// The `-set` or override that turns on a property of a host device.
    fn source_of_on(&self, hostdev: Element<'d>, name: &str) -> Option<PropertySource<'d>> {
        let alias = self.own_alias(hostdev)?;
        let set = self.last_set(alias, name).filter(|set| is_on(set.value));
        let override_entry = || self.last_override(alias, name).filter(|entry| is_on(entry.value));
        set.map(PropertySource::Set).or_else(|| override_entry().map(PropertySource::Override))
    }

    /// The `-global` that turns on a property of a libvirt host device, if no `-set` or override
    /// sets the property.
    fn global_of_on(&self, hostdev: Element<'d>, name: &str) -> Option<PropertySource<'d>> {
        let alias = self.own_alias(hostdev)?;
        if self.last_set(alias, name).is_some() || self.last_override(alias, name).is_some() {
            return None;
        }
        let driver = if self.hostdev_ramfb(hostdev).is_some() { NOHOTPLUG } else { "vfio-pci" };
        let (_, argument) = self.global(driver, name).filter(|(value, _)| is_on(value))?;
        Some(PropertySource::Global(argument))
    }

    /// The source that turns on a property of the host device of a `-device` argument.
    fn raw_source_of_on(&self, raw: &RawDevice<'d>, name: &str) -> Option<PropertySource<'d>> {
        if !raw.is_vfio() {
            return None;
        }
        let property = self.raw_property(raw, name)?;
        if property.value == "true" { Some(property.carrier) } else { None }
    }

    /// The vGPU's current or future option ROM, if it draws the firmware's screen by itself:
    /// i915ovmf, which "can replace ramfb" (its README) and shows nothing when ramfb is present
    /// too.
    pub fn drawing_rom(&self) -> Option<String> {
        let from_explicit_setting = || self.settings.explicit.romfile.clone();
        let from_property = || self.effective_property("romfile").map(|property| property.value);
        // Properties that do not reach the vGPU yet.
        let from_unreached_property = || {
            let addressed = self.addressed();
            let set_value = addressed.sets.get("romfile").map(|set| set.value);
            set_value
                .or_else(|| addressed.overrides.get("romfile").map(|entry| entry.value))
                .map(str::to_owned)
        };
        let from_element = || self.vgpu?.child("rom")?.attribute("file").map(str::to_owned);
        let from_fallback_setting = || self.settings.fallback.romfile.clone();
        let file = from_explicit_setting()
            .or_else(from_property)
            .or_else(from_unreached_property)
            .or_else(from_element)
            .or_else(from_fallback_setting)?;
        let name = file.rsplit('/').next().unwrap_or("").to_ascii_lowercase();
        if name.contains("i915ovmf") { Some(file) } else { None }
    }
}

/// Whether the operand of a `-fw_cfg` names the OpRegion.
fn is_opregion(operand: &str) -> bool {
    OptionList::parse(operand, Syntax::FW_CFG)
        .is_ok_and(|list| list.get("name") == Some(OPREGION_FILE))
}

#[cfg(test)]
mod tests {
    use crate::domain::Settings;
    use crate::domain::read;
    use crate::xml::QEMU_NAMESPACE;

    fn with_domain<R>(
        devices: &str,
        arguments: &[&str],
        libvirt: &str,
        query: impl FnOnce(&crate::domain::Domain<'_>) -> R,
    ) -> R {
        let arguments: String =
            arguments.iter().map(|value| format!("<qemu:arg value='{value}'/>")).collect();
        let text = format!(
            "<domain xmlns:qemu='{QEMU_NAMESPACE}'><devices>{devices}</devices><qemu:commandline>{arguments}</qemu:commandline></domain>"
        );
        read(&text, &Settings { libvirt: libvirt.parse().unwrap(), ..Settings::default() }, query)
            .unwrap()
    }

    #[test]
    fn recognizes_the_opregion_in_every_form_that_qemu_accepts() {
        for arguments in [
            &["-fw_cfg", "name=etc/igd-opregion,file=/x"][..],
            &["--fw_cfg", "etc/igd-opregion,file=/x"],
            &["-fw_cfg", "file=/x,name=etc/igd-opregion"],
            &["-fw_cfg", "name=x,name=etc/igd-opregion,string=y"],
            &["-fw_cfg", "name=opt/x,string=y", "-fw_cfg", "name=etc/igd-opregion,file=/a,,b"],
            &["-fw_cfg name=etc/igd-opregion,file=/x"],
            &["--fw_cfg=etc/igd-opregion,file=/x"],
        ] {
            assert!(
                with_domain("", arguments, "newest", |domain| domain.opregion_argument().is_some()),
                "{arguments:?}"
            );
        }
        for arguments in [
            &["-fw_cfg", "name=etc/igd-bdsm-size,file=/x"][..],
            &["-fw_cfg", "name=etc/igd-opregion,name=x,string=y"],
            &["-append", "-fw_cfg", "name=etc/igd-opregion,file=/x"],
            &["-fw_cfg", "{\"name\":\"etc/igd-opregion\"}"],
        ] {
            assert!(
                with_domain("", arguments, "newest", |domain| domain.opregion_argument().is_none()),
                "{arguments:?}"
            );
        }
    }

    #[test]
    fn counts_each_ramfb_once() {
        let card = |attributes: &str| format!("<hostdev type='pci' {attributes}/>");
        for (devices, arguments, libvirt, expected) in [
            (card("ramfb='on'"), &[][..], "newest", 1),
            (card("ramfb='on'"), &[], "10.2", 0),
            (card("ramfb='on'"), &["-set", "device.hostdev0.ramfb=on"], "newest", 1),
            (card(""), &["-set", "device.hostdev0.ramfb=on"], "newest", 1),
            (
                card(""),
                &["-set", "device.hostdev0.ramfb=on", "-set", "device.hostdev0.ramfb=off"],
                "newest",
                0,
            ),
            (card(""), &["-device", "ramfb"], "newest", 1),
            (
                card(""),
                &["-device", "{'driver':'ramfb'}".replace('\'', "&quot;").leak()],
                "newest",
                1,
            ),
            (
                card(""),
                &["-device", "vfio-pci-nohotplug,host=01:00.0,ramfb=on,display=on"],
                "newest",
                1,
            ),
            (card(""), &["-device", "vfio-pci-nohotplug,host=01:00.0,display=on"], "newest", 0),
            (
                "<video><model type='ramfb'/></video><video/>".into(),
                &["-device", "driver=ramfb"],
                "newest",
                2,
            ),
        ] {
            let count =
                with_domain(&devices, arguments, libvirt, |domain| domain.other_ramfbs().len());
            assert_eq!(count, expected, "{devices} {arguments:?}");
        }
    }
}
