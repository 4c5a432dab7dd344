//! The kernel parameters as options for modprobe, which work with every bootloader.

use super::parameter::PARAMETERS;
use super::{File, FollowUp, origin_comment, shell};

/// Notes on parameters that are left out, and on when options have no effect.
const NOTES: &str = "Options take effect when a module is loaded. The initramfs may load i915, so update it, then reboot. If i915 is built into the kernel,\n\
    these options have no effect: put the parameters on the kernel command line instead (`gvtg-xml emit cmdline`).\n\
    If several files set an option, the last file by name takes effect; `gvtg-xml host` checks all of them.\n\
    Guides also set intel_iommu=on and i915.enable_guc=0. GVT-g does not need an IOMMU, and on these GPUs GuC submission is off unless it\n\
    is turned on, which `gvtg-xml host` reports.";

/// The file for /etc/modprobe.d.
pub fn file() -> File {
    let mut text = shell::comment("Kernel module options for a GVT-g host.")
        + &origin_comment("gvtg-xml emit modprobe")
        + "#\n"
        + &shell::comment(NOTES);
    for parameter in PARAMETERS {
        text.push('\n');
        text.push_str(&shell::comment(parameter.why));
        text.push_str(&format!(
            "options {} {}={}\n",
            parameter.module, parameter.name, parameter.value
        ));
    }
    File::at(
        "/etc/modprobe.d/gvtg.conf",
        text,
        vec![FollowUp::RegenerateInitramfs, FollowUp::Reboot],
    )
}
