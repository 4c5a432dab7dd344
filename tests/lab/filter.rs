//! The filter with real libvirtds: domains that move between hosts, while shut off or saved and
//! restored.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::lab;

/// The answer of tests/lab/filter.py for a step.
#[derive(Debug, serde::Deserialize)]
struct Answer {
    step: String,
    said: String,
    kept: Option<String>,
}

/// Runs a program of this machine, which must succeed.
fn must(command: &mut Command) -> Vec<u8> {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Runs these steps between two suites with these files, with the hook for the target's libvirt
/// next to another hook that does nothing.
fn steps(source: &str, target: &str, files: &[(&str, &str)], steps: &[&str]) -> Vec<Answer> {
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("lab").join(format!("filter-{target}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("hooks/qemu.d")).expect("a folder in the target folder");
    let write = |name: &str, text: &[u8]| {
        fs::write(folder.join(name), text).expect("a file in the target folder")
    };
    files.iter().for_each(|(name, text)| write(name, text.as_bytes()));
    write("steps", (steps.join("\n") + "\n").as_bytes());
    write("hooks/qemu", b"#!/bin/sh\nexit 0\n");
    write(
        "hooks/qemu.d/gvtg-filter",
        &must(Command::new(env!("CARGO_BIN_EXE_gvtg-xml")).args(["emit", "filter", "--quiet"])),
    );
    must(Command::new("cp").arg(env!("CARGO_BIN_EXE_gvtg-xml")).arg(folder.join("gvtg-xml")));
    let executable = ["gvtg-xml", "half", "hooks/qemu", "hooks/qemu.d/gvtg-filter"]
        .map(|name| folder.join(name));
    must(Command::new("chmod").arg("755").args(executable));
    must(
        Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/filter.sh"))
            .args([source, target])
            .arg(&folder),
    );
    serde_json::from_slice(&fs::read(folder.join("answers.json")).expect("answers"))
        .expect("answers are JSON")
}

#[test]
fn converts_domains_that_move_between_hosts_and_no_failure_stops_one() {
    if lab::suites().is_none() {
        return;
    }
    let (old, new) = (lab::fixed("old", "--libvirt 7.0"), lab::fixed("new", ""));
    assert!(old.contains("'-set'") && !old.contains("override") && new.contains("override"));
    // A valid domain, except for a card that would be lost.
    let card = old
        .replace(">old<", ">card<")
        .replace("</devices>", "<video><model type='vga'/></video></devices>");
    let plain = "<domain type='kvm'><name>plain</name><memory unit='MiB'>64</memory><os><type arch='x86_64' machine='q35'>hvm</type></os>\
        <devices></devices></domain>";
    let half = "#!/bin/sh\nhead -c 300\nexit 0\n";
    let files = [
        ("old.xml", &*old),
        ("new.xml", &new),
        ("card.xml", &card),
        ("plain.xml", plain),
        ("half", half),
    ];
    let plan = [
        ("program gvtg-xml", None),
        ("move old", Some(("override", "'-set'"))),
        ("move new", Some(("override", "'-set'"))),
        ("move card", Some(("'-set'", "override"))),
        ("move plain", Some(("plain", "hostdev"))),
        // Neither has the state of a vGPU, and both are saved and restored.
        ("cycle plain", Some(("plain", "hostdev"))),
        ("program half", None),
        ("move old", Some(("'-set'", "override"))),
        ("cycle plain", Some(("plain", "hostdev"))),
        ("program none", None),
        ("move old", Some(("'-set'", "override"))),
        ("cycle plain", Some(("plain", "hostdev"))),
    ];
    for (source, target) in [("bookworm", "sid"), ("sid", "bookworm")] {
        let answers = steps(source, target, &files, &plan.map(|(step, _)| step));
        assert_eq!(answers.len(), plan.len());
        for (answer, (step, wanted)) in answers.iter().zip(plan) {
            let at = format!("{source} to {target}: {step}: {answer:?}");
            assert_eq!((&*answer.step, &*answer.said), (step, "ok"), "{at}");
            match (&answer.kept, wanted) {
                (Some(kept), Some((has, lacks))) => {
                    assert!(kept.contains(has) && !kept.contains(lacks), "{at}")
                }
                (kept, wanted) => assert_eq!(kept.is_some(), wanted.is_some(), "{at}"),
            }
        }
    }
}
