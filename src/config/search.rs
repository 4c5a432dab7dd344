//! Where a configuration is, and whether it may be read: the only place that opens one.
//!
//! A configuration can name rules that rewrite domains, so that one which nobody named is trusted
//! only where nobody else can have written it: it belongs to the user who runs this or to root, and
//! not everybody may write it. A file that somebody left in /tmp must not steer what `virsh edit`
//! has its user edit there.

use crate::sanitize::{clean_path, system_error};
use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// The name of a configuration that is found by itself.
pub const NAME: &str = "gvtg-xml.toml";

/// More nobody writes, in bytes.
const LARGEST: u64 = 1 << 20;

/// A configuration that was opened.
#[derive(Debug)]
pub struct ConfigFile {
    /// Where it is.
    pub path: PathBuf,
    file: File,
}

/// What looking for a configuration came to.
#[derive(Debug, Default)]
pub struct Search {
    /// The nearest one.
    pub found: Option<ConfigFile>,
    /// What was passed over on the way, and why, in words for the user.
    pub passed_over: Vec<String>,
}

/// Whose configurations are trusted.
#[derive(Clone, Copy, Debug)]
pub struct TrustedOwners {
    /// The user who runs this.
    pub user: u32,
    /// The user who has become root for this by sudo, which says so.
    pub before_sudo: Option<u32>,
}

impl TrustedOwners {
    /// The user of this process; for root, also the one that sudo names.
    pub fn of_process(sudo_uid: Option<OsString>) -> Self {
        let user = rustix::process::geteuid().as_raw();
        let before_sudo = sudo_uid.filter(|_| user == 0).and_then(|uid| uid.to_str()?.parse().ok());
        TrustedOwners { user, before_sudo }
    }

    fn has(self, owner: u32) -> bool {
        owner == 0 || owner == self.user || self.before_sudo == Some(owner)
    }
}

/// Looks for the nearest configuration in a folder and those above it; the folder's path is to be
/// whole and without links.
///
/// What a stranger put into a folder that everybody may write (as /tmp) is nobody's wish and is
/// passed over, so that nobody is kept from working by it.
///
/// # Errors
/// A configuration that may not be trusted or can't be opened, with what to do.
pub fn nearest(folder: &Path, trusted: TrustedOwners) -> Result<Search, String> {
    let mut search = Search::default();
    for folder in folder.ancestors() {
        let path = folder.join(NAME);
        // What is not there, or in a folder that this user may not look into.
        let Ok(link) = fs::symlink_metadata(&path) else { continue };
        if !trusted.has(link.uid())
            && fs::metadata(folder).is_ok_and(|folder| is_writable_by_all(&folder))
        {
            search.passed_over.push(format!(
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
) -> Result<ConfigFile, String> {
    let help = format!(
        "to use it anyway, pass `--config {}`; to go on without it, pass `--isolated`",
        clean_path(&path)
    );
    let refuse = |why: String| format!("{}: {why}\n  help: {help}", clean_path(&path));
    let strangers = |owner: u32| {
        format!(
            "is owned by user {owner}; only configurations owned by you or root are read automatically"
        )
    };
    if !trusted.has(link.uid()) {
        return Err(refuse(strangers(link.uid())));
    }
    // A pipe must not keep us waiting.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let opened = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(&path);
    let file =
        opened.map_err(|error| refuse(format!("can't be read: {}", system_error(&error))))?;
    let metadata = file
        .metadata()
        .map_err(|error| refuse(format!("can't be read: {}", system_error(&error))))?;
    if !metadata.is_file() {
        return Err(refuse("is not a regular file".into()));
    }
    if !trusted.has(metadata.uid()) {
        return Err(refuse(strangers(metadata.uid())));
    }
    if is_writable_by_all(&metadata) {
        return Err(format!(
            "{}: any user can write to it\n  help: run `chmod o-w {}`; {help}",
            clean_path(&path),
            clean_path(&path)
        ));
    }
    Ok(ConfigFile { path, file })
}

fn is_writable_by_all(metadata: &Metadata) -> bool {
    metadata.mode() & 0o002 != 0
}

/// Opens the configuration that the user named.
///
/// # Errors
/// Why it can't be opened.
pub fn open(path: &Path) -> Result<ConfigFile, String> {
    let file = File::open(path).map_err(|error| {
        format!("{}: can't be read: {}", clean_path(path), system_error(&error))
    })?;
    Ok(ConfigFile { path: path.to_owned(), file })
}

impl ConfigFile {
    /// All of its bytes.
    ///
    /// # Errors
    /// Why it can't be read.
    pub fn read(self) -> Result<Vec<u8>, String> {
        let failed = |error: io::Error| {
            format!("{}: can't be read: {}", clean_path(&self.path), system_error(&error))
        };
        let mut bytes = Vec::new();
        self.file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > LARGEST {
            return Err(format!(
                "{}: is larger than 1 MiB, the limit for a configuration",
                clean_path(&self.path)
            ));
        }
        Ok(bytes)
    }
}

/// A folder's path, as the kernel sees it as far as it is there. An empty path is the current
/// folder. None where that is gone.
pub fn real_folder(named: &Path) -> Option<PathBuf> {
    let real = |folder: &Path| {
        if folder.as_os_str().is_empty() { std::env::current_dir() } else { folder.canonicalize() }
    };
    let (there, real) = named.ancestors().find_map(|folder| Some((folder, real(folder).ok()?)))?;
    let rest = named.strip_prefix(there).unwrap_or(Path::new(""));
    Some(if rest.as_os_str().is_empty() { real } else { real.join(rest) })
}
