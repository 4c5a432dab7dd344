//! The command line that a machine's kernel starts with: for a file that has to hold all of it, and for what waits for a reboot.

use super::Root;
use super::kernel::{Word, words};
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
    /// Whether it is that of the running kernel, since no file has one.
    pub fn is_running(&self) -> bool {
        self.path == RUNNING
    }

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

/// A file that sets the kernel's command line for the next start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextStart {
    /// The file.
    pub path: String,
    /// The words in it.
    pub words: Vec<Word>,
    /// What makes it take effect at the next start.
    pub renewal: Renewal,
}

/// What has to be run before the reboot for a file to take effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// Nothing: the boot loader reads the file itself.
    None,
    /// Regenerate GRUB's menu.
    Grub,
    /// Regenerate the boot entries.
    Entries,
    /// Regenerate the initramfs, which contains options of modules.
    Initramfs,
}

/// The files in /boot and of NixOS that a boot loader reads, followed by those that they are generated from.
pub fn next_start(root: &Root) -> Vec<NextStart> {
    let file = |path: &str, renewal, read: fn(&str) -> Vec<Word>| {
        root.text(path).present().map(|text| NextStart { path: path.to_owned(), words: read(&text), renewal })
    };
    let in_folder = |folder: &str, end: &str| -> Vec<String> {
        let names = root.names(folder).present().unwrap_or_default();
        names.into_iter().filter(|name| name.ends_with(end)).map(|name| format!("{folder}/{name}")).collect()
    };
    let mut found: Vec<NextStart> = Vec::new();
    // Made by `nixos-rebuild boot` or `switch`.
    found.extend(file("/nix/var/nix/profiles/system/kernel-params", Renewal::None, words));
    found.extend(file("/run/current-system/kernel-params", Renewal::None, words));
    for entry in ["/boot", "/efi", "/boot/efi"].iter().flat_map(|folder| in_folder(&format!("{folder}/loader/entries"), ".conf")) {
        found.extend(file(&entry, Renewal::None, of_entry));
    }
    for menu in ["/boot/grub/grub.cfg", "/boot/grub2/grub.cfg"] {
        found.extend(file(menu, Renewal::None, of_menu));
    }
    found.extend(file("/etc/default/grub", Renewal::Grub, of_grub));
    for drop_in in in_folder("/etc/default/grub.d", ".cfg") {
        found.extend(file(&drop_in, Renewal::Grub, of_grub));
    }
    found.extend(file(FILES[0], Renewal::Entries, words));
    found
}

/// The line of /etc/default/grub that names this file, to source it. A comment names nothing.
pub fn grub_line_with(root: &Root, file: &str) -> Option<String> {
    let text = root.text("/etc/default/grub").present()?;
    let names = |line: &&str| !line.starts_with('#') && line.split([' ', '\t', '"', '\'', ';', '&', ']']).any(|word| word == file);
    text.lines().map(str::trim).find(names).map(str::to_owned)
}

/// The lines `options …` of a boot loader entry.
fn of_entry(text: &str) -> Vec<Word> {
    text.lines().filter_map(|line| line.trim_start().strip_prefix("options ")).flat_map(words).collect()
}

/// The lines `linux /vmlinuz-… …` of GRUB's menu.
fn of_menu(text: &str) -> Vec<Word> {
    text.lines().map(str::trim_start).filter(|line| line.starts_with("linux")).flat_map(words).collect()
}

/// The words that a settings file for grub-mkconfig adds to the command line: its variables and the lines of the drop-in that `emit` writes.
fn of_grub(text: &str) -> Vec<Word> {
    let line = |line: &str| {
        let set = line.strip_prefix("GRUB_CMDLINE_LINUX").and_then(|rest| rest.split_once('='));
        let added = line.strip_prefix("gvtg_add ").and_then(|rest| rest.split_once(' '));
        match (set, added) {
            (Some((_, value)), _) => words(value.trim_matches(['"', '\''])),
            (_, Some((name, values))) => words(&format!("{name}={}", values.split(' ').next().unwrap_or_default())),
            _ => Vec::new(),
        }
    };
    text.lines().map(str::trim).flat_map(line).collect()
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
    fn what_the_next_start_gives_the_kernel_is_read_in_each_form() {
        let word = |words: &[Word], name: &str| words.iter().rfind(|word| word.name == name).and_then(|word| word.value.clone());
        let grub = crate::emit::cmdline::grub().text;
        for (words, wanted) in [
            (of_grub(&grub), Some("1")),
            (of_grub("GRUB_CMDLINE_LINUX_DEFAULT=\"quiet i915.enable_gvt=1\"\n"), Some("1")),
            (of_grub("GRUB_CMDLINE_LINUX=i915.enable_gvt=0\n"), Some("0")),
            (of_grub("# GRUB_CMDLINE_LINUX=\"i915.enable_gvt=1\"\nGRUB_TIMEOUT=5\n"), None),
            (of_entry("title Linux\noptions root=UUID=1\noptions i915.enable_gvt=1 quiet\n"), Some("1")),
            (of_menu("  linux\t/vmlinuz-6.1 root=UUID=1 i915.enable_gvt=1\n  initrd /initrd\n"), Some("1")),
        ] {
            assert_eq!(word(&words, "i915.enable_gvt").as_deref(), wanted, "{words:?}");
        }
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
