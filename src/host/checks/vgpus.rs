//! The vGPUs that exist: whether one more fits, and who uses them.

use super::{Asked, Values, Verdict};
use crate::host::Reading;
use crate::host::card::{Existing, User};

const DEVICES: &str = "/sys/bus/mdev/devices";

/// A process, for people.
pub(super) fn user(user: &User) -> String {
    match &user.domain {
        Some(domain) => format!("the VM {domain} (process {})", user.pid),
        None => format!("{} (process {})", user.program, user.pid),
    }
}

pub(super) fn full(asked: Asked<'_>) -> Verdict {
    let Some(types) = asked.able().and_then(|card| card.types.as_found()) else { return Verdict::skipped() };
    if types.is_empty() {
        return Verdict::skipped();
    }
    let path = asked.card().map(|card| card.types_path()).unwrap_or_default();
    let free: Vec<String> =
        types.iter().filter_map(|offered| Some(format!("{} × {}", offered.available.filter(|free| *free > 0)?, offered.name))).collect();
    if types.iter().all(|offered| offered.available.is_none()) {
        return Verdict::unknown([path], "the kernel does not report how many vGPUs fit");
    }
    if !free.is_empty() {
        return Verdict::fine([path], vec![("available", free.join(" or "))]);
    }
    let existing = asked.host.vgpus.as_found().map_or(&[][..], Vec::as_slice);
    let listed: Vec<String> = existing.iter().map(describe).collect();
    let found = if listed.is_empty() { "the kernel lists no existing vGPU".to_owned() } else { listed.join("; ") };
    Verdict::wrong([path, DEVICES.to_owned()], vec![("found", found)])
}

/// A vGPU, for people.
fn describe(vgpu: &Existing) -> String {
    let users = match &vgpu.users {
        Reading::Present(users) if users.is_empty() => "no process has it open".to_owned(),
        Reading::Present(users) => format!("used by {}", users.iter().map(user).collect::<Vec<_>>().join(", ")),
        _ => "only root can see what uses it".to_owned(),
    };
    format!("{} ({}), {users}", vgpu.uuid, vgpu.vgpu_type.as_deref().unwrap_or("unknown type"))
}

pub(super) fn unused(asked: Asked<'_>) -> Verdict {
    let Some(existing) = asked.able().and_then(|_| asked.host.vgpus.as_found()) else { return Verdict::skipped() };
    if existing.is_empty() {
        return Verdict::skipped();
    }
    let is_unused = |vgpu: &&Existing| matches!(&vgpu.users, Reading::Present(users) if users.is_empty());
    let found: Vec<Values> = existing
        .iter()
        .filter(is_unused)
        .map(|vgpu| vec![("uuid", vgpu.uuid.clone()), ("type", vgpu.vgpu_type.clone().unwrap_or_else(|| "unknown type".to_owned()))])
        .collect();
    if found.is_empty() && existing.iter().any(|vgpu| matches!(vgpu.users, Reading::Unreadable(_))) {
        return Verdict::unknown([DEVICES, "/proc"], "only root can see which processes use the vGPUs");
    }
    if !found.is_empty() {
        return Verdict::each([DEVICES, "/proc"], found);
    }
    Verdict::fine([DEVICES, "/proc"], vec![("found", existing.iter().map(describe).collect::<Vec<_>>().join("; "))])
}
