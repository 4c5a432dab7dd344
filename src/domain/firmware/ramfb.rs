//! ramfb: the simple framebuffer that shows the guest before its graphics driver loads.

use std::ops::Range;

use super::NOHOTPLUG;
use crate::domain::{
    Domain, EffectiveProperty, PropertySource, RawDevice, Set, attribute_span, is_pci_card,
};
use crate::qemu::property::is_on;
use crate::version::Version;
use crate::xml::{Element, ElementSet};

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
                    !matches!(ramfb.source, PropertySource::Global(_))
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
    pub(super) fn hostdev_ramfb(&self, hostdev: Element<'d>) -> Option<Range<usize>> {
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
        let source = self.source_of_on(hostdev, NAME).or_else(by_global)?;
        Some(self.property_span(Some(&EffectiveProperty { value: "true".into(), source })))
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::testing::{commandline, with_domain};

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
            let count = with_domain(&devices, &commandline(arguments), libvirt, |domain| {
                domain.other_ramfbs().len()
            });
            assert_eq!(count, expected, "{devices} {arguments:?}");
        }
    }
}
