//! Checks of the domains that the user named: whether XML, hook and host agree.

use uuid::Uuid;

use super::{CheckContext, CheckResult, Values, hook, vgpus};
use crate::emit::shell::word;
use crate::emit::{Guest, Vgpu};
use crate::host::Probe;
use crate::host::card::{Card, VgpuInstance};
use crate::host::hook::{Setup, setups};

/// Lists the vGPUs of all named domains, each with its domain.
fn domain_vgpus(context: CheckContext<'_>) -> impl Iterator<Item = (&Guest, &Vgpu)> {
    context.guests.iter().flat_map(|guest| guest.vgpus.iter().map(move |vgpu| (guest, vgpu)))
}

/// A vGPU that a domain or hook requests.
struct RequestedVgpu {
    /// The domain's name.
    name: String,
    uuid: Option<Uuid>,
    vgpu_type: String,
    /// The GPU's PCI address.
    pci: String,
}

/// Lists the vGPUs that the named domains request or, if none was named, those that the hooks
/// create. A type that the domain does not record is taken from the hook.
fn requested_vgpus(context: CheckContext<'_>) -> Vec<RequestedVgpu> {
    let setups = hook_setups(context);
    let from_domain = |(guest, vgpu): (&Guest, &Vgpu)| {
        let hook_type = setup_for(&setups, guest, vgpu)
            .filter(|_| vgpu.is_default_type)
            .map(|(_, setup)| setup.vgpu_type.clone());
        let vgpu_type = hook_type.unwrap_or_else(|| vgpu.vgpu_type.clone());
        RequestedVgpu {
            name: guest.name.clone(),
            uuid: Some(vgpu.uuid),
            vgpu_type,
            pci: vgpu.pci.clone(),
        }
    };
    let from_hook = |(_, setup): &(String, Setup)| {
        let Setup { name, vgpu_type, pci, .. } = setup.clone();
        Some(RequestedVgpu { name, uuid: setup_uuid(setup), vgpu_type, pci: pci? })
    };
    if context.guests.is_empty() {
        setups.iter().filter_map(from_hook).collect()
    } else {
        domain_vgpus(context).map(from_domain).collect()
    }
}

/// The display device at this PCI address.
fn card<'h>(context: CheckContext<'h>, address: &str) -> Option<&'h Card> {
    context
        .host
        .cards
        .as_present()?
        .iter()
        .find(|card| card.gpu.address.eq_ignore_ascii_case(address))
}

/// The existing vGPU with this UUID.
fn existing<'h>(context: CheckContext<'h>, uuid: Uuid) -> Option<&'h VgpuInstance> {
    context.host.vgpus.as_present()?.iter().find(|vgpu| vgpu.uuid == uuid.to_string())
}

pub(super) fn wrong_address(context: CheckContext<'_>) -> CheckResult {
    let requests = requested_vgpus(context);
    let Some(supported_gpu) = context.supported_card().filter(|_| !requests.is_empty()) else {
        return CheckResult::skipped();
    };
    let finding = |request: &RequestedVgpu| -> Option<Values> {
        let card = card(context, &request.pci);
        if card.is_some_and(|card| card.type_prefix().is_some()) {
            return None;
        }
        let what = card.map_or("no GPU is there".to_owned(), |card| {
            format!("the {} does not support GVT-g", card.gpu.title())
        });
        Some(vec![
            ("name", word(&request.name)),
            ("address", request.pci.clone()),
            ("what", what),
            ("meant", supported_gpu.gpu.address.clone()),
        ])
    };
    CheckResult::each(["/sys/bus/pci/devices"], requests.iter().filter_map(finding).collect())
}

