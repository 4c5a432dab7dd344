//! Everything that QEMU offers the guest's firmware for its screen: ramfb, the OpRegion, and option
//! ROMs that draw by themselves.
//!
//! ramfb and the OpRegion are fw_cfg files with fixed names, so QEMU can have each only once, and
//! exits at a second one.

use std::ops::Range;

use super::{
    Domain, EffectiveProperty, PropertySource, RawDevice, Set, attribute_span, is_graphics_card,
    is_pci_card, is_vgpu,
};
use crate::property::is_on;
use crate::qemu::{OptionList, Syntax};
use crate::version::Version;
use crate::xml::{Element, ElementSet};

/// The fw_cfg file with Intel's OpRegion.
const OPREGION_FILE: &str = "etc/igd-opregion";
/// The driver that has ramfb.
const NOHOTPLUG: &str = "vfio-pci-nohotplug";

/// A device other than the vGPU that has ramfb.
#[derive(Clone, Debug, PartialEq)]
pub struct Ramfb<'d> {
    /// Its `<hostdev>` or `<video>`, or the `<qemu:arg>` that is the operand of its `-device`.
    pub device: Element<'d>,
    /// The place that gives it ramfb.
    pub place: Range<usize>,
    /// The `-device` before it, if it is an argument.
    pub option: Option<Element<'d>>,
    /// The `-set` that gives it to the device of an argument.
    pub set: Option<Set<'d>>,
    /// Whether it is another vGPU of GVT-g's.
    pub is_vgpu: bool,
}

impl<'d> Domain<'d> {
    /// Whether the vGPU has ramfb, or will have it once a property with a wrong alias reaches it.
    pub fn has_ramfb(&self) -> bool {
        let is_delivered = || {
            self.effective_property("ramfb").is_some_and(|delivered| {
                // A -global works on the driver that has ramfb, and another device with that driver
                // has it then.
                let works = || {
                    !matches!(delivered.carrier, PropertySource::Global(_))
                        || self.has_nohotplug_driver()
                        || self.other_ramfbs().is_empty()
                };
                delivered.value == "true" && works()
            })
        };
        is_delivered() || self.vgpu.is_some_and(|vgpu| self.hostdev_ramfb(vgpu).is_some())
    }

    /// Whether the vGPU has the driver that knows ramfb.
    fn has_nohotplug_driver(&self) -> bool {
        self.effective_property("driver").is_some_and(|driver| driver.value == NOHOTPLUG)
    }

