//! The options of QEMU for x86, and whether each has an operand.
//!
//! Probed on QEMU 5.2, 7.2, 10.0 and 11.1; `tests/lab/qemu.rs` repeats the probe. The releases in
//! between are those that QEMU's docs/about/removed-features.rst names.

/// A QEMU release: major and minor.
pub type Release = (u8, u8);

/// A QEMU option and the releases that have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownOption {
    /// Whether the next argument is its operand, even if it starts with a dash.
    pub has_operand: bool,
    /// The first release that has it; `None` if 5.2 has it already.
    pub since: Option<Release>,
    /// The first release that no longer has it; `None` if 11.1 still has it.
    pub until: Option<Release>,
    /// The arguments with the same effect in releases that no longer have it; empty if there are
    /// none.
    pub instead: &'static [&'static str],
}

/// Finds an option by its name without dashes; `None` if no QEMU release from 5.2 to 11.1 has it.
pub fn known_option(name: &str) -> Option<KnownOption> {
    let in_all_releases =
        |has_operand| KnownOption { has_operand, since: None, until: None, instead: &[] };
    let is_in = |list: &[&str]| list.binary_search(&name).is_ok();
    if is_in(FLAGS) {
        return Some(in_all_releases(false));
    }
    if is_in(WITH_OPERAND) {
        return Some(in_all_releases(true));
    }
    let index = CHANGED.binary_search_by_key(&name, |&(name, _)| name).ok()?;
    Some(CHANGED[index].1)
}

/// The names of all options, for tests that probe QEMU.
pub fn names() -> impl Iterator<Item = &'static str> {
    FLAGS.iter().chain(WITH_OPERAND).copied().chain(CHANGED.iter().map(|(name, _)| *name))
}

/// Options without an operand, sorted.
const FLAGS: &[&str] = &[
    "S",
    "daemonize",
    "enable-kvm",
    "enable-sync-profile",
    "full-screen",
    "h",
    "help",
    "mem-prealloc",
    "no-fd-bootchk",
    "no-reboot",
    "no-shutdown",
    "no-user-config",
    "nodefaults",
    "nographic",
    "only-migratable",
    "preconfig",
    "s",
    "semihosting",
    "snapshot",
    "usb",
    "version",
    "win2k-hack",
    "xen-attach",
    "xen-domid-restrict",
];

/// Options with an operand, sorted.
const WITH_OPERAND: &[&str] = &[
    "D",
    "L",
    "M",
    "accel",
    "acpitable",
    "add-fd",
    "append",
    "audiodev",
    "bios",
    "blockdev",
    "boot",
    "cdrom",
    "chardev",
    "cpu",
    "d",
    "debugcon",
    "device",
    "dfilter",
    "display",
    "drive",
    "dtb",
    "dump-vmstate",
    "echr",
    "fda",
    "fdb",
    "fsdev",
    "fw_cfg",
    "g",
    "gdb",
    "global",
    "hda",
    "hdb",
    "hdc",
    "hdd",
    "icount",
    "incoming",
    "initrd",
    "iscsi",
    "k",
    "kernel",
    "loadvm",
    "m",
    "machine",
    "mem-path",
    "mon",
    "monitor",
    "msg",
    "mtdblock",
    "name",
    "net",
    "netdev",
    "nic",
    "numa",
    "object",
    "option-rom",
    "overcommit",
    "parallel",
    "pflash",
    "pidfile",
    "plugin",
    "prom-env",
    "qmp",
    "qmp-pretty",
    "qtest",
    "qtest-log",
    "readconfig",
    "rtc",
    "sandbox",
    "sd",
    "seed",
    "semihosting-config",
    "serial",
    "set",
    "smbios",
    "smp",
    "spice",
    "tpmdev",
    "trace",
    "usbdevice",
    "uuid",
    "vga",
    "virtfs",
    "vnc",
    "watchdog-action",
    "xen-domid",
];

/// An option that was added in `release`.
const fn added_in(has_operand: bool, release: Release) -> KnownOption {
    KnownOption { has_operand, since: Some(release), until: None, instead: &[] }
}

/// An option that was removed in `release` without a replacement.
const fn removed_in(has_operand: bool, release: Release) -> KnownOption {
    replaced_in(has_operand, release, &[])
}

/// An option that was removed in `release`, and the arguments that replace it.
const fn replaced_in(
    has_operand: bool,
    release: Release,
    instead: &'static [&'static str],
) -> KnownOption {
    KnownOption { has_operand, since: None, until: Some(release), instead }
}

/// Options that not all releases have, sorted by name.
const CHANGED: &[(&str, KnownOption)] = &[
    ("action", added_in(true, (6, 0))),
    ("alt-grab", removed_in(false, (7, 1))),
    (
        "async-teardown",
        KnownOption { has_operand: false, since: Some((7, 2)), until: Some((9, 0)), instead: &[] },
    ),
    ("audio", added_in(true, (7, 1))),
    ("audio-help", removed_in(false, (8, 2))),
    ("chroot", removed_in(true, (9, 0))),
    ("compat", added_in(true, (6, 0))),
    ("ctrl-grab", removed_in(false, (7, 1))),
    ("curses", replaced_in(false, (7, 1), &["-display", "curses"])),
    ("enable-fips", removed_in(false, (7, 1))),
    ("jitdump", added_in(false, (8, 0))),
    ("no-acpi", removed_in(false, (9, 0))),
    ("no-hpet", removed_in(false, (9, 0))),
    ("no-quit", removed_in(false, (7, 0))),
    ("old-param", removed_in(false, (11, 0))),
    ("perfmap", added_in(false, (8, 0))),
    ("portrait", removed_in(false, (9, 2))),
    ("realtime", removed_in(true, (6, 0))),
    ("rotate", removed_in(true, (9, 2))),
    ("run-with", added_in(true, (8, 2))),
    ("runas", removed_in(true, (10, 0))),
    ("sdl", replaced_in(false, (7, 1), &["-display", "sdl"])),
    ("shim", added_in(true, (10, 0))),
    ("show-cursor", removed_in(false, (6, 0))),
    ("singlestep", removed_in(false, (9, 0))),
    ("soundhw", removed_in(true, (7, 1))),
    ("tb-size", removed_in(true, (6, 0))),
    ("watchdog", removed_in(true, (7, 2))),
    ("writeconfig", removed_in(true, (7, 1))),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_name_each_option_once() {
        assert!(
            FLAGS.is_sorted()
                && WITH_OPERAND.is_sorted()
                && CHANGED.is_sorted_by(|left, right| left.0 < right.0)
        );
        let mut names: Vec<&str> = names().collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn knows_which_options_have_an_operand() {
        assert!(
            known_option("display").is_some_and(|known| known.has_operand && known.until.is_none())
        );
        assert!(known_option("nographic").is_some_and(|known| !known.has_operand));
        assert_eq!(known_option("sdl").and_then(|known| known.until), Some((7, 1)));
        assert_eq!(known_option("unknown"), None);
    }
}
