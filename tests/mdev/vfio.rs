//! The files by which QEMU would open vGPUs, and whether somebody has one open.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

/// A file for each IOMMU group, if there is a folder for them.
pub struct Devices {
    pub folder: Option<PathBuf>,
    /// Whether each vGPU has a file of its own too, which has its group's number here.
    pub iommufd: bool,
}

impl Devices {
    /// Makes a vGPU's files, for root alone as in /dev/vfio.
    pub fn make(&self, group: u32) -> io::Result<()> {
        for path in self.paths(group) {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        }
        Ok(())
    }

    pub fn remove(&self, group: u32) -> io::Result<()> {
        self.paths(group).iter().try_for_each(fs::remove_file)
    }

    /// Whether a process has one of a vGPU's files open. A descriptor's link is read and never followed: it may lead back into the file
    /// system that is just asking.
    pub fn in_use(&self, group: u32) -> bool {
        let paths = self.paths(group);
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let descriptors = processes.flat_map(|process| fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten());
        let mut targets = descriptors.filter_map(|descriptor| fs::read_link(descriptor.path()).ok());
        targets.any(|target| paths.contains(&target))
    }

    fn paths(&self, group: u32) -> Vec<PathBuf> {
        let Some(folder) = &self.folder else { return Vec::new() };
        let own = self.iommufd.then(|| folder.join(format!("devices/vfio{group}")));
        [folder.join(group.to_string())].into_iter().chain(own).collect()
    }
}
