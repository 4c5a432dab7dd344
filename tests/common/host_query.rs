//! Running `host` on a machine, and reading its answer.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::hosts;
use super::program::{program, run};

/// The vGPU of `fixtures/win10-virt-manager.fixed.xml`.
pub const UUID: &str = "a7ac54ee-0f5b-5731-b099-091b0e8eaf75";
pub const OTHER: &str = "11111111-2222-4333-8444-555555555550";
pub const GPU: &str = "/sys/devices/pci0000:00/0000:00:02.0";
pub const HOOK: &str = "/etc/libvirt/hooks/qemu.d/gvtg";

/// The answer of `host` for the machine in a folder: the exit code, and the checks as JSON.
pub fn ask(folder: &Path, more: &[&str]) -> (i32, Value) {
    let mut command = program(["host", "--format", "json", "--root"]);
    let output = command.arg(folder).args(more).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap())
}

/// The answer for a machine that a text describes.
pub fn ask_of(text: &str, more: &[&str]) -> (i32, Value) {
    let folder = tempfile::tempdir().unwrap();
    hosts::make_of(text, folder.path());
    ask(folder.path(), more)
}

/// The rules with this status.
pub fn with<'v>(answer: &'v Value, status: &str) -> Vec<&'v str> {
    let checks = answer["checks"].as_array().unwrap().iter();
    checks
        .filter(|check| check["status"] == status)
        .map(|check| check["rule"].as_str().unwrap())
        .collect()
}

/// The rules that report a problem, of any severity.
pub fn wrong(answer: &Value) -> Vec<&str> {
    ["error", "warning", "info"].into_iter().flat_map(|status| with(answer, status)).collect()
}

pub fn check<'v>(answer: &'v Value, rule: &str) -> &'v Value {
    answer["checks"].as_array().unwrap().iter().find(|check| check["rule"] == rule).unwrap()
}

/// A domain whose vGPU has this type, as `fix` records it.
pub fn domain(folder: &Path, flags: &str) -> String {
    let path = folder.join("win10.xml");
    let (_, text, _) = run(&format!("fix --quiet {flags} fixtures/win10-virt-manager.xml"), "");
    fs::write(&path, text).unwrap();
    path.display().to_string()
}
