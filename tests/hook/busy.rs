//! A vGPU that a process has open is never removed: newer kernels would leave it half dead.

use crate::common::machine::Machine;
use crate::domains::{Host, domain, hook_for, on_each_shell};
use crate::{LARGE, ONE};

/// While `file` is open the vGPU stays, and is said; then it goes.
fn stays_while_open(host: &Host, file: &str, before: &str) {
    host.install(&hook_for(&[("win10", ONE, LARGE)]));
    host.quietly(host.prepare("win10"));
    let user = host.user_of(file, before);
    let (code, said) = host.release("win10");
    assert_eq!(
        (code, said.as_str()),
        (
            0,
            format!("gvtg: the vGPU {ONE} was not removed: a process still has it open\n").as_str()
        )
    );
    // Nor may the VM start anew on what another process has.
    let said = host.refused(host.prepare("win10"));
    assert!(said.contains(&format!("the vGPU {ONE} is in use")), "{said}");
    host.call(&["win10", "release", "end", "failed"]);
    assert_eq!(
        host.machine.log(),
        format!("create \"{ONE}\" {LARGE}: ok\n"),
        "nothing was removed"
    );
    drop(user);
    host.quietly(host.release("win10"));
    assert_eq!((host.machine.vgpus(), host.made()), (vec![], vec![]));
}

#[test]
fn a_vgpu_in_use_stays() {
    on_each_shell(|| Machine::start(&[]), |host| stays_while_open(host, "/dev/vfio/0", ""));
}

#[test]
fn a_vgpu_in_use_stays_on_an_old_kernel() {
    on_each_shell(
        || Machine::start(&["--old-kernel"]),
        |host| stays_while_open(host, "/dev/vfio/0", ""),
    );
}

/// Commands that give a process its own /dev, with this in place of the vGPU's node.
fn with_own_dev(node: &str) -> String {
    format!(
        "set -e
        mkdir -p /run/dev
        mount -t tmpfs dev /run/dev
        mkdir /run/dev/vfio
        {node}
        mount --move /run/dev /dev
        rmdir /run/dev"
    )
}

/// A node with the vGPU's device number.
const SAME_DEVICE: &str = "mknod /run/dev/vfio/0 c $(stat -c '0x%t 0x%T' /dev/vfio/0)";

#[test]
fn a_vgpu_in_use_by_a_qemu_with_a_dev_of_its_own_stays() {
    // libvirt makes one for QEMU, with nodes of its own.
    on_each_shell(
        || Machine::start(&[]),
        |host| stays_while_open(host, "/dev/vfio/0", &with_own_dev(SAME_DEVICE)),
    );
}

#[test]
fn a_vgpu_in_use_through_a_node_of_another_name_stays() {
    let node = "mknod /run/gpu c $(stat -c '0x%t 0x%T' /dev/vfio/0)";
    on_each_shell(|| Machine::start(&[]), |host| stays_while_open(host, "/run/gpu", node));
}

/// While `file` is open under that path the vGPU is removed and created as if it were not.
fn is_not_kept(host: &Host, file: &str, before: &str) {
    let user = host.user_of(file, before);
    host.quietly(host.prepare("win10"));
    host.quietly(host.prepare("win10"));
    host.quietly(host.release("win10"));
    assert_eq!(host.machine.vgpus(), [""; 0], "{before}");
    drop(user);
}

#[test]
fn a_file_whose_path_reads_like_a_vgpus_does_not_keep_it() {
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            for node in [
                ": >/run/dev/vfio/0",
                "mknod /run/dev/vfio/0 p",
                "mknod /run/dev/vfio/0 c 1 3",
                "mknod /run/dev/vfio/0 c 1 5",
            ] {
                is_not_kept(host, "/dev/vfio/0", &with_own_dev(node));
            }
        },
    );
}

#[test]
fn a_path_that_is_open_does_not_keep_a_vgpu() {
    const FOLDER: &str = "/run/dead";
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            let holders = || {
                [
                    host.holder_of_path("/dev/vfio/0", ""),
                    host.holder_of_path("/dev/vfio/0", &with_own_dev(SAME_DEVICE)),
                ]
            };
            host.quietly(host.prepare("win10"));
            let paths = holders();
            host.quietly(host.prepare("win10"));
            // The vGPU's real user is found among them.
            let qemu = host.user_of("/dev/vfio/0", "");
            assert!(host.release("win10").1.contains("a process still has it open"));
            drop(qemu);
            host.quietly(host.release("win10"));
            assert_eq!(host.machine.vgpus(), [""; 0]);
            drop(paths);
            // So they are where not all open files can be looked at.
            host.machine.with_file_system(FOLDER, || {
                let slow = host
                    .user_of(&format!("/dev/null 8<{FOLDER}/pci/devices/0000:00:02.0/vendor"), "");
                host.quietly(host.prepare("win10"));
                let paths = holders();
                host.machine.silence(FOLDER);
                let qemu = host.user_of("/dev/vfio/0", "");
                assert!(host.release("win10").1.contains("a process still has it open"));
                drop(qemu);
                host.quietly(host.release("win10"));
                assert_eq!(host.machine.vgpus(), [""; 0]);
                host.machine.wake(FOLDER);
                drop((paths, slow));
            });
        },
    );
}

