//! The owner of a vGPU: the hook never affects other VMs or vGPUs that it did not create.

use crate::common::machine::{GPU, Machine};
use crate::domains::{Host, domain, hook, hook_for, on_each_shell};
use crate::{LARGE, ONE, SMALL, TWO};

fn machine() -> Option<Machine> {
    Machine::start(&[])
}

fn create_by_hand(host: &Host, uuid: &str, name: &str) {
    let made =
        host.machine.shell(&format!("echo {uuid} > {GPU}/mdev_supported_types/{name}/create"));
    assert!(made.status.success());
}

/// Returns a hook with one vGPU for two VMs, as a user may write it.
fn shared() -> String {
    hook_for(&[("win10", ONE, LARGE), ("linux", TWO, LARGE)]).replace(TWO, ONE)
}

#[test]
fn starts_a_vm_although_the_line_of_another_fails() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("broken", TWO, "i915-GVTg_V5_1"), ("win10", ONE, LARGE)]));
        host.refusal(host.prepare("broken"));
        host.assert_silent(host.release("broken"));
        host.assert_silent(host.prepare("win10"));
        assert_eq!(host.machine.vgpus(), [ONE]);
        host.refusal(host.prepare("broken"));
        host.assert_silent(host.release("broken"));
        assert_eq!(host.machine.vgpus(), [ONE]);
    });
}

#[test]
fn a_failed_start_of_a_second_vm_leaves_the_shared_vgpu_to_the_first() {
    on_each_shell(machine, |host| {
        host.install(&shared());
        host.assert_silent(host.prepare("win10"));
        for in_use in [false, true] {
            let user = in_use.then(|| host.open_file("/dev/vfio/0", ""));
            let message = host.refusal(host.prepare("linux"));
            assert!(
                message.contains(&format!("the vGPU {ONE} belongs to the VM 'win10'")),
                "{message}"
            );
            host.assert_silent(host.call(&["linux", "release", "end", "failed"]));
            assert_eq!(
                (host.machine.vgpus(), host.created()),
                (vec![ONE.to_owned()], vec![format!("{ONE} win10")])
            );
            drop(user);
        }
        host.assert_silent(host.release("win10"));
        assert_eq!(host.machine.vgpus(), [""; 0]);
        // They can run one after the other.
        host.assert_silent(host.prepare("linux"));
        assert_eq!(host.created(), [format!("{ONE} linux")]);
        host.assert_silent(host.release("win10"));
        assert_eq!(host.machine.vgpus(), [ONE]);
    });
}

#[test]
fn uses_and_keeps_a_vgpu_created_by_hand() {
    on_each_shell(machine, |host| {
        create_by_hand(host, ONE, LARGE);
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        host.assert_silent(host.prepare("win10"));
        assert_eq!(host.created(), [""; 0]);
        host.assert_silent(host.release("win10"));
        assert_eq!(
            (host.machine.vgpus(), host.machine.log().lines().count()),
            (vec![ONE.to_owned()], 1)
        );
    });
}

#[test]
fn keeps_only_the_vgpu_created_by_hand() {
    on_each_shell(machine, |host| {
        for (own, other) in [(ONE, TWO), (TWO, ONE)] {
            create_by_hand(host, other, SMALL);
            host.install(&hook(&[domain("win10", &[(ONE, SMALL), (TWO, SMALL)])], "qemu.d"));
            host.assert_silent(host.prepare("win10"));
            assert_eq!(host.created(), [format!("{own} win10")]);
            host.assert_silent(host.release("win10"));
            assert_eq!(host.machine.vgpus(), [other]);
            host.machine.shell(&format!("echo 1 > /sys/bus/mdev/devices/{other}/remove"));
        }
    });
}

