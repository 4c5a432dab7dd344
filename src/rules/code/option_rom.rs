//! Checks of the vGPU's option ROM, with which a UEFI guest shows its firmware.

use crate::fix::{Change, deliver};
use crate::qemu::property::PropertyType::Unsigned;
use crate::qemu::property::to_override;
use crate::rules::Context;
use crate::rules::finding::Finding;

/// Finds the `<rom>` of a mediated device, which libvirt does not pass on to QEMU.
pub(super) fn rom_element<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let mut findings = Vec::new();
    for vgpu in &domain.vgpus {
        let mut roms = vgpu.children().filter(|child| child.is("rom"));
        let Some(rom) = roms.next() else { continue };
        // libvirt reads the first <rom>.
        findings.extend(
            roms.map(|other| {
                Finding::at(context.rule, other).fixed_by(vec![Change::Remove(other)])
            }),
        );
        let finding = Finding::at(context.rule, rom);
        if domain.vgpu != Some(*vgpu) {
            findings.push(finding);
            continue;
        }
        let mut changes = vec![Change::Remove(rom)];
        if let Some(file) = rom.attribute("file")
            && domain.effective_property("romfile").is_none()
        {
            changes.extend(deliver(domain, "romfile", file));
        }
        let bar = rom
            .attribute("bar")
            .and_then(|bar| to_override(Unsigned, if bar == "off" { "0" } else { "1" }));
        if let Some(bar) = bar
            && domain.effective_property("rombar").is_none()
        {
            changes.extend(deliver(domain, "rombar", &bar));
        }
        let is_convertible = rom.attribute_names().all(|name| matches!(name, "file" | "bar"));
        findings.push(if is_convertible { finding.fixed_by(changes) } else { finding });
    }
    findings
}

/// Finds a UEFI guest whose vGPU has no option ROM, or a vGPU without the requested one.
pub(super) fn option_rom<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let requested = domain.settings.explicit.romfile.as_deref();
    let delivered = domain.effective_property("romfile");
    let os = domain.child("os");
    let is_uefi = os.is_some_and(|os| {
        os.attribute("firmware") == Some("efi")
            || os.child("loader").is_some_and(|loader| loader.attribute("type") == Some("pflash"))
    });
    if !is_uefi && requested.is_none() {
        return Vec::new();
    }
    let is_right = delivered
        .as_ref()
        .is_some_and(|delivered| requested.is_none_or(|requested| requested == delivered.value));
    // A <rom file> is a separate finding, whose fix sets the file.
    let is_named_by_rom_element = domain
        .vgpu
        .is_some_and(|vgpu| vgpu.child("rom").is_some_and(|rom| rom.attribute("file").is_some()));
    if is_right
        || domain.is_handled_by_other_rule("romfile")
        || (is_named_by_rom_element && requested.is_none())
    {
        return Vec::new();
    }
    let place = domain.vgpu.or(domain.raw_vgpu).unwrap_or(domain.root);
    let finding = Finding::within(context.rule, place, domain.property_span(delivered.as_ref()));
    vec![match domain.settings.romfile() {
        Some(file) => finding.fixed_by(deliver(domain, "romfile", file)),
        None => finding,
    }]
}
