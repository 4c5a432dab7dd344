//! Decides which files of a manifest are removed.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::RemoveError;
use crate::emit::cmdline::KERNEL_INSTALL;
use crate::emit::manifest::{self, Entry, Manifest};
use crate::emit::parameter::added_to;
use crate::emit::shell;
use crate::host::Root;
use crate::text::sanitize::clean_path;

/// Folder of libvirt's hooks on NixOS.
pub(super) const NIXOS_HOOKS: &str = "/var/lib/libvirt/hooks";

/// The files of a manifest, grouped by what happens to them.
#[derive(Default)]
pub(super) struct Plan<'m> {
    /// Files to remove.
    pub(super) removed: Vec<Removal<'m>>,
    /// Files that stay, each with the reason.
    pub(super) left: Vec<(&'m Entry, String)>,
    /// Files that stay, but contain nothing that this program added.
    pub(super) undone: Vec<&'m Entry>,
}

/// A file to remove.
pub(super) struct Removal<'m> {
    pub(super) entry: &'m Entry,
    /// Its path on this machine.
    pub(super) path: PathBuf,
    /// Where the file that it replaced is kept, which is restored.
    pub(super) kept: Option<PathBuf>,
}

/// Decides what happens to each file of a manifest.
pub(super) fn plan<'m>(root: &Root, manifest: &'m Manifest) -> Result<Plan<'m>, RemoveError> {
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
pub(super) fn could_have_written(path: &str) -> bool {
    let is_hook = path.strip_prefix(NIXOS_HOOKS).is_some_and(|rest| rest.starts_with('/'));
    (path == "/etc" || path.starts_with("/etc/") || is_hook)
        && path != manifest::PATH
        && !path.split('/').any(|part| part == "..")
}

/// Whether this program could have created this folder.
pub(super) fn could_have_created(path: &str) -> bool {
    let is_parent_of_hooks =
        NIXOS_HOOKS.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    could_have_written(path) || (is_parent_of_hooks && !path.is_empty())
}

/// Splits a path into its folder and its last part.
pub(super) fn split(path: &str) -> (&str, &str) {
    match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some(parts) => parts,
        None => ("/", path),
    }
}

/// Returns the path on this machine, with symlinks followed except in the last part; `None` if its
/// folder does not exist.
pub(super) fn resolve_parent(root: &Root, path: &str) -> io::Result<Option<PathBuf>> {
    let (folder, name) = split(path);
    let folder = root.resolve(folder)?;
    if folder.is_dir() { Ok(Some(folder.join(name))) } else { Ok(None) }
}
