//! The hooks: whether libvirt runs them, and whether they run.

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

/// The first libvirt that looks into `qemu.d`.
const FIRST_WITH_FOLDER: Version = Version::new(6, 5, 0);

/// The hooks that can be read, each with its text; without copies that libvirt does not run and
/// nobody means as hooks.
fn readable(asked: CheckContext<'_>) -> impl Iterator<Item = (&HookFile, &str)> {
    let hooks = asked
        .host
        .libvirt
        .hooks
        .iter()
        .filter(|hook| hook.is_executable || !is_leftover(&hook.path));
    hooks.filter_map(|hook| hook.text.as_found().map(|text| (hook, text.as_str())))
}

/// The hooks that make vGPUs.
pub(super) fn of_vgpus(asked: CheckContext<'_>) -> impl Iterator<Item = (&HookFile, &str)> {
    readable(asked).filter(|(_, text)| makes_vgpus(text))
}

/// The hook that loads kvmgt before it makes a vGPU, as this program's does.
pub(super) fn that_loads_kvmgt(asked: CheckContext<'_>) -> Option<&HookFile> {
    of_vgpus(asked)
        .find(|(hook, text)| hook.is_executable && text.contains("modprobe kvmgt"))
        .map(|(hook, _)| hook)
}

/// A hook or a folder of them that can't be read, and why.
pub(super) fn unreadable(asked: CheckContext<'_>) -> Option<(&str, &str)> {
    let libvirt = &asked.host.libvirt;
    let of_hook = |hook: &'_ HookFile| matches!(hook.text, Probe::Unreadable(_));
    let folder = libvirt.unreadable.first().map(|(path, why)| (path.as_str(), why.as_str()));
    folder.or_else(|| {
        let hook = libvirt.hooks.iter().find(|hook| of_hook(hook))?;
        match &hook.text {
            Probe::Unreadable(why) => Some((hook.path.as_str(), why.as_str())),
            _ => None,
        }
    })
}

/// One finding for each hook of which `fault` says something; those that libvirt does not run are
/// nobody's trouble.
fn each<'h>(
    asked: CheckContext<'h>,
    fault: impl Fn(&'h HookFile, &'h str) -> Option<Values>,
) -> CheckResult {
    let run = || readable(asked).filter(|(hook, text)| hook.is_executable || makes_vgpus(text));
    let paths: Vec<String> = run().map(|(hook, _)| hook.path.clone()).collect();
    let found: Vec<Values> = run().filter_map(|(hook, text)| fault(hook, text)).collect();
    match unreadable(asked) {
        Some((path, why)) if found.is_empty() => CheckResult::unreadable(path, why),
        _ if paths.is_empty() => CheckResult::skipped(),
        _ => CheckResult::each(paths, found),
    }
}

