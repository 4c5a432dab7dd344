//! The kernel: GVT-g switched on, nothing in its way, and its modules loaded.

use super::{CheckContext, CheckResult, HELP};
use crate::emit::shell::{list, word};
use crate::host::Probe;
use crate::host::boot::Renewal;
use crate::host::kernel::{Next, Parameter, is_on};
use crate::host::system::System;

/// The commands that prepare a host, in the same words as in README.md, `fix` and the help.
pub const NEXT: &str = "run `virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /`, follow the steps that it prints (initramfs, reboot), then run `sudo gvtg-xml host`";

/// Whether GuC submission is on: bit 0 of `enable_guc`; -1 leaves it off on all GPUs that have
/// GVT-g.
pub(super) fn has_guc_submission(asked: CheckContext<'_>) -> bool {
    asked.host.kernel.enable_guc.value().is_some_and(asks_for_guc_submission)
}

fn asks_for_guc_submission(value: &str) -> bool {
    value.parse::<i64>().is_ok_and(|value| value > 0 && value & 1 == 1)
}

/// The parameter that turns on GuC submission at the next start, although that start is to turn on
/// GVT-g; None if GVT-g is on already.
fn guc_at_next_start(asked: CheckContext<'_>) -> Option<Next> {
    let kernel = &asked.host.kernel;
    if asked.able().is_none() || asked.is_on() {
        return None;
    }
    at_next_start(asked, &kernel.enable_gvt).filter(|gvt| is_on(&gvt.value))?;
    at_next_start(asked, &kernel.enable_guc).filter(|guc| asks_for_guc_submission(&guc.value))
}

/// The value that i915 gets at the next start: one that is built in reads no options of modprobe.d.
fn at_next_start(asked: CheckContext<'_>, parameter: &Parameter) -> Option<Next> {
    parameter
        .at_next_start()
        .filter(|next| !has_i915_built_in(asked) || next.renewal != Renewal::Initramfs)
}

pub(super) fn guc_submission(asked: CheckContext<'_>) -> CheckResult {
    let parameter = &asked.host.kernel.enable_guc;
    if asked.able().is_none() {
        return CheckResult::skipped();
    }
    let wrong = |found: String, path: String, renewal: Option<&str>| {
        let how =
            renewal.map(|renewal| format!("run {renewal}, ")).unwrap_or_default() + "then reboot";
        CheckResult::wrong(parameter.read(), vec![("found", found), ("path", path), ("how", how)])
    };
    if has_guc_submission(asked) && !asked.is_on() {
        let is_option = parameter.line.is_none() && parameter.option.is_some();
        let renewal = if is_option { renewal_without_guc(asked, Renewal::Initramfs) } else { None };
        return wrong(
            format!("enable_guc={}", parameter.value().unwrap_or_default()),
            parameter_origin(parameter),
            renewal,
        );
    }
    match guc_at_next_start(asked) {
        Some(next) => {
            let found = format!("from the next boot on, enable_guc={}", next.value);
            wrong(found, word(&next.path), renewal_without_guc(asked, next.renewal))
        }
        None => CheckResult::fine(parameter.read(), vec![]),
    }
}

