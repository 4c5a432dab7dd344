//! `emit all --remove`: removes the files that an earlier run wrote, if they are unchanged.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::super::Status;
use super::super::io::{StdoutError, print, print_note};
use super::super::signals::uninterrupted;
use super::stage::{Staged, clean_up, put_back, stage};
use super::tree::sudo_hint;
use crate::emit::FOLDERS;
use crate::emit::manifest::{self, Manifest};
use crate::host::{Probe, Root};
use crate::text::sanitize::{clean_path, system_error};

mod next_steps;
mod plan;

use next_steps::print_next_steps;
use plan::{Plan, Removal, could_have_created, could_have_written, plan, resolve_parent, split};

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
        print_next_steps(root, &manifest, &plan);
    }
    Ok(if is_dry || !plan.left.is_empty() { Status::Findings } else { Status::Clean })
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
