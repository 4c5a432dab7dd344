//! Editors and GitHub find the positions in concise reports with the patterns of docs/editors.md.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs;
use std::process::Command;

use common::program::{feed, has_tool, outcome, run, run_in};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A position in a concise report: file, line, column, severity, rule, message.
type Place = (String, u64, u64, String, String, String);

/// The block of docs/editors.md in this language that contains this word.
fn block(language: &str, word: &str) -> String {
    let page = fs::read_to_string("docs/editors.md").unwrap();
    let fence = format!("\n```{language}\n");
    let mut blocks = page.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap());
    let block = blocks
        .find(|block| block.contains(word))
        .unwrap_or_else(|| panic!("no {language} with {word} in docs/editors.md"));
    format!("{block}\n")
}

/// A folder with a concise report that has all severities, with unrelated text between.
fn report() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("vm s")).unwrap();
    for name in ["win10-virt-manager.xml", "spice-with-gl.xml"] {
        fs::copy(format!("fixtures/{name}"), folder.path().join("vm s").join(name)).unwrap();
    }
    fs::write(folder.path().join("vm s/broken.xml"), "<domain>\n").unwrap();
    let (_, stdout, stderr) = run_in(folder.path(), "lint --format concise --all .");
    let report = format!(
        "building\n{stdout}{stderr}vm s/x.xml:1:1: fixed[stray-video] Remove the <video>\n"
    );
    fs::write(folder.path().join("report"), &report).unwrap();
    (folder, report)
}

/// The positions in a report, parsed by splitting it.
fn places(report: &str) -> Vec<Place> {
    let lines = report.lines().filter(|line| {
        line.contains(": error[") || line.contains(": warning[") || line.contains(": info[")
    });
    let place = |line: &str| {
        let mut parts = line.splitn(4, ':');
        let mut next = || parts.next().unwrap();
        let (file, row, column, rest) = (next(), next(), next(), next());
        let (severity, rest) = rest.trim_start().split_once('[').unwrap();
        let (rule, message) = rest.split_once("] ").unwrap();
        (
            file.to_owned(),
            row.parse().unwrap(),
            column.parse().unwrap(),
            severity.to_owned(),
            rule.to_owned(),
            message.to_owned(),
        )
    };
    let places: Vec<Place> = lines.map(place).collect();
    for severity in ["error", "warning", "info"] {
        assert!(places.iter().any(|place| place.3 == severity), "{severity}: {report}");
    }
    places
}

/// The matches of the problem matchers, line by line, without the lines that they don't match.
fn matched(matchers: &Value, report: &str) -> Vec<Place> {
    let mut command = Command::new("node");
    let (code, stdout, stderr) = outcome(feed(
        command.arg("tests/formats/matcher.mjs").arg(matchers.to_string()),
        report.as_bytes(),
    ));
    assert_eq!(code, 0, "{stderr}");
    let of_lines: Vec<Vec<Place>> = serde_json::from_str(&stdout).unwrap();
    assert!(of_lines.iter().all(|line| line.len() <= 1), "two matchers for one line");
    of_lines.into_iter().flatten().collect()
}

#[test]
fn problem_matchers_find_each_finding() {
    if !has_tool("node", &["--version"]) {
        return;
    }
    let (_folder, report) = report();
    let github: Value = serde_json::from_str(&run("generate problem-matcher", "").1).unwrap();
    let matchers = github["problemMatcher"].as_array().unwrap().iter();
    let matchers: Vec<Value> = matchers
        .map(|matcher| json!({ "severity": matcher["severity"], "pattern": matcher["pattern"][0] }))
        .collect();
    // GitHub knows errors, warnings and notices, and skips lines with another word.
    let notices: Vec<Place> = places(&report)
        .into_iter()
        .map(|(file, line, column, severity, rule, message)| {
            (
                file,
                line,
                column,
                if severity == "info" { "notice".into() } else { severity },
                rule,
                message,
            )
        })
        .collect();
    assert_eq!(matched(&json!(matchers), &report), notices);

    let tasks: Value = serde_json::from_str(&block("json", "problemMatcher")).unwrap();
    let pattern = &tasks["tasks"][0]["problemMatcher"]["pattern"];
    assert_eq!(matched(&json!([{ "pattern": pattern }]), &report), places(&report));
}

#[test]
fn vim_jumps_to_each_finding() {
    if !has_tool("vim", &["--version"]) {
        return;
    }
    let (folder, report) = report();
    fs::write(folder.path().join("readme.vim"), block("vim", "errorformat")).unwrap();
    let script = "source readme.vim\ncgetfile report\n\
        let places = map(filter(getqflist(), 'v:val.valid'), 'bufname(v:val.bufnr) .. \":\" .. v:val.lnum .. \":\" .. v:val.col .. \":\" .. v:val.type .. \":\" .. v:val.text')\n\
        call writefile(places, 'places')\nqall!\n";
    fs::write(folder.path().join("script.vim"), script).unwrap();
    let mut command = Command::new("vim");
    let output = feed(
        command.args(["-es", "-u", "NONE", "-N", "-S", "script.vim"]).current_dir(folder.path()),
        b"",
    );
    let found = fs::read_to_string(folder.path().join("places"))
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let found: Vec<&str> = found.lines().filter(|line| !line.contains(":f:")).collect();
    let wanted =
        places(&report).into_iter().map(|(file, line, column, severity, rule, message)| {
            format!("{file}:{line}:{column}:{}:[{rule}] {message}", &severity[..1])
        });
    assert_eq!(found, wanted.collect::<Vec<_>>());
}

#[test]
fn emacs_jumps_to_each_finding() {
    if !has_tool("emacs", &["--version"]) {
        return;
    }
    let (folder, report) = report();
    let read_me = folder.path().join("readme.el");
    fs::write(&read_me, block("elisp", "compilation-error")).unwrap();
    let mut command = Command::new("emacs");
    command
        .args(["--batch", "-Q", "-l"])
        .arg(read_me)
        .args(["-l", "tests/formats/compile.el"])
        .arg(folder.path().join("report"));
    let (code, stdout, stderr) = outcome(feed(&mut command, b""));
    assert_eq!(code, 0, "{stderr}");
    let wanted = places(&report).into_iter().map(|(file, line, column, severity, ..)| {
        let kind =
            ["info", "warning", "error"].iter().position(|known| *known == severity).unwrap();
        format!("{file}:{line}:{column}:{kind}")
    });
    assert_eq!(stdout.lines().collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
}
