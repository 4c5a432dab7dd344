//! Checks of ramfb, which shows the firmware: only one device can have it.

use crate::domain::Ramfb;
use crate::fix::{Change, deliver};
use crate::rules::Context;
use crate::rules::finding::Finding;
use crate::rules::other_sources::{self, RamfbElsewhere, without_ramfb};
use crate::rules::risk::Risk;
use crate::xml::Element;

/// Finds further devices with ramfb; libvirt and QEMU accept only one.
pub(super) fn second_ramfb<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let has_ramfb = domain.has_ramfb();
    let first_ramfb =
        || domain.other_ramfbs().first().map(|ramfb| (ramfb.place.clone(), "the first ramfb"));
    let displayed_vgpu = domain
        .vgpu
        .or(domain.raw_vgpu)
        .filter(|_| has_ramfb)
        .map(|vgpu| (vgpu.start_tag().span, "the vGPU that shows the picture"));
    let Some((place, note)) = displayed_vgpu.or_else(first_ramfb) else { return Vec::new() };
    // Another rule reports a <video> next to a vGPU with ramfb.
    let others = domain
        .other_ramfbs()
        .iter()
        .skip(usize::from(!has_ramfb))
        .filter(|ramfb| !(has_ramfb && ramfb.device.is("video")));
    let finding = |ramfb: &Ramfb<'d>| {
        let finding = Finding::within(context.rule, ramfb.device, ramfb.place.clone())
            .related_to(place.clone(), note);
        // With ramfb only on two other devices, the user must decide which one keeps it.
        let changes = if has_ramfb { without_ramfb(domain, ramfb) } else { Vec::new() };
        if changes.is_empty() {
            return finding;
        }
        // A ramfb device or another vGPU's ramfb only shows the firmware, which the displayed vGPU
        // does as well.
        let is_replaced = ramfb.is_vgpu || matches!(changes[..], [Change::Remove(_), ..]);
        Finding {
            risk: (!is_replaced).then_some(Risk::FirmwareScreen),
            ..finding.fixed_by(changes)
        }
    };
    others.map(finding).collect()
}

/// Finds a `<video>` that provides the VM's only ramfb. The fix gives ramfb to the vGPU.
pub(super) fn stray_ramfb<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let others = domain.other_ramfbs();
    let gets_ramfb = domain.has_vgpu() && others.len() == 1 && domain.drawing_rom().is_none();
    let finding = |video: Element<'d>| {
        let mut changes = vec![Change::Remove(video)];
        if gets_ramfb {
            changes.extend(deliver(domain, "ramfb", "true"));
        }
        let what = if changes.len() > 1 { " and give ramfb to the vGPU" } else { "" };
        Finding::at(context.rule, video).with_value("what", what).fixed_by(changes)
    };
    others
        .iter()
        .filter(|ramfb| ramfb.device.is("video"))
        .map(|ramfb| finding(ramfb.device))
        .collect()
}

/// Finds a vGPU that cannot have ramfb because another device has it, or because its option ROM
/// draws the firmware's screen.
pub(super) fn ramfb_elsewhere<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    if domain.has_ramfb()
        || !domain.has_vgpu() && (domain.has_igpu() || domain.is_served_by_sriov())
    {
        return Vec::new();
    }
    let vgpu = domain.vgpu.or(domain.raw_vgpu);
    let finding = match other_sources::ramfb_elsewhere(domain) {
        None => return Vec::new(),
        // A <video> that a fix removes is a separate finding.
        Some(RamfbElsewhere::Device(ramfb))
            if ramfb.device.is("video")
                && !domain.settings.keep_video
                && !domain.is_shown_by_graphics() =>
        {
            return Vec::new();
        }
        Some(RamfbElsewhere::Device(ramfb)) => {
            let (device, instead) = match ramfb.device.name() {
                "video" => ("this <video> already provides it", "remove this <video>"),
                "arg" => ("this argument already provides it", "remove this QEMU argument"),
                _ => ("this device already has it", "set ramfb='off' here"),
            };
            Finding::within(context.rule, ramfb.device, ramfb.place)
                .with_value("what", format!("{device}, and a VM can have only one"))
                .with_value(
                    "other",
                    format!(
                        "{instead} to see the firmware and the boot loader on the vGPU instead"
                    ),
                )
        }
        Some(RamfbElsewhere::Rom(file)) => {
            let place = vgpu.or(domain.devices).unwrap_or(domain.root);
            Finding::within(context.rule, place, place.start_tag().span)
                .with_value(
                    "what",
                    format!("its option ROM {file} already draws the firmware's screen, and does not work together with ramfb"),
                )
                .with_value("other", "leave ramfb off as long as the vGPU has this option ROM")
        }
    };
    let place =
        vgpu.filter(|vgpu| Some(*vgpu) != finding.element).map(|vgpu| vgpu.start_tag().span);
    vec![
        place
            .into_iter()
            .fold(finding, |finding, place| finding.related_to(place, "the vGPU without ramfb")),
    ]
}

/// Finds a vGPU with both ramfb and an option ROM that draws the firmware's screen.
pub(super) fn two_firmware_screens<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let (true, Some(vgpu), Some(file)) =
        (domain.has_ramfb(), domain.vgpu.or(domain.raw_vgpu), domain.drawing_rom())
    else {
        return Vec::new();
    };
    vec![Finding::at_attribute(context.rule, vgpu, "ramfb").with_value("found", file)]
}
