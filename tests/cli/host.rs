//! `host`: the first step on thirteen machines, each check, and what can't be read.

#![allow(clippy::unwrap_used, reason = "the helpers are a test's too")]

use crate::common;

use std::collections::BTreeSet;

use common::faults::{DISAGREEMENTS, FAULTS};
use common::host_query::{GPU, OTHER, UUID, ask, ask_of, check, domain, with, wrong};
use common::hosts;
use common::program::run;
use gvtg_xml::of_host;
use serde_json::Value;

/// Machines, each of which has something that the others don't.
const MACHINES: &[&str] = &[
    "kaby-lake",
    "tiger-lake",
    "small-aperture",
    "kvmgt-missing",
    "guc-submission",
    "full",
    "typos",
    "amd",
    "guest",
    "container",
    "selinux",
    "apparmor",
];

#[test]
fn names_the_first_step_for_each_machine() {
    for (name, first, errors) in [
        ("kaby-lake", None, vec![]),
        ("broadwell", None, vec![]),
        ("libvirt-8.0", None, vec![]),
        ("tiger-lake", Some("unsupported-gpu"), vec!["unsupported-gpu"]),
        ("small-aperture", Some("small-aperture"), vec!["small-aperture"]),
        ("gvt-off", Some("gvt-not-enabled"), vec!["gvt-not-enabled", "kvmgt-not-loaded"]),
        ("kvmgt-missing", Some("kvmgt-not-loaded"), vec!["kvmgt-not-loaded"]),
        ("guc-submission", Some("guc-submission"), vec!["guc-submission"]),
        ("full", Some("full-gpu"), vec![]),
        ("nixos", None, vec![]),
        ("selinux", Some("window-forbidden"), vec![]),
        ("apparmor", Some("hook-without-program"), vec![]),
        (
            "typos",
            Some("misspelt-parameter"),
            vec![
                "misspelt-parameter",
                "misspelt-parameter",
                "modprobe-option-with-dot",
                "gvt-not-enabled",
            ],
        ),
        ("amd", Some("no-intel-gpu"), vec!["no-intel-gpu"]),
        ("guest", Some("in-guest"), vec!["in-guest"]),
        ("container", Some("no-machine"), vec!["no-machine"]),
    ] {
        let (code, answer) = ask_of(&format!("like {name}\n"), &[]);
        assert_eq!(answer["first"].as_str(), first, "{name}: {answer:#}");
        assert_eq!(with(&answer, "error"), errors, "{name}");
        assert_eq!(code, i32::from(!errors.is_empty()), "{name}");
    }
}

#[test]
fn finds_nothing_on_a_good_machine() {
    for name in ["kaby-lake", "broadwell", "nixos"] {
        let (_, answer) = ask_of(&format!("like {name}\n"), &[]);
        assert_eq!(wrong(&answer), Vec::<&str>::new(), "{name}");
        assert_eq!(with(&answer, "unknown"), Vec::<&str>::new(), "{name}");
    }
}

#[test]
fn lists_the_first_step_first() {
    let folder = tempfile::tempdir().unwrap();
    hosts::make("kvmgt-missing", folder.path());
    let (code, stdout, _) = run(&format!("host --root {}", folder.path().display()), "");
    assert_eq!(code, 1);
    let mut lines = stdout.lines();
    assert_eq!(
        lines.next(),
        Some("error[kvmgt-not-loaded] the module kvmgt is not loaded: there are no vGPU types")
    );
    assert!(
        lines.next().unwrap().starts_with("  do this first: load it now: `sudo modprobe kvmgt`"),
        "{stdout}"
    );
    assert_eq!(stdout.matches("do this first").count(), 1, "{stdout}");
    assert!(stdout.contains("\nwarning[kvmgt-not-at-boot] "), "{stdout}");
    assert!(
        stdout.ends_with(
            "Start with kvmgt-not-loaded; for details, run `gvtg-xml explain kvmgt-not-loaded`.\n"
        ),
        "{stdout}"
    );
}

#[test]
fn writes_a_shared_next_step_only_once() {
    const SETUP_STEPS: &str = "run `virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /`, follow the steps that it prints (initramfs, reboot), then run `sudo gvtg-xml host`";
    let folder = tempfile::tempdir().unwrap();
    hosts::make("gvt-off", folder.path());
    let (_, answer) = ask(folder.path(), &[]);
    for rule in ["gvt-not-enabled", "kvmgt-not-loaded", "kvmgt-not-at-boot", "missing-hook"] {
        assert_eq!(check(&answer, rule)["help"], SETUP_STEPS, "{rule}");
    }
    assert!(check(&answer, "msrs-not-ignored")["help"].as_str().unwrap().contains(SETUP_STEPS));
    let (_, stdout, _) = run(&format!("host --root {}", folder.path().display()), "");
    assert!(
        stdout.contains(&format!("\n  do this first: {SETUP_STEPS}\n"))
            && stdout.matches(SETUP_STEPS).count() == 1,
        "{stdout}"
    );
    assert_eq!(stdout.matches("\n  what to do: as above\n").count(), 3, "{stdout}");
}

