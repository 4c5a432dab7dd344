//! Checks whether the machine can have vGPUs at all.

use super::{CheckContext, CheckResult};
use crate::host::Probe;

pub(super) fn no_machine(context: CheckContext<'_>) -> CheckResult {
    let machine = &context.host.machine;
    let missing: Vec<&str> = [("/proc", machine.has_proc), ("/sys", machine.has_sys)]
        .iter()
        .filter(|(_, has)| !has)
        .map(|(path, _)| *path)
        .collect();
    if missing.is_empty() {
        return CheckResult::passed(["/proc", "/sys"], vec![]);
    }
    CheckResult::failed(["/proc", "/sys"], vec![("what", missing.join(" and "))])
}

pub(super) fn in_guest(context: CheckContext<'_>) -> CheckResult {
    match &context.host.machine.guest {
        Some((path, words)) => CheckResult::failed(
            [*path],
            vec![("found", words.clone()), ("path", (*path).to_owned())],
        ),
        None if context.host.machine.flags == Probe::Absent => CheckResult::skipped(),
        None => CheckResult::passed(["/proc/cpuinfo", "/sys/class/dmi/id"], vec![]),
    }
}

pub(super) fn in_container(context: CheckContext<'_>) -> CheckResult {
    match &context.host.machine.container {
        Some((path, manager)) => CheckResult::failed(
            [*path],
            vec![("found", manager.clone()), ("path", (*path).to_owned())],
        ),
        None => CheckResult::passed(
            ["/run/systemd/container", "/.dockerenv", "/run/.containerenv"],
            vec![],
        ),
    }
}

pub(super) fn no_kvm(context: CheckContext<'_>) -> CheckResult {
    let (machine, kernel) = (&context.host.machine, &context.host.kernel);
    if context.supported_card().is_none() {
        return CheckResult::skipped();
    }
    let files_read = ["/dev/kvm", "/proc/cpuinfo", "/sys/module/kvm_intel"];
    let failed = |what: &str, how: &str| {
        CheckResult::failed(files_read, vec![("what", what.to_owned()), ("how", how.to_owned())])
    };
    if machine.has_kvm {
        return CheckResult::passed(files_read, vec![]);
    }
    if machine.has_flag("vmx") == Some(false) {
        return failed(
            "the processor does not report vmx",
            "turn on Intel's virtualization (VT-x) in the firmware settings",
        );
    }
    match kernel.is_loaded("kvm_intel") {
        Some(false) => failed(
            "the module kvm_intel is not loaded",
            "load it: `sudo modprobe kvm_intel`; if that fails, see why: `sudo dmesg | grep kvm`",
        ),
        Some(true) if machine.has_dev => failed(
            "/dev/kvm is missing",
            "reload the module: `sudo modprobe -r kvm_intel && sudo modprobe kvm_intel`",
        ),
        Some(true) => CheckResult::passed(files_read, vec![]),
        None => CheckResult::unknown(files_read, "neither /dev nor /sys/module exists"),
    }
}
