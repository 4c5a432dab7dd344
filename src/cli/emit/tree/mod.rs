//! Writes files below a root folder, all or none, or shows what would change.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

use super::super::Status;
use super::super::io::{StdoutError, eprint_all, print, print_note};
use super::super::signals::uninterrupted;
use super::stage::{Staged, clean_up, keep, stage};
use super::{OutputArgs, print_follow_ups};
use crate::emit::{Destination, File, manifest, shell};
use crate::host::Root;
use crate::host::owners::{Exposure, find_exposures};
use crate::text::sanitize::{clean_path, system_error};

mod planned_file;

use planned_file::{Manifests, PlannedFile, diff, lost_domains, planned_file};

/// An error of writing files below the root.
#[derive(Debug, Error, Diagnostic)]
pub(super) enum TreeError {
    #[error("this is not a file that can be written below --root: leave out --root to print it")]
    NothingToWrite,
    #[error("existing files differ, so nothing was written: {paths}")]
    FilesDiffer {
        paths: String,
        #[help]
        help: String,
    },
    #[error("{path}: {}{}", system_error(error), sudo_hint(error))]
    Examine { path: String, error: io::Error },
    #[error("{}: is not a regular file", path.display())]
    NotRegular { path: PathBuf },
    #[error("{}: is a dangling symlink", path.display())]
    DanglingLink { path: PathBuf },
    #[error(
        "{}: can't be written: {}{}{}",
        path.display(),
        system_error(error),
        sudo_hint(error),
        already_written(written)
    )]
    Write {
        path: PathBuf,
        error: io::Error,
        /// The files that were written before.
        written: Vec<String>,
    },
    #[error("{}: can't be backed up: {error}", path.display())]
    BackUp { path: PathBuf, error: io::Error },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Stdout(#[from] StdoutError),
}

/// Returns the end of a message that lists the files that were already written.
fn already_written(paths: &[String]) -> String {
    if paths.is_empty() {
        String::new()
    } else {
        format!("; already written: {}", paths.join(", "))
    }
}

/// Writes the files below the root, or shows what would change.
///
/// # Errors
/// Fails if an existing file differs and `--force` is not given, or if a file can't be written.
pub(super) fn write(
    root: &Root,
    files: &[File],
    is_all: bool,
    output: &OutputArgs,
) -> Result<Status, TreeError> {
    let manifests = Manifests::read(root, files);
    let mut entries = Vec::new();
    let mut elsewhere = Vec::new();
    for file in files {
        match &file.place {
            Destination::At(path) => entries.push(planned_file(root, file, path, &manifests)?),
            Destination::Elsewhere(description) => elsewhere.push((file, description)),
        }
    }
    if entries.is_empty() {
        return Err(TreeError::NothingToWrite);
    }
    if output.diff {
        let text: String = entries.iter().map(diff).collect();
        print(&text)?;
        return Ok(if text.is_empty() { Status::Clean } else { Status::Findings });
    }
    // The manifest only describes the other files, so it may always be replaced.
    let differing: Vec<&PlannedFile<'_>> = entries
        .iter()
        .filter(|entry| entry.needs_force() && entry.path != manifest::PATH)
        .collect();
    let lost = lost_domains(&differing);
    if !differing.is_empty() && !output.force {
        let paths: Vec<String> = differing.iter().map(|entry| clean_path(&entry.target)).collect();
        let help = match lost.is_empty() {
            true => "--diff shows the differences, --force overwrites the files".to_owned(),
            false => {
                format!(
                    "the hook also serves {}: name the files of all its domains; --diff shows the differences",
                    shell::list(&lost)
                )
            }
        };
        return Err(TreeError::FilesDiffer { paths: paths.join(", "), help });
    }
    if !lost.is_empty() {
        print_note(&format!("the hook no longer creates vGPUs for {}", shell::list(&lost)));
    }
    let has_changes = commit(&entries)?;
    // If a single kind is written, only its own file is listed, not the updated manifest.
    let is_listed = |entry: &&PlannedFile<'_>| is_all || entry.path != manifest::PATH;
    let paths: String =
        entries.iter().filter(is_listed).map(|entry| clean_path(&entry.target) + "\n").collect();
    print(&paths)?;
    for (file, description) in &elsewhere {
        print_note(&format!("the following is not written to a file: {description}"));
        eprint_all(&file.text);
    }
    warn_exposed(root, &entries);
    for entry in entries.iter().filter(|entry| entry.is_foreign) {
        let path = clean_path(&entry.target);
        print_note(&match &entry.kept {
            Some(kept) => format!(
                "{path} was replaced; the old file is kept as {}, and --remove restores it",
                clean_path(kept)
            ),
            None => format!(
                "{path} was replaced, and the old file was not kept (only `emit all --force` keeps it)"
            ),
        });
    }
    if !output.quiet {
        if !has_changes {
            print_note(
                "nothing has changed; follow the steps below unless you have already done so",
            );
        }
        // Printed even if nothing changed, because the steps of an earlier run may not be done yet.
        print_follow_ups(files.iter().flat_map(|file| file.follow_ups.clone()));
    }
    Ok(Status::Clean)
}