#[test]
fn suggests_fixs_flag_for_an_old_libvirt() {
    let (code, answer) = ask_of("like libvirt-8.0\n", &[]);
    assert_eq!(code, 0);
    assert_eq!(wrong(&answer), ["old-libvirt"]);
    assert_eq!(
        check(&answer, "old-libvirt")["help"],
        "pass its version to fix: `gvtg-xml fix --libvirt 8.0.0`"
    );
}

#[test]
fn finds_each_fault_and_no_other() {
    for (fault, wanted) in FAULTS {
        let (_, answer) = ask_of(&format!("like kaby-lake\n{fault}\n"), &[]);
        let found = wrong(&answer);
        // An option that disables i915 is described by its effect.
        assert_eq!(found, *wanted, "{fault}\n{answer:#}");
    }
}

#[test]
fn names_what_gave_the_gpu_to_vfio_pci() {
    for (line, what_to_do) in [
        (
            "vfio-pci.ids=10de:1c03,8086:5916",
            "remove vfio-pci.ids=10de:1c03,8086:5916 from the kernel command line and reboot",
        ),
        // The other card is passed through on purpose.
        (
            "vfio-pci.ids=10de:1c03",
            "shut down the VM that uses it, and remove its <hostdev type='pci'>",
        ),
    ] {
        let machine = format!(
            "like kaby-lake\nwithout {GPU}/mdev_supported_types\n{GPU}/driver -> ../x/vfio-pci\n/proc/cmdline = i915.enable_gvt=1 {line}\n"
        );
        let (_, answer) = ask_of(&machine, &[]);
        let help = check(&answer, "gpu-given-to-vfio-pci")["help"].as_str().unwrap();
        assert_eq!(help, format!("{what_to_do}; vGPUs need the i915 driver"));
    }
}

#[test]
fn accepts_a_program_that_apparmor_lets_hooks_run() {
    const PROFILES: &str = "/sys/kernel/security/apparmor/profiles";
    for more in [
        "/usr/bin/gvtg-xml (755) =",
        // The user's own rule.
        "/etc/apparmor.d/local/usr.sbin.libvirtd = /usr/local/bin/gvtg-xml rmix,",
        // libvirtd is not confined.
        "/sys/kernel/security/apparmor/profiles = libvirtd (complain)",
        "without /sys/kernel/security\n/etc/apparmor.d/disable/usr.sbin.libvirtd -> ../usr.sbin.libvirtd",
        "without /sys/kernel/security\n/sys/module/apparmor/parameters/enabled = N",
        // Nothing runs it.
        "/etc/libvirt/hooks/qemu.d/gvtg-filter (644) = gvtg-xml fix",
    ] {
        let (_, answer) = ask_of(&format!("like apparmor\n{more}\n"), &[]);
        assert_eq!(wrong(&answer), Vec::<&str>::new(), "{more}: {answer:#}");
    }
    for more in [
        // AppArmor checks the file that a link leads to.
        "/usr/bin/gvtg-xml -> ../local/bin/gvtg-xml",
        // Without the profile's file, the rules of libvirt's own profile apply; without the list of
        // loaded profiles, which only root can read, the file does.
        "without /etc/apparmor.d",
        &format!("{PROFILES} = virtqemud (enforce)\nwithout /etc/apparmor.d"),
        &format!("{PROFILES} = libvirtd (kill)"),
        "without /sys/kernel/security",
        "without /usr/local/bin",
    ] {
        let (_, answer) = ask_of(&format!("like apparmor\n{more}\n"), &[]);
        assert_eq!(wrong(&answer), ["hook-without-program"], "{more}: {answer:#}");
    }
    let help = |more: &str| {
        check(&ask_of(&format!("like apparmor\n{more}\n"), &[]).1, "hook-without-program")["help"]
            .to_string()
    };
    assert_eq!(
        help(""),
        "\"install gvtg-xml in /usr/bin: `sudo install -m 755 /usr/local/bin/gvtg-xml /usr/bin/`\""
    );
    assert_eq!(
        help("without /usr/local/bin"),
        "\"install gvtg-xml in /usr/bin: `sudo install -m 755 target/release/gvtg-xml /usr/bin/`\""
    );
}

#[test]
fn reads_libvirts_files_below_var_lib_on_nixos() {
    for (fault, rule) in [
        ("without /var/lib/libvirt/hooks", "missing-hook"),
        // A hook in a folder that libvirt does not read has no effect.
        (
            "without /var/lib/libvirt/hooks\n/etc/libvirt/hooks/qemu (755) emitted setup_gpu win10 a7ac54ee-0f5b-5731-b099-091b0e8eaf75 i915-GVTg_V5_4",
            "missing-hook",
        ),
        ("without /var/lib/libvirt/qemu.conf", "dri-not-allowed"),
        (
            "/run/current-system/sw/bin/virsh -> /nix/store/0aa-libvirt-8.2.0/bin/virsh",
            "old-libvirt",
        ),
        ("without /run/current-system", "missing-libvirt"),
    ] {
        let (_, answer) = ask_of(&format!("like nixos\n{fault}\n"), &[]);
        assert!(wrong(&answer).contains(&rule), "{fault}: {answer:#}");
    }
    // The version of a program that is not a link into the store is unknown, but the program
    // exists.
    let (_, answer) = ask_of(
        "like nixos\nwithout /run/current-system\n/run/current-system/sw/bin/virsh (755) =\n",
        &[],
    );
    assert_eq!(
        (wrong(&answer), with(&answer, "unknown")),
        (vec![], vec!["missing-libvirt"]),
        "{answer:#}"
    );
}

