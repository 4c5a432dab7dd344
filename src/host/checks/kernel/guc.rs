//! The check for GuC submission, which makes i915 turn GVT-g off.

use super::super::{CheckContext, CheckResult};
use super::{at_next_boot, parameter_origin, regeneration_command};
use crate::emit::shell::word;
use crate::host::boot::Regeneration;
use crate::host::kernel::{NextValue, is_on};
use crate::host::system::System;

/// Whether GuC submission is on: bit 0 of `enable_guc`. The value -1 leaves it off on all GPUs with
/// GVT-g.
pub(in crate::host::checks) fn has_guc_submission(context: CheckContext<'_>) -> bool {
    context.host.kernel.enable_guc.value().is_some_and(enables_guc_submission)
}

fn enables_guc_submission(value: &str) -> bool {
    value.parse::<i64>().is_ok_and(|value| value > 0 && value & 1 == 1)
}

/// The setting that turns on GuC submission at the next boot, if that boot also turns on GVT-g;
/// `None` if GVT-g is on already.
pub(super) fn guc_at_next_boot(context: CheckContext<'_>) -> Option<NextValue> {
    let kernel = &context.host.kernel;
    if context.supported_card().is_none() || context.is_gvt_on() {
        return None;
    }
    at_next_boot(context, &kernel.enable_gvt).filter(|gvt| is_on(&gvt.value))?;
    at_next_boot(context, &kernel.enable_guc).filter(|guc| enables_guc_submission(&guc.value))
}

pub(in crate::host::checks) fn guc_submission(context: CheckContext<'_>) -> CheckResult {
    let parameter = &context.host.kernel.enable_guc;
    if context.supported_card().is_none() {
        return CheckResult::skipped();
    }
    let failed = |found: String, path: String, regeneration: Option<&str>| {
        let how =
            regeneration.map(|regeneration| format!("run {regeneration}, ")).unwrap_or_default()
                + "then reboot";
        CheckResult::failed(parameter.read(), vec![("found", found), ("path", path), ("how", how)])
    };
    if has_guc_submission(context) && !context.is_gvt_on() {
        let is_option = parameter.line.is_none() && parameter.option.is_some();
        let regeneration = if is_option {
            regeneration_without_guc(context, Regeneration::Initramfs)
        } else {
            None
        };
        return failed(
            format!("enable_guc={}", parameter.value().unwrap_or_default()),
            parameter_origin(parameter),
            regeneration,
        );
    }
    match guc_at_next_boot(context) {
        Some(next) => {
            let found = format!("from the next boot on, enable_guc={}", next.value);
            failed(found, word(&next.path), regeneration_without_guc(context, next.regeneration))
        }
        None => CheckResult::passed(parameter.read(), vec![]),
    }
}

/// The command that makes a file take effect once GuC submission is removed from it.
fn regeneration_without_guc(
    context: CheckContext<'_>,
    regeneration: Regeneration,
) -> Option<&'static str> {
    match (regeneration, context.host.system) {
        (Regeneration::Initramfs, System::Ostree) => {
            Some("`sudo rpm-ostree kargs --append-if-missing=i915.enable_guc=0`")
        }
        _ => regeneration_command(context, regeneration),
    }
}
