//! Writes files below a root folder, all or none, or shows what would change.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use miette::Diagnostic;
use similar::TextDiff;
use thiserror::Error;

use super::super::Status;
use super::super::io::{StdoutError, eprint_all, print, print_note};
use super::super::signals::uninterrupted;
use super::stage::{ROOT, Staged, clean_up, keep, stage};
use super::{OutputArgs, listed, print_follow_ups};
use crate::emit::manifest::{self, Manifest};
use crate::emit::{Destination, File, shell};
use crate::host::Root;
use crate::host::hook::setups;
use crate::host::owners::{Exposure, find_exposures};
use crate::text::sanitize::{clean_path, system_error};

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

/// A file to write below the root.
struct PlannedFile<'f> {
    file: &'f File,
    /// Its path on the machine below the root.
    path: &'f str,
    /// Its path on this machine.
    target: PathBuf,
    /// The existing file's content and mode.
    old: Option<(Vec<u8>, u32)>,
    /// The existing file's owner and group, if this program runs as root and the file is not
    /// root's.
    other_owner: Option<(u32, u32)>,
    /// Whether the existing file is unchanged since this program wrote it, according to the
    /// manifest.
    is_ours: bool,
    /// Whether the existing file is the user's.
    is_foreign: bool,
    /// Where the user's file is kept, if the manifest is to list it.
    kept: Option<PathBuf>,
}

impl PlannedFile<'_> {
    /// Whether writing loses nothing: there is no file, or one that differs only in the command
    /// that generated it. The mode counts too, because the user may have switched a hook off by it.
    fn loses_nothing(&self) -> bool {
        let is_same = |(text, mode): &(Vec<u8>, u32)| {
            *mode == self.file.mode
                && (text == self.file.text.as_bytes()
                    || manifest::differs_only_in_command(&self.file.text, text))
        };
        self.old.as_ref().is_none_or(is_same)
    }

    /// Whether replacing the existing file requires `--force`: not for a file that this program
    /// wrote, unless its hook serves further domains.
    fn needs_force(&self) -> bool {
        !self.loses_nothing() && (!self.is_ours || !lost_domains(&[self]).is_empty())
    }

    fn is_up_to_date(&self) -> bool {
        let is_equal = |(text, mode): &(Vec<u8>, u32)| {
            text == self.file.text.as_bytes() && *mode == self.file.mode
        };
        self.old.as_ref().is_some_and(is_equal) && self.other_owner.is_none()
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
    let manifests = Manifests::of(root, files);
    let mut entries = Vec::new();
    let mut elsewhere = Vec::new();
    for file in files {
        match &file.place {
            Destination::At(path) => entries.push(entry(root, file, path, &manifests)?),
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
    say_exposed(root, &entries);
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
fn say_exposed(root: &Root, entries: &[PlannedFile<'_>]) {
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

/// Returns the domains that the existing hook serves and the new one does not.
fn lost_domains(entries: &[&PlannedFile<'_>]) -> Vec<String> {
    let mut lost: Vec<String> = Vec::new();
    for entry in entries {
        let Some((old, _)) = &entry.old else { continue };
        let kept = setups(&entry.file.text);
        let lost_setups = setups(&String::from_utf8_lossy(old))
            .into_iter()
            .filter(|old| !kept.iter().any(|new| new.name == old.name));
        lost.extend(lost_setups.map(|setup| shell::word(&setup.name)));
    }
    lost.dedup();
    lost
}

/// The existing manifest, and the new one if there is one.
struct Manifests {
    old: Manifest,
    new: Manifest,
}

impl Manifests {
    fn of(root: &Root, files: &[File]) -> Self {
        let new = files.iter().find(|file| file.path() == Some(manifest::PATH));
        Manifests {
            old: listed(root),
            new: new.map(|file| Manifest::read(&file.text)).unwrap_or_default(),
        }
    }
}

fn entry<'f>(
    root: &Root,
    file: &'f File,
    path: &'f str,
    manifests: &Manifests,
) -> Result<PlannedFile<'f>, TreeError> {
    let describe = |error| TreeError::Examine { path: root.shown(path), error };
    let target = root.resolve(path).map_err(describe)?;
    let mut other_owner = None;
    let old = match fs::metadata(&target) {
        Ok(metadata) if metadata.is_file() => {
            let owner = (metadata.uid(), metadata.gid());
            other_owner =
                (rustix::process::geteuid().is_root() && owner != (ROOT, ROOT)).then_some(owner);
            Some((fs::read(&target).map_err(describe)?, metadata.permissions().mode() & 0o7777))
        }
        Ok(_) => return Err(TreeError::NotRegular { path: target }),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(describe(error)),
        Err(_) if fs::symlink_metadata(&target).is_ok() => {
            return Err(TreeError::DanglingLink { path: target });
        }
        Err(_) => None,
    };
    let listed = manifests.old.entry(path);
    let is_ours = listed.zip(old.as_ref()).is_some_and(|(listed, (text, mode))| {
        listed.matches(text) && listed.mode.unwrap_or(file.mode) == *mode
    });
    let is_foreign = path != manifest::PATH
        && old.as_ref().is_some_and(|(text, _)| manifest::is_foreign(file, listed, text));
    let kept = match manifests.new.entry(path).filter(|new| new.replaced.is_some() && is_foreign) {
        Some(new) => Some(root.resolve(&new.replaced_path()).map_err(describe)?),
        None => None,
    };
    Ok(PlannedFile { file, path, target, old, other_owner, is_ours, is_foreign, kept })
}

fn diff(entry: &PlannedFile<'_>) -> String {
    let path = clean_path(&entry.target);
    if entry.is_up_to_date() {
        return String::new();
    }
    let Some((old, mode)) = &entry.old else {
        let diff = TextDiff::from_lines("", &entry.file.text)
            .unified_diff()
            .header("/dev/null", &path)
            .to_string();
        return format!("# {path}: new, mode {:o}\n{diff}", entry.file.mode);
    };
    let mode = if *mode == entry.file.mode {
        String::new()
    } else {
        format!("# {path}: mode {mode:o}, will be {:o}\n", entry.file.mode)
    };
    let owner = entry
        .other_owner
        .map(|(user, group)| format!("# {path}: owner {user}:{group}, will be {ROOT}:{ROOT}\n"))
        .unwrap_or_default();
    let is_text = std::str::from_utf8(old).is_ok();
    let bytes = if is_text {
        String::new()
    } else {
        format!("# {path}: has bytes that are not UTF-8, shown as U+FFFD\n")
    };
    let old = String::from_utf8_lossy(old);
    mode + &owner
        + &bytes
        + &TextDiff::from_lines(&*old, &entry.file.text)
            .unified_diff()
            .header(&path, &path)
            .to_string()
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
