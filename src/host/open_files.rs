//! Tells whether an open file of a process is a certain device.
//!
//! The device number decides. The text of a link in /proc/PID/fd does not: any user can have a file open whose path reads /dev/vfio/0.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::Root;

/// How long a file system has to say what kind of file it is. A device answers at once; a dead NFS server, or a FUSE server that a user
/// runs, may never do so.
const PATIENCE: Duration = Duration::from_secs(1);

/// After this many files that did not answer, only files whose path ends like that of a node are asked.
const MAX_SILENT: usize = 3;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    /// A character device, through whichever node it was opened: libvirt makes nodes of its own for QEMU.
    Device(u64),
    /// Any other file, by its file system and inode: a vGPU's node on an emulated machine.
    Inode(u64, u64),
}

/// A thread that may wait for a file system, and how to talk to it.
struct Asker {
    paths: Sender<PathBuf>,
    answers: Receiver<Option<Identity>>,
}

impl<'n> OpenFiles<'n> {
    /// Looks up these nodes on a machine.
    pub(super) fn new(root: &Root, nodes: &'n [String]) -> Self {
        let is_copy = !root.is_this_machine();
        let identity = |node: &String| fs::metadata(node).ok().as_ref().and_then(identity);
        let identities = if is_copy { BTreeSet::new() } else { nodes.iter().filter_map(identity).collect() };
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
        let is_named =
            self.nodes.iter().any(|node| node.strip_prefix("/dev").is_some_and(|end| target.ends_with(end.trim_start_matches('/'))));
        if self.silent >= MAX_SILENT && !is_named {
            return false;
        }
        self.ask(PathBuf::from(link)).is_some_and(|found| self.identities.contains(&found))
    }

    fn ask(&mut self, path: PathBuf) -> Option<Identity> {
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
                if answer.send(fs::metadata(path).ok().as_ref().and_then(identity)).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("open files".into()).spawn(work).ok()?;
        Some(Asker { paths, answers })
    }
}

#[cfg(unix)]
fn identity(file: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let is_device = file.file_type().is_char_device();
    Some(if is_device { Identity::Device(file.rdev()) } else { Identity::Inode(file.dev(), file.ino()) })
}

/// Only Unix has device numbers.
#[cfg(not(unix))]
fn identity(_file: &Metadata) -> Option<Identity> {
    None
}
