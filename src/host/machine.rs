//! The machine itself: whether it is one, a guest or a container, and whether its processor and
//! kernel can run guests.

use super::{Probe, Root};

/// Files that a container's manager leaves in it.
const CONTAINER_MARKS: &[(&str, &str)] = &[
    ("/run/systemd/container", "systemd"),
    ("/.dockerenv", "Docker"),
    ("/run/.containerenv", "Podman"),
];

/// Vendors and products of firmware that only guests have.
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

/// What kind of machine it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Whether /proc and /sys are there at all: without them nothing can be said.
    pub has_proc: bool,
    /// Whether /sys is there.
    pub has_sys: bool,
    /// Whether /dev is there: a copied tree often has none.
    pub has_dev: bool,
    /// What says that it is a guest: the file, and its words.
    pub guest: Option<(&'static str, String)>,
    /// What says that it is a container: the file, and whose it is.
    pub container: Option<(&'static str, String)>,
    /// The processor's flags.
    pub flags: Probe<Vec<String>>,
    /// Whether /dev/kvm is there.
    pub has_kvm: bool,
    /// Whether /dev/vfio/vfio is there.
    pub has_vfio: bool,
}

impl Machine {
    /// Reads what a machine says of itself.
    pub fn read(root: &Root) -> Self {
        let flags = root.text("/proc/cpuinfo").map(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("flags")?.split_once(':'));
            line.map_or(Vec::new(), |(_, flags)| {
                flags.split_whitespace().map(str::to_owned).collect()
            })
        });
        let has_some =
            |folder: &str| root.names(folder).present().is_some_and(|names| !names.is_empty());
        Machine {
            has_proc: has_some("/proc"),
            has_sys: has_some("/sys"),
            has_dev: has_some("/dev"),
            guest: guest(root, &flags),
            container: container(root),
            has_kvm: root.has("/dev/kvm"),
            has_vfio: root.has("/dev/vfio/vfio"),
            flags,
        }
    }

    /// Whether the processor says that it has a feature; None where it can't be read.
    pub fn has_flag(&self, flag: &str) -> Option<bool> {
        self.flags.as_found().map(|flags| flags.iter().any(|other| other == flag))
    }
}

/// A hypervisor sets the processor's flag of that name for its guests; their firmware says whose
/// they are, and where the flags can't be read, whether they are some.
fn guest(root: &Root, flags: &Probe<Vec<String>>) -> Option<(&'static str, String)> {
    let is_guest = flags.as_found().map(|flags| flags.iter().any(|flag| flag == "hypervisor"));
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

/// A container's manager leaves a file, or a variable for its first process, which only root can
/// see.
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
