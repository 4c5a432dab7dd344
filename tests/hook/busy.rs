//! A vGPU that a process has open is never removed: newer kernels would leave it half dead.

use crate::common::machine::Machine;
use crate::domains::{Host, hook_for, on_each_shell};
use crate::{LARGE, ONE};

/// While `file` is open the vGPU stays, and is said; then it goes.
fn stays_while_open(host: &Host, file: &str, before: &str) {
    host.install(&hook_for(&[("win10", ONE, LARGE)]));
    host.quietly(host.prepare("win10"));
    let user = host.user_of(file, before);
    let (code, said) = host.release("win10");
    assert_eq!((code, said.as_str()), (0, format!("gvtg: the vGPU {ONE} is not removed: a process still has it open\n").as_str()));
    // Nor may the VM start anew on what another process has.
    let said = host.refused(host.prepare("win10"));
    assert!(said.contains(&format!("the vGPU {ONE} is in use")), "{said}");
    host.call(&["win10", "release", "end", "failed"]);
    assert_eq!(host.machine.log(), format!("create \"{ONE}\" {LARGE}: ok\n"), "nothing was removed");
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
    on_each_shell(|| Machine::start(&["--old-kernel"]), |host| stays_while_open(host, "/dev/vfio/0", ""));
}

#[test]
fn a_vgpu_in_use_by_a_qemu_with_a_dev_of_its_own_stays() {
    // libvirt gives QEMU one, which no path of the host's leads to.
    let before = "set -e
        mkdir /run/dev
        mount -t tmpfs dev /run/dev
        mkdir /run/dev/vfio
        : > /run/dev/vfio/0
        mount --move /run/dev /dev
        rmdir /run/dev";
    on_each_shell(|| Machine::start(&[]), |host| stays_while_open(host, "/dev/vfio/0", before));
}

#[test]
fn a_vgpu_in_use_through_iommufd_stays() {
    on_each_shell(|| Machine::start(&["--iommufd"]), |host| stays_while_open(host, "/dev/vfio/devices/vfio0", ""));
}

#[test]
fn a_vgpu_that_the_kernel_keeps_is_said_and_used_again() {
    on_each_shell(
        || Machine::start(&["--keep"]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            host.quietly(host.prepare("win10"));
            assert_eq!(host.release("win10"), (0, format!("gvtg: the kernel did not remove the vGPU {ONE}\n")));
            assert_eq!((host.machine.vgpus(), host.made()), (vec![ONE.to_owned()], vec![format!("{ONE} win10")]));
            host.quietly(host.prepare("win10"));
            assert_eq!(host.machine.log(), format!("create \"{ONE}\" {LARGE}: ok\nremove {ONE}: Busy\n"));
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
            for file in ["/dev/vfio/vfio", "/dev/vfio/00", "/dev/vfio/10", "/run/0", "/run/root/dev/vfio/0", "/run/1 -> /dev/vfio/0"] {
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
