//! `emit all --remove`: removes what an earlier run wrote, if it is unchanged.

use std::fs;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::super::signals::uninterrupted;
use super::super::{Status, io};
use super::stage::stage;
use super::tree::as_root;
use crate::emit::manifest::{self, Entry, Manifest};
use crate::emit::{step, steps_of};
use crate::host::{Reading, Root};
use crate::printable::{clean_path, system_error};

/// The machine's command line for `kernel-install`. It holds more than this program added.
const COMMAND_LINE: &str = "/etc/kernel/cmdline";

/// The files of a manifest, by what happens to them.
#[derive(Default)]
struct Plan<'m> {
    /// Those to remove, each with its path on this machine.
    removed: Vec<(&'m Entry, PathBuf)>,
    /// Those that stay, each with the reason.
    left: Vec<(&'m Entry, String)>,
}

/// Removes the unchanged files that the manifest below the root lists, or says which ones it would remove.
///
/// # Errors
/// A file that can't be looked at or removed.
pub(super) fn remove(root: &Root, is_dry: bool, quiet: bool) -> Result<Status, String> {
    if !root.has("/") {
        return Err(format!("{}: is not a folder", root.shown("/")));
    }
    let text = match root.text(manifest::PATH) {
        Reading::Present(text) => text,
        Reading::Absent => {
            io::complain(&format!("there is no {}, so there is nothing to remove", root.shown(manifest::PATH)));
            return Ok(Status::Clean);
        }
        Reading::Unreadable(why) => return Err(format!("{}: can't be read: {why}", root.shown(manifest::PATH))),
    };
    let manifest = Manifest::read(&text);
    let mut plan = plan(root, &manifest)?;
    // The hook first, since it needs the others.
    plan.removed.sort_by_key(|(entry, _)| entry.mode.is_none_or(|mode| mode & 0o111 == 0));
    if !is_dry {
        uninterrupted(|| carry_out(root, &text, &manifest, &plan))?;
    }
    let own = if plan.left.is_empty() { vec![root.resolve(manifest::PATH).unwrap_or_default()] } else { Vec::new() };
    let paths: String = plan.removed.iter().map(|(_, path)| path).chain(&own).map(|path| clean_path(path) + "\n").collect();
    io::print(&paths)?;
    for (entry, why) in &plan.left {
        io::complain(&format!("left: {}: {why}", root.shown(&entry.path)));
    }
    if !quiet && !is_dry {
        say_next(root, &manifest, &plan);
    }
    Ok(if is_dry || !plan.left.is_empty() { Status::Findings } else { Status::Clean })
}

fn plan<'m>(root: &Root, manifest: &'m Manifest) -> Result<Plan<'m>, String> {
    let mut plan = Plan::default();
    for entry in &manifest.entries {
        match look(root, entry).map_err(|error| format!("{}: {}{}", root.shown(&entry.path), system_error(&error), as_root(&error)))? {
            Found::Unchanged(path) => plan.removed.push((entry, path)),
            Found::Other(why) => plan.left.push((entry, why)),
            Found::Nothing => {}
        }
    }
    Ok(plan)
}

/// The state of a file that a manifest lists.
enum Found {
    /// It is as it was written: its path on this machine.
    Unchanged(PathBuf),
    /// Something that stays, and the reason.
    Other(String),
    Nothing,
}

