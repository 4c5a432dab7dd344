//! The kernel: GVT-g switched on, nothing in its way, and its modules loaded.

use super::{Asked, HELP, Verdict};
use crate::emit::shell::{list, word};
use crate::host::boot::Renewal;
use crate::host::kernel::{Next, Parameter, is_on};

/// The commands that prepare a host, in the same words as in README.md, `fix` and the help.
pub const NEXT: &str =
    "virsh dumpxml --inactive NAME | sudo gvtg-xml emit all --root /, then what it prints (initramfs, reboot), then sudo gvtg-xml host";

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

/// What turns GVT-g on at the next start if it is off now; None if that would not help.
fn waits_for_reboot(asked: Asked<'_>) -> Option<Next> {
    let kernel = &asked.host.kernel;
    if asked.able().is_none() || asked.is_on() || has_guc_submission(asked) || kernel.has_module("kvmgt") == Some(false) {
        return None;
    }
    let reads_options = !has_i915_built_in(asked);
    kernel.enable_gvt.pending().filter(|next| reads_options || next.renewal != Renewal::Initramfs)
}

/// Whether i915 is a part of the kernel: then its parameters come from the kernel's command line alone.
fn has_i915_built_in(asked: Asked<'_>) -> bool {
    asked.host.kernel.built_in.iter().any(|name| name == "i915")
}

pub(super) fn reboot_pending(asked: Asked<'_>) -> Verdict {
    let kernel = &asked.host.kernel;
    let Some(next) = waits_for_reboot(asked) else { return Verdict::skipped() };
    let mut what = vec!["i915.enable_gvt=1".to_owned()];
    what.extend(kernel.ignore_msrs.pending().map(|_| "kvm.ignore_msrs=1".to_owned()));
    let renewal = match next.renewal {
        Renewal::None => None,
        Renewal::Grub => Some("sudo update-grub (elsewhere sudo grub-mkconfig -o /boot/grub/grub.cfg)"),
        Renewal::Entries => Some("sudo kernel-install add-all (on Proxmox VE sudo proxmox-boot-tool refresh)"),
        Renewal::Initramfs => Some(asked.host.system.renewal()),
    };
    let how =
        renewal.map_or("reboot".to_owned(), |renewal| format!("{renewal}, if you have not done so since it was written; then reboot"));
    let mut read = kernel.enable_gvt.read();
    read.dedup();
    Verdict::wrong(read, vec![("path", word(&next.path)), ("what", list(&what)), ("how", how)])
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
    // Another finding says so already, or no parameter helps.
    if waits_for_reboot(asked).is_some() || asked.host.kernel.has_module("kvmgt") == Some(false) {
        return Verdict::skipped();
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
    // What `emit all` writes without a bootloader is options of modules.
    let next = if has_i915_built_in(asked) {
        NEXT.replacen("--root /", "--root / --bootloader grub (or kernel-install, systemd-boot: i915 is built into this kernel)", 1)
    } else {
        NEXT.to_owned()
    };
    let how = match told {
        Some(_) if is_told && parameter.line.is_none() => next,
        Some(_) if is_told => "see why i915 has switched it off: sudo dmesg | grep -i gvt".to_owned(),
        // The command line takes precedence over options of modules, and among files of those the last one by name does.
        Some(value) => format!("remove enable_gvt={value} from {}; then {next}", told_at(parameter)),
        None => next,
    };
    Verdict::wrong(read, vec![("what", what), ("how", how)])
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
        // Before the reboot it can't be loaded ("No such device").
        Some(false) if waits_for_reboot(asked).is_some() => Verdict::skipped(),
        Some(false) if super::hook::that_loads_kvmgt(asked).is_some() => {
            Verdict::unknown(read, "kvmgt is loaded by the hook, when a VM starts; sudo modprobe kvmgt tells now whether it can be")
        }
        // While GVT-g is off, modprobe says "No such device".
        Some(false) if kernel.enable_gvt.is_on() != Some(true) => Verdict::wrong(read, vec![(HELP, NEXT.to_owned())]),
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
        // The rule reboot-pending names it.
        _ if waits_for_reboot(asked).is_some() && parameter.pending().is_some() => Verdict::skipped(),
        _ => {
            let mut values = vec![("path", parameter.path.clone())];
            values.extend(parameter.pending().map(|next| {
                let help = format!("for now: echo 1 | sudo tee {}; from the next boot on, {} sets it", parameter.path, word(&next.path));
                (HELP, help)
            }));
            Verdict::wrong(parameter.read(), values)
        }
    }
}
