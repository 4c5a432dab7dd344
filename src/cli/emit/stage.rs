//! New files, and others replaced, so that each is there whole or not at all.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file's new content, whole and on the disk, beside its place. Dropped, it is gone.
pub(super) struct Staged {
    file: NamedTempFile,
    target: PathBuf,
}

impl Staged {
    /// Puts it in its place, in one step.
    pub(super) fn commit(self) -> io::Result<()> {
        self.file.persist(&self.target).map(drop).map_err(|error| error.error)
    }
}

/// Writes a file's new content beside it. The folders that it lacks are made; a symlink keeps pointing at it, and its owner stays.
pub(super) fn stage(path: &Path, text: &str, mode: u32) -> io::Result<Staged> {
    let old = fs::metadata(path).ok();
    let target = if old.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
    let folder = target.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder)?;
    let permissions = Permissions::from_mode(mode);
    let mut file = tempfile::Builder::new().prefix(".gvtg-xml-").permissions(permissions.clone()).tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    let new = file.as_file();
    let made = new.metadata()?;
    if let Some(old) = old.filter(|old| (made.uid(), made.gid()) != (old.uid(), old.gid())) {
        fchown(new, Some(old.uid()), Some(old.gid()))?;
    }
    // The mode at creation is cut by the umask, and a change of owner clears bits.
    new.set_permissions(permissions)?;
    new.sync_all()?;
    Ok(Staged { file, target })
}
