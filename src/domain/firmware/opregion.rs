//! The OpRegion: memory in which Intel's guest driver finds the display configuration.

use super::NOHOTPLUG;
use crate::domain::{Domain, PropertySource, is_graphics_card, is_vgpu};
use crate::qemu::property::is_on;
use crate::qemu::{OptionList, Syntax};
use crate::xml::Element;

/// The fw_cfg file with Intel's OpRegion.
const OPREGION_FILE: &str = "etc/igd-opregion";

impl<'d> Domain<'d> {
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
}

/// Whether the operand of a `-fw_cfg` names the OpRegion.
fn is_opregion(operand: &str) -> bool {
    OptionList::parse(operand, Syntax::FW_CFG)
        .is_ok_and(|list| list.get("name") == Some(OPREGION_FILE))
}

#[cfg(test)]
mod tests {
    use crate::domain::testing::{commandline, with_domain};

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
                with_domain("", &commandline(arguments), "newest", |domain| domain
                    .opregion_argument()
                    .is_some()),
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
                with_domain("", &commandline(arguments), "newest", |domain| domain
                    .opregion_argument()
                    .is_none()),
                "{arguments:?}"
            );
        }
    }
}