#[test]
fn a_file_system_that_does_not_answer_neither_keeps_a_vgpu_nor_hides_its_user() {
    const FOLDER: &str = "/run/dead";
    let file = format!("{FOLDER}/pci/devices/0000:00:02.0/vendor");
    // Under its own path, and under that of the vGPU.
    let ways = [
        (file.clone(), String::new()),
        (
            "/dev/vfio/0".to_owned(),
            with_own_dev(&format!(": >/run/dev/vfio/0; mount --bind {file} /run/dev/vfio/0")),
        ),
    ];
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            host.machine.with_file_system(FOLDER, || {
                for (path, before) in &ways {
                    let users: Vec<_> = (0..3)
                        .map(|_| host.user_of(&format!("/dev/null 8<{path}"), before))
                        .collect();
                    host.quietly(host.prepare("win10"));
                    // Its disk may be on that file system.
                    let qemu = host.user_of(&format!("/dev/vfio/0 8<{file}"), "");
                    host.machine.silence(FOLDER);
                    let said = host.release("win10").1;
                    assert!(said.contains("a process still has it open"), "{path}: {said}");
                    host.machine.wake(FOLDER);
                    drop(qemu);
                    host.machine.silence(FOLDER);
                    host.quietly(host.prepare("win10"));
                    host.quietly(host.release("win10"));
                    assert_eq!(host.machine.vgpus(), [""; 0], "{path}");
                    host.machine.wake(FOLDER);
                    drop(users);
                }
            });
        },
    );
}

#[test]
fn a_vgpu_in_use_through_iommufd_stays() {
    on_each_shell(
        || Machine::start(&["--iommufd"]),
        |host| stays_while_open(host, "/dev/vfio/devices/vfio0", ""),
    );
}

#[test]
fn a_vgpu_that_the_kernel_keeps_is_said_and_used_again() {
    on_each_shell(
        || Machine::start(&["--keep"]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            host.quietly(host.prepare("win10"));
            assert_eq!(
                host.release("win10"),
                (0, format!("gvtg: the kernel did not remove the vGPU {ONE}\n"))
            );
            assert_eq!(
                (host.machine.vgpus(), host.made()),
                (vec![ONE.to_owned()], vec![format!("{ONE} win10")])
            );
            host.quietly(host.prepare("win10"));
            assert_eq!(
                host.machine.log(),
                format!("create \"{ONE}\" {LARGE}: ok\nremove {ONE}: Busy\n")
            );
        },
    );
}

#[test]
fn what_only_looks_like_the_vgpus_file_does_not_keep_it() {
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            // The last one anybody can make.
            for file in [
                "/dev/vfio/vfio",
                "/dev/vfio/00",
                "/dev/vfio/10",
                "/run/0",
                "/run/root/dev/vfio/0",
                "/run/1 -> /dev/vfio/0",
            ] {
                host.quietly(host.prepare("win10"));
                let folder = file.rsplit_once('/').unwrap().0;
                let user = host.user_of(&format!("'{file}'"), &format!("mkdir -p '{folder}'"));
                host.quietly(host.release("win10"));
                assert_eq!(host.machine.vgpus(), [""; 0], "{file}");
                drop(user);
            }
        },
    );
}

/// The status of `host`'s check that no other process has the vGPU of win10 open.
fn host_says(host: &Host) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), domain("win10", &[(ONE, LARGE)])).unwrap();
    let words =
        [env!("CARGO_BIN_EXE_gvtg-xml"), "host", "--format", "json", file.path().to_str().unwrap()];
    let output = host.machine.command(std::path::Path::new("/"), words).output().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = answer["checks"].as_array().unwrap();
    checks.iter().find(|check| check["rule"] == "vgpu-of-other-domain").unwrap()["status"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn host_tells_a_vgpus_user_by_the_device_too() {
    const FOLDER: &str = "/run/dead";
    let Some(machine) = Machine::start(&[]) else { return };
    let host = Host::new(machine);
    host.install(&hook_for(&[("win10", ONE, LARGE)]));
    host.quietly(host.prepare("win10"));
    let unused = "ok";
    assert_eq!(host_says(&host), unused);
    for (file, node, expected) in [
        ("/dev/vfio/0", SAME_DEVICE, "error"),
        ("/dev/vfio/gpu", "mknod /run/dev/vfio/gpu c $(stat -c '0x%t 0x%T' /dev/vfio/0)", "error"),
        ("/dev/vfio/0", ": >/run/dev/vfio/0", unused),
        ("/dev/vfio/0", "mknod /run/dev/vfio/0 c 1 3", unused),
    ] {
        let user = host.user_of(file, &with_own_dev(node));
        assert_eq!(host_says(&host), expected, "{node}");
        drop(user);
    }
    for before in [String::new(), with_own_dev(SAME_DEVICE)] {
        let user = host.holder_of_path("/dev/vfio/0", &before);
        assert_eq!(host_says(&host), unused, "{before}");
        drop(user);
    }
    host.machine.with_file_system(FOLDER, || {
        let user =
            host.user_of(&format!("/dev/null 8<{FOLDER}/pci/devices/0000:00:02.0/vendor"), "");
        host.machine.silence(FOLDER);
        let qemu = host.user_of("/dev/vfio/0", "");
        assert_eq!(host_says(&host), "error");
        drop(qemu);
        assert_eq!(host_says(&host), unused);
        host.machine.wake(FOLDER);
        drop(user);
    });
}
