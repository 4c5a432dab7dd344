//! Checks of libvirt and QEMU: their versions, and the devices and display that QEMU may open.

use super::{CheckContext, CheckResult};
use crate::domain::property_syntax_for;
use crate::emit::Guest;
use crate::emit::shell::{list, word};
use crate::host::Probe;
use crate::host::system::System;
use crate::version::Version;

const LIBRARY: &str = "libvirt.so.0";

pub(super) fn missing(context: CheckContext<'_>) -> CheckResult {
    match context.host.libvirt.version {
        Some(version) => CheckResult::passed([LIBRARY], vec![("libvirt", version.to_string())]),
        None if context.host.libvirt.is_installed => CheckResult::unknown(
            [LIBRARY],
            "libvirt is installed, but its version is not part of any file name",
        ),
        None => CheckResult::failed([LIBRARY], vec![]),
    }
}

pub(super) fn old(context: CheckContext<'_>) -> CheckResult {
    let Some(version) = context.host.libvirt.version else { return CheckResult::skipped() };
    let values = vec![("libvirt", version.to_string())];
    if property_syntax_for(version) == property_syntax_for(Version::NEWEST) {
        CheckResult::passed([LIBRARY], values)
    } else {
        CheckResult::failed([LIBRARY], values)
    }
}

/// The first version of QEMU with a display for vGPUs.
const FIRST_QEMU: (u32, u32) = (2, 12);

pub(super) fn old_qemu(context: CheckContext<'_>) -> CheckResult {
    let Some((version, path)) = &context.host.libvirt.qemu else {
        return CheckResult::unknown(
            ["/var/lib/dpkg/status", "/var/lib/pacman/local"],
            "QEMU's version is not recorded in any file that gvtg-xml reads",
        );
    };
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let number = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let values = vec![("found", version.clone())];
    if number < FIRST_QEMU {
        CheckResult::failed([path.clone()], values)
    } else {
        CheckResult::passed([path.clone()], values)
    }
}

pub(super) fn dri_not_allowed(context: CheckContext<'_>) -> CheckResult {
    let Some(card) = context.supported_card() else { return CheckResult::skipped() };
    let path = context.host.system.qemu_conf();
    let nodes: Vec<String> = card.nodes.iter().map(|node| format!("/dev/dri/{node}")).collect();
    let allowed = match &context.host.libvirt.device_acl {
        Probe::Unreadable(why) => return CheckResult::unreadable(path, why),
        // Without the file, libvirt's default list applies, which has no GPU.
        Probe::Absent if !context.host.libvirt.is_installed => return CheckResult::skipped(),
        Probe::Absent => &None,
        Probe::Present(allowed) => allowed,
    };
    if nodes.is_empty() {
        return CheckResult::skipped();
    }
    let how = match allowed {
        _ if context.host.system == System::Nixos => {
            "add the output of `gvtg-xml emit qemu-conf` to the NixOS configuration, run `sudo nixos-rebuild switch`"
        }
        Some(_) => "add them to that list",
        None => "run `gvtg-xml emit qemu-conf | sudo tee -a /etc/libvirt/qemu.conf`",
    };
    let allowed = allowed.as_deref().unwrap_or_default();
    let missing: Vec<String> = nodes
        .into_iter()
        .filter(|node| !allowed.contains(node))
        .map(|node| format!("\"{node}\""))
        .collect();
    if missing.is_empty() {
        return CheckResult::passed([path], vec![]);
    }
    CheckResult::failed(
        [path],
        vec![("nodes", missing.join(", ")), ("path", path.to_owned()), ("how", how.to_owned())],
    )
}

/// Checks whether SELinux keeps QEMU's window from the X server: it does for a confined QEMU unless
/// a boolean allows it. If the user named no domain, any domain may open a window.
pub(super) fn window_forbidden(context: CheckContext<'_>) -> CheckResult {
    let confinement = &context.host.confinement;
    if context.supported_card().is_none() || !confinement.selinux_enforces {
        return CheckResult::skipped();
    }
    let files_read = ["/sys/fs/selinux/enforce", "/sys/fs/selinux/booleans/virt_use_xserver"];
    let is_off = match &confinement.virt_use_xserver {
        Probe::Present(is_on) => !is_on,
        Probe::Absent => return CheckResult::skipped(),
        Probe::Unreadable(why) => return CheckResult::unreadable(files_read[1], why),
    };
    let drivers = &context.host.libvirt.security_drivers;
    let is_confined =
        drivers.as_ref().is_none_or(|drivers| drivers.iter().any(|driver| driver == "selinux"));
    let is_confined_by_default = context.host.libvirt.confines_by_default;
    let is_window_blocked = |guest: &&Guest| {
        guest.opens_confined_window && (is_confined_by_default || guest.requests_selinux)
    };
    let names: Vec<String> =
        context.guests.iter().filter(is_window_blocked).map(|guest| word(&guest.name)).collect();
    let is_confined = is_confined && (is_confined_by_default || !context.guests.is_empty());
    if !is_off || !is_confined || (!context.guests.is_empty() && names.is_empty()) {
        return CheckResult::passed(files_read, vec![]);
    }
    let what = match &names[..] {
        [] => "its window".to_owned(),
        [name] => format!("the window of {name}"),
        names => format!("the windows of {}", list(names)),
    };
    CheckResult::failed(files_read, vec![("what", what)])
}
