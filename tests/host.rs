//! `host`: for twelve machines the first thing to do, each check at work, and what can't be read.

#![allow(clippy::unwrap_used, reason = "the helpers are a test's too")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use common::hosts;
use common::program::{program, run};
use gvtg_xml::rules::of_host;
use serde_json::Value;

/// The vGPU of `fixtures/win10-virt-manager.fixed.xml`.
const UUID: &str = "a7ac54ee-0f5b-5731-b099-091b0e8eaf75";
const OTHER: &str = "11111111-2222-4333-8444-555555555550";
const GPU: &str = "/sys/devices/pci0000:00/0000:00:02.0";
const HOOK: &str = "/etc/libvirt/hooks/qemu.d/gvtg";

/// What `host` says about the machine in a folder: the exit code, and the checks as JSON.
fn ask(folder: &Path, more: &[&str]) -> (i32, Value) {
    let mut command = program(["host", "--format", "json", "--root"]);
    let output = command.arg(folder).args(more).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap())
}

/// The same about a machine that a text describes.
fn ask_of(text: &str, more: &[&str]) -> (i32, Value) {
    let folder = tempfile::tempdir().unwrap();
    hosts::make_of(text, folder.path());
    ask(folder.path(), more)
}

/// The rules with this status.
fn with<'v>(answer: &'v Value, status: &str) -> Vec<&'v str> {
    let checks = answer["checks"].as_array().unwrap().iter();
    checks.filter(|check| check["status"] == status).map(|check| check["rule"].as_str().unwrap()).collect()
}

/// What is wrong, whatever its severity.
fn wrong(answer: &Value) -> Vec<&str> {
    ["error", "warning", "info"].into_iter().flat_map(|status| with(answer, status)).collect()
}

fn check<'v>(answer: &'v Value, rule: &str) -> &'v Value {
    answer["checks"].as_array().unwrap().iter().find(|check| check["rule"] == rule).unwrap()
}

