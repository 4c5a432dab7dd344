//! The guest as a whole.

use crate::rules::Context;
use crate::rules::finding::Finding;
use crate::xml::Element;

/// A guest that no GVT-g vGPU can serve.
pub(super) fn unsuitable<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    context.domain.unsuitable().map(|(element, what)| Finding::at(element).with_value("what", what)).into_iter().collect()
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
