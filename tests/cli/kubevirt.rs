//! `kubevirt`, called like KubeVirt's sidecar-shim calls it: which domains it changes and how, and
//! that it prints a whole domain or nothing.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use common::kubevirt::{domain, vmi};
use common::program::{feed, outcome, program};

const OPREGION: &str = "\t<qemu:override>
\t\t<qemu:device alias=\"ua-gpu-gpu1\">
\t\t\t<qemu:frontend>
\t\t\t\t<qemu:property name=\"x-igd-opregion\" type=\"bool\" value=\"true\"/>
\t\t\t</qemu:frontend>
\t\t</qemu:device>
\t</qemu:override>
</domain>";

/// Runs the hook with these flags for a VM and its domain: exit code, stdout, stderr.
fn hook(flags: &str, vmi: &str, domain: &str) -> (i32, String, String) {
    let flags = flags.split_whitespace();
    let words = ["kubevirt"].into_iter().chain(flags).chain(["--vmi", vmi, "--domain", domain]);
    outcome(feed(&mut program(words), b""))
}

#[test]
fn adds_only_what_intels_driver_needs() {
    let domain = domain("");
    let (code, stdout, stderr) = hook("", &vmi("intel.com/U630", ""), &domain);
    assert_eq!((code, &*stdout), (0, &*domain.replace("</domain>", OPREGION)));
    assert_eq!(
        stderr,
        "<domain>:18:3: fixed[missing-opregion] Turn on x-igd-opregion for the vGPU\ngvtg-xml: 1 fixed, 0 left\n"
    );
    // KubeVirt calls the hook again for a VM that restarts, with KubeVirt's own domain; another
    // sidecar's domain may already have the property.
    let (code, again, stderr) = hook("", &vmi("intel.com/U630", ""), &stdout);
    assert_eq!((code, again, &*stderr), (0, stdout, "gvtg-xml: 0 fixed, 0 left\n"));
    assert_eq!(hook("--quiet", &vmi("intel.com/U630", ""), &domain).2, "");
}

#[test]
fn warns_about_a_display_that_nothing_can_show() {
    let domain = domain(" display=\"on\" ramfb=\"on\"");
    let (code, stdout, stderr) = hook("", &vmi("intel.com/U630", ""), &domain);
    assert_eq!((code, stdout), (0, domain.replace("</domain>", OPREGION)));
    assert!(
        stderr.contains("QEMU exits at startup because this vGPU's display is on")
            && stderr.contains("virtualGPUOptions: {display: {enabled: false}}"),
        "{stderr}"
    );
}

#[test]
fn shows_the_vgpu_over_kubevirts_vnc_with_a_display() {
    for (flags, annotation) in [
        ("--display egl-headless", ""),
        ("", "--display egl-headless"),
        ("--display egl-headless", "--display sdl,gl=on"),
    ] {
        let (code, stdout, stderr) = hook(
            flags,
            &vmi("intel.com/U630", annotation),
            &domain(" display=\"on\" ramfb=\"on\""),
        );
        assert_eq!(code, 0, "{stderr}");
        assert!(
            stdout.contains("<graphics type=\"vnc\">")
                && !stdout.contains("type=\"vga\"")
                && !stdout.contains("DISPLAY"),
            "{stdout}"
        );
        assert!(
            stdout.contains("<qemu:arg value=\"egl-headless\"/>")
                && stdout.contains("name=\"display\" type=\"string\" value=\"on\""),
            "{stdout}"
        );
        assert!(!stderr.contains("QEMU stops"), "{stderr}");
    }
    let (_, stdout, _) =
        hook("", &vmi("intel.com/U630", "--display egl-headless --keep-video"), &domain(""));
    assert!(stdout.contains("type=\"vga\""), "{stdout}");
}

#[test]
fn takes_flags_from_a_vms_annotation() {
    let set = "<qemu:arg value=\"device.ua-gpu-gpu1.x-igd-opregion=on\"/>";
    let (code, stdout, stderr) = hook("", &vmi("intel.com/U630", "--libvirt 7.0"), &domain(""));
    assert!(code == 0 && stdout.contains(set) && !stdout.contains("nohotplug"), "{stdout}{stderr}");
    let (_, stdout, _) =
        hook("--libvirt 9.0", &vmi("intel.com/U630", "--libvirt 7.0"), &domain(""));
    assert!(
        !stdout.contains(set) && stdout.contains("qemu:override"),
        "a flag overrides the annotation: {stdout}"
    );
    let (_, stdout, _) =
        hook("--ignore vgpu", &vmi("intel.com/U630", "--ignore qemu"), &domain(""));
    assert_eq!(stdout, domain(""), "both are ignored");
}

