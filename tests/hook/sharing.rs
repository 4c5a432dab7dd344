//! Whose a vGPU is: other VMs, and vGPUs that somebody else made, are never disturbed.

use crate::common::machine::{GPU, Machine};
use crate::domains::{Host, domain, hook, hook_for, on_each_shell};
use crate::{LARGE, ONE, SMALL, TWO};

fn machine() -> Option<Machine> {
    Machine::start(&[])
}

fn by_hand(host: &Host, uuid: &str, name: &str) {
    let made =
        host.machine.shell(&format!("echo {uuid} > {GPU}/mdev_supported_types/{name}/create"));
    assert!(made.status.success());
}

/// A hook with one vGPU for two VMs, as a user may write it.
fn shared() -> String {
    hook_for(&[("win10", ONE, LARGE), ("linux", TWO, LARGE)]).replace(TWO, ONE)
}

#[test]
fn a_vm_starts_although_another_ones_line_fails() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("broken", TWO, "i915-GVTg_V5_1"), ("win10", ONE, LARGE)]));
        host.refused(host.prepare("broken"));
        host.quietly(host.release("broken"));
        host.quietly(host.prepare("win10"));
        assert_eq!(host.machine.vgpus(), [ONE]);
        host.refused(host.prepare("broken"));
        host.quietly(host.release("broken"));
        assert_eq!(host.machine.vgpus(), [ONE]);
    });
}

#[test]
fn a_failed_start_of_a_second_vm_with_the_same_vgpu_does_not_take_it_from_the_first() {
    on_each_shell(machine, |host| {
        host.install(&shared());
        host.quietly(host.prepare("win10"));
        for in_use in [false, true] {
            let user = in_use.then(|| host.user_of("/dev/vfio/0", ""));
            let said = host.refused(host.prepare("linux"));
            assert!(said.contains(&format!("the vGPU {ONE} belongs to the VM 'win10'")), "{said}");
            host.quietly(host.call(&["linux", "release", "end", "failed"]));
            assert_eq!(
                (host.machine.vgpus(), host.made()),
                (vec![ONE.to_owned()], vec![format!("{ONE} win10")])
            );
            drop(user);
        }
        host.quietly(host.release("win10"));
        assert_eq!(host.machine.vgpus(), [""; 0]);
        // One after the other is fine.
        host.quietly(host.prepare("linux"));
        assert_eq!(host.made(), [format!("{ONE} linux")]);
        host.quietly(host.release("win10"));
        assert_eq!(host.machine.vgpus(), [ONE]);
    });
}

#[test]
fn a_vgpu_that_was_made_by_hand_is_used_and_stays() {
    on_each_shell(machine, |host| {
        by_hand(host, ONE, LARGE);
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        host.quietly(host.prepare("win10"));
        assert_eq!(host.made(), [""; 0]);
        host.quietly(host.release("win10"));
        assert_eq!(
            (host.machine.vgpus(), host.machine.log().lines().count()),
            (vec![ONE.to_owned()], 1)
        );
    });
}

#[test]
fn of_a_vms_two_vgpus_the_one_that_was_made_by_hand_stays() {
    on_each_shell(machine, |host| {
        for (own, other) in [(ONE, TWO), (TWO, ONE)] {
            by_hand(host, other, SMALL);
            host.install(&hook(&[domain("win10", &[(ONE, SMALL), (TWO, SMALL)])], "qemu.d"));
            host.quietly(host.prepare("win10"));
            assert_eq!(host.made(), [format!("{own} win10")]);
            host.quietly(host.release("win10"));
            assert_eq!(host.machine.vgpus(), [other]);
            host.machine.shell(&format!("echo 1 > /sys/bus/mdev/devices/{other}/remove"));
        }
    });
}

