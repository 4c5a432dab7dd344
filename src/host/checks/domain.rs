//! The domains that somebody named: whether XML, hook and host agree.

use uuid::Uuid;

use super::{Asked, Values, Verdict, hook, vgpus};
use crate::emit::{Guest, Vgpu};
use crate::host::Reading;
use crate::host::card::{Card, Existing};
use crate::host::hook::{Setup, setups};

/// The vGPUs of all domains, each with its domain.
fn wanted(asked: Asked<'_>) -> impl Iterator<Item = (&Guest, &Vgpu)> {
    asked.guests.iter().flat_map(|guest| guest.vgpus.iter().map(move |vgpu| (guest, vgpu)))
}

/// The display device at a vGPU's address.
fn card<'h>(asked: Asked<'h>, vgpu: &Vgpu) -> Option<&'h Card> {
    asked.host.cards.as_found()?.iter().find(|card| card.gpu.address == vgpu.pci)
}

/// The vGPU of that uuid, if it exists.
fn existing<'h>(asked: Asked<'h>, uuid: Uuid) -> Option<&'h Existing> {
    asked.host.vgpus.as_found()?.iter().find(|vgpu| vgpu.uuid == uuid.to_string())
}

pub(super) fn wrong_address(asked: Asked<'_>) -> Verdict {
    let Some(able) = asked.able().filter(|_| !asked.guests.is_empty()) else { return Verdict::skipped() };
    let fault = |(guest, vgpu): (&Guest, &Vgpu)| -> Option<Values> {
        let there = card(asked, vgpu);
        if there.is_some_and(|card| card.gpu.generation.type_prefix().is_some()) {
            return None;
        }
        let what = there.map_or("nothing is".to_owned(), |card| format!("{} is", card.gpu.title()));
        Some(vec![("name", guest.name.clone()), ("address", vgpu.pci.clone()), ("what", what), ("meant", able.gpu.address.clone())])
    };
    Verdict::each(["/sys/bus/pci/devices"], wanted(asked).filter_map(fault).collect())
}

pub(super) fn type_not_offered(asked: Asked<'_>) -> Verdict {
    if asked.guests.is_empty() || asked.able().is_none() {
        return Verdict::skipped();
    }
    let fault = |(guest, vgpu): (&Guest, &Vgpu)| -> Option<Values> {
        let card = card(asked, vgpu)?;
        let types = card.types.as_found().filter(|types| !types.is_empty())?;
        if types.iter().any(|offered| offered.name == vgpu.vgpu_type) {
            return None;
        }
        let names: Vec<&str> = types.iter().map(|offered| offered.name.as_str()).collect();
        Some(vec![("name", guest.name.clone()), ("type", vgpu.vgpu_type.clone()), ("gpu", card.gpu.title()), ("types", names.join(", "))])
    };
    if !asked.is_on() {
        return Verdict::skipped();
    }
    let read = asked.card().map(|card| card.types_path());
    Verdict::each(read, wanted(asked).filter_map(fault).collect())
}

pub(super) fn type_full(asked: Asked<'_>) -> Verdict {
    if asked.guests.is_empty() || !asked.is_on() {
        return Verdict::skipped();
    }
    let fault = |(guest, vgpu): (&Guest, &Vgpu)| -> Option<Values> {
        let offered = card(asked, vgpu)?.types.as_found()?.iter().find(|offered| offered.name == vgpu.vgpu_type)?;
        // The domain's own vGPU may be what fills the GPU.
        (offered.available == Some(0) && existing(asked, vgpu.uuid).is_none())
            .then(|| vec![("name", guest.name.clone()), ("type", vgpu.vgpu_type.clone())])
    };
    let read = asked.card().map(|card| card.types_path());
    Verdict::each(read, wanted(asked).filter_map(fault).collect())
}

/// What the hooks make, each line with the hook it is in.
fn made(asked: Asked<'_>) -> Vec<(String, Setup)> {
    hook::of_vgpus(asked).flat_map(|(hook, text)| setups(text).into_iter().map(|setup| (hook.path.clone(), setup))).collect()
}

/// A setup line's uuid, however it is written.
fn uuid_of(setup: &Setup) -> Option<Uuid> {
    crate::domain::parse_uuid(&setup.uuid)
}

