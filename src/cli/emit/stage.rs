//! Creates and replaces files atomically.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

/// A fully written temporary file near its target; deleted on drop.
///
/// It is in a private folder of its own, because libvirt runs every executable file in a folder of
/// hooks, whatever its name, and a program that is open for writing can't be run.
pub(super) struct Staged {
    folder: TempDir,
    /// The open folder, locked while this run lives, so that other runs do not take it for
    /// abandoned.
    _lock: File,
    target: PathBuf,
}

/// User id of root, and group id of its group.
pub(super) const ROOT: u32 = 0;

/// Prefix of the temporary folder's name; random letters and digits follow.
const PREFIX: &str = ".gvtg-xml-";

/// Name of the file in that folder.
const NAME: &str = "new";

/// Removes the temporary folders that interrupted runs of this user left in a folder: those with at
/// most the new file in them. Folders of running processes are locked, and stay.
pub(super) fn clean_up(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let has_temporary_name = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX))
            .is_some_and(|rest| rest.len() == 6);
        let is_private_folder_of_user = |metadata: fs::Metadata| {
            let mode = metadata.permissions().mode() & 0o7777;
            metadata.is_dir()
                && mode == 0o700
                && metadata.uid() == rustix::process::geteuid().as_raw()
        };
        if has_temporary_name
            && fs::symlink_metadata(entry.path()).is_ok_and(is_private_folder_of_user)
        {
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
        // Errors are ignored: a folder that can't be removed does no harm.
        let _ = fs::remove_file(folder.join(NAME));
        let _ = fs::remove_dir(folder);
    }
}

impl Staged {
    /// Moves the file to its target in one step.
    pub(super) fn commit(self) -> io::Result<()> {
        fs::rename(self.folder.path().join(NAME), &self.target)
    }
}

/// Writes a file's new content to a temporary file near it. Missing folders are created, readable
/// for all, and symlinks keep pointing to the file. Files that root writes belong to root, even if
/// they replace another user's, because root runs or trusts them.
pub(super) fn stage(path: &Path, text: &[u8], mode: u32) -> io::Result<Staged> {
    let target = if fs::metadata(path).is_ok() { fs::canonicalize(path)? } else { path.to_owned() };
    let folder = target.parent().unwrap_or(Path::new("/"));
    make_folders(folder)?;
    let folder = tempfile::Builder::new()
        .prefix(PREFIX)
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(folder)?;
    let lock = File::open(folder.path())?;
    // A file system may not support locks; then the folder stays unlocked.
    let _ = flock(&lock, FlockOperation::NonBlockingLockExclusive);
    let mut new = File::create_new(folder.path().join(NAME))?;
    new.write_all(text)?;
    if new.metadata()?.uid() == ROOT {
        // A setgid folder passes its group on to new files.
        fchown(&new, Some(ROOT), Some(ROOT))?;
    }
    // Set last: the umask restricts the mode at creation, and changing the owner clears bits.
    new.set_permissions(Permissions::from_mode(mode))?;
    new.sync_all()?;
    Ok(Staged { folder, _lock: lock, target })
}

/// Keeps a file at another path too: as a hard link, or as a copy if the file system has no hard
/// links. A file that is already kept there stays.
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

/// Moves a kept file back in one step, replacing what is there.
pub(super) fn put_back(kept: &Path, path: &Path) -> io::Result<()> {
    make_folders(path.parent().unwrap_or(Path::new("/")))?;
    let rename_result = fs::rename(kept, path);
    if rename_result.as_ref().is_err_and(|error| error.kind() == ErrorKind::CrossesDevices) {
        copy(kept, path)?;
    } else {
        rename_result?;
    }
    // A rename between two hard links of one file leaves both.
    if fs::symlink_metadata(kept).is_ok() { fs::remove_file(kept) } else { Ok(()) }
}

/// Copies a file with its mode and, if permitted, its owner.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs::metadata(from)?;
    let staged = stage(to, &fs::read(from)?, metadata.permissions().mode() & 0o7777)?;
    let new = staged.folder.path().join(NAME);
    if chown(&new, Some(metadata.uid()), Some(metadata.gid())).is_ok() {
        fs::set_permissions(&new, metadata.permissions())?;
    }
    staged.commit()
}

/// Creates a folder and its missing parents, with mode 755 whatever the umask: only root may write
/// what root runs there, and libvirt must be able to read it.
fn make_folders(folder: &Path) -> io::Result<()> {
    // A relative path of one part has an empty parent.
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
    fn cleans_up_only_after_interrupted_runs() {
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
    fn restores_a_kept_file_with_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let (path, kept) = (folder.path().join("a"), folder.path().join("kept/etc/a"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o750)).unwrap();
        keep(&path, &kept).unwrap();
        keep(&path, &kept).unwrap();
        // As if a run was interrupted here, before it replaced anything.
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
