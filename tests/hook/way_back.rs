//! The way back that README.md describes: the user defines the old XML again, and removes the host's
//! files.

use std::fs;
use std::path::Path;

use crate::common::machine::Machine;
use crate::common::program::{feed, outcome, program};
use crate::domains::on_each_shell;

/// Runs the program in a folder, and returns its exit code and stdout.
fn run(folder: &Path, arguments: &str, stdin: &str) -> (i32, String) {
    let (code, stdout, _) =
        outcome(feed(program(arguments.split_whitespace()).current_dir(folder), stdin.as_bytes()));
    (code, stdout)
}

#[test]
fn a_vm_restored_from_backup_starts_with_and_without_the_hook() {
    let backup = fs::read_to_string("fixtures/win10-virt-manager.xml").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (code, fixed) = run(folder.path(), "fix --type i915-GVTg_V5_4", &backup);
    assert!(code < 2 && fixed.contains("type='mdev'"));
    assert_eq!(run(folder.path(), "emit all --root host", &fixed).0, 0);
    let hook =
        fs::read_to_string(folder.path().join("host/etc/libvirt/hooks/qemu.d/gvtg")).unwrap();
    on_each_shell(
        || Machine::start(&[]),
        |host| {
            host.install(&hook);
            host.assert_silent(host.prepare_for("win10", &fixed));
            assert_eq!(host.machine.vgpus().len(), 1);
            host.assert_silent(host.release("win10"));
            host.assert_silent(host.prepare_for("win10", &backup));
            assert_eq!((host.machine.vgpus(), host.created()), (vec![], vec![]));
            host.assert_silent(host.release("win10"));
        },
    );
    assert_eq!(run(folder.path(), "emit all --root host --remove", "").0, 0);
    assert_eq!(fs::read_dir(folder.path().join("host")).unwrap().count(), 0);
}
