//! Checks of the hooks: whether libvirt runs them, and whether they create the right vGPUs.

use super::{CheckContext, CheckResult, HELP, Values};
use crate::emit::hook::{Style, file};
use crate::emit::shell::word;
use crate::host::Probe;
use crate::host::hook::creates_vgpus;
use crate::host::libvirt::HookFile;
use crate::host::system::System;

mod duplicate;
mod executable;
mod exposed;

pub(super) use duplicate::duplicate_hooks;
pub(super) use executable::{
    folder_ignored, not_executable, with_bash_functions, without_interpreter, without_program,
};
pub(super) use exposed::writable_by_all;

/// The readable hooks, each with its text; without backup copies that libvirt does not run.
fn readable(context: CheckContext<'_>) -> impl Iterator<Item = (&HookFile, &str)> {
    let hooks = context
        .host
        .libvirt
        .hooks
        .iter()
        .filter(|hook| hook.is_executable || !is_leftover(&hook.path));
    hooks.filter_map(|hook| hook.text.as_present().map(|text| (hook, text.as_str())))
}

/// The readable hooks that create vGPUs.
pub(in crate::host::checks) fn vgpu_hooks(
    context: CheckContext<'_>,
) -> impl Iterator<Item = (&HookFile, &str)> {
    readable(context).filter(|(_, text)| creates_vgpus(text))
}

/// The executable hook that loads kvmgt before it creates a vGPU, as the emitted hook does.
pub(in crate::host::checks) fn hook_that_loads_kvmgt(
    context: CheckContext<'_>,
) -> Option<&HookFile> {
    vgpu_hooks(context)
        .find(|(hook, text)| hook.is_executable && text.contains("modprobe kvmgt"))
        .map(|(hook, _)| hook)
}

/// The first hook or hook folder that cannot be read, and why.
pub(in crate::host::checks) fn unreadable(context: CheckContext<'_>) -> Option<(&str, &str)> {
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

pub(in crate::host::checks) fn missing(context: CheckContext<'_>) -> CheckResult {
    if context.supported_card().is_none() || !context.host.libvirt.is_installed {
        return CheckResult::skipped();
    }
    if let Some((hook, _)) = vgpu_hooks(context).next() {
        return CheckResult::passed([hook.path.clone()], vec![("path", word(&hook.path))]);
    }
    if let Some((path, why)) = unreadable(context) {
        return CheckResult::unreadable(path, why);
    }
    if !context.host.libvirt.mdevctl.is_empty() {
        return CheckResult::passed(
            ["/etc/mdevctl.d"],
            vec![("path", "mdevctl (/etc/mdevctl.d)".to_owned())],
        );
    }
    let folder = context.host.system.hooks();
    CheckResult::failed([format!("{folder}/qemu"), format!("{folder}/qemu.d")], vec![])
}

/// The script of a hook: its lines without comments and without those that name a domain or GPU.
fn script(text: &str) -> Vec<&str> {
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter(|line| !line.starts_with("setup_gpu ") && !line.starts_with("GVT_PCI=")).collect()
}

pub(in crate::host::checks) fn outdated(context: CheckContext<'_>) -> CheckResult {
    // Only the emitted hook has this line.
    let emitted_hooks: Vec<(&HookFile, &str)> =
        vgpu_hooks(context).filter(|(_, text)| text.contains("made=/run/gvtg")).collect();
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
pub(in crate::host::checks) fn help_on_nixos(
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