pub(super) fn type_not_offered(context: CheckContext<'_>) -> CheckResult {
    let requests = requested_vgpus(context);
    if requests.is_empty() || !context.is_gvt_on() {
        return CheckResult::skipped();
    }
    let finding = |request: &RequestedVgpu| -> Option<Values> {
        let card = card(context, &request.pci)?;
        let types = card.types.as_present().filter(|types| !types.is_empty())?;
        if types.iter().any(|offered| offered.name == request.vgpu_type) {
            return None;
        }
        let names: Vec<&str> = types.iter().map(|offered| offered.name.as_str()).collect();
        Some(vec![
            ("name", word(&request.name)),
            ("type", request.vgpu_type.clone()),
            ("gpu", card.gpu.title()),
            ("types", names.join(", ")),
        ])
    };
    let files_read = context.card().map(|card| card.types_path());
    CheckResult::each(files_read, requests.iter().filter_map(finding).collect())
}

pub(super) fn type_full(context: CheckContext<'_>) -> CheckResult {
    // Without named domains, the hook's domains are known, but they need not all run at once.
    if context.guests.is_empty() || !context.is_gvt_on() {
        return CheckResult::skipped();
    }
    let finding = |request: RequestedVgpu| -> Option<Values> {
        let offered = card(context, &request.pci)?
            .types
            .as_present()?
            .iter()
            .find(|offered| offered.name == request.vgpu_type)?;
        // The domain's vGPU may already exist and occupy the GPU.
        let exists_already = request.uuid.and_then(|uuid| existing(context, uuid)).is_some();
        (offered.available == Some(0) && !exists_already)
            .then(|| vec![("name", word(&request.name)), ("type", request.vgpu_type)])
    };
    let files_read = context.card().map(|card| card.types_path());
    CheckResult::each(
        files_read,
        requested_vgpus(context).into_iter().filter_map(finding).collect(),
    )
}

/// Lists the vGPUs that hooks create, each with the path of the hook.
fn hook_setups(context: CheckContext<'_>) -> Vec<(String, Setup)> {
    hook::vgpu_hooks(context)
        .flat_map(|(hook, text)| setups(text).into_iter().map(|setup| (hook.path.clone(), setup)))
        .collect()
}

/// Parses the UUID of a setup line, in any notation.
fn setup_uuid(setup: &Setup) -> Option<Uuid> {
    crate::domain::parse_uuid(&setup.uuid)
}

/// The setup line for a vGPU: the one with its UUID, else one for its domain that is not for
/// another vGPU of that domain.
fn setup_for<'m>(
    setups: &'m [(String, Setup)],
    guest: &Guest,
    vgpu: &Vgpu,
) -> Option<&'m (String, Setup)> {
    let is_for_other_vgpu =
        |setup: &Setup| guest.vgpus.iter().any(|other| setup_uuid(setup) == Some(other.uuid));
    let by_uuid = setups.iter().find(|(_, setup)| setup_uuid(setup) == Some(vgpu.uuid));
    by_uuid.or_else(|| {
        setups.iter().find(|(_, setup)| setup.name == guest.name && !is_for_other_vgpu(setup))
    })
}

pub(super) fn hook_misses(context: CheckContext<'_>) -> CheckResult {
    let setups = hook_setups(context);
    if context.guests.is_empty() || !context.host.libvirt.is_installed {
        return CheckResult::skipped();
    }
    let mut paths: Vec<String> =
        hook::vgpu_hooks(context).map(|(hook, _)| hook.path.clone()).collect();
    if paths.is_empty() {
        // Without any hook, the rule missing-hook reports it, unless a hook cannot be read.
        return hook::unreadable(context)
            .map_or(CheckResult::skipped(), |(path, why)| CheckResult::unreadable(path, why));
    }
    if setups.is_empty() {
        return CheckResult::unknown(
            paths,
            "the hook has no setup_gpu lines, so gvtg-xml cannot tell for which domains it creates vGPUs",
        );
    }
    paths.dedup();
    let is_missing = |(guest, vgpu): &(&Guest, &Vgpu)| {
        let by_mdevctl =
            context.host.libvirt.mdevctl.iter().any(|uuid| *uuid == vgpu.uuid.to_string());
        !by_mdevctl && setup_for(&setups, guest, vgpu).is_none()
    };
    let missing_vgpus = domain_vgpus(context).filter(is_missing);
    let values = |(guest, vgpu): (&Guest, &Vgpu)| {
        vec![
            ("name", word(&guest.name)),
            ("uuid", vgpu.uuid.to_string()),
            ("path", paths.iter().map(|path| word(path)).collect::<Vec<_>>().join(" or ")),
        ]
    };
    CheckResult::each(paths.clone(), missing_vgpus.map(values).collect())
}

