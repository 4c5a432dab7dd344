//! `emit all --remove` removes what an earlier run wrote, and nothing else.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

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

/// A folder with a domain, and with the files that `emit all` writes for it with these flags, below
/// `host`.
fn emitted(flags: &str) -> TempDir {
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

/// Removes everything: the exit code, the removed paths, and stderr.
fn remove(folder: &TempDir) -> (i32, Vec<String>, String) {
    let (code, stdout, stderr) = run_in(folder.path(), "emit all --root host --remove");
    (code, stdout.lines().map(|line| line.trim_start_matches("host/").to_owned()).collect(), stderr)
}

fn at(folder: &TempDir, path: &str) -> PathBuf {
    folder.path().join("host").join(path)
}

/// A change to a file.
type Change<'f> = &'f dyn Fn(&Path);

/// All files and folders in a folder.
fn all_paths(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(all_paths(&entry.path()).into_iter().map(|path| format!("{name}/{path}")));
        }
        found.push(name);
    }
    found.sort();
    found
}

#[test]
fn removes_all_written_files_and_created_folders() {
    for flags in ["", "--style qemu", "--style session --bootloader grub", "--bootloader raw"] {
        let folder = emitted(flags);
        let before = all_paths(&at(&folder, "")).len();
        assert!(before > 6, "{flags}");
        let (code, removed, stderr) = remove(&folder);
        assert_eq!(code, 0, "{stderr}");
        assert_eq!(removed.last().unwrap(), MANIFEST);
        assert_eq!(all_paths(&at(&folder, "")), [""; 0], "{flags}");
        // A second run has nothing left to do.
        let (code, removed, stderr) = remove(&folder);
        assert_eq!((code, removed.len()), (0, 0));
        assert!(
            stderr.contains("nothing to remove: there is no host/etc/gvtg-xml/manifest"),
            "{stderr}"
        );
    }
}

#[test]
fn prints_the_next_steps() {
    let (_, _, stderr) = remove(&emitted(""));
    let then: Vec<&str> = stderr
        .lines()
        .filter_map(|line| {
            line.strip_prefix("gvtg-xml: then ")?
                .trim_start_matches("run `sudo ")
                .split([' ', '`'])
                .next()
        })
        .collect();
    assert_eq!(then, ["update-initramfs", "reboot:"], "{stderr}");
    let (_, _, stderr) = remove(&emitted("--style session --bootloader grub"));
    let then: Vec<&str> = stderr
        .lines()
        .filter_map(|line| {
            line.strip_prefix("gvtg-xml: then ")?
                .trim_start_matches("run `sudo ")
                .split([' ', '`'])
                .next()
        })
        .collect();
    assert_eq!(then, ["update-grub", "reboot:"], "{stderr}");
    let (_, _, stderr) = remove(&emitted("--bootloader raw"));
    assert!(
        stderr.contains("then remove i915.enable_gvt=1 from the kernel command line"),
        "{stderr}"
    );
    let (_, _, stderr) = {
        let folder = emitted("");
        fs::create_dir_all(at(&folder, "run/gvtg")).unwrap();
        fs::write(at(&folder, &format!("run/gvtg/{UUID}")), "win10\n").unwrap();
        remove(&folder)
    };
    assert!(stderr.contains(&format!("the vGPU {UUID} still exists")), "{stderr}");
}

#[test]
fn leaves_what_existed_before() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.xml"), with_vgpus("win10", &[UUID])).unwrap();
    fs::create_dir_all(at(&folder, "etc/libvirt/hooks")).unwrap();
    fs::create_dir_all(at(&folder, "etc/modprobe.d")).unwrap();
    fs::write(at(&folder, "etc/modprobe.d/own.conf"), "").unwrap();
    let before = all_paths(&at(&folder, ""));
    emit(&folder, "all --root host a.xml");
    // Files that were added to our folders in the meantime stay too, and a second run still knows
    // its folders.
    emit(&folder, "all --root host --force --style qemu a.xml");
    fs::write(at(&folder, "etc/modules-load.d/own.conf"), "").unwrap();
    let (code, removed, stderr) = remove(&folder);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(
        removed,
        ["etc/libvirt/hooks/qemu", HOOK, MODPROBE, MODULES, MANIFEST],
        "both hooks"
    );
    fs::remove_dir_all(at(&folder, "etc/modules-load.d")).unwrap();
    assert_eq!(all_paths(&at(&folder, "")), before);
}

