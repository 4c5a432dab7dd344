//! Tells whether an open file of a process is a certain device.
//!
//! The device number decides. The text of a link in /proc/PID/fd does not: any user can have a file
//! open whose path reads /dev/vfio/0. Nor does a file of which only the path is open (`O_PATH`)
//! count: any user can open the path of a device that is root's alone.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::{Probe, Root};

/// How long a file system has to say what kind of file it is. A device answers at once; a dead NFS
/// server, or a FUSE server that a user runs, may never do so.
const PATIENCE: Duration = Duration::from_secs(1);

/// After this many files that did not answer, only files whose path ends like that of a node are
/// asked.
const MAX_SILENT: usize = 3;

/// The flag of an open file that is a path and no more (Linux: include/uapi/asm-generic/fcntl.h).
const O_PATH: u32 = 0o10_000_000;

/// Looks for the users of some device nodes.
pub(super) struct OpenFiles<'n> {
    nodes: &'n [String],
    identities: BTreeSet<Identity>,
    /// Whether the machine is a copy, in which the links are all that is left of open files.
    is_copy: bool,
    asker: Option<Asker>,
    silent: usize,
}

/// The identity of a file.
#[cfg_attr(not(unix), expect(dead_code, reason = "only Unix has device numbers"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    /// A character device, through whichever node it was opened: libvirt makes nodes of its own for
    /// QEMU.
    Device(u64),
    /// Any other file, by its file system and inode: a vGPU's node on an emulated machine.
    Inode(u64, u64),
}

/// A file as `stat` describes it.
#[derive(Clone, Copy, Debug)]
struct FileStat {
    identity: Identity,
    inode: u64,
}

/// A thread that may wait for a file system, and how to talk to it.
struct Asker {
    paths: Sender<PathBuf>,
    answers: Receiver<Option<FileStat>>,
}

impl<'n> OpenFiles<'n> {
    /// Looks up these nodes on a machine.
    pub(super) fn new(root: &Root, nodes: &'n [String]) -> Self {
        let is_copy = !root.is_this_machine();
        let identity = |node: &String| Some(look(&fs::metadata(node).ok()?)?.identity);
        let identities =
            if is_copy { BTreeSet::new() } else { nodes.iter().filter_map(identity).collect() };
        OpenFiles { nodes, identities, is_copy, asker: None, silent: 0 }
    }

    /// Returns whether this link in /proc/PID/fd leads to one of the nodes.
    pub(super) fn is_node(&mut self, root: &Root, link: &str) -> bool {
        let Some(target) = root.target(link).present() else { return false };
        if self.is_copy {
            return self.nodes.iter().any(|node| target.as_os_str() == node.as_str());
        }
        // Sockets and pipes have no path.
        if self.identities.is_empty() || !target.is_absolute() {
            return false;
        }
        let is_named = self.nodes.iter().any(|node| {
            node.strip_prefix("/dev")
                .is_some_and(|end| target.ends_with(end.trim_start_matches('/')))
        });
        if self.silent >= MAX_SILENT && !is_named {
            return false;
        }
        let Some(found) = self.ask(PathBuf::from(link)) else { return false };
        self.identities.contains(&found.identity) && is_open(root, link, found.inode)
    }

    fn ask(&mut self, path: PathBuf) -> Option<FileStat> {
        if self.asker.is_none() {
            self.asker = Asker::start();
        }
        let asker = self.asker.as_ref()?;
        asker.paths.send(path).ok()?;
        match asker.answers.recv_timeout(PATIENCE) {
            Ok(answer) => answer,
            Err(_) => {
                // It is still waiting. Another thread continues.
                self.asker = None;
                self.silent += 1;
                None
            }
        }
    }
}

impl Asker {
    fn start() -> Option<Self> {
        let (paths, asked) = channel::<PathBuf>();
        let (answer, answers) = channel();
        let work = move || {
            for path in asked {
                if answer.send(fs::metadata(path).ok().as_ref().and_then(look)).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("open files".into()).spawn(work).ok()?;
        Some(Asker { paths, answers })
    }
}

/// Returns whether the file behind a link in /proc/PID/fd, which had this inode, is open to be
/// used.
fn is_open(root: &Root, link: &str, inode: u64) -> bool {
    match root.text(&link.replacen("/fd/", "/fdinfo/", 1)) {
        Probe::Present(info) => is_open_by(&info, inode),
        // It was closed meanwhile.
        Probe::Absent => false,
        Probe::Unreadable(_) => true,
    }
}

/// Reads the answer from a file in /proc/PID/fdinfo. Where the kernel gives the inode there (since
/// 5.14), the flags are those of the same file.
fn is_open_by(info: &str, inode: u64) -> bool {
    let value = |key: &str| info.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    let flags = value("flags:").and_then(|flags| u32::from_str_radix(flags, 8).ok());
    let own = value("ino:").and_then(|own| own.parse().ok());
    flags.is_none_or(|flags| flags & O_PATH == 0) && own.is_none_or(|own: u64| own == inode)
}

#[cfg(unix)]
fn look(file: &Metadata) -> Option<FileStat> {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let is_device = file.file_type().is_char_device();
    let identity = if is_device {
        Identity::Device(file.rdev())
    } else {
        Identity::Inode(file.dev(), file.ino())
    };
    Some(FileStat { identity, inode: file.ino() })
}

/// Only Unix has device numbers.
#[cfg(not(unix))]
fn look(_file: &Metadata) -> Option<FileStat> {
    None
}

#[cfg(test)]
mod tests {
    use super::is_open_by;

    #[test]
    fn a_path_that_is_open_is_no_open_file() {
        let info = |flags: &str| format!("pos:\t0\nflags:\t{flags}\nmnt_id:\t24\nino:\t800\n");
        for (flags, expected) in [
            ("0100002", true),
            ("02100002", true),
            ("010000000", false),
            ("012000000", false),
            ("012100000", false),
            ("030000000", false),
            ("020000002", true),
        ] {
            assert_eq!(is_open_by(&info(flags), 800), expected, "{flags}");
        }
        // Another file has taken its number meanwhile.
        assert!(!is_open_by(&info("0100002"), 3));
        // Old kernels do not give the inode.
        assert!(is_open_by("pos:\t0\nflags:\t0100002\nmnt_id:\t24\n", 800));
        assert!(!is_open_by("pos:\t0\nflags:\t010000000\nmnt_id:\t24\n", 800));
    }
}