pub(super) fn hook_misses(asked: Asked<'_>) -> Verdict {
    let made = made(asked);
    if asked.guests.is_empty() || asked.host.libvirt.version.is_none() {
        return Verdict::skipped();
    }
    let mut paths: Vec<String> = hook::of_vgpus(asked).map(|(hook, _)| hook.path.clone()).collect();
    if paths.is_empty() {
        // Without a hook that is what there is to say.
        return hook::unreadable(asked).map_or(Verdict::skipped(), |(path, why)| Verdict::unreadable(path, why));
    }
    if made.is_empty() {
        return Verdict::unknown(paths, "the hook has no setup_gpu lines: this program does not know for which domains it makes vGPUs");
    }
    paths.dedup();
    let misses = |(guest, vgpu): &(&Guest, &Vgpu)| {
        let by_mdevctl = asked.host.libvirt.mdevctl.iter().any(|uuid| *uuid == vgpu.uuid.to_string());
        !by_mdevctl && !made.iter().any(|(_, setup)| setup.name == guest.name || uuid_of(setup) == Some(vgpu.uuid))
    };
    let found = wanted(asked).filter(misses);
    let values =
        |(guest, vgpu): (&Guest, &Vgpu)| vec![("name", guest.name.clone()), ("uuid", vgpu.uuid.to_string()), ("path", paths.join(" or "))];
    Verdict::each(paths.clone(), found.map(values).collect())
}

pub(super) fn hook_differs(asked: Asked<'_>) -> Verdict {
    let made = made(asked);
    if asked.guests.is_empty() || made.is_empty() {
        return Verdict::skipped();
    }
    let fault = |(guest, vgpu): (&Guest, &Vgpu)| -> Option<Values> {
        let own = made.iter().find(|(_, setup)| uuid_of(setup) == Some(vgpu.uuid));
        let of_name = made.iter().find(|(_, setup)| setup.name == guest.name);
        let (path, setup) = own.or(of_name)?;
        let mut what = Vec::new();
        if setup.name != guest.name {
            what.push(format!("the vGPU is for '{}'", setup.name));
        }
        if uuid_of(setup) != Some(vgpu.uuid) {
            what.push(format!("the uuid is {}, not {}", setup.uuid, vgpu.uuid));
        }
        // A type that nobody recorded is the hook's to say.
        if setup.vgpu_type != vgpu.vgpu_type && !vgpu.is_default_type {
            what.push(format!("the type is {}, not {}", setup.vgpu_type, vgpu.vgpu_type));
        }
        if let Some(pci) = setup.pci.as_ref().filter(|pci| pci.to_ascii_lowercase() != vgpu.pci) {
            what.push(format!("the GPU is {pci}, not {}", vgpu.pci));
        }
        (!what.is_empty()).then(|| vec![("name", guest.name.clone()), ("path", path.clone()), ("what", what.join(", "))])
    };
    let mut read: Vec<String> = made.iter().map(|(path, _)| path.clone()).collect();
    read.dedup();
    Verdict::each(read, wanted(asked).filter_map(fault).collect())
}

pub(super) fn other_type(asked: Asked<'_>) -> Verdict {
    if asked.guests.is_empty() || asked.host.vgpus.as_found().is_none() {
        return Verdict::skipped();
    }
    let fault = |(guest, vgpu): (&Guest, &Vgpu)| -> Option<Values> {
        let found = existing(asked, vgpu.uuid)?.vgpu_type.as_ref().filter(|found| **found != vgpu.vgpu_type && !vgpu.is_default_type)?;
        Some(vec![
            ("name", guest.name.clone()),
            ("uuid", vgpu.uuid.to_string()),
            ("found", found.clone()),
            ("type", vgpu.vgpu_type.clone()),
        ])
    };
    Verdict::each(["/sys/bus/mdev/devices"], wanted(asked).filter_map(fault).collect())
}

pub(super) fn other_domain(asked: Asked<'_>) -> Verdict {
    if asked.guests.is_empty() || asked.host.vgpus.as_found().is_none() {
        return Verdict::skipped();
    }
    let fault = |(guest, vgpu): (&Guest, &Vgpu)| -> Option<Values> {
        let users = existing(asked, vgpu.uuid)?.users.as_found()?;
        let other = users.iter().find(|user| user.domain.as_ref() != Some(&guest.name))?;
        Some(vec![("name", guest.name.clone()), ("uuid", vgpu.uuid.to_string()), ("found", vgpus::user(other))])
    };
    let unreadable =
        wanted(asked).find(|(_, vgpu)| existing(asked, vgpu.uuid).is_some_and(|found| matches!(found.users, Reading::Unreadable(_))));
    if unreadable.is_some() {
        return Verdict::unknown(["/proc"], "who uses the vGPUs only root can see");
    }
    Verdict::each(["/sys/bus/mdev/devices", "/proc"], wanted(asked).filter_map(fault).collect())
}
