//! `emit all --remove` removes what an earlier run wrote, and nothing else.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use common::guests::{UUID, with_vgpus};
use common::program::run_in;
use tempfile::TempDir;

const HOOK: &str = "etc/libvirt/hooks/qemu.d/gvtg";
const MODULES: &str = "etc/modules-load.d/gvt.conf";
const MODPROBE: &str = "etc/modprobe.d/gvtg.conf";
const MANIFEST: &str = "etc/gvtg-xml/manifest";

/// A folder with a domain in it, and with what `emit all` writes for it with these flags, below `host`.
fn written(flags: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.xml"), with_vgpus("win10", &[UUID])).unwrap();
    emit(&folder, &format!("all --root host {flags} a.xml"));
    folder
}

fn emit(folder: &TempDir, arguments: &str) -> (String, String) {
    let (code, stdout, stderr) = run_in(folder.path(), &format!("emit {arguments}"));
    assert_eq!(code, 0, "{arguments}: {stdout}{stderr}");
    (stdout, stderr)
}

/// Removes everything: the exit code, the paths that were removed, and stderr.
fn remove(folder: &TempDir) -> (i32, Vec<String>, String) {
    let (code, stdout, stderr) = run_in(folder.path(), "emit all --root host --remove");
    (code, stdout.lines().map(|line| line.trim_start_matches("host/").to_owned()).collect(), stderr)
}

fn at(folder: &TempDir, path: &str) -> PathBuf {
    folder.path().join("host").join(path)
}

/// A change to a file.
type Change<'f> = &'f dyn Fn(&Path);

/// Everything in a folder, including folders.
fn all(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(all(&entry.path()).into_iter().map(|path| format!("{name}/{path}")));
        }
        found.push(name);
    }
    found.sort();
    found
}

#[test]
fn all_that_was_written_is_removed_with_the_folders_made_for_it() {
    for flags in ["", "--style qemu", "--style session --bootloader grub", "--bootloader raw"] {
        let folder = written(flags);
        let before = all(&at(&folder, "")).len();
        assert!(before > 6, "{flags}");
        let (code, removed, stderr) = remove(&folder);
        assert_eq!(code, 0, "{stderr}");
        assert_eq!(removed.last().unwrap(), MANIFEST);
        assert_eq!(all(&at(&folder, "")), [""; 0], "{flags}");
        // Once more, there is nothing left to do.
        let (code, removed, stderr) = remove(&folder);
        assert_eq!((code, removed.len()), (0, 0));
        assert!(stderr.contains("there is no host/etc/gvtg-xml/manifest, so there is nothing to remove"), "{stderr}");
    }
}

#[test]
fn the_next_steps_are_printed() {
    let (_, _, stderr) = remove(&written(""));
    let then: Vec<&str> = stderr.lines().filter_map(|line| line.strip_prefix("gvtg-xml: then ")?.split_whitespace().next()).collect();
    assert_eq!(then, ["update-initramfs", "reboot:"], "{stderr}");
    let (_, _, stderr) = remove(&written("--style session --bootloader grub"));
    let then: Vec<&str> = stderr.lines().filter_map(|line| line.strip_prefix("gvtg-xml: then ")?.split_whitespace().next()).collect();
    assert_eq!(then, ["update-grub", "reboot:"], "{stderr}");
    let (_, _, stderr) = remove(&written("--bootloader raw"));
    assert!(stderr.contains("then take i915.enable_gvt=1 out of the kernel's command line"), "{stderr}");
    let (_, _, stderr) = {
        let folder = written("");
        fs::create_dir_all(at(&folder, "run/gvtg")).unwrap();
        fs::write(at(&folder, &format!("run/gvtg/{UUID}")), "win10\n").unwrap();
        remove(&folder)
    };
    assert!(stderr.contains(&format!("the vGPU {UUID} still exists")), "{stderr}");
}

