//! The hook for a domain: which vGPUs it creates, and which domains are rejected.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs;

use common::guests::{OTHER, UUID, domain};
use common::program::{run, run_in};
use tempfile::TempDir;

fn metadata(attributes: &str, inside: &str) -> String {
    format!("<gvtg:domain xmlns:gvtg='urn:gvtg-xml:1' {attributes}>{inside}</gvtg:domain>")
}

/// The lines of the hook that name vGPUs, for this document.
fn setup_lines(arguments: &str, document: &str) -> Vec<String> {
    let (code, stdout, stderr) = run(&format!("emit hook {arguments}"), document);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.starts_with("#!/bin/sh\n"));
    stdout.lines().filter(|line| line.starts_with("setup_gpu ")).map(str::to_owned).collect()
}

/// The error for a document that there is no hook for. Checks that stdout is empty.
fn refused(arguments: &str, document: &str) -> String {
    let (code, stdout, stderr) = run(&format!("emit hook {arguments}"), document);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    stderr
}

fn folder(files: &[(&str, String)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn a_vgpu_has_a_line_with_its_domain_uuid_and_type() {
    let metadata = metadata("type='i915-GVTg_V5_8'", "");
    assert_eq!(
        setup_lines("", &domain("win10", &[UUID], &metadata)),
        [format!("setup_gpu win10 {UUID} i915-GVTg_V5_8")]
    );
    let upper = UUID.to_uppercase().replace('-', "");
    assert_eq!(
        setup_lines("", &domain("win10", &[&upper], &metadata)),
        [format!("setup_gpu win10 {UUID} i915-GVTg_V5_8")]
    );
}

#[test]
fn flags_override_what_the_domain_records() {
    let document =
        domain("win10", &[UUID], &metadata("type='i915-GVTg_V5_8' pci='0000:00:02.0'", ""));
    let arguments = format!("--type i915-GVTg_V5_2 --pci 0000:01:00.0 --uuid {OTHER}");
    assert_eq!(
        setup_lines(&arguments, &document),
        [format!("setup_gpu win10 {OTHER} i915-GVTg_V5_2 0000:01:00.0")]
    );
}

#[test]
fn reports_a_type_that_was_chosen_by_default() {
    let document = domain("win10", &[UUID], "");
    let (code, stdout, stderr) = run("emit hook --pci 0000:ff:1f.7", &document);
    assert_eq!(code, 0);
    assert!(
        stdout.contains("# The domain records no type")
            && stdout.ends_with("i915-GVTg_V5_4 0000:ff:1f.7\n"),
        "{stdout}"
    );
    assert!(stderr.contains("win10 has no recorded vGPU type: using i915-GVTg_V5_4"), "{stderr}");
    let (_, stdout, stderr) = run("emit hook --type i915-GVTg_V5_4", &document);
    assert!(
        !stdout.contains("records no type") && !stderr.contains("has no recorded vGPU type"),
        "{stdout}{stderr}"
    );
    assert_eq!(run("emit hook --quiet", &document).2, "");
}

#[test]
fn each_of_two_vgpus_has_its_own_type_and_gpu() {
    let own = format!("<gvtg:vgpu uuid='{OTHER}' type='i915-GVTg_V5_8' pci='0000:00:02.1'/>");
    let document = domain("win10", &[UUID, OTHER], &metadata("type='i915-GVTg_V5_4'", &own));
    let wanted = [
        format!("setup_gpu win10 {UUID} i915-GVTg_V5_4"),
        format!("setup_gpu win10 {OTHER} i915-GVTg_V5_8 0000:00:02.1"),
    ];
    assert_eq!(setup_lines("", &document), wanted);
    let said = refused(&format!("--uuid {UUID}"), &document);
    assert!(said.starts_with("gvtg-xml: <stdin>:6:1: error: the domain has 2 vGPUs"), "{said}");
}

#[test]
fn quotes_any_domain_name() {
    for (name, word) in [
        ("a b", "'a b'"),
        ("$(touch x)", "'$(touch x)'"),
        ("&apos;\"", "''\\''\"'"),
        ("-n", "-n"),
        ("*", "'*'"),
        ("a\\b", "'a\\b'"),
        (" a", "' a'"),
        ("é&#x202e;", "'é\u{202e}'"),
    ] {
        let word = if word == "-n" { "'-n'" } else { word };
        let (code, stdout, _) = run("emit hook --type i915-GVTg_V5_4", &domain(name, &[UUID], ""));
        assert_eq!(code, 0);
        assert!(
            stdout.ends_with(&format!("\nsetup_gpu {word} {UUID} i915-GVTg_V5_4\n")),
            "{name}: {stdout}"
        );
        let comments: Vec<&str> = stdout.lines().filter(|line| line.starts_with('#')).collect();
        assert!(!comments.iter().any(|line| line.contains('\u{202e}')), "{comments:?}");
    }
}

#[test]
fn makes_one_hook_from_several_files() {
    let folder = folder(&[
        ("a.xml", domain("a", &[UUID], &metadata("type='i915-GVTg_V5_4'", ""))),
        ("b.xml", domain("b", &[OTHER], &metadata("type='i915-GVTg_V5_4'", ""))),
        ("network.xml", "<network/>".into()),
        ("plain.xml", domain("plain", &[], "")),
    ]);
    for files in ["a.xml b.xml", "."] {
        let (code, stdout, stderr) = run_in(folder.path(), &format!("emit hook {files}"));
        assert_eq!(code, 0, "{stderr}");
        let wanted = format!("setup_gpu a {UUID} i915-GVTg_V5_4\n");
        assert!(
            stdout.contains(&wanted)
                && stdout.ends_with(&format!("setup_gpu b {OTHER} i915-GVTg_V5_4\n")),
            "{stdout}"
        );
        assert!(
            stdout.contains("# Creates the vGPUs of a and b ")
                && stdout.contains(&format!("# Made by: gvtg-xml emit hook {files}\n"))
        );
    }
    fs::create_dir(folder.path().join("nets")).unwrap();
    fs::rename(folder.path().join("network.xml"), folder.path().join("nets/network.xml")).unwrap();
    let (code, _, stderr) = run_in(folder.path(), "emit hook nets");
    assert_eq!(code, 2);
    assert!(stderr.starts_with("gvtg-xml: nets: no domain with a vGPU found"), "{stderr}");
    let (code, stdout, stderr) = run_in(folder.path(), "emit hook a.xml plain.xml");
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(
        stderr.starts_with(
            "gvtg-xml: plain.xml:1:1: error: the domain has no vGPU\n  help: run `gvtg-xml fix`"
        ),
        "{stderr}"
    );
}

#[test]
fn names_domains_that_cannot_be_on_one_host() {
    let folder = folder(&[
        ("a.xml", domain("a", &[UUID], "")),
        ("b.xml", domain("b", &[&UUID.to_uppercase()], "")),
        ("a2.xml", domain("a", &[OTHER], "")),
    ]);
    for (files, said) in [
        ("a.xml b.xml", "a (a.xml) and b (b.xml) have the same vGPU"),
        ("a.xml a2.xml", "a (a.xml) and a (a2.xml) have the same name"),
    ] {
        let (code, stdout, stderr) = run_in(folder.path(), &format!("emit hook {files}"));
        assert_eq!((code, stdout.as_str()), (2, ""));
        assert!(stderr.contains(said), "{stderr}");
    }
    assert!(refused("", &domain("a", &[UUID, UUID], "")).contains("a (<stdin>) has the vGPU"));
}

#[test]
fn rejects_invalid_vgpus_with_their_position() {
    for (document, said) in [
        (domain("a", &[], ""), "1:1: error: the domain has no vGPU"),
        (domain("a", &["your-gpu-uuid-here"], ""), "5:1: error: the vGPU has no UUID"),
        (
            domain("a", &[UUID], &metadata("type='nvidia-35'", "")),
            "1:1: error: the domain has no vGPU",
        ),
        (
            domain("a", &[UUID], &metadata("type='i915-GVTg_V5_4 x'", "")),
            "3:11: error: 'i915-GVTg_V5_4 x' is not a GVT-g vGPU type",
        ),
        (
            domain("a", &[UUID], &metadata("pci='2.0'", "")),
            "3:11: error: '2.0', recorded in <metadata>, is not a PCI address",
        ),
        (
            domain("a", &["{{ gpu_uuid }}"], ""),
            "5:1: error: the vGPU's UUID is '{{ gpu_uuid }}', a placeholder that a template fills in later\n  help: use",
        ),
        (
            domain("{{ vm }}", &[UUID], ""),
            "2:1: error: the domain's name is '{{ vm }}', a placeholder that a template fills in later\n  help: use",
        ),
        (
            domain("a", &[UUID], &metadata("type='${TYPE}'", "")),
            "3:11: error: '${TYPE}', recorded in <metadata>, is a placeholder",
        ),
        (
            domain("a", &[UUID], &metadata("pci='@pci@'", "")),
            "3:11: error: '@pci@', recorded in <metadata>, is a placeholder",
        ),
        (domain("", &[UUID], ""), "2:1: error: the domain has no name"),
        (domain("a&#10;b", &[UUID], ""), "2:1: error: libvirt does not accept the domain's name"),
        ("<network/>".into(), "1:1: error: the root element is <network>, not <domain>"),
        ("<domain>".into(), "error:"),
        (String::new(), "error:"),
    ] {
        let stderr = refused("", &document);
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
    let raw = "<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><name>a</name><q:commandline><q:arg value='-device'/>\
        <q:arg value='vfio-pci,sysfsdev=/sys/bus/mdev/devices/ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></q:commandline></domain>";
    assert!(refused("", raw).contains("the vGPU is a QEMU argument"));
}

#[test]
fn each_style_says_where_to_install_it() {
    let document = domain("win10", &[UUID], "");
    for (style, path) in [
        ("qemu.d", "/etc/libvirt/hooks/qemu.d/gvtg"),
        ("qemu", "/etc/libvirt/hooks/qemu"),
        ("session", "/etc/libvirt/hooks/qemu.d/gvtg"),
    ] {
        let (code, stdout, stderr) = run(&format!("emit hook --style {style}"), &document);
        assert_eq!(code, 0);
        assert!(stdout.contains(&format!("# Install it as {path} with mode 755")), "{stdout}");
        assert!(stderr.contains(&format!("install this as {path} (mode 755)\n")), "{stderr}");
        assert_eq!(stdout.contains("pkexec"), style == "session");
    }
}

#[test]
fn modules_needs_no_domain_and_writes_comments_on_separate_lines() {
    let (code, stdout, _) = run("emit modules", "no domain");
    assert_eq!(code, 0);
    let names: Vec<&str> =
        stdout.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(names, ["kvmgt", "vfio-iommu-type1", "mdev", "vfio_pci"]);
}
