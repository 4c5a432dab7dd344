//! Checks of the kernel: whether GVT-g is on, nothing conflicts with it, and its modules are
//! loaded.

use super::{CheckContext, CheckResult, HELP};
use crate::emit::shell::{list, word};
use crate::host::Probe;
use crate::host::boot::Renewal;
use crate::host::kernel::{Next, Parameter, is_on};
use crate::host::system::System;

/// The commands that prepare a host, in the same words as in README.md, `fix` and the help.
pub const NEXT: &str = "run `virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /`, follow the steps that it prints (initramfs, reboot), then run `sudo gvtg-xml host`";

/// Whether GuC submission is on: bit 0 of `enable_guc`. The value -1 leaves it off on all GPUs with
/// GVT-g.
pub(super) fn has_guc_submission(context: CheckContext<'_>) -> bool {
    context.host.kernel.enable_guc.value().is_some_and(asks_for_guc_submission)
}

fn asks_for_guc_submission(value: &str) -> bool {
    value.parse::<i64>().is_ok_and(|value| value > 0 && value & 1 == 1)
}

/// The setting that turns on GuC submission at the next boot, if that boot also turns on GVT-g;
/// `None` if GVT-g is on already.
fn guc_at_next_start(context: CheckContext<'_>) -> Option<Next> {
    let kernel = &context.host.kernel;
    if context.able().is_none() || context.is_on() {
        return None;
    }
    at_next_start(context, &kernel.enable_gvt).filter(|gvt| is_on(&gvt.value))?;
    at_next_start(context, &kernel.enable_guc).filter(|guc| asks_for_guc_submission(&guc.value))
}

/// The value that i915 gets at the next boot. If i915 is built in, options in modprobe.d have no
/// effect.
fn at_next_start(context: CheckContext<'_>, parameter: &Parameter) -> Option<Next> {
    parameter
        .at_next_start()
        .filter(|next| !has_i915_built_in(context) || next.renewal != Renewal::Initramfs)
}

pub(super) fn guc_submission(context: CheckContext<'_>) -> CheckResult {
    let parameter = &context.host.kernel.enable_guc;
    if context.able().is_none() {
        return CheckResult::skipped();
    }
    let failed = |found: String, path: String, renewal: Option<&str>| {
        let how =
            renewal.map(|renewal| format!("run {renewal}, ")).unwrap_or_default() + "then reboot";
        CheckResult::wrong(parameter.read(), vec![("found", found), ("path", path), ("how", how)])
    };
    if has_guc_submission(context) && !context.is_on() {
        let is_option = parameter.line.is_none() && parameter.option.is_some();
        let renewal =
            if is_option { renewal_without_guc(context, Renewal::Initramfs) } else { None };
        return failed(
            format!("enable_guc={}", parameter.value().unwrap_or_default()),
            parameter_origin(parameter),
            renewal,
        );
    }
    match guc_at_next_start(context) {
        Some(next) => {
            let found = format!("from the next boot on, enable_guc={}", next.value);
            failed(found, word(&next.path), renewal_without_guc(context, next.renewal))
        }
        None => CheckResult::fine(parameter.read(), vec![]),
    }
}