pub(super) fn without_interpreter(asked: CheckContext<'_>) -> CheckResult {
    each(asked, |hook, text| {
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

pub(super) fn with_bash_functions(asked: CheckContext<'_>) -> CheckResult {
    each(asked, |hook, text| {
        let found = bash_function(text)?;
        let shell = hook.interpreter.as_ref()?.as_ref()?;
        matches!(shell.as_str(), "sh" | "dash")
            .then(|| vec![("path", word(&hook.path)), ("found", found.to_owned())])
    })
}

pub(super) fn writable_by_all(asked: CheckContext<'_>) -> CheckResult {
    let libvirt = &asked.host.libvirt;
    let mut read: Vec<String> = libvirt.hooks.iter().map(|hook| hook.path.clone()).collect();
    let value = |exposure: &Exposure| {
        let mut values = vec![("what", exposure.who.clone())];
        match &exposure.link {
            Some(link) => {
                values.push((
                    "found",
                    format!("{}, to which the link {} leads", exposure.path, link.path),
                ));
                values.push((HELP, instead_of_link(asked, link)));
            }
            None => values.push(("found", exposure.path.clone())),
        }
        values.push(("how", format!("{} {}", exposure.command, word(&exposure.path))));
        values
    };
    let found: Vec<Values> = libvirt.exposed.iter().map(value).collect();
    if !found.is_empty() {
        read.extend(libvirt.exposed.iter().map(|exposure| exposure.path.clone()));
        read.dedup();
        return CheckResult::each(read, found);
    }
    match unreadable(asked) {
        Some((path, why)) => CheckResult::unreadable(path, why),
        None if read.is_empty() => CheckResult::skipped(),
        None => CheckResult::each(read, found),
    }
}

/// How a hook gets to its place as root's own file, where a link leads to a place that other users
/// can change.
fn instead_of_link(asked: CheckContext<'_>, link: &Link) -> String {
    let (path, target) = (word(&link.path), word(&link.target));
    let name = link.path.rsplit('/').next().unwrap_or_default();
    if asked.host.system == System::Nixos && !link.is_folder {
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

pub(super) fn not_executable(asked: CheckContext<'_>) -> CheckResult {
    let hooks: Vec<&HookFile> = of_vgpus(asked).map(|(hook, _)| hook).collect();
    if hooks.is_empty() {
        return CheckResult::skipped();
    }
    let found = hooks.iter().filter(|hook| !hook.is_executable);
    CheckResult::each(
        hooks.iter().map(|hook| hook.path.clone()),
        found.map(|hook| vec![("path", word(&hook.path))]).collect(),
    )
}

/// Hooks that try to run gvtg-xml, as the filter does, but can't: it is in no folder where they
/// look, or AppArmor forbids it.
pub(super) fn without_program(asked: CheckContext<'_>) -> CheckResult {
    let confinement = &asked.host.confinement;
    let Some(programs) = confinement.programs.as_found() else { return CheckResult::skipped() };
    let calls: Vec<(&HookFile, &str)> = readable(asked)
        .filter(|(hook, _)| hook.is_executable)
        .filter_map(|(hook, text)| Some((hook, program_call(text)?)))
        .collect();
    if calls.is_empty() {
        return CheckResult::skipped();
    }
    let fault = |(hook, call): &(&HookFile, &str)| -> Option<Values> {
        // If the hook gives a path, only that file counts.
        let named = call
            .starts_with('/')
            .then(|| Program { path: (*call).to_owned(), file: (*call).to_owned() });
        let candidates = named.as_ref().map_or(&programs[..], std::slice::from_ref);
        let Some(found) = candidates.first() else {
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
            word(&found.path)
        );
        Some(vec![("path", word(&hook.path)), ("what", what), ("found", word(&found.path))])
    };
    let mut read: Vec<String> = calls.iter().map(|(hook, _)| hook.path.clone()).collect();
    read.extend(confinement.profile.iter().map(|profile| profile.path.clone()));
    CheckResult::each(read, calls.iter().filter_map(fault).collect())
}

/// Files that editors and package managers leave, and that nobody means as hooks.
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

pub(super) fn folder_ignored(asked: CheckContext<'_>) -> CheckResult {
    let Some(version) = asked.host.libvirt.version else { return CheckResult::skipped() };
    let folder = asked.host.system.hooks();
    if version >= FIRST_WITH_FOLDER {
        return CheckResult::fine([folder], vec![]);
    }
    let inside = of_vgpus(asked).filter(|(hook, _)| hook.path.contains("/qemu.d/"));
    let values = |(hook, _): (&HookFile, &str)| {
        vec![("path", word(&hook.path)), ("libvirt", version.to_string())]
    };
    CheckResult::each([folder], inside.map(values).collect())
}

/// A hook that makes vGPUs, or a script that one runs.
struct Maker<'h> {
    path: &'h str,
    setups: Vec<Setup>,
    creations: Creations,
    /// The only domain that it is run for.
    domain: Option<&'h str>,
}

/// The hooks that make vGPUs and that libvirt runs, and the scripts that they run.
fn makers(asked: CheckContext<'_>) -> Vec<Maker<'_>> {
    let libvirt = &asked.host.libvirt;
    let hooks = libvirt.hooks.iter().map(|hook| (None, hook));
    let scripts = libvirt.scripts.iter().map(|(domain, hook)| (Some(domain.as_str()), hook));
    let all = hooks.chain(scripts).filter(|(_, hook)| hook.is_executable);
    let making = all.filter_map(|(domain, hook)| {
        Some((domain, hook, hook.text.as_found().filter(|text| makes_vgpus(text))?))
    });
    making
        .map(|(domain, hook, text)| Maker {
            path: &hook.path,
            setups: setups(text),
            creations: Creations::of(text),
            domain,
        })
        .collect()
}

pub(super) fn two(asked: CheckContext<'_>) -> CheckResult {
    let makers = makers(asked);
    if makers.len() < 2 {
        return CheckResult::skipped();
    }
    let mut found: Vec<Values> = Vec::new();
    for (index, one) in makers.iter().enumerate() {
        for other in &makers[index + 1..] {
            if let Some(what) = made_by_both(asked, one, other) {
                found.push(vec![
                    ("path", word(one.path)),
                    ("found", word(other.path)),
                    ("what", what),
                ]);
            }
        }
    }
    CheckResult::each(makers.iter().map(|maker| maker.path.to_owned()), found)
}

/// The vGPU that two hooks make, or the VM for which both make one.
fn made_by_both(asked: CheckContext<'_>, one: &Maker<'_>, other: &Maker<'_>) -> Option<String> {
    let mut pairs =
        one.setups.iter().flat_map(|setup| other.setups.iter().map(move |their| (setup, their)));
    let both = pairs.clone().find(|(setup, their)| is_one_uuid(setup, their));
    match both.or_else(|| {
        pairs.find(|(setup, their)| setup.name == their.name && !has_both(asked, setup, their))
    }) {
        Some((setup, their)) if is_one_uuid(setup, their) => {
            Some(format!("the vGPU {}", setup.uuid))
        }
        Some((setup, their)) => {
            Some(format!("a vGPU for {} ({} and {})", word(&setup.name), setup.uuid, their.uuid))
        }
        None => made_by_hand(asked, one, other).or_else(|| made_by_hand(asked, other, one)),
    }
}

/// The vGPU of a hook's setup line, or its VM, where the other hook makes it by commands of its
/// own.
fn made_by_hand(asked: CheckContext<'_>, one: &Maker<'_>, other: &Maker<'_>) -> Option<String> {
    if let Some(setup) = one.setups.iter().find(|setup| other.creations.name_uuid(&setup.uuid)) {
        return Some(format!("the vGPU {}", setup.uuid));
    }
    // A VM with two vGPUs may have one of each.
    let has_several =
        |name: &str| asked.guests.iter().any(|guest| guest.name == name && guest.vgpus.len() > 1);
    let is_for = |setup: &&Setup| {
        let is_named =
            other.creations.name_domain(&setup.name) || other.domain == Some(setup.name.as_str());
        is_named && !other.creations.is_empty() && !has_several(&setup.name)
    };
    one.setups.iter().find(is_for).map(|setup| format!("a vGPU for {}", word(&setup.name)))
}

fn is_one_uuid(one: &Setup, other: &Setup) -> bool {
    one.uuid.eq_ignore_ascii_case(&other.uuid)
}

/// Whether a domain that the user named has both vGPUs.
fn has_both(asked: CheckContext<'_>, one: &Setup, other: &Setup) -> bool {
    let has = |guest: &Guest, setup: &Setup| {
        guest.vgpus.iter().any(|vgpu| parse_uuid(&setup.uuid) == Some(vgpu.uuid))
    };
    asked.guests.iter().any(|guest| guest.name == one.name && has(guest, one) && has(guest, other))
}

pub(super) fn missing(asked: CheckContext<'_>) -> CheckResult {
    if asked.able().is_none() || !asked.host.libvirt.is_installed {
        return CheckResult::skipped();
    }
    if let Some((hook, _)) = of_vgpus(asked).next() {
        return CheckResult::fine([hook.path.clone()], vec![("path", word(&hook.path))]);
    }
    if let Some((path, why)) = unreadable(asked) {
        return CheckResult::unreadable(path, why);
    }
    if !asked.host.libvirt.mdevctl.is_empty() {
        return CheckResult::fine(
            ["/etc/mdevctl.d"],
            vec![("path", "mdevctl (/etc/mdevctl.d)".to_owned())],
        );
    }
    let folder = asked.host.system.hooks();
    CheckResult::wrong([format!("{folder}/qemu"), format!("{folder}/qemu.d")], vec![])
}

/// The lines that do something, those aside that name a domain or a GPU.
fn script(text: &str) -> Vec<&str> {
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter(|line| !line.starts_with("setup_gpu ") && !line.starts_with("GVT_PCI=")).collect()
}

pub(super) fn outdated(asked: CheckContext<'_>) -> CheckResult {
    // Only a hook of this program's remembers what it made there.
    let ours: Vec<(&HookFile, &str)> =
        of_vgpus(asked).filter(|(_, text)| text.contains("made=/run/gvtg")).collect();
    if ours.is_empty() {
        return CheckResult::skipped();
    }
    let current: Vec<String> = [Style::DropIn, Style::Whole, Style::Session]
        .into_iter()
        .map(|style| file(&[], style, "").text)
        .collect();
    let differs = |text: &str| !current.iter().any(|current| script(current) == script(text));
    let values = |hook: &HookFile| -> Values {
        [("path", word(&hook.path))].into_iter().chain(help_on_nixos(asked, &hook.path)).collect()
    };
    let found = ours.iter().filter(|(_, text)| differs(text)).map(|(hook, _)| values(hook));
    CheckResult::each(ours.iter().map(|(hook, _)| hook.path.clone()), found.collect())
}

/// The help for writing a hook anew on NixOS, whose configuration has the file: one installed in
/// libvirt's folder is gone after a restart.
pub(super) fn help_on_nixos(asked: CheckContext<'_>, path: &str) -> Option<(&'static str, String)> {
    let name = path.rsplit('/').next().filter(|_| asked.host.system == System::Nixos)?;
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
