//! Replaces a file's content atomically and keeps everything else about the file.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::hash::BuildHasher;
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, fchown};
use std::path::{Path, PathBuf};

use foldhash::quality::RandomState;
use foldhash::{HashSet, HashSetExt};
use miette::Diagnostic;
use thiserror::Error;
use xattr::FileExt;

use super::io::{ReadError, read_file, why_no_new_file};
use super::signals::uninterrupted;
use crate::domain::managed_file::name_to_edit;
use crate::text::sanitize::system_error;

/// The reason why a file is not replaced. Messages show the file's name before it.
#[derive(Debug, Error, Diagnostic)]
pub(super) enum ReplaceError {
    #[error("can't be written: {}", system_error(.0))]
    System(#[from] io::Error),
    #[error(
        "can't be written: it has {}, which would keep the old content: write to stdout instead",
        other_hard_links(*.count)
    )]
    HardLinks {
        /// The number of other hard links.
        count: u64,
    },
    #[error("can't be written: {reason}")]
    #[diagnostic(help(
        "the folder must be writable, since a new file replaces the old one; to write elsewhere: `gvtg-xml fix FILE > NEW`"
    ))]
    Folder { reason: String },
    #[error("can't be written: its owner and group can't be preserved: {}", system_error(.0))]
    Owner(#[source] io::Error),
    #[error("can't be written: its extended attributes can't be read: {}", system_error(.0))]
    Attributes(#[source] io::Error),
    #[error(
        "can't be written: its extended attribute {} can't be {action}: {}",
        name.to_string_lossy(),
        system_error(error)
    )]
    Attribute { action: &'static str, name: OsString, error: io::Error },
    #[error("can't be written: it was changed in the meantime; try again")]
    Changed,
}

/// Describes the other hard links of a file.
fn other_hard_links(count: u64) -> String {
    if count == 1 { "another hard link".to_owned() } else { format!("{count} other hard links") }
}

/// A warning about a file in which libvirt keeps a domain.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "{file}: libvirt keeps the domain in this file and overwrites it: this change will probably be lost"
)]
#[diagnostic(help(
    "change the domain with `VISUAL='gvtg-xml fix --libvirt installed --in-place --exit-zero' virsh edit {domain}`\n\
     or with `virsh dumpxml --inactive --security-info {domain} | gvtg-xml fix --libvirt installed | virsh define --validate /dev/stdin`"
))]
pub(super) struct ManagedFileWarning {
    file: String,
    /// The domain's name.
    domain: String,
}

/// A file's state at the time it was read.
pub(super) struct Original {
    /// The file's path, with symlinks resolved.
    path: PathBuf,
    state: State,
    content: u64,
    hasher: RandomState,
}

/// Metadata that changes if the file is written, replaced, or gets other permissions.
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

/// Reads a file and records its state, so that it can be replaced later. `max_size` is in MiB; 0
/// means no limit.
///
/// # Errors
/// Fails if the file can't be read or is not a regular file (a FIFO, a socket, a device).
pub(super) fn read(path: &Path, max_size: u64) -> Result<(Vec<u8>, Original), ReadError> {
    // Checked before opening, because opening a FIFO blocks until there is a writer.
    let kind = fs::metadata(path)?.file_type();
    if !kind.is_file() {
        let file_kind = if kind.is_fifo() {
            "a FIFO"
        } else if kind.is_socket() {
            "a socket"
        } else {
            "a device"
        };
        return Err(ReadError::NotRegular(file_kind));
    }
    let path = fs::canonicalize(path)?;
    let file = File::open(&path)?;
    let state = State::of(&file.metadata()?);
    let bytes = read_file(file, max_size)?;
    let hasher = RandomState::default();
    let content = hasher.hash_one(&bytes);
    Ok((bytes, Original { path, state, content, hasher }))
}

/// Replaces a file's content atomically: a reader sees either the old or the new content, complete.
/// Symlinks keep pointing to the file, and its owner, mode, access list, security label and other
/// extended attributes are preserved.
///
/// # Errors
/// Writes nothing and fails if the file changed since it was read, has other hard links, or has an
/// attribute that can't be preserved.
pub(super) fn replace(original: &Original, text: &str) -> Result<(), ReplaceError> {
    uninterrupted(|| replace_now(original, text))
}

