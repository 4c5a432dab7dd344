//! Tells whether an open file of a process is a certain device.
//!
//! The device number decides, not the text of the link in /proc/PID/fd: any user can have a file
//! open whose path is /dev/vfio/0. A file of which only the path is open (`O_PATH`) does not count,
//! either: any user can open the path of a device that belongs to root.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::{Probe, Root};

/// The time that a file system has to answer `stat`. A device answers at once, but a dead NFS
/// server or a user's FUSE server may never do so.
const STAT_TIMEOUT: Duration = Duration::from_secs(1);

/// The number of files without an answer after which only files whose path ends like that of a node
/// are checked.
const MAX_TIMEOUTS: usize = 3;

/// The flag of a file that is open only as a path (Linux: include/uapi/asm-generic/fcntl.h).
const O_PATH: u32 = 0o10_000_000;

/// Recognizes some device nodes among the open files of processes.
pub(super) struct OpenFiles<'n> {
    nodes: &'n [String],
    identities: BTreeSet<Identity>,
    /// Whether the machine is a copied tree, in which the links are all that is left of open files.
    is_copy: bool,
    stat_thread: Option<StatThread>,
    timeouts: usize,
}

/// The identity of a file.
#[cfg_attr(not(unix), expect(dead_code, reason = "only Unix has device numbers"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    /// The number of a character device. libvirt creates separate nodes for QEMU, so the path and
    /// inode may differ.
    Device(u64),
    /// The file system and inode of any other file, such as the node of a vGPU on an emulated
    /// machine.
    Inode(u64, u64),
}

/// The part of a file's `stat` that identifies it.
#[derive(Clone, Copy, Debug)]
struct FileStat {
    identity: Identity,
    inode: u64,
}

/// A thread that calls `stat`, which may block, and the channels to it.
struct StatThread {
    paths: Sender<PathBuf>,
    answers: Receiver<Option<FileStat>>,
}

impl<'n> OpenFiles<'n> {
    /// Reads the identities of these nodes on a machine.
    pub(super) fn new(root: &Root, nodes: &'n [String]) -> Self {
        let is_copy = !root.is_this_machine();
        let identity = |node: &String| Some(file_stat(&fs::metadata(node).ok()?)?.identity);
        let identities =
            if is_copy { BTreeSet::new() } else { nodes.iter().filter_map(identity).collect() };
        OpenFiles { nodes, identities, is_copy, stat_thread: None, timeouts: 0 }
    }

    /// Whether this link in /proc/PID/fd leads to one of the nodes.
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
        if self.timeouts >= MAX_TIMEOUTS && !is_named {
            return false;
        }
        let Some(stat) = self.stat(PathBuf::from(link)) else { return false };
        self.identities.contains(&stat.identity) && is_open(root, link, stat.inode)
    }

    fn stat(&mut self, path: PathBuf) -> Option<FileStat> {
        if self.stat_thread.is_none() {
            self.stat_thread = StatThread::start();
        }
        let stat_thread = self.stat_thread.as_ref()?;
        stat_thread.paths.send(path).ok()?;
        match stat_thread.answers.recv_timeout(STAT_TIMEOUT) {
            Ok(answer) => answer,
            Err(_) => {
                // The thread is still blocked, so the next file gets a new one.
                self.stat_thread = None;
                self.timeouts += 1;
                None
            }
        }
    }
}

impl StatThread {
    fn start() -> Option<Self> {
        let (paths, requests) = channel::<PathBuf>();
        let (answer_sender, answers) = channel();
        let work = move || {
            for path in requests {
                if answer_sender.send(fs::metadata(path).ok().as_ref().and_then(file_stat)).is_err()
                {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("open files".into()).spawn(work).ok()?;
        Some(StatThread { paths, answers })
    }
}

/// Whether the file of a link in /proc/PID/fd, which had this inode, is open for more than its
/// path.
fn is_open(root: &Root, link: &str, inode: u64) -> bool {
    match root.text(&link.replacen("/fd/", "/fdinfo/", 1)) {
        Probe::Present(info) => is_open_in_fdinfo(&info, inode),
        // The process closed it meanwhile.
        Probe::Absent => false,
        Probe::Unreadable(_) => true,
    }
}

/// Whether a file in /proc/PID/fdinfo describes this inode, open for more than its path. Kernels
/// since 5.14 give the inode, which shows that the flags belong to the same file.
fn is_open_in_fdinfo(info: &str, inode: u64) -> bool {
    let value = |key: &str| info.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    let flags = value("flags:").and_then(|flags| u32::from_str_radix(flags, 8).ok());
    let file_inode = value("ino:").and_then(|number| number.parse().ok());
    flags.is_none_or(|flags| flags & O_PATH == 0)
        && file_inode.is_none_or(|number: u64| number == inode)
}

#[cfg(unix)]
fn file_stat(file: &Metadata) -> Option<FileStat> {
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
fn file_stat(_file: &Metadata) -> Option<FileStat> {
    None
}

#[cfg(test)]
mod tests {
    use super::is_open_in_fdinfo;

    #[test]
    fn ignores_files_open_only_as_a_path() {
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
            assert_eq!(is_open_in_fdinfo(&info(flags), 800), expected, "{flags}");
        }
        // The descriptor refers to another file meanwhile.
        assert!(!is_open_in_fdinfo(&info("0100002"), 3));
        // Old kernels do not give the inode.
        assert!(is_open_in_fdinfo("pos:\t0\nflags:\t0100002\nmnt_id:\t24\n", 800));
        assert!(!is_open_in_fdinfo("pos:\t0\nflags:\t010000000\nmnt_id:\t24\n", 800));
    }
}
