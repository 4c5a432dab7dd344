//! What a machine's kernel gets as command line when it starts, for a file that has to have all of it.

use super::Root;
use crate::command_line::{split, split_init};

/// The files that kernel-install reads, in its order: the first that is there.
const FILES: &[&str] = &["/etc/kernel/cmdline", "/usr/lib/kernel/cmdline"];

/// The running kernel's.
const RUNNING: &str = "/proc/cmdline";

/// A command line, and the file that it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// The file.
    pub path: &'static str,
    /// Its text; of the running kernel's without what the bootloader put there.
    pub text: String,
}

/// Words of a system that was started to install or to rescue one: no other kernel is to get them.
const PASSING: &[&str] =
    &["root=live:", "rd.live.", "boot=casper", "boot=live", "init=", "rdinit=", "systemd.unit=", "single", "rescue", "emergency"];

impl CommandLine {
    /// Why nothing can be added to it without harm; None for what is a plain line for every start.
    pub fn unfit(&self) -> Option<&'static str> {
        let is_passing = |word: &&str| PASSING.iter().any(|passing| word.starts_with(passing));
        if self.text.contains('\u{fffd}') {
            return Some("it has bytes that are no UTF-8");
        }
        if self.text.lines().any(|line| line.trim_start().starts_with('#')) {
            return Some("it has comments, in which words would be lost");
        }
        if self.text.matches('"').count() % 2 == 1 {
            return Some("a double quote in it is not closed");
        }
        let runs = self.path == RUNNING && split(split_init(&self.text).0).iter().any(is_passing);
        runs.then_some("this system was started in a special way (rescue, live or installer), and no other kernel should get these words")
    }
}

/// The command line that kernel-install would give the next kernel; None where no file says one. An empty file says none: a shell that
/// was told to write to it has just emptied it.
pub fn command_line(root: &Root) -> Option<CommandLine> {
    let read = |path: &&'static str| {
        let text = root.text(path).present().filter(|text| !text.trim().is_empty())?;
        Some(CommandLine { path, text })
    };
    FILES.iter().find_map(read).or_else(|| read(&RUNNING).map(|line| CommandLine { text: without_bootloader(&line.text), ..line }))
}

/// Without what the bootloader adds for itself, as kernel-install does it (systemd: 90-loaderentry.install).
fn without_bootloader(line: &str) -> String {
    let is_own = |word: &&str| !word.starts_with("BOOT_IMAGE=") && !word.starts_with("initrd=");
    split(line).into_iter().filter(is_own).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_first_file_that_says_something_counts() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(command_line(&root), None);
        write(RUNNING, "BOOT_IMAGE=/vmlinuz root=/dev/vda1 initrd=\\initrd.img dyndbg=\"file a +p\" quiet\n");
        assert_eq!(command_line(&root).unwrap().text, "root=/dev/vda1 dyndbg=\"file a +p\" quiet");
        write(FILES[1], "root=/dev/vda2\n");
        write(FILES[0], "\n");
        assert_eq!(command_line(&root), Some(CommandLine { path: FILES[1], text: "root=/dev/vda2\n".into() }));
        write(FILES[0], "root=/dev/vda3 BOOT_IMAGE=x\n");
        assert_eq!(command_line(&root).unwrap().text, "root=/dev/vda3 BOOT_IMAGE=x\n");
    }

    #[test]
    fn a_line_that_is_not_for_every_start_is_unfit() {
        let unfit = |path, text: &str| CommandLine { path, text: text.into() }.unfit().is_some();
        assert!(!unfit(FILES[0], "root=/dev/vda1 rw systemd.unit=x.target dyndbg=\"a b\"\n"));
        assert!(!unfit(RUNNING, "root=/dev/vda1 initcall_debug quiet -- single"));
        for text in ["root=x\n# was: quiet", "root=\u{fffd}", "root=x \"quiet"] {
            assert!(unfit(FILES[0], text), "{text}");
        }
        for text in ["root=live:CDLABEL=x rd.live.image", "root=x systemd.unit=rescue.target", "root=x init=/bin/bash", "root=x single"] {
            assert!(unfit(RUNNING, text), "{text}");
        }
    }
}