#[test]
fn leaves_and_reports_a_changed_file() {
    let ways: [(&str, Change); 5] = [
        ("it was changed", &|path| fs::write(path, "kvmgt\nown\n").unwrap()),
        ("it was changed", &|path| fs::write(path, "").unwrap()),
        ("its mode was changed from 644 to 600", &|path| {
            fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap()
        }),
        ("it is a symlink", &|path| {
            fs::rename(path, path.with_extension("own")).unwrap();
            symlink("gvt.own", path).unwrap();
        }),
        ("it is not a regular file", &|path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
    ];
    for (reason, change) in ways {
        let folder = emitted("");
        change(&at(&folder, MODULES));
        let (code, removed, stderr) = remove(&folder);
        assert_eq!(code, 1, "{stderr}");
        assert!(
            stderr.contains(&format!("gvtg-xml: not removed: host/{MODULES}: {reason}\n")),
            "{stderr}"
        );
        assert_eq!(removed, [HOOK, MODPROBE]);
        assert!(fs::symlink_metadata(at(&folder, MODULES)).is_ok());
        // The manifest lists what is left, and the next run continues from there.
        let manifest = fs::read_to_string(at(&folder, MANIFEST)).unwrap();
        assert!(
            manifest.starts_with("# Files that gvtg-xml wrote")
                && manifest.contains(MODULES)
                && !manifest.contains(MODPROBE),
            "{manifest}"
        );
        let _ =
            fs::remove_dir(at(&folder, MODULES)).or_else(|_| fs::remove_file(at(&folder, MODULES)));
        assert_eq!(remove(&folder).0, 0);
        assert!(!at(&folder, MANIFEST).exists());
    }
}

#[test]
fn a_dry_run_prints_the_same_and_removes_nothing() {
    let folder = emitted("");
    fs::write(at(&folder, MODULES), "own\n").unwrap();
    let before = all_paths(&at(&folder, ""));
    let (code, stdout, stderr) = run_in(folder.path(), "emit all --root host --remove --dry-run");
    assert_eq!(code, 1);
    assert_eq!(stdout, format!("host/{HOOK}\nhost/{MODPROBE}\n"));
    assert!(stderr.contains(&format!("not removed: host/{MODULES}")), "{stderr}");
    assert_eq!(all_paths(&at(&folder, "")), before);
}

#[test]
fn a_missing_file_is_not_an_error() {
    let folder = emitted("");
    // After a run that was killed halfway.
    fs::remove_dir_all(at(&folder, "etc/libvirt")).unwrap();
    let (code, removed, stderr) = remove(&folder);
    assert_eq!(
        (code, removed),
        (0, [MODPROBE, MODULES, MANIFEST].map(str::to_owned).to_vec()),
        "{stderr}"
    );
    assert_eq!(all_paths(&at(&folder, "")), [""; 0]);
}

#[test]
fn reads_a_manifest_of_an_older_version() {
    let folder = emitted("");
    let manifest = fs::read_to_string(at(&folder, MANIFEST)).unwrap();
    let old: String = manifest
        .lines()
        .filter(|line| !line.starts_with("# folder "))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_ne!(old, manifest);
    fs::write(at(&folder, MANIFEST), old).unwrap();
    assert_eq!(remove(&folder).0, 0);
    // An older manifest does not record who created the other folders.
    assert!(
        all_paths(&at(&folder, ""))
            .iter()
            .all(|path| at(&folder, path).is_dir() && !path.contains("gvtg-xml"))
    );
    assert!(at(&folder, "etc/libvirt/hooks/qemu.d").exists());
}

#[test]
fn removes_a_file_that_a_later_run_rewrote_alone() {
    let folder = emitted("");
    fs::write(
        folder.path().join("b.xml"),
        with_vgpus("other", &["11111111-2222-4333-8444-555555555555"]),
    )
    .unwrap();
    let (stdout, _) = emit(&folder, "hook --root host --force a.xml b.xml");
    assert_eq!(stdout, format!("host/{HOOK}\n"));
    assert_eq!(remove(&folder).0, 0);
    assert_eq!(all_paths(&at(&folder, "")), [""; 0]);
}

#[test]
fn removes_nothing_outside_the_root() {
    let folder = emitted("");
    // The whole of etc is a link out of the root, and a line of the manifest climbs out of it.
    let outside = folder.path().join("outside");
    fs::rename(at(&folder, "etc"), &outside).unwrap();
    symlink(&outside, at(&folder, "etc")).unwrap();
    let before = all_paths(&outside);
    let (code, removed, stderr) = remove(&folder);
    assert_eq!((code, removed.len()), (0, 0), "{stderr}");
    assert_eq!(all_paths(&outside), before);

    let folder = emitted("");
    let manifest = fs::read_to_string(at(&folder, MANIFEST)).unwrap();
    for path in ["etc/../../a.xml", "../a.xml", "usr/a.xml", "etc/link/a.xml"] {
        fs::create_dir_all(at(&folder, "usr")).unwrap();
        fs::write(at(&folder, "usr/a.xml"), "").unwrap();
        let _ = symlink(folder.path(), at(&folder, "etc/link"));
        let text = fs::read(folder.path().join("a.xml")).unwrap();
        let sum = sha1_smol::Sha1::from(&text).digest();
        fs::write(
            at(&folder, MANIFEST),
            format!("{manifest}{sum}  {path}\nda39a3ee5e6b4b0d3255bfef95601890afd80709  {path}\n"),
        )
        .unwrap();
        remove(&folder);
        assert!(
            folder.path().join("a.xml").exists() && at(&folder, "usr/a.xml").exists(),
            "{path}"
        );
    }
}

const LINE: &str = "etc/kernel/cmdline";
const WORDS: &str = "i915.enable_gvt=1 and kvm.ignore_msrs=1";

/// A folder like that of `emitted`, with these files below `host` before `emit all` runs.
fn emitted_over(files: &[(&str, &str)], flags: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.xml"), with_vgpus("win10", &[UUID])).unwrap();
    for (path, text) in files {
        put(&folder, path, text);
    }
    emit(&folder, &format!("all --root host {flags} a.xml"));
    folder
}

fn put(folder: &TempDir, path: &str, text: &str) {
    fs::create_dir_all(at(folder, path).parent().unwrap()).unwrap();
    fs::write(at(folder, path), text).unwrap();
}

/// The next steps in order, without their reasons.
fn next_steps(stderr: &str) -> Vec<&str> {
    stderr
        .lines()
        .filter_map(|line| line.strip_prefix("gvtg-xml: then ")?.split(": ").next())
        .collect()
}

#[test]
fn removes_a_command_line_that_emit_created() {
    let folder =
        emitted_over(&[("proc/cmdline", "root=UUID=1 ro\n")], "--bootloader kernel-install");
    emit(&folder, "all --root host --bootloader kernel-install a.xml");
    let (code, removed, stderr) = remove(&folder);
    assert_eq!(code, 0, "{stderr}");
    assert!(removed.contains(&LINE.to_owned()) && !at(&folder, LINE).exists(), "{removed:?}");
    assert!(next_steps(&stderr)[0].starts_with("run `sudo kernel-install add-all`"), "{stderr}");
    // The running kernel has the parameters, and kernel-install would copy its command line.
    let folder =
        emitted_over(&[("proc/cmdline", "root=UUID=1 ro\n")], "--bootloader kernel-install");
    put(&folder, "proc/cmdline", "root=UUID=1 ro i915.enable_gvt=1 kvm.ignore_msrs=1\n");
    let (_, _, stderr) = remove(&folder);
    let steps = next_steps(&stderr);
    assert!(
        steps[0].starts_with(&format!("reboot once without {WORDS}"))
            && steps[1].starts_with("run `sudo kernel-install"),
        "{stderr}"
    );
}

#[test]
fn leaves_the_users_command_line_until_the_parameters_are_removed() {
    let folder = emitted_over(&[(LINE, "root=UUID=1 ro\n")], "--force --bootloader kernel-install");
    for rest in ["", "quiet "] {
        put(&folder, LINE, &format!("{rest}{}", fs::read_to_string(at(&folder, LINE)).unwrap()));
        let (code, _, stderr) = remove(&folder);
        assert_eq!(code, 1, "{stderr}");
        let left = format!(
            "not removed: host/{LINE}: it holds the rest of the machine's command line too: remove {WORDS} from it by hand"
        );
        assert!(
            stderr.contains(&left)
                && next_steps(&stderr)[0].starts_with("run `sudo kernel-install add-all`"),
            "{stderr}"
        );
    }
    put(&folder, LINE, "quiet root=UUID=1 ro\n");
    let (code, removed, stderr) = remove(&folder);
    assert_eq!((code, removed), (0, vec![MANIFEST.to_owned()]), "{stderr}");
    assert!(next_steps(&stderr)[0].starts_with("run `sudo kernel-install add-all`"), "{stderr}");
    assert_eq!(fs::read_to_string(at(&folder, LINE)).unwrap(), "quiet root=UUID=1 ro\n");
}

#[test]
fn leaves_a_created_command_line_that_the_user_edited() {
    let folder =
        emitted_over(&[("proc/cmdline", "root=UUID=1 ro\n")], "--bootloader kernel-install");
    put(&folder, LINE, "root=UUID=2 ro\n");
    emit(&folder, "all --root host --force --bootloader kernel-install a.xml");
    assert_eq!(remove(&folder).0, 1);
    assert!(fs::read_to_string(at(&folder, LINE)).unwrap().starts_with("root=UUID=2"));
}

#[test]
fn prints_the_steps_for_nixos() {
    const NIXOS_HOOK: &str = "var/lib/libvirt/hooks/qemu.d/gvtg";
    let folder = emitted_over(&[("etc/NIXOS", "")], "");
    let (code, removed, stderr) = remove(&folder);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(removed, [NIXOS_HOOK, MANIFEST]);
    assert_eq!(all_paths(&at(&folder, "")), ["etc", "etc/NIXOS"]);
    assert_eq!(
        next_steps(&stderr),
        [
            "remove ./gvtg.nix from the imports in configuration.nix, and delete /etc/nixos/gvtg.nix and /etc/nixos/gvtg",
            "run `sudo nixos-rebuild switch`",
            "reboot"
        ]
    );
    // NixOS removes a hook that the configuration declares.
    let folder = emitted_over(&[("etc/NIXOS", "")], "");
    put(&folder, "nix/store/0aa-gvtg", "");
    fs::remove_file(at(&folder, NIXOS_HOOK)).unwrap();
    symlink("/nix/store/0aa-gvtg", at(&folder, NIXOS_HOOK)).unwrap();
    let (code, removed, stderr) = remove(&folder);
    assert_eq!((code, removed), (0, vec![MANIFEST.to_owned()]), "{stderr}");
    assert!(stderr.contains("then run `sudo nixos-rebuild switch`"), "{stderr}");
    // The only hook has no copy in /etc/nixos.
    let (_, _, stderr) = remove(&emitted_over(&[("etc/NIXOS", "")], "--style qemu"));
    assert!(next_steps(&stderr)[0].ends_with("delete /etc/nixos/gvtg.nix"), "{stderr}");
}

#[test]
fn rpm_ostree_removes_the_parameters() {
    let delete = "run `sudo rpm-ostree kargs --delete-if-present=i915.enable_gvt=1 --delete-if-present=kvm.ignore_msrs=1`";
    for flags in ["", "--bootloader raw"] {
        let (code, _, stderr) = remove(&emitted_over(&[("run/ostree-booted", "")], flags));
        assert_eq!(code, 0, "{stderr}");
        assert_eq!(next_steps(&stderr), [delete, "reboot"], "{flags}");
    }
}

#[test]
fn names_a_line_that_sources_the_removed_grub_file() {
    let line = ". /etc/default/grub.d/gvtg.cfg";
    for sourcing in [
        line,
        "[ -r /etc/default/grub.d/gvtg.cfg ] && . /etc/default/grub.d/gvtg.cfg",
        "source \"/etc/default/grub.d/gvtg.cfg\"",
    ] {
        let grub = format!("GRUB_TIMEOUT=5\n{sourcing}\n");
        let (_, _, stderr) =
            remove(&emitted_over(&[("etc/default/grub", &grub)], "--bootloader grub"));
        let steps = next_steps(&stderr);
        assert!(
            steps[0].starts_with(&format!("remove the line `{sourcing}` from /etc/default/grub")),
            "{stderr}"
        );
        assert!(
            steps[1].contains("on Fedora `sudo grub2-mkconfig -o /boot/grub2/grub.cfg`"),
            "{stderr}"
        );
    }
    for grub in ["GRUB_TIMEOUT=5\n".to_owned(), format!("# {line}\n")] {
        let (_, _, stderr) =
            remove(&emitted_over(&[("etc/default/grub", &grub)], "--bootloader grub"));
        assert!(!stderr.contains("remove the line"), "{stderr}");
    }
}

#[test]
fn removes_an_interrupted_run() {
    // The manifest comes first and the hook last.
    for written_so_far in [&[][..], &[MODPROBE], &[MODPROBE, MODULES]] {
        let folder = emitted("");
        for path in
            [HOOK, MODPROBE, MODULES].into_iter().filter(|path| !written_so_far.contains(path))
        {
            fs::remove_file(at(&folder, path)).unwrap();
        }
        let left_over = at(&folder, "etc/libvirt/hooks/qemu.d/.gvtg-xml-a1B2c3");
        fs::create_dir(&left_over).unwrap();
        fs::set_permissions(&left_over, Permissions::from_mode(0o700)).unwrap();
        fs::write(left_over.join("new"), "#!/bin/sh\n").unwrap();
        let (code, removed, stderr) = remove(&folder);
        assert_eq!(code, 0, "{stderr}");
        assert_eq!(removed.len(), written_so_far.len() + 1);
        assert_eq!(all_paths(&at(&folder, "")), [""; 0]);
    }
}

#[test]
fn removes_an_interrupted_second_run() {
    let folder = emitted("");
    let old = fs::read(at(&folder, HOOK)).unwrap();
    fs::write(
        folder.path().join("b.xml"),
        with_vgpus("other", &["11111111-2222-4333-8444-555555555555"]),
    )
    .unwrap();
    emit(&folder, "all --root host a.xml b.xml");
    // The new manifest and the old hook.
    fs::write(at(&folder, HOOK), old).unwrap();
    assert_eq!(remove(&folder).0, 0);
    assert_eq!(all_paths(&at(&folder, "")), [""; 0]);
}

/// The names of the files that a run renames into place, in order; None without strace.
fn renamed(folder: &TempDir, arguments: &str) -> Option<Vec<String>> {
    if !common::program::has_tool("strace", &["-V"]) {
        return None;
    }
    let program = env!("CARGO_BIN_EXE_gvtg-xml");
    let mut strace = std::process::Command::new("strace");
    strace
        .args(["-f", "-o", "trace", "-e", "trace=rename,renameat,renameat2", program, "emit"])
        .args(arguments.split(' '));
    assert!(strace.current_dir(folder.path()).output().unwrap().status.success());
    let trace = fs::read_to_string(folder.path().join("trace")).unwrap();
    Some(
        trace
            .lines()
            .filter_map(|line| {
                Some(line.rsplit('"').nth(1)?.trim_start_matches("host/").to_owned())
            })
            .collect(),
    )
}

#[test]
fn writes_the_manifest_first_and_the_hook_last() {
    let folder = emitted("");
    remove(&folder);
    let Some(order) = renamed(&folder, "all --root host a.xml") else { return };
    assert_eq!(order, [MANIFEST, MODULES, MODPROBE, HOOK]);
}

#[test]
fn restores_what_force_replaced() {
    let own = [(MODULES, "kvmgt\nown\n"), (HOOK, "#!/bin/sh\nown\n")];
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.xml"), with_vgpus("win10", &[UUID])).unwrap();
    for (path, text) in own {
        put(&folder, path, text);
    }
    fs::set_permissions(at(&folder, HOOK), Permissions::from_mode(0o750)).unwrap();
    let before = all_paths(&at(&folder, ""));
    let (_, stderr) = emit(&folder, "all --root host --force a.xml");
    let kept = |path: &str| format!("host/etc/gvtg-xml/replaced/{path}");
    for (path, text) in own {
        assert!(
            stderr.contains(&format!(
                "host/{path} was replaced; the old file is kept as {}, and --remove restores it",
                kept(path)
            )),
            "{stderr}"
        );
        assert_eq!(fs::read_to_string(folder.path().join(kept(path))).unwrap(), text);
    }
    // libvirt runs every file in the folder of hooks.
    assert_eq!(fs::read_dir(at(&folder, "etc/libvirt/hooks/qemu.d")).unwrap().count(), 1);
    // Another run preserves the backup.
    emit(&folder, "all --root host --force --type i915-GVTg_V5_8 a.xml");
    let (_, stdout, stderr) = run_in(folder.path(), "emit all --root host --remove --dry-run");
    assert!(stderr.contains(&format!("would be restored: host/{MODULES}")), "{stdout}{stderr}");
    let (code, _, stderr) = remove(&folder);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr.contains(&format!("restored: host/{HOOK}, as it was before --force replaced it")),
        "{stderr}"
    );
    assert_eq!(
        own.map(|(path, _)| fs::read_to_string(at(&folder, path)).unwrap()),
        own.map(|(_, text)| text.to_owned())
    );
    assert_eq!(fs::metadata(at(&folder, HOOK)).unwrap().permissions().mode() & 0o7777, 0o750);
    assert_eq!(all_paths(&at(&folder, "")), before);
}

