//! The tree as a FUSE file system that behaves like sysfs: a write is a command, and nothing is
//! cached.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenAccMode, OpenFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use crate::gpu::{Gpu, Refusal, Removal};
use crate::tree::{self, Node};
use crate::vfio::Devices;

pub struct Files {
    state: Mutex<State>,
    kvmgt: Option<PathBuf>,
    log: Option<PathBuf>,
    devices: Devices,
}

struct State {
    gpu: Gpu,
    /// Each path that was looked up. A path's inode is its index plus one.
    paths: Vec<String>,
}

impl Files {
    pub fn new(gpu: Gpu, kvmgt: Option<PathBuf>, log: Option<PathBuf>, devices: Devices) -> Self {
        Self { state: Mutex::new(State { gpu, paths: vec![String::new()] }), kvmgt, log, devices }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn node(&self, state: &State, inode: INodeNo) -> Result<Node, Errno> {
        let path = state.paths.get(inode.0 as usize - 1).ok_or(Errno::ENOENT)?;
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let kvmgt = self.kvmgt.as_ref().is_none_or(|file| file.exists());
        tree::node(&state.gpu, kvmgt, &parts).ok_or(Errno::ENOENT)
    }

    /// The entry of this name, with its inode.
    fn child(&self, parent: INodeNo, name: &OsStr) -> Result<FileAttr, Errno> {
        let mut state = self.state();
        let folder = state.paths.get(parent.0 as usize - 1).ok_or(Errno::ENOENT)?;
        let path = format!("{folder}/{}", name.to_str().ok_or(Errno::ENOENT)?);
        let known = state.paths.iter().position(|known| *known == path);
        let place = known.unwrap_or(state.paths.len());
        if known.is_none() {
            state.paths.push(path);
        }
        let inode = INodeNo(place as u64 + 1);
        Ok(attributes(inode, &self.node(&state, inode)?))
    }

    fn attributes(&self, inode: INodeNo) -> Result<FileAttr, Errno> {
        Ok(attributes(inode, &self.node(&self.state(), inode)?))
    }

    /// Runs a command and logs it; returns the kernel's answer.
    fn store(&self, inode: INodeNo, written: &[u8]) -> Result<(), Errno> {
        let mut state = self.state();
        let text = String::from_utf8_lossy(written);
        let text = text.trim_end_matches('\n');
        match self.node(&state, inode)? {
            Node::Create(size) => {
                let name = state.gpu.name(size);
                let created = state.gpu.create(size, written);
                self.log(&format!("create {text:?} {name}"), &created.map(|_| "ok"));
                self.devices.make(created.map_err(errno)?).map_err(Errno::from)
            }
            Node::Remove(uuid) => {
                let group = state.gpu.vgpu(&uuid).ok_or(Errno::ENODEV)?.group;
                let removed = state.gpu.remove(&uuid, written, self.devices.in_use(group));
                let word = |removal| match removal {
                    Some(Removal::Gone) => "ok",
                    Some(Removal::HalfDead) => "half dead",
                    None => "nothing",
                };
                self.log(&format!("remove {uuid}"), &removed.map(word));
                match removed.map_err(errno)? {
                    Some(Removal::Gone) => self.devices.remove(group).map_err(Errno::from),
                    _ => Ok(()),
                }
            }
            _ => Err(Errno::EACCES),
        }
    }

    fn log(&self, command: &str, answer: &Result<&str, Refusal>) {
        let Some(path) = &self.log else { return };
        let mut line = format!("{command}: ");
        let _ = match answer {
            Ok(word) => writeln!(line, "{word}"),
            Err(refusal) => writeln!(line, "{refusal:?}"),
        };
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        // A test that reads the log misses the line, and fails.
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}

impl Filesystem for Files {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        match self.child(parent, name) {
            Ok(attributes) => reply.entry(&Duration::ZERO, &attributes, Generation(0)),
            Err(error) => reply.error(error),
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.attributes(inode) {
            Ok(attributes) => reply.attr(&Duration::ZERO, &attributes),
            Err(error) => reply.error(error),
        }
    }

    /// Accepts that a shell's `>` truncates a file, and does nothing, like sysfs.
    fn setattr(
        &self,
        _: &Request,
        inode: INodeNo,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        match self.attributes(inode) {
            Ok(attributes) => reply.attr(&Duration::ZERO, &attributes),
            Err(error) => reply.error(error),
        }
    }

    fn readlink(&self, _: &Request, inode: INodeNo, reply: ReplyData) {
        match self.node(&self.state(), inode) {
            Ok(Node::Link(target)) => reply.data(target.as_bytes()),
            Ok(_) => reply.error(Errno::EINVAL),
            Err(error) => reply.error(error),
        }
    }

    /// Refuses new files: in sysfs, even root cannot create one.
    fn create(
        &self,
        _: &Request,
        _: INodeNo,
        _: &OsStr,
        _: u32,
        _: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        reply.error(Errno::EACCES);
    }

    /// Refuses to open a file for an access that its mode allows to no one, even for root.
    fn open(&self, _: &Request, inode: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        let (reads, writes) = match flags.acc_mode() {
            OpenAccMode::O_RDONLY => (true, false),
            OpenAccMode::O_WRONLY => (false, true),
            OpenAccMode::O_RDWR => (true, true),
        };
        match self.attributes(inode) {
            Ok(file) if (reads && file.perm & 0o444 == 0) || (writes && file.perm & 0o222 == 0) => {
                reply.error(Errno::EACCES)
            }
            Ok(_) => reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO),
            Err(error) => reply.error(error),
        }
    }

    fn read(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.node(&self.state(), inode) {
            Ok(Node::Text(text)) => {
                let rest = text.as_bytes().get(offset as usize..).unwrap_or_default();
                reply.data(&rest[..rest.len().min(size as usize)]);
            }
            Ok(_) => reply.error(Errno::EINVAL),
            // The device was removed while its file was open.
            Err(_) => reply.error(Errno::ENODEV),
        }
    }

    fn write(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        _: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.store(inode, data) {
            Ok(()) => reply.written(data.len() as u32),
            Err(error) => reply.error(error),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn readdir(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let names = match self.node(&self.state(), inode) {
            Ok(Node::Folder(names)) => names,
            Ok(_) => return reply.error(Errno::ENOTDIR),
            Err(error) => return reply.error(error),
        };
        let dots = [".", ".."].map(str::to_owned);
        for (place, name) in dots.into_iter().chain(names).enumerate().skip(offset as usize) {
            // The kernel ignores the inodes of the dots.
            let entry = if place < 2 {
                Ok((inode, FileType::Directory))
            } else {
                self.child(inode, name.as_ref()).map(|file| (file.ino, file.kind))
            };
            // An entry that has disappeared in the meantime is left out.
            let Ok((inode, kind)) = entry else { continue };
            if reply.add(inode, place as u64 + 1, kind, name) {
                break;
            }
        }
        reply.ok();
    }
}

fn errno(refusal: Refusal) -> Errno {
    match refusal {
        Refusal::Invalid => Errno::EINVAL,
        Refusal::Exists => Errno::EEXIST,
        Refusal::NoSpace => Errno::ENOSPC,
        Refusal::Busy => Errno::EBUSY,
        Refusal::InputOutput => Errno::EIO,
    }
}

/// The attributes of a node: it belongs to root and has the size that all sysfs files have.
fn attributes(inode: INodeNo, node: &Node) -> FileAttr {
    let (kind, perm) = match node {
        Node::Folder(_) => (FileType::Directory, 0o755),
        Node::Text(_) => (FileType::RegularFile, 0o444),
        Node::Link(_) => (FileType::Symlink, 0o777),
        Node::Create(_) | Node::Remove(_) => (FileType::RegularFile, 0o200),
    };
    FileAttr {
        ino: inode,
        size: 4096,
        blocks: 0,
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind,
        perm,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}
