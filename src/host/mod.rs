//! What this machine has: the only reader of /sys, /proc and /etc, below a root folder.

use crate::sanitize::system_error;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

pub mod availability;
pub mod boot;
pub mod card;
pub mod checks;
pub mod confinement;
pub mod gpu;
pub mod hook;
pub mod installed;
pub mod kernel;
pub mod libvirt;
pub mod machine;
mod open_files;
pub mod owners;
pub mod system;

use card::{Card, VgpuInstance};
use confinement::Confinement;
use kernel::Kernel;
use libvirt::Libvirt;
use machine::Machine;
use system::System;

/// More links than this on one path go round in circles (the kernel's own limit).
const MAX_LINKS: usize = 40;

/// More of a file than this nobody wants to know, in bytes.
const LARGEST: u64 = 1 << 20;

/// A machine's files: this one's, or a copied tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    folder: PathBuf,
}

impl Default for Root {
    fn default() -> Self {
        Root::new("/")
    }
}

/// Everything that the checks want to know.
#[derive(Clone, Debug)]
pub struct Host {
    /// The system that writes its files.
    pub system: System,
    /// What kind of machine it is.
    pub machine: Machine,
    /// Its display devices.
    pub cards: Probe<Vec<Card>>,
    /// Its mediated devices.
    pub vgpus: Probe<Vec<VgpuInstance>>,
    /// Its kernel.
    pub kernel: Kernel,
    /// libvirt and QEMU on it.
    pub libvirt: Libvirt,
    /// The rules of AppArmor and SELinux that affect hooks and QEMU.
    pub confinement: Confinement,
}

impl Host {
    /// Reads a machine.
    pub fn read(root: &Root) -> Self {
        Host {
            system: System::of(root),
            machine: Machine::read(root),
            cards: card::cards(root),
            vgpus: card::existing(root),
            kernel: Kernel::read(root),
            libvirt: Libvirt::read(root),
            confinement: Confinement::read(root),
        }
    }

    /// The GPU that vGPUs are made of.
    pub fn card(&self) -> Option<&Card> {
        card_of(&self.cards)
    }
}

/// The GPU that vGPUs are made of: one that offers types, else one of a generation that could, else
/// Intel's first.
pub fn card_of(cards: &Probe<Vec<Card>>) -> Option<&Card> {
    let cards = cards.as_found()?;
    let intel = |card: &&Card| card.gpu.vendor == 0x8086;
    let offers = |card: &&Card| card.types.as_found().is_some_and(|types| !types.is_empty());
    let could = |card: &&Card| card.type_prefix().is_some();
    cards
        .iter()
        .filter(intel)
        .find(offers)
        .or_else(|| cards.iter().find(could))
        .or_else(|| cards.iter().find(intel))
}

/// What reading gave. That something is absent, or that nobody lets us look, is a fact too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe<T> {
    /// It is there.
    Present(T),
    /// There is no such file.
    Absent,
    /// It may be there: why it can't be read, in the system's words.
    Unreadable(String),
}