#[test]
fn a_vgpu_of_another_type_is_refused_and_stays() {
    on_each_shell(machine, |host| {
        by_hand(host, ONE, SMALL);
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        let said = host.refused(host.prepare("win10"));
        assert!(
            said.contains(&format!(
                "the vGPU {ONE} already exists, but its type is {SMALL}, not {LARGE}"
            )),
            "{said}"
        );
        host.quietly(host.release("win10"));
        assert_eq!(host.machine.vgpus(), [ONE]);
    });
}

#[test]
fn a_vgpu_of_another_vm_that_has_a_line_stays() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("a", ONE, SMALL), ("b", TWO, SMALL)]));
        host.quietly(host.prepare("a"));
        host.quietly(host.prepare("b"));
        host.quietly(host.release("a"));
        assert_eq!(
            (host.machine.vgpus(), host.made()),
            (vec![TWO.to_owned()], vec![format!("{TWO} b")])
        );
    });
}

#[test]
fn a_mark_of_a_vgpu_that_is_gone_stops_nobody() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        for name in ["linux", "win10", "", "a\\nb"] {
            // The vGPU went without the hook: its user removed it, or libvirt was killed.
            host.machine
                .shell(&format!("mkdir -p /run/gvtg; printf '{name}\\n' > /run/gvtg/{ONE}"));
            host.quietly(host.prepare("win10"));
            assert_eq!(host.made(), [format!("{ONE} win10")], "{name:?}");
            host.quietly(host.release("win10"));
            assert_eq!((host.machine.vgpus(), host.made()), (vec![], vec![]));
        }
    });
}

#[test]
fn a_vm_that_lost_its_release_starts_again_and_then_its_vgpu_goes() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        host.quietly(host.prepare("win10"));
        // libvirt was down when the VM stopped.
        host.quietly(host.prepare("win10"));
        assert_eq!(host.machine.log().lines().count(), 1);
        host.quietly(host.release("win10"));
        assert_eq!((host.machine.vgpus(), host.made()), (vec![], vec![]));
    });
}

#[test]
fn a_vgpu_of_a_type_that_its_vm_no_longer_has_goes_with_the_start_that_fails() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        host.quietly(host.prepare("win10"));
        // The VM stopped while libvirt was down, and its domain was changed.
        host.install(&hook_for(&[("win10", ONE, SMALL)]));
        host.refused(host.prepare("win10"));
        host.quietly(host.call(&["win10", "release", "end", "failed"]));
        host.quietly(host.prepare("win10"));
        assert_eq!(
            (host.machine.vgpus(), host.made()),
            (vec![ONE.to_owned()], vec![format!("{ONE} win10")])
        );
    });
}

#[test]
fn vms_that_start_and_stop_at_once_do_not_disturb_each_other() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("a", ONE, SMALL), ("b", TWO, SMALL)]));
        for _ in 0..5 {
            let both = |call: fn(&Host, &str) -> (i32, String)| {
                std::thread::scope(|scope| {
                    for name in ["a", "b"] {
                        scope.spawn(move || host.quietly(call(host, name)));
                    }
                });
            };
            both(Host::prepare);
            assert_eq!(host.made(), [format!("{TWO} b"), format!("{ONE} a")]);
            both(Host::release);
            assert_eq!((host.machine.vgpus(), host.made()), (vec![], vec![]));
        }
    });
}

#[test]
fn a_vgpu_that_somebody_removed_before_is_no_trouble() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        host.quietly(host.prepare("win10"));
        host.machine.shell(&format!("echo 1 > /sys/bus/mdev/devices/{ONE}/remove"));
        host.quietly(host.release("win10"));
        assert_eq!(host.made(), [""; 0]);
        host.quietly(host.release("win10"));
    });
}

#[test]
fn what_is_remembered_is_for_root_alone() {
    on_each_shell(machine, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        host.quietly(host.prepare("win10"));
        let listed =
            host.machine.shell(&format!("stat -c '%a %U %G %F' /run/gvtg /run/gvtg/{ONE}"));
        assert_eq!(
            String::from_utf8(listed.stdout).unwrap(),
            "700 root root directory\n600 root root regular file\n"
        );
    });
}
