//! The kernel's command line, in the form that a bootloader takes. No form replaces a line that is
//! there.

use super::parameter::{PARAMETERS, Parameter, comments, missing, words};
use super::{Destination, File, FollowUp, made_by, shell};
use crate::kernel_cmdline::split_init;

/// GRUB's own file: a drop-in that Debian's and Ubuntu's grub-mkconfig sources behind
/// /etc/default/grub.
const GRUB: &str = include_str!("grub.sh");

/// Where that drop-in is.
pub const GRUB_FILE: &str = "/etc/default/grub.d/gvtg.cfg";

/// The file that kernel-install reads first.
pub const KERNEL_INSTALL: &str = "/etc/kernel/cmdline";

/// The words alone, on one line: what every bootloader's own tool takes.
pub fn raw() -> File {
    let place = Destination::Elsewhere(
        "add these parameters to the kernel command line with your boot loader's tool (such as `grubby --args` or `kernelstub --add-options`)",
    );
    File { place, mode: 0o644, text: words().join(" ") + "\n", follow_ups: vec![FollowUp::Reboot] }
}

/// A file for GRUB. Its parameters are for normal entries and not for those of the recovery mode,
/// so that a machine that does not like them still starts.
pub fn grub() -> File {
    let set = |parameter: &Parameter| {
        let values: Vec<&str> =
            [parameter.value].into_iter().chain(parameter.also_good.iter().copied()).collect();
        format!("gvtg_add {} {}\n", parameter.full_name(), values.join(" "))
    };
    let settings: String = PARAMETERS
        .iter()
        .map(|parameter| shell::comment(parameter.why) + &set(parameter))
        .collect();
    let what = shell::comment("Kernel parameters for a GVT-g host, read by grub-mkconfig.");
    let text =
        format!("{what}{}{GRUB}\n{settings}", made_by("gvtg-xml emit cmdline --bootloader grub"));
    File::at(GRUB_FILE, text, vec![FollowUp::RenewGrub, FollowUp::Reboot])
}

/// Lines for the boot entries that a user of systemd-boot writes. An entry may have several lines
/// of options, which are joined
/// (<https://uapi-group.org/specifications/specs/boot_loader_specification/>).
pub fn systemd_boot() -> File {
    let place = Destination::Elsewhere(
        "append these lines to your boot entries, /boot/loader/entries/NAME.conf (for entries that kernel-install writes, use --bootloader kernel-install)",
    );
    let what =
        "Kernel parameters for a GVT-g host, in addition to the entry's other options lines.";
    let text = format!(
        "{}{}{}options {}\n",
        shell::comment(what),
        made_by("gvtg-xml emit cmdline --bootloader systemd-boot"),
        comments(),
        words().join(" ")
    );
    File { place, mode: 0o644, text, follow_ups: vec![FollowUp::Reboot] }
}

/// The file that kernel-install makes entries of. It replaces the whole line, `root=` too, so it is
/// the line that the machine has with what that lacks added. It has no comments: an older
/// kernel-install would hand them to the kernel.
pub fn kernel_install(line: &str) -> File {
    File::at(
        KERNEL_INSTALL,
        completed(line.trim_end()),
        vec![FollowUp::RenewEntries, FollowUp::Reboot],
    )
}

fn completed(line: &str) -> String {
    let words = missing(line).join(" ");
    // A newer one takes comments out.
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
    fn kernel_install_keeps_the_line_and_adds_what_it_lacks() {
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
