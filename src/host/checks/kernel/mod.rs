//! Checks of the kernel: whether GVT-g is on, nothing conflicts with it, and its modules are
//! loaded.

use super::CheckContext;
use crate::emit::shell::word;
use crate::host::Probe;
use crate::host::boot::Regeneration;
use crate::host::kernel::{NextValue, Parameter, is_on};
use crate::host::system::System;

mod guc;
mod gvt;
mod modules;
mod msrs;

pub(super) use guc::{guc_submission, has_guc_submission};
pub(super) use gvt::{gvt_not_enabled, reboot_pending};
pub(super) use modules::{kvmgt_not_loaded, vfio_not_loaded, without_kvmgt};
pub(super) use msrs::msrs_not_ignored;

use guc::guc_at_next_boot;

/// The steps that set up a host, in the same words as in README.md, `fix` and the help.
pub const SETUP_STEPS: &str = "run `virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /`, follow the steps that it prints (initramfs, reboot), then run `sudo gvtg-xml host`";

/// The value that i915 gets at the next boot. If i915 is built in, options in modprobe.d have no
/// effect.
fn at_next_boot(context: CheckContext<'_>, parameter: &Parameter) -> Option<NextValue> {
    parameter
        .at_next_boot()
        .filter(|next| !has_i915_built_in(context) || next.regeneration != Regeneration::Initramfs)
}

/// The command that makes a changed file take effect at the next boot.
fn regeneration_command(
    context: CheckContext<'_>,
    regeneration: Regeneration,
) -> Option<&'static str> {
    match (regeneration, context.host.system) {
        (Regeneration::None, _) => None,
        (Regeneration::Grub, System::Dracut | System::Ostree) => {
            Some("`sudo grub2-mkconfig -o /boot/grub2/grub.cfg`")
        }
        (Regeneration::Grub, System::Arch) => Some("`sudo grub-mkconfig -o /boot/grub/grub.cfg`"),
        (Regeneration::Grub, _) => Some(
            "`sudo update-grub` (if there is none, `sudo grub-mkconfig -o /boot/grub/grub.cfg`)",
        ),
        (Regeneration::Entries, _) => {
            Some("`sudo kernel-install add-all` (on Proxmox VE `sudo proxmox-boot-tool refresh`)")
        }
        (Regeneration::Initramfs, system) => Some(system.regeneration_command()),
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
    if context.is_gvt_on() {
        return Some(true);
    }
    let is_older = || {
        let mut numbers =
            kernel.release.as_present()?.split('.').map(|part| part.parse::<u32>().ok());
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
    let next = at_next_boot(context, parameter)
        .filter(|next| is_on(&next.value) && next.regeneration == Regeneration::Initramfs)?;
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
fn pending_reboot(context: CheckContext<'_>) -> Option<NextValue> {
    let kernel = &context.host.kernel;
    let has_guc = has_guc_submission(context) || guc_at_next_boot(context).is_some();
    if context.supported_card().is_none()
        || is_enabled(context) == Some(true)
        || has_guc
        || kernel.has_module("kvmgt") == Some(false)
    {
        return None;
    }
    let reads_options = !has_i915_built_in(context);
    kernel
        .enable_gvt
        .pending()
        .filter(|next| reads_options || next.regeneration != Regeneration::Initramfs)
}

/// Whether i915 is built into the kernel, so that only the kernel command line sets its parameters.
fn has_i915_built_in(context: CheckContext<'_>) -> bool {
    context.host.kernel.built_in.iter().any(|name| name == "i915")
}

/// Whether the kernel has everything that GVT-g needs, as far as can be seen.
pub(super) fn is_ready(context: CheckContext<'_>) -> bool {
    let kernel = &context.host.kernel;
    let has_driver = context
        .card()
        .is_some_and(|card| card.driver.as_present().is_some_and(|driver| driver == "i915"));
    let is_loaded = kernel.is_loaded("kvmgt") == Some(true);
    has_driver && is_loaded && is_enabled(context) == Some(true) && !has_guc_submission(context)
}
