//! The machine itself: whether it is a guest or a container, and whether its processor and kernel
//! can run guests.

use super::{Probe, Root};

/// Files that container managers create in a container.
const CONTAINER_MARKS: &[(&str, &str)] = &[
    ("/run/systemd/container", "systemd"),
    ("/.dockerenv", "Docker"),
    ("/run/.containerenv", "Podman"),
];

/// Vendor and product names that only a guest's firmware has.
const GUEST_FIRMWARE: &[&str] = &[
    "QEMU",
    "KVM",
    "VMware",
    "VirtualBox",
    "innotek",
    "Xen",
    "Bochs",
    "Parallels",
    "Virtual Machine",
];

/// The kind of machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Whether /proc has content. Without /proc and /sys nothing can be checked.
    pub has_proc: bool,
    /// Whether /sys has content.
    pub has_sys: bool,
    /// Whether /dev has content; a copied tree often lacks it.
    pub has_dev: bool,
    /// Evidence that the machine is a guest: the file, and its text.
    pub guest: Option<(&'static str, String)>,
    /// Evidence that the machine is a container: the file, and the container manager.
    pub container: Option<(&'static str, String)>,
    /// The processor's flags.
    pub flags: Probe<Vec<String>>,
    /// Whether /dev/kvm exists.
    pub has_kvm: bool,
    /// Whether /dev/vfio/vfio exists.
    pub has_vfio: bool,
}

impl Machine {
    /// Reads the kind of machine and its processor's flags.
    pub fn read(root: &Root) -> Self {
        let flags = root.text("/proc/cpuinfo").map(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("flags")?.split_once(':'));
            line.map_or(Vec::new(), |(_, flags)| {
                flags.split_whitespace().map(str::to_owned).collect()
            })
        });
        let has_content =
            |folder: &str| root.names(folder).present().is_some_and(|names| !names.is_empty());
        Machine {
            has_proc: has_content("/proc"),
            has_sys: has_content("/sys"),
            has_dev: has_content("/dev"),
            guest: guest(root, &flags),
            container: container(root),
            has_kvm: root.has("/dev/kvm"),
            has_vfio: root.has("/dev/vfio/vfio"),
            flags,
        }
    }

    /// Whether the processor has this flag; `None` if the flags cannot be read.
    pub fn has_flag(&self, flag: &str) -> Option<bool> {
        self.flags.as_present().map(|flags| flags.iter().any(|other| other == flag))
    }
}

/// Returns the evidence that the machine is a guest. The processor's flag `hypervisor` decides; the
/// firmware names the hypervisor and, if the flags cannot be read, decides in their place.
fn guest(root: &Root, flags: &Probe<Vec<String>>) -> Option<(&'static str, String)> {
    let is_guest = flags.as_present().map(|flags| flags.iter().any(|flag| flag == "hypervisor"));
    if is_guest == Some(false) {
        return None;
    }
    for path in ["/sys/class/dmi/id/sys_vendor", "/sys/class/dmi/id/product_name"] {
        let words = root.line(path).present().unwrap_or_default();
        if GUEST_FIRMWARE.iter().any(|known| words.contains(known)) {
            return Some((path, words));
        }
    }
    is_guest.map(|_| ("/proc/cpuinfo", "hypervisor".to_owned()))
}

/// Returns the evidence that the machine is a container: a file that its manager created, or a
/// variable of its first process, which only root can read.
fn container(root: &Root) -> Option<(&'static str, String)> {
    const ENVIRONMENT: &str = "/proc/1/environ";
    if let Some((path, name)) = CONTAINER_MARKS.iter().find(|(path, _)| root.has(path)) {
        return Some((path, (*name).to_owned()));
    }
    let variables = root.text(ENVIRONMENT).present()?;
    variables
        .split('\0')
        .find_map(|variable| variable.strip_prefix("container="))
        .map(|name| (ENVIRONMENT, name.to_owned()))
}
