//! The device nodes through which QEMU would open vGPUs, and whether a process has one open.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The device nodes of vGPUs; none without a folder.
pub struct Devices {
    pub folder: Option<PathBuf>,
    /// Whether each vGPU has a node of its own too, named after its group's number.
    pub iommufd: bool,
}

/// Minor numbers of devices that everyone may open but few programs do: full and zero for groups,
/// random and urandom for the vGPUs' own nodes.
const GROUPS: [u32; 2] = [7, 5];
const OWN: [u32; 2] = [8, 9];

/// The flag of a file that is open only as a path, without its driver.
const O_PATH: u32 = 0o10_000_000;

impl Devices {
    /// Creates a vGPU's nodes, accessible only to root, as in /dev/vfio.
    pub fn make(&self, group: u32) -> io::Result<()> {
        for (path, minor) in self.nodes(group) {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let made = Command::new("mknod")
                .args(["-m", "600"])
                .arg(path)
                .args(["c", "1", &minor.to_string()])
                .status()?;
            if !made.success() {
                return Err(io::Error::other("mknod failed"));
            }
        }
        Ok(())
    }

    pub fn remove(&self, group: u32) -> io::Result<()> {
        self.nodes(group).iter().try_for_each(|(path, _)| fs::remove_file(path))
    }

    /// Whether a process has one of a vGPU's devices open, through any node. Files on FUSE file
    /// systems are skipped: a request to this program's own file system would never be answered.
    pub fn in_use(&self, group: u32) -> bool {
        let numbers: Vec<u64> = self
            .nodes(group)
            .iter()
            .filter_map(|(path, _)| Some(fs::metadata(path).ok()?.rdev()))
            .collect();
        let processes =
            fs::read_dir("/proc").into_iter().flatten().flatten().map(|process| process.path());
        let is_open = |process: PathBuf| {
            let descriptors = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
            let mut others = descriptors.filter(|descriptor| {
                let info = fs::read_to_string(process.join("fdinfo").join(descriptor.file_name()))
                    .unwrap_or_default();
                !is_path(&info) && !is_fuse(&process, &info)
            });
            others.any(|descriptor| {
                let open = fs::metadata(descriptor.path());
                open.is_ok_and(|open| {
                    open.file_type().is_char_device() && numbers.contains(&open.rdev())
                })
            })
        };
        processes.into_iter().any(is_open)
    }

    fn nodes(&self, group: u32) -> Vec<(PathBuf, u32)> {
        let Some(folder) = &self.folder else { return Vec::new() };
        let at = group as usize % GROUPS.len();
        let own = self.iommufd.then(|| (folder.join(format!("devices/vfio{group}")), OWN[at]));
        [(folder.join(group.to_string()), GROUPS[at])].into_iter().chain(own).collect()
    }
}

/// Whether a file is open only as a path, according to its /proc/PID/fdinfo.
fn is_path(info: &str) -> bool {
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).map(str::trim);
    flags
        .and_then(|flags| u32::from_str_radix(flags, 8).ok())
        .is_some_and(|flags| flags & O_PATH != 0)
}

/// Whether an open file is on a FUSE file system, according to its /proc/PID/fdinfo.
fn is_fuse(process: &Path, info: &str) -> bool {
    let Some(mount) = info.lines().find_map(|line| line.strip_prefix("mnt_id:")).map(str::trim)
    else {
        return false;
    };
    let mounts = fs::read_to_string(process.join("mountinfo")).unwrap_or_default();
    let is_its = |line: &&str| line.split(' ').next() == Some(mount);
    mounts.lines().find(is_its).is_some_and(|line| line.contains(" - fuse"))
}
