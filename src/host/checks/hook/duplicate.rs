//! The check for two hooks that create a vGPU for the same VM.

use super::super::{CheckContext, CheckResult, Values};
use crate::domain::parse_uuid;
use crate::emit::Guest;
use crate::emit::shell::word;
use crate::host::hook::{Creations, Setup, creates_vgpus, setups};

/// A hook that creates vGPUs, or a script that a hook runs.
struct CreatingHook<'h> {
    path: &'h str,
    setups: Vec<Setup>,
    creations: Creations,
    /// The only domain that it is run for, if it is a script.
    domain: Option<&'h str>,
}

/// The executable hooks that create vGPUs, and the scripts that they run.
fn creating_hooks(context: CheckContext<'_>) -> Vec<CreatingHook<'_>> {
    let libvirt = &context.host.libvirt;
    let hooks = libvirt.hooks.iter().map(|hook| (None, hook));
    let scripts = libvirt.scripts.iter().map(|(domain, hook)| (Some(domain.as_str()), hook));
    let all = hooks.chain(scripts).filter(|(_, hook)| hook.is_executable);
    let with_text = all.filter_map(|(domain, hook)| {
        Some((domain, hook, hook.text.as_present().filter(|text| creates_vgpus(text))?))
    });
    with_text
        .map(|(domain, hook, text)| CreatingHook {
            path: &hook.path,
            setups: setups(text),
            creations: Creations::find(text),
            domain,
        })
        .collect()
}

pub(in crate::host::checks) fn duplicate_hooks(context: CheckContext<'_>) -> CheckResult {
    let creating_hooks = creating_hooks(context);
    if creating_hooks.len() < 2 {
        return CheckResult::skipped();
    }
    let mut findings: Vec<Values> = Vec::new();
    for (index, first) in creating_hooks.iter().enumerate() {
        for other in &creating_hooks[index + 1..] {
            if let Some(what) = created_by_both(context, first, other) {
                findings.push(vec![
                    ("path", word(first.path)),
                    ("found", word(other.path)),
                    ("what", what),
                ]);
            }
        }
    }
    CheckResult::each(creating_hooks.iter().map(|hook| hook.path.to_owned()), findings)
}

/// Describes the vGPU that two hooks both create, or the VM for which both create one.
fn created_by_both(
    context: CheckContext<'_>,
    first: &CreatingHook<'_>,
    other: &CreatingHook<'_>,
) -> Option<String> {
    let mut pairs = first
        .setups
        .iter()
        .flat_map(|setup| other.setups.iter().map(move |other_setup| (setup, other_setup)));
    let same_vgpu = pairs.clone().find(|(setup, other_setup)| have_same_uuid(setup, other_setup));
    match same_vgpu.or_else(|| {
        pairs.find(|(setup, other_setup)| {
            setup.name == other_setup.name && !has_both(context, setup, other_setup)
        })
    }) {
        Some((setup, other_setup)) if have_same_uuid(setup, other_setup) => {
            Some(format!("the vGPU {}", setup.uuid))
        }
        Some((setup, other_setup)) => Some(format!(
            "a vGPU for {} ({} and {})",
            word(&setup.name),
            setup.uuid,
            other_setup.uuid
        )),
        None => created_without_setup_line(context, first, other)
            .or_else(|| created_without_setup_line(context, other, first)),
    }
}

/// Describes the vGPU in a setup line of the first hook, or its VM, if the other hook creates one
/// with its own commands.
fn created_without_setup_line(
    context: CheckContext<'_>,
    first: &CreatingHook<'_>,
    other: &CreatingHook<'_>,
) -> Option<String> {
    if let Some(setup) = first.setups.iter().find(|setup| other.creations.has_uuid(&setup.uuid)) {
        return Some(format!("the vGPU {}", setup.uuid));
    }
    // A VM with two vGPUs may get one from each hook.
    let has_several =
        |name: &str| context.guests.iter().any(|guest| guest.name == name && guest.vgpus.len() > 1);
    let is_for = |setup: &&Setup| {
        let is_named =
            other.creations.names_domain(&setup.name) || other.domain == Some(setup.name.as_str());
        is_named && !other.creations.is_empty() && !has_several(&setup.name)
    };
    first.setups.iter().find(is_for).map(|setup| format!("a vGPU for {}", word(&setup.name)))
}

fn have_same_uuid(first: &Setup, other: &Setup) -> bool {
    first.uuid.eq_ignore_ascii_case(&other.uuid)
}

/// Whether a domain that the user named has both vGPUs.
fn has_both(context: CheckContext<'_>, first: &Setup, other: &Setup) -> bool {
    let has = |guest: &Guest, setup: &Setup| {
        guest.vgpus.iter().any(|vgpu| parse_uuid(&setup.uuid) == Some(vgpu.uuid))
    };
    context
        .guests
        .iter()
        .any(|guest| guest.name == first.name && has(guest, first) && has(guest, other))
}