    /// The other devices with ramfb: host devices in document order, then `<video>` cards, then
    /// arguments.
    pub fn other_ramfbs(&self) -> &[Ramfb<'d>] {
        self.answers.other_ramfbs.get_or_init(|| {
            let hostdevs = self
                .devices_named("hostdev")
                .into_iter()
                .filter(|hostdev| Some(*hostdev) != self.vgpu);
            let vgpus: ElementSet = self.vgpus.iter().map(|vgpu| vgpu.id()).collect();
            let of_hostdev = |device: Element<'d>| {
                Some(Ramfb {
                    device,
                    place: self.hostdev_ramfb(device)?,
                    option: None,
                    set: None,
                    is_vgpu: vgpus.contains(&device.id()),
                })
            };
            let hostdevs = hostdevs.filter_map(of_hostdev);
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
            let of_argument = |raw: &RawDevice<'d>| {
                let carrier = match raw.driver() {
                    "ramfb" => PropertySource::Device(raw.argument),
                    _ => self.raw_carrier_of_on(raw, "ramfb")?,
                };
                let (place, set) = match carrier {
                    PropertySource::Set(set) => (set.operand, Some(set)),
                    PropertySource::Global(argument) | PropertySource::Device(argument) => {
                        (argument.element, None)
                    }
                    _ => return None,
                };
                let (device, option) = (raw.argument.element, Some(raw.option));
                Some(Ramfb {
                    device,
                    place: attribute_span(place, "value"),
                    option,
                    set,
                    is_vgpu: false,
                })
            };
            let arguments = self
                .raw_devices()
                .iter()
                .filter(|raw| Some(raw.argument.element) != self.raw_vgpu)
                .filter_map(of_argument);
            hostdevs.chain(videos).chain(arguments).collect()
        })
    }

    /// The place that gives a host device ramfb. An attribute counts even if an override says
    /// otherwise, because libvirt counts attributes; so does a `-set` or override that does not
    /// reach the device yet, because a fix makes it reach the device.
    fn hostdev_ramfb(&self, hostdev: Element<'d>) -> Option<Range<usize>> {
        const NAME: &str = "ramfb";
        // Older releases of libvirt drop the attribute on PCI devices.
        let reads_attribute =
            !is_pci_card(hostdev) || self.settings.libvirt >= Version::new(10, 3, 0);
        if reads_attribute && hostdev.attribute(NAME) == Some("on") {
            return Some(attribute_span(hostdev, NAME));
        }
        let by_global = || {
            let alias = self.own_alias(hostdev)?;
            let set = self.last_set(alias, "driver").map(|set| set.value);
            set.or_else(|| Some(self.last_override(alias, "driver")?.value))
                .filter(|driver| *driver == NOHOTPLUG)?;
            let (_, argument) = self.global(NOHOTPLUG, NAME).filter(|(value, _)| is_on(value))?;
            Some(PropertySource::Global(argument))
        };
        let carrier = self.carrier_of_on(hostdev, NAME).or_else(by_global)?;
        Some(self.property_span(Some(&EffectiveProperty { value: "true".into(), carrier })))
    }

    /// The argument that gives QEMU the OpRegion from a file.
    pub fn opregion_argument(&self) -> Option<Element<'d>> {
        let operands = self
            .options
            .iter()
            .filter(|option| option.name == "fw_cfg")
            .filter_map(|option| option.operand);
        let argument = operands
            .map(|operand| (operand.element, operand.value))
            .find(|(_, operand)| is_opregion(operand));
        // An option that is joined with its operand is read once another rule has split them.
        let joined = || {
            self.arguments.iter().find_map(|argument| {
                let name = argument
                    .value
                    .strip_prefix("--")
                    .or_else(|| argument.value.strip_prefix('-'))?;
                let operand = name.strip_prefix("fw_cfg")?.strip_prefix([' ', '='])?;
                is_opregion(operand.trim_start()).then_some((argument.element, operand))
            })
        };
        argument.or_else(joined).map(|(element, _)| element)
    }

    /// The property that gives another device the OpRegion, and the device: its `<hostdev>`, or the
    /// argument of `-device`.
    pub fn other_opregion(&self) -> Option<(Element<'d>, PropertySource<'d>)> {
        const NAME: &str = "x-igd-opregion";
        // Whatever else has the property is not meant: it is moved to the vGPU.
        let is_meant = |device: &Element<'d>| is_vgpu(*device) || is_graphics_card(*device);
        let mut others = self
            .host_devices
            .iter()
            .map(|(device, _)| *device)
            .filter(|device| Some(*device) != self.vgpu)
            .filter(is_meant);
        let mut raw =
            self.raw_devices().iter().filter(|raw| Some(raw.argument.element) != self.raw_vgpu);
        let of_hostdev = others.find_map(|device| {
            Some((
                device,
                self.carrier_of_on(device, NAME).or_else(|| self.global_of_on(device, NAME))?,
            ))
        });
        of_hostdev.or_else(|| {
            raw.find_map(|raw| Some((raw.argument.element, self.raw_carrier_of_on(raw, NAME)?)))
        })
    }

    /// The id by which properties name a host device; None for another device with the vGPU's id,
    /// whose properties are the vGPU's.
    pub fn own_alias(&self, hostdev: Element<'d>) -> Option<&str> {
        self.alias_of(hostdev)
            .filter(|alias| Some(hostdev) == self.vgpu || !self.is_vgpu_alias(alias))
    }

    /// The `-set` or the override that turns a property of a host device on.
    fn carrier_of_on(&self, hostdev: Element<'d>, name: &str) -> Option<PropertySource<'d>> {
        let alias = self.own_alias(hostdev)?;
        let set = self.last_set(alias, name).filter(|set| is_on(set.value));
        let found = || self.last_override(alias, name).filter(|found| is_on(found.value));
        set.map(PropertySource::Set).or_else(|| found().map(PropertySource::Override))
    }

    /// The `-global` that turns a property of one of libvirt's host devices on, where nothing else
    /// says anything of it.
    fn global_of_on(&self, hostdev: Element<'d>, name: &str) -> Option<PropertySource<'d>> {
        let alias = self.own_alias(hostdev)?;
        if self.last_set(alias, name).is_some() || self.last_override(alias, name).is_some() {
            return None;
        }
        let driver = if self.hostdev_ramfb(hostdev).is_some() { NOHOTPLUG } else { "vfio-pci" };
        let (_, argument) = self.global(driver, name).filter(|(value, _)| is_on(value))?;
        Some(PropertySource::Global(argument))
    }

    /// The carrier that turns on a property of a host device that a `-device` argument makes.
    fn raw_carrier_of_on(&self, raw: &RawDevice<'d>, name: &str) -> Option<PropertySource<'d>> {
        let delivered = self.raw_property(raw, name).filter(|_| raw.is_vfio())?;
        (delivered.value == "true").then_some(delivered.carrier)
    }

    /// The vGPU's option ROM, as it is or will be, if it draws the firmware's screen by itself:
    /// i915ovmf, which "can replace ramfb" (its README) and shows nothing next to it.
    pub fn drawing_rom(&self) -> Option<String> {
        let asked = || self.settings.explicit.romfile.clone();
        let delivered = || self.effective_property("romfile").map(|delivered| delivered.value);
        let addressed = || {
            let addressed = self.addressed();
            let set = addressed.sets.get("romfile").map(|set| set.value);
            set.or_else(|| addressed.overrides.get("romfile").map(|found| found.value))
                .map(str::to_owned)
        };
        let element = || self.vgpu?.child("rom")?.attribute("file").map(str::to_owned);
        let fallback = || self.settings.fallback.romfile.clone();
        let file =
            asked().or_else(delivered).or_else(addressed).or_else(element).or_else(fallback)?;
        let name = file.rsplit('/').next().unwrap_or("").to_ascii_lowercase();
        name.contains("i915ovmf").then_some(file)
    }
}

/// Whether the operand of a `-fw_cfg` names the OpRegion.
fn is_opregion(operand: &str) -> bool {
    OptionList::parse(operand, Syntax::FW_CFG)
        .is_ok_and(|list| list.get("name") == Some(OPREGION_FILE))
}

#[cfg(test)]
mod tests {
    use crate::domain::read;
    use crate::settings::Settings;
    use crate::xml::QEMU_NAMESPACE;

    fn with<R>(
        devices: &str,
        arguments: &[&str],
        libvirt: &str,
        ask: impl FnOnce(&crate::domain::Domain<'_>) -> R,
    ) -> R {
        let arguments: String =
            arguments.iter().map(|value| format!("<qemu:arg value='{value}'/>")).collect();
        let text = format!(
            "<domain xmlns:qemu='{QEMU_NAMESPACE}'><devices>{devices}</devices><qemu:commandline>{arguments}</qemu:commandline></domain>"
        );
        read(&text, &Settings { libvirt: libvirt.parse().unwrap(), ..Settings::default() }, ask)
            .unwrap()
    }

    #[test]
    fn the_opregion_is_recognised_in_every_spelling_that_qemu_reads() {
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
                with("", arguments, "newest", |domain| domain.opregion_argument().is_some()),
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
                with("", arguments, "newest", |domain| domain.opregion_argument().is_none()),
                "{arguments:?}"
            );
        }
    }

    #[test]
    fn every_ramfb_counts_once() {
        let card = |attributes: &str| format!("<hostdev type='pci' {attributes}/>");
        for (devices, arguments, libvirt, wanted) in [
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
            let found = with(&devices, arguments, libvirt, |domain| domain.other_ramfbs().len());
            assert_eq!(found, wanted, "{devices} {arguments:?}");
        }
    }
}
