//! The root folder of a machine, and reading files below it.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use super::Probe;

/// The maximum number of symbolic links followed on one path, which is the kernel's own limit.
pub(super) const MAX_LINKS: usize = 40;

/// The maximum number of bytes read from a file.
const MAX_FILE_SIZE: u64 = 1 << 20;

/// The root folder of a machine: `/` for this one, or a folder with a copy of another machine's
/// files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    pub(super) folder: PathBuf,
}

impl Default for Root {
    fn default() -> Self {
        Root::new("/")
    }
}

impl Root {
    /// Creates the root of the machine whose `/` is this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Root { folder: folder.into() }
    }

    /// Whether this is the machine that the program runs on.
    pub(crate) fn is_this_machine(&self) -> bool {
        self.folder == Path::new("/")
    }

    /// Translates a path on that machine to a path on this one. Symbolic links are followed as that
    /// machine would follow them, so none leads out of the root folder.
    ///
    /// # Errors
    /// The path goes through more than `MAX_LINKS` symbolic links, as in a loop.
    pub(crate) fn resolve(&self, path: &str) -> io::Result<PathBuf> {
        if self.is_this_machine() {
            return Ok(path.into());
        }
        let mut remaining: Vec<String> = components(Path::new(path));
        let (mut inside, mut links) = (PathBuf::new(), 0);
        while let Some(part) = remaining.pop() {
            if part == ".." {
                inside.pop();
                continue;
            }
            let real_path = self.folder.join(&inside).join(&part);
            match fs::read_link(&real_path) {
                Ok(target) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(io::Error::other("too many symbolic links"));
                    }
                    if target.is_absolute() {
                        inside.clear();
                    }
                    remaining.extend(components(&target));
                }
                // Not a link, or missing: the caller learns that when it opens the path.
                Err(_) => inside.push(part),
            }
        }
        Ok(self.folder.join(inside))
    }

    /// Formats a path on that machine for messages, with the root folder in front.
    pub fn shown(&self, path: &str) -> String {
        self.folder.join(path.trim_start_matches('/')).display().to_string()
    }

    /// Reads a file as text, up to 1 MiB; invalid UTF-8 is replaced by U+FFFD. Anything but a
    /// regular file is unreadable, as reading a pipe might never end.
    pub fn text(&self, path: &str) -> Probe<String> {
        self.text_up_to(path, MAX_FILE_SIZE)
    }

    /// Like [`Root::text`], but reads up to `max_bytes` bytes.
    pub fn text_up_to(&self, path: &str, max_bytes: u64) -> Probe<String> {
        let read = |path: PathBuf| {
            if !fs::metadata(&path)?.is_file() {
                return Err(io::Error::other("not a regular file"));
            }
            let mut bytes = Vec::new();
            File::open(path)?.take(max_bytes).read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        self.resolve(path).and_then(read).into()
    }

    /// Reads a file with a single line, like those in /sys, and trims it.
    pub fn line(&self, path: &str) -> Probe<String> {
        self.text(path).map(|text| text.trim().to_owned())
    }

    /// Lists the names in a folder, sorted; names that are not UTF-8 are left out.
    pub fn names(&self, path: &str) -> Probe<Vec<String>> {
        let names = self.resolve(path).and_then(fs::read_dir).map(|entries| {
            let mut names: Vec<String> = entries
                .flatten()
                .filter_map(|entry| entry.file_name().into_string().ok())
                .collect();
            names.sort();
            names
        });
        names.into()
    }

    /// Reads the target of a symbolic link without resolving it; Absent if the path is not a link.
    pub fn target(&self, path: &str) -> Probe<PathBuf> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let target = self.resolve(folder).and_then(|folder| fs::read_link(folder.join(name)));
        match target {
            // `readlink` fails with EINVAL for a file or folder.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Probe::Absent,
            target => target.into(),
        }
    }

    /// Reads the last component of a link's target, as for the links `driver` and `mdev_type` of a
    /// device.
    pub fn link(&self, path: &str) -> Probe<String> {
        self.target(path)
            .map(|target| target.file_name().unwrap_or_default().to_string_lossy().into_owned())
    }

    /// The name of the file that a path leads to through all links; `None` if it does not exist.
    pub fn real_name(&self, path: &str) -> Option<String> {
        let real = fs::canonicalize(self.resolve(path).ok()?).ok()?;
        Some(real.file_name()?.to_string_lossy().into_owned())
    }

    /// The path, on that machine, of the file that a path leads to through all links; `None` if it
    /// does not exist.
    pub fn real_path(&self, path: &str) -> Option<String> {
        let real = fs::canonicalize(self.resolve(path).ok()?).ok()?;
        let inside = real.strip_prefix(fs::canonicalize(&self.folder).ok()?).ok()?;
        Some(format!("/{}", inside.display()))
    }

    /// Whether the file or folder exists.
    pub fn has(&self, path: &str) -> bool {
        self.resolve(path).is_ok_and(|path| path.exists())
    }

    /// The file's `st_mode`: type and permission bits.
    pub fn mode(&self, path: &str) -> Probe<u32> {
        self.resolve(path).and_then(fs::metadata).map(|metadata| mode(&metadata)).into()
    }
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::mode(metadata)
}

/// Without a mode no file counts as executable.
#[cfg(not(unix))]
fn mode(_metadata: &fs::Metadata) -> u32 {
    0
}

/// Splits a path into its components, in reverse order, so that `pop` returns the next one.
pub(super) fn components(path: &Path) -> Vec<String> {
    let component_name = |component: Component<'_>| match component {
        Component::ParentDir => Some("..".to_owned()),
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    };
    path.components().rev().filter_map(component_name).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn keeps_links_inside_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        fs::create_dir_all(folder.path().join("usr/bin")).unwrap();
        fs::write(folder.path().join("usr/bin/dash"), "dash\n").unwrap();
        fs::create_dir(folder.path().join("etc")).unwrap();
        symlink("/usr/bin", folder.path().join("bin")).unwrap();
        symlink("../../../../usr/bin/dash", folder.path().join("etc/sh")).unwrap();
        symlink("/usr/bin/dash", folder.path().join("etc/absolute")).unwrap();
        symlink("loop", folder.path().join("etc/loop")).unwrap();
        symlink("/etc/passwd", folder.path().join("etc/outside")).unwrap();
        assert_eq!(root.line("/bin/dash"), Probe::Present("dash".into()));
        assert_eq!(root.line("/etc/sh"), Probe::Present("dash".into()));
        assert_eq!(root.link("/etc/sh"), Probe::Present("dash".into()));
        assert_eq!(root.line("/etc/absolute"), Probe::Present("dash".into()));
        assert_eq!(root.real_name("/etc/sh"), Some("dash".into()));
        assert_eq!(root.text("/etc/outside"), Probe::Absent);
        assert!(matches!(root.text("/etc/loop"), Probe::Unreadable(_)));
        assert_eq!(root.names("/usr/bin"), Probe::Present(vec!["dash".into()]));
        assert_eq!(root.names("/usr/bin/dash"), Probe::Absent);
    }
}