#[test]
fn returns_other_domains_unchanged() {
    let domain = domain(" display=\"on\"");
    let (start, end) = (
        domain.find("\t\t<hostdev").unwrap(),
        domain.find("</hostdev>\n").unwrap() + "</hostdev>\n".len(),
    );
    let without = format!("{}{}", &domain[..start], &domain[end..]);
    let channel = domain.replace("vfio-pci", "vfio-ap");
    for (what, vmi, domain) in [
        (
            "its nvidia.com/GRID_T4-1Q is not an Intel vGPU",
            vmi("nvidia.com/GRID_T4-1Q", ""),
            &domain,
        ),
        ("its amd.com/mxgpu is not an Intel vGPU", vmi("amd.com/mxgpu", "--assume-intel"), &domain),
        (
            "cannot tell whether its example.com/vgpu is Intel's: pass --assume-intel if it is",
            vmi("example.com/vgpu", ""),
            &domain,
        ),
        (
            "cannot tell whether its vGPU is Intel's, since the VM names no resource for it",
            "{}".to_owned(),
            &domain,
        ),
        ("it has no vGPU", vmi("intel.com/U630", ""), &without),
        ("it has no vGPU", vmi("intel.com/U630", "--display egl-headless"), &without),
        ("it has no vGPU", vmi("intel.com/U630", ""), &channel),
    ] {
        let (code, stdout, stderr) = hook("", &vmi, domain);
        assert_eq!((code, &stdout), (0, domain), "{what}");
        assert!(
            stderr.starts_with("gvtg-xml: domain left unchanged: ") && stderr.contains(what),
            "{stderr}"
        );
    }
}

#[test]
fn recognises_intels_vgpu_by_resource_or_flag() {
    let wanted = domain("").replace("</domain>", OPREGION);
    for (flags, vmi) in [
        ("", vmi("intel.com/anything", "")),
        ("", vmi("example.com/i915-GVTg_V5_4", "")),
        ("", vmi("example.com/vgpu", "--assume-intel")),
        ("--assume-intel", vmi("example.com/vgpu", "")),
        ("--assume-intel", "{}".to_owned()),
    ] {
        let (code, stdout, stderr) = hook(flags, &vmi, &domain(""));
        assert_eq!((code, &stdout), (0, &wanted), "{flags} {vmi}: {stderr}");
    }
}

#[test]
fn prints_nothing_on_errors() {
    let (right, domain) = (vmi("intel.com/U630", ""), domain(""));
    for (said, flags, vmi, domain) in [
        ("<domain>:15:3: error: ", "", &*right, &domain[..domain.find("<graphics").unwrap() + 5]),
        ("--domain: it is not a domain", "", &right, "<network/>"),
        ("--domain: it is not a domain", "", &right, ""),
        ("--vmi: invalid JSON: ", "", &right[..right.len() - 1], &domain),
        ("--vmi: not a JSON object", "", "[]", &domain),
        ("--vmi: invalid JSON: ", "", "", &domain),
        (
            "annotation gvtg-xml/flags is not a string",
            "",
            r#"{"metadata":{"annotations":{"gvtg-xml/flags":1}}}"#,
            &domain,
        ),
        (
            "--vmi: annotation gvtg-xml/flags: unexpected argument '--domain'",
            "",
            &vmi("intel.com/a", "--domain x"),
            &domain,
        ),
        (
            "--vmi: annotation gvtg-xml/flags: unexpected argument '--help'",
            "",
            &vmi("intel.com/a", "--help"),
            &domain,
        ),
        (
            "--vmi: annotation gvtg-xml/flags: invalid value 'gtk'",
            "",
            &vmi("intel.com/a", "--display gtk"),
            &domain,
        ),
        ("there is no rule 'nonsense'", "", &vmi("intel.com/a", "--ignore nonsense"), &domain),
        ("unexpected argument '--unsafe-fixes'", "--unsafe-fixes", &right, &domain),
    ] {
        let (code, stdout, stderr) = hook(flags, vmi, domain);
        assert_eq!((code, stdout.as_str()), (2, ""), "{said}: {stderr}");
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
    let (code, stdout, _) =
        outcome(feed(&mut program(["kubevirt", "--vmi", "{}"]), domain.as_bytes()));
    assert_eq!((code, stdout.as_str()), (2, ""), "stdin is not read");
}

#[test]
fn runs_as_a_link_with_the_hooks_name() {
    let folder = tempfile::tempdir().unwrap();
    symlink(env!("CARGO_BIN_EXE_gvtg-xml"), folder.path().join("onDefineDomain")).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let call = |script: &str| {
        let mut command = Command::new("sh");
        command
            .args(["-c", script, "sh", &vmi("intel.com/U630", ""), &domain("")])
            .env("PATH", &path);
        outcome(feed(&mut command, b""))
    };
    // Like the sidecar-shim, which finds the hook in $PATH.
    let (code, stdout, stderr) = call("onDefineDomain --vmi \"$1\" --domain \"$2\"");
    assert_eq!((code, stdout), (0, domain("").replace("</domain>", OPREGION)), "{stderr}");
    let (code, stdout, stderr) = call("onDefineDomain --version v1alpha2");
    assert!(code == 2 && stdout.is_empty() && stderr.contains("--version"), "{stdout}{stderr}");
    assert!(call("onDefineDomain --help").1.contains("Usage: gvtg-xml kubevirt"));
    fs::remove_file(folder.path().join("onDefineDomain")).unwrap();
}
