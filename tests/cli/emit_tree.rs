//! `emit … --root`: the files that are written below a folder, and those that are left alone.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use common::guests::{OTHER, UUID, with_vgpus};
use common::program::{feed, has_tool, outcome, program, run_in};
use tempfile::TempDir;

const HOOK: &str = "etc/libvirt/hooks/qemu.d/gvtg";
const MODULES: &str = "etc/modules-load.d/gvt.conf";
const MODPROBE: &str = "etc/modprobe.d/gvtg.conf";
const MANIFEST: &str = "etc/gvtg-xml/manifest";

/// A folder with a domain; the emitted files go to `host` in it.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.xml"), with_vgpus("win10", &[UUID])).unwrap();
    fs::write(folder.path().join("two.xml"), with_vgpus("two", &[UUID, OTHER])).unwrap();
    folder
}

/// A run that succeeds: stdout and stderr.
fn emit(folder: &TempDir, arguments: &str) -> (String, String) {
    let (code, stdout, stderr) = run_in(folder.path(), &format!("emit {arguments}"));
    assert_eq!(code, 0, "{arguments}: {stdout}{stderr}");
    (stdout, stderr)
}

/// A run that fails: stderr.
fn refused(folder: &TempDir, arguments: &str) -> String {
    let (code, stdout, stderr) = run_in(folder.path(), &format!("emit {arguments}"));
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    stderr
}

fn read(folder: &TempDir, path: &str) -> String {
    fs::read_to_string(folder.path().join("host").join(path)).unwrap_or_default()
}

