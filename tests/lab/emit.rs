//! What real libvirts and udev make of the host's files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab;

const UUID: &str = "ab54baba-ea9a-4ce5-b7b4-51b376b65849";

/// The file of a kind for a domain with this name and a vGPU.
fn emit(arguments: &[&str], name: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let hostdev = format!(
        "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='{UUID}'/></source></hostdev>"
    );
    let domain =
        format!("<domain type='kvm'><name>{name}</name><devices>{hostdev}</devices></domain>");
    fs::write(folder.path().join("domain.xml"), domain).expect("a file");
    let mut program = Command::new(env!("CARGO_BIN_EXE_gvtg-xml"));
    let output = program
        .arg("emit")
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A folder for a question, with this file.
fn folder(name: &str, file: &str, text: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lab").join(name);
    fs::create_dir_all(&folder).expect("a folder in the target folder");
    fs::write(folder.join(file), text).expect("a file in the target folder");
    folder
}

/// The output of a command in a suite's chroot, with that folder.
fn inside(suite: lab::Suite, folder: &Path, command: &[&str]) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/in.sh");
    let output = Command::new(script)
        .arg("--bind")
        .arg(folder)
        .arg(suite.name)
        .args(command)
        .output()
        .expect("bash runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

#[test]
fn libvirt_defines_the_node_device_and_gives_it_the_emitted_name() {
    let Some(suites) = lab::suites() else { return };
    // The oldest with mdevctl here, and the newest.
    for suite in suites.into_iter().filter(|suite| matches!(suite.name, "bookworm" | "sid")) {
        for name in ["win10", "a b$(touch x)&apos;&quot;--&gt;"] {
            let device = emit(
                &["nodedev", "--type", "i915-GVTg_V5_4", "--pci", "0000:00:02.0", "domain.xml"],
                name,
            );
            let called = device
                .split("<name>")
                .nth(1)
                .and_then(|rest| rest.split("</name>").next())
                .expect("a name")
                .to_owned();
            let (done, said) = inside(
                suite,
                &folder(&format!("nodedev-{}", suite.name), "device.xml", &device),
                &["/lab/nodedev.sh"],
            );
            assert!(done, "{}: {said}", suite.name);
            let lines: Vec<&str> = said.lines().filter(|line| !line.is_empty()).collect();
            let wanted = [
                format!("Node device '{called}' defined from '/folder/device.xml'"),
                called,
                format!("0000:00:02.0/{UUID}"),
            ];
            assert_eq!(lines[..3], wanted, "{}: {said}", suite.name);
            // libvirt reports what is in the file that `emit mdevctl` prints.
            let kept = emit(&["mdevctl", "--type", "i915-GVTg_V5_4", "domain.xml"], name);
            assert_eq!(lines[3..].join("\n"), kept.trim_end(), "{}", suite.name);
        }
    }
}

#[test]
fn libvirt_reads_the_lines_for_qemu_conf() {
    let Some(suites) = lab::suites() else { return };
    let text = emit(&["qemu-conf"], "win10");
    for suite in suites {
        let ask = |text: &str| {
            inside(
                suite,
                &folder(&format!("qemu-conf-{}", suite.name), "qemu.conf", text),
                &["/lab/qemu-conf.sh"],
            )
        };
        let (done, said) = ask(&text);
        assert!(done && said == "ready\n", "{}: {said}", suite.name);
        // libvirt would complain about an invalid line.
        let (_, said) = ask(&text.replace(']', ""));
        assert!(
            said.contains("configuration file syntax error: /etc/libvirt/qemu.conf")
                && !said.contains("ready"),
            "{}: {said}",
            suite.name
        );
    }
}

#[test]
fn udev_reads_the_rule() {
    let Some(suites) = lab::suites() else { return };
    let text = emit(&["udev"], "win10");
    // Older versions cannot check a file.
    for suite in suites.into_iter().filter(|suite| matches!(suite.name, "trixie" | "sid")) {
        let ask = |text: &str| {
            inside(
                suite,
                &folder(&format!("udev-{}", suite.name), "gvtg.rules", text),
                &["udevadm", "verify", "/folder/gvtg.rules"],
            )
        };
        let (done, said) = ask(&text);
        assert!(done && said.contains("Success: 1"), "{}: {said}", suite.name);
        let (done, said) = ask(&text.replace("==", "=+"));
        assert!(!done, "{}: {said}", suite.name);
    }
}
