//! Why a VM can't start: what the hook says, and that it leaves nothing behind.

use crate::common::machine::{GPU, Machine};
use crate::domains::{Host, hook_for, on_each_shell};
use crate::{LARGE, ONE, SMALL, TWO};

/// Refused with these words, and with nothing made; libvirt's release after it changes nothing, in
/// silence.
fn refuses(host: &Host, words: &[&str]) {
    let before = host.machine.vgpus();
    let said = host.refused(host.prepare("win10"));
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert_eq!((host.machine.vgpus(), host.made()), (before.clone(), vec![]));
    host.quietly(host.release("win10"));
    assert_eq!((host.machine.vgpus(), host.made()), (before, vec![]));
}

#[test]
fn a_full_gpu_is_said_with_the_type_and_what_is_left() {
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            // By hand: one small leaves no room for a large.
            host.machine.shell(&format!("echo {TWO} > {GPU}/mdev_supported_types/{SMALL}/create"));
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            refuses(
                host,
                &[
                    &format!("no room for another vGPU of type {LARGE}"),
                    &format!("{LARGE} (0 left), {SMALL} (1 left)"),
                ],
            );
            assert_eq!(host.machine.log().lines().count(), 1, "it never tried");
        },
    );
}

#[test]
fn a_type_that_the_gpu_lacks_is_said_with_those_that_it_has() {
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            for name in ["i915-GVTg_V5_1", "i915-GVTg_V4_4"] {
                host.install(&hook_for(&[("win10", ONE, name)]));
                refuses(
                    host,
                    &[
                        &format!("does not offer the vGPU type {name}"),
                        &format!("It offers: {LARGE} (1 left), {SMALL} (2 left)"),
                    ],
                );
            }
            assert_eq!(host.machine.log(), "");
        },
    );
}

#[test]
fn a_gpu_without_any_type_has_too_small_an_aperture() {
    on_each_shell(
        || Machine::start(&["--aperture", "128"]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            refuses(
                host,
                &[
                    &format!("does not offer the vGPU type {LARGE}"),
                    "It offers: none, because the aperture",
                ],
            );
        },
    );
}

#[test]
fn a_kvmgt_that_can_not_be_loaded_is_said() {
    on_each_shell(Machine::without_kvmgt, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        let (code, said) = host.prepare("win10");
        assert_eq!(code, 1);
        // modprobe's own words, and the hook's.
        assert!(
            said.contains("Module kvmgt not found")
                && said.contains("gvtg: the kernel module kvmgt cannot be loaded"),
            "{said}"
        );
        host.quietly(host.release("win10"));
        assert_eq!((host.made(), host.machine.modprobes().as_str()), (vec![], "kvmgt\n"));
    });
}

#[test]
fn a_create_that_the_kernel_refuses_is_said() {
    on_each_shell(
        || Machine::start(&["--refuse"]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            refuses(
                host,
                &[
                    &format!("the kernel did not create the vGPU {ONE} of type {LARGE}"),
                    "dmesg",
                    &format!("{LARGE} (1 left)"),
                ],
            );
            assert_eq!(host.machine.log(), format!("create \"{ONE}\" {LARGE}: InputOutput\n"));
        },
    );
}

#[test]
fn what_can_not_be_remembered_is_not_made() {
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            assert!(host.machine.shell("mount -t tmpfs -o ro run /run").status.success());
            let (code, said) = host.prepare("win10");
            assert_eq!(code, 1);
            assert!(said.ends_with(&format!("gvtg: cannot write /run/gvtg/{ONE}\n")), "{said}");
            assert_eq!(host.machine.log(), "");
        },
    );
}

#[test]
fn a_gpu_that_is_elsewhere_is_said() {
    on_each_shell(
        || Machine::start(&["--pci", "0000:01:00.0"]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            refuses(host, &["there is no PCI device 0000:00:02.0", "/sys/bus/pci/drivers/i915"]);
            // As the user would then write it, at the top or into the line.
            for (from, to) in [
                ("GVT_PCI=0000:00:02.0", "GVT_PCI=0000:01:00.0"),
                (LARGE, &format!("{LARGE} 0000:01:00.0")),
            ] {
                let hook = hook_for(&[("win10", ONE, LARGE)]);
                assert!(hook.contains(from));
                host.install(&hook.replace(from, to));
                host.quietly(host.prepare("win10"));
                assert_eq!(host.machine.vgpus(), [ONE]);
                host.quietly(host.release("win10"));
                assert_eq!(host.machine.vgpus(), [""; 0]);
            }
        },
    );
}

#[test]
fn a_line_that_the_user_broke_is_said_and_touches_nothing() {
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            let gpu = "../../0000:00:02.0/mdev_supported_types";
            for (vgpu, said) in [
                (String::new(), "gvtg: '' is not a UUID"),
                (ONE.to_owned(), "gvtg: '' is not a vGPU type"),
                (format!("{ONE} ''"), "gvtg: '' is not a vGPU type"),
                (format!("{} {LARGE}", ONE.replace('-', "")), "is not a UUID"),
                (format!("'{ONE} ' {LARGE}"), "is not a UUID"),
                (format!("{} {LARGE}", ONE.replace('a', "g")), "is not a UUID"),
                (format!("../../..-../-../-../-../../bus/x {LARGE}"), "is not a UUID"),
                (format!("{ONE} ."), "gvtg: '.' is not a vGPU type"),
                (format!("{ONE} {gpu}/{LARGE}"), "is not a vGPU type"),
                (format!("{ONE} {LARGE}/../{SMALL}"), "is not a vGPU type"),
                (format!("{ONE} i915-GVTg_V5_9"), "does not offer the vGPU type i915-GVTg_V5_9."),
                (format!("{ONE} '*'"), "does not offer the vGPU type *."),
            ] {
                let hook = hook_for(&[("win10", ONE, LARGE)]);
                host.install(
                    &hook.replace(&format!("win10 {ONE} {LARGE}"), &format!("win10 {vgpu}")),
                );
                let answer = host.refused(host.prepare("win10"));
                assert!(answer.lines().count() == 1 && answer.contains(said), "{vgpu}: {answer}");
                assert_eq!((host.machine.log(), host.made()), (String::new(), vec![]), "{vgpu}");
                host.release("win10");
                assert_eq!(host.machine.log(), "", "{vgpu}");
                // Another VM does not meet it.
                host.quietly(host.prepare("linux"));
            }
        },
    );
}