#[test]
fn what_was_there_before_stays() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.xml"), with_vgpus("win10", &[UUID])).unwrap();
    fs::create_dir_all(at(&folder, "etc/libvirt/hooks")).unwrap();
    fs::create_dir_all(at(&folder, "etc/modprobe.d")).unwrap();
    fs::write(at(&folder, "etc/modprobe.d/own.conf"), "").unwrap();
    let before = all(&at(&folder, ""));
    emit(&folder, "all --root host a.xml");
    // What was added to our folders in the meantime stays too, and a second run forgets no folder.
    emit(&folder, "all --root host --force --style qemu a.xml");
    fs::write(at(&folder, "etc/modules-load.d/own.conf"), "").unwrap();
    let (code, removed, stderr) = remove(&folder);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(removed, ["etc/libvirt/hooks/qemu", HOOK, MODPROBE, MODULES, MANIFEST], "both hooks");
    fs::remove_dir_all(at(&folder, "etc/modules-load.d")).unwrap();
    assert_eq!(all(&at(&folder, "")), before);
}

#[test]
fn a_file_that_has_changed_stays_and_is_reported() {
    let ways: [(&str, Change); 5] = [
        ("it has been changed", &|path| fs::write(path, "kvmgt\nown\n").unwrap()),
        ("it has been changed", &|path| fs::write(path, "").unwrap()),
        ("its mode has been changed from 644 to 600", &|path| fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap()),
        ("it is a link", &|path| {
            fs::rename(path, path.with_extension("own")).unwrap();
            symlink("gvt.own", path).unwrap();
        }),
        ("it is not a regular file", &|path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
    ];
    for (reason, change) in ways {
        let folder = written("");
        change(&at(&folder, MODULES));
        let (code, removed, stderr) = remove(&folder);
        assert_eq!(code, 1, "{stderr}");
        assert!(stderr.contains(&format!("gvtg-xml: left: host/{MODULES}: {reason}\n")), "{stderr}");
        assert_eq!(removed, [HOOK, MODPROBE]);
        assert!(fs::symlink_metadata(at(&folder, MODULES)).is_ok());
        // The manifest lists what is left, and another run continues from there.
        let manifest = fs::read_to_string(at(&folder, MANIFEST)).unwrap();
        assert!(manifest.starts_with("# What the host has") && manifest.contains(MODULES) && !manifest.contains(MODPROBE), "{manifest}");
        let _ = fs::remove_dir(at(&folder, MODULES)).or_else(|_| fs::remove_file(at(&folder, MODULES)));
        assert_eq!(remove(&folder).0, 0);
        assert!(!at(&folder, MANIFEST).exists());
    }
}

#[test]
fn a_dry_run_says_the_same_and_removes_nothing() {
    let folder = written("");
    fs::write(at(&folder, MODULES), "own\n").unwrap();
    let before = all(&at(&folder, ""));
    let (code, stdout, stderr) = run_in(folder.path(), "emit all --root host --remove --dry-run");
    assert_eq!(code, 1);
    assert_eq!(stdout, format!("host/{HOOK}\nhost/{MODPROBE}\n"));
    assert!(stderr.contains(&format!("left: host/{MODULES}")), "{stderr}");
    assert_eq!(all(&at(&folder, "")), before);
}

#[test]
fn a_missing_file_is_not_an_error() {
    let folder = written("");
    // A run that was killed in the middle.
    fs::remove_dir_all(at(&folder, "etc/libvirt")).unwrap();
    let (code, removed, stderr) = remove(&folder);
    assert_eq!((code, removed), (0, [MODPROBE, MODULES, MANIFEST].map(str::to_owned).to_vec()), "{stderr}");
    assert_eq!(all(&at(&folder, "")), [""; 0]);
}

#[test]
fn a_manifest_of_an_older_version_is_read() {
    let folder = written("");
    let manifest = fs::read_to_string(at(&folder, MANIFEST)).unwrap();
    let old: String = manifest.lines().filter(|line| !line.starts_with("# folder ")).map(|line| format!("{line}\n")).collect();
    assert_ne!(old, manifest);
    fs::write(at(&folder, MANIFEST), old).unwrap();
    assert_eq!(remove(&folder).0, 0);
    // It does not say who created the other folders.
    assert!(all(&at(&folder, "")).iter().all(|path| at(&folder, path).is_dir() && !path.contains("gvtg-xml")));
    assert!(at(&folder, "etc/libvirt/hooks/qemu.d").exists());
}

#[test]
fn a_file_that_was_rewritten_alone_is_removed_too() {
    let folder = written("");
    fs::write(folder.path().join("b.xml"), with_vgpus("other", &["11111111-2222-4333-8444-555555555555"])).unwrap();
    let (stdout, _) = emit(&folder, "hook --root host --force a.xml b.xml");
    assert_eq!(stdout, format!("host/{HOOK}\n"));
    assert_eq!(remove(&folder).0, 0);
    assert_eq!(all(&at(&folder, "")), [""; 0]);
}

#[test]
fn nothing_outside_the_root_is_removed() {
    let folder = written("");
    // The whole of etc is a link out of the root, and a line climbs out of it.
    let outside = folder.path().join("outside");
    fs::rename(at(&folder, "etc"), &outside).unwrap();
    symlink(&outside, at(&folder, "etc")).unwrap();
    let before = all(&outside);
    let (code, removed, stderr) = remove(&folder);
    assert_eq!((code, removed.len()), (0, 0), "{stderr}");
    assert_eq!(all(&outside), before);

    let folder = written("");
    let manifest = fs::read_to_string(at(&folder, MANIFEST)).unwrap();
    for path in ["etc/../../a.xml", "../a.xml", "usr/a.xml", "etc/link/a.xml"] {
        fs::create_dir_all(at(&folder, "usr")).unwrap();
        fs::write(at(&folder, "usr/a.xml"), "").unwrap();
        let _ = symlink(folder.path(), at(&folder, "etc/link"));
        let text = fs::read(folder.path().join("a.xml")).unwrap();
        let sum = sha1_smol::Sha1::from(&text).digest();
        fs::write(at(&folder, MANIFEST), format!("{manifest}{sum}  {path}\nda39a3ee5e6b4b0d3255bfef95601890afd80709  {path}\n")).unwrap();
        remove(&folder);
        assert!(folder.path().join("a.xml").exists() && at(&folder, "usr/a.xml").exists(), "{path}");
    }
}

#[test]
fn the_machines_command_line_is_never_removed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.xml"), with_vgpus("win10", &[UUID])).unwrap();
    fs::create_dir_all(at(&folder, "proc")).unwrap();
    fs::write(at(&folder, "proc/cmdline"), "root=UUID=1 ro\n").unwrap();
    emit(&folder, "all --root host --bootloader kernel-install a.xml");
    let (code, _, stderr) = remove(&folder);
    assert_eq!(code, 1);
    assert!(stderr.contains("left: host/etc/kernel/cmdline: it also holds the rest of the machine's command line"), "{stderr}");
    assert!(fs::read_to_string(at(&folder, "etc/kernel/cmdline")).unwrap().starts_with("root=UUID=1 ro"));
}

#[test]
fn it_takes_no_flag_that_says_what_to_write() {
    let folder = written("");
    for flags in ["a.xml", "--style qemu", "--bootloader grub", "--diff", "--force", "--type i915-GVTg_V5_4"] {
        let (code, stdout, stderr) = run_in(folder.path(), &format!("emit all --root host --remove {flags}"));
        assert_eq!((code, stdout.as_str()), (2, ""), "{flags}: {stderr}");
    }
    for arguments in ["all --remove", "all --root host --dry-run a.xml", "all --root nowhere --remove"] {
        assert_eq!(run_in(folder.path(), &format!("emit {arguments}")).0, 2, "{arguments}");
    }
    assert!(at(&folder, HOOK).exists());
}
