//! The tools that read the emitted files: grub-mkconfig, kernel-install, systemd-modules-load,
//! modprobe, mdevctl and virt-xml-validate. Each runs in its own mount namespace, so that it does
//! not change the machine.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::guests::{NAMES_THAT_HURT, UUID, with_vgpus};
use common::program::{feed, has_tool, outcome, run};

const WORDS: &str = "i915.enable_gvt=1 kvm.ignore_msrs=1";

/// A folder with a file of this text.
fn with_file(name: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), text).unwrap();
    folder
}

fn emit(arguments: &str, document: &str) -> String {
    let (code, stdout, stderr) = run(&format!("emit {arguments}"), document);
    assert_eq!(code, 0, "{stderr}");
    stdout
}

/// Whether namespaces can be created, which needs root; notes the test as skipped otherwise.
fn has_namespaces() -> bool {
    has_tool("unshare", &["--mount", "--pid", "--fork", "true"])
}

/// Runs a command in a folder, in its own mount and process namespaces: stdout and stderr. The
/// command must succeed.
fn isolated(folder: &Path, command: &[&str]) -> (String, String) {
    let mut unshare = Command::new("unshare");
    unshare
        .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"])
        .args(command)
        .current_dir(folder);
    let (code, stdout, stderr) = outcome(feed(&mut unshare, b""));
    assert_eq!(code, 0, "{command:?}: {stdout}{stderr}");
    (stdout, stderr)
}

/// A script of tests/host.
fn host_script(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host").join(name).to_str().unwrap().to_owned()
}

#[test]
fn grub_adds_the_parameters_only_to_normal_entries() {
    if !has_namespaces() || !has_tool("grub-mkconfig", &["--version"]) {
        return;
    }
    let folder = with_file("gvtg.cfg", &emit("cmdline --bootloader grub", ""));
    let (menu, _) = isolated(folder.path(), &["sh", &host_script("grub-mkconfig.sh")]);
    let lines: Vec<&str> =
        menu.lines().map(str::trim).filter(|line| line.starts_with("linux\t")).collect();
    let normal =
        format!("linux\t/vmlinuz-6.1.0-1-amd64 root=/dev/vda1 ro net.ifnames=0 quiet {WORDS}");
    assert_eq!(
        lines,
        [&normal, &normal, "linux\t/vmlinuz-6.1.0-1-amd64 root=/dev/vda1 ro single net.ifnames=0"],
        "{menu}"
    );
}

#[test]
fn kernel_install_writes_an_entry_with_the_whole_command_line() {
    if !has_namespaces() || !has_tool("kernel-install", &["--version"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (entry, _) = isolated(
        folder.path(),
        &["sh", &host_script("kernel-install.sh"), env!("CARGO_BIN_EXE_gvtg-xml")],
    );
    let options: Vec<&str> =
        entry.lines().filter_map(|line| line.strip_prefix("options")).map(str::trim).collect();
    assert_eq!(options, [format!("root=UUID=1 ro quiet {WORDS}")], "{entry}");
}

#[test]
fn systemd_loads_each_module_in_the_file() {
    const PROGRAM: &str = "/usr/lib/systemd/systemd-modules-load";
    if !has_namespaces() || !has_tool(PROGRAM, &["--help"]) {
        return;
    }
    let folder = with_file("gvt.conf", &emit("modules", ""));
    // Without modules there is nothing to load; the log lists the names that were looked up.
    let look = format!(
        "mkdir -p /usr/lib/modules && mount -t tmpfs none /usr/lib/modules && exec {PROGRAM} \"$PWD/gvt.conf\""
    );
    let wrapped = [
        "env",
        "SYSTEMD_LOG_LEVEL=debug",
        "SYSTEMD_LOG_TARGET=console",
        "SYSTEMD_LOG_COLOR=0",
        "sh",
        "-c",
        &look,
    ];
    let (stdout, stderr) = isolated(folder.path(), &wrapped);
    let log = stdout + &stderr;
    let modules: Vec<&str> = log
        .lines()
        .filter_map(|line| line.split_once("Loading module: "))
        .map(|(_, name)| name)
        .collect();
    assert_eq!(modules, ["kvmgt", "vfio-iommu-type1", "mdev", "vfio_pci"], "{log}");
}

#[test]
fn modprobe_reads_the_options() {
    if !has_tool("modprobe", &["--version"]) {
        return;
    }
    let folder = with_file("gvtg.conf", &emit("modprobe", ""));
    let mut modprobe = Command::new("modprobe");
    let (code, stdout, stderr) = outcome(feed(
        modprobe.arg("-C").arg(folder.path().join("gvtg.conf")).arg("--showconfig"),
        b"",
    ));
    assert_eq!((code, stderr.as_str()), (0, ""));
    let options: Vec<&str> = stdout
        .lines()
        .filter(|line| line.starts_with("options i915 ") || line.starts_with("options kvm "))
        .collect();
    assert_eq!(options, ["options i915 enable_gvt=1", "options kvm ignore_msrs=1"]);
}

#[test]
fn mdevctl_lists_starts_and_stops_the_vgpu() {
    if !has_namespaces() || !has_tool("mdevctl", &["--version"]) {
        return;
    }
    if !Path::new("/dev/fuse").exists() {
        common::skipped("there is no /dev/fuse for the emulated GPU");
        return;
    }
    let document = with_vgpus("win10", &[UUID]);
    let folder = with_file(
        "commands",
        &emit("mdevctl --commands --autostart --type i915-GVTg_V5_4", &document),
    );
    let root = folder.path().display().to_string();
    emit(&format!("mdevctl --type i915-GVTg_V5_4 --root {root}"), &document);
    let (stdout, stderr) = isolated(
        folder.path(),
        &["sh", &host_script("mdevctl.sh"), mdev_sysfs().to_str().unwrap()],
    );
    let vgpu = format!("{UUID} 0000:00:02.0 i915-GVTg_V5_4");
    let lines: Vec<&str> = stdout.lines().take(4).collect();
    let wanted = [
        format!("defined: {vgpu} manual"),
        format!("started: {vgpu} manual (defined)"),
        "stopped: ".to_owned(),
        format!("by commands: {vgpu} auto"),
    ];
    assert_eq!(lines, wanted, "{stdout}{stderr}");
    // mdevctl writes the same file as `emit`.
    let written: String = stdout.lines().skip(4).map(|line| line.to_owned() + "\n").collect();
    assert_eq!(written, emit("mdevctl --autostart --type i915-GVTg_V5_4", &document));
}

/// The emulated GPU, which cargo builds with the tests.
fn mdev_sysfs() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("examples/mdev-sysfs")
}

#[test]
fn node_devices_match_libvirts_schema() {
    if !has_tool("virt-xml-validate", &["--version"]) {
        return;
    }
    for name in NAMES_THAT_HURT {
        let folder = with_file("device.xml", &emit("nodedev", &with_vgpus(name, &[UUID])));
        let mut validate = Command::new("virt-xml-validate");
        let (code, stdout, stderr) =
            outcome(feed(validate.arg(folder.path().join("device.xml")).arg("nodedev"), b""));
        assert_eq!(code, 0, "{stdout}{stderr}");
    }
}