#[test]
fn restores_what_force_replaced_after_an_interruption() {
    // Interrupted before the file was replaced, and after it was removed.
    for now in [Some("own\n"), None] {
        let folder = emitted_over(&[(MODULES, "own\n")], "--force");
        fs::remove_file(at(&folder, MODULES)).unwrap();
        now.into_iter().for_each(|text| put(&folder, MODULES, text));
        let (code, _, stderr) = remove(&folder);
        assert_eq!(code, 0, "{stderr}");
        assert_eq!(fs::read_to_string(at(&folder, MODULES)).unwrap(), "own\n");
        assert_eq!(
            all_paths(&at(&folder, ""))
                .iter()
                .filter(|path| at(&folder, path).is_file())
                .collect::<Vec<_>>(),
            [MODULES]
        );
    }
    // A removal that was interrupted after it had restored the file.
    let folder = emitted_over(&[(MODULES, "own\n")], "--force");
    fs::rename(at(&folder, &format!("etc/gvtg-xml/replaced/{MODULES}")), at(&folder, MODULES))
        .unwrap();
    assert_eq!(remove(&folder).0, 0);
    assert_eq!(fs::read_to_string(at(&folder, MODULES)).unwrap(), "own\n");

    let folder = emitted_over(&[(MODULES, "own\n")], "--force");
    put(&folder, MODULES, "changed\n");
    let (code, _, stderr) = remove(&folder);
    assert_eq!(code, 1);
    let kept = format!("etc/gvtg-xml/replaced/{MODULES}");
    assert!(
        stderr
            .contains(&format!("it was changed; the file that it replaced is kept as host/{kept}")),
        "{stderr}"
    );
    assert_eq!(fs::read_to_string(at(&folder, &kept)).unwrap(), "own\n");
    fs::remove_file(at(&folder, MODULES)).unwrap();
    assert_eq!(remove(&folder).0, 0);
    assert_eq!(fs::read_to_string(at(&folder, MODULES)).unwrap(), "own\n");
}

