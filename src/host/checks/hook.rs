//! Checks of the hooks: whether libvirt runs them, and whether they can run.

use super::{CheckContext, CheckResult, HELP, Values};
use crate::domain::parse_uuid;
use crate::emit::Guest;
use crate::emit::hook::{Style, file};
use crate::emit::shell::word;
use crate::host::Probe;
use crate::host::confinement::Program;
use crate::host::hook::{
    Creations, Setup, bash_function, interpreter, makes_vgpus, program_call, setups,
};
use crate::host::libvirt::HookFile;
use crate::host::owners::{Exposure, Link};
use crate::host::system::System;
use crate::version::Version;

/// The first version of libvirt that runs the hooks in `qemu.d`.
const FIRST_WITH_FOLDER: Version = Version::new(6, 5, 0);

/// The readable hooks, each with its text; without backup copies that libvirt does not run.
fn readable(context: CheckContext<'_>) -> impl Iterator<Item = (&HookFile, &str)> {
    let hooks = context
        .host
        .libvirt
        .hooks
        .iter()
        .filter(|hook| hook.is_executable || !is_leftover(&hook.path));
    hooks.filter_map(|hook| hook.text.as_found().map(|text| (hook, text.as_str())))
}

/// The readable hooks that create vGPUs.
pub(super) fn of_vgpus(context: CheckContext<'_>) -> impl Iterator<Item = (&HookFile, &str)> {
    readable(context).filter(|(_, text)| makes_vgpus(text))
}

/// The executable hook that loads kvmgt before it creates a vGPU, as the emitted hook does.
pub(super) fn that_loads_kvmgt(context: CheckContext<'_>) -> Option<&HookFile> {
    of_vgpus(context)
        .find(|(hook, text)| hook.is_executable && text.contains("modprobe kvmgt"))
        .map(|(hook, _)| hook)
}

/// The first hook or hook folder that cannot be read, and why.
pub(super) fn unreadable(context: CheckContext<'_>) -> Option<(&str, &str)> {
    let libvirt = &context.host.libvirt;
    let is_unreadable = |hook: &'_ HookFile| matches!(hook.text, Probe::Unreadable(_));
    let folder = libvirt.unreadable.first().map(|(path, why)| (path.as_str(), why.as_str()));
    folder.or_else(|| {
        let hook = libvirt.hooks.iter().find(|hook| is_unreadable(hook))?;
        match &hook.text {
            Probe::Unreadable(why) => Some((hook.path.as_str(), why.as_str())),
            _ => None,
        }
    })
}

/// Runs a check on each hook; `finding` returns the values of a finding. Hooks that libvirt does
/// not run are left out unless they create vGPUs.
fn each<'h>(
    context: CheckContext<'h>,
    finding: impl Fn(&'h HookFile, &'h str) -> Option<Values>,
) -> CheckResult {
    let checked_hooks =
        || readable(context).filter(|(hook, text)| hook.is_executable || makes_vgpus(text));
    let paths: Vec<String> = checked_hooks().map(|(hook, _)| hook.path.clone()).collect();
    let findings: Vec<Values> =
        checked_hooks().filter_map(|(hook, text)| finding(hook, text)).collect();
    match unreadable(context) {
        Some((path, why)) if findings.is_empty() => CheckResult::unreadable(path, why),
        _ if paths.is_empty() => CheckResult::skipped(),
        _ => CheckResult::each(paths, findings),
    }
}

pub(super) fn without_interpreter(context: CheckContext<'_>) -> CheckResult {
    each(context, |hook, text| {
        let what = match (interpreter(text), &hook.interpreter) {
            (None, _) => "its first line names no interpreter".to_owned(),
            (Some(program), _) if program.ends_with('\r') => {
                format!(
                    "it has Windows line endings, so its interpreter is '{}\\r'",
                    program.trim_end()
                )
            }
            (Some(program), Some(None)) => format!("its interpreter {program} is not installed"),
            _ => return None,
        };
        let how = if text.contains('\r') {
            format!("remove the carriage returns: `sudo sed -i 's/\\r$//' {}`", word(&hook.path))
        } else {
            "make `#!/bin/sh` its first line".to_owned()
        };
        Some(vec![("path", word(&hook.path)), ("what", what), ("how", how)])
    })
}

pub(super) fn with_bash_functions(context: CheckContext<'_>) -> CheckResult {
    each(context, |hook, text| {
        let found = bash_function(text)?;
        let shell = hook.interpreter.as_ref()?.as_ref()?;
        matches!(shell.as_str(), "sh" | "dash")
            .then(|| vec![("path", word(&hook.path)), ("found", found.to_owned())])
    })
}