fn replace_now(original: &Original, text: &str) -> Result<(), ReplaceError> {
    let path = &original.path;
    let old = File::open(path)?;
    let metadata = old.metadata()?;
    if metadata.nlink() > 1 {
        return Err(ReplaceError::HardLinks { count: metadata.nlink() - 1 });
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    // If the file itself is writable, users do not expect the folder to matter.
    let folder_error =
        |error: io::Error| ReplaceError::Folder { reason: why_no_new_file(folder, &error) };
    // The temporary file is private until it gets the old file's mode.
    let mut file =
        tempfile::Builder::new().prefix(".gvtg-xml-").tempfile_in(folder).map_err(folder_error)?;
    file.write_all(text.as_bytes())?;
    let new = file.as_file();
    let created = new.metadata()?;
    if (created.uid(), created.gid()) != (metadata.uid(), metadata.gid()) {
        fchown(new, Some(metadata.uid()), Some(metadata.gid())).map_err(ReplaceError::Owner)?;
    }
    keep_attributes(&old, new)?;
    // Last, because changing the owner or access list changes the mode, and the mode may forbid
    // writing attributes.
    new.set_permissions(metadata.permissions())?;
    new.sync_all()?;
    if !original.is_unmodified()? {
        return Err(ReplaceError::Changed);
    }
    file.persist(path).map_err(|error| folder_error(error.error))?;
    Ok(())
}

impl Original {
    /// Returns the warning for a file in which libvirt keeps a domain: libvirt overwrites such
    /// files, and reads them only at startup. A copy elsewhere, which has libvirt's header too,
    /// belongs to the user.
    pub(super) fn warning(&self, file: &str, text: &str) -> Option<ManagedFileWarning> {
        let domain =
            name_to_edit(text).filter(|_| self.path.iter().any(|folder| folder == "libvirt"))?;
        Some(ManagedFileWarning { file: file.to_owned(), domain: domain.to_string() })
    }

    /// Whether the file is still the one that was read, unchanged.
    fn is_unmodified(&self) -> io::Result<bool> {
        let file = File::open(&self.path)?;
        if State::of(&file.metadata()?) != self.state {
            return Ok(false);
        }
        // Two writes within the clock's resolution, or a reset mtime, only show in the content.
        let mut bytes = Vec::new();
        file.take(self.state.size.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(self.hasher.hash_one(&bytes) == self.content)
    }
}

/// Makes the new file's extended attributes equal to those of the old one: access lists, the
/// SELinux label, and any that users set.
fn keep_attributes(old: &File, new: &File) -> Result<(), ReplaceError> {
    let attribute_error = |action, name: &OsString, error| ReplaceError::Attribute {
        action,
        name: name.clone(),
        error,
    };
    let names = attribute_names(old)?;
    // A folder's default access list may apply to the new file only.
    for name in attribute_names(new)?.difference(&names) {
        new.remove_xattr(name).map_err(|error| attribute_error("removed", name, error))?;
    }
    for name in &names {
        let value = old.get_xattr(name).map_err(|error| attribute_error("read", name, error))?;
        let new_value =
            new.get_xattr(name).map_err(|error| attribute_error("read", name, error))?;
        if let Some(value) = value.filter(|value| new_value.as_ref() != Some(value)) {
            new.set_xattr(name, &value)
                .map_err(|error| attribute_error("preserved", name, error))?;
        }
    }
    Ok(())
}

/// Returns the names of a file's extended attributes, except those that the kernel derives from its
/// content.
fn attribute_names(file: &File) -> Result<HashSet<OsString>, ReplaceError> {
    match file.list_xattr() {
        Ok(names) => {
            Ok(names.filter(|name| name != "security.ima" && name != "security.evm").collect())
        }
        // A file system without attributes has none to preserve.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(HashSet::new()),
        Err(error) => Err(ReplaceError::Attributes(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn read_original(path: &Path) -> Original {
        read(path, 16).unwrap().1
    }

    #[test]
    fn refuses_a_file_that_changed_since_it_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        let old = SystemTime::UNIX_EPOCH;
        let changes: [(&str, &dyn Fn()); 5] = [
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
        for (index, (expected, change)) in changes.iter().enumerate() {
            fs::write(&other, "old").unwrap();
            fs::write(&path, "old").unwrap();
            let original = read_original(&path);
            // File times have a resolution of some milliseconds on older kernels.
            std::thread::sleep(Duration::from_millis(20));
            change();
            let error = replace(&original, "fixed").unwrap_err();
            assert_eq!(
                error.to_string(),
                "can't be written: it was changed in the meantime; try again",
                "{index}"
            );
            assert_eq!(fs::read_to_string(&path).unwrap(), *expected);
        }
        fs::remove_file(&path).unwrap();
        fs::write(&path, "old").unwrap();
        let original = read_original(&path);
        fs::remove_file(&path).unwrap();
        assert_eq!(
            replace(&original, "fixed").unwrap_err().to_string(),
            "can't be written: No such file or directory"
        );
    }

    #[test]
    fn detects_a_change_by_content_if_its_time_is_equal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        let mut original = read_original(&path);
        fs::write(&path, "new").unwrap();
        original.state = State::of(&fs::metadata(&path).unwrap());
        assert!(replace(&original, "fixed").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn replaces_an_unchanged_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        replace(&read_original(&path), "fixed").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "fixed");
    }
}