fn write(folder: &TempDir, path: &str, text: &str) {
    let path = folder.path().join("host").join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn mode(folder: &TempDir, path: &str) -> u32 {
    fs::metadata(folder.path().join("host").join(path)).unwrap().permissions().mode() & 0o7777
}

/// The paths of all regular files below a folder.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|path| format!("{name}/{path}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}

#[test]
fn refuses_to_replace_a_hook_that_serves_other_domains() {
    let folder = folder();
    fs::write(folder.path().join("b.xml"), with_vgpus("other vm", &[OTHER])).unwrap();
    emit(&folder, "hook --root host a.xml b.xml");
    let said = refused(&folder, "hook --root host a.xml");
    assert!(
        said.contains("help: the hook also serves 'other vm': name the files of all its domains"),
        "{said}"
    );
    assert!(read(&folder, HOOK).contains("setup_gpu 'other vm' "));
    let (_, said) = emit(&folder, "hook --root host --force a.xml");
    assert!(said.contains("the hook no longer creates vGPUs for 'other vm'"), "{said}");
    // An added domain removes nothing.
    assert!(!refused(&folder, "hook --root host a.xml b.xml").contains("serves"));
}

#[test]
fn reports_a_gpu_without_vgpus() {
    let folder = folder();
    for (name, text) in [("vendor", "0x8086\n"), ("device", "0x9a49\n"), ("class", "0x030000\n")] {
        write(&folder, &format!("sys/bus/pci/devices/0000:00:02.0/{name}"), text);
    }
    let (_, said) = emit(&folder, "modules --root host");
    assert!(said.contains("the Tiger Lake GPU (8086:9a49) at 0000:00:02.0 does not support GVT-g, with or without these files"), "{said}");
}

#[test]
fn all_writes_each_file_and_prints_its_path() {
    let folder = folder();
    let (stdout, stderr) = emit(&folder, "all --root host a.xml");
    let paths = [HOOK, MODULES, MODPROBE, MANIFEST].map(|path| format!("host/{path}"));
    assert_eq!(stdout.lines().collect::<Vec<_>>(), paths);
    assert_eq!(files(&folder.path().join("host")), [MANIFEST, HOOK, MODPROBE, MODULES]);
    assert_eq!(
        [HOOK, MODULES, MODPROBE, MANIFEST].map(|path| mode(&folder, path)),
        [0o755, 0o644, 0o644, 0o644]
    );
    let then: Vec<&str> = stderr
        .lines()
        .filter_map(|line| {
            line.strip_prefix("gvtg-xml: then ")?
                .trim_start_matches("run `sudo ")
                .split([' ', '`'])
                .next()
        })
        .collect();
    assert_eq!(then, ["update-initramfs", "reboot:", "in"]);
    assert!(stderr.contains("xhost +si:localuser:libvirt-qemu"), "{stderr}");
}

#[test]
fn the_manifest_lists_domain_command_modes_and_checksums() {
    let folder = folder();
    emit(&folder, "all --root=host --style session --bootloader grub a.xml");
    let manifest = read(&folder, MANIFEST);
    let head = "# Files that gvtg-xml wrote on this host, for win10.\n# Made by: gvtg-xml emit all --style session --bootloader grub a.xml\n";
    assert!(manifest.starts_with(head) && manifest.contains("# mode 755\n"), "{manifest}");
    assert_eq!(manifest.lines().filter(|line| !line.starts_with('#')).count(), 4);
    if !has_tool("sha1sum", &["--version"]) {
        return;
    }
    let check = || {
        Command::new("sha1sum")
            .args(["--check", "--strict", MANIFEST])
            .current_dir(folder.path().join("host"))
            .output()
            .unwrap()
    };
    assert!(check().status.success());
    write(&folder, MODULES, "kvmgt\n");
    assert!(
        String::from_utf8(check().stdout).unwrap().contains("etc/modules-load.d/gvt.conf: FAILED")
    );
}

#[test]
fn a_second_run_writes_nothing_and_prints_the_remaining_steps() {
    let folder = folder();
    emit(&folder, "all --root host a.xml");
    let inodes = || {
        [HOOK, MODULES, MODPROBE, MANIFEST]
            .map(|path| fs::metadata(folder.path().join("host").join(path)).unwrap().ino())
    };
    let before = inodes();
    let (stdout, stderr) = emit(&folder, "all --root host a.xml");
    assert_eq!((inodes(), stdout.lines().count()), (before, 4));
    assert!(
        stderr.contains("nothing has changed")
            && stderr.contains("then run `sudo update-initramfs -u`"),
        "{stderr}"
    );
    assert!(stderr.contains("then reboot"), "{stderr}");
    // The recorded command leaves out flags that say where the output goes.
    for arguments in ["--quiet --force", "--diff -q"] {
        let (stdout, stderr) = emit(&folder, &format!("all {arguments} --root host a.xml"));
        assert!(
            stderr.is_empty() && (arguments.contains("--force") || stdout.is_empty()),
            "{stdout}{stderr}"
        );
    }
}

#[test]
fn single_files_equal_those_of_all() {
    let folder = folder();
    emit(&folder, "all --root host --bootloader grub --style session a.xml");
    for kind in ["hook --style session a.xml", "modules", "cmdline --bootloader grub", "udev"] {
        let (stdout, stderr) = emit(&folder, &format!("{kind} --root host"));
        assert!(
            stdout.starts_with("host/etc/") && stderr.contains("nothing has changed"),
            "{stdout}{stderr}"
        );
    }
}

#[test]
fn a_differing_file_stops_the_run() {
    let folder = folder();
    write(&folder, MODULES, "kvmgt\n");
    let stderr = refused(&folder, "all --root host a.xml");
    assert!(
        stderr.contains(
            "existing files differ, so nothing was written: host/etc/modules-load.d/gvt.conf\n"
        ),
        "{stderr}"
    );
    assert_eq!(files(&folder.path().join("host")), [MODULES]);
    assert_eq!(read(&folder, MODULES), "kvmgt\n");
    emit(&folder, "all --root host --force a.xml");
    assert!(read(&folder, MODULES).contains("vfio-iommu-type1\n"));
}

#[test]
fn replaces_files_of_an_earlier_run_without_force() {
    let folder = folder();
    emit(&folder, "all --root host a.xml");
    // The same domain from a pipe: only the comment with the command differs.
    let domain = fs::read(folder.path().join("a.xml")).unwrap();
    let piped = |arguments: &str| {
        let words = ["emit"].into_iter().chain(arguments.split(' '));
        outcome(feed(program(words).current_dir(folder.path()), &domain))
    };
    let (code, _, stderr) = piped("all --root host");
    assert_eq!(code, 0, "{stderr}");
    assert!(
        read(&folder, HOOK).contains("# Made by: gvtg-xml emit hook\n")
            && !stderr.contains("was replaced"),
        "{stderr}"
    );
    // The same domain with another type.
    emit(&folder, "all --root host --type i915-GVTg_V5_8 a.xml");
    assert!(read(&folder, HOOK).contains("i915-GVTg_V5_8"));
    // Removing a domain needs --force, and so does a change by the user.
    fs::write(folder.path().join("b.xml"), with_vgpus("other vm", &[OTHER])).unwrap();
    emit(&folder, "all --root host a.xml b.xml");
    assert!(refused(&folder, "all --root host a.xml").contains("also serves 'other vm'"));
    write(&folder, MODULES, "own\n");
    assert!(refused(&folder, "all --root host a.xml b.xml").contains("existing files differ"));
    // The same without a manifest, where only the command differs.
    fs::remove_dir_all(folder.path().join("host")).unwrap();
    emit(&folder, "hook --root host a.xml");
    let (code, _, stderr) = piped("hook --root host");
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn asks_to_source_grubs_file_where_grub_mkconfig_does_not() {
    let line = "then add the line `. /etc/default/grub.d/gvtg.cfg` at the end of /etc/default/grub";
    let systems = [
        ("ID=fedora\n", "GRUB_TIMEOUT=5\n", true),
        ("ID=arch\n", "# . /etc/default/grub.d/gvtg.cfg\n", true),
        ("ID=fedora\n", ". /etc/default/grub.d/gvtg.cfg\n", false),
        ("ID=fedora\n", "for f in /etc/default/grub.d/*.cfg; do . $f; done\n", false),
        ("ID=debian\n", "", false),
        ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "", false),
    ];
    for (os_release, grub, is_said) in systems {
        for kind in ["all --bootloader grub a.xml", "cmdline --bootloader grub"] {
            let folder = folder();
            write(&folder, "etc/os-release", os_release);
            write(&folder, "etc/default/grub", grub);
            let (_, stderr) = emit(&folder, &format!("{kind} --root host"));
            assert_eq!(stderr.contains(line), is_said, "{os_release}{grub}{stderr}");
            let renew = stderr.find("grub2-mkconfig -o /boot/grub2/grub.cfg").unwrap();
            assert!(stderr.find(line).is_none_or(|line| line < renew), "{stderr}");
        }
    }
}

#[test]
fn cleans_up_after_an_interrupted_run() {
    let folder = folder();
    let left = folder.path().join("host/etc/modprobe.d/.gvtg-xml-a1B2c3");
    fs::create_dir_all(&left).unwrap();
    fs::set_permissions(&left, fs::Permissions::from_mode(0o700)).unwrap();
    write(&folder, "etc/modprobe.d/.gvtg-xml-a1B2c3/new", "options");
    emit(&folder, "all --root host a.xml");
    assert!(!left.exists());
}

#[test]
fn a_single_file_warns_that_the_replaced_file_is_not_kept() {
    let folder = folder();
    write(&folder, MODULES, "kvmgt\n");
    let (_, stderr) = emit(&folder, "modules --root host --force");
    assert!(
        stderr.contains(
            "was replaced, and the old file was not kept (only `emit all --force` keeps it)"
        ),
        "{stderr}"
    );
    // Replacing its own files needs no note.
    let (_, stderr) = emit(&folder, "modules --root host --force");
    assert!(!stderr.contains("was replaced"), "{stderr}");
}

#[test]
fn diff_shows_the_changes_and_writes_nothing() {
    let folder = folder();
    emit(&folder, "all --root host a.xml");
    write(&folder, MODULES, &(read(&folder, MODULES) + "own\n"));
    fs::remove_file(folder.path().join("host").join(MODPROBE)).unwrap();
    fs::set_permissions(folder.path().join("host").join(HOOK), fs::Permissions::from_mode(0o644))
        .unwrap();
    let (code, stdout, _) = run_in(folder.path(), "emit all --root host --diff a.xml");
    assert_eq!(code, 1);
    for part in [
        "# host/etc/libvirt/hooks/qemu.d/gvtg: mode 644, will be 755\n",
        "\n-own\n",
        "# host/etc/modprobe.d/gvtg.conf: new, mode 644\n--- /dev/null\n",
    ] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
    assert!(
        read(&folder, MODULES).ends_with("own\n")
            && read(&folder, MODPROBE).is_empty()
            && mode(&folder, HOOK) == 0o644
    );
}

#[test]
fn fixes_a_wrong_mode_only_on_request() {
    let folder = folder();
    emit(&folder, "hook --root host a.xml");
    fs::set_permissions(folder.path().join("host").join(HOOK), fs::Permissions::from_mode(0o600))
        .unwrap();
    // The user may have disabled it on purpose.
    assert!(refused(&folder, "hook --root host a.xml").contains("existing files differ"));
    assert_eq!(mode(&folder, HOOK), 0o600);
    let (_, stderr) = emit(&folder, "hook --root host --force a.xml");
    assert_eq!(mode(&folder, HOOK), 0o755);
    assert!(stderr.contains("then run `sudo systemctl reload libvirtd`"), "{stderr}");
}

#[test]
fn ignores_the_umask() {
    let folder = folder();
    for umask in ["077", "000"] {
        let script = format!(
            "umask {umask}; exec '{}' emit all --root host --force a.xml",
            env!("CARGO_BIN_EXE_gvtg-xml")
        );
        let _ = fs::remove_dir_all(folder.path().join("host"));
        assert!(
            Command::new("sh")
                .args(["-c", &script])
                .current_dir(folder.path())
                .output()
                .unwrap()
                .status
                .success()
        );
        assert_eq!([HOOK, MODULES].map(|path| mode(&folder, path)), [0o755, 0o644]);
        assert_eq!(
            ["", "etc", "etc/libvirt/hooks/qemu.d", "etc/modules-load.d"]
                .map(|path| mode(&folder, path)),
            [0o755; 4],
            "{umask}"
        );
        let left: Vec<_> = fs::read_dir(folder.path().join("host/etc/libvirt/hooks/qemu.d"))
            .unwrap()
            .flatten()
            .collect();
        assert_eq!(left.len(), 1, "libvirt runs whatever is there: {left:?}");
    }
}

#[test]
fn links_cannot_lead_out_of_the_root() {
    let folder = folder();
    let (host, outside) = (folder.path().join("host"), folder.path().join("outside"));
    fs::create_dir_all(&outside).unwrap();
    fs::create_dir_all(&host).unwrap();
    symlink(&outside, host.join("etc")).unwrap();
    emit(&folder, "modules --root host");
    assert_eq!(files(&outside), [""; 0]);
    // The link means a folder below the root, as it would on that machine.
    let inside = host.join(outside.strip_prefix("/").unwrap());
    assert_eq!(files(&inside), ["modules-load.d/gvt.conf"]);
}

#[test]
fn never_replaces_anything_but_a_file() {
    let folder = folder();
    let conf = folder.path().join("host").join(MODULES);
    fs::create_dir_all(&conf).unwrap();
    assert!(refused(&folder, "all --root host --force a.xml").contains("is not a regular file"));
    assert_eq!(files(&folder.path().join("host")), [""; 0]);
    // A folder is in the way: the run fails before anything is changed.
    fs::remove_dir(&conf).unwrap();
    write(&folder, "etc/modprobe.d", "a file");
    assert!(refused(&folder, "all --root host a.xml").contains("/etc/modprobe.d/gvtg.conf: "));
    assert_eq!(files(&folder.path().join("host")), ["etc/modprobe.d"]);
}

#[test]
fn extends_the_kernel_command_line_and_never_invents_one() {
    let folder = folder();
    let arguments = "cmdline --bootloader kernel-install --root host";
    assert!(
        refused(&folder, arguments).contains("there is no command line to add the parameters to")
    );
    assert!(
        refused(&folder, "all --root host --bootloader kernel-install a.xml")
            .contains("would have no root=")
    );
    write(&folder, "proc/cmdline", "BOOT_IMAGE=/vmlinuz root=UUID=1 ro intel_iommu=off\n");
    emit(&folder, arguments);
    let line = "root=UUID=1 ro intel_iommu=off i915.enable_gvt=1 kvm.ignore_msrs=1\n";
    assert_eq!(read(&folder, "etc/kernel/cmdline"), line);
    emit(&folder, arguments);
    write(&folder, "etc/kernel/cmdline", "root=UUID=2 i915.enable_gvt=1\n");
    assert!(refused(&folder, arguments).contains("existing files differ"));
    let (_, stderr) = emit(&folder, &format!("{arguments} --force"));
    assert!(
        stderr.contains(
            "this is the command line in /etc/kernel/cmdline plus the missing parameters"
        ),
        "{stderr}"
    );
    assert_eq!(
        read(&folder, "etc/kernel/cmdline"),
        "root=UUID=2 i915.enable_gvt=1 kvm.ignore_msrs=1\n"
    );
}

#[test]
fn quiet_still_prints_parameters_that_have_no_file() {
    let folder = folder();
    for (bootloader, line) in [
        ("raw", "i915.enable_gvt=1 kvm.ignore_msrs=1"),
        ("systemd-boot", "options i915.enable_gvt=1 kvm.ignore_msrs=1"),
    ] {
        let (stdout, stderr) =
            emit(&folder, &format!("all --root host --quiet --bootloader {bootloader} a.xml"));
        assert_eq!(stdout.lines().count(), 3);
        assert!(
            stderr.contains("the following is not written to a file: ")
                && stderr.lines().any(|said| said.starts_with(line)),
            "{stderr}"
        );
    }
    for kind in ["cmdline", "qemu-conf", "nodedev a.xml"] {
        assert!(
            refused(&folder, &format!("{kind} --root host"))
                .contains("this is not a file that can be written below --root")
        );
    }
}

#[test]
fn nixos_gets_the_hook_as_a_file_and_the_rest_as_configuration() {
    const HOOK: &str = "var/lib/libvirt/hooks/qemu.d/gvtg";
    let folder = folder();
    write(&folder, "etc/NIXOS", "");
    let (stdout, stderr) = emit(&folder, "all --root host a.xml");
    assert_eq!(stdout, format!("host/{HOOK}\nhost/{MANIFEST}\n"));
    assert_eq!(files(&folder.path().join("host")), ["etc/NIXOS", MANIFEST, HOOK]);
    assert_eq!(mode(&folder, HOOK), 0o755);
    for line in [
        "  boot.kernelParams = [ \"i915.enable_gvt=1\" \"kvm.ignore_msrs=1\" ];\n",
        "  boot.kernelModules = [ \"kvmgt\" \"vfio-iommu-type1\" \"mdev\" \"vfio_pci\" ];\n",
        "  virtualisation.libvirtd.hooks.qemu.gvtg = ./gvtg;\n",
        "save it as /etc/nixos/gvtg.nix",
        "then run `sudo cp /var/lib/libvirt/hooks/qemu.d/gvtg /etc/nixos/gvtg`",
        "then run `sudo nixos-rebuild switch`",
        "then reboot",
    ] {
        assert!(stderr.contains(line), "{line}: {stderr}");
    }
    assert!(!stderr.contains("update-initramfs"), "{stderr}");
    // What is not a file on NixOS is printed.
    for (kind, option) in [
        ("modules", "  boot.kernelModules = ["),
        ("cmdline", "  boot.kernelParams = ["),
        ("modprobe", "  boot.extraModprobeConfig = ''"),
        ("udev", "  services.udev.extraRules = ''"),
        ("qemu-conf", "  virtualisation.libvirtd.qemu.verbatimConfig = ''"),
    ] {
        let (stdout, stderr) = emit(&folder, &format!("{kind} --root host"));
        assert!(
            stdout.contains(option) && stderr.contains("then run `sudo nixos-rebuild switch`"),
            "{kind}: {stdout}{stderr}"
        );
    }
    assert_eq!(files(&folder.path().join("host")), ["etc/NIXOS", MANIFEST, HOOK]);
    assert!(
        refused(&folder, "all --bootloader grub --root host a.xml")
            .contains("leave out --bootloader")
    );
    let (stdout, _) = emit(&folder, "filter --root host");
    assert_eq!(stdout, "host/var/lib/libvirt/hooks/qemu.d/gvtg-filter\n");
}

#[test]
fn does_not_write_a_hook_that_links_into_the_nixos_store() {
    let folder = folder();
    write(&folder, "etc/NIXOS", "");
    emit(&folder, "hook --root host a.xml");
    let hook = folder.path().join("host/var/lib/libvirt/hooks/qemu.d/gvtg");
    let stored = folder.path().join("host/nix/store/0aa-gvtg");
    fs::create_dir_all(stored.parent().unwrap()).unwrap();
    fs::rename(&hook, &stored).unwrap();
    symlink("/nix/store/0aa-gvtg", &hook).unwrap();
    emit(&folder, "hook --root host a.xml");
    let said = refused(&folder, "hook --force --root host two.xml");
    assert!(
        said.contains("NixOS links this hook from its store") && said.contains("/etc/nixos/gvtg"),
        "{said}"
    );
    assert!(fs::read_to_string(&stored).unwrap().contains("win10"));
}

#[test]
fn rpm_ostree_gets_kernel_arguments() {
    let folder = folder();
    write(&folder, "run/ostree-booted", "");
    let (_, stderr) = emit(&folder, "all --root host a.xml");
    let command = "run `sudo rpm-ostree kargs --append-if-missing=i915.enable_gvt=1 --append-if-missing=kvm.ignore_msrs=1`";
    assert!(
        stderr.contains(&format!("then {command}")) && !stderr.contains("update-initramfs"),
        "{stderr}"
    );
}

#[test]
fn reports_guc_submission_and_leaves_it() {
    let folder = folder();
    write(&folder, "etc/kernel/cmdline", "root=UUID=1 i915.enable_guc=3\n");
    let (_, stderr) = emit(&folder, "cmdline --bootloader kernel-install --root host --force");
    assert!(
        stderr.contains("sets i915.enable_guc, which turns on GuC submission: remove it"),
        "{stderr}"
    );
    assert_eq!(
        read(&folder, "etc/kernel/cmdline"),
        "root=UUID=1 i915.enable_guc=3 i915.enable_gvt=1 kvm.ignore_msrs=1\n"
    );
}

#[test]
fn writes_an_mdevctl_file_for_each_vgpu() {
    let folder = folder();
    let (stdout, _) = emit(&folder, "mdevctl --root host --pci 0000:00:02.0 two.xml");
    assert_eq!(
        stdout,
        format!(
            "host/etc/mdevctl.d/0000:00:02.0/{UUID}\nhost/etc/mdevctl.d/0000:00:02.0/{OTHER}\n"
        )
    );
}

#[test]
fn flags_about_the_root_require_one() {
    let folder = folder();
    for arguments in ["modules --diff", "modules --force", "all a.xml"] {
        assert!(refused(&folder, arguments).contains("--root"));
    }
}

#[test]
fn a_file_name_that_is_not_utf8_does_not_panic() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder();
    let name = std::ffi::OsStr::from_bytes(b"\xff.xml");
    fs::copy(folder.path().join("a.xml"), folder.path().join(name)).unwrap();
    let arguments = [std::ffi::OsStr::new("emit"), std::ffi::OsStr::new("hook"), name];
    let (code, stdout, _) = outcome(feed(program(arguments).current_dir(folder.path()), b""));
    assert_eq!(code, 0);
    assert!(stdout.contains(UUID));
}

