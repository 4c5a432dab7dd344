//! The udev rule that lets QEMU open vGPUs when users run it themselves.

use super::{File, FollowUp, origin_comment, shell};

pub(super) const RULE: &str = "SUBSYSTEM==\"vfio\", GROUP=\"kvm\", MODE=\"0660\"\n";

const NOTES: &str = "Only for qemu:///session: with qemu:///system, libvirt gives QEMU access by itself.\n\
    The rule covers every device that can be passed through, including PCI cards bound to vfio-pci. Only add users to the group if you\n\
    trust them with all of these devices.\n\
    A vGPU locks all of the guest's memory, which a user must be allowed to do: put the line `@kvm - memlock unlimited` into\n\
    /etc/security/limits.d/gvtg.conf, and log in again.";

/// The file for /etc/udev/rules.d.
pub fn file() -> File {
    let what = shell::comment("Members of the kvm group may open vGPUs.");
    let text = format!(
        "{what}{}#\n{}\n{RULE}",
        origin_comment("gvtg-xml emit udev"),
        shell::comment(NOTES)
    );
    File::at("/etc/udev/rules.d/70-gvtg.rules", text, vec![FollowUp::ReloadUdev])
}