impl Root {
    /// The machine whose `/` is this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Root { folder: folder.into() }
    }

    /// Whether it is the machine that this program runs on.
    pub(crate) fn is_this_machine(&self) -> bool {
        self.folder == Path::new("/")
    }

    /// Where a path of that machine is on this one, links followed as that machine would: none
    /// leads out of the folder.
    ///
    /// # Errors
    /// A file on the way that can't be looked at, or links that go round in circles.
    pub(crate) fn resolve(&self, path: &str) -> io::Result<PathBuf> {
        if self.is_this_machine() {
            return Ok(path.into());
        }
        let mut left: Vec<String> = parts(Path::new(path));
        let (mut inside, mut links) = (PathBuf::new(), 0);
        while let Some(part) = left.pop() {
            if part == ".." {
                inside.pop();
                continue;
            }
            let here = self.folder.join(&inside).join(&part);
            match fs::read_link(&here) {
                Ok(target) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(io::Error::other("too many symbolic links"));
                    }
                    if target.is_absolute() {
                        inside.clear();
                    }
                    left.extend(parts(&target));
                }
                // No link, or nothing: whoever opens it sees.
                Err(_) => inside.push(part),
            }
        }
        Ok(self.folder.join(inside))
    }

    /// A path of that machine for messages, with the root before it.
    pub fn shown(&self, path: &str) -> String {
        self.folder.join(path.trim_start_matches('/')).display().to_string()
    }

    /// A file's text, without bytes that are no UTF-8. Anything else than a file is unreadable: a
    /// pipe might never end.
    pub fn text(&self, path: &str) -> Probe<String> {
        self.text_up_to(path, LARGEST)
    }

    /// The same of so many bytes at most.
    pub fn text_up_to(&self, path: &str, most: u64) -> Probe<String> {
        let read = |path: PathBuf| {
            if !fs::metadata(&path)?.is_file() {
                return Err(io::Error::other("not a regular file"));
            }
            let mut bytes = Vec::new();
            File::open(path)?.take(most).read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        self.resolve(path).and_then(read).into()
    }

    /// A file of one line, as those of /sys are, without the space around it.
    pub fn line(&self, path: &str) -> Probe<String> {
        self.text(path).map(|text| text.trim().to_owned())
    }

    /// The names in a folder, sorted.
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

    /// What a link points to, as it says.
    pub fn target(&self, path: &str) -> Probe<PathBuf> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let target = self.resolve(folder).and_then(|folder| fs::read_link(folder.join(name)));
        match target {
            // A file or folder is no link.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Probe::Absent,
            target => target.into(),
        }
    }

    /// The last part of what a link points to, as `driver` and `mdev_type` of a device do.
    pub fn link(&self, path: &str) -> Probe<String> {
        self.target(path)
            .map(|target| target.file_name().unwrap_or_default().to_string_lossy().into_owned())
    }

    /// The name of the file that a path leads to in the end; None where that is not there.
    pub fn real_name(&self, path: &str) -> Option<String> {
        let real = fs::canonicalize(self.resolve(path).ok()?).ok()?;
        Some(real.file_name()?.to_string_lossy().into_owned())
    }

    /// The path on that machine of the file that a path finally leads to; None if there is no such
    /// file.
    pub fn real_path(&self, path: &str) -> Option<String> {
        let real = fs::canonicalize(self.resolve(path).ok()?).ok()?;
        let inside = real.strip_prefix(fs::canonicalize(&self.folder).ok()?).ok()?;
        Some(format!("/{}", inside.display()))
    }

    /// Whether there is such a file or folder.
    pub fn has(&self, path: &str) -> bool {
        self.resolve(path).is_ok_and(|path| path.exists())
    }

    /// A file's mode, as the kernel has it.
    pub fn mode(&self, path: &str) -> Probe<u32> {
        self.resolve(path).and_then(fs::metadata).map(|metadata| mode(&metadata)).into()
    }
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::mode(metadata)
}

/// Nothing can be run where files have no mode.
#[cfg(not(unix))]
fn mode(_metadata: &fs::Metadata) -> u32 {
    0
}

/// The parts of a path, the first one last.
fn parts(path: &Path) -> Vec<String> {
    let part = |component: Component<'_>| match component {
        Component::ParentDir => Some("..".to_owned()),
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    };
    path.components().rev().filter_map(part).collect()
}

impl<T> Probe<T> {
    /// What was found.
    pub fn present(self) -> Option<T> {
        match self {
            Probe::Present(value) => Some(value),
            _ => None,
        }
    }

    /// What was found, to look at.
    pub fn as_found(&self) -> Option<&T> {
        match self {
            Probe::Present(value) => Some(value),
            _ => None,
        }
    }

    /// The same with something made of what was found.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Probe<U> {
        match self {
            Probe::Present(value) => Probe::Present(make(value)),
            Probe::Absent => Probe::Absent,
            Probe::Unreadable(why) => Probe::Unreadable(why),
        }
    }
}

impl<T> From<io::Result<T>> for Probe<T> {
    fn from(result: io::Result<T>) -> Self {
        match result {
            Ok(value) => Probe::Present(value),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Probe::Absent
            }
            Err(error) => Probe::Unreadable(system_error(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn no_link_leads_out_of_the_root() {
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
