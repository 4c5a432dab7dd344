//! The options of QEMU for x86, and whether each has an operand.
//!
//! Probed on QEMU 5.2, 7.2, 10.0 and 11.1; `tests/lab/qemu.rs` does it again. The releases in
//! between are those that QEMU's docs/about/removed-features.rst names.

/// A release of QEMU's: major and minor.
pub type Release = (u8, u8);

/// What is known of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Whether the next argument belongs to it, whatever it looks like.
    pub has_operand: bool,
    /// The first release that has it; None where 5.2 has it already.
    pub since: Option<Release>,
    /// The first release that no longer has it.
    pub until: Option<Release>,
    /// What says the same to a release that no longer has it.
    pub instead: &'static [&'static str],
}

/// What is known of the option with this name, which stands without its dashes; None for one that
/// no QEMU of 5.2 to 11.1 has.
pub fn known(name: &str) -> Option<Known> {
    let always = |has_operand| Known { has_operand, since: None, until: None, instead: &[] };
    let is_in = |list: &[&str]| list.binary_search(&name).is_ok();
    if is_in(FLAGS) {
        return Some(always(false));
    }
    if is_in(WITH_OPERAND) {
        return Some(always(true));
    }
    let index = CHANGED.binary_search_by_key(&name, |&(name, _)| name).ok()?;
    Some(CHANGED[index].1)
}

/// The names of all options, for tests that ask QEMU about them.
pub fn names() -> impl Iterator<Item = &'static str> {
    FLAGS.iter().chain(WITH_OPERAND).copied().chain(CHANGED.iter().map(|(name, _)| *name))
}

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

const fn since(has_operand: bool, release: Release) -> Known {
    Known { has_operand, since: Some(release), until: None, instead: &[] }
}

const fn until(has_operand: bool, release: Release) -> Known {
    instead(has_operand, release, &[])
}

const fn instead(has_operand: bool, release: Release, instead: &'static [&'static str]) -> Known {
    Known { has_operand, since: None, until: Some(release), instead }
}

/// Options that came or went.
const CHANGED: &[(&str, Known)] = &[
    ("action", since(true, (6, 0))),
    ("alt-grab", until(false, (7, 1))),
    (
        "async-teardown",
        Known { has_operand: false, since: Some((7, 2)), until: Some((9, 0)), instead: &[] },
    ),
    ("audio", since(true, (7, 1))),
    ("audio-help", until(false, (8, 2))),
    ("chroot", until(true, (9, 0))),
    ("compat", since(true, (6, 0))),
    ("ctrl-grab", until(false, (7, 1))),
    ("curses", instead(false, (7, 1), &["-display", "curses"])),
    ("enable-fips", until(false, (7, 1))),
    ("jitdump", since(false, (8, 0))),
    ("no-acpi", until(false, (9, 0))),
    ("no-hpet", until(false, (9, 0))),
    ("no-quit", until(false, (7, 0))),
    ("old-param", until(false, (11, 0))),
    ("perfmap", since(false, (8, 0))),
    ("portrait", until(false, (9, 2))),
    ("realtime", until(true, (6, 0))),
    ("rotate", until(true, (9, 2))),
    ("run-with", since(true, (8, 2))),
    ("runas", until(true, (10, 0))),
    ("sdl", instead(false, (7, 1), &["-display", "sdl"])),
    ("shim", since(true, (10, 0))),
    ("show-cursor", until(false, (6, 0))),
    ("singlestep", until(false, (9, 0))),
    ("soundhw", until(true, (7, 1))),
    ("tb-size", until(true, (6, 0))),
    ("watchdog", until(true, (7, 2))),
    ("writeconfig", until(true, (7, 1))),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_name_no_option_twice() {
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
    fn an_option_has_an_operand_or_not() {
        assert!(known("display").is_some_and(|known| known.has_operand && known.until.is_none()));
        assert!(known("nographic").is_some_and(|known| !known.has_operand));
        assert_eq!(known("sdl").and_then(|known| known.until), Some((7, 1)));
        assert_eq!(known("unknown"), None);
    }
}
