//! The kernel's view of a GPU: its driver, its aperture, the vGPU types that it offers, and the
//! existing vGPUs.

use super::gpu::{self, Gpu};
use super::open_files::OpenFiles;
use super::{Probe, Root};

/// A display device with what the kernel reports about it.
#[derive(Clone, Debug)]
pub struct Card {
    /// The PCI device.
    pub gpu: Gpu,
    /// The bound driver; Absent without one.
    pub driver: Probe<String>,
    /// The size of the aperture (BAR 2), in MiB.
    pub aperture: Option<u64>,
    /// The vGPU types that it offers; Absent while GVT-g is off.
    pub types: Probe<Vec<OfferedType>>,
    /// The names of its nodes in /dev/dri, like `card0` and `renderD128`.
    pub nodes: Vec<String>,
}

/// A vGPU type that the kernel lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedType {
    /// The name, like `i915-GVTg_V5_4`.
    pub name: String,
    /// The number of vGPUs of this type that can still be created (`available_instances`); `None`
    /// if it cannot be read.
    pub available: Option<u32>,
}

/// An existing vGPU.
#[derive(Clone, Debug)]
pub struct VgpuInstance {
    /// The UUID as the kernel writes it: lower case, with dashes.
    pub uuid: String,
    /// The vGPU type.
    pub vgpu_type: Option<String>,
    /// The processes that have it open; Unreadable if none was found but the files of some
    /// processes could not be read.
    pub users: Probe<Vec<User>>,
}

/// A process that has a vGPU open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The process id.
    pub pid: u32,
    /// The name of the process.
    pub program: String,
    /// The domain's name, if the process is a QEMU that libvirt started.
    pub domain: Option<String>,
}

impl Card {
    /// The path of the device in /sys.
    pub fn path(&self) -> String {
        format!("/sys/bus/pci/devices/{}", self.gpu.address)
    }

    /// The prefix of its vGPU types: taken from the types that the kernel lists, else from the
    /// generation; `None` without GVT-g.
    pub fn type_prefix(&self) -> Option<&str> {
        let offered =
            self.types.as_present().and_then(|types| types.first()?.name.rsplit_once('_'));
        offered.map(|(prefix, _)| prefix).or(self.gpu.generation.type_prefix())
    }

    /// The path in /sys of the vGPU types.
    pub fn types_path(&self) -> String {
        format!("{}/mdev_supported_types", self.path())
    }
}

/// Reads all display devices.
pub fn cards(root: &Root) -> Probe<Vec<Card>> {
    gpu::all(root).map(|gpus| gpus.into_iter().map(|gpu| card(root, gpu)).collect())
}

fn card(root: &Root, gpu: Gpu) -> Card {
    let path = format!("/sys/bus/pci/devices/{}", gpu.address);
    let types = format!("{path}/mdev_supported_types");
    let offered = |name: String| {
        let available = root.line(&format!("{types}/{name}/available_instances")).present();
        OfferedType { available: available.and_then(|text| text.parse().ok()), name }
    };
    Card {
        driver: root.link(&format!("{path}/driver")),
        aperture: root.text(&format!("{path}/resource")).present().and_then(|text| aperture(&text)),
        types: root.names(&types).map(|names| names.into_iter().map(offered).collect()),
        nodes: gpu::render_devices(root, &gpu.address),
        gpu,
    }
}

/// Parses the size of BAR 2, in MiB, from a device's `resource` file, which has a line with the
/// first byte, the last byte and flags for each region.
fn aperture(resource: &str) -> Option<u64> {
    let mut numbers = resource
        .lines()
        .nth(2)?
        .split_whitespace()
        .map(|number| u64::from_str_radix(number.trim_start_matches("0x"), 16));
    let (Some(Ok(first)), Some(Ok(last))) = (numbers.next(), numbers.next()) else { return None };
    let size = last.checked_sub(first).filter(|size| *size > 0)? + 1;
    Some(size >> 20)
}

/// Reads the mediated devices that exist.
pub fn existing(root: &Root) -> Probe<Vec<VgpuInstance>> {
    const DEVICES: &str = "/sys/bus/mdev/devices";
    root.names(DEVICES).map(|uuids| {
        let read_instance = |uuid: String| {
            let path = format!("{DEVICES}/{uuid}");
            let group = root.link(&format!("{path}/iommu_group")).present();
            let nodes = root.names(&format!("{path}/vfio-dev")).present().unwrap_or_default();
            let files = group.map(|group| format!("/dev/vfio/{group}")).into_iter();
            let files: Vec<String> =
                files.chain(nodes.iter().map(|node| format!("/dev/vfio/devices/{node}"))).collect();
            VgpuInstance {
                vgpu_type: root.link(&format!("{path}/mdev_type")).present(),
                users: users(root, &files),
                uuid,
            }
        };
        uuids
            .into_iter()
            .filter(|name| uuid::Uuid::parse_str(name).is_ok())
            .map(read_instance)
            .collect()
    })
}

/// Finds the processes that have one of these device nodes open.
fn users(root: &Root, nodes: &[String]) -> Probe<Vec<User>> {
    let (mut users, mut unreadable) = (Vec::new(), None);
    let mut open_files = OpenFiles::new(root, nodes);
    let names = root.names("/proc").present().unwrap_or_default();
    for pid in names.iter().filter_map(|name| name.parse::<u32>().ok()) {
        let folder = format!("/proc/{pid}/fd");
        match root.names(&folder) {
            Probe::Present(open) => {
                if open.iter().any(|file| open_files.is_node(root, &format!("{folder}/{file}"))) {
                    users.push(user(root, pid));
                }
            }
            Probe::Unreadable(why) => unreadable = Some(why),
            Probe::Absent => {}
        }
    }
    match unreadable {
        Some(why) if users.is_empty() => Probe::Unreadable(why),
        _ => Probe::Present(users),
    }
}

fn user(root: &Root, pid: u32) -> User {
    let line = root.text(&format!("/proc/{pid}/cmdline")).present().unwrap_or_default();
    let words: Vec<&str> = line.split('\0').collect();
    // libvirt starts QEMU with `-name guest=win10,debug-threads=on`.
    let name = words
        .iter()
        .position(|word| *word == "-name")
        .and_then(|at| words.get(at + 1)?.strip_prefix("guest="));
    let domain = name.map(|name| name.trim_end_matches(",debug-threads=on").replace(",,", ","));
    User {
        pid,
        program: root.line(&format!("/proc/{pid}/comm")).present().unwrap_or_default(),
        domain,
    }
}

#[cfg(test)]
mod tests {
    use super::aperture;

    #[test]
    fn reads_the_aperture_from_the_third_region() {
        let resource = "0x00000000de000000 0x00000000deffffff 0x0000000000140204\n0x0000000000000000 0x0000000000000000 0x0000000000000000\n\
                        0x00000000c0000000 0x00000000cfffffff 0x000000000014220c\n";
        assert_eq!(aperture(resource), Some(256));
        assert_eq!(aperture("0x0 0x0 0x0\n0x0 0x0 0x0\n0x0 0x0 0x0\n"), None);
        assert_eq!(aperture(""), None);
    }
}
