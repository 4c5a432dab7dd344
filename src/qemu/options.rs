//! The options of QEMU for x86, and whether each has an operand.
//!
//! Probed on QEMU 5.2, 7.2, 10.0 and 11.1; `tests/lab/qemu.rs` repeats the probe. If an option was
//! removed between two of these, the release is the one in QEMU's docs/about/removed-features.rst.
//! QEMU has no such list of additions, so the probe confirms `added_in` only to within these
//! releases; no rule depends on it.

/// A QEMU release: major and minor.
pub type Release = (u8, u8);

/// A QEMU option and the releases that support it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownOption {
    /// Whether the next argument is its operand, even if it starts with a dash.
    pub has_operand: bool,
    /// The first release that supports it; `None` if 5.2 already does.
    pub added_in: Option<Release>,
    /// The first release that no longer supports it; `None` if 11.1 still does.
    pub removed_in: Option<Release>,
    /// The arguments with the same effect in releases that no longer support it; empty if there are
    /// none.
    pub replacement: &'static [&'static str],
}

/// Finds an option by its name without dashes; `None` if no QEMU release from 5.2 to 11.1 supports
/// it.
pub fn known_option(name: &str) -> Option<KnownOption> {
    let in_all_releases = |has_operand| KnownOption {
        has_operand,
        added_in: None,
        removed_in: None,
        replacement: &[],
    };
    let is_in = |list: &[&str]| list.binary_search(&name).is_ok();
    if is_in(QEMU_FLAGS) {
        return Some(in_all_releases(false));
    }
    if is_in(WITH_OPERAND) {
        return Some(in_all_releases(true));
    }
    let index = NOT_IN_ALL_RELEASES.binary_search_by_key(&name, |&(name, _)| name).ok()?;
    Some(NOT_IN_ALL_RELEASES[index].1)
}

/// The names of all options, for tests that probe QEMU.
pub fn names() -> impl Iterator<Item = &'static str> {
    QEMU_FLAGS
        .iter()
        .chain(WITH_OPERAND)
        .copied()
        .chain(NOT_IN_ALL_RELEASES.iter().map(|(name, _)| *name))
}

/// Options without an operand, sorted.
const QEMU_FLAGS: &[&str] = &[
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
const fn added(has_operand: bool, release: Release) -> KnownOption {
    KnownOption { has_operand, added_in: Some(release), removed_in: None, replacement: &[] }
}

/// An option that was removed in `release` without a replacement.
const fn removed(has_operand: bool, release: Release) -> KnownOption {
    replaced(has_operand, release, &[])
}

/// An option that was removed in `release`, and the arguments that replace it.
const fn replaced(
    has_operand: bool,
    release: Release,
    replacement: &'static [&'static str],
) -> KnownOption {
    KnownOption { has_operand, added_in: None, removed_in: Some(release), replacement }
}

/// Options that not all releases support, sorted by name.
const NOT_IN_ALL_RELEASES: &[(&str, KnownOption)] = &[
    ("action", added(true, (6, 0))),
    ("alt-grab", removed(false, (7, 1))),
    (
        "async-teardown",
        KnownOption {
            has_operand: false,
            added_in: Some((7, 2)),
            removed_in: Some((9, 0)),
            replacement: &[],
        },
    ),
    ("audio", added(true, (7, 1))),
    ("audio-help", removed(false, (8, 2))),
    ("chroot", removed(true, (9, 0))),
    ("compat", added(true, (6, 0))),
    ("ctrl-grab", removed(false, (7, 1))),
    ("curses", replaced(false, (7, 1), &["-display", "curses"])),
    ("enable-fips", removed(false, (7, 1))),
    ("jitdump", added(false, (8, 0))),
    ("no-acpi", removed(false, (9, 0))),
    ("no-hpet", removed(false, (9, 0))),
    ("no-quit", removed(false, (7, 0))),
    ("old-param", removed(false, (11, 0))),
    ("perfmap", added(false, (8, 0))),
    ("portrait", removed(false, (9, 2))),
    ("realtime", removed(true, (6, 0))),
    ("rotate", removed(true, (9, 2))),
    ("run-with", added(true, (8, 1))),
    ("runas", removed(true, (10, 0))),
    ("sdl", replaced(false, (7, 1), &["-display", "sdl"])),
    ("shim", added(true, (10, 0))),
    ("show-cursor", removed(false, (6, 0))),
    ("singlestep", removed(false, (9, 0))),
    ("soundhw", removed(true, (7, 1))),
    ("tb-size", removed(true, (6, 0))),
    ("watchdog", removed(true, (7, 2))),
    ("writeconfig", removed(true, (7, 1))),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_name_each_option_once() {
        assert!(
            QEMU_FLAGS.is_sorted()
                && WITH_OPERAND.is_sorted()
                && NOT_IN_ALL_RELEASES.is_sorted_by(|left, right| left.0 < right.0)
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
            known_option("display")
                .is_some_and(|known| known.has_operand && known.removed_in.is_none())
        );
        assert!(known_option("nographic").is_some_and(|known| !known.has_operand));
        assert_eq!(known_option("sdl").and_then(|known| known.removed_in), Some((7, 1)));
        assert_eq!(known_option("unknown"), None);
    }
}