/// The answer of `host` for the machine without GVT-g after these files were written by hand.
fn before_the_reboot(files: &str) -> Value {
    let (code, answer) = ask_of(&format!("like gvt-off\n{files}\n"), &[]);
    assert_eq!(code, 1, "{answer:#}");
    answer
}

#[test]
fn asks_for_a_reboot_after_emit_all() {
    for (bootloader, renewal) in [
        (
            "",
            "run `sudo update-initramfs -u` if you have not done so since the file was written, reboot",
        ),
        (" --bootloader grub", "run `sudo update-grub` (if there is none, `sudo grub-mkconfig"),
        (
            " --bootloader kernel-install",
            "run `sudo kernel-install add-all` (on Proxmox VE `sudo proxmox-boot-tool refresh`)",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        hosts::make("gvt-off", folder.path());
        let root = folder.path().display();
        let (code, _, stderr) = run(
            &format!("emit all --root {root}{bootloader} fixtures/win10-virt-manager.fixed.xml"),
            "",
        );
        assert_eq!(code, 0, "{stderr}");
        let (code, answer) = ask(folder.path(), &[]);
        assert_eq!(
            (code, answer["first"].as_str(), with(&answer, "error")),
            (1, Some("reboot-pending"), vec!["reboot-pending"]),
            "{answer:#}"
        );
        // Only a parameter that no file sets is missing.
        assert_eq!(wrong(&answer), ["reboot-pending", "dri-not-allowed"], "{answer:#}");
        let check = check(&answer, "reboot-pending");
        assert!(
            check["message"]
                .as_str()
                .unwrap()
                .contains(" sets i915.enable_gvt=1 and kvm.ignore_msrs=1, but the running kernel was started without that"),
            "{check:#}"
        );
        let help = check["help"].as_str().unwrap();
        assert!(
            help.starts_with(renewal) && help.ends_with(", reboot, then run `sudo gvtg-xml host`"),
            "{help}"
        );
    }
}

#[test]
fn a_reboot_is_enough_if_the_boot_loader_already_has_the_parameters() {
    for files in [
        "/boot/loader/entries/a.conf:\n    title Linux\n    options root=UUID=1 i915.enable_gvt=1",
        "/boot/grub/grub.cfg:\n    linux /vmlinuz root=UUID=1 i915.enable_gvt=1\n/etc/default/grub = GRUB_CMDLINE_LINUX=\"i915.enable_gvt=1\"",
        "/etc/NIXOS =\n/nix/var/nix/profiles/system/kernel-params = i915.enable_gvt=1 loglevel=4",
    ] {
        let answer = before_the_reboot(files);
        assert_eq!(answer["first"], "reboot-pending", "{files}: {answer:#}");
        assert_eq!(
            check(&answer, "reboot-pending")["help"],
            "reboot, then run `sudo gvtg-xml host`",
            "{files}"
        );
        // Nothing sets that parameter.
        assert!(wrong(&answer).contains(&"msrs-not-ignored"), "{answer:#}");
    }
    let image = before_the_reboot(
        "/run/ostree-booted =\n/etc/modprobe.d/gvtg.conf = options i915 enable_gvt=1",
    );
    let help = check(&image, "reboot-pending")["help"].as_str().unwrap();
    assert!(
        help.starts_with("run `sudo rpm-ostree kargs --append-if-missing=i915.enable_gvt=1 "),
        "{help}"
    );
}

#[test]
fn does_not_ask_for_a_reboot_that_would_change_nothing() {
    const OPTION: &str = "/etc/modprobe.d/gvtg.conf = options i915 enable_gvt=1";
    for (files, first) in [
        // The command line takes precedence over options of modules.
        (format!("{OPTION}\n/proc/cmdline = quiet i915.enable_gvt=0"), "gvt-not-enabled"),
        // The kernel was already told.
        (format!("{OPTION}\n/proc/cmdline = quiet i915.enable_gvt=1"), "gvt-not-enabled"),
        // GuC submission disables it.
        (format!("{OPTION}\n/sys/module/i915/parameters/enable_guc = 3"), "guc-submission"),
        // The kernel has no GVT-g.
        (
            format!(
                "{OPTION}\n/usr/lib/modules/6.1.0-50-amd64/modules.dep = kernel/drivers/vfio/vfio.ko:"
            ),
            "kernel-without-kvmgt",
        ),
        ("/etc/modprobe.d/gvtg.conf = options i915 enable_gvt=0".to_owned(), "gvt-not-enabled"),
    ] {
        assert_eq!(before_the_reboot(&files)["first"], first, "{files}");
    }
}

#[test]
fn does_not_take_an_option_for_the_current_value_without_root() {
    const PARAMETER: &str = "/sys/module/i915/parameters/enable_gvt";
    const OPTION: &str = "/etc/modprobe.d/gvtg.conf = options i915 enable_gvt=1";
    // Root can't read a folder in the file's place either.
    let unreadable = format!("like gvt-off\nwithout {PARAMETER}\n{PARAMETER}/\n");
    let missing = format!("like gvt-off\nwithout {PARAMETER}\n");
    for (machine, begins) in [
        (&unreadable, format!("only root can read {PARAMETER}, ")),
        (&missing, format!("{PARAMETER} is missing, ")),
    ] {
        let (_, answer) = ask_of(&format!("{machine}{OPTION}\n"), &[]);
        let gvt = check(&answer, "gvt-not-enabled");
        assert_eq!(
            (&gvt["status"], &check(&answer, "kvmgt-not-loaded")["status"]),
            (&"unknown".into(), &"unknown".into()),
            "{answer:#}"
        );
        let message = gvt["message"].as_str().unwrap();
        assert!(
            message.starts_with(&begins)
                && message.contains("/etc/modprobe.d/gvtg.conf was in effect"),
            "{message}"
        );
        // Newer kernels load kvmgt without it, too.
        let (_, answer) = ask_of(&format!("{machine}{OPTION}\n/sys/module/kvmgt/\n"), &[]);
        assert_eq!(check(&answer, "gvt-not-enabled")["status"], "unknown", "{answer:#}");
        for evidence in [
            "/proc/cmdline = quiet i915.enable_gvt=1".to_owned(),
            format!("{GPU}/mdev_supported_types/i915-GVTg_V5_4/available_instances = 1"),
            "/proc/sys/kernel/osrelease = 5.10.0-30-amd64\n/sys/module/kvmgt/".to_owned(),
        ] {
            let (_, answer) = ask_of(&format!("{machine}{OPTION}\n{evidence}\n"), &[]);
            assert_eq!(check(&answer, "gvt-not-enabled")["status"], "ok", "{evidence}: {answer:#}");
        }
        for (sets, rule) in [
            ("", "gvt-not-enabled"),
            ("/etc/modprobe.d/gvtg.conf = options i915 enable_gvt=0\n", "gvt-not-enabled"),
            // The running kernel's command line does not have the parameter.
            ("/boot/loader/entries/a.conf = options i915.enable_gvt=1\n", "reboot-pending"),
        ] {
            let (_, answer) = ask_of(&format!("{machine}{sets}"), &[]);
            assert_eq!(answer["first"], rule, "{sets}: {answer:#}");
        }
    }
}

#[test]
fn reads_grub_drop_ins_where_grub_mkconfig_does() {
    const DROP_IN: &str = "/etc/default/grub.d/gvtg.cfg = GRUB_CMDLINE_LINUX=i915.enable_gvt=1";
    const FEDORA: &str = "/etc/os-release = ID=fedora";
    const GRUB2: &str = "run `sudo grub2-mkconfig -o /boot/grub2/grub.cfg`";
    for (files, help) in [
        (
            format!("{DROP_IN}\n/etc/os-release:\n    ID=linuxmint\n    ID_LIKE=\"ubuntu debian\""),
            "run `sudo update-grub`",
        ),
        (
            format!(
                "{DROP_IN}\n{FEDORA}\n/etc/default/grub:\n    GRUB_TIMEOUT=5\n    . /etc/default/grub.d/gvtg.cfg"
            ),
            GRUB2,
        ),
        (format!("{FEDORA}\n/etc/default/grub = GRUB_CMDLINE_LINUX=i915.enable_gvt=1"), GRUB2),
        (
            "/etc/os-release = ID=arch\n/etc/default/grub = GRUB_CMDLINE_LINUX=i915.enable_gvt=1"
                .to_owned(),
            "run `sudo grub-mkconfig -o ",
        ),
    ] {
        let answer = before_the_reboot(&files);
        assert_eq!(answer["first"], "reboot-pending", "{files}: {answer:#}");
        let said = check(&answer, "reboot-pending")["help"].as_str().unwrap();
        assert!(said.starts_with(help), "{said}");
    }
    for settings in [
        "",
        "\n/etc/default/grub = # . /etc/default/grub.d/gvtg.cfg",
        "\n/etc/default/grub = . /etc/default/grub.d/other.cfg",
    ] {
        let answer = before_the_reboot(&format!("{DROP_IN}\n{FEDORA}{settings}"));
        assert_eq!(answer["first"], "gvt-not-enabled", "{answer:#}");
        let check = check(&answer, "gvt-not-enabled");
        assert!(check["message"].as_str().unwrap().contains(
            "grub-mkconfig does not read that file: no line in /etc/default/grub sources it"
        ));
        assert_eq!(
            check["help"],
            "add the line `. /etc/default/grub.d/gvtg.cfg` at the end of /etc/default/grub, run `sudo grub2-mkconfig -o \
             /boot/grub2/grub.cfg`, reboot, then run `sudo gvtg-xml host`"
        );
    }
}

#[test]
fn the_next_command_line_overrides_module_options() {
    const OPTION: &str = "/etc/modprobe.d/gvtg.conf = options i915 enable_gvt=1";
    for (files, place) in [
        (
            "/boot/loader/entries/a.conf = options\troot=UUID=1 i915.enable_gvt=0",
            "/boot/loader/entries/a.conf",
        ),
        (
            "/etc/kernel/cmdline = root=UUID=1 i915.enable_gvt=1 i915.enable_gvt=0",
            "/etc/kernel/cmdline",
        ),
        ("/etc/default/grub = GRUB_CMDLINE_LINUX=\"i915.enable_gvt=0\"", "/etc/default/grub"),
        (
            "/boot/loader/entries/a.conf = options i915.enable_gvt=1\n/boot/loader/entries/b.conf = options i915.enable_gvt=0",
            "/boot/loader/entries/b.conf",
        ),
    ] {
        let answer = before_the_reboot(&format!("{OPTION}\n{files}"));
        assert_eq!(answer["first"], "gvt-not-enabled", "{files}: {answer:#}");
        let check = check(&answer, "gvt-not-enabled");
        let message = check["message"].as_str().unwrap();
        let said = format!(
            "{place} sets enable_gvt=0, and the command line overrides /etc/modprobe.d/gvtg.conf"
        );
        assert!(message.ends_with(&said), "{message}");
        assert!(
            check["help"]
                .as_str()
                .unwrap()
                .starts_with(&format!("remove enable_gvt=0 from {place}; then ")),
            "{check:#}"
        );
    }
    let two = "/etc/modprobe.d/a.conf = options i915 enable_gvt=1\n/etc/modprobe.d/b.conf = options i915 enable_gvt=0";
    assert_eq!(before_the_reboot(two)["first"], "gvt-not-enabled");
    // A file generated from one that enables it enables it too.
    let entries = "/boot/loader/entries/a.conf = options i915.enable_gvt=0\n/etc/kernel/cmdline = i915.enable_gvt=1";
    assert_eq!(before_the_reboot(entries)["first"], "reboot-pending");
}

#[test]
fn finds_guc_submission_before_the_reboot() {
    const OPTION: &str = "/etc/modprobe.d/a.conf = options i915 enable_gvt=1";
    for (files, path, then) in [
        (
            "/etc/modprobe.d/a.conf = options i915 enable_gvt=1 enable_guc=3",
            "/etc/modprobe.d/a.conf",
            "run `sudo update-initramfs -u`, then",
        ),
        (
            "/etc/modprobe.d/a.conf = options i915 enable_gvt=1\n/etc/modprobe.d/guc.conf = options i915 enable_guc=1",
            "/etc/modprobe.d/guc.conf",
            "run `sudo update-initramfs -u`, then",
        ),
        (
            "/boot/loader/entries/a.conf = options i915.enable_gvt=1 i915.enable_guc=3",
            "/boot/loader/entries/a.conf",
            "then",
        ),
        (
            "/etc/modprobe.d/a.conf = options i915 enable_gvt=1\n/etc/kernel/cmdline = root=UUID=1 i915.enable_guc=3",
            "/etc/kernel/cmdline",
            "run `sudo kernel-install add-all` (on Proxmox VE `sudo proxmox-boot-tool refresh`), then",
        ),
    ] {
        let answer = before_the_reboot(files);
        assert_eq!(answer["first"], "guc-submission", "{files}: {answer:#}");
        let said = ["reboot-pending", "gvt-not-enabled", "kvmgt-not-loaded"]
            .map(|rule| check(&answer, rule)["status"].clone());
        assert_eq!(said, ["skipped", "skipped", "skipped"], "{files}: {answer:#}");
        assert_eq!(
            check(&answer, "guc-submission")["help"],
            format!("remove it from {path} (or set it to 0), {then} reboot")
        );
    }
    // The last option wins, and the command line wins over options.
    for files in [
        "/etc/modprobe.d/guc.conf = options i915 enable_guc=3 enable_guc=2",
        "/etc/modprobe.d/guc.conf = options i915 enable_guc=3\n/etc/kernel/cmdline = root=UUID=1 i915.enable_guc=0",
        "/proc/cmdline = quiet i915.enable_guc=0\n/etc/modprobe.d/guc.conf = options i915 enable_guc=3",
    ] {
        assert_eq!(
            before_the_reboot(&format!("{OPTION}\n{files}"))["first"],
            "reboot-pending",
            "{files}"
        );
    }
    // Already in effect, because of an option.
    let running = before_the_reboot(&format!(
        "{OPTION} enable_guc=3\n/sys/module/i915/parameters/enable_guc = 3"
    ));
    let help = "remove it from /etc/modprobe.d/a.conf (or set it to 0), run `sudo update-initramfs -u`, then reboot";
    assert_eq!(check(&running, "guc-submission")["help"], help);
}

#[test]
fn a_built_in_i915_needs_the_kernel_command_line() {
    let answer = before_the_reboot(
        "/etc/modprobe.d/gvtg.conf = options i915 enable_gvt=1\n\
         /usr/lib/modules/6.1.0-50-amd64/modules.builtin = kernel/drivers/gpu/drm/i915/i915.ko",
    );
    assert_eq!(answer["first"], "gvt-not-enabled", "{answer:#}");
    let help = check(&answer, "gvt-not-enabled")["help"].as_str().unwrap();
    assert!(help.contains("sudo gvtg-xml emit all --root / --bootloader grub` (or "), "{help}");
}

#[test]
fn does_not_ask_again_for_ignore_msrs_that_a_reboot_enables() {
    let option = "/etc/modprobe.d/gvtg.conf = options kvm ignore_msrs=1";
    let (_, answer) = ask_of(
        &format!(
            "like kaby-lake\n/proc/cmdline = i915.enable_gvt=1\n/sys/module/kvm/parameters/ignore_msrs = N\n{option}\n"
        ),
        &[],
    );
    let help = check(&answer, "msrs-not-ignored")["help"].as_str().unwrap();
    assert!(
        help.contains("from the next boot on, /etc/modprobe.d/gvtg.conf sets it")
            && !help.contains("emit"),
        "{help}"
    );
}

#[test]
fn reads_only_regular_files() {
    let folder = tempfile::tempdir().unwrap();
    hosts::make("kaby-lake", folder.path());
    // Opening a pipe without a writer would wait forever.
    let pipe = folder.path().join("etc/libvirt/hooks/qemu.d/pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (code, answer) = ask(folder.path(), &[]);
    assert_eq!((code, wrong(&answer)), (0, vec![]), "{answer:#}");
}

#[test]
fn every_rule_is_found_on_some_machine() {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let folder = tempfile::tempdir().unwrap();
    let domain = domain(folder.path(), "--type i915-GVTg_V5_4");
    for name in MACHINES {
        found.extend(
            wrong(&ask_of(&format!("like {name}\n"), &[]).1).into_iter().map(str::to_owned),
        );
    }
    found.extend(
        FAULTS
            .iter()
            .chain(DISAGREEMENTS)
            .flat_map(|(_, rules)| rules.iter().map(|rule| (*rule).to_owned())),
    );
    found.insert("wrong-gpu-address".to_owned());
    let missing: Vec<&str> =
        of_host().iter().map(|rule| &*rule.id).filter(|id| !found.contains(*id)).collect();
    assert!(missing.is_empty(), "no machine shows {missing:?}");
    drop(domain);
}

#[test]
fn fills_every_placeholder() {
    let folder = tempfile::tempdir().unwrap();
    let domain = domain(folder.path(), "--type i915-GVTg_V5_4");
    let machines = MACHINES.iter().map(|name| format!("like {name}\n"));
    let faults =
        FAULTS.iter().chain(DISAGREEMENTS).map(|(fault, _)| format!("like kaby-lake\n{fault}\n"));
    for machine in machines.chain(faults) {
        let (_, answer) = ask_of(&machine, &[&domain]);
        for check in answer["checks"].as_array().unwrap() {
            for words in [&check["message"], &check["help"]].into_iter().filter_map(Value::as_str) {
                let is_whole = !words.is_empty()
                    && !words.contains("''")
                    && !words.contains("  ")
                    && !words.contains("()")
                    && !words.contains('{');
                assert!(
                    is_whole && !words.starts_with(' ') && !words.ends_with(' '),
                    "{machine}: {words:?}"
                );
            }
        }
    }
}

#[test]
fn reports_unreadable_files_as_unknown() {
    // Root can't read a folder in a file's place either.
    let (code, answer) = ask_of(
        "like kaby-lake\nwithout /etc/libvirt/qemu.conf\n/etc/libvirt/qemu.conf/\nwithout /usr/lib/modules\n",
        &[],
    );
    assert_eq!(code, 0);
    assert_eq!(with(&answer, "unknown"), ["dri-not-allowed"], "{answer:#}");
    assert!(
        check(&answer, "dri-not-allowed")["message"]
            .as_str()
            .unwrap()
            .starts_with("/etc/libvirt/qemu.conf: ")
    );
}

#[test]
fn use_of_a_vgpu_is_unknown_if_a_process_cannot_be_read() {
    // Root can't read a link to itself either.
    let machine = format!(
        "like kaby-lake\n{GPU}/{OTHER}/mdev_type -> ../mdev_supported_types/i915-GVTg_V5_8\n\
         /sys/bus/mdev/devices/{OTHER} -> ../../../devices/pci0000:00/0000:00:02.0/{OTHER}\n/proc/55/fd -> fd\n"
    );
    let (code, answer) = ask_of(&machine, &[]);
    assert_eq!(
        (code, wrong(&answer), with(&answer, "unknown")),
        (0, vec![], vec!["unused-vgpu"]),
        "{answer:#}"
    );
}

#[test]
fn accepts_a_hook_that_loads_kvmgt() {
    let machine = format!(
        "like kaby-lake\nwithout {GPU}/mdev_supported_types\nwithout /sys/module/kvmgt\nwithout /etc/modules-load.d\n"
    );
    let (code, answer) = ask_of(&machine, &[]);
    assert_eq!(
        (code, wrong(&answer), with(&answer, "unknown")),
        (0, vec![], vec!["kvmgt-not-loaded"]),
        "{answer:#}"
    );
}

#[test]
fn ignores_rules() {
    let (code, answer) = ask_of(
        "like kvmgt-missing\n",
        &["--ignore", "kvmgt-not-loaded,kvmgt-not-at-boot,missing-hook"],
    );
    assert_eq!((code, wrong(&answer)), (0, vec![]));
    let folder = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) =
        run(&format!("host --root {} --ignore kvmgt-not-laded", folder.path().display()), "");
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("did you mean 'kvmgt-not-loaded'?"), "{stderr}");
}