/// The step that makes a file take effect once GuC submission is taken out of it.
fn renewal_without_guc(asked: CheckContext<'_>, renewal: Renewal) -> Option<&'static str> {
    match (renewal, asked.host.system) {
        (Renewal::Initramfs, System::Ostree) => {
            Some("`sudo rpm-ostree kargs --append-if-missing=i915.enable_guc=0`")
        }
        _ => command_of(asked, renewal),
    }
}

/// The command that makes a file count at the next start.
fn command_of(asked: CheckContext<'_>, renewal: Renewal) -> Option<&'static str> {
    match (renewal, asked.host.system) {
        (Renewal::None, _) => None,
        (Renewal::Grub, System::Dracut | System::Ostree) => {
            Some("`sudo grub2-mkconfig -o /boot/grub2/grub.cfg`")
        }
        (Renewal::Grub, System::Arch) => Some("`sudo grub-mkconfig -o /boot/grub/grub.cfg`"),
        (Renewal::Grub, _) => Some(
            "`sudo update-grub` (if there is none, `sudo grub-mkconfig -o /boot/grub/grub.cfg`)",
        ),
        (Renewal::Entries, _) => {
            Some("`sudo kernel-install add-all` (on Proxmox VE `sudo proxmox-boot-tool refresh`)")
        }
        (Renewal::Initramfs, system) => Some(system.renewal()),
    }
}

/// Where a parameter is said, for people.
fn parameter_origin(parameter: &Parameter) -> String {
    match (&parameter.line, &parameter.option) {
        (Some(_), _) => "the kernel command line".to_owned(),
        (None, Some((_, path))) => path.clone(),
        (None, None) => "where it is set".to_owned(),
    }
}

/// Whether i915 has GVT-g on, as far as it shows: its parameter, which only root can read, the
/// command line, the types, and a kvmgt that older kernels load only then.
fn is_enabled(asked: CheckContext<'_>) -> Option<bool> {
    const FIRST_WITH_KVMGT_ANYWAY: (u32, u32) = (5, 19);
    let kernel = &asked.host.kernel;
    if asked.is_on() {
        return Some(true);
    }
    let is_older = || {
        let mut numbers =
            kernel.release.as_found()?.split('.').map(|part| part.parse::<u32>().ok());
        Some((numbers.next()??, numbers.next()??) < FIRST_WITH_KVMGT_ANYWAY)
    };
    let by_module =
        || (kernel.is_loaded("kvmgt") == Some(true) && is_older() == Some(true)).then_some(true);
    kernel.enable_gvt.is_on().or_else(by_module)
}

/// Why nobody can tell whether GVT-g is on: only the parameter of the running kernel says if an
/// option of modprobe.d was there in time.
fn unknown_state(asked: CheckContext<'_>) -> Option<String> {
    let parameter = &asked.host.kernel.enable_gvt;
    if is_enabled(asked).is_some() {
        return None;
    }
    let next = at_next_start(asked, parameter)
        .filter(|next| is_on(&next.value) && next.renewal == Renewal::Initramfs)?;
    let why = match parameter.now {
        Probe::Absent => format!("{} is missing", parameter.path),
        _ => format!("only root can read {}", parameter.path),
    };
    Some(format!(
        "{why}, and nothing else shows whether {} was in effect at boot: run `sudo gvtg-xml host`",
        word(&next.path)
    ))
}

/// The parameter that turns on GVT-g at the next start if it is off now; None if that would not
/// help.
fn waits_for_reboot(asked: CheckContext<'_>) -> Option<Next> {
    let kernel = &asked.host.kernel;
    let has_guc = has_guc_submission(asked) || guc_at_next_start(asked).is_some();
    if asked.able().is_none()
        || is_enabled(asked) == Some(true)
        || has_guc
        || kernel.has_module("kvmgt") == Some(false)
    {
        return None;
    }
    let reads_options = !has_i915_built_in(asked);
    kernel.enable_gvt.pending().filter(|next| reads_options || next.renewal != Renewal::Initramfs)
}

/// Whether i915 is a part of the kernel: then its parameters come from the kernel's command line
/// alone.
fn has_i915_built_in(asked: CheckContext<'_>) -> bool {
    asked.host.kernel.built_in.iter().any(|name| name == "i915")
}

pub(super) fn reboot_pending(asked: CheckContext<'_>) -> CheckResult {
    let kernel = &asked.host.kernel;
    let Some(next) = waits_for_reboot(asked) else { return CheckResult::skipped() };
    let mut what = vec!["i915.enable_gvt=1".to_owned()];
    what.extend(kernel.ignore_msrs.pending().map(|_| "kvm.ignore_msrs=1".to_owned()));
    let renewal = command_of(asked, next.renewal);
    let how = renewal.map_or("reboot".to_owned(), |renewal| {
        format!("run {renewal} if you have not done so since the file was written, reboot")
    });
    let mut read = kernel.enable_gvt.read();
    read.dedup();
    CheckResult::wrong(read, vec![("path", word(&next.path)), ("what", list(&what)), ("how", how)])
}

pub(super) fn gvt_not_enabled(asked: CheckContext<'_>) -> CheckResult {
    let parameter = &asked.host.kernel.enable_gvt;
    if asked.able().is_none() {
        return CheckResult::skipped();
    }
    let read = parameter.read();
    if is_enabled(asked) == Some(true) {
        return CheckResult::fine(read, vec![]);
    }
    // That has been said, or no parameter helps.
    if waits_for_reboot(asked).is_some()
        || guc_at_next_start(asked).is_some()
        || asked.host.kernel.has_module("kvmgt") == Some(false)
    {
        return CheckResult::skipped();
    }
    if parameter.value().is_none() && asked.host.kernel.line.as_found().is_none() {
        return CheckResult::unknown(read, "the kernel command line cannot be read");
    }
    if let Some(why) = unknown_state(asked) {
        return CheckResult::unknown(read, why);
    }
    let line = parameter.line.as_ref().map(|value| (value, parameter_origin(parameter)));
    let next = parameter.next.as_ref().map(|next| (&next.value, next.path.clone()));
    let option = parameter.option.as_ref().map(|(value, path)| (value, path.clone()));
    let told = line.or(next).or(option);
    let is_told = told.as_ref().is_some_and(|(value, _)| is_on(value));
    // i915 itself switches it off then, and that has been said.
    if is_told && has_guc_submission(asked) {
        return CheckResult::skipped();
    }
    // What `emit all` writes without a bootloader is options of modules.
    let next = if has_i915_built_in(asked) {
        NEXT.replacen("--root /`", "--root / --bootloader grub` (or kernel-install, systemd-boot: i915 is built into this kernel)", 1)
    } else {
        NEXT.to_owned()
    };
    let unread = parameter.unread.as_ref().filter(|unread| is_on(&unread.value));
    let (what, how) = match (&told, unread) {
        (Some((_, place)), _) if is_told => {
            let see = "see why i915 turned it off: `sudo dmesg | grep -i gvt`".to_owned();
            let how = if parameter.line.is_none() { next } else { see };
            (format!("{place} turns it on, but it is off in the running kernel"), how)
        }
        // The command line counts before options of modules, and of two files of those the one
        // whose name comes last.
        (Some((value, place)), _) => {
            let beaten =
                parameter.option.as_ref().filter(|(option, path)| is_on(option) && path != place);
            let beaten = beaten
                .map(|(_, path)| format!(", and the command line overrides {path}"))
                .unwrap_or_default();
            (
                format!("{place} sets enable_gvt={value}{beaten}"),
                format!("remove enable_gvt={value} from {place}; then {next}"),
            )
        }
        (None, Some(unread)) => {
            let what = format!(
                "{} turns it on, but grub-mkconfig does not read that file: no line in /etc/default/grub sources it",
                unread.path
            );
            let renew = command_of(asked, Renewal::Grub).unwrap_or_default();
            let line = format!(". {}", word(&unread.path));
            (
                what,
                format!(
                    "add the line `{line}` at the end of /etc/default/grub, run {renew}, reboot, then run `sudo gvtg-xml host`"
                ),
            )
        }
        (None, None) => (
            "neither the kernel command line nor modprobe.d sets i915.enable_gvt=1".to_owned(),
            next,
        ),
    };
    CheckResult::wrong(read, vec![("what", what), ("how", how)])
}

/// Whether all that GVT-g needs of the kernel is there, as far as it can be told.
pub(super) fn is_ready(asked: CheckContext<'_>) -> bool {
    let kernel = &asked.host.kernel;
    let has_driver = asked
        .card()
        .is_some_and(|card| card.driver.as_found().is_some_and(|driver| driver == "i915"));
    let is_loaded = kernel.is_loaded("kvmgt") == Some(true);
    has_driver && is_loaded && is_enabled(asked) == Some(true) && !has_guc_submission(asked)
}

pub(super) fn without_kvmgt(asked: CheckContext<'_>) -> CheckResult {
    let kernel = &asked.host.kernel;
    if asked.able().is_none() {
        return CheckResult::skipped();
    }
    let release = kernel.release.as_found().map_or("RELEASE", String::as_str);
    let read = [
        format!("/lib/modules/{release}/modules.dep"),
        format!("/lib/modules/{release}/modules.builtin"),
    ];
    match kernel.has_module("kvmgt") {
        _ if asked.is_on() || kernel.is_loaded("kvmgt") == Some(true) => {
            CheckResult::fine(read, vec![])
        }
        Some(true) => CheckResult::fine(read, vec![]),
        Some(false) => CheckResult::wrong(read, vec![("found", release.to_owned())]),
        None => CheckResult::unknown(read, "the list of the running kernel's modules is missing"),
    }
}

pub(super) fn kvmgt_not_loaded(asked: CheckContext<'_>) -> CheckResult {
    let kernel = &asked.host.kernel;
    let read = ["/sys/module/kvmgt"];
    if asked.able().is_none() || kernel.has_module("kvmgt") == Some(false) {
        return CheckResult::skipped();
    }
    match kernel.is_loaded("kvmgt") {
        _ if asked.is_on() => CheckResult::fine(read, vec![]),
        Some(true) => CheckResult::fine(read, vec![]),
        // Before the reboot it can't be loaded ("No such device").
        Some(false) if waits_for_reboot(asked).is_some() || guc_at_next_start(asked).is_some() => {
            CheckResult::skipped()
        }
        Some(false) if super::hook::that_loads_kvmgt(asked).is_some() => CheckResult::unknown(
            read,
            "the hook loads kvmgt when a VM starts; to see now whether that works, run `sudo modprobe kvmgt`",
        ),
        Some(false) if unknown_state(asked).is_some() => CheckResult::unknown(
            read,
            "kvmgt is not loaded, and only root can see whether GVT-g is on: run `sudo gvtg-xml host`",
        ),
        // While GVT-g is off, modprobe says "No such device".
        Some(false) if is_enabled(asked) != Some(true) => {
            CheckResult::wrong(read, vec![(HELP, NEXT.to_owned())])
        }
        Some(false) => CheckResult::wrong(read, vec![]),
        None => CheckResult::unknown(read, "/sys/module does not exist"),
    }
}

pub(super) fn vfio_not_loaded(asked: CheckContext<'_>) -> CheckResult {
    let (machine, kernel) = (&asked.host.machine, &asked.host.kernel);
    let read = ["/sys/module/vfio", "/sys/module/vfio_iommu_type1", "/dev/vfio/vfio"];
    // kvmgt brings vfio along.
    if asked.able().is_none() || (!asked.is_on() && kernel.is_loaded("kvmgt") != Some(true)) {
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
        return CheckResult::fine(read, vec![]);
    }
    CheckResult::wrong(read, vec![("what", missing.join(" and "))])
}

pub(super) fn msrs_not_ignored(asked: CheckContext<'_>) -> CheckResult {
    let parameter = &asked.host.kernel.ignore_msrs;
    if asked.able().is_none() {
        return CheckResult::skipped();
    }
    // All users can read kvm's parameter: without it, kvm reads the options when it is loaded.
    let of_option = || parameter.option.as_ref().map(|(value, _)| is_on(value));
    match parameter.is_on().or_else(of_option) {
        Some(true) => CheckResult::fine(parameter.read(), vec![]),
        None if asked.host.kernel.line.as_found().is_none() => CheckResult::unknown(
            parameter.read(),
            "neither KVM's parameters nor the kernel command line can be read",
        ),
        // The rule reboot-pending names it.
        _ if waits_for_reboot(asked).is_some() && parameter.pending().is_some() => {
            CheckResult::skipped()
        }
        _ => {
            let mut values = vec![("path", parameter.path.clone())];
            values.extend(parameter.pending().map(|next| {
                let help = format!(
                    "for now: `echo 1 | sudo tee {}`; from the next boot on, {} sets it",
                    parameter.path,
                    word(&next.path)
                );
                (HELP, help)
            }));
            CheckResult::wrong(parameter.read(), values)
        }
    }
}
