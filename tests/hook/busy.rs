//! The hook never removes a vGPU that a process has open: newer kernels would leave it half
//! removed.

use crate::common::machine::Machine;
use crate::domains::{Host, domain, hook_for, on_each_shell};
use crate::{LARGE, ONE};

/// Checks that the hook keeps the vGPU and reports it while `file` is open, and removes it
/// afterwards.
fn assert_kept_while_open(host: &Host, file: &str, before: &str) {
    host.install(&hook_for(&[("win10", ONE, LARGE)]));
    host.assert_silent(host.prepare("win10"));
    let user = host.open_file(file, before);
    let (code, message) = host.release("win10");
    assert_eq!(
        (code, message.as_str()),
        (
            0,
            format!("gvtg: the vGPU {ONE} was not removed: a process still has it open\n").as_str()
        )
    );
    // The VM must not start again with a vGPU that another process has open.
    let message = host.refusal(host.prepare("win10"));
    assert!(message.contains(&format!("the vGPU {ONE} is in use")), "{message}");
    host.call(&["win10", "release", "end", "failed"]);
    assert_eq!(
        host.machine.log(),
        format!("create \"{ONE}\" {LARGE}: ok\n"),
        "nothing was removed"
    );
    drop(user);
    host.assert_silent(host.release("win10"));
    assert_eq!((host.machine.vgpus(), host.created()), (vec![], vec![]));
}

#[test]
fn keeps_a_vgpu_in_use() {
    on_each_shell(|| Machine::start(&[]), |host| assert_kept_while_open(host, "/dev/vfio/0", ""));
}

#[test]
fn keeps_a_vgpu_in_use_on_an_old_kernel() {
    on_each_shell(
        || Machine::start(&["--old-kernel"]),
        |host| assert_kept_while_open(host, "/dev/vfio/0", ""),
    );
}

/// Returns commands that give a process its own /dev, in which `node` replaces the vGPU's node.
fn private_dev_with_node(node: &str) -> String {
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
fn keeps_a_vgpu_in_use_by_a_qemu_with_its_own_dev() {
    // libvirt creates one for QEMU, with separate nodes.
    on_each_shell(
        || Machine::start(&[]),
        |host| assert_kept_while_open(host, "/dev/vfio/0", &private_dev_with_node(SAME_DEVICE)),
    );
}

#[test]
fn keeps_a_vgpu_in_use_through_a_node_with_another_name() {
    let node = "mknod /run/gpu c $(stat -c '0x%t 0x%T' /dev/vfio/0)";
    on_each_shell(|| Machine::start(&[]), |host| assert_kept_while_open(host, "/run/gpu", node));
}

/// Checks that the hook removes and creates the vGPU although `file` is open.
fn assert_removed_while_open(host: &Host, file: &str, before: &str) {
    let user = host.open_file(file, before);
    host.assert_silent(host.prepare("win10"));
    host.assert_silent(host.prepare("win10"));
    host.assert_silent(host.release("win10"));
    assert_eq!(host.machine.vgpus(), [""; 0], "{before}");
    drop(user);
}

#[test]
fn ignores_open_files_whose_path_looks_like_the_vgpus() {
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
                assert_removed_while_open(host, "/dev/vfio/0", &private_dev_with_node(node));
            }
        },
    );
}

#[test]
fn ignores_files_that_are_open_only_as_a_path() {
    const FOLDER: &str = "/run/dead";
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            let holders = || {
                [
                    host.open_path("/dev/vfio/0", ""),
                    host.open_path("/dev/vfio/0", &private_dev_with_node(SAME_DEVICE)),
                ]
            };
            host.assert_silent(host.prepare("win10"));
            let paths = holders();
            host.assert_silent(host.prepare("win10"));
            // The real user of the vGPU is found among them.
            let qemu = host.open_file("/dev/vfio/0", "");
            assert!(host.release("win10").1.contains("a process still has it open"));
            drop(qemu);
            host.assert_silent(host.release("win10"));
            assert_eq!(host.machine.vgpus(), [""; 0]);
            drop(paths);
            // The same holds if some open files cannot be examined.
            host.machine.with_file_system(FOLDER, || {
                let slow = host.open_file(
                    &format!("/dev/null 8<{FOLDER}/pci/devices/0000:00:02.0/vendor"),
                    "",
                );
                host.assert_silent(host.prepare("win10"));
                let paths = holders();
                host.machine.silence(FOLDER);
                let qemu = host.open_file("/dev/vfio/0", "");
                assert!(host.release("win10").1.contains("a process still has it open"));
                drop(qemu);
                host.assert_silent(host.release("win10"));
                assert_eq!(host.machine.vgpus(), [""; 0]);
                host.machine.wake(FOLDER);
                drop((paths, slow));
            });
        },
    );
}

