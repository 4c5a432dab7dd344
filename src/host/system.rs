//! The operating system: whether its user maintains the files in /etc, or they come from a NixOS
//! configuration or an rpm-ostree image.

use super::Root;

/// The kind of system, as far as the files in /etc and the boot entries are written differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// NixOS, which generates all of these files from its configuration.
    Nixos,
    /// Fedora Silverblue and its relatives: the initramfs is part of the image and does not include
    /// files from /etc.
    Ostree,
    /// Debian, Ubuntu and their derivatives.
    Debian,
    /// Arch Linux and its derivatives.
    Arch,
    /// Fedora and other systems that generate their initramfs with dracut.
    Dracut,
    /// Any other system.
    Other,
}

impl System {
    /// Detects a machine's system: by marker files and os-release, else by its package manager or
    /// initramfs tool.
    pub fn read(root: &Root) -> Self {
        if root.has("/etc/NIXOS") {
            return System::Nixos;
        }
        if root.has("/run/ostree-booted") {
            return System::Ostree;
        }
        let os_release = root.text("/etc/os-release").present().unwrap_or_default();
        let lines = os_release
            .lines()
            .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")));
        let by_id =
            lines.flat_map(|ids| ids.trim_matches('"').split(' ')).find_map(|id| match id {
                "debian" | "ubuntu" => Some(System::Debian),
                "arch" => Some(System::Arch),
                "fedora" | "rhel" | "centos" | "suse" | "opensuse" => Some(System::Dracut),
                _ => None,
            });
        let tools = [
            ("/usr/sbin/update-initramfs", System::Debian),
            ("/var/lib/dpkg/status", System::Debian),
            ("/usr/bin/mkinitcpio", System::Arch),
            ("/usr/bin/dracut", System::Dracut),
        ];
        let by_tool = || tools.iter().find(|(path, _)| root.has(path)).map(|(_, system)| *system);
        by_id.or_else(by_tool).unwrap_or(System::Other)
    }

    /// The command that makes options in /etc/modprobe.d take effect at the next boot, by
    /// regenerating the initramfs or by other means.
    pub fn regeneration_command(self) -> &'static str {
        match self {
            System::Nixos => "`sudo nixos-rebuild boot`",
            System::Ostree => KARGS,
            System::Debian => "`sudo update-initramfs -u`",
            System::Arch => "`sudo mkinitcpio -P`",
            System::Dracut => "`sudo dracut --force`",
            System::Other => {
                "`sudo update-initramfs -u` (on Arch `sudo mkinitcpio -P`, on Fedora `sudo dracut --force`)"
            }
        }
    }

    /// The folder in which libvirt looks for hooks (`virhook.c`: SYSCONFDIR/libvirt/hooks). NixOS
    /// builds libvirt with /var/lib in place of /etc.
    pub fn hooks(self) -> &'static str {
        if self == System::Nixos { "/var/lib/libvirt/hooks" } else { "/etc/libvirt/hooks" }
    }

    /// The path of libvirt's qemu.conf.
    pub fn qemu_conf(self) -> &'static str {
        if self == System::Nixos { "/var/lib/libvirt/qemu.conf" } else { "/etc/libvirt/qemu.conf" }
    }
}

/// The command that sets kernel parameters on an rpm-ostree system, whose initramfs does not read
/// module options.
const KARGS: &str = "`sudo rpm-ostree kargs --append-if-missing=i915.enable_gvt=1 --append-if-missing=kvm.ignore_msrs=1`";
