//! The check whether KVM ignores unknown MSRs.

use super::super::{CheckContext, CheckResult, HELP};
use super::pending_reboot;
use crate::emit::shell::word;
use crate::host::kernel::is_on;

pub(in crate::host::checks) fn msrs_not_ignored(context: CheckContext<'_>) -> CheckResult {
    let parameter = &context.host.kernel.ignore_msrs;
    if context.supported_card().is_none() {
        return CheckResult::skipped();
    }
    // Every user can read kvm's parameter. If it is missing, kvm is not loaded yet and will read
    // the options.
    let from_option = || parameter.option.as_ref().map(|(value, _)| is_on(value));
    match parameter.is_on().or_else(from_option) {
        Some(true) => CheckResult::passed(parameter.read(), vec![]),
        None if context.host.kernel.line.as_present().is_none() => CheckResult::unknown(
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
            CheckResult::failed(parameter.read(), values)
        }
    }
}
