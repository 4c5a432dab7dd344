//! The steps after a removal.

use super::super::super::io::print_note;
use super::plan::{NIXOS_HOOKS, Plan};
use crate::emit::cmdline::{GRUB_FILE, KERNEL_INSTALL};
use crate::emit::manifest::Manifest;
use crate::emit::parameter::{added_to, words};
use crate::emit::{FollowUp, follow_ups_for, shell, step};
use crate::host::system::System;
use crate::host::{Root, boot};

/// Prints the next steps, in order.
pub(super) fn print_next_steps(root: &Root, manifest: &Manifest, plan: &Plan<'_>) {
    for uuid in root.names("/run/gvtg").present().unwrap_or_default() {
        print_note(&format!(
            "the vGPU {uuid} still exists, and the hook no longer removes it: once its VM is off, run \
             `echo 1 | sudo tee /sys/bus/mdev/devices/{uuid}/remove`"
        ));
    }
    let (mut steps, by_hand) = next_steps(root, manifest, plan);
    steps = step::merge(steps);
    steps
        .iter()
        .filter_map(FollowUp::text_of_removal)
        .for_each(|text| print_note(&format!("then {text}")));
    if let Some(text) = by_hand {
        print_note(&format!("then {text}, and reboot"));
    }
}

/// Returns the next steps, and what the user has to remove by hand.
fn next_steps(
    root: &Root,
    manifest: &Manifest,
    plan: &Plan<'_>,
) -> (Vec<FollowUp>, Option<String>) {
    let system = System::read(root);
    if system == System::Nixos {
        let hooks = manifest.entries.iter().filter(|entry| entry.path.starts_with(NIXOS_HOOKS));
        let steps = hooks
            .map(|hook| FollowUp::CopyHook(hook.path.clone()))
            .chain([FollowUp::RebuildNixos, FollowUp::Reboot]);
        return (steps.collect(), None);
    }
    let removed =
        plan.removed.iter().map(|removal| removal.entry).chain(plan.undone.iter().copied());
    let kept_command_line =
        plan.left.iter().map(|(entry, _)| *entry).filter(|entry| entry.path == KERNEL_INSTALL);
    let mut steps: Vec<FollowUp> =
        removed.chain(kept_command_line).flat_map(|entry| follow_ups_for(&entry.path)).collect();
    if system == System::Ostree {
        // Module options in /etc/modprobe.d never took effect there.
        steps
            .iter_mut()
            .filter(|step| **step == FollowUp::RegenerateInitramfs)
            .for_each(|step| *step = FollowUp::AppendKernelArguments);
    }
    if let Some(line) = boot::grub_line_with(root, GRUB_FILE).filter(|_| !root.has(GRUB_FILE)) {
        steps.extend([FollowUp::SourceGrubFile(line), FollowUp::RegenerateGrub]);
    }
    if plan.removed.iter().any(|removal| removal.entry.path == KERNEL_INSTALL) {
        let running = boot::command_line(root).filter(boot::CommandLine::is_running);
        let words = running.map(|line| added_to(&line.text)).unwrap_or_default();
        steps
            .extend(Some(FollowUp::BootWithout(shell::list(&words))).filter(|_| !words.is_empty()));
    }
    let has_parameters = |path: &str| {
        path.starts_with("/etc/modprobe.d/")
            || path.starts_with("/etc/default/grub.d/")
            || path == KERNEL_INSTALL
    };
    if manifest.entries.iter().any(|entry| has_parameters(&entry.path)) {
        return (steps, None);
    }
    let (more, by_hand) = steps_for_other_parameters(root, system, manifest.has_printed_parameters);
    steps.extend(more);
    (steps, by_hand)
}

/// Returns the steps for parameters that are in none of this program's files: those printed for the
/// user to add, and those that a boot loader still has.
fn steps_for_other_parameters(
    root: &Root,
    system: System,
    were_printed: bool,
) -> (Vec<FollowUp>, Option<String>) {
    let next_boot = boot::next_boot(root);
    let is_added =
        |word: &boot::BootFile| word.words.iter().any(|word| words().contains(&word.text));
    let files_with_parameters: Vec<&boot::BootFile> =
        next_boot.files().filter(|file| is_added(file)).collect();
    if system == System::Ostree {
        let is_needed = were_printed || !files_with_parameters.is_empty();
        return (
            if is_needed {
                vec![FollowUp::AppendKernelArguments, FollowUp::Reboot]
            } else {
                Vec::new()
            },
            None,
        );
    }
    let (menus, files): (Vec<&boot::BootFile>, Vec<&boot::BootFile>) =
        files_with_parameters.iter().partition(|file| file.path.ends_with("/grub.cfg"));
    if !files.is_empty() {
        let found_words: Vec<String> = words()
            .into_iter()
            .filter(|word| {
                files.iter().any(|file| file.words.iter().any(|boot_word| boot_word.text == *word))
            })
            .collect();
        let paths: Vec<String> = files.iter().map(|file| root.shown(&file.path)).collect();
        let text = format!(
            "remove {} from the kernel command line in {}",
            shell::list(&found_words),
            shell::list(&paths)
        );
        return (
            if menus.is_empty() { Vec::new() } else { vec![FollowUp::RegenerateGrub] },
            Some(text),
        );
    }
    if !menus.is_empty() {
        return (vec![FollowUp::RegenerateGrub, FollowUp::Reboot], None);
    }
    let all = shell::list(&words()[1..]);
    let text = format!(
        "remove {} from the kernel command line where you added it ({all} too)",
        words()[0]
    );
    (Vec::new(), Some(text).filter(|_| were_printed && next_boot.files().next().is_none()))
}