#[test]
fn refuses_and_keeps_a_vgpu_of_another_type() {
    on_each_shell(machine, |host| {
        create_by_hand(host, ONE, SMALL);
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        let message = host.refusal(host.prepare("win10"));
        assert!(
            message.contains(&format!(
                "the vGPU {ONE} already exists, but its type is {SMALL}, not {LARGE}"
            )),
            "{message}"
        );
        host.assert_silent(host.release("win10"));
        assert_eq!(host.machine.vgpus(), [ONE]);
    });
}

#[test]
fn keeps_the_vgpu_of_another_vm() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("a", ONE, SMALL), ("b", TWO, SMALL)]));
        host.assert_silent(host.prepare("a"));
        host.assert_silent(host.prepare("b"));
        host.assert_silent(host.release("a"));
        assert_eq!(
            (host.machine.vgpus(), host.created()),
            (vec![TWO.to_owned()], vec![format!("{TWO} b")])
        );
    });
}

#[test]
fn ignores_the_record_of_a_vgpu_that_is_gone() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        for name in ["linux", "win10", "", "a\\nb"] {
            // The vGPU was removed without the hook: by its user, or because libvirt was killed.
            host.machine
                .shell(&format!("mkdir -p /run/gvtg; printf '{name}\\n' > /run/gvtg/{ONE}"));
            host.assert_silent(host.prepare("win10"));
            assert_eq!(host.created(), [format!("{ONE} win10")], "{name:?}");
            host.assert_silent(host.release("win10"));
            assert_eq!((host.machine.vgpus(), host.created()), (vec![], vec![]));
        }
    });
}

#[test]
fn removes_the_vgpu_after_a_missed_release_and_a_new_start() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        host.assert_silent(host.prepare("win10"));
        // libvirt was down when the VM stopped.
        host.assert_silent(host.prepare("win10"));
        assert_eq!(host.machine.log().lines().count(), 1);
        host.assert_silent(host.release("win10"));
        assert_eq!((host.machine.vgpus(), host.created()), (vec![], vec![]));
    });
}

#[test]
fn removes_a_vgpu_of_the_former_type_when_the_start_fails() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        host.assert_silent(host.prepare("win10"));
        // The VM stopped while libvirt was down, and its domain was changed.
        host.install(&hook_for(&[("win10", ONE, SMALL)]));
        host.refusal(host.prepare("win10"));
        host.assert_silent(host.call(&["win10", "release", "end", "failed"]));
        host.assert_silent(host.prepare("win10"));
        assert_eq!(
            (host.machine.vgpus(), host.created()),
            (vec![ONE.to_owned()], vec![format!("{ONE} win10")])
        );
    });
}

#[test]
fn vms_can_start_and_stop_at_the_same_time() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("a", ONE, SMALL), ("b", TWO, SMALL)]));
        for _ in 0..5 {
            let both = |call: fn(&Host, &str) -> (i32, String)| {
                std::thread::scope(|scope| {
                    for name in ["a", "b"] {
                        scope.spawn(move || host.assert_silent(call(host, name)));
                    }
                });
            };
            both(Host::prepare);
            assert_eq!(host.created(), [format!("{TWO} b"), format!("{ONE} a")]);
            both(Host::release);
            assert_eq!((host.machine.vgpus(), host.created()), (vec![], vec![]));
        }
    });
}

#[test]
fn accepts_that_the_vgpu_was_already_removed() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        host.assert_silent(host.prepare("win10"));
        host.machine.shell(&format!("echo 1 > /sys/bus/mdev/devices/{ONE}/remove"));
        host.assert_silent(host.release("win10"));
        assert_eq!(host.created(), [""; 0]);
        host.assert_silent(host.release("win10"));
    });
}

#[test]
fn only_root_can_read_the_records() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        host.assert_silent(host.prepare("win10"));
        let listed =
            host.machine.shell(&format!("stat -c '%a %U %G %F' /run/gvtg /run/gvtg/{ONE}"));
        assert_eq!(
            String::from_utf8(listed.stdout).unwrap(),
            "700 root root directory\n600 root root regular file\n"
        );
    });
}