#[test]
fn exits_with_2_on_errors() {
    for arguments in ["host --root /nowhere/at/all", "host /nowhere.xml", "host Cargo.toml"] {
        let (code, stdout, stderr) = run(arguments, "");
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments}");
        assert!(!stderr.is_empty());
    }
    let (code, stdout, stderr) = run("host fixtures/win10-virt-manager.xml", "");
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("gvtg-xml fix"), "{stderr}");
}

#[test]
fn explains_host_rules_and_never_applies_them_to_domains() {
    let (code, stdout, _) = run("explain kvmgt-not-loaded", "");
    assert_eq!(code, 0);
    assert!(stdout.starts_with("kvmgt-not-loaded (error, group host)\n"), "{stdout}");
    let (_, stdout, _) = run("explain No space left on device", "");
    assert!(stdout.contains("gvtg-xml explain vgpu-type-full "), "{stdout}");
    let (code, _, stderr) = run("lint --only kvmgt-not-loaded", "<domain/>");
    assert_eq!(code, 2);
    assert!(stderr.contains("there is no rule 'kvmgt-not-loaded'"), "{stderr}");
}

#[test]
fn checks_this_machine() {
    let (code, stdout, stderr) = run("host", "");
    assert!(code < 2, "{stderr}");
    assert!(stdout.contains(" passed"), "{stdout}");
}

