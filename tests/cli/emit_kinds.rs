//! The contents of each kind of file, and that a domain's name cannot break out of its place in
//! one.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::process::Command;

use common::guests::{NAMES_THAT_HURT, OTHER, UUID, with_vgpus};
use common::program::{feed, outcome, program, run};

const WORDS: &str = "i915.enable_gvt=1 kvm.ignore_msrs=1";

/// The file of this kind for a document.
fn emit(arguments: &str, document: &str) -> String {
    let (code, stdout, stderr) = run(&format!("emit {arguments}"), document);
    assert_eq!(code, 0, "{arguments}: {stderr}");
    stdout
}

/// Lines that are neither comments nor empty.
fn effective_lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// The name of a document's root element, if the document is well-formed.
fn root(text: &str) -> Option<String> {
    gvtg_xml::internals::xml::read(text, |document| document.root().name().to_owned()).ok()
}

#[test]
fn raw_prints_only_the_parameters() {
    assert_eq!(emit("cmdline", ""), format!("{WORDS}\n"));
}

#[test]
fn systemd_boot_gets_an_options_line() {
    let text = emit("cmdline --bootloader systemd-boot", "");
    assert_eq!(effective_lines(&text), [format!("options {WORDS}")]);
    assert!(text.contains("# i915.enable_gvt=1: Turns GVT-g on."), "{text}");
}

#[test]
fn modprobe_gets_module_options() {
    assert_eq!(
        effective_lines(&emit("modprobe", "")),
        ["options i915 enable_gvt=1", "options kvm ignore_msrs=1"]
    );
}

/// The kernel command line after a shell has sourced GRUB's file this many times.
fn grub_command_line(linux: &str, default: &str, times: usize) -> String {
    let source = ". ./gvtg.cfg; ".repeat(times);
    let script = format!(
        "set -eu; GRUB_CMDLINE_LINUX='{linux}' GRUB_CMDLINE_LINUX_DEFAULT='{default}'; {source} printf %s \"$GRUB_CMDLINE_LINUX_DEFAULT\""
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("gvtg.cfg"), emit("cmdline --bootloader grub", "")).unwrap();
    let (code, stdout, stderr) = outcome(
        Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap(),
    );
    assert_eq!(code, 0, "{stderr}");
    stdout
}

#[test]
fn grub_keeps_existing_parameters_without_duplicates() {
    for times in [1, 2] {
        assert_eq!(grub_command_line("", "", times), WORDS);
        assert_eq!(
            grub_command_line("net.ifnames=0", "quiet splash", times),
            format!("quiet splash {WORDS}")
        );
        assert_eq!(
            grub_command_line("intel_iommu=off", "i915.enable_gvt=1", times),
            "i915.enable_gvt=1 kvm.ignore_msrs=1"
        );
        // The last word takes effect, and the user's other settings stay.
        assert_eq!(
            grub_command_line(
                "i915.enable_gvt=1",
                "i915.enable_gvt=0 i915.enable_guc=2 intel_iommu=off",
                times
            ),
            "i915.enable_gvt=0 i915.enable_guc=2 intel_iommu=off i915.enable_gvt=1 kvm.ignore_msrs=1"
        );
        assert_eq!(
            grub_command_line("", "xi915.enable_gvt=1 a=\"b c\"", times),
            format!("xi915.enable_gvt=1 a=\"b c\" {WORDS}")
        );
    }
}

#[test]
fn kinds_without_a_domain_never_read_stdin() {
    for kind in [
        "modules",
        "cmdline",
        "cmdline --bootloader grub",
        "cmdline --bootloader systemd-boot",
        "modprobe",
        "udev",
        "qemu-conf",
    ] {
        // An empty pipe that stays open: a program that reads it waits.
        let mut sleeper =
            Command::new("sleep").arg("60").stdout(std::process::Stdio::piped()).spawn().unwrap();
        let pipe = sleeper.stdout.take().unwrap();
        let started = std::time::Instant::now();
        let words = ["emit"].into_iter().chain(kind.split(' '));
        let output = program(words).stdin(pipe).output().unwrap();
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
        assert!(output.status.success() && started.elapsed().as_secs() < 30, "{kind}");
    }
}

#[test]
fn nodedev_has_parent_type_and_uuid() {
    let text =
        emit("nodedev --pci 0000:00:02.0 --type i915-GVTg_V5_8", &with_vgpus("win10", &[UUID]));
    let device = "<device>
  <name>mdev_ab54baba_ea9a_4ce5_b7b4_51b376b65849_0000_00_02_0</name>
  <parent>pci_0000_00_02_0</parent>
  <capability type='mdev'>
    <type id='i915-GVTg_V5_8'/>
    <uuid>ab54baba-ea9a-4ce5-b7b4-51b376b65849</uuid>
  </capability>
</device>
";
    let (before, after) = text.split_at(text.find("<device>").unwrap());
    assert_eq!(after, device);
    assert_eq!(
        before.lines().next(),
        Some("<?made-by gvtg-xml emit nodedev --pci 0000:00:02.0 --type i915-GVTg_V5_8?>")
    );
    assert!(before.contains("<!-- A vGPU of the domain win10."), "{before}");
}

