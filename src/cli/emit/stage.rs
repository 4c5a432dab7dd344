//! New files, and others replaced, so that each is there whole or not at all.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

/// A file's new content, whole and on the disk, near its place. Dropped, it is gone.
///
/// It waits in a folder of its own that nobody but its owner may enter: libvirt runs every
/// executable file in a folder of hooks, whatever it is called, and a program can't be run while
/// somebody has it open to write.
pub(super) struct Staged {
    folder: TempDir,
    /// The open folder, locked for as long as this run lives, so that no other run takes it for an
    /// abandoned one.
    _lock: File,
    target: PathBuf,
}

/// The number of the user root, and of its group.
pub(super) const ROOT: u32 = 0;

/// The beginning of that folder's name; random letters and digits follow.
const PREFIX: &str = ".gvtg-xml-";

/// The name of the file in that folder.
const NAME: &str = "new";

/// Removes what interrupted runs of this user left in a folder: their own folders with at most one
/// new file in them. Those of runs that still live are locked.
pub(super) fn clean_up(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_named_so = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX))
            .is_some_and(|rest| rest.len() == 6);
        let is_own = |metadata: fs::Metadata| {
            let mode = metadata.permissions().mode() & 0o7777;
            metadata.is_dir()
                && mode == 0o700
                && metadata.uid() == rustix::process::geteuid().as_raw()
        };
        if is_named_so && fs::symlink_metadata(entry.path()).is_ok_and(is_own) {
            remove_abandoned(&entry.path());
        }
    }
}

fn remove_abandoned(folder: &Path) {
    let is_abandoned = File::open(folder)
        .is_ok_and(|open| flock(&open, FlockOperation::NonBlockingLockExclusive).is_ok());
    let mut names =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    if is_abandoned && names.all(|name| name == NAME) {
        // What can't be removed stays, as it would without this.
        let _ = fs::remove_file(folder.join(NAME));
        let _ = fs::remove_dir(folder);
    }
}

impl Staged {
    /// Puts it in its place, in one step.
    pub(super) fn commit(self) -> io::Result<()> {
        fs::rename(self.folder.path().join(NAME), &self.target)
    }
}

/// Writes a file's new content near it. The folders that it lacks are made, for all to read; a
/// symlink keeps pointing at it. A file that root writes belongs to root even if it replaces
/// another user's: root runs or trusts what is there.
pub(super) fn stage(path: &Path, text: &[u8], mode: u32) -> io::Result<Staged> {
    let target = if fs::metadata(path).is_ok() { fs::canonicalize(path)? } else { path.to_owned() };
    let folder = target.parent().unwrap_or(Path::new("/"));
    make_folders(folder)?;
    let folder = tempfile::Builder::new()
        .prefix(PREFIX)
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(folder)?;
    let lock = File::open(folder.path())?;
    // A file system without locks is no reason to write nothing.
    let _ = flock(&lock, FlockOperation::NonBlockingLockExclusive);
    let mut new = File::create_new(folder.path().join(NAME))?;
    new.write_all(text)?;
    if new.metadata()?.uid() == ROOT {
        // A setgid folder gives new files its group.
        fchown(&new, Some(ROOT), Some(ROOT))?;
    }
    // The mode at creation is cut by the umask, and a change of owner clears bits.
    new.set_permissions(Permissions::from_mode(mode))?;
    new.sync_all()?;
    Ok(Staged { folder, _lock: lock, target })
}

/// Keeps a file at another path too: under a second name, or as a copy where the file system has no
/// second names. A file that is already kept there stays.
pub(super) fn keep(path: &Path, kept: &Path) -> io::Result<()> {
    let target = fs::canonicalize(path)?;
    make_folders(kept.parent().unwrap_or(Path::new("/")))?;
    match fs::hard_link(&target, kept) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let is_same = fs::read(kept)? == fs::read(&target)?;
            if is_same {
                Ok(())
            } else {
                Err(io::Error::other(format!("another file is already kept as {}", kept.display())))
            }
        }
        Err(_) => copy(&target, kept),
        Ok(()) => Ok(()),
    }
}

/// Puts a kept file back in its place, in one step, in which it replaces what is there.
pub(super) fn put_back(kept: &Path, path: &Path) -> io::Result<()> {
    make_folders(path.parent().unwrap_or(Path::new("/")))?;
    let is_moved = fs::rename(kept, path);
    if is_moved.as_ref().is_err_and(|error| error.kind() == ErrorKind::CrossesDevices) {
        copy(kept, path)?;
    } else {
        is_moved?;
    }
    // A rename between two names of one file leaves both.
    if fs::symlink_metadata(kept).is_ok() { fs::remove_file(kept) } else { Ok(()) }
}

/// Copies a file with its mode and, if this run may, its owner.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs::metadata(from)?;
    let staged = stage(to, &fs::read(from)?, metadata.permissions().mode() & 0o7777)?;
    let new = staged.folder.path().join(NAME);
    if chown(&new, Some(metadata.uid()), Some(metadata.gid())).is_ok() {
        fs::set_permissions(&new, metadata.permissions())?;
    }
    staged.commit()
}

/// Makes a folder and those around it that are missing, with mode 755 whatever the umask says: what
/// root runs from there must be nobody else's to write, and libvirt's to read.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_an_interrupted_run_left_is_cleaned_up() {
        let folder = tempfile::tempdir().unwrap();
        let living = stage(&folder.path().join("a"), b"a", 0o644).unwrap();
        for (name, file) in [
            (".gvtg-xml-abc123", "new"),
            (".gvtg-xml-own", "new"),
            (".gvtg-xml-abc124", "own"),
            ("abc123", "new"),
        ] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::set_permissions(folder.path().join(name), Permissions::from_mode(0o700)).unwrap();
            fs::write(folder.path().join(name).join(file), "").unwrap();
        }
        std::os::unix::fs::symlink("abc123", folder.path().join(".gvtg-xml-abc125")).unwrap();
        clean_up(folder.path());
        let is_there = |name: &str| fs::symlink_metadata(folder.path().join(name)).is_ok();
        assert!(!is_there(".gvtg-xml-abc123"));
        assert!(
            [".gvtg-xml-own/new", ".gvtg-xml-abc124/own", "abc123/new", ".gvtg-xml-abc125"]
                .into_iter()
                .all(is_there)
        );
        living.commit().unwrap();
        assert!(is_there("a"));
    }

    #[test]
    fn a_kept_file_comes_back_with_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let (path, kept) = (folder.path().join("a"), folder.path().join("kept/etc/a"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o750)).unwrap();
        keep(&path, &kept).unwrap();
        keep(&path, &kept).unwrap();
        // A run that was interrupted here has replaced nothing.
        put_back(&kept, &path).unwrap();
        assert!(!kept.exists());
        keep(&path, &kept).unwrap();
        stage(&path, b"new", 0o644).and_then(Staged::commit).unwrap();
        assert_eq!(fs::read(&kept).unwrap(), b"old");
        assert!(keep(&path, &kept).is_err());
        put_back(&kept, &path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o750);
        copy(&path, &kept).unwrap();
        assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o7777, 0o750);
    }
}
