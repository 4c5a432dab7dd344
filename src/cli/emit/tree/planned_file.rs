//! A file to write below a root, next to what is there now.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use similar::TextDiff;

use super::super::files::read_manifest;
use super::super::stage::ROOT;
use super::TreeError;
use crate::emit::manifest::{self, Manifest};
use crate::emit::{File, shell};
use crate::host::Root;
use crate::host::hook::setups;
use crate::text::sanitize::clean_path;

/// A file to write below the root.
pub(super) struct PlannedFile<'f> {
    pub(super) file: &'f File,
    /// Its path on the machine below the root.
    pub(super) path: &'f str,
    /// Its path on this machine.
    pub(super) target: PathBuf,
    /// The existing file's content and mode.
    pub(super) old: Option<(Vec<u8>, u32)>,
    /// The existing file's owner and group, if this program runs as root and the file is not
    /// root's.
    pub(super) other_owner: Option<(u32, u32)>,
    /// Whether the existing file is unchanged since this program wrote it, according to the
    /// manifest.
    pub(super) is_ours: bool,
    /// Whether the existing file is the user's.
    pub(super) is_foreign: bool,
    /// Where the user's file is kept, if the manifest is to list it.
    pub(super) kept: Option<PathBuf>,
}

impl PlannedFile<'_> {
    /// Whether writing loses nothing: there is no file, or one that differs only in the command
    /// that generated it. The mode counts too, because the user may have switched a hook off by it.
    pub(super) fn loses_nothing(&self) -> bool {
        let is_same = |(text, mode): &(Vec<u8>, u32)| {
            *mode == self.file.mode
                && (text == self.file.text.as_bytes()
                    || manifest::differs_only_in_command(&self.file.text, text))
        };
        self.old.as_ref().is_none_or(is_same)
    }

    /// Whether replacing the existing file requires `--force`: not for a file that this program
    /// wrote, unless its hook serves further domains.
    pub(super) fn needs_force(&self) -> bool {
        !self.loses_nothing() && (!self.is_ours || !lost_domains(&[self]).is_empty())
    }

    pub(super) fn is_up_to_date(&self) -> bool {
        let is_equal = |(text, mode): &(Vec<u8>, u32)| {
            text == self.file.text.as_bytes() && *mode == self.file.mode
        };
        self.old.as_ref().is_some_and(is_equal) && self.other_owner.is_none()
    }
}

/// Returns the domains that the existing hook serves and the new one does not.
pub(super) fn lost_domains(entries: &[&PlannedFile<'_>]) -> Vec<String> {
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
pub(super) struct Manifests {
    old: Manifest,
    new: Manifest,
}

impl Manifests {
    pub(super) fn read(root: &Root, files: &[File]) -> Self {
        let new = files.iter().find(|file| file.path() == Some(manifest::PATH));
        Manifests {
            old: read_manifest(root),
            new: new.map(|file| Manifest::read(&file.text)).unwrap_or_default(),
        }
    }
}

/// Examines the existing file at a path.
pub(super) fn planned_file<'f>(
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

/// Renders what writing the file would change as a diff; empty if nothing.
pub(super) fn diff(entry: &PlannedFile<'_>) -> String {
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
