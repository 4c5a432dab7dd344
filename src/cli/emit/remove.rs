//! `emit all --remove`: removes the files that an earlier run wrote, if they are unchanged.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::super::Status;
use super::super::io::{StdoutError, print, print_note};
use super::super::signals::uninterrupted;
use super::stage::{Staged, clean_up, put_back, stage};
use super::tree::sudo_hint;
use crate::emit::cmdline::{GRUB_FILE, KERNEL_INSTALL};
use crate::emit::manifest::{self, Entry, Manifest};
use crate::emit::parameter::{added_to, words};
use crate::emit::{FOLDERS, FollowUp, follow_ups_for, shell, step};
use crate::host::system::System;
use crate::host::{Probe, Root, boot};
use crate::text::sanitize::{clean_path, system_error};

/// Folder of libvirt's hooks on NixOS.
const NIXOS_HOOKS: &str = "/var/lib/libvirt/hooks";

/// An error of `emit all --remove`.
#[derive(Debug, Error, Diagnostic)]
pub(super) enum RemoveError {
    #[error("{root}: is not a folder")]
    NotAFolder { root: String },
    #[error("{path}: can't be read: {reason}")]
    Manifest { path: String, reason: String },
    #[error("{path}: {}{}", system_error(error), sudo_hint(error))]
    Examine { path: String, error: io::Error },
    #[error("{}: can't be removed: {}{}", clean_path(path), system_error(error), sudo_hint(error))]
    Remove { path: PathBuf, error: io::Error },
    #[error("{}: can't be restored: {}{}", clean_path(path), system_error(error), sudo_hint(error))]
    Restore { path: PathBuf, error: io::Error },
    #[error("{}: can't be written: {}{}", clean_path(path), system_error(error), sudo_hint(error))]
    Write { path: PathBuf, error: io::Error },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Stdout(#[from] StdoutError),
}

/// The files of a manifest, grouped by what happens to them.
#[derive(Default)]
struct Plan<'m> {
    /// Files to remove.
    removed: Vec<Removal<'m>>,
    /// Files that stay, each with the reason.
    left: Vec<(&'m Entry, String)>,
    /// Files that stay, but contain nothing that this program added.
    undone: Vec<&'m Entry>,
}

/// A file to remove.
struct Removal<'m> {
    entry: &'m Entry,
    /// Its path on this machine.
    path: PathBuf,
    /// Where the file that it replaced is kept, which is restored.
    kept: Option<PathBuf>,
}

/// Removes the unchanged files that the manifest below the root lists, or lists the files that it
/// would remove.
///
/// # Errors
/// Fails if a file can't be examined or removed.
pub(super) fn remove(root: &Root, is_dry: bool, quiet: bool) -> Result<Status, RemoveError> {
    if !root.has("/") {
        return Err(RemoveError::NotAFolder { root: root.shown("/") });
    }
    let text = match root.text(manifest::PATH) {
        Probe::Present(text) => text,
        Probe::Absent => {
            if !is_dry {
                // A run may have been interrupted before it wrote the manifest.
                clean_up_all(root, &Manifest::default());
            }
            print_note(&format!("nothing to remove: there is no {}", root.shown(manifest::PATH)));
            return Ok(Status::Clean);
        }
        Probe::Unreadable(reason) => {
            return Err(RemoveError::Manifest { path: root.shown(manifest::PATH), reason });
        }
    };
    let manifest = Manifest::read(&text);
    let mut plan = plan(root, &manifest)?;
    // The hook first, because it needs the other files.
    plan.removed.sort_by_key(|removal| removal.entry.mode.is_none_or(|mode| mode & 0o111 == 0));
    if !is_dry {
        uninterrupted(|| carry_out(root, &text, &manifest, &plan))?;
    }
    let manifest_paths = if plan.left.is_empty() {
        vec![root.resolve(manifest::PATH).unwrap_or_default()]
    } else {
        Vec::new()
    };
    let paths: String = plan
        .removed
        .iter()
        .map(|removal| &removal.path)
        .chain(&manifest_paths)
        .map(|path| clean_path(path) + "\n")
        .collect();
    print(&paths)?;
    for Removal { path, kept, .. } in &plan.removed {
        if let Some(kept) = kept {
            let (done, path, kept) = (
                if is_dry { "would be restored" } else { "restored" },
                clean_path(path),
                clean_path(kept),
            );
            print_note(&format!(
                "{done}: {path}, as it was before --force replaced it (from {kept})"
            ));
        }
    }
    for (entry, reason) in &plan.left {
        print_note(&format!("not removed: {}: {reason}", root.shown(&entry.path)));
    }
    if !quiet && !is_dry {
        say_next(root, &manifest, &plan);
    }
    Ok(if is_dry || !plan.left.is_empty() { Status::Findings } else { Status::Clean })
}

