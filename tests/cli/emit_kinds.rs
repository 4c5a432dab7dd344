//! What is in each kind of file, and that a domain's name leaves none of them.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::process::Command;

use common::guests::{NAMES_THAT_HURT, OTHER, UUID, with_vgpus};
use common::program::{feed, outcome, program, run};

const WORDS: &str = "i915.enable_gvt=1 kvm.ignore_msrs=1";

/// What a kind prints for this document.
fn emit(arguments: &str, document: &str) -> String {
    let (code, stdout, stderr) = run(&format!("emit {arguments}"), document);
    assert_eq!(code, 0, "{arguments}: {stderr}");
    stdout
}

/// Lines that are no comments and not empty.
fn said(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// The name of a document's root, if it is one.
fn root(text: &str) -> Option<String> {
    gvtg_xml::internals::xml::read(text, |document| document.root().name().to_owned()).ok()
}

#[test]
fn raw_parameters_are_words_alone() {
    assert_eq!(emit("cmdline", ""), format!("{WORDS}\n"));
}

#[test]
fn entries_of_systemd_boot_get_a_further_line_of_options() {
    let text = emit("cmdline --bootloader systemd-boot", "");
    assert_eq!(said(&text), [format!("options {WORDS}")]);
    assert!(text.contains("# i915.enable_gvt=1: Turns GVT-g on."), "{text}");
}

#[test]
fn modprobe_gets_the_options_of_modules() {
    assert_eq!(
        said(&emit("modprobe", "")),
        ["options i915 enable_gvt=1", "options kvm ignore_msrs=1"]
    );
}

/// What the command line is after a shell has sourced GRUB's file so many times.
fn sourced(linux: &str, default: &str, times: usize) -> String {
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
fn grub_keeps_what_is_there_and_says_nothing_twice() {
    for times in [1, 2] {
        assert_eq!(sourced("", "", times), WORDS);
        assert_eq!(
            sourced("net.ifnames=0", "quiet splash", times),
            format!("quiet splash {WORDS}")
        );
        assert_eq!(
            sourced("intel_iommu=off", "i915.enable_gvt=1", times),
            "i915.enable_gvt=1 kvm.ignore_msrs=1"
        );
        // The last word counts, and the user's other settings stay.
        assert_eq!(
            sourced(
                "i915.enable_gvt=1",
                "i915.enable_gvt=0 i915.enable_guc=2 intel_iommu=off",
                times
            ),
            "i915.enable_gvt=0 i915.enable_guc=2 intel_iommu=off i915.enable_gvt=1 kvm.ignore_msrs=1"
        );
        assert_eq!(
            sourced("", "xi915.enable_gvt=1 a=\"b c\"", times),
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
        // A pipe that stays open and empty: who reads it waits.
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
fn a_node_device_has_its_parent_type_and_uuid() {
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
fn mdevctl_has_one_file_a_vgpu_and_starts_it_at_boot_only_when_told() {
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
fn stdout_holds_one_vgpu_of_several() {
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
    assert_eq!(said(&commands), ["set -e".to_owned(), line(UUID), line(OTHER)]);
}

#[test]
fn the_list_for_qemu_conf_has_what_libvirt_has_by_itself() {
    let text = emit("qemu-conf --pci 0000:ff:1f.7", "");
    let list: String = said(&text).concat().split_whitespace().collect();
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
fn the_udev_rule_is_for_vfio_alone() {
    assert_eq!(said(&emit("udev", "")), ["SUBSYSTEM==\"vfio\", GROUP=\"kvm\", MODE=\"0660\""]);
}

#[test]
fn no_name_leaves_its_place() {
    for name in NAMES_THAT_HURT {
        let document = with_vgpus(name, &[UUID]);
        let plain = with_vgpus("plain", &[UUID]);
        // What is no comment is the same as for a plain name.
        for kind in ["mdevctl", "mdevctl --commands"] {
            assert_eq!(said(&emit(kind, &document)), said(&emit(kind, &plain)), "{name}");
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
fn what_was_typed_is_in_the_files_and_does_nothing_there() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a\nb.xml", "-->.xml", "?>.xml", "$(touch x).xml", "a\\", "-n.xml"] {
        std::fs::write(folder.path().join(name), with_vgpus("win10", &[UUID])).unwrap();
        let path = format!("./{name}");
        let (code, script, stderr) = outcome(feed(
            program(["emit", "mdevctl", "--commands", &path]).current_dir(folder.path()),
            b"",
        ));
        assert_eq!(code, 0, "{stderr}");
        assert_eq!(said(&script).len(), 2, "{script}");
        let (_, xml, _) =
            outcome(feed(program(["emit", "nodedev", &path]).current_dir(folder.path()), b""));
        assert_eq!(root(&xml).as_deref(), Some("device"), "{xml}");
    }
}