#[test]
fn lists_passed_checks_only_on_request() {
    let folder = tempfile::tempdir().unwrap();
    hosts::make("kvmgt-missing", folder.path());
    let ask = |flags: &str| {
        let (code, stdout, stderr) =
            run(&format!("host --root {} {flags}", folder.path().display()), "");
        assert_eq!((code, stderr.as_str()), (1, ""), "{flags}");
        stdout
    };
    let passed = |text: &str| text.lines().filter(|line| line.starts_with("ok  ")).count();
    let (normal, verbose, quiet) = (ask(""), ask("--verbose"), ask("--quiet"));
    assert_eq!(passed(&normal), 0, "{normal}");
    assert!(passed(&verbose) > 5, "{verbose}");
    assert!(normal.contains(&format!(", {} checks passed", passed(&verbose))), "{normal}");
    assert!(quiet.contains("error[kvmgt-not-loaded]") && normal.starts_with(&quiet), "{quiet}");
    assert!(!quiet.contains(" passed") && !quiet.contains("unknown["), "{quiet}");
    assert_eq!((ask("-q"), ask("-v")), (quiet, verbose));
    let json = ask("--format json");
    assert_eq!(ask("--format json --quiet"), json, "programs get everything");
    assert_eq!(run("host -q -v", "").0, 2);
}

