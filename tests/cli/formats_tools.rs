//! What readers of the formats accept: SARIF's schema, junitparser, GitHub's own package.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::program::{feed, outcome, program, run_in};
use common::tools;
use serde_json::Value;
use tempfile::TempDir;

/// A folder with all fixtures, and files with difficult names and contents.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir("fixtures")
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "xml"))
    {
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let strange = "\u{feff}<domain type='k&quot;v]]&gt;m'>\r\n<name>a%0A::error::\u{1f600}</name>\r\n<devices><graphics\n type='&lt;é%,:&#x9;&#xA;x\u{202e}'/>\
        <hostdev type='mdev' model='{0} [x](1)'/></devices></domain>";
    for name in ["a b,c:d%25é.xml", "<&\"'>.xml", "#?.xml", "x\ny.xml"] {
        fs::write(folder.path().join(name), strange).unwrap();
    }
    fs::write(folder.path().join("broken.xml"), "<domain>\n<").unwrap();
    fs::write(folder.path().join("latin1.xml"), b"<domain>\xe9</domain>").unwrap();
    fs::write(folder.path().join("network.xml"), "<network/>").unwrap();
    folder
}

/// The report on all of these files in a format.
fn report(folder: &Path, format: &str) -> String {
    let names = fs::read_dir(folder)
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "xml"));
    let mut names: Vec<_> = names.map(|entry| entry.file_name()).collect();
    names.sort();
    let mut command = program(["lint", "--quiet", "--format", format]);
    let (code, stdout, stderr) = outcome(feed(command.args(names).current_dir(folder), b""));
    assert_eq!((code, stderr.as_str()), (2, ""), "three can't be read");
    stdout
}

#[test]
fn sarif_matches_its_schema() {
    let (Some(python), Some(node)) = (tools::python(), tools::node()) else { return };
    let folder = folder();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("all.sarif", &report(folder.path(), "sarif"));
    write("none.sarif", &run_in(folder.path(), "lint --format sarif --only two-ramfb guide.xml").1);
    write("fix.sarif", &run_in(folder.path(), "fix --format sarif win10-virt-manager.xml").2);
    fs::create_dir(folder.path().join("ignored")).unwrap();
    write(
        "ignored/a.xml",
        "<domain><devices><!-- gvtg-xml: ignore[stray-video] é \"<& --><video/></devices></domain>",
    );
    write("ignored.sarif", &run_in(folder.path(), "lint --format sarif ignored/a.xml").1);
    let schema = node.join("node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json");
    let mut command = Command::new(python);
    command.arg(Path::new("tests/formats/sarif.py").canonicalize().unwrap()).arg(schema).args([
        "all.sarif",
        "none.sarif",
        "fix.sarif",
        "ignored.sarif",
    ]);
    let (code, stdout, stderr) = outcome(feed(command.current_dir(folder.path()), b""));
    assert_eq!((code, stdout.as_str()), (0, "4 files, 0 faults\n"), "{stderr}");
    let all: Value = serde_json::from_str(&report(folder.path(), "sarif")).unwrap();
    let results = all["runs"][0]["results"].as_array().unwrap();
    assert!(
        results.len() > 60 && results.iter().any(|result| result["fixes"].is_array()),
        "{}",
        results.len()
    );
    assert!(results.iter().any(|result| result["relatedLocations"].is_array()));
    let uri = |result: &Value, places: &str| {
        result[places][0]["physicalLocation"]["artifactLocation"]["uri"].clone()
    };
    let is_elsewhere = |result: &Value| {
        let other = uri(result, "relatedLocations");
        other.is_string() && other != uri(result, "locations")
    };
    let of_two_files = results.iter().filter(|result| is_elsewhere(result));
    assert!(
        of_two_files.map(|result| &result["ruleId"]).any(|rule| rule == "shared-vgpu"),
        "the fixtures share a vGPU"
    );
}

#[test]
fn junitparser_reads_junit() {
    let Some(python) = tools::python() else { return };
    let folder = folder();
    fs::write(folder.path().join("all.junit"), report(folder.path(), "junit")).unwrap();
    let mut command = Command::new(python);
    let (code, stdout, stderr) = outcome(feed(
        command.arg("tests/formats/junit.py").arg(folder.path().join("all.junit")),
        b"",
    ));
    assert_eq!(code, 0, "{stderr}");
    let read: Value = serde_json::from_str(&stdout).unwrap();
    let concise = report(folder.path(), "concise");
    let cases: Vec<&Value> =
        read["cases"].as_array().unwrap().iter().filter(|case| case[1] != "no findings").collect();
    let lines: Vec<&str> =
        cases.iter().map(|case| case[4].as_str().unwrap().lines().next().unwrap()).collect();
    assert_eq!(
        lines,
        concise.lines().collect::<Vec<_>>(),
        "its words are those of the concise report"
    );
    let failing = concise.lines().filter(|line| !line.contains(": info[")).count();
    assert_eq!(cases.iter().filter(|case| case[3] == 1).count(), failing);
    let counted: u64 =
        read["suites"].as_array().unwrap().iter().map(|suite| suite[2].as_u64().unwrap()).sum();
    assert_eq!(counted as usize, failing);
}

#[test]
fn github_annotations_equal_those_of_githubs_package() {
    let Some(node) = tools::node() else { return };
    let folder = folder();
    let commands = report(folder.path(), "github");
    assert_eq!(commands.lines().count(), report(folder.path(), "concise").lines().count());
    let (code, stdout, stderr) = outcome(feed(
        Command::new("node").arg("tests/formats/github.mjs").arg(node),
        commands.as_bytes(),
    ));
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(stdout, commands);
}
