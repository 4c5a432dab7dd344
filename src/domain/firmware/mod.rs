//! The ways in which QEMU provides a screen to the guest's firmware: ramfb, the OpRegion, and
//! option ROMs that draw by themselves.
//!
//! ramfb and the OpRegion are fw_cfg files with fixed names, so QEMU exits if two devices have the
//! same one.

mod opregion;
mod ramfb;

pub use ramfb::Ramfb;

use super::{Domain, PropertySource, RawDevice};
use crate::qemu::property::is_on;
use crate::xml::Element;

/// The driver that supports ramfb.
const NOHOTPLUG: &str = "vfio-pci-nohotplug";

impl<'d> Domain<'d> {
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

    /// The source that turns on a property of the host device of a `-device` argument.
    fn raw_source_of_on(&self, raw: &RawDevice<'d>, name: &str) -> Option<PropertySource<'d>> {
        if !raw.is_vfio() {
            return None;
        }
        let property = self.raw_property(raw, name)?;
        if property.value == "true" { Some(property.source) } else { None }
    }

    /// The vGPU's current or future option ROM, if it draws the firmware's screen by itself:
    /// i915ovmf, which "can replace ramfb" (its README) and shows nothing when ramfb is present
    /// too.
    pub fn drawing_rom(&self) -> Option<String> {
        let from_explicit_setting = || self.settings.explicit.romfile.clone();
        let from_property = || self.effective_property("romfile").map(|property| property.value);
        // Properties that do not reach the vGPU yet.
        let from_unreached_property = || {
            let properties = self.vgpu_properties();
            let set_value = properties.sets.get("romfile").map(|set| set.value);
            set_value
                .or_else(|| properties.overrides.get("romfile").map(|entry| entry.value))
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
