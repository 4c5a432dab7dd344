//! Checks whether hooks can run: their mode, interpreter and syntax, and the program that they
//! call.

use super::super::{CheckContext, CheckResult, Values};
use super::{readable, unreadable, vgpu_hooks};
use crate::emit::shell::word;
use crate::host::confinement::InstalledCopy;
use crate::host::hook::{bash_function, creates_vgpus, interpreter, program_call};
use crate::host::libvirt::HookFile;
use crate::version::Version;

/// The first version of libvirt that runs the hooks in `qemu.d`.
const FIRST_WITH_FOLDER: Version = Version::new(6, 5, 0);

/// Runs a check on each hook; `finding` returns the values of a finding. Hooks that libvirt does
/// not run are left out unless they create vGPUs.
fn each<'h>(
    context: CheckContext<'h>,
    finding: impl Fn(&'h HookFile, &'h str) -> Option<Values>,
) -> CheckResult {
    let checked_hooks =
        || readable(context).filter(|(hook, text)| hook.is_executable || creates_vgpus(text));
    let paths: Vec<String> = checked_hooks().map(|(hook, _)| hook.path.clone()).collect();
    let findings: Vec<Values> =
        checked_hooks().filter_map(|(hook, text)| finding(hook, text)).collect();
    match unreadable(context) {
        Some((path, why)) if findings.is_empty() => CheckResult::unreadable(path, why),
        _ if paths.is_empty() => CheckResult::skipped(),
        _ => CheckResult::each(paths, findings),
    }
}

pub(in crate::host::checks) fn without_interpreter(context: CheckContext<'_>) -> CheckResult {
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

pub(in crate::host::checks) fn with_bash_functions(context: CheckContext<'_>) -> CheckResult {
    each(context, |hook, text| {
        let found = bash_function(text)?;
        let shell = hook.interpreter.as_ref()?.as_ref()?;
        matches!(shell.as_str(), "sh" | "dash")
            .then(|| vec![("path", word(&hook.path)), ("found", found.to_owned())])
    })
}

pub(in crate::host::checks) fn not_executable(context: CheckContext<'_>) -> CheckResult {
    let hooks: Vec<&HookFile> = vgpu_hooks(context).map(|(hook, _)| hook).collect();
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
pub(in crate::host::checks) fn without_program(context: CheckContext<'_>) -> CheckResult {
    let confinement = &context.host.confinement;
    let Some(installed_copies) = confinement.installed_copies.as_present() else {
        return CheckResult::skipped();
    };
    let calls: Vec<(&HookFile, &str)> = readable(context)
        .filter(|(hook, _)| hook.is_executable)
        .filter_map(|(hook, text)| Some((hook, program_call(text)?)))
        .collect();
    if calls.is_empty() {
        return CheckResult::skipped();
    }
    let finding = |(hook, call): &(&HookFile, &str)| -> Option<Values> {
        // If the hook gives a path, only the copy there is run.
        let copy_at_path = call
            .starts_with('/')
            .then(|| InstalledCopy { path: (*call).to_owned(), file: (*call).to_owned() });
        let candidates = copy_at_path.as_ref().map_or(&installed_copies[..], std::slice::from_ref);
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
    let mut files_read: Vec<String> = calls.iter().map(|(hook, _)| hook.path.clone()).collect();
    files_read.extend(confinement.profile.iter().map(|profile| profile.path.clone()));
    CheckResult::each(files_read, calls.iter().filter_map(finding).collect())
}

pub(in crate::host::checks) fn folder_ignored(context: CheckContext<'_>) -> CheckResult {
    let Some(version) = context.host.libvirt.version else { return CheckResult::skipped() };
    let folder = context.host.system.hooks();
    if version >= FIRST_WITH_FOLDER {
        return CheckResult::passed([folder], vec![]);
    }
    let hooks_in_folder = vgpu_hooks(context).filter(|(hook, _)| hook.path.contains("/qemu.d/"));
    let values = |(hook, _): (&HookFile, &str)| {
        vec![("path", word(&hook.path)), ("libvirt", version.to_string())]
    };
    CheckResult::each([folder], hooks_in_folder.map(values).collect())
}
