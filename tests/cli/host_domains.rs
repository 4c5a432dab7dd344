//! `host` with domains: XML, hook and GPU agree, or it reports what differs.

#![allow(clippy::unwrap_used, reason = "the helpers are a test's too")]

use crate::common;

use std::fs;

use common::faults::DISAGREEMENTS;
use common::host_query::{GPU, HOOK, OTHER, UUID, ask_of, check, domain, wrong};

#[test]
fn reports_disagreements_between_domain_hook_and_host() {
    let folder = tempfile::tempdir().unwrap();
    let domain = domain(folder.path(), "--type i915-GVTg_V5_4");
    for (fault, wanted) in DISAGREEMENTS {
        let (_, answer) = ask_of(&format!("like kaby-lake\n{fault}\n"), &[&domain]);
        assert_eq!(wrong(&answer), *wanted, "{fault}\n{answer:#}");
    }
}

#[test]
fn reports_selinux_only_for_qemus_own_window() {
    let folder = tempfile::tempdir().unwrap();
    let domain = domain(folder.path(), "--type i915-GVTg_V5_4");
    let text = fs::read_to_string(&domain).unwrap();
    let asked = |text: &str, more: &str| {
        fs::write(&domain, text).unwrap();
        let (_, answer) = ask_of(&format!("like selinux\n{more}\n"), &[&domain]);
        wrong(&answer).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let sdl = text
        .replace("gtk,gl=on", "none")
        .replace("</devices>", "<graphics type='sdl'><gl enable='yes'/></graphics></devices>");
    for window in [&text, &text.replace("gtk,gl=on", "sdl,gl=on"), &sdl] {
        assert_eq!(asked(window, ""), ["window-forbidden"], "{window}");
    }
    for none in [
        &text.replace("gtk,gl=on", "egl-headless"),
        &text.replace("</devices>", "</devices><seclabel type='none' model='selinux'/>"),
        &text.replace("</devices>", "</devices><seclabel type='none'/>"),
    ] {
        assert_eq!(asked(none, ""), [""; 0], "{none}");
    }
    let dac = text.replace("</devices>", "</devices><seclabel type='none' model='dac'/>");
    assert_eq!(asked(&dac, ""), ["window-forbidden"]);
    for machine in [
        "/sys/fs/selinux/enforce = 0",
        "/sys/fs/selinux/booleans/virt_use_xserver = 1 1",
        "without /sys/fs/selinux/booleans",
    ] {
        assert_eq!(asked(&text, machine), [""; 0], "{machine}");
    }
    let qemu_conf = fs::read_to_string("fixtures/hosts/kaby-lake.tree").unwrap();
    let (_, acl) = qemu_conf.split_once("/etc/libvirt/qemu.conf:\n").unwrap();
    let (acl, _) = acl.split_once("\n/").unwrap();
    assert_eq!(
        asked(&text, &format!("/etc/libvirt/qemu.conf:\n{acl}\n    security_driver = \"none\"")),
        [""; 0]
    );
    let unconfined =
        format!("/etc/libvirt/qemu.conf:\n{acl}\n    security_default_confined = 0 # as before");
    assert_eq!(asked(&text, &unconfined), [""; 0]);
    assert_eq!(wrong(&ask_of(&format!("like selinux\n{unconfined}\n"), &[]).1), [""; 0]);
    let asks = text.replace("</devices>", "</devices><seclabel type='dynamic' model='selinux'/>");
    assert_eq!(asked(&asks, &unconfined), ["window-forbidden"]);
}

#[test]
fn each_vgpu_of_a_domain_needs_a_line_in_the_hook() {
    let folder = tempfile::tempdir().unwrap();
    let domain = domain(folder.path(), "--type i915-GVTg_V5_8");
    let text = fs::read_to_string(&domain).unwrap();
    let (before, rest) = text.split_once("    <hostdev mode").unwrap();
    let (hostdev, after) = rest.split_once("</hostdev>\n").unwrap();
    let second = hostdev.replace(UUID, OTHER).replace("ua-gvtg", "ua-second");
    fs::write(&domain, format!("{before}    <hostdev mode{hostdev}</hostdev>\n    <hostdev mode{second}</hostdev>\n{after}")).unwrap();
    let one =
        format!("like kaby-lake\n{HOOK} (755) emitted setup_gpu win10 {UUID} i915-GVTg_V5_8\n");
    let (_, answer) = ask_of(&one, &[&domain]);
    assert_eq!(wrong(&answer), ["hook-misses-domain"], "{answer:#}");
    assert!(check(&answer, "hook-misses-domain")["message"].as_str().unwrap().contains(OTHER));
}

#[test]
fn two_hooks_may_share_a_domain_with_two_vgpus() {
    let folder = tempfile::tempdir().unwrap();
    let domain = domain(folder.path(), "--type i915-GVTg_V5_8");
    let text = fs::read_to_string(&domain).unwrap();
    let hooks = format!(
        "like kaby-lake\n{HOOK} (755) emitted setup_gpu win10 {UUID} i915-GVTg_V5_8\n\
         {HOOK}-2 (755) emitted setup_gpu win10 {OTHER} i915-GVTg_V5_8\n"
    );
    let (_, answer) = ask_of(&hooks, &[&domain]);
    assert_eq!(wrong(&answer), ["two-hooks"], "{answer:#}");
    let message = check(&answer, "two-hooks")["message"].as_str().unwrap();
    assert_eq!(
        message,
        format!("{HOOK} and {HOOK}-2 both create a vGPU for win10 ({UUID} and {OTHER})")
    );
    let (before, rest) = text.split_once("    <hostdev mode").unwrap();
    let (hostdev, after) = rest.split_once("</hostdev>\n").unwrap();
    let second = hostdev.replace(UUID, OTHER).replace("ua-gvtg", "ua-second");
    fs::write(&domain, format!("{before}    <hostdev mode{hostdev}</hostdev>\n    <hostdev mode{second}</hostdev>\n{after}")).unwrap();
    let (_, answer) = ask_of(&hooks, &[&domain]);
    assert_eq!(wrong(&answer), [""; 0], "{answer:#}");
}

#[test]
fn checks_a_hooks_vgpus_without_domains() {
    for (setup, wanted) in [
        (
            "setup_gpu win10 a7ac54ee-0f5b-5731-b099-091b0e8eaf75 i915-GVTg_V4_4",
            "vgpu-type-not-offered",
        ),
        (
            "setup_gpu win10 a7ac54ee-0f5b-5731-b099-091b0e8eaf75 i915-GVTg_V5_4 0000:03:00.0",
            "wrong-gpu-address",
        ),
    ] {
        let (_, answer) = ask_of(&format!("like kaby-lake\n{HOOK} (755) emitted {setup}\n"), &[]);
        assert_eq!(wrong(&answer), [wanted], "{setup}");
    }
}

#[test]
fn suggests_the_configuration_for_a_hook_on_nixos() {
    let folder = tempfile::tempdir().unwrap();
    let domain = domain(folder.path(), "--type i915-GVTg_V5_4");
    let (_, answer) = ask_of("like nixos\n", &[&domain]);
    assert_eq!(wrong(&answer), [""; 0], "{answer:#}");
    let hook = format!(
        "like nixos\n/var/lib/libvirt/hooks/qemu.d/gvtg (755) emitted setup_gpu win10 {OTHER} i915-GVTg_V5_4\n"
    );
    let (_, answer) = ask_of(&hook, &[&domain]);
    let help = check(&answer, "hook-differs")["help"].as_str().unwrap();
    assert!(
        help.contains(
            "`sudo install -m 755 hook /etc/nixos/gvtg`, `sudo nixos-rebuild switch`, then reboot"
        ),
        "{help}"
    );
}

#[test]
fn suggests_no_command_for_a_name_that_needs_quotes() {
    let folder = tempfile::tempdir().unwrap();
    let domain = domain(folder.path(), "--type i915-GVTg_V5_4");
    let text = fs::read_to_string(&domain).unwrap();
    fs::write(&domain, text.replace("<name>win10<", "<name>a b; $(touch x)<")).unwrap();
    let (_, answer) = ask_of("like kaby-lake\n", &[&domain]);
    let help = check(&answer, "hook-differs")["help"].as_str().unwrap();
    assert!(
        help.starts_with(
            "regenerate the hook from the current XML of 'a b; $(touch x)' and all other domains"
        ),
        "{help}"
    );
}

#[test]
fn names_the_address_of_the_gpu() {
    let folder = tempfile::tempdir().unwrap();
    let domain = domain(folder.path(), "--type i915-GVTg_V5_4 --pci 0000:03:00.0");
    let (code, answer) = ask_of("like kaby-lake\n", &[&domain]);
    assert_eq!((code, answer["first"].as_str()), (1, Some("wrong-gpu-address")));
    let message = check(&answer, "wrong-gpu-address")["message"].as_str().unwrap();
    assert_eq!(
        message,
        "win10 uses the GPU at 0000:03:00.0, but no GPU is there; the GPU with GVT-g is at 0000:00:02.0"
    );
}

#[test]
fn the_hooks_type_applies_if_a_domain_records_none() {
    let folder = tempfile::tempdir().unwrap();
    let domain = domain(folder.path(), "");
    let hook =
        format!("like kaby-lake\n{HOOK} (755) emitted setup_gpu win10 {UUID} i915-GVTg_V5_8\n");
    let (_, answer) = ask_of(&hook, &[&domain]);
    assert_eq!(wrong(&answer), Vec::<&str>::new(), "{answer:#}");
    // Even if the GPU does not have the usual type.
    let (_, answer) =
        ask_of(&format!("{hook}without {GPU}/mdev_supported_types/i915-GVTg_V5_4\n"), &[&domain]);
    assert_eq!(wrong(&answer), Vec::<&str>::new(), "{answer:#}");
    // Without a hook, the GPU's generation decides.
    let (_, answer) = ask_of("like broadwell\n", &[&domain]);
    assert_eq!(wrong(&answer), Vec::<&str>::new(), "{answer:#}");
}

#[test]
fn does_not_count_a_domains_own_vgpu_as_taken() {
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
    assert_eq!(
        said,
        format!("vGPUs in use: {UUID} (i915-GVTg_V5_4), used by the VM win10 (process 99)")
    );
}
