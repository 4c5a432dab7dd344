//! What the kernel offers on a GPU: its driver, its aperture, the vGPU types, and the vGPUs there
//! are.

use super::gpu::{self, Gpu};
use super::open_files::OpenFiles;
use super::{Probe, Root};

/// A display device with what the kernel says about it.
#[derive(Clone, Debug)]
pub struct Card {
    /// Which one it is.
    pub gpu: Gpu,
    /// The driver that runs it; Absent without one.
    pub driver: Probe<String>,
    /// The size of its aperture (BAR 2), in MB.
    pub aperture: Option<u64>,
    /// The vGPU types it can make; Absent where GVT-g is off.
    pub types: Probe<Vec<TypeOffered>>,
    /// Its nodes below /dev/dri, like `card0` and `renderD128`.
    pub nodes: Vec<String>,
}

/// A vGPU type that the kernel lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeOffered {
    /// Like `i915-GVTg_V5_4`.
    pub name: String,
    /// How many more of it can be made now.
    pub available: Option<u32>,
}

/// A vGPU that exists.
#[derive(Clone, Debug)]
pub struct VgpuInstance {
    /// As the kernel writes it: lower case with dashes.
    pub uuid: String,
    /// Its type.
    pub vgpu_type: Option<String>,
    /// The PCI address of its GPU.
    pub parent: Option<String>,
    /// Who has it open; Unreadable where not all processes can be looked at and none of the others
    /// has.
    pub users: Probe<Vec<User>>,
}

/// A process that has a vGPU open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub pid: u32,
    /// Its name.
    pub program: String,
    /// The domain's name, if it is QEMU as libvirt starts it.
    pub domain: Option<String>,
}

impl Card {
    /// The folder where the kernel speaks of it.
    pub fn path(&self) -> String {
        format!("/sys/bus/pci/devices/{}", self.gpu.address)
    }

    /// What its vGPU types begin with: what the kernel says, else what its generation tells; None
    /// without GVT-g.
    pub fn type_prefix(&self) -> Option<&str> {
        let offered = self.types.as_found().and_then(|types| types.first()?.name.rsplit_once('_'));
        offered.map(|(prefix, _)| prefix).or(self.gpu.generation.type_prefix())
    }

    /// The folder of its vGPU types.
    pub fn types_path(&self) -> String {
        format!("{}/mdev_supported_types", self.path())
    }
}

/// All display devices.
pub fn cards(root: &Root) -> Probe<Vec<Card>> {
    gpu::all(root).map(|gpus| gpus.into_iter().map(|gpu| card(root, gpu)).collect())
}

fn card(root: &Root, gpu: Gpu) -> Card {
    let path = format!("/sys/bus/pci/devices/{}", gpu.address);
    let types = format!("{path}/mdev_supported_types");
    let offered = |name: String| {
        let available = root.line(&format!("{types}/{name}/available_instances")).present();
        TypeOffered { available: available.and_then(|text| text.parse().ok()), name }
    };
    Card {
        driver: root.link(&format!("{path}/driver")),
        aperture: root.text(&format!("{path}/resource")).present().and_then(|text| aperture(&text)),
        types: root.names(&types).map(|names| names.into_iter().map(offered).collect()),
        nodes: gpu::render_devices(root, &gpu.address),
        gpu,
    }
}

/// The size of BAR 2 in MB, from a device's `resource`: a line a region, with its first byte, its
/// last one, and flags.
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

/// The mediated devices that exist.
pub fn existing(root: &Root) -> Probe<Vec<VgpuInstance>> {
    const DEVICES: &str = "/sys/bus/mdev/devices";
    root.names(DEVICES).map(|uuids| {
        let one = |uuid: String| {
            let path = format!("{DEVICES}/{uuid}");
            // …/devices/pci0000:00/0000:00:02.0/UUID
            let parent = root.target(&path).present().and_then(|target| {
                Some(target.parent()?.file_name()?.to_string_lossy().into_owned())
            });
            let group = root.link(&format!("{path}/iommu_group")).present();
            let nodes = root.names(&format!("{path}/vfio-dev")).present().unwrap_or_default();
            let files = group.map(|group| format!("/dev/vfio/{group}")).into_iter();
            let files: Vec<String> =
                files.chain(nodes.iter().map(|node| format!("/dev/vfio/devices/{node}"))).collect();
            VgpuInstance {
                vgpu_type: root.link(&format!("{path}/mdev_type")).present(),
                parent,
                users: users(root, &files),
                uuid,
            }
        };
        uuids.into_iter().filter(|name| uuid::Uuid::parse_str(name).is_ok()).map(one).collect()
    })
}

/// The processes that have one of these device nodes open.
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
    // libvirt starts QEMU with -name guest=win10,debug-threads=on.
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
    fn the_aperture_is_the_third_region() {
        let resource = "0x00000000de000000 0x00000000deffffff 0x0000000000140204\n0x0000000000000000 0x0000000000000000 0x0000000000000000\n\
                        0x00000000c0000000 0x00000000cfffffff 0x000000000014220c\n";
        assert_eq!(aperture(resource), Some(256));
        assert_eq!(aperture("0x0 0x0 0x0\n0x0 0x0 0x0\n0x0 0x0 0x0\n"), None);
        assert_eq!(aperture(""), None);
    }
}
