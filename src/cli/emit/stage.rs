//! New files, and others replaced, so that each is there whole or not at all.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A file's new content, whole and on the disk, near its place. Dropped, it is gone.
///
/// It waits in a folder of its own that nobody but its owner may enter: libvirt runs every executable file in a folder of hooks, whatever
/// it is called, and a program can't be run while somebody has it open to write.
pub(super) struct Staged {
    folder: TempDir,
    target: PathBuf,
}

/// The number of the user root, and of its group.
pub(super) const ROOT: u32 = 0;

/// The name of the file in that folder.
const NAME: &str = "new";

impl Staged {
    /// Puts it in its place, in one step.
    pub(super) fn commit(self) -> io::Result<()> {
        fs::rename(self.folder.path().join(NAME), &self.target)
    }
}

/// Writes a file's new content next to it. Missing folders are created, readable by all; a symlink keeps pointing at it. A file that
/// root writes belongs to root even if it replaces another user's, because root runs or trusts its content.
pub(super) fn stage(path: &Path, text: &str, mode: u32) -> io::Result<Staged> {
    let target = if fs::metadata(path).is_ok() { fs::canonicalize(path)? } else { path.to_owned() };
    let folder = target.parent().unwrap_or(Path::new("/"));
    make_folders(folder)?;
    let folder = tempfile::Builder::new().prefix(".gvtg-xml-").permissions(Permissions::from_mode(0o700)).tempdir_in(folder)?;
    let mut new = File::create_new(folder.path().join(NAME))?;
    new.write_all(text.as_bytes())?;
    if new.metadata()?.uid() == ROOT {
        // A setgid folder gives new files its group.
        fchown(&new, Some(ROOT), Some(ROOT))?;
    }
    // The mode at creation is cut by the umask, and a change of owner clears bits.
    new.set_permissions(Permissions::from_mode(mode))?;
    new.sync_all()?;
    Ok(Staged { folder, target })
}

/// Makes a folder and those around it that are missing, with mode 755 whatever the umask says: what root runs from there must be nobody
/// else's to write, and libvirt's to read.
fn make_folders(folder: &Path) -> io::Result<()> {
    // Nothing is before the first part of a relative path.
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    if let Some(around) = folder.parent() {
        make_folders(around)?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => fs::set_permissions(folder, Permissions::from_mode(0o755)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}
