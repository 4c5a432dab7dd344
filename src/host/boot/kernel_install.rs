//! The kernel command line that kernel-install gives the next kernel.

use crate::emit::kernel_cmdline::{split, split_init};
use crate::host::Root;

/// The files from which kernel-install takes the command line; the first that exists is used.
pub(super) const KERNEL_INSTALL_FILES: &[&str] =
    &["/etc/kernel/cmdline", "/usr/lib/kernel/cmdline"];

/// The running kernel's command line.
const RUNNING: &str = "/proc/cmdline";

/// A kernel command line and the file that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// The file.
    pub path: &'static str,
    /// The text of the line. If it is the running kernel's, the parameters that the bootloader
    /// added are left out.
    pub text: String,
}

/// Parameters of a live, installer or rescue system, which other kernels must not get.
const TEMPORARY_PARAMETERS: &[&str] = &[
    "root=live:",
    "rd.live.",
    "boot=casper",
    "boot=live",
    "init=",
    "rdinit=",
    "systemd.unit=",
    "single",
    "rescue",
    "emergency",
];

impl CommandLine {
    /// Whether the line is the running kernel's because no file sets one.
    pub fn is_running(&self) -> bool {
        self.path == RUNNING
    }

    /// Why parameters cannot be added to the line; `None` if it is an ordinary line for every boot.
    pub fn obstacle(&self) -> Option<&'static str> {
        let is_temporary =
            |word: &&str| TEMPORARY_PARAMETERS.iter().any(|parameter| word.starts_with(parameter));
        if self.text.contains('\u{fffd}') {
            return Some("it is not valid UTF-8");
        }
        if self.text.lines().any(|line| line.trim_start().starts_with('#')) {
            return Some("it has comments, which would swallow the added parameters");
        }
        if self.text.matches('"').count() % 2 == 1 {
            return Some("it has an unclosed double quote");
        }
        if self.path == RUNNING && split(split_init(&self.text).0).iter().any(is_temporary) {
            return Some(
                "this is a rescue, live or installer system, and other kernels must not get its command line",
            );
        }
        None
    }
}

/// The command line that kernel-install would give the next kernel; `None` if no file sets one. An
/// empty file counts as unset: a shell empties the file that it redirects output to before this
/// program reads it.
pub fn command_line(root: &Root) -> Option<CommandLine> {
    let read = |path: &&'static str| {
        let text = root.text(path).present().filter(|text| !text.trim().is_empty())?;
        Some(CommandLine { path, text })
    };
    KERNEL_INSTALL_FILES.iter().find_map(read).or_else(|| {
        read(&RUNNING).map(|line| CommandLine { text: without_bootloader(&line.text), ..line })
    })
}

/// Removes the parameters that the bootloader adds, as kernel-install does (systemd:
/// 90-loaderentry.install).
fn without_bootloader(line: &str) -> String {
    let is_not_bootloaders =
        |word: &&str| !word.starts_with("BOOT_IMAGE=") && !word.starts_with("initrd=");
    split(line).into_iter().filter(is_not_bootloaders).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn uses_the_first_file_that_is_not_empty() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(command_line(&root), None);
        write(
            RUNNING,
            "BOOT_IMAGE=/vmlinuz root=/dev/vda1 initrd=\\initrd.img dyndbg=\"file a +p\" quiet\n",
        );
        assert_eq!(command_line(&root).unwrap().text, "root=/dev/vda1 dyndbg=\"file a +p\" quiet");
        write(KERNEL_INSTALL_FILES[1], "root=/dev/vda2\n");
        write(KERNEL_INSTALL_FILES[0], "\n");
        assert_eq!(
            command_line(&root),
            Some(CommandLine { path: KERNEL_INSTALL_FILES[1], text: "root=/dev/vda2\n".into() })
        );
        write(KERNEL_INSTALL_FILES[0], "root=/dev/vda3 BOOT_IMAGE=x\n");
        assert_eq!(command_line(&root).unwrap().text, "root=/dev/vda3 BOOT_IMAGE=x\n");
    }

    #[test]
    fn rejects_lines_of_rescue_and_live_systems() {
        let obstacle =
            |path, text: &str| CommandLine { path, text: text.into() }.obstacle().is_some();
        assert!(!obstacle(
            KERNEL_INSTALL_FILES[0],
            "root=/dev/vda1 rw systemd.unit=x.target dyndbg=\"a b\"\n"
        ));
        assert!(!obstacle(RUNNING, "root=/dev/vda1 initcall_debug quiet -- single"));
        for text in ["root=x\n# was: quiet", "root=\u{fffd}", "root=x \"quiet"] {
            assert!(obstacle(KERNEL_INSTALL_FILES[0], text), "{text}");
        }
        for text in [
            "root=live:CDLABEL=x rd.live.image",
            "root=x systemd.unit=rescue.target",
            "root=x init=/bin/bash",
            "root=x single",
        ] {
            assert!(obstacle(RUNNING, text), "{text}");
        }
    }
}
