//! The kernel parameters in the form that each bootloader takes. No form replaces existing
//! parameters.

use super::parameter::{PARAMETERS, Parameter, comments, missing, words};
use super::{Destination, File, FollowUp, origin_comment, shell};
use crate::emit::kernel_cmdline::split_init;

/// The script of the GRUB drop-in, which grub-mkconfig on Debian and Ubuntu sources after
/// /etc/default/grub.
const GRUB: &str = include_str!("grub.sh");

/// The path of the GRUB drop-in.
pub const GRUB_FILE: &str = "/etc/default/grub.d/gvtg.cfg";

/// The file that kernel-install reads first.
pub const KERNEL_INSTALL: &str = "/etc/kernel/cmdline";

/// The parameters alone, on one line, for any bootloader's tool.
pub fn raw() -> File {
    let place = Destination::Elsewhere(
        "add these parameters to the kernel command line with your boot loader's tool (such as `grubby --args` or `kernelstub --add-options`)",
    );
    File { place, mode: 0o644, text: words().join(" ") + "\n", follow_ups: vec![FollowUp::Reboot] }
}

/// The GRUB drop-in. It leaves out the recovery entries, so that a machine that fails with the
/// parameters still boots.
pub fn grub() -> File {
    let add_line = |parameter: &Parameter| {
        let values: Vec<&str> =
            [parameter.value].into_iter().chain(parameter.also_good.iter().copied()).collect();
        format!("gvtg_add {} {}\n", parameter.full_name(), values.join(" "))
    };
    let settings: String = PARAMETERS
        .iter()
        .map(|parameter| shell::comment(parameter.why) + &add_line(parameter))
        .collect();
    let what = shell::comment("Kernel parameters for a GVT-g host, read by grub-mkconfig.");
    let text = format!(
        "{what}{}{GRUB}\n{settings}",
        origin_comment("gvtg-xml emit cmdline --bootloader grub")
    );
    File::at(GRUB_FILE, text, vec![FollowUp::RegenerateGrub, FollowUp::Reboot])
}

/// Lines for boot entries that the user of systemd-boot maintains. The `options` lines of an entry
/// are joined (<https://uapi-group.org/specifications/specs/boot_loader_specification/>).
pub fn systemd_boot() -> File {
    let place = Destination::Elsewhere(
        "append these lines to your boot entries, /boot/loader/entries/NAME.conf (for entries that kernel-install writes, use --bootloader kernel-install)",
    );
    let what =
        "Kernel parameters for a GVT-g host, in addition to the entry's other options lines.";
    let text = format!(
        "{}{}{}options {}\n",
        shell::comment(what),
        origin_comment("gvtg-xml emit cmdline --bootloader systemd-boot"),
        comments(),
        words().join(" ")
    );
    File { place, mode: 0o644, text, follow_ups: vec![FollowUp::Reboot] }
}

/// The file from which kernel-install generates boot entries. It replaces the whole command line
/// including `root=`, so the missing parameters are added to `line`, the machine's current one. It
/// has no comments, which older versions of kernel-install pass to the kernel.
pub fn kernel_install(line: &str) -> File {
    File::at(
        KERNEL_INSTALL,
        with_missing_parameters(line.trim_end()),
        vec![FollowUp::RegenerateEntries, FollowUp::Reboot],
    )
}

fn with_missing_parameters(line: &str) -> String {
    let words = missing(line).join(" ");
    // Newer versions of kernel-install remove comments, so an existing file may have them.
    let has_comments = line.lines().any(|line| line.trim_start().starts_with('#'));
    match (words.is_empty(), has_comments, split_init(line)) {
        (true, ..) => format!("{line}\n"),
        (_, true, _) => format!("{line}\n{words}\n"),
        (_, _, (kernel, "")) => format!("{kernel} {words}\n"),
        (_, _, (kernel, init)) => format!("{kernel}{words} {init}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "i915.enable_gvt=1 kvm.ignore_msrs=1";

    #[test]
    fn adds_missing_parameters_to_the_kernel_install_line() {
        let text = |line: &str| kernel_install(line).text;
        assert_eq!(text("root=UUID=1 rw\n"), format!("root=UUID=1 rw {WORDS}\n"));
        assert_eq!(text("a -- b\n"), format!("a {WORDS} -- b\n"));
        assert_eq!(text(&text("root=UUID=1 rw\n")), text("root=UUID=1 rw\n"));
        assert_eq!(
            text("root=UUID=1 intel_iommu=off i915.enable_guc=2 x=\"a  b\" i915.enable_gvt=1"),
            "root=UUID=1 intel_iommu=off i915.enable_guc=2 x=\"a  b\" i915.enable_gvt=1 kvm.ignore_msrs=1\n"
        );
        assert_eq!(
            text("root=/dev/sda1\nrw\n# a comment\n"),
            format!("root=/dev/sda1\nrw\n# a comment\n{WORDS}\n")
        );
    }
}