/// Whether the tests run as root: only root can change the owner of a file.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    if !is_root {
        common::skipped("only root can give a file to another user");
    }
    is_root
}

#[test]
fn names_a_user_other_than_root_who_can_change_a_hook() {
    if !is_root() {
        return;
    }
    let hook = "/etc/libvirt/hooks/qemu.d/gvtg";
    let emitted = format!("emitted setup_gpu win10 {UUID} i915-GVTg_V5_4");
    let users = "/etc/passwd:\n    root:x:0:0::/root:/bin/sh\n    me:x:1000:1000::/home/me:/bin/sh\n/etc/group:\n    libvirt:x:64:me\n";
    for (change, who, what, how) in [
        (
            format!("{hook} (755 1000:1000) {emitted}"),
            "the user me (1000)",
            hook,
            "chown root:root",
        ),
        (format!("{hook} (700 1001:0) {emitted}"), "the user 1001", hook, "chown root:root"),
        (format!("{hook} (775 0:64) {emitted}"), "the group libvirt (64)", hook, "chmod g-w"),
        (format!("{hook} (757 0:64) {emitted}"), "every user on this machine", hook, "chmod o-w"),
        (
            "/etc/libvirt/hooks/qemu.d/ (755 1000:0)".into(),
            "the user me (1000)",
            "/etc/libvirt/hooks/qemu.d",
            "chown root:root",
        ),
        (
            "/etc/libvirt/hooks/qemu.d/ (775 0:64)".into(),
            "the group libvirt (64)",
            "/etc/libvirt/hooks/qemu.d",
            "chmod g-w",
        ),
        ("/etc/libvirt/ (775 0:64)".into(), "the group libvirt (64)", "/etc/libvirt", "chmod g-w"),
        ("/etc/ (755 1000:1000)".into(), "the user me (1000)", "/etc", "chown root:root"),
        // An empty folder of hooks matters too.
        (
            "without /etc/libvirt/hooks\n/etc/libvirt/hooks/ (777 0:0)".into(),
            "every user on this machine",
            "/etc/libvirt/hooks",
            "chmod o-w",
        ),
        // libvirt runs new files in a folder of hooks, even if it is sticky.
        (
            "/etc/libvirt/hooks/qemu.d/ (1777 0:0)".into(),
            "every user on this machine",
            "/etc/libvirt/hooks/qemu.d",
            "chmod o-w",
        ),
        (
            "/etc/libvirt/hooks/ (1775 0:64)".into(),
            "the group libvirt (64)",
            "/etc/libvirt/hooks",
            "chmod g-w",
        ),
    ] {
        let (_, answer) = ask_of(&format!("like kaby-lake\n{users}{change}\n"), &[]);
        let check = check(&answer, "hook-writable-by-all");
        assert_eq!(check["status"], "warning", "{change}: {answer:#}");
        assert_eq!(
            check["message"].as_str().unwrap(),
            format!("{who} can change {what}, and libvirt runs the hooks as root"),
            "{change}"
        );
        assert_eq!(
            check["help"].as_str().unwrap(),
            format!("check its contents, then run `sudo {how} {what}`"),
            "{change}"
        );
    }
    for change in [
        format!("{hook} (775 0:0) {emitted}"),
        format!("{hook} (755 0:64) {emitted}"),
        "/home/ (777 1000:1000)".into(),
        // The hooks of NixOS are links into the store, where every builder can add files but none
        // can replace root's.
        format!(
            "/nix/store/ (1775 0:30000)\n/nix/store/abc-gvtg (555 0:0) {emitted}\n{hook} -> /nix/store/abc-gvtg"
        ),
        format!("/srv/ (1777 0:0)\n/srv/hook (755 0:0) {emitted}\n{hook} -> /srv/hook"),
    ] {
        let (_, answer) = ask_of(&format!("like kaby-lake\n{change}\n"), &[]);
        assert_eq!(check(&answer, "hook-writable-by-all")["status"], "ok", "{change}");
    }
}

