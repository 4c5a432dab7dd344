//! Checks whether GVT-g is on, or will be after a reboot.

use super::super::{CheckContext, CheckResult};
use super::{
    SETUP_STEPS, guc_at_next_boot, has_guc_submission, has_i915_built_in, is_enabled,
    parameter_origin, pending_reboot, regeneration_command, unknown_state,
};
use crate::emit::shell::{list, word};
use crate::host::boot::Regeneration;
use crate::host::kernel::is_on;

pub(in crate::host::checks) fn reboot_pending(context: CheckContext<'_>) -> CheckResult {
    let kernel = &context.host.kernel;
    let Some(next) = pending_reboot(context) else { return CheckResult::skipped() };
    let mut what = vec!["i915.enable_gvt=1".to_owned()];
    what.extend(kernel.ignore_msrs.pending().map(|_| "kvm.ignore_msrs=1".to_owned()));
    let regeneration = regeneration_command(context, next.regeneration);
    let how = regeneration.map_or("reboot".to_owned(), |regeneration| {
        format!("run {regeneration} if you have not done so since the file was written, reboot")
    });
    let mut files_read = kernel.enable_gvt.read();
    files_read.dedup();
    CheckResult::failed(
        files_read,
        vec![("path", word(&next.path)), ("what", list(&what)), ("how", how)],
    )
}

pub(in crate::host::checks) fn gvt_not_enabled(context: CheckContext<'_>) -> CheckResult {
    let parameter = &context.host.kernel.enable_gvt;
    if context.supported_card().is_none() {
        return CheckResult::skipped();
    }
    let files_read = parameter.read();
    if is_enabled(context) == Some(true) {
        return CheckResult::passed(files_read, vec![]);
    }
    // Another check has reported it, or no parameter helps.
    if pending_reboot(context).is_some()
        || guc_at_next_boot(context).is_some()
        || context.host.kernel.has_module("kvmgt") == Some(false)
    {
        return CheckResult::skipped();
    }
    if parameter.value().is_none() && context.host.kernel.line.as_present().is_none() {
        return CheckResult::unknown(files_read, "the kernel command line cannot be read");
    }
    if let Some(why) = unknown_state(context) {
        return CheckResult::unknown(files_read, why);
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
        SETUP_STEPS.replacen("--root /`", "--root / --bootloader grub` (or kernel-install, systemd-boot: i915 is built into this kernel)", 1)
    } else {
        SETUP_STEPS.to_owned()
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
            let renew = regeneration_command(context, Regeneration::Grub).unwrap_or_default();
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
    CheckResult::failed(files_read, vec![("what", what), ("how", how)])
}
