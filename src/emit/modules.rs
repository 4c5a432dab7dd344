//! The kernel modules of a GVT-g host, for systemd-modules-load.

use super::{File, FollowUp, origin_comment, shell};

/// The modules and the purpose of each. systemd supports comments only on separate lines; after a
/// name, they are part of the name. (modinfo of Linux 6.1 and 6.12: kvmgt depends on i915, kvm,
/// mdev and vfio, and vfio has vfio_iommu_type1 loaded after it.)
pub(super) const MODULES: &[(&str, &str)] = &[
    ("kvmgt", "GVT-g itself. Loading it also loads i915, kvm, mdev and vfio."),
    ("vfio-iommu-type1", "Gives a vGPU access to the guest's memory."),
    (
        "mdev",
        "Mediated devices (mdevs), the kernel's framework for vGPUs. Loading kvmgt loads it, too.",
    ),
    (
        "vfio_pci",
        "Passes whole PCI cards through. Guides list it; vGPUs do not need it, and it does no harm.",
    ),
];

/// A note on the module that older guides list and the file leaves out.
const LEFT_OUT: &str = "vfio_mdev, which older guides also list, is left out: kernels since 5.19 do not have it, and systemd would\n\
    report a failure at every boot.";

/// The file for /etc/modules-load.d.
pub fn file() -> File {
    let mut text = shell::comment("Kernel modules for a GVT-g host.")
        + &origin_comment("gvtg-xml emit modules");
    for (module, purpose) in MODULES {
        text.push('\n');
        text.push_str(&shell::comment(purpose));
        text.push_str(module);
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&shell::comment(LEFT_OUT));
    File::at("/etc/modules-load.d/gvt.conf", text, vec![FollowUp::LoadModules])
}
