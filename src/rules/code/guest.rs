//! The guest as a whole.

use crate::change::Change;
use crate::domain::Domain;
use crate::rules::Context;
use crate::rules::finding::Finding;
use crate::version::Version;
use crate::xml::Element;

/// A guest that no GVT-g vGPU can serve.
pub(super) fn unsuitable<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    context.domain.unsuitable().map(|(element, what)| Finding::at(element).with_value("what", what)).into_iter().collect()
}

/// A domain of another type than kvm. libvirt refuses TCG's settings in one of type kvm, so they go when the type changes.
pub(super) fn not_kvm<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let domain = context.domain;
    if domain.root.attribute("type") == Some("kvm") {
        return Vec::new();
    }
    let mut changes = vec![Change::SetAttribute(domain.root, "type".into(), "kvm".into())];
    changes.extend(refused_tcg(domain).into_iter().map(Change::Remove));
    vec![Finding::at_attribute(domain.root, "type").fixed_by(changes)]
}

/// TCG's settings in a domain of type kvm.
pub(super) fn tcg_features<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let domain = context.domain;
    if domain.root.attribute("type") != Some("kvm") {
        return Vec::new();
    }
    refused_tcg(domain).into_iter().map(|tcg| Finding::at(tcg).fixed_by(vec![Change::Remove(tcg)])).collect()
}

/// The `<tcg>` that libvirt refuses in a domain of type kvm: one with settings, and before 8.0, which does not know it, any
/// (libvirt: src/qemu/qemu_validate.c `qemuValidateDomainDefTCGFeatures`).
fn refused_tcg<'d>(domain: &Domain<'d>) -> Vec<Element<'d>> {
    let is_unknown = domain.settings.libvirt < Version::new(8, 0, 0);
    let features = domain.children.named(domain.root, "features").filter(|features| features.is("features"));
    let all = features.flat_map(|features| domain.named(features, "tcg"));
    all.filter(|tcg| is_unknown || tcg.child("tb-cache").is_some()).collect()
}

/// What libvirt itself allows QEMU to lock for a guest with a mediated device, beyond the guest's memory
/// (libvirt: src/qemu/qemu_domain.c `qemuDomainGetMemLockLimitBytes`).
const VFIO_OVERHEAD: u128 = 1 << 30;

/// A hard limit below what QEMU has to lock for the vGPU.
pub(super) fn low_memory_limit<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let domain = context.domain;
    let limit = domain.child("memtune").and_then(|memtune| memtune.child("hard_limit"));
    let (Some(limit), Some(memory)) = (limit, domain.child("memory")) else { return Vec::new() };
    match (bytes(limit), bytes(memory)) {
        (Some(most), Some(guest)) if most < guest + VFIO_OVERHEAD => {
            let found = format!("{} MiB", most >> 20);
            let other = format!("{} MiB", (guest + VFIO_OVERHEAD) >> 20);
            vec![Finding::at(limit).with_value("found", found).with_value("other", other)]
        }
        _ => Vec::new(),
    }
}

/// A machine of the old chipset.
pub(super) fn i440fx<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let system = context.domain.child("os").and_then(|os| os.child("type"));
    let is_i440fx =
        |machine: &str| machine == "pc" || machine.starts_with("pc-i440fx") || machine.starts_with("pc-0.") || machine.starts_with("pc-1.");
    system.filter(|system| system.attribute("machine").is_some_and(is_i440fx)).map(Finding::at).into_iter().collect()
}

/// A size with its unit; KiB by default (libvirt: docs/formatdomain.rst, memory).
fn bytes(element: Element<'_>) -> Option<u128> {
    let number: u128 = element.text().trim().parse().ok()?;
    let unit: u128 = match element.attribute("unit").unwrap_or("KiB") {
        "b" | "bytes" => 1,
        "KB" => 1000,
        "k" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        "TB" => 1_000_000_000_000,
        "T" | "TiB" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(unit)
}