#[test]
fn mdevctl_writes_a_file_per_vgpu_and_starts_it_at_boot_only_on_request() {
    let document = with_vgpus("win10", &[UUID]);
    let json = |start: &str| {
        format!(
            "{{\n  \"mdev_type\": \"i915-GVTg_V5_4\",\n  \"start\": \"{start}\",\n  \"attrs\": []\n}}\n"
        )
    };
    let (_, stdout, stderr) = run("emit mdevctl --type i915-GVTg_V5_4", &document);
    assert_eq!(stdout, json("manual"));
    assert!(
        stderr.contains(&format!("install this as /etc/mdevctl.d/0000:00:02.0/{UUID} (mode 644)"))
            && !stderr.contains("suspended"),
        "{stderr}"
    );
    let (_, stdout, stderr) = run("emit mdevctl --type i915-GVTg_V5_4 --autostart", &document);
    assert_eq!(stdout, json("auto"));
    assert!(
        stderr.contains("suspended while one exists may hang") && stderr.contains("The hook"),
        "{stderr}"
    );
}

#[test]
fn only_selects_the_vgpu_for_stdout() {
    let document = with_vgpus("win10", &[UUID, OTHER]);
    for kind in ["nodedev", "mdevctl"] {
        let (code, stdout, stderr) = run(&format!("emit {kind}"), &document);
        assert_eq!((code, stdout.as_str()), (2, ""));
        assert!(stderr.contains("there are 2 vGPUs, but only one file can go to stdout\n  help: choose one with --only UUID"), "{stderr}");
        let (code, stdout, stderr) = run(&format!("emit {kind} --only {OTHER}"), &document);
        assert_eq!(code, 0, "{stderr}");
        assert!(
            format!("{stdout}{stderr}").contains(OTHER)
                && !format!("{stdout}{stderr}").contains(UUID),
            "{stdout}{stderr}"
        );
        let (code, _, stderr) =
            run(&format!("emit {kind} --only 00000000-0000-4000-8000-000000000000"), &document);
        assert!(
            code == 2 && stderr.contains("none of these domains has the vGPU 00000000-"),
            "{stderr}"
        );
    }
    let commands = emit("mdevctl --commands --type i915-GVTg_V5_4", &document);
    let line = |uuid: &str| {
        format!("mdevctl define --uuid {uuid} --parent 0000:00:02.0 --type i915-GVTg_V5_4")
    };
    assert_eq!(effective_lines(&commands), ["set -e".to_owned(), line(UUID), line(OTHER)]);
}

#[test]
fn qemu_conf_keeps_libvirts_default_devices() {
    let text = emit("qemu-conf --pci 0000:ff:1f.7", "");
    let list: String = effective_lines(&text).concat().split_whitespace().collect();
    let wanted = "cgroup_device_acl=[\"/dev/null\",\"/dev/full\",\"/dev/zero\",\"/dev/random\",\"/dev/urandom\",\"/dev/ptmx\",\"/dev/kvm\",\
        \"/dev/userfaultfd\",\"/dev/dri/card0\",\"/dev/dri/renderD128\"]";
    assert_eq!(list, wanted);
    for note in [
        "replaces libvirt's default list",
        "xhost +si:localuser:libvirt-qemu",
        "these are its names on most machines",
    ] {
        assert!(text.contains(note), "{note}: {text}");
    }
}

#[test]
fn the_udev_rule_matches_only_vfio() {
    assert_eq!(
        effective_lines(&emit("udev", "")),
        ["SUBSYSTEM==\"vfio\", GROUP=\"kvm\", MODE=\"0660\""]
    );
}

#[test]
fn no_name_breaks_out_of_a_comment() {
    for name in NAMES_THAT_HURT {
        let document = with_vgpus(name, &[UUID]);
        let plain = with_vgpus("plain", &[UUID]);
        // Everything except comments is the same as for a plain name.
        for kind in ["mdevctl", "mdevctl --commands"] {
            assert_eq!(
                effective_lines(&emit(kind, &document)),
                effective_lines(&emit(kind, &plain)),
                "{name}"
            );
        }
        let device = |document: &str| {
            let text = emit("nodedev", document);
            assert_eq!(root(&text).as_deref(), Some("device"), "{text}");
            text[text.find("<device>").unwrap()..].to_owned()
        };
        assert_eq!(device(&document), device(&plain), "{name}");
    }
}

#[test]
fn file_names_in_comments_are_harmless() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a\nb.xml", "-->.xml", "?>.xml", "$(touch x).xml", "a\\", "-n.xml"] {
        std::fs::write(folder.path().join(name), with_vgpus("win10", &[UUID])).unwrap();
        let path = format!("./{name}");
        let (code, script, stderr) = outcome(feed(
            program(["emit", "mdevctl", "--commands", &path]).current_dir(folder.path()),
            b"",
        ));
        assert_eq!(code, 0, "{stderr}");
        assert_eq!(effective_lines(&script).len(), 2, "{script}");
        let (_, xml, _) =
            outcome(feed(program(["emit", "nodedev", &path]).current_dir(folder.path()), b""));
        assert_eq!(root(&xml).as_deref(), Some("device"), "{xml}");
    }
}