/// The command that makes a file take effect once GuC submission is removed from it.
fn renewal_without_guc(context: CheckContext<'_>, renewal: Renewal) -> Option<&'static str> {
    match (renewal, context.host.system) {
        (Renewal::Initramfs, System::Ostree) => {
            Some("`sudo rpm-ostree kargs --append-if-missing=i915.enable_guc=0`")
        }
        _ => renewal_command(context, renewal),
    }
}

/// The command that makes a changed file take effect at the next boot.
fn renewal_command(context: CheckContext<'_>, renewal: Renewal) -> Option<&'static str> {
    match (renewal, context.host.system) {
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

/// Describes where a parameter is set, for messages.
fn parameter_origin(parameter: &Parameter) -> String {
    match (&parameter.line, &parameter.option) {
        (Some(_), _) => "the kernel command line".to_owned(),
        (None, Some((_, path))) => path.clone(),
        (None, None) => "where it is set".to_owned(),
    }
}

/// Whether i915 has GVT-g on, as far as can be seen from its parameter (readable only by root), the
/// command line, the vGPU types, and kvmgt, which older kernels load only while GVT-g is on.
fn is_enabled(context: CheckContext<'_>) -> Option<bool> {
    const FIRST_WITH_INDEPENDENT_KVMGT: (u32, u32) = (5, 19);
    let kernel = &context.host.kernel;
    if context.is_on() {
        return Some(true);
    }
    let is_older = || {
        let mut numbers =
            kernel.release.as_found()?.split('.').map(|part| part.parse::<u32>().ok());
        Some((numbers.next()??, numbers.next()??) < FIRST_WITH_INDEPENDENT_KVMGT)
    };
    let from_kvmgt =
        || (kernel.is_loaded("kvmgt") == Some(true) && is_older() == Some(true)).then_some(true);
    kernel.enable_gvt.is_on().or_else(from_kvmgt)
}

/// Why it is unknown whether GVT-g is on, if it is: only the running kernel's parameter shows
/// whether an option in modprobe.d was in effect at boot.
fn unknown_state(context: CheckContext<'_>) -> Option<String> {
    let parameter = &context.host.kernel.enable_gvt;
    if is_enabled(context).is_some() {
        return None;
    }
    let next = at_next_start(context, parameter)
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

/// The setting that turns on GVT-g at the next boot if it is off now; `None` if a reboot would not
/// turn it on.
fn pending_reboot(context: CheckContext<'_>) -> Option<Next> {
    let kernel = &context.host.kernel;
    let has_guc = has_guc_submission(context) || guc_at_next_start(context).is_some();
    if context.able().is_none()
        || is_enabled(context) == Some(true)
        || has_guc
        || kernel.has_module("kvmgt") == Some(false)
    {
        return None;
    }
    let reads_options = !has_i915_built_in(context);
    kernel.enable_gvt.pending().filter(|next| reads_options || next.renewal != Renewal::Initramfs)
}

/// Whether i915 is built into the kernel, so that only the kernel command line sets its parameters.
fn has_i915_built_in(context: CheckContext<'_>) -> bool {
    context.host.kernel.built_in.iter().any(|name| name == "i915")
}

pub(super) fn reboot_pending(context: CheckContext<'_>) -> CheckResult {
    let kernel = &context.host.kernel;
    let Some(next) = pending_reboot(context) else { return CheckResult::skipped() };
    let mut what = vec!["i915.enable_gvt=1".to_owned()];
    what.extend(kernel.ignore_msrs.pending().map(|_| "kvm.ignore_msrs=1".to_owned()));
    let renewal = renewal_command(context, next.renewal);
    let how = renewal.map_or("reboot".to_owned(), |renewal| {
        format!("run {renewal} if you have not done so since the file was written, reboot")
    });
    let mut read = kernel.enable_gvt.read();
    read.dedup();
    CheckResult::wrong(read, vec![("path", word(&next.path)), ("what", list(&what)), ("how", how)])
}

pub(super) fn gvt_not_enabled(context: CheckContext<'_>) -> CheckResult {
    let parameter = &context.host.kernel.enable_gvt;
    if context.able().is_none() {
        return CheckResult::skipped();
    }
    let read = parameter.read();
    if is_enabled(context) == Some(true) {
        return CheckResult::fine(read, vec![]);
    }
    // Another check has reported it, or no parameter helps.
    if pending_reboot(context).is_some()
        || guc_at_next_start(context).is_some()
        || context.host.kernel.has_module("kvmgt") == Some(false)
    {
        return CheckResult::skipped();
    }
    if parameter.value().is_none() && context.host.kernel.line.as_found().is_none() {
        return CheckResult::unknown(read, "the kernel command line cannot be read");
    }
    if let Some(why) = unknown_state(context) {
        return CheckResult::unknown(read, why);
    }
    let line = parameter.line.as_ref().map(|value| (value, parameter_origin(parameter)));
    let next = parameter.next.as_ref().map(|next| (&next.value, next.path.clone()));
    let option = parameter.option.as_ref().map(|(value, path)| (value, path.clone()));
    let configured = line.or(next).or(option);
    let is_turned_on = configured.as_ref().is_some_and(|(value, _)| is_on(value));
    // GuC submission makes i915 turn GVT-g off, which the rule guc-submission reports.
    if is_turned_on && has_guc_submission(context) {
        return CheckResult::skipped();
    }
    // Without --bootloader, `emit all` writes module options, which a built-in i915 does not read.
    let next = if has_i915_built_in(context) {
        NEXT.replacen("--root /`", "--root / --bootloader grub` (or kernel-install, systemd-boot: i915 is built into this kernel)", 1)
    } else {
        NEXT.to_owned()
    };
    let unread = parameter.unread.as_ref().filter(|unread| is_on(&unread.value));
    let (what, how) = match (&configured, unread) {
        (Some((_, place)), _) if is_turned_on => {
            let see = "see why i915 turned it off: `sudo dmesg | grep -i gvt`".to_owned();
            let how = if parameter.line.is_none() { next } else { see };
            (format!("{place} turns it on, but it is off in the running kernel"), how)
        }
        // The command line overrides module options; of two files with options, the last by name
        // takes effect.
        (Some((value, place)), _) => {
            let overridden_option =
                parameter.option.as_ref().filter(|(option, path)| is_on(option) && path != place);
            let override_note = overridden_option
                .map(|(_, path)| format!(", and the command line overrides {path}"))
                .unwrap_or_default();
            (
                format!("{place} sets enable_gvt={value}{override_note}"),
                format!("remove enable_gvt={value} from {place}; then {next}"),
            )
        }
        (None, Some(unread)) => {
            let what = format!(
                "{} turns it on, but grub-mkconfig does not read that file: no line in /etc/default/grub sources it",
                unread.path
            );
            let renew = renewal_command(context, Renewal::Grub).unwrap_or_default();
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

/// Whether the kernel has everything that GVT-g needs, as far as can be seen.
pub(super) fn is_ready(context: CheckContext<'_>) -> bool {
    let kernel = &context.host.kernel;
    let has_driver = context
        .card()
        .is_some_and(|card| card.driver.as_found().is_some_and(|driver| driver == "i915"));
    let is_loaded = kernel.is_loaded("kvmgt") == Some(true);
    has_driver && is_loaded && is_enabled(context) == Some(true) && !has_guc_submission(context)
}

pub(super) fn without_kvmgt(context: CheckContext<'_>) -> CheckResult {
    let kernel = &context.host.kernel;
    if context.able().is_none() {
        return CheckResult::skipped();
    }
    let release = kernel.release.as_found().map_or("RELEASE", String::as_str);
    let read = [
        format!("/lib/modules/{release}/modules.dep"),
        format!("/lib/modules/{release}/modules.builtin"),
    ];
    match kernel.has_module("kvmgt") {
        _ if context.is_on() || kernel.is_loaded("kvmgt") == Some(true) => {
            CheckResult::fine(read, vec![])
        }
        Some(true) => CheckResult::fine(read, vec![]),
        Some(false) => CheckResult::wrong(read, vec![("found", release.to_owned())]),
        None => CheckResult::unknown(read, "the list of the running kernel's modules is missing"),
    }
}

pub(super) fn kvmgt_not_loaded(context: CheckContext<'_>) -> CheckResult {
    let kernel = &context.host.kernel;
    let read = ["/sys/module/kvmgt"];
    if context.able().is_none() || kernel.has_module("kvmgt") == Some(false) {
        return CheckResult::skipped();
    }
    match kernel.is_loaded("kvmgt") {
        _ if context.is_on() => CheckResult::fine(read, vec![]),
        Some(true) => CheckResult::fine(read, vec![]),
        // Until the reboot, loading it fails ("No such device").
        Some(false)
            if pending_reboot(context).is_some() || guc_at_next_start(context).is_some() =>
        {
            CheckResult::skipped()
        }
        Some(false) if super::hook::that_loads_kvmgt(context).is_some() => CheckResult::unknown(
            read,
            "the hook loads kvmgt when a VM starts; to see now whether that works, run `sudo modprobe kvmgt`",
        ),
        Some(false) if unknown_state(context).is_some() => CheckResult::unknown(
            read,
            "kvmgt is not loaded, and only root can see whether GVT-g is on: run `sudo gvtg-xml host`",
        ),
        // While GVT-g is off, modprobe says "No such device".
        Some(false) if is_enabled(context) != Some(true) => {
            CheckResult::wrong(read, vec![(HELP, NEXT.to_owned())])
        }
        Some(false) => CheckResult::wrong(read, vec![]),
        None => CheckResult::unknown(read, "/sys/module does not exist"),
    }
}

pub(super) fn vfio_not_loaded(context: CheckContext<'_>) -> CheckResult {
    let (machine, kernel) = (&context.host.machine, &context.host.kernel);
    let read = ["/sys/module/vfio", "/sys/module/vfio_iommu_type1", "/dev/vfio/vfio"];
    // Loading kvmgt loads vfio, too.
    if context.able().is_none() || (!context.is_on() && kernel.is_loaded("kvmgt") != Some(true)) {
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

pub(super) fn msrs_not_ignored(context: CheckContext<'_>) -> CheckResult {
    let parameter = &context.host.kernel.ignore_msrs;
    if context.able().is_none() {
        return CheckResult::skipped();
    }
    // Every user can read kvm's parameter. If it is missing, kvm is not loaded yet and will read
    // the options.
    let from_option = || parameter.option.as_ref().map(|(value, _)| is_on(value));
    match parameter.is_on().or_else(from_option) {
        Some(true) => CheckResult::fine(parameter.read(), vec![]),
        None if context.host.kernel.line.as_found().is_none() => CheckResult::unknown(
            parameter.read(),
            "neither KVM's parameters nor the kernel command line can be read",
        ),
        // The rule reboot-pending names it.
        _ if pending_reboot(context).is_some() && parameter.pending().is_some() => {
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
