//! The udev rule by which a user's own QEMU may open vGPUs.

use super::{File, Step, made_by, shell};

pub(super) const RULE: &str = "SUBSYSTEM==\"vfio\", GROUP=\"kvm\", MODE=\"0660\"\n";

const NOTES: &str = "For qemu:///session alone: the system's libvirt lets its QEMU in by itself.\n\
    It is the group of every device that a guest can get, of PCI cards that vfio-pci holds too. Put no user into it whom you would not\n\
    give those.\n\
    The vGPU has all of the guest's memory locked, for which a user needs leave: a line `@kvm - memlock unlimited` in a file\n\
    /etc/security/limits.d/gvtg.conf, and a new login.";

/// The file for /etc/udev/rules.d.
pub fn file() -> File {
    let what = shell::comment("Members of the group kvm may open vGPUs.");
    let text = format!("{what}{}#\n{}\n{RULE}", made_by("gvtg-xml emit udev"), shell::comment(NOTES));
    File::at("/etc/udev/rules.d/70-gvtg.rules", text, vec![Step::ReloadUdev])
}