#[test]
fn files_written_by_root_belong_to_root() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        common::skipped("only root can give a file to another user");
        return;
    }
    let folder = folder();
    emit(&folder, "all --root host a.xml");
    let hook = folder.path().join("host").join(HOOK);
    let owner = || fs::metadata(&hook).map(|hook| (hook.uid(), hook.gid())).unwrap();
    // The same text in a file that its user moved there, and another text.
    for text in [read(&folder, HOOK), "own\n".to_owned()] {
        fs::write(&hook, &text).unwrap();
        chown(&hook, Some(1000), Some(1000)).unwrap();
        let (code, stdout, _) = run_in(folder.path(), "emit all --root host --diff a.xml");
        assert!(
            code == 1 && stdout.contains(&format!("# host/{HOOK}: owner 1000:1000, will be 0:0\n")),
            "{stdout}"
        );
        if text == "own\n" {
            assert!(refused(&folder, "all --root host a.xml").contains("existing files differ"));
        }
        emit(
            &folder,
            if text == "own\n" { "all --root host --force a.xml" } else { "all --root host a.xml" },
        );
        assert_eq!((owner(), mode(&folder, HOOK)), ((0, 0), 0o755));
    }
    // New files in a setgid folder get its group.
    let hooks = hook.parent().unwrap();
    chown(hooks, Some(0), Some(64)).unwrap();
    fs::set_permissions(hooks, fs::Permissions::from_mode(0o2755)).unwrap();
    fs::remove_file(&hook).unwrap();
    emit(&folder, "all --root host a.xml");
    assert_eq!(owner(), (0, 0));
    // A folder of another user is reported, since root would run what that user puts there.
    chown(hooks, Some(1000), Some(0)).unwrap();
    let (_, stderr) = emit(&folder, "all --root host --quiet a.xml");
    assert!(
        stderr.contains(
            "the user 1000 can change host/etc/libvirt/hooks/qemu.d, and libvirt runs the hook as root: run `sudo chown root:root host/"
        ),
        "{stderr}"
    );
}
