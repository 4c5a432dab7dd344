//! Replacing a file's content so that there is always a whole one, and everything else about the
//! file stays.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, fchown};
use std::path::{Path, PathBuf};

use xattr::FileExt;

use super::io::{read_file, why_no_new_file};
use super::signals::uninterrupted;
use crate::domain::managed_file::name_to_edit;
use crate::sanitize::system_error;

/// A file as it was when it was read.
pub(super) struct Original {
    /// The file itself, behind any symlinks.
    path: PathBuf,
    state: State,
    content: u64,
    hasher: RandomState,
}

/// What differs after anybody wrote to a file, put another in its place, or changed who may read
/// it.
#[derive(PartialEq, Eq)]
struct State {
    file: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl State {
    fn of(file: &Metadata) -> Self {
        State {
            file: (file.dev(), file.ino()),
            size: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }
}

/// Reads a file that may be replaced later.
///
/// # Errors
/// A file that can't be read, or that is none: a FIFO, a socket, a device.
pub(super) fn read(path: &Path, max_size: u64) -> Result<(Vec<u8>, Original), String> {
    let unreadable = |error: io::Error| format!("can't be read: {}", system_error(&error));
    // Asked before it is opened: to open a FIFO waits for somebody who writes.
    let kind = fs::metadata(path).map_err(unreadable)?.file_type();
    if !kind.is_file() {
        let what = if kind.is_fifo() {
            "a FIFO"
        } else if kind.is_socket() {
            "a socket"
        } else {
            "a device"
        };
        return Err(format!(
            "is {what}; --in-place replaces regular files only: write to stdout instead"
        ));
    }
    let path = fs::canonicalize(path).map_err(unreadable)?;
    let file = File::open(&path).map_err(unreadable)?;
    let state = State::of(&file.metadata().map_err(unreadable)?);
    let bytes = read_file(file, max_size)?;
    let hasher = RandomState::new();
    let content = hasher.hash_one(&bytes);
    Ok((bytes, Original { path, state, content, hasher }))
}

/// Replaces a file's content. Whoever opens it meanwhile sees the old or the new one, whole; a
/// symlink keeps pointing at it, and its owner, mode, access list, security label and other
/// extended attributes stay.
///
/// # Errors
/// Why nothing was written: the file changed since it was read, has another name, or something of
/// it can't be kept.
pub(super) fn replace(original: &Original, text: &str) -> Result<(), String> {
    uninterrupted(|| replace_now(original, text)).map_err(|why| format!("can't be written: {why}"))
}

fn replace_now(original: &Original, text: &str) -> Result<(), String> {
    let path = &original.path;
    let told = |error: io::Error| system_error(&error);
    let old = File::open(path).map_err(told)?;
    let metadata = old.metadata().map_err(told)?;
    if metadata.nlink() > 1 {
        let others = metadata.nlink() - 1;
        let others = if others == 1 {
            "another hard link".to_owned()
        } else {
            format!("{others} other hard links")
        };
        return Err(format!(
            "it has {others}, which would keep the old content: write to stdout instead"
        ));
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    // Where the file itself is writable, nobody thinks of its folder.
    let refused = |error: io::Error| {
        let help = "the folder must be writable, since a new file replaces the old one; to write elsewhere: `gvtg-xml fix FILE > NEW`";
        format!("{}\n  help: {help}", why_no_new_file(folder, &error))
    };
    // Nobody else can open it until it is given the old one's mode.
    let mut file =
        tempfile::Builder::new().prefix(".gvtg-xml-").tempfile_in(folder).map_err(refused)?;
    file.write_all(text.as_bytes()).map_err(told)?;
    let new = file.as_file();
    let made = new.metadata().map_err(told)?;
    if (made.uid(), made.gid()) != (metadata.uid(), metadata.gid()) {
        fchown(new, Some(metadata.uid()), Some(metadata.gid())).map_err(|error| {
            format!("its owner and group can't be preserved: {}", system_error(&error))
        })?;
    }
    keep_attributes(&old, new)?;
    // Last, since a change of owner or access list changes the mode, and a mode may forbid to write
    // attributes.
    new.set_permissions(metadata.permissions()).map_err(told)?;
    new.sync_all().map_err(told)?;
    if !original.is_unmodified().map_err(told)? {
        return Err("it was changed in the meantime; try again".into());
    }
    file.persist(path).map_err(|error| refused(error.error))?;
    Ok(())
}

impl Original {
    /// What to know after it was written with this text: libvirt writes over the files that it
    /// keeps domains in, and reads them only when it starts. A copy of such a file, which has
    /// libvirt's words at its top too, is the user's.
    pub(super) fn warning(&self, text: &str) -> Option<String> {
        let name =
            name_to_edit(text).filter(|_| self.path.iter().any(|folder| folder == "libvirt"))?;
        Some(format!(
            "libvirt keeps the domain in this file and overwrites it: this change will probably be lost\n  \
             help: change the domain with `VISUAL='gvtg-xml fix --libvirt installed --in-place --exit-zero' virsh edit {name}`\n  \
             help: or with `virsh dumpxml --inactive --security-info {name} | gvtg-xml fix --libvirt installed | virsh define --validate /dev/stdin`"
        ))
    }

    /// Whether the file is the one that was read, unchanged.
    fn is_unmodified(&self) -> io::Result<bool> {
        let file = File::open(&self.path)?;
        if State::of(&file.metadata()?) != self.state {
            return Ok(false);
        }
        // Who writes twice within the clock's step, or sets the time back, is seen by the content
        // only.
        let mut bytes = Vec::new();
        file.take(self.state.size.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(self.hasher.hash_one(&bytes) == self.content)
    }
}

/// Gives a file all extended attributes of another and no others: access lists, SELinux's label,
/// whatever users put there.
fn keep_attributes(old: &File, new: &File) -> Result<(), String> {
    let can_not = |what: &str, name: &OsString, error: io::Error| {
        format!(
            "its extended attribute {} can't be {what}: {}",
            name.to_string_lossy(),
            system_error(&error)
        )
    };
    let names = attribute_names(old)?;
    // A folder may give new files an access list that the old file doesn't have.
    for name in attribute_names(new)?.difference(&names) {
        new.remove_xattr(name).map_err(|error| can_not("removed", name, error))?;
    }
    for name in &names {
        let value = old.get_xattr(name).map_err(|error| can_not("read", name, error))?;
        let own = new.get_xattr(name).map_err(|error| can_not("read", name, error))?;
        if let Some(value) = value.filter(|value| own.as_ref() != Some(value)) {
            new.set_xattr(name, &value).map_err(|error| can_not("preserved", name, error))?;
        }
    }
    Ok(())
}

/// The names of a file's extended attributes, without those that the kernel makes from its content.
fn attribute_names(file: &File) -> Result<HashSet<OsString>, String> {
    match file.list_xattr() {
        Ok(names) => {
            Ok(names.filter(|name| name != "security.ima" && name != "security.evm").collect())
        }
        // A file system without attributes has none to lose.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(HashSet::new()),
        Err(error) => {
            Err(format!("its extended attributes can't be read: {}", system_error(&error)))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn read_here(path: &Path) -> Original {
        read(path, 16).unwrap().1
    }

    #[test]
    fn a_file_that_has_changed_since_it_was_read_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        let old = SystemTime::UNIX_EPOCH;
        let ways: [(&str, &dyn Fn()); 5] = [
            ("longer", &|| fs::write(&path, "longer").unwrap()),
            ("new", &|| fs::write(&path, "new").unwrap()),
            ("old", &|| {
                File::options().write(true).open(&path).unwrap().set_modified(old).unwrap()
            }),
            ("old", &|| {
                fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
                    .unwrap()
            }),
            ("old", &|| fs::rename(&other, &path).unwrap()),
        ];
        for (way, (expected, change)) in ways.iter().enumerate() {
            fs::write(&other, "old").unwrap();
            fs::write(&path, "old").unwrap();
            let original = read_here(&path);
            // Older kernels' clocks stand still for some milliseconds.
            std::thread::sleep(Duration::from_millis(20));
            change();
            let error = replace(&original, "fixed").unwrap_err();
            assert_eq!(
                error, "can't be written: it was changed in the meantime; try again",
                "{way}"
            );
            assert_eq!(fs::read_to_string(&path).unwrap(), *expected);
        }
        fs::remove_file(&path).unwrap();
        fs::write(&path, "old").unwrap();
        let original = read_here(&path);
        fs::remove_file(&path).unwrap();
        assert_eq!(
            replace(&original, "fixed").unwrap_err(),
            "can't be written: No such file or directory"
        );
    }

    #[test]
    fn a_change_that_the_clock_does_not_show_is_seen_in_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        let mut original = read_here(&path);
        fs::write(&path, "new").unwrap();
        original.state = State::of(&fs::metadata(&path).unwrap());
        assert!(replace(&original, "fixed").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn a_file_that_has_not_changed_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        replace(&read_here(&path), "fixed").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "fixed");
    }
}
