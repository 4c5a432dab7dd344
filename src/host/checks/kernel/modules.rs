//! Checks whether the kernel has the modules of GVT-g, and has loaded them.

use super::super::{CheckContext, CheckResult, HELP, hook};
use super::{SETUP_STEPS, guc_at_next_boot, is_enabled, pending_reboot, unknown_state};

pub(in crate::host::checks) fn without_kvmgt(context: CheckContext<'_>) -> CheckResult {
    let kernel = &context.host.kernel;
    if context.supported_card().is_none() {
        return CheckResult::skipped();
    }
    let release = kernel.release.as_present().map_or("RELEASE", String::as_str);
    let files_read = [
        format!("/lib/modules/{release}/modules.dep"),
        format!("/lib/modules/{release}/modules.builtin"),
    ];
    match kernel.has_module("kvmgt") {
        _ if context.is_gvt_on() || kernel.is_loaded("kvmgt") == Some(true) => {
            CheckResult::passed(files_read, vec![])
        }
        Some(true) => CheckResult::passed(files_read, vec![]),
        Some(false) => CheckResult::failed(files_read, vec![("found", release.to_owned())]),
        None => {
            CheckResult::unknown(files_read, "the list of the running kernel's modules is missing")
        }
    }
}

pub(in crate::host::checks) fn kvmgt_not_loaded(context: CheckContext<'_>) -> CheckResult {
    let kernel = &context.host.kernel;
    let files_read = ["/sys/module/kvmgt"];
    if context.supported_card().is_none() || kernel.has_module("kvmgt") == Some(false) {
        return CheckResult::skipped();
    }
    match kernel.is_loaded("kvmgt") {
        _ if context.is_gvt_on() => CheckResult::passed(files_read, vec![]),
        Some(true) => CheckResult::passed(files_read, vec![]),
        // Until the reboot, loading it fails ("No such device").
        Some(false) if pending_reboot(context).is_some() || guc_at_next_boot(context).is_some() => {
            CheckResult::skipped()
        }
        Some(false) if hook::hook_that_loads_kvmgt(context).is_some() => CheckResult::unknown(
            files_read,
            "the hook loads kvmgt when a VM starts; to see now whether that works, run `sudo modprobe kvmgt`",
        ),
        Some(false) if unknown_state(context).is_some() => CheckResult::unknown(
            files_read,
            "kvmgt is not loaded, and only root can see whether GVT-g is on: run `sudo gvtg-xml host`",
        ),
        // While GVT-g is off, modprobe says "No such device".
        Some(false) if is_enabled(context) != Some(true) => {
            CheckResult::failed(files_read, vec![(HELP, SETUP_STEPS.to_owned())])
        }
        Some(false) => CheckResult::failed(files_read, vec![]),
        None => CheckResult::unknown(files_read, "/sys/module does not exist"),
    }
}

pub(in crate::host::checks) fn vfio_not_loaded(context: CheckContext<'_>) -> CheckResult {
    let (machine, kernel) = (&context.host.machine, &context.host.kernel);
    let files_read = ["/sys/module/vfio", "/sys/module/vfio_iommu_type1", "/dev/vfio/vfio"];
    // Loading kvmgt loads vfio, too.
    if context.supported_card().is_none()
        || (!context.is_gvt_on() && kernel.is_loaded("kvmgt") != Some(true))
    {
        return CheckResult::skipped();
    }
    let mut missing: Vec<&str> = Vec::new();
    for (module, name) in
        [("vfio", "the module vfio"), ("vfio_iommu_type1", "the module vfio_iommu_type1")]
    {
        if kernel.is_loaded(module) == Some(false) {
            missing.push(name);
        }
    }
    if machine.has_dev && !machine.has_vfio {
        missing.push("/dev/vfio/vfio");
    }
    if missing.is_empty() {
        return CheckResult::passed(files_read, vec![]);
    }
    CheckResult::failed(files_read, vec![("what", missing.join(" and "))])
}
