//! The domains that somebody named: whether XML, hook and host agree.

use uuid::Uuid;

use super::{CheckContext, CheckResult, Values, hook, vgpus};
use crate::emit::shell::word;
use crate::emit::{Guest, Vgpu};
use crate::host::Probe;
use crate::host::card::{Card, VgpuInstance};
use crate::host::hook::{Setup, setups};

/// The vGPUs of all domains, each with its domain.
fn wanted(asked: CheckContext<'_>) -> impl Iterator<Item = (&Guest, &Vgpu)> {
    asked.guests.iter().flat_map(|guest| guest.vgpus.iter().map(move |vgpu| (guest, vgpu)))
}

/// A vGPU that somebody wants of a GPU.
struct RequestedVgpu {
    /// The domain's name.
    name: String,
    uuid: Option<Uuid>,
    vgpu_type: String,
    /// The GPU's PCI address.
    pci: String,
}

/// What the domains want; where nobody named any, what the hooks make. A type that no domain
/// records is the hook's to say.
fn wishes(asked: CheckContext<'_>) -> Vec<RequestedVgpu> {
    let made = made(asked);
    let of_domain = |(guest, vgpu): (&Guest, &Vgpu)| {
        let in_hook = setup_for(&made, guest, vgpu)
            .filter(|_| vgpu.is_default_type)
            .map(|(_, setup)| setup.vgpu_type.clone());
        let vgpu_type = in_hook.unwrap_or_else(|| vgpu.vgpu_type.clone());
        RequestedVgpu {
            name: guest.name.clone(),
            uuid: Some(vgpu.uuid),
            vgpu_type,
            pci: vgpu.pci.clone(),
        }
    };
    let of_hook = |(_, setup): &(String, Setup)| {
        let Setup { name, vgpu_type, pci, .. } = setup.clone();
        Some(RequestedVgpu { name, uuid: uuid_of(setup), vgpu_type, pci: pci? })
    };
    if asked.guests.is_empty() {
        made.iter().filter_map(of_hook).collect()
    } else {
        wanted(asked).map(of_domain).collect()
    }
}

/// The display device at a PCI address.
fn card<'h>(asked: CheckContext<'h>, address: &str) -> Option<&'h Card> {
    asked.host.cards.as_found()?.iter().find(|card| card.gpu.address.eq_ignore_ascii_case(address))
}

/// The vGPU of that uuid, if it exists.
fn existing<'h>(asked: CheckContext<'h>, uuid: Uuid) -> Option<&'h VgpuInstance> {
    asked.host.vgpus.as_found()?.iter().find(|vgpu| vgpu.uuid == uuid.to_string())
}

pub(super) fn wrong_address(asked: CheckContext<'_>) -> CheckResult {
    let wishes = wishes(asked);
    let Some(able) = asked.able().filter(|_| !wishes.is_empty()) else {
        return CheckResult::skipped();
    };
    let wrong = |wish: &RequestedVgpu| -> Option<Values> {
        let there = card(asked, &wish.pci);
        if there.is_some_and(|card| card.type_prefix().is_some()) {
            return None;
        }
        let what = there.map_or("no GPU is there".to_owned(), |card| {
            format!("the {} does not support GVT-g", card.gpu.title())
        });
        Some(vec![
            ("name", word(&wish.name)),
            ("address", wish.pci.clone()),
            ("what", what),
            ("meant", able.gpu.address.clone()),
        ])
    };
    CheckResult::each(["/sys/bus/pci/devices"], wishes.iter().filter_map(wrong).collect())
}

pub(super) fn type_not_offered(asked: CheckContext<'_>) -> CheckResult {
    let wishes = wishes(asked);
    if wishes.is_empty() || !asked.is_on() {
        return CheckResult::skipped();
    }
    let wrong = |wish: &RequestedVgpu| -> Option<Values> {
        let card = card(asked, &wish.pci)?;
        let types = card.types.as_found().filter(|types| !types.is_empty())?;
        if types.iter().any(|offered| offered.name == wish.vgpu_type) {
            return None;
        }
        let names: Vec<&str> = types.iter().map(|offered| offered.name.as_str()).collect();
        Some(vec![
            ("name", word(&wish.name)),
            ("type", wish.vgpu_type.clone()),
            ("gpu", card.gpu.title()),
            ("types", names.join(", ")),
        ])
    };
    let read = asked.card().map(|card| card.types_path());
    CheckResult::each(read, wishes.iter().filter_map(wrong).collect())
}

pub(super) fn type_full(asked: CheckContext<'_>) -> CheckResult {
    // The domains of a hook need not all run at once.
    if asked.guests.is_empty() || !asked.is_on() {
        return CheckResult::skipped();
    }
    let wrong = |wish: RequestedVgpu| -> Option<Values> {
        let offered = card(asked, &wish.pci)?
            .types
            .as_found()?
            .iter()
            .find(|offered| offered.name == wish.vgpu_type)?;
        // The domain's own vGPU may be what fills the GPU.
        let is_there = wish.uuid.and_then(|uuid| existing(asked, uuid)).is_some();
        (offered.available == Some(0) && !is_there)
            .then(|| vec![("name", word(&wish.name)), ("type", wish.vgpu_type)])
    };
    let read = asked.card().map(|card| card.types_path());
    CheckResult::each(read, wishes(asked).into_iter().filter_map(wrong).collect())
}

/// What the hooks make, each line with the hook it is in.
fn made(asked: CheckContext<'_>) -> Vec<(String, Setup)> {
    hook::of_vgpus(asked)
        .flat_map(|(hook, text)| setups(text).into_iter().map(|setup| (hook.path.clone(), setup)))
        .collect()
}

/// A setup line's uuid, however it is written.
fn uuid_of(setup: &Setup) -> Option<Uuid> {
    crate::domain::parse_uuid(&setup.uuid)
}