#[test]
fn asks_to_copy_a_hook_that_links_to_a_users_folder() {
    if !is_root() {
        return;
    }
    let hook = "/etc/libvirt/hooks/qemu.d/gvtg";
    let emitted = format!("emitted setup_gpu win10 {UUID} i915-GVTg_V5_4");
    let home =
        format!("/home/me/ (755 1000:1000)\n/home/me/hooks/gvtg (755 1000:1000) {emitted}\n");
    const BEFORE: &str =
        "check its contents, then replace the link with a copy that belongs to root: `";
    for (machine, change, link, help) in [
        ("kaby-lake", format!("{hook} -> /home/me/hooks/gvtg"), hook, format!("{BEFORE}sudo install -m 755 /home/me/hooks/gvtg {hook}`")),
        (
            "kaby-lake",
            "without /etc/libvirt/hooks/qemu.d\n/etc/libvirt/hooks/qemu.d -> ../../../home/me/hooks".to_owned(),
            "/etc/libvirt/hooks/qemu.d",
            format!("{BEFORE}sudo rm /etc/libvirt/hooks/qemu.d && sudo cp -r /home/me/hooks /etc/libvirt/hooks/qemu.d`"),
        ),
        (
            "nixos",
            "/var/lib/libvirt/hooks/qemu.d/gvtg -> /home/me/hooks/gvtg".to_owned(),
            "/var/lib/libvirt/hooks/qemu.d/gvtg",
            "check its contents, then copy the file into the NixOS configuration: `sudo cp /home/me/hooks/gvtg /etc/nixos/gvtg`, set \
             `virtualisation.libvirtd.hooks.qemu.gvtg = ./gvtg;`, and run `sudo nixos-rebuild switch`"
                .to_owned(),
        ),
    ] {
        let (_, answer) = ask_of(&format!("like {machine}\n{home}{change}\n"), &[]);
        assert_eq!(wrong(&answer), ["hook-writable-by-all"], "{change}: {answer:#}");
        let check = check(&answer, "hook-writable-by-all");
        let message = format!("the user 1000 can change /home/me, to which the link {link} leads, and libvirt runs the hooks as root");
        assert_eq!((check["message"].as_str(), check["help"].as_str()), (Some(&*message), Some(&*help)), "{change}");
    }
}

#[test]
fn reports_foreign_owners_in_a_copy_that_kept_them() {
    if !is_root() {
        return;
    }
    let hook = "/etc/libvirt/hooks/qemu.d/gvtg";
    let folder = tempfile::tempdir().unwrap();
    hosts::make_of(
        &format!(
            "like kaby-lake\n{hook} (755 1000:1000) emitted setup_gpu win10 {UUID} i915-GVTg_V5_4\n"
        ),
        folder.path(),
    );
    std::os::unix::fs::chown(folder.path(), Some(1000), Some(1000)).unwrap();
    let (_, answer) = ask(folder.path(), &[]);
    assert_eq!(check(&answer, "hook-writable-by-all")["status"], "warning", "{answer:#}");
}

#[test]
fn accepts_a_copy_owned_by_the_user_who_made_it() {
    if !is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    hosts::make("kaby-lake", folder.path());
    let chown = std::process::Command::new("chown")
        .args(["-R", "1000:1000"])
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(chown.success());
    let (_, answer) = ask(folder.path(), &[]);
    assert_eq!(check(&answer, "hook-writable-by-all")["status"], "ok");
}