#[test]
fn a_repeated_removal_names_only_present_parameters() {
    let folder = emitted("");
    put(&folder, HOOK, "changed\n");
    assert_eq!(remove(&folder).0, 1);
    let (code, _, stderr) = remove(&folder);
    assert_eq!(code, 1);
    assert!(!stderr.contains("command line"), "{stderr}");
    // A boot loader's file sets one of them.
    put(&folder, "etc/default/grub", "GRUB_CMDLINE_LINUX=\"quiet i915.enable_gvt=1\"\n");
    let (_, _, stderr) = remove(&folder);
    assert!(stderr.contains("then remove i915.enable_gvt=1 from the kernel command line in host/etc/default/grub, and reboot"), "{stderr}");
    // Only its menu has to be regenerated.
    put(&folder, "etc/default/grub", "");
    put(&folder, "boot/grub/grub.cfg", "\tlinux /vmlinuz root=/dev/sda1 i915.enable_gvt=1\n");
    let (_, _, stderr) = remove(&folder);
    assert!(
        stderr.contains("then run `sudo update-grub`") && !stderr.contains("kernel command line"),
        "{stderr}"
    );
}

#[test]
fn rejects_flags_about_what_to_write() {
    let folder = emitted("");
    for flags in
        ["a.xml", "--style qemu", "--bootloader grub", "--diff", "--force", "--type i915-GVTg_V5_4"]
    {
        let (code, stdout, stderr) =
            run_in(folder.path(), &format!("emit all --root host --remove {flags}"));
        assert_eq!((code, stdout.as_str()), (2, ""), "{flags}: {stderr}");
    }
    for arguments in [
        "all --remove",
        "all --root host --dry-run a.xml",
        "all --root host --dry-run --style qemu",
        "all --root host --dry-run",
        "all --root nowhere --remove",
    ] {
        assert_eq!(run_in(folder.path(), &format!("emit {arguments}")).0, 2, "{arguments}");
    }
    assert!(at(&folder, HOOK).exists());
}

#[test]
fn a_dry_run_without_remove_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.xml"), with_vgpus("win10", &[UUID])).unwrap();
    for flags in ["a.xml", "--style qemu a.xml", "--force a.xml"] {
        let (code, stdout, stderr) =
            run_in(folder.path(), &format!("emit all --root host --dry-run {flags}"));
        assert_eq!((code, stdout.as_str()), (2, ""), "{flags}: {stderr}");
        assert!(!at(&folder, "").exists());
    }
}