/// A domain with this type for its vGPU, as `fix` records it.
fn domain(folder: &Path, flags: &str) -> String {
    let path = folder.join("win10.xml");
    let (_, text, _) = run(&format!("fix --quiet {flags} fixtures/win10-virt-manager.xml"), "");
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn each_machine_has_its_first_thing_to_do() {
    for (name, first, errors) in [
        ("kaby-lake", None, vec![]),
        ("broadwell", None, vec![]),
        ("libvirt-8.0", None, vec![]),
        ("tiger-lake", Some("unsupported-gpu"), vec!["unsupported-gpu"]),
        ("small-aperture", Some("small-aperture"), vec!["small-aperture"]),
        ("kvmgt-missing", Some("kvmgt-not-loaded"), vec!["kvmgt-not-loaded"]),
        ("guc-submission", Some("guc-submission"), vec!["guc-submission"]),
        ("full", Some("full-gpu"), vec![]),
        (
            "typos",
            Some("misspelt-parameter"),
            vec!["misspelt-parameter", "misspelt-parameter", "modprobe-option-with-dot", "gvt-not-enabled"],
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
fn nothing_is_wrong_with_a_good_machine() {
    for name in ["kaby-lake", "broadwell"] {
        let (_, answer) = ask_of(&format!("like {name}\n"), &[]);
        assert_eq!(wrong(&answer), Vec::<&str>::new(), "{name}");
        assert_eq!(with(&answer, "unknown"), Vec::<&str>::new(), "{name}");
    }
}

#[test]
fn the_order_says_where_to_begin() {
    let folder = tempfile::tempdir().unwrap();
    hosts::make("kvmgt-missing", folder.path());
    let (code, stdout, _) = run(&format!("host --root {}", folder.path().display()), "");
    assert_eq!(code, 1);
    let mut lines = stdout.lines();
    assert_eq!(lines.next(), Some("error[kvmgt-not-loaded] the module kvmgt is not loaded"));
    assert!(lines.next().unwrap().starts_with("  do this first: load it: sudo modprobe kvmgt"), "{stdout}");
    assert_eq!(stdout.matches("do this first").count(), 1, "{stdout}");
    assert!(stdout.contains("\nwarning[kvmgt-not-at-boot] "), "{stdout}");
    assert!(stdout.ends_with("Begin with kvmgt-not-loaded: `gvtg-xml explain kvmgt-not-loaded` says more.\n"), "{stdout}");
}

#[test]
fn an_old_libvirt_is_told_with_the_flag_for_fix() {
    let (code, answer) = ask_of("like libvirt-8.0\n", &[]);
    assert_eq!(code, 0);
    assert_eq!(wrong(&answer), ["old-libvirt"]);
    assert_eq!(check(&answer, "old-libvirt")["help"], "give fix the version: gvtg-xml fix --libvirt 8.0.0");
}

/// Machines that differ from the good one, and what is wrong with them.
const FAULTS: &[(&str, &[&str])] = &[
    ("/.dockerenv =", &["in-container"]),
    ("without /dev/kvm", &["no-kvm"]),
    ("without /dev\nwithout /sys/module/kvm_intel", &["no-kvm"]),
    (
        "without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types\n/sys/devices/pci0000:00/0000:00:02.0/driver -> ../x/vfio-pci\n\
         /proc/cmdline = i915.enable_gvt=1 vfio-pci.ids=10de:1c03,8086:5916",
        &["gpu-given-to-vfio-pci"],
    ),
    (
        "without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types\nwithout /sys/devices/pci0000:00/0000:00:02.0/driver\n\
         /proc/cmdline = i915.enable_gvt=1 nomodeset",
        &["i915-switched-off"],
    ),
    (
        "without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types\nwithout /sys/devices/pci0000:00/0000:00:02.0/driver\n\
         /etc/modprobe.d/a.conf = blacklist i915",
        &["i915-switched-off"],
    ),
    (
        "without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types\n/sys/devices/pci0000:00/0000:00:02.0/driver -> ../x/xe",
        &["gpu-without-i915"],
    ),
    (
        "without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types\nwithout /sys/module/kvmgt\n\
         /usr/lib/modules/6.1.0-50-amd64/modules.dep = kernel/drivers/vfio/vfio.ko:",
        &["kernel-without-kvmgt"],
    ),
    ("without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types", &["missing-vgpu-types"]),
    // A file of the same name in /etc hides the distribution's.
    ("/usr/lib/modprobe.d/a.conf = options i915.enable_gvt=1\n/etc/modprobe.d/a.conf = # nothing", &[]),
    // An older kernel still has it.
    (
        "/etc/modules-load.d/gvt.conf:\n    kvmgt\n    vfio_virqfd\n\
         /usr/lib/modules/6.1.0-50-amd64/modules.dep:\n    kernel/kvmgt.ko:\n    kernel/drivers/vfio/vfio_virqfd.ko:",
        &[],
    ),
    // HuC alone is no harm, nor is i915's own choice; and where the kernel lists types, GVT-g is on.
    (
        "without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types\n/sys/module/i915/parameters/enable_guc = 2",
        &["missing-vgpu-types"],
    ),
    (
        "without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types\n/sys/module/i915/parameters/enable_guc = -1",
        &["missing-vgpu-types"],
    ),
    ("/sys/module/i915/parameters/enable_guc = 3", &[]),
    ("without /sys/module/vfio_iommu_type1", &["vfio-not-loaded"]),
    ("without /dev/vfio", &["vfio-not-loaded"]),
    ("without /sys/module/vfio\n/usr/lib/modules/6.1.0-50-amd64/modules.builtin = kernel/drivers/vfio/vfio.ko", &[]),
    ("/proc/1/environ = PATH=/bin␀container=lxc␀", &["in-container"]),
    ("/sys/class/dmi/id/product_name = Xenon KVM", &[]),
    ("/sys/devices/pci0000:00/0000:00:02.0/device = 0xffff", &[]),
    ("without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types\n/sys/module/i915/parameters/enable_gvt = N", &["gvt-not-enabled"]),
    ("/etc/libvirt/hooks/qemu (755) = echo without a first line", &["hook-without-interpreter"]),
    ("/etc/libvirt/hooks/qemu (755) = #!/usr/bin/python2", &["hook-without-interpreter"]),
    ("/etc/libvirt/hooks/qemu (755):\n    #!/bin/sh\n    function create_gpu {\n    }", &["hook-with-bash-functions"]),
    ("/etc/libvirt/hooks/qemu (644) = #!/bin/sh", &[]),
    ("/etc/libvirt/hooks/qemu (644):\n    #!/bin/sh\n    setup_gpu a b c", &["hook-not-executable"]),
    ("/etc/libvirt/hooks/qemu.d/gvtg~ (644):\n    setup_gpu a b c", &[]),
    ("/etc/libvirt/hooks/qemu (755):\n    #!/bin/bash\n    function create_gpu {\n    }", &[]),
    ("/usr/bin/sh -> bash\n/etc/libvirt/hooks/qemu (755):\n    #!/bin/sh\n    function create_gpu {\n    }", &[]),
    ("/etc/libvirt/hooks/qemu (755) = #!/bin/sh␍", &["hook-without-interpreter"]),
    ("/usr/lib/x86_64-linux-gnu/libvirt.so.0 -> libvirt.so.0.6000.0", &["hook-folder-ignored", "old-libvirt"]),
    ("/var/lib/dpkg/status:\n    Package: qemu-system-x86\n    Status: install ok installed\n    Version: 1:2.8+dfsg-6", &["old-qemu"]),
    ("without /usr/lib/x86_64-linux-gnu", &["missing-libvirt"]),
    ("without /etc/libvirt/hooks", &["missing-hook"]),
    ("without /etc/modules-load.d", &["kvmgt-not-at-boot"]),
    ("/etc/modules-load.d/gvt.conf:\n    kvmgt\n    vfio_mdev", &["retired-module"]),
    ("/etc/modules-load.d/gvt.conf:\n    kvmgt\n    vfio # for QEMU", &["broken-modules-line"]),
    ("/proc/cmdline = i915.enable_gvt=1 kvmgt", &["stray-parameter"]),
    ("/sys/module/kvm/parameters/ignore_msrs = N", &["msrs-not-ignored"]),
    ("/etc/libvirt/qemu.conf = #cgroup_device_acl = [ ]", &["dri-not-allowed"]),
    ("without /etc/libvirt/qemu.conf", &["dri-not-allowed"]),
    (
        "/sys/devices/pci0000:00/0000:00:02.0/11111111-2222-4333-8444-555555555550/mdev_type -> ../mdev_supported_types/i915-GVTg_V5_8\n\
         /sys/bus/mdev/devices/11111111-2222-4333-8444-555555555550 -> \
         ../../../devices/pci0000:00/0000:00:02.0/11111111-2222-4333-8444-555555555550",
        &["unused-vgpu"],
    ),
];

#[test]
fn each_fault_is_found_and_no_other() {
    for (fault, wanted) in FAULTS {
        let (_, answer) = ask_of(&format!("like kaby-lake\n{fault}\n"), &[]);
        let found = wrong(&answer);
        // An option that keeps i915 away is told by what it does.
        assert_eq!(found, *wanted, "{fault}\n{answer:#}");
    }
}

/// Hooks and machines that do not agree with the domain win10, whose vGPU is of type V5_4 on the GPU at 0000:00:02.0.
const DISAGREEMENTS: &[(&str, &[&str])] = &[
    ("", &[]),
    (
        "/etc/libvirt/hooks/qemu.d/gvtg (755) emitted setup_gpu office a7ac54ee-0f5b-5731-b099-091b0e8eaf75 i915-GVTg_V5_4",
        &["hook-differs"],
    ),
    ("/etc/libvirt/hooks/qemu.d/gvtg (755) emitted setup_gpu win10 11111111-2222-4333-8444-555555555550 i915-GVTg_V5_4", &["hook-differs"]),
    ("/etc/libvirt/hooks/qemu.d/gvtg (755) emitted setup_gpu win10 A7AC54EE-0F5B-5731-B099-091B0E8EAF75 i915-GVTg_V5_4", &[]),
    (
        "/etc/libvirt/hooks/qemu.d/gvtg (755) emitted setup_gpu 'win10' a7ac54ee-0f5b-5731-b099-091b0e8eaf75 i915-GVTg_V5_8",
        &["hook-differs"],
    ),
    (
        "/etc/libvirt/hooks/qemu.d/gvtg (755) emitted setup_gpu win10 a7ac54ee-0f5b-5731-b099-091b0e8eaf75 i915-GVTg_V5_4 0000:03:00.0",
        &["hook-differs"],
    ),
    (
        "/etc/libvirt/hooks/qemu.d/gvtg (755) emitted setup_gpu office 11111111-2222-4333-8444-555555555550 i915-GVTg_V5_4",
        &["hook-misses-domain"],
    ),
    (
        "/etc/libvirt/hooks/qemu.d/gvtg (755):\n    #!/bin/sh\n    made=/run/gvtg\n    setup_gpu win10 a7ac54ee-0f5b-5731-b099-091b0e8eaf75 i915-GVTg_V5_4",
        &["outdated-hook"],
    ),
    (
        "/sys/devices/pci0000:00/0000:00:02.0/a7ac54ee-0f5b-5731-b099-091b0e8eaf75/mdev_type -> ../mdev_supported_types/i915-GVTg_V5_8\n\
         /sys/bus/mdev/devices/a7ac54ee-0f5b-5731-b099-091b0e8eaf75 -> \
         ../../../devices/pci0000:00/0000:00:02.0/a7ac54ee-0f5b-5731-b099-091b0e8eaf75",
        &["vgpu-of-other-type", "unused-vgpu"],
    ),
    (
        "/sys/devices/pci0000:00/0000:00:02.0/a7ac54ee-0f5b-5731-b099-091b0e8eaf75/mdev_type -> ../mdev_supported_types/i915-GVTg_V5_4\n\
         /sys/devices/pci0000:00/0000:00:02.0/a7ac54ee-0f5b-5731-b099-091b0e8eaf75/iommu_group -> ../../../../kernel/iommu_groups/7\n\
         /sys/bus/mdev/devices/a7ac54ee-0f5b-5731-b099-091b0e8eaf75 -> \
         ../../../devices/pci0000:00/0000:00:02.0/a7ac54ee-0f5b-5731-b099-091b0e8eaf75\n\
         /proc/99/cmdline = qemu␀-name␀guest=office,debug-threads=on␀\n/proc/99/fd/9 -> /dev/vfio/7",
        &["vgpu-of-other-domain"],
    ),
    ("/sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types/i915-GVTg_V5_4/available_instances = 0", &["vgpu-type-full"]),
    ("without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types/i915-GVTg_V5_4", &["vgpu-type-not-offered"]),
];

#[test]
fn domain_hook_and_host_must_agree() {
    let folder = tempfile::tempdir().unwrap();
    let domain = domain(folder.path(), "--type i915-GVTg_V5_4");
    for (fault, wanted) in DISAGREEMENTS {
        let (_, answer) = ask_of(&format!("like kaby-lake\n{fault}\n"), &[&domain]);
        assert_eq!(wrong(&answer), *wanted, "{fault}\n{answer:#}");
    }
}

#[test]
fn who_gave_the_gpu_away_is_said() {
    for (line, what_to_do) in [
        (
            "vfio-pci.ids=10de:1c03,8086:5916",
            "take vfio-pci.ids=10de:1c03,8086:5916 out of the kernel's command line and restart the machine",
        ),
        // The other card is given away rightly.
        ("vfio-pci.ids=10de:1c03", "shut down the guest that has it, and take its <hostdev type='pci'> out of that guest"),
    ] {
        let machine = format!(
            "like kaby-lake\nwithout {GPU}/mdev_supported_types\n{GPU}/driver -> ../x/vfio-pci\n/proc/cmdline = i915.enable_gvt=1 {line}\n"
        );
        let (_, answer) = ask_of(&machine, &[]);
        let help = check(&answer, "gpu-given-to-vfio-pci")["help"].as_str().unwrap();
        assert_eq!(help, format!("{what_to_do}: for vGPUs i915 must run it"));
    }
}

#[test]
fn each_vgpu_of_a_domain_has_its_line_in_the_hook() {
    let folder = tempfile::tempdir().unwrap();
    let domain = domain(folder.path(), "--type i915-GVTg_V5_8");
    let text = fs::read_to_string(&domain).unwrap();
    let (before, rest) = text.split_once("    <hostdev mode").unwrap();
    let (hostdev, after) = rest.split_once("</hostdev>\n").unwrap();
    let second = hostdev.replace(UUID, OTHER).replace("ua-gvtg", "ua-second");
    fs::write(&domain, format!("{before}    <hostdev mode{hostdev}</hostdev>\n    <hostdev mode{second}</hostdev>\n{after}")).unwrap();
    let one = format!("like kaby-lake\n{HOOK} (755) emitted setup_gpu win10 {UUID} i915-GVTg_V5_8\n");
    let (_, answer) = ask_of(&one, &[&domain]);
    assert_eq!(wrong(&answer), ["hook-misses-domain"], "{answer:#}");
    assert!(check(&answer, "hook-misses-domain")["message"].as_str().unwrap().contains(OTHER));
}

#[test]
fn what_a_hook_makes_is_checked_without_domains_too() {
    for (setup, wanted) in [
        ("setup_gpu win10 a7ac54ee-0f5b-5731-b099-091b0e8eaf75 i915-GVTg_V4_4", "vgpu-type-not-offered"),
        ("setup_gpu win10 a7ac54ee-0f5b-5731-b099-091b0e8eaf75 i915-GVTg_V5_4 0000:03:00.0", "wrong-gpu-address"),
    ] {
        let (_, answer) = ask_of(&format!("like kaby-lake\n{HOOK} (755) emitted {setup}\n"), &[]);
        assert_eq!(wrong(&answer), [wanted], "{setup}");
    }
}

#[test]
fn commands_hold_whatever_a_domain_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let domain = domain(folder.path(), "--type i915-GVTg_V5_4");
    let text = fs::read_to_string(&domain).unwrap();
    fs::write(&domain, text.replace("<name>win10<", "<name>a b; $(touch x)<")).unwrap();
    let (_, answer) = ask_of("like kaby-lake\n", &[&domain]);
    let help = check(&answer, "hook-differs")["help"].as_str().unwrap();
    assert!(help.contains("virsh dumpxml --inactive 'a b; $(touch x)' | "), "{help}");
}

#[test]
fn only_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    hosts::make("kaby-lake", folder.path());
    // Opening a pipe that nobody writes to would wait for ever.
    let pipe = folder.path().join("etc/libvirt/hooks/qemu.d/pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (code, answer) = ask(folder.path(), &[]);
    assert_eq!((code, wrong(&answer)), (0, vec![]), "{answer:#}");
}

#[test]
fn a_gpu_that_is_elsewhere_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let domain = domain(folder.path(), "--type i915-GVTg_V5_4 --pci 0000:03:00.0");
    let (code, answer) = ask_of("like kaby-lake\n", &[&domain]);
    assert_eq!((code, answer["first"].as_str()), (1, Some("wrong-gpu-address")));
    let message = check(&answer, "wrong-gpu-address")["message"].as_str().unwrap();
    assert_eq!(message, "win10 wants a vGPU of the GPU at 0000:03:00.0, where nothing is: the one with GVT-g is at 0000:00:02.0");
}

#[test]
fn a_type_that_nobody_recorded_is_the_hooks_to_say() {
    let folder = tempfile::tempdir().unwrap();
    let domain = domain(folder.path(), "");
    let hook = format!("like kaby-lake\n{HOOK} (755) emitted setup_gpu win10 {UUID} i915-GVTg_V5_8\n");
    let (_, answer) = ask_of(&hook, &[&domain]);
    assert_eq!(wrong(&answer), Vec::<&str>::new(), "{answer:#}");
    // Without a hook to say it, the GPU's generation decides.
    let (_, answer) = ask_of("like broadwell\n", &[&domain]);
    assert_eq!(wrong(&answer), Vec::<&str>::new(), "{answer:#}");
}

#[test]
fn a_domains_own_vgpu_does_not_fill_the_gpu() {
    let folder = tempfile::tempdir().unwrap();
    let domain = domain(folder.path(), "--type i915-GVTg_V5_4");
    let running = format!(
        "like kaby-lake\n{GPU}/mdev_supported_types/i915-GVTg_V5_4/available_instances = 0\n\
         {GPU}/{UUID}/mdev_type -> ../mdev_supported_types/i915-GVTg_V5_4\n{GPU}/{UUID}/iommu_group -> ../../../../kernel/iommu_groups/7\n\
         /sys/bus/mdev/devices/{UUID} -> ../../../devices/pci0000:00/0000:00:02.0/{UUID}\n\
         /proc/99/cmdline = qemu␀-name␀guest=win10,debug-threads=on␀\n/proc/99/fd/9 -> /dev/vfio/7\n"
    );
    let (_, answer) = ask_of(&running, &[&domain]);
    assert_eq!(wrong(&answer), Vec::<&str>::new(), "{answer:#}");
    let said = check(&answer, "unused-vgpu")["message"].as_str().unwrap();
    assert_eq!(said, format!("{UUID} (i915-GVTg_V5_4), used by the VM win10 (process 99)"));
}

#[test]
fn each_rule_is_found_on_some_machine() {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let folder = tempfile::tempdir().unwrap();
    let domain = domain(folder.path(), "--type i915-GVTg_V5_4");
    for name in ["tiger-lake", "small-aperture", "kvmgt-missing", "guc-submission", "full", "typos", "amd", "guest", "container"] {
        found.extend(wrong(&ask_of(&format!("like {name}\n"), &[]).1).into_iter().map(str::to_owned));
    }
    found.extend(FAULTS.iter().chain(DISAGREEMENTS).flat_map(|(_, rules)| rules.iter().map(|rule| (*rule).to_owned())));
    found.insert("wrong-gpu-address".to_owned());
    let missing: Vec<&str> = of_host().iter().map(|rule| &*rule.id).filter(|id| !found.contains(*id)).collect();
    assert!(missing.is_empty(), "no machine shows {missing:?}");
    drop(domain);
}

#[test]
fn no_word_lacks_its_value() {
    let folder = tempfile::tempdir().unwrap();
    let domain = domain(folder.path(), "--type i915-GVTg_V5_4");
    let of_names = ["kaby-lake", "tiger-lake", "small-aperture", "guc-submission", "full", "typos", "amd", "guest", "container"];
    let machines = of_names.iter().map(|name| format!("like {name}\n"));
    let faults = FAULTS.iter().chain(DISAGREEMENTS).map(|(fault, _)| format!("like kaby-lake\n{fault}\n"));
    for machine in machines.chain(faults) {
        let (_, answer) = ask_of(&machine, &[&domain]);
        for check in answer["checks"].as_array().unwrap() {
            for words in [&check["message"], &check["help"]].into_iter().filter_map(Value::as_str) {
                let is_whole =
                    !words.is_empty() && !words.contains("''") && !words.contains("  ") && !words.contains("()") && !words.contains('{');
                assert!(is_whole && !words.starts_with(' ') && !words.ends_with(' '), "{machine}: {words:?}");
            }
        }
    }
}

#[test]
fn what_cannot_be_read_is_said_and_no_error() {
    // A folder in a file's place can't be read by root either.
    let (code, answer) = ask_of("like kaby-lake\nwithout /etc/libvirt/qemu.conf\n/etc/libvirt/qemu.conf/\nwithout /usr/lib/modules\n", &[]);
    assert_eq!(code, 0);
    assert_eq!(with(&answer, "unknown"), ["dri-not-allowed"], "{answer:#}");
    assert!(check(&answer, "dri-not-allowed")["message"].as_str().unwrap().starts_with("/etc/libvirt/qemu.conf: "));
}

#[test]
fn who_uses_a_vgpu_is_unknown_where_a_process_cannot_be_looked_at() {
    // A link to itself can't be read by root either.
    let machine = format!(
        "like kaby-lake\n{GPU}/{OTHER}/mdev_type -> ../mdev_supported_types/i915-GVTg_V5_8\n\
         /sys/bus/mdev/devices/{OTHER} -> ../../../devices/pci0000:00/0000:00:02.0/{OTHER}\n/proc/55/fd -> fd\n"
    );
    let (code, answer) = ask_of(&machine, &[]);
    assert_eq!((code, wrong(&answer), with(&answer, "unknown")), (0, vec![], vec!["unused-vgpu"]), "{answer:#}");
}

#[test]
fn a_rule_can_be_ignored() {
    let (code, answer) = ask_of("like kvmgt-missing\n", &["--ignore", "kvmgt-not-loaded,kvmgt-not-at-boot"]);
    assert_eq!((code, wrong(&answer)), (0, vec![]));
    let folder = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = run(&format!("host --root {} --ignore kvmgt-not-laded", folder.path().display()), "");
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("did you mean 'kvmgt-not-loaded'?"), "{stderr}");
}

#[test]
fn what_cannot_be_done_is_exit_2() {
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
fn host_rules_are_explained_and_never_asked_of_domains() {
    let (code, stdout, _) = run("explain kvmgt-not-loaded", "");
    assert_eq!(code, 0);
    assert!(stdout.starts_with("kvmgt-not-loaded (error, group host)\n"), "{stdout}");
    let (_, stdout, _) = run("explain No space left on device", "");
    assert!(stdout.contains("vgpu-type-full (error, group host)"), "{stdout}");
    let (code, _, stderr) = run("lint --only kvmgt-not-loaded", "<domain/>");
    assert_eq!(code, 2);
    assert!(stderr.contains("there is no rule 'kvmgt-not-loaded'"), "{stderr}");
}

#[test]
fn this_machine_can_be_asked() {
    let (code, stdout, stderr) = run("host", "");
    assert!(code < 2, "{stderr}");
    assert!(stdout.contains(" ok, "), "{stdout}");
}