/// The line that makes a vGPU, or was meant to: one with its uuid, else one for its domain that is
/// none of the domain's other vGPUs.
fn setup_for<'m>(
    made: &'m [(String, Setup)],
    guest: &Guest,
    vgpu: &Vgpu,
) -> Option<&'m (String, Setup)> {
    let is_others =
        |setup: &Setup| guest.vgpus.iter().any(|other| uuid_of(setup) == Some(other.uuid));
    let own = made.iter().find(|(_, setup)| uuid_of(setup) == Some(vgpu.uuid));
    own.or_else(|| made.iter().find(|(_, setup)| setup.name == guest.name && !is_others(setup)))
}

pub(super) fn hook_misses(asked: CheckContext<'_>) -> CheckResult {
    let made = made(asked);
    if asked.guests.is_empty() || !asked.host.libvirt.is_installed {
        return CheckResult::skipped();
    }
    let mut paths: Vec<String> = hook::of_vgpus(asked).map(|(hook, _)| hook.path.clone()).collect();
    if paths.is_empty() {
        // Without a hook that is what there is to say.
        return hook::unreadable(asked)
            .map_or(CheckResult::skipped(), |(path, why)| CheckResult::unreadable(path, why));
    }
    if made.is_empty() {
        return CheckResult::unknown(
            paths,
            "the hook has no setup_gpu lines, so gvtg-xml cannot tell for which domains it creates vGPUs",
        );
    }
    paths.dedup();
    let misses = |(guest, vgpu): &(&Guest, &Vgpu)| {
        let by_mdevctl =
            asked.host.libvirt.mdevctl.iter().any(|uuid| *uuid == vgpu.uuid.to_string());
        !by_mdevctl && setup_for(&made, guest, vgpu).is_none()
    };
    let found = wanted(asked).filter(misses);
    let values = |(guest, vgpu): (&Guest, &Vgpu)| {
        vec![
            ("name", word(&guest.name)),
            ("uuid", vgpu.uuid.to_string()),
            ("path", paths.iter().map(|path| word(path)).collect::<Vec<_>>().join(" or ")),
        ]
    };
    CheckResult::each(paths.clone(), found.map(values).collect())
}

pub(super) fn hook_differs(asked: CheckContext<'_>) -> CheckResult {
    let made = made(asked);
    if asked.guests.is_empty() || made.is_empty() {
        return CheckResult::skipped();
    }
    let wrong = |(guest, vgpu): (&Guest, &Vgpu)| -> Option<Values> {
        let (path, setup) = setup_for(&made, guest, vgpu)?;
        let mut what = Vec::new();
        if setup.name != guest.name {
            what.push(format!("its vGPU is for '{}'", setup.name));
        }
        if uuid_of(setup) != Some(vgpu.uuid) {
            what.push(format!("its UUID is {}, not {}", setup.uuid, vgpu.uuid));
        }
        // A type that nobody recorded is the hook's to say.
        if setup.vgpu_type != vgpu.vgpu_type && !vgpu.is_default_type {
            what.push(format!("its type is {}, not {}", setup.vgpu_type, vgpu.vgpu_type));
        }
        if let Some(pci) = setup.pci.as_ref().filter(|pci| pci.to_ascii_lowercase() != vgpu.pci) {
            what.push(format!("its GPU is {pci}, not {}", vgpu.pci));
        }
        let values = [("name", word(&guest.name)), ("path", word(path)), ("what", what.join(", "))];
        (!what.is_empty())
            .then(|| values.into_iter().chain(hook::help_on_nixos(asked, path)).collect())
    };
    let mut read: Vec<String> = made.iter().map(|(path, _)| path.clone()).collect();
    read.dedup();
    CheckResult::each(read, wanted(asked).filter_map(wrong).collect())
}

pub(super) fn other_type(asked: CheckContext<'_>) -> CheckResult {
    if asked.guests.is_empty() || asked.host.vgpus.as_found().is_none() {
        return CheckResult::skipped();
    }
    let wrong = |(guest, vgpu): (&Guest, &Vgpu)| -> Option<Values> {
        let found = existing(asked, vgpu.uuid)?
            .vgpu_type
            .as_ref()
            .filter(|found| **found != vgpu.vgpu_type && !vgpu.is_default_type)?;
        Some(vec![
            ("name", word(&guest.name)),
            ("uuid", vgpu.uuid.to_string()),
            ("found", found.clone()),
            ("type", vgpu.vgpu_type.clone()),
        ])
    };
    CheckResult::each(["/sys/bus/mdev/devices"], wanted(asked).filter_map(wrong).collect())
}

pub(super) fn other_domain(asked: CheckContext<'_>) -> CheckResult {
    if asked.guests.is_empty() || asked.host.vgpus.as_found().is_none() {
        return CheckResult::skipped();
    }
    let wrong = |(guest, vgpu): (&Guest, &Vgpu)| -> Option<Values> {
        let users = existing(asked, vgpu.uuid)?.users.as_found()?;
        let other = users.iter().find(|user| user.domain.as_ref() != Some(&guest.name))?;
        Some(vec![
            ("name", word(&guest.name)),
            ("uuid", vgpu.uuid.to_string()),
            ("found", vgpus::user(other)),
        ])
    };
    let unreadable = wanted(asked).find(|(_, vgpu)| {
        existing(asked, vgpu.uuid).is_some_and(|found| matches!(found.users, Probe::Unreadable(_)))
    });
    if unreadable.is_some() {
        return CheckResult::unknown(["/proc"], "only root can see which processes use the vGPUs");
    }
    CheckResult::each(["/sys/bus/mdev/devices", "/proc"], wanted(asked).filter_map(wrong).collect())
}
