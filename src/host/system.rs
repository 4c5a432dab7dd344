//! What a machine's files come from: its user, or, as a whole, NixOS' configuration or an
//! rpm-ostree image.

use super::Root;

/// The kind of system, by how its files below /etc and its boot entries are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// NixOS: all of them come from its configuration.
    Nixos,
    /// Fedora Silverblue and its relatives: the initramfs is part of the image, and reads no file
    /// below /etc.
    Ostree,
    /// Debian, Ubuntu and their derivatives.
    Debian,
    /// Arch Linux and its derivatives.
    Arch,
    /// Fedora, and others that make their initramfs with dracut.
    Dracut,
    /// Any other system.
    Other,
}

impl System {
    /// Detects a machine's system: by its own name, else by the tools for packages and initramfs.
    pub fn of(root: &Root) -> Self {
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
        let named =
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
        named.or_else(by_tool).unwrap_or(System::Other)
    }

    /// The command that makes options in /etc/modprobe.d take effect at the next start: it renews
    /// the initramfs, or has the same effect.
    pub fn renewal(self) -> &'static str {
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

    /// Where libvirt looks for hooks (`virhook.c`: SYSCONFDIR/libvirt/hooks). NixOS builds it with
    /// /var/lib instead of /etc.
    pub fn hooks(self) -> &'static str {
        if self == System::Nixos { "/var/lib/libvirt/hooks" } else { "/etc/libvirt/hooks" }
    }

    /// QEMU's configuration for libvirt.
    pub fn qemu_conf(self) -> &'static str {
        if self == System::Nixos { "/var/lib/libvirt/qemu.conf" } else { "/etc/libvirt/qemu.conf" }
    }
}

/// The kernel parameters for an image whose initramfs reads no options of modules.
const KARGS: &str = "`sudo rpm-ostree kargs --append-if-missing=i915.enable_gvt=1 --append-if-missing=kvm.ignore_msrs=1`";
