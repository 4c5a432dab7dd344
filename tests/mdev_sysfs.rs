//! The emulated GPU, which tests of the hook use: it answers like the kernel, and leaves nothing
//! behind.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};

use common::machine::{GPU, Machine};

const ONE: &str = "ab54baba-ea9a-4ce5-b7b4-51b376b65849";
const TWO: &str = "11111111-2222-4333-8444-555555555555";

/// Writes a line to a type's `create`.
fn create(machine: &Machine, name: &str, text: &str) -> Output {
    machine.shell(&format!(
        "LC_ALL=C bash -c \"echo '{text}' > {GPU}/mdev_supported_types/{name}/create\""
    ))
}

fn remove(machine: &Machine, uuid: &str) -> Output {
    machine.shell(&format!("LC_ALL=C bash -c 'echo 1 > /sys/bus/mdev/devices/{uuid}/remove'"))
}

fn stdout(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The error that bash prints if the kernel refuses a write.
fn refusal(output: Output) -> String {
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap().trim().rsplit(": ").next().unwrap().to_owned()
}

/// The available instances of the listed types, by their sizes: 1, 2, 4 and 8.
fn available(machine: &Machine) -> String {
    stdout(machine.shell(&format!("cat {GPU}/mdev_supported_types/*/available_instances")))
        .replace('\n', " ")
}

#[test]
fn a_vgpu_can_be_created_and_removed() {
    let Some(machine) = Machine::start(&[]) else { return };
    assert_eq!(machine.vgpus(), [""; 0]);
    stdout(create(&machine, "i915-GVTg_V5_4", ONE));
    assert_eq!(machine.vgpus(), [ONE]);
    let expected = [
        ("readlink -f /sys/bus/mdev/devices/*", format!("{GPU}/{ONE}\n")),
        (
            "ls -d /sys/bus/pci/drivers/i915/0000:00:02.0/*-*-*",
            format!("/sys/bus/pci/drivers/i915/0000:00:02.0/{ONE}\n"),
        ),
        ("basename $(readlink /sys/bus/mdev/devices/*/mdev_type)", "i915-GVTg_V5_4\n".to_owned()),
        ("cat /sys/bus/mdev/devices/*/mdev_type/device_api", "vfio-pci\n".to_owned()),
        ("ls /sys/bus/mdev/devices/*/mdev_type/devices", format!("{ONE}\n")),
        ("ls /dev/vfio", "0\nvfio\n".to_owned()),
        ("basename $(readlink -f /sys/bus/mdev/devices/*/iommu_group)", "0\n".to_owned()),
    ];
    for (line, expected) in expected {
        assert_eq!(stdout(machine.shell(line)), expected, "{line}");
    }
    stdout(remove(&machine, ONE));
    assert_eq!(machine.vgpus(), [""; 0]);
    assert_eq!(stdout(machine.shell("ls /dev/vfio")), "vfio\n");
    assert_eq!(machine.log(), format!("create \"{ONE}\" i915-GVTg_V5_4: ok\nremove {ONE}: ok\n"));
}

#[test]
fn create_refuses_everything_but_a_uuid() {
    let Some(machine) = Machine::start(&[]) else { return };
    let undashed = ONE.replace('-', "");
    for text in [
        "",
        "x",
        &undashed,
        &ONE[1..],
        &format!("{ONE}0"),
        &format!(" {ONE}"),
        &ONE.replace('a', "g"),
        &format!("{{{ONE}}}"),
    ] {
        assert_eq!(
            refusal(create(&machine, "i915-GVTg_V5_4", text)),
            "Invalid argument",
            "{text:?}"
        );
    }
}

#[test]
fn create_turns_a_uuid_into_lower_case() {
    let Some(machine) = Machine::start(&[]) else { return };
    stdout(create(&machine, "i915-GVTg_V5_4", &ONE.to_uppercase()));
    assert_eq!(machine.vgpus(), [ONE]);
}

#[test]
fn create_refuses_a_uuid_that_exists() {
    let Some(machine) = Machine::start(&[]) else { return };
    stdout(create(&machine, "i915-GVTg_V5_4", ONE));
    assert_eq!(refusal(create(&machine, "i915-GVTg_V5_8", ONE)), "File exists");
}

#[test]
fn a_vgpu_reduces_the_available_instances_of_all_types() {
    // Types 4 and 8 fit into an aperture of 256 MiB.
    let Some(machine) = Machine::start(&[]) else { return };
    assert_eq!(available(&machine), "1 2 ");
    stdout(create(&machine, "i915-GVTg_V5_8", ONE));
    assert_eq!(available(&machine), "0 1 ");
    assert_eq!(refusal(create(&machine, "i915-GVTg_V5_4", TWO)), "No space left on device");
    stdout(create(&machine, "i915-GVTg_V5_8", TWO));
    assert_eq!(available(&machine), "0 0 ");
}

#[test]
fn the_aperture_decides_which_types_are_listed() {
    let apertures = [("128", ""), ("512", "1 3 6 "), ("1024", "1 2 5 7 ")];
    for (aperture, expected) in apertures {
        let Some(machine) = Machine::start(&["--aperture", aperture, "--generation", "V4"]) else {
            return;
        };
        let listed = stdout(machine.shell(&format!("ls {GPU}/mdev_supported_types | wc -l")));
        assert_eq!(listed.trim(), expected.split_whitespace().count().to_string(), "{aperture}");
        if !expected.is_empty() {
            assert_eq!(available(&machine), expected, "{aperture}");
        }
    }
}

#[test]
fn removing_a_vgpu_in_use_leaves_it_half_dead_or_fails() {
    for old in [false, true] {
        let Some(machine) = Machine::start(if old { &["--old-kernel"] } else { &[] }) else {
            return;
        };
        stdout(create(&machine, "i915-GVTg_V5_4", ONE));
        let mut user =
            machine.command(Path::new("/"), ["sh", "-c", "exec 9<>/dev/vfio/0; echo open; cat"]);
        let mut user = user.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut word = [0; 5];
        std::io::Read::read_exact(user.stdout.as_mut().unwrap(), &mut word).unwrap();
        if old {
            assert_eq!(refusal(remove(&machine, ONE)), "Device or resource busy");
            assert_eq!(machine.vgpus(), [ONE]);
        } else {
            stdout(remove(&machine, ONE));
            assert_eq!(machine.vgpus(), [""; 0]);
            assert!(machine.log().ends_with(&format!("remove {ONE}: half dead\n")));
        }
        assert_eq!(available(&machine), "0 0 ", "its resources stay taken");
        drop(machine);
        assert!(!user.wait().unwrap().success(), "it is killed with its machine");
    }
}

#[test]
fn types_appear_when_modprobe_loads_kvmgt() {
    let Some(machine) = Machine::without_kvmgt() else { return };
    let types = format!("ls {GPU} | grep -c mdev_supported_types");
    assert_eq!(machine.shell(&types).stdout, b"0\n");
    assert!(!machine.shell("modprobe kvmgt").status.success());
    assert!(!machine.shell("test -e /sys/bus/mdev").status.success());
    machine.modprobe_works();
    stdout(machine.shell("modprobe kvmgt"));
    assert_eq!(machine.shell(&types).stdout, b"1\n");
    assert_eq!(machine.modprobes(), "kvmgt\nkvmgt\n");
}

#[test]
fn a_vgpu_can_appear_late() {
    let Some(machine) = Machine::start(&["--late", "300"]) else { return };
    stdout(create(&machine, "i915-GVTg_V5_4", ONE));
    assert_eq!(machine.vgpus(), [""; 0]);
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(machine.vgpus(), [ONE]);
}

#[test]
fn a_gpu_can_refuse_to_create() {
    let Some(machine) = Machine::start(&["--refuse", "--sizes", "8"]) else { return };
    assert_eq!(refusal(create(&machine, "i915-GVTg_V5_8", ONE)), "Input/output error");
    assert_eq!((machine.vgpus(), available(&machine).as_str()), (vec![], "2 "));
}

#[test]
fn a_gpu_can_refuse_to_remove() {
    let Some(machine) = Machine::start(&["--keep"]) else { return };
    stdout(create(&machine, "i915-GVTg_V5_4", ONE));
    assert_eq!(refusal(remove(&machine, ONE)), "Device or resource busy");
    assert_eq!(machine.vgpus(), [ONE]);
}

#[test]
fn sysfs_refuses_new_files_and_wrong_accesses() {
    let Some(machine) = Machine::start(&[]) else { return };
    for line in [
        format!("echo x > {GPU}/file"),
        format!("mkdir {GPU}/folder"),
        format!("echo x > {GPU}/vendor"),
        format!("cat {GPU}/mdev_supported_types/i915-GVTg_V5_4/create"),
        "echo x > /sys/bus/mdev/devices/file".to_owned(),
    ] {
        assert!(!machine.shell(&line).status.success(), "{line}");
    }
    assert_eq!(machine.log(), "");
}

#[test]
fn an_emulated_machine_does_not_change_the_real_one() {
    let real_machine = || {
        let list = |folder: &str| {
            let mut names: Vec<_> = fs::read_dir(folder)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.file_name())
                .collect();
            names.sort();
            names
        };
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        (["/dev", "/dev/vfio", "/run", "/sys/bus", "/sys/bus/mdev/devices"].map(list), mounts)
    };
    let before = real_machine();
    let Some(machine) = Machine::start(&[]) else { return };
    let output = machine
        .shell("touch /dev/file /run/file /dev/vfio/file; sleep 1000 <&- >&- 2>&- & echo $$");
    stdout(output);
    assert_eq!(real_machine(), before);
    drop(machine);
    assert_eq!(real_machine(), before);
}
