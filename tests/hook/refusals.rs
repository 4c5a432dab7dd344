//! Errors that prevent a VM's start: the hook's messages, and that nothing is left behind.

use crate::common::machine::{GPU, Machine};
use crate::domains::{Host, hook_for, on_each_shell};
use crate::{LARGE, ONE, SMALL, TWO};

/// Checks that the hook refuses a VM with a message that contains these words and creates nothing,
/// and that libvirt's release afterwards silently does nothing.
fn assert_refused(host: &Host, words: &[&str]) {
    let before = host.machine.vgpus();
    let message = host.refusal(host.prepare("win10"));
    for word in words {
        assert!(message.contains(word), "{word}: {message}");
    }
    assert_eq!((host.machine.vgpus(), host.created()), (before.clone(), vec![]));
    host.assert_silent(host.release("win10"));
    assert_eq!((host.machine.vgpus(), host.created()), (before, vec![]));
}

#[test]
fn reports_a_full_gpu_with_the_type_and_the_available_ones() {
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            // Created by hand: a small one leaves no room for a large one.
            host.machine.shell(&format!("echo {TWO} > {GPU}/mdev_supported_types/{SMALL}/create"));
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            assert_refused(
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
fn reports_a_missing_type_with_the_offered_ones() {
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            for name in ["i915-GVTg_V5_1", "i915-GVTg_V4_4"] {
                host.install(&hook_for(&[("win10", ONE, name)]));
                assert_refused(
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
fn reports_too_small_an_aperture_if_the_gpu_has_no_types() {
    on_each_shell(
        || Machine::start(&["--aperture", "128"]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            assert_refused(
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
fn reports_that_kvmgt_cannot_be_loaded() {
    on_each_shell(Machine::without_kvmgt, |host| {
        host.install(&hook_for(&[("win10", ONE, LARGE)]));
        let (code, message) = host.prepare("win10");
        assert_eq!(code, 1);
        // The messages of modprobe and of the hook.
        assert!(
            message.contains("Module kvmgt not found")
                && message.contains("gvtg: the kernel module kvmgt cannot be loaded"),
            "{message}"
        );
        host.assert_silent(host.release("win10"));
        assert_eq!((host.created(), host.machine.modprobes().as_str()), (vec![], "kvmgt\n"));
    });
}

#[test]
fn reports_that_the_kernel_refuses_to_create_a_vgpu() {
    on_each_shell(
        || Machine::start(&["--refuse"]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            assert_refused(
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
fn creates_no_vgpu_that_it_cannot_record() {
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            assert!(host.machine.shell("mount -t tmpfs -o ro run /run").status.success());
            let (code, message) = host.prepare("win10");
            assert_eq!(code, 1);
            assert!(
                message.ends_with(&format!("gvtg: cannot write /run/gvtg/{ONE}\n")),
                "{message}"
            );
            assert_eq!(host.machine.log(), "");
        },
    );
}

#[test]
fn reports_a_gpu_at_another_address() {
    on_each_shell(
        || Machine::start(&["--pci", "0000:01:00.0"]),
        |host| {
            host.install(&hook_for(&[("win10", ONE, LARGE)]));
            assert_refused(
                host,
                &["there is no PCI device 0000:00:02.0", "/sys/bus/pci/drivers/i915"],
            );
            // The two ways in which a user sets the address: at the top, or in the line.
            for (from, to) in [
                ("GVT_PCI=0000:00:02.0", "GVT_PCI=0000:01:00.0"),
                (LARGE, &format!("{LARGE} 0000:01:00.0")),
            ] {
                let hook = hook_for(&[("win10", ONE, LARGE)]);
                assert!(hook.contains(from));
                host.install(&hook.replace(from, to));
                host.assert_silent(host.prepare("win10"));
                assert_eq!(host.machine.vgpus(), [ONE]);
                host.assert_silent(host.release("win10"));
                assert_eq!(host.machine.vgpus(), [""; 0]);
            }
        },
    );
}

#[test]
fn reports_a_broken_line_and_changes_nothing() {
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            let gpu = "../../0000:00:02.0/mdev_supported_types";
            for (vgpu, message) in [
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
                let answer = host.refusal(host.prepare("win10"));
                assert!(
                    answer.lines().count() == 1 && answer.contains(message),
                    "{vgpu}: {answer}"
                );
                assert_eq!((host.machine.log(), host.created()), (String::new(), vec![]), "{vgpu}");
                host.release("win10");
                assert_eq!(host.machine.log(), "", "{vgpu}");
                // Another VM is not affected.
                host.assert_silent(host.prepare("linux"));
            }
        },
    );
}