#[test]
fn finds_the_user_despite_a_file_system_that_does_not_answer() {
    const FOLDER: &str = "/run/dead";
    let file = format!("{FOLDER}/pci/devices/0000:00:02.0/vendor");
    // Under its own path, and under the vGPU's.
    let ways = [
        (file.clone(), String::new()),
        (
            "/dev/vfio/0".to_owned(),
            private_dev_with_node(&format!(
                ": >/run/dev/vfio/0; mount --bind {file} /run/dev/vfio/0"
            )),
        ),
    ];
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            host.machine.with_file_system(FOLDER, || {
                for (path, before) in &ways {
                    let users: Vec<_> = (0..3)
                        .map(|_| host.open_file(&format!("/dev/null 8<{path}"), before))
                        .collect();
                    host.assert_silent(host.prepare("win10"));
                    // The VM's disk may be on that file system.
                    let qemu = host.open_file(&format!("/dev/vfio/0 8<{file}"), "");
                    host.machine.silence(FOLDER);
                    let message = host.release("win10").1;
                    assert!(message.contains("a process still has it open"), "{path}: {message}");
                    host.machine.wake(FOLDER);
                    drop(qemu);
                    host.machine.silence(FOLDER);
                    host.assert_silent(host.prepare("win10"));
                    host.assert_silent(host.release("win10"));
                    assert_eq!(host.machine.vgpus(), [""; 0], "{path}");
                    host.machine.wake(FOLDER);
                    drop(users);
                }
            });
        },
    );
}

#[test]
fn keeps_a_vgpu_in_use_through_iommufd() {
    on_each_shell(
        || Machine::start(&["--iommufd"]),
        |host| assert_kept_while_open(host, "/dev/vfio/devices/vfio0", ""),
    );
}

#[test]
fn reports_and_reuses_a_vgpu_that_the_kernel_does_not_remove() {
    on_each_shell(
        || Machine::start(&["--keep"]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            host.assert_silent(host.prepare("win10"));
            assert_eq!(
                host.release("win10"),
                (0, format!("gvtg: the kernel did not remove the vGPU {ONE}\n"))
            );
            assert_eq!(
                (host.machine.vgpus(), host.created()),
                (vec![ONE.to_owned()], vec![format!("{ONE} win10")])
            );
            host.assert_silent(host.prepare("win10"));
            assert_eq!(
                host.machine.log(),
                format!("create \"{ONE}\" {LARGE}: ok\nremove {ONE}: Busy\n")
            );
        },
    );
}

#[test]
fn ignores_files_that_only_look_like_the_vgpus() {
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            // Any user can create the last one.
            for file in [
                "/dev/vfio/vfio",
                "/dev/vfio/00",
                "/dev/vfio/10",
                "/run/0",
                "/run/root/dev/vfio/0",
                "/run/1 -> /dev/vfio/0",
            ] {
                host.assert_silent(host.prepare("win10"));
                let folder = file.rsplit_once('/').unwrap().0;
                let user = host.open_file(&format!("'{file}'"), &format!("mkdir -p '{folder}'"));
                host.assert_silent(host.release("win10"));
                assert_eq!(host.machine.vgpus(), [""; 0], "{file}");
                drop(user);
            }
        },
    );
}

/// Returns the status of the check by `host` that no other process has the vGPU of win10 open.
fn host_status(host: &Host) -> String {
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
fn host_recognizes_the_user_of_a_vgpu_by_the_device() {
    const FOLDER: &str = "/run/dead";
    let Some(machine) = Machine::start(&[]) else { return };
    let host = Host::new(machine);
    host.install(&hook_for(&[("win10", ONE, LARGE)]));
    host.assert_silent(host.prepare("win10"));
    let unused = "ok";
    assert_eq!(host_status(&host), unused);
    for (file, node, expected) in [
        ("/dev/vfio/0", SAME_DEVICE, "error"),
        ("/dev/vfio/gpu", "mknod /run/dev/vfio/gpu c $(stat -c '0x%t 0x%T' /dev/vfio/0)", "error"),
        ("/dev/vfio/0", ": >/run/dev/vfio/0", unused),
        ("/dev/vfio/0", "mknod /run/dev/vfio/0 c 1 3", unused),
    ] {
        let user = host.open_file(file, &private_dev_with_node(node));
        assert_eq!(host_status(&host), expected, "{node}");
        drop(user);
    }
    for before in [String::new(), private_dev_with_node(SAME_DEVICE)] {
        let user = host.open_path("/dev/vfio/0", &before);
        assert_eq!(host_status(&host), unused, "{before}");
        drop(user);
    }
    host.machine.with_file_system(FOLDER, || {
        let user =
            host.open_file(&format!("/dev/null 8<{FOLDER}/pci/devices/0000:00:02.0/vendor"), "");
        host.machine.silence(FOLDER);
        let qemu = host.open_file("/dev/vfio/0", "");
        assert_eq!(host_status(&host), "error");
        drop(qemu);
        assert_eq!(host_status(&host), unused);
        host.machine.wake(FOLDER);
        drop(user);
    });
}
