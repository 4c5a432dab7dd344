//! The files by which QEMU would open vGPUs, and whether somebody has one open.

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

/// A file for each IOMMU group, if there is a folder for them.
pub struct Groups {
    pub folder: Option<PathBuf>,
}

impl Groups {
    /// Makes a group's file, for root alone as in /dev/vfio.
    pub fn make(&self, group: u32) -> std::io::Result<()> {
        let Some(path) = self.path(group) else { return Ok(()) };
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).map(|_| ())
    }

    pub fn remove(&self, group: u32) -> std::io::Result<()> {
        self.path(group).map_or(Ok(()), fs::remove_file)
    }

    /// Whether a process has the group's file open. A descriptor's link is read and never followed: it may lead back into the file system
    /// that is just asking.
    pub fn in_use(&self, group: u32) -> bool {
        let Some(path) = self.path(group) else { return false };
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let descriptors = processes.flat_map(|process| fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten());
        let mut targets = descriptors.filter_map(|descriptor| fs::read_link(descriptor.path()).ok());
        targets.any(|target| target == path)
    }

    fn path(&self, group: u32) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join(group.to_string()))
    }
}
