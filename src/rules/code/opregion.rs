//! Checks of OpRegions: a guest with two may read the wrong one.

use crate::domain::{EffectiveProperty, PropertySource};
use crate::fix::{Change, deliver};
use crate::rules::Context;
use crate::rules::finding::Finding;

/// Finds a second OpRegion next to the vGPU's `x-igd-opregion`: from a file or from another device.
pub(super) fn duplicate_opregion<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    const NAME: &str = "x-igd-opregion";
    let domain = context.domain;
    let Some(delivered) =
        domain.effective_property(NAME).filter(|delivered| delivered.value == "true")
    else {
        return Vec::new();
    };
    let place = domain.property_span(Some(&delivered));
    if let Some(argument) = domain.opregion_argument() {
        let finding = Finding::at_attribute(context.rule, argument, "value")
            .with_value("what", "from this argument");
        return vec![
            finding
                .related_to(place, "the displayed vGPU's OpRegion")
                .fixed_by(deliver(domain, NAME, "false")),
        ];
    }
    let Some((device, source)) = domain.other_opregion() else { return Vec::new() };
    let change = match source {
        PropertySource::Set(set) => Some(Change::SetValue(set, "off".into())),
        PropertySource::Override(qemu_override) => {
            Some(Change::SetAttribute(qemu_override.element, "value".into(), "false".into()))
        }
        // A -global applies to all devices and cannot be changed for one.
        _ => device
            .is_qemu("arg")
            .then(|| Change::DeviceProperty(device, NAME.into(), "false".into())),
    };
    let what = if domain.vgpus.contains(&device) {
        "from this other vGPU"
    } else {
        "from this other device"
    };
    let other_span =
        domain.property_span(Some(&EffectiveProperty { value: "true".into(), source }));
    let finding = Finding::within(context.rule, device, other_span)
        .with_value("what", what)
        .related_to(place, "the displayed vGPU's OpRegion");
    vec![Finding { changes: change.map(|change| vec![change]), ..finding }]
}

/// Finds an OpRegion from a file or another device next to a vGPU without an explicit
/// `x-igd-opregion`, which newer QEMU releases give an OpRegion by default.
pub(super) fn default_opregion<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    if domain.effective_property("x-igd-opregion").is_some() {
        return Vec::new();
    }
    let from_file = domain.opregion_argument().map(|argument| {
        Finding::at_attribute(context.rule, argument, "value")
            .with_value("what", "this argument already provides an OpRegion")
    });
    let from_device = || {
        let (device, source) = domain.other_opregion()?;
        let place = domain.property_span(Some(&EffectiveProperty { value: "true".into(), source }));
        Some(
            Finding::within(context.rule, device, place)
                .with_value("what", "another device already provides an OpRegion"),
        )
    };
    let Some(finding) = from_file.or_else(from_device) else { return Vec::new() };
    let vgpu = domain.vgpu.or(domain.raw_vgpu).map(|vgpu| vgpu.start_tag().span);
    vec![vgpu.into_iter().fold(finding, |finding, place| finding.related_to(place, "the vGPU"))]
}
