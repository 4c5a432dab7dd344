//! Whether this is a machine that can have vGPUs at all.

use super::{Asked, Verdict};
use crate::host::Reading;

pub(super) fn no_machine(asked: Asked<'_>) -> Verdict {
    let machine = &asked.host.machine;
    let missing: Vec<&str> =
        [("/proc", machine.has_proc), ("/sys", machine.has_sys)].iter().filter(|(_, has)| !has).map(|(path, _)| *path).collect();
    if missing.is_empty() {
        return Verdict::fine(["/proc", "/sys"], vec![]);
    }
    Verdict::wrong(["/proc", "/sys"], vec![("what", missing.join(" and "))])
}

pub(super) fn in_guest(asked: Asked<'_>) -> Verdict {
    match &asked.host.machine.guest {
        Some((path, words)) => Verdict::wrong([*path], vec![("found", words.clone()), ("path", (*path).to_owned())]),
        None if asked.host.machine.flags == Reading::Absent => Verdict::skipped(),
        None => Verdict::fine(["/proc/cpuinfo", "/sys/class/dmi/id"], vec![]),
    }
}

pub(super) fn in_container(asked: Asked<'_>) -> Verdict {
    match &asked.host.machine.container {
        Some((path, whose)) => Verdict::wrong([*path], vec![("found", whose.clone()), ("path", (*path).to_owned())]),
        None => Verdict::fine(["/run/systemd/container", "/.dockerenv", "/run/.containerenv"], vec![]),
    }
}

pub(super) fn no_kvm(asked: Asked<'_>) -> Verdict {
    let (machine, kernel) = (&asked.host.machine, &asked.host.kernel);
    if asked.able().is_none() {
        return Verdict::skipped();
    }
    let read = ["/dev/kvm", "/proc/cpuinfo", "/sys/module/kvm_intel"];
    let wrong = |what: &str, how: &str| Verdict::wrong(read, vec![("what", what.to_owned()), ("how", how.to_owned())]);
    if machine.has_kvm {
        return Verdict::fine(read, vec![]);
    }
    if machine.has_flag("vmx") == Some(false) {
        return wrong("the processor does not report vmx", "turn on Intel's virtualization (VT-x) in the firmware settings");
    }
    match kernel.is_loaded("kvm_intel") {
        Some(false) => wrong(
            "the module kvm_intel is not loaded",
            "load it: `sudo modprobe kvm_intel`; if that fails, see why: `sudo dmesg | grep kvm`",
        ),
        Some(true) if machine.has_dev => {
            wrong("/dev/kvm is missing", "reload the module: `sudo modprobe -r kvm_intel && sudo modprobe kvm_intel`")
        }
        Some(true) => Verdict::fine(read, vec![]),
        None => Verdict::unknown(read, "neither /dev nor /sys/module exists"),
    }
}