fn look(root: &Root, entry: &Entry) -> Result<Found, Error> {
    if !is_ours(&entry.path) {
        return Ok(Found::Other("this program writes no such file".into()));
    }
    let Some(path) = place(root, &entry.path)? else { return Ok(Found::Nothing) };
    let metadata = match fs::symlink_metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    if !metadata.is_file() {
        let what = if metadata.is_symlink() { "it is a link" } else { "it is not a regular file" };
        return Ok(Found::Other(what.into()));
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if manifest::sum(&fs::read(&path)?) != entry.sum {
        return Ok(Found::Other("it has been changed".into()));
    }
    if let Some(old) = entry.mode.filter(|old| *old != mode) {
        return Ok(Found::Other(format!("its mode has been changed from {old:o} to {mode:o}")));
    }
    if entry.path == COMMAND_LINE {
        return Ok(Found::Other("it also holds the rest of the machine's command line: remove i915.enable_gvt=1 by hand".into()));
    }
    Ok(Found::Unchanged(path))
}

/// Returns whether this program could have written this path: it is below /etc and has no `..`.
fn is_ours(path: &str) -> bool {
    (path == "/etc" || path.starts_with("/etc/")) && path != manifest::PATH && !path.split('/').any(|part| part == "..")
}

/// The path on this machine, with links followed except in the last part; None if its folder does not exist.
fn place(root: &Root, path: &str) -> Result<Option<PathBuf>, Error> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = root.resolve(if folder.is_empty() { "/" } else { folder })?;
    Ok(folder.is_dir().then(|| folder.join(name)))
}

/// Removes the files and the empty folders, and then the manifest, so that a run that was interrupted can be repeated.
fn carry_out(root: &Root, text: &str, manifest: &Manifest, plan: &Plan<'_>) -> Result<(), String> {
    let failed = |path: &Path, error: &Error| format!("{}: can't be removed: {}{}", clean_path(path), system_error(error), as_root(error));
    for (_, path) in &plan.removed {
        gone(fs::remove_file(path)).map_err(|error| failed(path, &error))?;
    }
    remove_folders(root, manifest);
    let own = root.resolve(manifest::PATH).map_err(|error| failed(Path::new(manifest::PATH), &error))?;
    if !plan.left.is_empty() {
        let entries = plan.left.iter().map(|(entry, _)| (*entry).clone()).collect();
        let rest = manifest::rewritten(text, &Manifest { entries, folders: manifest.folders.clone() });
        let written = stage(&own, &rest.text, rest.mode).and_then(super::stage::Staged::commit);
        return written.map_err(|error| format!("{}: can't be written: {}{}", clean_path(&own), system_error(&error), as_root(&error)));
    }
    gone(fs::remove_file(&own)).map_err(|error| failed(&own, &error))?;
    remove_folders(root, manifest);
    Ok(())
}

fn gone(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Removes the folders that were created for the files, and the manifest's own, if they are empty.
fn remove_folders(root: &Root, manifest: &Manifest) {
    let own = manifest::PATH.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut folders: Vec<&str> = manifest.folders.iter().map(String::as_str).chain([own]).filter(|path| is_ours(path)).collect();
    folders.sort_unstable_by_key(|path| std::cmp::Reverse(path.len()));
    for path in folders.iter().filter_map(|path| place(root, path).ok().flatten()) {
        // This fails for a folder that is not empty, and for a link.
        let _ = fs::remove_dir(path);
    }
}

/// Prints the next steps, in order.
fn say_next(root: &Root, manifest: &Manifest, plan: &Plan<'_>) {
    for uuid in root.names("/run/gvtg").present().unwrap_or_default() {
        io::complain(&format!(
            "the vGPU {uuid} still exists, and the hook no longer removes it: once its VM is off, run echo 1 | sudo tee \
             /sys/bus/mdev/devices/{uuid}/remove"
        ));
    }
    let then = step::merge(plan.removed.iter().flat_map(|(entry, _)| steps_of(&entry.path)));
    then.iter().filter_map(step::Step::text_of_removal).for_each(|text| io::complain(&format!("then {text}")));
    let has_parameters =
        |path: &str| path.starts_with("/etc/modprobe.d/") || path.starts_with("/etc/default/grub.d/") || path == COMMAND_LINE;
    if !manifest.entries.iter().any(|entry| has_parameters(&entry.path)) {
        io::complain("then take i915.enable_gvt=1 out of the kernel's command line, where you added it, and reboot");
    }
}
