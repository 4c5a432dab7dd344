//! Checks of the domain as a whole.

use crate::domain::Domain;
use crate::fix::Change;
use crate::rules::Context;
use crate::rules::finding::Finding;
use crate::version::Version;
use crate::xml::Element;

/// Finds a guest that cannot have a GVT-g vGPU.
pub(super) fn unsuitable<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    context
        .domain
        .unsuitable()
        .map(|(element, what)| Finding::at(context.rule, element).with_value("what", what))
        .into_iter()
        .collect()
}

/// Finds a domain type other than `kvm`. libvirt refuses TCG settings in a `kvm` domain, so the fix
/// removes them as well.
pub(super) fn not_kvm<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    if domain.root.attribute("type") == Some("kvm") {
        return Vec::new();
    }
    let mut changes = vec![Change::SetAttribute(domain.root, "type".into(), "kvm".into())];
    changes.extend(refused_tcg(domain).into_iter().map(Change::Remove));
    vec![Finding::at_attribute(context.rule, domain.root, "type").fixed_by(changes)]
}

/// Finds TCG settings in a domain of type `kvm`.
pub(super) fn tcg_features<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    if domain.root.attribute("type") != Some("kvm") {
        return Vec::new();
    }
    refused_tcg(domain)
        .into_iter()
        .map(|tcg| Finding::at(context.rule, tcg).fixed_by(vec![Change::Remove(tcg)]))
        .collect()
}

/// Returns the `<tcg>` elements that libvirt refuses in a `kvm` domain: those with settings, and
/// before 8.0, which does not know `<tcg>`, all (libvirt: src/qemu/qemu_validate.c
/// `qemuValidateDomainDefTCGFeatures`).
fn refused_tcg<'d>(domain: &Domain<'d>) -> Vec<Element<'d>> {
    let is_unknown = domain.settings.libvirt < Version::new(8, 0, 0);
    let features =
        domain.children.named(domain.root, "features").filter(|features| features.is("features"));
    let tcg_elements = features.flat_map(|features| domain.children_named(features, "tcg"));
    tcg_elements.filter(|tcg| is_unknown || tcg.child("tb-cache").is_some()).collect()
}

/// Finds a hard limit below the guest's memory, all of which QEMU may have to lock for the vGPU.
pub(super) fn low_memory_limit<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let limit = domain.child("memtune").and_then(|memtune| memtune.child("hard_limit"));
    let Some(limit) = limit else { return Vec::new() };
    match (bytes(limit), guest_memory(domain)) {
        // 0 means no limit.
        (Some(limit_bytes @ 1..), Some(guest_bytes)) if limit_bytes < guest_bytes => {
            vec![
                Finding::at(context.rule, limit)
                    .with_value("found", shown_size(limit_bytes))
                    .with_value("other", shown_size(guest_bytes)),
            ]
        }
        _ => Vec::new(),
    }
}

/// Returns the guest's memory in bytes. With NUMA cells it is the sum of the cells and the memory
/// devices, and `<memory>` is ignored (libvirt: src/conf/domain_postparse.c
/// `virDomainDefPostParseMemory`).
fn guest_memory(domain: &Domain<'_>) -> Option<u128> {
    let numa = domain.child("cpu").and_then(|cpu| cpu.child("numa"));
    let cells: Vec<Element<'_>> =
        numa.map_or(Vec::new(), |numa| numa.children().filter(|cell| cell.is("cell")).collect());
    if cells.is_empty() {
        return domain.child("memory").and_then(bytes);
    }
    let cell_size = |cell: Element<'_>| size(cell.attribute("memory")?, cell.attribute("unit"));
    let device_size = |memory: Element<'_>| bytes(memory.child("target")?.child("size")?);
    let devices = domain.devices_named("memory").into_iter().map(device_size);
    cells
        .into_iter()
        .map(cell_size)
        .chain(devices)
        .try_fold(0, |sum: u128, size| sum.checked_add(size?))
}

/// Formats a size given in bytes: in MiB, or in bytes if it is not a whole number of MiB.
fn shown_size(bytes: u128) -> String {
    if bytes.trailing_zeros() >= 20 {
        format!("{} MiB", bytes >> 20)
    } else {
        format!("{bytes} bytes")
    }
}

/// Finds a machine type with the old i440FX chipset.
pub(super) fn i440fx<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let system = context.domain.child("os").and_then(|os| os.child("type"));
    let is_i440fx = |machine: &str| {
        machine == "pc"
            || machine.starts_with("pc-i440fx")
            || machine.starts_with("pc-0.")
            || machine.starts_with("pc-1.")
    };
    system
        .filter(|system| system.attribute("machine").is_some_and(is_i440fx))
        .map(|element| Finding::at(context.rule, element))
        .into_iter()
        .collect()
}

/// Returns the size in an element in bytes, with the unit from its `unit` attribute.
fn bytes(element: Element<'_>) -> Option<u128> {
    size(&element.text(), element.attribute("unit"))
}

/// Returns a size in bytes. Units are case-insensitive; the default is KiB (libvirt:
/// src/util/virutil.c `virScaleInteger`).
fn size(number: &str, unit: Option<&str>) -> Option<u128> {
    let number: u128 = number.trim().parse().ok()?;
    let unit = unit.unwrap_or("KiB").to_ascii_lowercase();
    let (base, power): (u128, u32) = match unit.as_str() {
        "b" | "byte" | "bytes" => (1, 0),
        _ => {
            let (letter, rest) = unit.split_at_checked(1)?;
            let base = match rest {
                "" | "ib" => 1024,
                "b" => 1000,
                _ => return None,
            };
            (base, 1 + u32::try_from("kmgtpe".find(letter)?).ok()?)
        }
    };
    number.checked_mul(base.pow(power))
}
