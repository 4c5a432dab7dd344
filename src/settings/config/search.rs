//! Finds a configuration and checks whether it can be trusted. No other module opens
//! configurations.
//!
//! A configuration can name rules that rewrite domains. One that the user did not name is therefore
//! trusted only if no other user can have written it: it must belong to the user or to root and
//! must not be writable by everyone. A file that another user left in /tmp must not control what
//! `virsh edit` shows there.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::LoadError;
use crate::text::sanitize::{clean_path, system_error};

/// The name of a configuration that is found automatically.
pub const NAME: &str = "gvtg-xml.toml";

/// Maximum size of a configuration in bytes.
const MAX_FILE_SIZE: u64 = 1 << 20;

/// An opened configuration.
#[derive(Debug)]
pub struct ConfigFile {
    /// The path of the file.
    pub path: PathBuf,
    file: File,
}

/// The result of searching for a configuration.
#[derive(Debug, Default)]
pub struct Search {
    /// The nearest one.
    pub found: Option<ConfigFile>,
    /// The configurations that were skipped, with the reason, as messages for the user.
    pub skipped: Vec<String>,
}

/// The users whose configurations are trusted, besides root.
#[derive(Clone, Copy, Debug)]
pub struct TrustedOwners {
    /// The user who runs this process.
    pub user: u32,
    /// The user who ran sudo, if this process runs as root.
    pub before_sudo: Option<u32>,
}

impl TrustedOwners {
    /// The owners trusted by this process; `sudo_uid` (the value of SUDO_UID) counts only for root.
    pub fn of_process(sudo_uid: Option<OsString>) -> Self {
        let user = rustix::process::geteuid().as_raw();
        let before_sudo =
            if user == 0 { sudo_uid.and_then(|uid| uid.to_str()?.parse().ok()) } else { None };
        TrustedOwners { user, before_sudo }
    }

    fn contains(self, owner: u32) -> bool {
        owner == 0 || owner == self.user || self.before_sudo == Some(owner)
    }
}

/// Finds the nearest configuration in a folder or above it. The folder's path must be absolute and
/// without symbolic links.
///
/// A file owned by another user in a world-writable folder (such as /tmp) is skipped instead of
/// being an error, so that other users can't block this one.
///
/// # Errors
/// Returns an error for a configuration that can't be trusted or opened, with what to do.
pub fn nearest(folder: &Path, trusted: TrustedOwners) -> Result<Search, LoadError> {
    let mut search = Search::default();
    for folder in folder.ancestors() {
        let path = folder.join(NAME);
        // The file does not exist, or the user may not enter the folder.
        let Ok(link) = fs::symlink_metadata(&path) else { continue };
        if !trusted.contains(link.uid())
            && fs::metadata(folder).is_ok_and(|folder| is_writable_by_all(&folder))
        {
            search.skipped.push(format!(
                "{} is skipped: it is owned by user {}",
                path.display(),
                link.uid()
            ));
            continue;
        }
        search.found = Some(open_trusted(path, &link, trusted)?);
        break;
    }
    Ok(search)
}

fn open_trusted(
    path: PathBuf,
    link: &Metadata,
    trusted: TrustedOwners,
) -> Result<ConfigFile, LoadError> {
    let help = format!(
        "to use it anyway, pass `--config {}`; to go on without it, pass `--isolated`",
        clean_path(&path)
    );
    let refuse = |reason: String| LoadError::unusable(&path, reason, Some(help.clone()));
    let unreadable = |error: io::Error| refuse(cannot_be_read(&error));
    let foreign_owner_message = |owner: u32| {
        format!(
            "is owned by user {owner}; only configurations owned by you or root are read automatically"
        )
    };
    if !trusted.contains(link.uid()) {
        return Err(refuse(foreign_owner_message(link.uid())));
    }
    // Do not block on a pipe.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.cast_signed())
        .open(&path)
        .map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(refuse("is not a regular file".into()));
    }
    if !trusted.contains(metadata.uid()) {
        return Err(refuse(foreign_owner_message(metadata.uid())));
    }
    if is_writable_by_all(&metadata) {
        let help = format!("run `chmod o-w {}`; {help}", clean_path(&path));
        return Err(LoadError::unusable(&path, "any user can write to it", Some(help)));
    }
    Ok(ConfigFile { path, file })
}

fn cannot_be_read(error: &io::Error) -> String {
    format!("can't be read: {}", system_error(error))
}

fn is_writable_by_all(metadata: &Metadata) -> bool {
    metadata.mode() & 0o002 != 0
}

/// Opens a configuration that the user named.
///
/// # Errors
/// Returns an error if the file can't be opened.
pub fn open(path: &Path) -> Result<ConfigFile, LoadError> {
    let file = File::open(path)
        .map_err(|error| LoadError::unusable(path, cannot_be_read(&error), None))?;
    Ok(ConfigFile { path: path.to_owned(), file })
}

impl ConfigFile {
    /// Reads the whole file.
    ///
    /// # Errors
    /// Returns an error if the file can't be read or is too large.
    pub fn read(self) -> Result<Vec<u8>, LoadError> {
        let read_error =
            |error: io::Error| LoadError::unusable(&self.path, cannot_be_read(&error), None);
        let mut bytes = Vec::new();
        self.file.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes).map_err(read_error)?;
        if bytes.len() as u64 > MAX_FILE_SIZE {
            let reason = "is larger than 1 MiB, the limit for a configuration";
            return Err(LoadError::unusable(&self.path, reason, None));
        }
        Ok(bytes)
    }
}

/// Resolves the symbolic links in a folder's path, as far as the path exists. An empty path is the
/// current folder; the result is `None` if that has been deleted.
pub fn real_folder(folder: &Path) -> Option<PathBuf> {
    let resolve = |folder: &Path| {
        if folder.as_os_str().is_empty() { std::env::current_dir() } else { folder.canonicalize() }
    };
    let (existing, real) =
        folder.ancestors().find_map(|folder| Some((folder, resolve(folder).ok()?)))?;
    let rest = folder.strip_prefix(existing).unwrap_or(Path::new(""));
    Some(if rest.as_os_str().is_empty() { real } else { real.join(rest) })
}