fn plan<'m>(root: &Root, manifest: &'m Manifest) -> Result<Plan<'m>, RemoveError> {
    let mut plan = Plan::default();
    for entry in &manifest.entries {
        let state = examine(root, entry)
            .map_err(|error| RemoveError::Examine { path: root.shown(&entry.path), error })?;
        match state {
            InstalledFile::Unchanged(path, kept) => {
                plan.removed.push(Removal { entry, path, kept })
            }
            InstalledFile::Undone => plan.undone.push(entry),
            InstalledFile::Other(reason) => plan.left.push((entry, reason)),
            InstalledFile::Nothing => {}
        }
    }
    Ok(plan)
}

/// The state of a file that a manifest lists.
enum InstalledFile {
    /// Unchanged: its path on this machine, and where the file that it replaced is kept.
    Unchanged(PathBuf, Option<PathBuf>),
    /// A file that stays, and the reason.
    Other(String),
    /// The user has removed what this program added.
    Undone,
    Nothing,
}

fn examine(root: &Root, entry: &Entry) -> io::Result<InstalledFile> {
    if !could_have_written(&entry.path) {
        return Ok(InstalledFile::Other("gvtg-xml does not write this file".into()));
    }
    let kept =
        if entry.replaced.is_some() { root.resolve(&entry.replaced_path()).ok() } else { None };
    let kept = kept.filter(|kept| fs::symlink_metadata(kept).is_ok_and(|kept| kept.is_file()));
    let (folder, name) = split(&entry.path);
    let path = root.resolve(folder)?.join(name);
    let metadata = match fs::symlink_metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(if kept.is_some() {
                InstalledFile::Unchanged(path, kept)
            } else {
                InstalledFile::Nothing
            });
        }
        Err(error) => return Err(error),
    };
    let other = |reason: String| {
        let kept = kept
            .as_deref()
            .map(|kept| format!("; the file that it replaced is kept as {}", clean_path(kept)))
            .unwrap_or_default();
        Ok(InstalledFile::Other(reason + &kept))
    };
    if metadata.is_symlink() && fs::read_link(&path)?.starts_with("/nix/store") {
        // NixOS generates this link from its configuration, and removes it with that.
        return Ok(InstalledFile::Nothing);
    }
    if !metadata.is_file() {
        return other(if metadata.is_symlink() {
            "it is a symlink".into()
        } else {
            "it is not a regular file".into()
        });
    }
    let mode = metadata.permissions().mode() & 0o7777;
    let bytes = fs::read(&path)?;
    if entry.path == KERNEL_INSTALL && !(entry.is_new && entry.matches(&bytes)) {
        return Ok(match shell::list(&added_to(&String::from_utf8_lossy(&bytes))) {
            words if words.is_empty() => InstalledFile::Undone,
            words => InstalledFile::Other(format!(
                "it holds the rest of the machine's command line too: remove {words} from it by hand"
            )),
        });
    }
    if !entry.matches(&bytes) {
        // The old file: an interrupted run has not replaced it yet, or an interrupted removal has
        // restored it.
        let is_old = entry.replaced.as_ref().is_some_and(|old| *old == manifest::sum(&bytes));
        return match kept {
            Some(_) if is_old => Ok(InstalledFile::Unchanged(path, kept)),
            None if is_old => Ok(InstalledFile::Nothing),
            _ => other("it was changed".into()),
        };
    }
    if let Some(old) = entry.mode.filter(|old| *old != mode) {
        return other(format!("its mode was changed from {old:o} to {mode:o}"));
    }
    Ok(InstalledFile::Unchanged(path, kept))
}

/// Whether this program could have written this path: it is below /etc or one of NixOS' hooks, and
/// has no `..`.
fn could_have_written(path: &str) -> bool {
    let is_hook = path.strip_prefix(NIXOS_HOOKS).is_some_and(|rest| rest.starts_with('/'));
    (path == "/etc" || path.starts_with("/etc/") || is_hook)
        && path != manifest::PATH
        && !path.split('/').any(|part| part == "..")
}