pub(super) fn writable_by_all(context: CheckContext<'_>) -> CheckResult {
    let libvirt = &context.host.libvirt;
    let mut read: Vec<String> = libvirt.hooks.iter().map(|hook| hook.path.clone()).collect();
    let finding = |exposure: &Exposure| {
        let mut values = vec![("what", exposure.who.clone())];
        match &exposure.link {
            Some(link) => {
                values.push((
                    "found",
                    format!("{}, to which the link {} leads", exposure.path, link.path),
                ));
                values.push((HELP, instead_of_link(context, link)));
            }
            None => values.push(("found", exposure.path.clone())),
        }
        values.push(("how", format!("{} {}", exposure.command, word(&exposure.path))));
        values
    };
    let findings: Vec<Values> = libvirt.exposed.iter().map(finding).collect();
    if !findings.is_empty() {
        read.extend(libvirt.exposed.iter().map(|exposure| exposure.path.clone()));
        read.dedup();
        return CheckResult::each(read, findings);
    }
    match unreadable(context) {
        Some((path, why)) => CheckResult::unreadable(path, why),
        None if read.is_empty() => CheckResult::skipped(),
        None => CheckResult::each(read, findings),
    }
}

/// The advice to replace a link, which leads to a file that other users can change, with a copy
/// that belongs to root.
fn instead_of_link(context: CheckContext<'_>, link: &Link) -> String {
    let (path, target) = (word(&link.path), word(&link.target));
    let name = link.path.rsplit('/').next().unwrap_or_default();
    if context.host.system == System::Nixos && !link.is_folder {
        return format!(
            "check its contents, then copy the file into the NixOS configuration: `sudo cp {target} {}`, set \
             `virtualisation.libvirtd.hooks.qemu.{name} = ./{name};`, and run `sudo nixos-rebuild switch`",
            word(&format!("/etc/nixos/{name}"))
        );
    }
    format!(
        "check its contents, then replace the link with a copy that belongs to root: `{}`",
        link.replacement(&target, &path)
    )
}

pub(super) fn not_executable(context: CheckContext<'_>) -> CheckResult {
    let hooks: Vec<&HookFile> = of_vgpus(context).map(|(hook, _)| hook).collect();
    if hooks.is_empty() {
        return CheckResult::skipped();
    }
    let found = hooks.iter().filter(|hook| !hook.is_executable);
    CheckResult::each(
        hooks.iter().map(|hook| hook.path.clone()),
        found.map(|hook| vec![("path", word(&hook.path))]).collect(),
    )
}

/// Checks for hooks that run gvtg-xml, as the emitted filter does, but cannot: it is in none of the
/// folders in which hooks look for programs, or AppArmor forbids it.
pub(super) fn without_program(context: CheckContext<'_>) -> CheckResult {
    let confinement = &context.host.confinement;
    let Some(programs) = confinement.programs.as_found() else { return CheckResult::skipped() };
    let calls: Vec<(&HookFile, &str)> = readable(context)
        .filter(|(hook, _)| hook.is_executable)
        .filter_map(|(hook, text)| Some((hook, program_call(text)?)))
        .collect();
    if calls.is_empty() {
        return CheckResult::skipped();
    }
    let finding = |(hook, call): &(&HookFile, &str)| -> Option<Values> {
        // If the hook gives a path, only that file is run.
        let program_at_path = call
            .starts_with('/')
            .then(|| Program { path: (*call).to_owned(), file: (*call).to_owned() });
        let candidates = program_at_path.as_ref().map_or(&programs[..], std::slice::from_ref);
        let Some(first_program) = candidates.first() else {
            let what = "it is not in a folder where hooks look for programs".to_owned();
            return Some(vec![
                ("path", word(&hook.path)),
                ("what", what),
                ("found", "target/release/gvtg-xml".to_owned()),
            ]);
        };
        let profile = confinement.profile.as_ref()?;
        if candidates.iter().any(|program| profile.may_run(&program.file)) {
            return None;
        }
        let what = format!(
            "{}'s AppArmor profile ({}) does not let hooks run {}",
            profile.daemon,
            profile.path,
            word(&first_program.path)
        );
        Some(vec![("path", word(&hook.path)), ("what", what), ("found", word(&first_program.path))])
    };
    let mut read: Vec<String> = calls.iter().map(|(hook, _)| hook.path.clone()).collect();
    read.extend(confinement.profile.iter().map(|profile| profile.path.clone()));
    CheckResult::each(read, calls.iter().filter_map(finding).collect())
}

/// Whether a file is a backup or a leftover of an editor or package manager, and not meant as a
/// hook.
fn is_leftover(path: &str) -> bool {
    const ENDS: &[&str] = &[
        "~",
        ".bak",
        ".old",
        ".orig",
        ".save",
        ".disabled",
        ".dpkg-old",
        ".dpkg-new",
        ".pacnew",
        ".pacsave",
        ".rpmnew",
    ];
    ENDS.iter().any(|end| path.ends_with(end))
        || path.rsplit('/').next().is_some_and(|name| name.starts_with('.'))
}

