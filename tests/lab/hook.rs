//! The hook with a real libvirtd: what it does when domains start, stop and fail to start, with
//! QEMU running.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab;

const UUID: &str = "ab54baba-ea9a-4ce5-b7b4-51b376b65849";
const OTHER: &str = "11111111-2222-4333-8444-555555555555";

/// The answer of tests/lab/start.py for a step.
#[derive(Debug, serde::Deserialize)]
struct Answer {
    step: String,
    said: String,
    vgpus: Vec<String>,
    running: Vec<String>,
}

/// A fixed domain with a vGPU of this UUID.
fn fixed(name: &str, uuid: &str) -> String {
    lab::fixed(name, &format!("--type i915-GVTg_V5_4 --uuid {uuid}"))
}

/// The emulated GPU, which cargo builds with the tests.
fn mdev_sysfs() -> PathBuf {
    let program = std::env::current_exe().expect("a path");
    program.ancestors().nth(2).expect("target/debug").join("examples/mdev-sysfs")
}

/// Runs these steps on a suite with these domains and this hook.
fn steps(
    suite: &str,
    domains: &[(&str, String)],
    hook: &str,
    steps: &[&str],
) -> (Vec<Answer>, String) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lab").join(format!("hook-{suite}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder in the target folder");
    let write = |name: &str, text: &str| {
        fs::write(folder.join(name), text).expect("a file in the target folder")
    };
    domains.iter().for_each(|(name, text)| write(&format!("{name}.xml"), text));
    write("hook", hook);
    write("steps", &(steps.join("\n") + "\n"));
    let start = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/start.sh");
    let output =
        Command::new(start).arg(suite).arg(&folder).arg(mdev_sysfs()).output().expect("bash runs");
    assert!(output.status.success(), "{suite}: {}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| {
        fs::read_to_string(folder.join(name))
            .unwrap_or_else(|error| panic!("{suite}: {name}: {error}"))
    };
    (serde_json::from_str(&read("answers.json")).expect("answers are JSON"), read("qemu.log"))
}

/// The hook that the program emits for these domains.
fn hook(domains: &[(&str, String)]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_gvtg-xml"));
    command.args(["emit", "hook"]).current_dir(folder.path());
    for (name, text) in domains {
        fs::write(folder.path().join(name), text).expect("a file");
        command.arg(name);
    }
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn a_vgpu_exists_while_its_domain_runs_and_other_domains_are_undisturbed() {
    let Some(suites) = lab::suites() else { return };
    let plain = "<domain type='kvm'><name>plain</name><memory unit='MiB'>64</memory><os><type arch='x86_64' machine='q35'>hvm</type></os>\
        <devices></devices></domain>";
    let domains = [
        ("win10", fixed("win10", UUID)),
        ("thief", fixed("thief", UUID)),
        ("odd", fixed("a b$(touch x)&apos;&quot;", OTHER)),
        ("plain", plain.to_owned()),
    ];
    // Two vGPUs with the same UUID are a mistake that the program itself does not make. `plain` is
    // a VM whose old XML was restored.
    let own = hook(&[domains[0].clone(), domains[2].clone()]);
    let hook = format!(
        "{own}setup_gpu thief {UUID} i915-GVTg_V5_4\nsetup_gpu plain {OTHER} i915-GVTg_V5_4\n"
    );
    let plan: &[(&str, &str, &[&str], &[&str])] = &[
        ("start plain", "ok", &[], &["plain"]),
        ("start win10", "ok", &[UUID], &["plain", "win10"]),
        ("start thief", "belongs to the VM 'win10'", &[UUID], &["plain", "win10"]),
        (
            "start odd",
            "no room for another vGPU of type i915-GVTg_V5_4",
            &[UUID],
            &["plain", "win10"],
        ),
        ("destroy win10", "ok", &[], &["plain"]),
        ("start odd", "ok", &[OTHER], &["odd", "plain"]),
        ("destroy odd", "ok", &[], &["plain"]),
        ("start thief", "ok", &[UUID], &["plain", "thief"]),
        // libvirt calls the hook for each domain that it finds running; a status other than 0 would
        // stop the domain.
        ("restart-libvirtd", "ok", &[UUID], &["plain", "thief"]),
        ("destroy thief", "ok", &[], &["plain"]),
        ("destroy plain", "ok", &[], &[]),
    ];
    // The oldest with hook drop-ins here, and the newest.
    for suite in suites.iter().filter(|suite| matches!(suite.name, "bookworm" | "sid")) {
        let names: Vec<&str> = plan.iter().map(|(step, ..)| *step).collect();
        let (answers, qemu) = steps(suite.name, &domains, &hook, &names);
        assert_eq!(answers.len(), plan.len(), "{}", suite.name);
        for (answer, (step, said, vgpus, running)) in answers.iter().zip(plan) {
            let at = format!("{}: {step}: {answer:?}", suite.name);
            assert_eq!(answer.step, *step, "{at}");
            let is_said = if *said == "ok" {
                answer.said == "ok"
            } else {
                answer.said.contains("Hook script execution failed") && answer.said.contains(said)
            };
            assert!(is_said, "{at}");
            assert_eq!(answer.vgpus, *vgpus, "{at}");
            assert_eq!(answer.running, *running, "{at}");
        }
        assert_eq!(
            qemu,
            format!("{UUID} there\n{OTHER} there\n{UUID} there\n"),
            "{}: QEMU starts when its vGPU is there",
            suite.name
        );
    }
}
