//! The parameters of kernel modules as options for modprobe: what works with every bootloader.

use super::parameter::PARAMETERS;
use super::{File, Step, made_by, shell};

/// What is not in the file, and where options do nothing.
const NOTES: &str = "These count when a module is loaded: renew the initramfs, which may load i915, and reboot. For an i915 that is built into the kernel\n\
    they do nothing: there the words belong on the kernel's command line, `gvtg-xml emit cmdline`.\n\
    Of several files that set an option, the last one by name counts: `gvtg-xml host` looks at all of them.\n\
    Guides have intel_iommu=on and i915.enable_guc=0 too. GVT-g needs no IOMMU; GuC submission is off on these GPUs unless it is asked for,\n\
    which `gvtg-xml host` reports.";

/// The file for /etc/modprobe.d.
pub fn file() -> File {
    let mut text = shell::comment("The options of kernel modules that a GVT-g host needs.")
        + &made_by("gvtg-xml emit modprobe")
        + "#\n"
        + &shell::comment(NOTES);
    for parameter in PARAMETERS {
        text.push('\n');
        text.push_str(&shell::comment(parameter.why));
        text.push_str(&format!("options {} {}={}\n", parameter.module, parameter.name, parameter.value));
    }
    File::at("/etc/modprobe.d/gvtg.conf", text, vec![Step::RenewInitramfs, Step::Reboot])
}
