//! Properties that the vGPU must not get, because QEMU already has what they provide from
//! elsewhere.

use crate::domain::{Domain, Ramfb};
use crate::fix::Change;
use crate::qemu::{OptionList, Syntax};

/// The reason why the vGPU must not get ramfb.
pub(super) enum RamfbElsewhere<'d> {
    /// Another device has it.
    Device(Ramfb<'d>),
    /// The vGPU's option ROM draws the firmware's screen.
    Rom(String),
}

/// Whether QEMU already has from elsewhere what this property provides, so that the vGPU must not
/// get it. A device that a fix removes counts until it is gone, because the fix may be withheld.
pub(super) fn is_provided_elsewhere(name: &str, domain: &Domain<'_>) -> bool {
    match name {
        "ramfb" => ramfb_elsewhere(domain).is_some(),
        // The driver is only needed for ramfb.
        "driver" => !domain.has_ramfb() && ramfb_elsewhere(domain).is_some(),
        "x-igd-opregion" => {
            domain.opregion_argument().is_some() || domain.other_opregion().is_some()
        }
        _ => false,
    }
}

/// Returns why the vGPU must not get ramfb, or `None` if it may.
pub(super) fn ramfb_elsewhere<'d>(domain: &Domain<'d>) -> Option<RamfbElsewhere<'d>> {
    let stays = |ramfb: &&Ramfb<'d>| ramfb_to_move(domain, ramfb).is_none();
    let other_device =
        || domain.other_ramfbs().iter().find(stays).cloned().map(RamfbElsewhere::Device);
    domain.drawing_rom().map(RamfbElsewhere::Rom).or_else(other_device)
}

/// Returns the changes that move ramfb from the domain's other vGPUs to the one that shows the
/// picture.
pub(super) fn moved_ramfb<'d>(domain: &Domain<'d>) -> Vec<Change<'d>> {
    domain.other_ramfbs().iter().filter_map(|ramfb| ramfb_to_move(domain, ramfb)).collect()
}

/// Returns the change that turns ramfb off on another GVT-g vGPU, if an attribute turned it on.
fn ramfb_to_move<'d>(domain: &Domain<'d>, ramfb: &Ramfb<'d>) -> Option<Change<'d>> {
    let is_from_attribute = || {
        let is_repeated = domain.own_alias(ramfb.device).is_some_and(|alias| {
            domain.last_set(alias, "ramfb").is_some()
                || domain.last_override(alias, "ramfb").is_some()
        });
        ramfb.device.attribute("ramfb") == Some("on") && !is_repeated
    };
    let can_move = domain.vgpu.is_some() && ramfb.is_vgpu && is_from_attribute();
    if !can_move {
        return None;
    }
    Some(Change::SetAttribute(ramfb.device, "ramfb".into(), "off".into()))
}

/// Returns the changes that turn off ramfb on another device, wherever it is set. Empty for a
/// `<video>`, and for an argument that other options may refer to by its id.
pub(super) fn without_ramfb<'d>(domain: &Domain<'d>, ramfb: &Ramfb<'d>) -> Vec<Change<'d>> {
    const NAME: &str = "ramfb";
    let device = ramfb.device;
    if let Some(set) = ramfb.set {
        return vec![Change::SetValue(set, "off".into())];
    }
    if let Some(option) = ramfb.option {
        return match OptionList::parse(device.attribute("value").unwrap_or(""), Syntax::DEVICE) {
            Ok(list) if list.get("driver") != Some(NAME) => {
                vec![Change::DeviceProperty(device, NAME.into(), "false".into())]
            }
            Ok(list) if list.get("id").is_none() => {
                vec![Change::Remove(option), Change::Remove(device)]
            }
            _ => Vec::new(),
        };
    }
    let attribute =
        device.attribute(NAME).map(|_| Change::SetAttribute(device, NAME.into(), "off".into()));
    let alias = domain.own_alias(device);
    let set = alias
        .and_then(|alias| domain.last_set(alias, NAME))
        .map(|set| Change::SetValue(set, "off".into()));
    let override_change = alias
        .and_then(|alias| domain.last_override(alias, NAME))
        .map(|last| Change::SetAttribute(last.element, "value".into(), "false".into()));
    attribute.into_iter().chain(set).chain(override_change).collect()
}