/// Whether this program could have created this folder.
fn could_have_created(path: &str) -> bool {
    let is_parent_of_hooks =
        NIXOS_HOOKS.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    could_have_written(path) || (is_parent_of_hooks && !path.is_empty())
}

/// Splits a path into its folder and its last part.
fn split(path: &str) -> (&str, &str) {
    match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some(parts) => parts,
        None => ("/", path),
    }
}

/// Returns the path on this machine, with symlinks followed except in the last part; `None` if its
/// folder does not exist.
fn resolve_parent(root: &Root, path: &str) -> io::Result<Option<PathBuf>> {
    let (folder, name) = split(path);
    let folder = root.resolve(folder)?;
    if folder.is_dir() { Ok(Some(folder.join(name))) } else { Ok(None) }
}

/// Removes the files and the empty folders, and then the manifest, so that an interrupted run can
/// be repeated.
fn carry_out(
    root: &Root,
    text: &str,
    manifest: &Manifest,
    plan: &Plan<'_>,
) -> Result<(), RemoveError> {
    let failed = |path: &Path, error| RemoveError::Remove { path: path.to_owned(), error };
    for Removal { path, kept, .. } in &plan.removed {
        match kept {
            Some(kept) => put_back(kept, path)
                .map_err(|error| RemoveError::Restore { path: path.clone(), error })?,
            None => ignore_not_found(fs::remove_file(path)).map_err(|error| failed(path, error))?,
        }
    }
    clean_up_all(root, manifest);
    let manifest_path =
        root.resolve(manifest::PATH).map_err(|error| failed(Path::new(manifest::PATH), error))?;
    if !plan.left.is_empty() {
        let entries = plan.left.iter().map(|(entry, _)| (*entry).clone()).collect();
        let rest = manifest::rewritten(text, &Manifest { entries, ..manifest.clone() });
        let written =
            stage(&manifest_path, rest.text.as_bytes(), rest.mode).and_then(Staged::commit);
        return written.map_err(|error| RemoveError::Write { path: manifest_path, error });
    }
    ignore_not_found(fs::remove_file(&manifest_path))
        .map_err(|error| failed(&manifest_path, error))?;
    remove_folders(root, manifest);
    Ok(())
}

fn ignore_not_found(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Removes temporary folders of interrupted runs, and empty folders.
fn clean_up_all(root: &Root, manifest: &Manifest) {
    for folder in FOLDERS.iter().filter_map(|folder| root.resolve(folder).ok()) {
        clean_up(&folder);
    }
    remove_folders(root, manifest);
}

/// Removes the folders that were created for the files, and the manifest's own, if they are empty.
fn remove_folders(root: &Root, manifest: &Manifest) {
    let manifest_folder = split(manifest::PATH).0.to_owned();
    let mut folders: Vec<String> = manifest
        .folders
        .iter()
        .cloned()
        .chain([manifest_folder])
        .filter(|path| could_have_created(path))
        .collect();
    for entry in manifest
        .entries
        .iter()
        .filter(|entry| entry.replaced.is_some() && could_have_written(&entry.path))
    {
        let path = entry.replaced_path();
        let folder_ends = path
            .match_indices('/')
            .map(|(end, _)| end)
            .filter(|end| *end >= manifest::REPLACED.len());
        folders.extend(folder_ends.map(|end| path[..end].to_owned()));
    }
    folders.sort_unstable_by_key(|path| std::cmp::Reverse(path.len()));
    folders.dedup();
    for path in folders.iter().filter_map(|path| resolve_parent(root, path).ok().flatten()) {
        // Fails for a folder that is not empty and for a symlink, which then stay.
        let _ = fs::remove_dir(path);
    }
}

/// Prints the next steps, in order.
fn say_next(root: &Root, manifest: &Manifest, plan: &Plan<'_>) {
    for uuid in root.names("/run/gvtg").present().unwrap_or_default() {
        print_note(&format!(
            "the vGPU {uuid} still exists, and the hook no longer removes it: once its VM is off, run \
             `echo 1 | sudo tee /sys/bus/mdev/devices/{uuid}/remove`"
        ));
    }
    let (mut steps, by_hand) = next(root, manifest, plan);
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
fn next(root: &Root, manifest: &Manifest, plan: &Plan<'_>) -> (Vec<FollowUp>, Option<String>) {
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
