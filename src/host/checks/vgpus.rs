//! Checks of the existing vGPUs: whether another one fits, and which processes use them.

use super::{CheckContext, CheckResult, Values};
use crate::host::Probe;
use crate::host::card::{User, VgpuInstance};

const DEVICES: &str = "/sys/bus/mdev/devices";

/// Describes a process for messages.
pub(super) fn user(user: &User) -> String {
    match &user.domain {
        Some(domain) => format!("the VM {domain} (process {})", user.pid),
        None => format!("{} (process {})", user.program, user.pid),
    }
}

pub(super) fn full(context: CheckContext<'_>) -> CheckResult {
    let Some(types) = context.supported_card().and_then(|card| card.types.as_present()) else {
        return CheckResult::skipped();
    };
    if types.is_empty() {
        return CheckResult::skipped();
    }
    let path = context.card().map(|card| card.types_path()).unwrap_or_default();
    let free: Vec<String> = types
        .iter()
        .filter_map(|offered| {
            Some(format!("{} × {}", offered.available.filter(|free| *free > 0)?, offered.name))
        })
        .collect();
    if types.iter().all(|offered| offered.available.is_none()) {
        return CheckResult::unknown([path], "the kernel does not report how many vGPUs fit");
    }
    if !free.is_empty() {
        return CheckResult::passed([path], vec![("available", free.join(" or "))]);
    }
    let existing = context.host.vgpus.as_present().map_or(&[][..], Vec::as_slice);
    let listed: Vec<String> = existing.iter().map(describe).collect();
    let found = if listed.is_empty() {
        "the kernel lists no existing vGPU".to_owned()
    } else {
        listed.join("; ")
    };
    CheckResult::failed([path, DEVICES.to_owned()], vec![("found", found)])
}

/// Describes a vGPU and its users for messages.
fn describe(vgpu: &VgpuInstance) -> String {
    let users = match &vgpu.users {
        Probe::Present(users) if users.is_empty() => "no process has it open".to_owned(),
        Probe::Present(users) => {
            format!("used by {}", users.iter().map(user).collect::<Vec<_>>().join(", "))
        }
        _ => "only root can see what uses it".to_owned(),
    };
    format!("{} ({}), {users}", vgpu.uuid, vgpu.vgpu_type.as_deref().unwrap_or("unknown type"))
}

pub(super) fn unused(context: CheckContext<'_>) -> CheckResult {
    let Some(existing) = context.supported_card().and_then(|_| context.host.vgpus.as_present())
    else {
        return CheckResult::skipped();
    };
    if existing.is_empty() {
        return CheckResult::skipped();
    }
    let is_unused =
        |vgpu: &&VgpuInstance| matches!(&vgpu.users, Probe::Present(users) if users.is_empty());
    let unused_vgpus: Vec<Values> = existing
        .iter()
        .filter(is_unused)
        .map(|vgpu| {
            vec![
                ("uuid", vgpu.uuid.clone()),
                ("type", vgpu.vgpu_type.clone().unwrap_or_else(|| "unknown type".to_owned())),
            ]
        })
        .collect();
    if unused_vgpus.is_empty()
        && existing.iter().any(|vgpu| matches!(vgpu.users, Probe::Unreadable(_)))
    {
        return CheckResult::unknown(
            [DEVICES, "/proc"],
            "only root can see which processes use the vGPUs",
        );
    }
    if !unused_vgpus.is_empty() {
        return CheckResult::each([DEVICES, "/proc"], unused_vgpus);
    }
    CheckResult::passed(
        [DEVICES, "/proc"],
        vec![("found", existing.iter().map(describe).collect::<Vec<_>>().join("; "))],
    )
}