pub(super) fn hook_differs(context: CheckContext<'_>) -> CheckResult {
    let setups = hook_setups(context);
    if context.guests.is_empty() || setups.is_empty() {
        return CheckResult::skipped();
    }
    let finding = |(guest, vgpu): (&Guest, &Vgpu)| -> Option<Values> {
        let (path, setup) = setup_for(&setups, guest, vgpu)?;
        let mut what = Vec::new();
        if setup.name != guest.name {
            what.push(format!("its vGPU is for '{}'", setup.name));
        }
        if setup_uuid(setup) != Some(vgpu.uuid) {
            what.push(format!("its UUID is {}, not {}", setup.uuid, vgpu.uuid));
        }
        // If the domain records no type, the hook's type is used.
        if setup.vgpu_type != vgpu.vgpu_type && !vgpu.is_default_type {
            what.push(format!("its type is {}, not {}", setup.vgpu_type, vgpu.vgpu_type));
        }
        if let Some(pci) = setup.pci.as_ref().filter(|pci| pci.to_ascii_lowercase() != vgpu.pci) {
            what.push(format!("its GPU is {pci}, not {}", vgpu.pci));
        }
        let values = [("name", word(&guest.name)), ("path", word(path)), ("what", what.join(", "))];
        (!what.is_empty())
            .then(|| values.into_iter().chain(hook::help_on_nixos(context, path)).collect())
    };
    let mut files_read: Vec<String> = setups.iter().map(|(path, _)| path.clone()).collect();
    files_read.dedup();
    CheckResult::each(files_read, domain_vgpus(context).filter_map(finding).collect())
}

pub(super) fn other_type(context: CheckContext<'_>) -> CheckResult {
    if context.guests.is_empty() || context.host.vgpus.as_present().is_none() {
        return CheckResult::skipped();
    }
    let finding = |(guest, vgpu): (&Guest, &Vgpu)| -> Option<Values> {
        let actual_type = existing(context, vgpu.uuid)?
            .vgpu_type
            .as_ref()
            .filter(|vgpu_type| **vgpu_type != vgpu.vgpu_type && !vgpu.is_default_type)?;
        Some(vec![
            ("name", word(&guest.name)),
            ("uuid", vgpu.uuid.to_string()),
            ("found", actual_type.clone()),
            ("type", vgpu.vgpu_type.clone()),
        ])
    };
    CheckResult::each(
        ["/sys/bus/mdev/devices"],
        domain_vgpus(context).filter_map(finding).collect(),
    )
}

pub(super) fn other_domain(context: CheckContext<'_>) -> CheckResult {
    if context.guests.is_empty() || context.host.vgpus.as_present().is_none() {
        return CheckResult::skipped();
    }
    let finding = |(guest, vgpu): (&Guest, &Vgpu)| -> Option<Values> {
        let users = existing(context, vgpu.uuid)?.users.as_present()?;
        let other = users.iter().find(|user| user.domain.as_ref() != Some(&guest.name))?;
        Some(vec![
            ("name", word(&guest.name)),
            ("uuid", vgpu.uuid.to_string()),
            ("found", vgpus::user(other)),
        ])
    };
    let unreadable = domain_vgpus(context).find(|(_, vgpu)| {
        existing(context, vgpu.uuid)
            .is_some_and(|found| matches!(found.users, Probe::Unreadable(_)))
    });
    if unreadable.is_some() {
        return CheckResult::unknown(["/proc"], "only root can see which processes use the vGPUs");
    }
    CheckResult::each(
        ["/sys/bus/mdev/devices", "/proc"],
        domain_vgpus(context).filter_map(finding).collect(),
    )
}