pub(super) fn folder_ignored(context: CheckContext<'_>) -> CheckResult {
    let Some(version) = context.host.libvirt.version else { return CheckResult::skipped() };
    let folder = context.host.system.hooks();
    if version >= FIRST_WITH_FOLDER {
        return CheckResult::fine([folder], vec![]);
    }
    let hooks_in_folder = of_vgpus(context).filter(|(hook, _)| hook.path.contains("/qemu.d/"));
    let values = |(hook, _): (&HookFile, &str)| {
        vec![("path", word(&hook.path)), ("libvirt", version.to_string())]
    };
    CheckResult::each([folder], hooks_in_folder.map(values).collect())
}

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
        Some((domain, hook, hook.text.as_found().filter(|text| makes_vgpus(text))?))
    });
    with_text
        .map(|(domain, hook, text)| CreatingHook {
            path: &hook.path,
            setups: setups(text),
            creations: Creations::of(text),
            domain,
        })
        .collect()
}

pub(super) fn two(context: CheckContext<'_>) -> CheckResult {
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
    if let Some(setup) = first.setups.iter().find(|setup| other.creations.name_uuid(&setup.uuid)) {
        return Some(format!("the vGPU {}", setup.uuid));
    }
    // A VM with two vGPUs may get one from each hook.
    let has_several =
        |name: &str| context.guests.iter().any(|guest| guest.name == name && guest.vgpus.len() > 1);
    let is_for = |setup: &&Setup| {
        let is_named =
            other.creations.name_domain(&setup.name) || other.domain == Some(setup.name.as_str());
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

pub(super) fn missing(context: CheckContext<'_>) -> CheckResult {
    if context.able().is_none() || !context.host.libvirt.is_installed {
        return CheckResult::skipped();
    }
    if let Some((hook, _)) = of_vgpus(context).next() {
        return CheckResult::fine([hook.path.clone()], vec![("path", word(&hook.path))]);
    }
    if let Some((path, why)) = unreadable(context) {
        return CheckResult::unreadable(path, why);
    }
    if !context.host.libvirt.mdevctl.is_empty() {
        return CheckResult::fine(
            ["/etc/mdevctl.d"],
            vec![("path", "mdevctl (/etc/mdevctl.d)".to_owned())],
        );
    }
    let folder = context.host.system.hooks();
    CheckResult::wrong([format!("{folder}/qemu"), format!("{folder}/qemu.d")], vec![])
}

/// The script of a hook: its lines without comments and without those that name a domain or GPU.
fn script(text: &str) -> Vec<&str> {
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter(|line| !line.starts_with("setup_gpu ") && !line.starts_with("GVT_PCI=")).collect()
}

pub(super) fn outdated(context: CheckContext<'_>) -> CheckResult {
    // Only the emitted hook has this line.
    let emitted_hooks: Vec<(&HookFile, &str)> =
        of_vgpus(context).filter(|(_, text)| text.contains("made=/run/gvtg")).collect();
    if emitted_hooks.is_empty() {
        return CheckResult::skipped();
    }
    let current: Vec<String> = [Style::DropIn, Style::Whole, Style::Session]
        .into_iter()
        .map(|style| file(&[], style, "").text)
        .collect();
    let is_outdated = |text: &str| !current.iter().any(|current| script(current) == script(text));
    let values = |hook: &HookFile| -> Values {
        [("path", word(&hook.path))].into_iter().chain(help_on_nixos(context, &hook.path)).collect()
    };
    let outdated_hooks =
        emitted_hooks.iter().filter(|(_, text)| is_outdated(text)).map(|(hook, _)| values(hook));
    CheckResult::each(
        emitted_hooks.iter().map(|(hook, _)| hook.path.clone()),
        outdated_hooks.collect(),
    )
}

/// The help for regenerating a hook on NixOS, where the configuration must contain it: libvirtd's
/// service removes other files from the hook folder when it starts.
pub(super) fn help_on_nixos(
    context: CheckContext<'_>,
    path: &str,
) -> Option<(&'static str, String)> {
    let name = path.rsplit('/').next().filter(|_| context.host.system == System::Nixos)?;
    let write = format!(
        "`gvtg-xml emit hook win10.xml … > hook`, `sudo install -m 755 hook {}`",
        word(&format!("/etc/nixos/{name}"))
    );
    Some((
        HELP,
        format!(
            "regenerate it from the current XML of all domains that it serves: {write}, `sudo nixos-rebuild switch`, then reboot"
        ),
    ))
}
