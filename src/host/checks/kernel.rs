//! The kernel: GVT-g switched on, nothing in its way, and its modules loaded.

use super::{Asked, Verdict};
use crate::host::kernel::{Parameter, is_on};

/// Whether GuC submission is asked for: bit 0 of `enable_guc`; -1 leaves it off on all GPUs that have GVT-g.
pub(super) fn has_guc_submission(asked: Asked<'_>) -> bool {
    let value = asked.host.kernel.enable_guc.value().and_then(|value| value.parse::<i64>().ok());
    value.is_some_and(|value| value > 0 && value & 1 == 1)
}

pub(super) fn guc_submission(asked: Asked<'_>) -> Verdict {
    let parameter = &asked.host.kernel.enable_guc;
    if asked.able().is_none() {
        return Verdict::skipped();
    }
    if asked.is_on() || !has_guc_submission(asked) {
        return Verdict::fine(parameter.read(), vec![]);
    }
    let found = format!("enable_guc={}", parameter.value().unwrap_or_default());
    Verdict::wrong(parameter.read(), vec![("found", found), ("path", told_at(parameter))])
}

/// Where a parameter is said, for people.
fn told_at(parameter: &Parameter) -> String {
    match (&parameter.line, &parameter.option) {
        (Some(_), _) => "the kernel's command line".to_owned(),
        (None, Some((_, path))) => path.clone(),
        (None, None) => "where it is set".to_owned(),
    }
}

pub(super) fn gvt_not_enabled(asked: Asked<'_>) -> Verdict {
    let parameter = &asked.host.kernel.enable_gvt;
    if asked.able().is_none() {
        return Verdict::skipped();
    }
    let read = parameter.read();
    if asked.is_on() || parameter.is_on() == Some(true) {
        return Verdict::fine(read, vec![]);
    }
    if parameter.value().is_none() && asked.host.kernel.line.as_found().is_none() {
        return Verdict::unknown(read, "the kernel's command line can't be read");
    }
    let told = parameter.line.as_ref().or(parameter.option.as_ref().map(|(value, _)| value));
    let is_told = told.is_some_and(|value| is_on(value));
    // i915 itself switches it off then, and that has been said.
    if is_told && has_guc_submission(asked) {
        return Verdict::skipped();
    }
    let what = match told {
        Some(_) if is_told => format!("{} says so, and the running kernel has it off", told_at(parameter)),
        Some(value) => format!("{} says enable_gvt={value}", told_at(parameter)),
        None => "nothing says so".to_owned(),
    };
    let how = match &parameter.line {
        Some(_) if is_told => "see why i915 has switched it off: sudo dmesg | grep -i gvt",
        None if is_told => {
            "write the initramfs anew, which holds i915's options (sudo update-initramfs -u, or sudo dracut -f, or sudo mkinitcpio -P), and \
             restart the machine"
        }
        _ => "add what `gvtg-xml emit cmdline` prints to the kernel's command line, and restart the machine",
    };
    Verdict::wrong(read, vec![("what", what), ("how", how.to_owned())])
}

/// Whether all that GVT-g needs of the kernel is there, as far as it can be told.
pub(super) fn is_ready(asked: Asked<'_>) -> bool {
    let kernel = &asked.host.kernel;
    let has_driver = asked.card().is_some_and(|card| card.driver.as_found().is_some_and(|driver| driver == "i915"));
    let is_loaded = kernel.is_loaded("kvmgt") == Some(true);
    has_driver && is_loaded && kernel.enable_gvt.is_on() == Some(true) && !has_guc_submission(asked)
}

pub(super) fn without_kvmgt(asked: Asked<'_>) -> Verdict {
    let kernel = &asked.host.kernel;
    if asked.able().is_none() {
        return Verdict::skipped();
    }
    let release = kernel.release.as_found().map_or("RELEASE", String::as_str);
    let read = [format!("/lib/modules/{release}/modules.dep"), format!("/lib/modules/{release}/modules.builtin")];
    match kernel.has_module("kvmgt") {
        _ if asked.is_on() || kernel.is_loaded("kvmgt") == Some(true) => Verdict::fine(read, vec![]),
        Some(true) => Verdict::fine(read, vec![]),
        Some(false) => Verdict::wrong(read, vec![("found", release.to_owned())]),
        None => Verdict::unknown(read, "there is no list of the running kernel's modules"),
    }
}

pub(super) fn kvmgt_not_loaded(asked: Asked<'_>) -> Verdict {
    let kernel = &asked.host.kernel;
    let read = ["/sys/module/kvmgt"];
    if asked.able().is_none() || kernel.has_module("kvmgt") == Some(false) {
        return Verdict::skipped();
    }
    match kernel.is_loaded("kvmgt") {
        _ if asked.is_on() => Verdict::fine(read, vec![]),
        Some(true) => Verdict::fine(read, vec![]),
        Some(false) if super::hook::that_loads_kvmgt(asked).is_some() => {
            Verdict::unknown(read, "kvmgt is loaded by the hook, when a VM starts; sudo modprobe kvmgt tells now whether it can be")
        }
        Some(false) => Verdict::wrong(read, vec![]),
        None => Verdict::unknown(read, "/sys/module is not there"),
    }
}

pub(super) fn vfio_not_loaded(asked: Asked<'_>) -> Verdict {
    let (machine, kernel) = (&asked.host.machine, &asked.host.kernel);
    let read = ["/sys/module/vfio", "/sys/module/vfio_iommu_type1", "/dev/vfio/vfio"];
    // kvmgt brings vfio along.
    if asked.able().is_none() || (!asked.is_on() && kernel.is_loaded("kvmgt") != Some(true)) {
        return Verdict::skipped();
    }
    let mut missing: Vec<&str> = Vec::new();
    for (module, name) in [("vfio", "the module vfio"), ("vfio_iommu_type1", "the module vfio_iommu_type1")] {
        if kernel.is_loaded(module) == Some(false) {
            missing.push(name);
        }
    }
    if machine.has_dev && !machine.has_vfio {
        missing.push("/dev/vfio/vfio");
    }
    if missing.is_empty() {
        return Verdict::fine(read, vec![]);
    }
    Verdict::wrong(read, vec![("what", missing.join(" and "))])
}

pub(super) fn msrs_not_ignored(asked: Asked<'_>) -> Verdict {
    let parameter = &asked.host.kernel.ignore_msrs;
    if asked.able().is_none() {
        return Verdict::skipped();
    }
    match parameter.is_on() {
        Some(true) => Verdict::fine(parameter.read(), vec![]),
        None if asked.host.kernel.line.as_found().is_none() => {
            Verdict::unknown(parameter.read(), "neither kvm's parameters nor the kernel's command line can be read")
        }
        _ => Verdict::wrong(parameter.read(), vec![("path", parameter.path.clone())]),
    }
}