/// Warns if users other than root can change a hook that was written.
fn warn_exposed(root: &Root, entries: &[PlannedFile<'_>]) {
    let hooks = entries.iter().filter(|entry| entry.file.mode & 0o111 != 0).map(|entry| entry.path);
    for Exposure { path, users, command, link } in find_exposures(root, hooks) {
        let shown = |path: &str| shell::word(&root.shown(path));
        let fix_command = match &link {
            Some(link) => link.replacement(&shown(&link.target), &shown(&link.path)),
            None => format!("sudo {command} {}", shown(&path)),
        };
        print_note(&format!(
            "{users} can change {}, and libvirt runs the hook as root: run `{fix_command}`",
            root.shown(&path)
        ));
    }
}

/// Returns a hint to use root if permission was denied.
pub(super) fn sudo_hint(error: &io::Error) -> &'static str {
    if error.kind() == ErrorKind::PermissionDenied { " (run this as root, with sudo)" } else { "" }
}

/// Writes the files that differ, and returns whether there were any. All of them are staged first,
/// so that most errors occur before anything changes. Then the manifest is written first, so that
/// `--remove` knows the files of an interrupted run, and the hook last, because it needs the other
/// files.
fn commit(entries: &[PlannedFile<'_>]) -> Result<bool, TreeError> {
    let failed = |entry: &PlannedFile<'_>, error, written: &[String]| TreeError::Write {
        path: entry.target.clone(),
        error,
        written: written.to_vec(),
    };
    uninterrupted(|| {
        for folder in entries.iter().filter_map(|entry| entry.target.parent()) {
            clean_up(folder);
        }
        let mut staged: Vec<(&PlannedFile<'_>, Staged)> = Vec::new();
        for entry in entries.iter().filter(|entry| !entry.is_up_to_date()) {
            let staged_file = stage(&entry.target, entry.file.text.as_bytes(), entry.file.mode)
                .map_err(|error| failed(entry, error, &[]))?;
            staged.push((entry, staged_file));
        }
        for (entry, kept) in entries.iter().filter_map(|entry| Some((entry, entry.kept.as_ref()?)))
        {
            keep(&entry.target, kept)
                .map_err(|error| TreeError::BackUp { path: entry.target.clone(), error })?;
        }
        staged
            .sort_by_key(|(entry, _)| (entry.path != manifest::PATH, entry.file.mode & 0o111 != 0));
        let mut written: Vec<String> = Vec::new();
        for (entry, staged_file) in staged {
            staged_file.commit().map_err(|error| failed(entry, error, &written))?;
            written.push(clean_path(&entry.target));
        }
        Ok(!written.is_empty())
    })
}
