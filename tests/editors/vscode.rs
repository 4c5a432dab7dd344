//! The extension in the real VS Code, driven by keyboard in a real browser.
//! `editors/vscode/test/setup.sh` installs both.
//!
//! The results, screenshots included, stay in `target/tmp/vscode`.
#![cfg(feature = "lsp")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails, and says what it can't do")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::program::{has_tool, outcome, run};
use gvtg_xml::{Detail, Linter, RuleSet, Settings, builtin};
use serde_json::Value;

use crate::common;

const DOMAIN: &str = include_str!("../../fixtures/win10-virt-manager.xml");
const FIXED: &str = include_str!("../../fixtures/win10-virt-manager.fixed.xml");
const EXTENSION: &str = "editors/vscode";

fn package() -> Value {
    serde_json::from_str(&fs::read_to_string(Path::new(EXTENSION).join("package.json")).unwrap())
        .unwrap()
}

/// The folder where setup.sh put VS Code; None, noted as skipped, if it was not run.
fn lab() -> Option<PathBuf> {
    let lab = std::env::var_os("LAB")
        .map_or_else(|| PathBuf::from("/var/tmp/lab"), PathBuf::from)
        .join("vscode");
    if !lab.join("extension/node_modules").exists() || !Path::new("/usr/bin/chromium").exists() {
        common::skipped("there is no VS Code here: editors/vscode/test/setup.sh brings it");
        return None;
    }
    Some(lab)
}

fn succeed(command: &mut Command) {
    let (code, stdout, stderr) = outcome(command.output().expect("it starts"));
    assert_eq!(code, 0, "{command:?}: {stdout}{stderr}");
}

/// The extension, packaged from its source.
fn packaged(lab: &Path, folder: &Path) -> PathBuf {
    let build = folder.join("extension");
    fs::create_dir_all(build.join("src")).unwrap();
    for name in [
        "package.json",
        "tsconfig.json",
        "build.mjs",
        "src/extension.ts",
        "README.md",
        "LICENSE",
        ".vscodeignore",
        "package-lock.json",
    ] {
        fs::copy(Path::new(EXTENSION).join(name), build.join(name)).unwrap();
    }
    symlink(lab.join("extension/node_modules"), build.join("node_modules")).unwrap();
    succeed(
        Command::new("npm")
            .args(["run", "package", "--", "--out", "gvtg-xml.vsix"])
            .current_dir(&build),
    );
    build.join("gvtg-xml.vsix")
}

#[test]
fn vscode_shows_and_fixes_findings() {
    let Some(lab) = lab() else { return };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("vscode");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("vms")).unwrap();
    let vsix = packaged(&lab, &folder);
    let vms = folder.join("vms");
    for name in ["virsh000000.xml", "plain.xml"] {
        fs::write(vms.join(name), DOMAIN).unwrap();
    }
    let drive = fs::canonicalize(Path::new(EXTENSION).join("test/drive.mjs")).unwrap();
    let mut command = Command::new("timeout");
    command
        .args(["400", "node"])
        .arg(drive)
        .args([&vms, &vsix])
        .arg(env!("CARGO_BIN_EXE_gvtg-xml"));
    succeed(command.current_dir(&lab));

    let rules = RuleSet::all(builtin());
    let found =
        Linter::new(&rules, &Settings::default()).detail(Detail::Edits).lint(DOMAIN).unwrap().open;
    let expected: BTreeSet<String> = found
        .iter()
        .map(|one| {
            format!(
                "{} gvtg-xml {} [Ln {}, Col {}]",
                one.message, one.rule.id, one.start.line, one.start.column
            )
        })
        .collect();
    let read = |name: &str| fs::read_to_string(vms.join(name)).unwrap();
    let shown: BTreeSet<String> = serde_json::from_str(&read("problems.json")).unwrap();
    assert_eq!(shown, expected);
    assert!(read("hover.txt").contains("The guest sees two graphics cards"), "the rule's page");
    let video = found.iter().find(|one| one.rule.id == "stray-video").unwrap();
    assert_eq!(read("quick.xml"), video.fix.as_ref().unwrap().edits.apply(DOMAIN));
    assert_eq!(read("virsh000000.xml"), FIXED);
    assert_eq!(read("plain.xml"), FIXED, "the command makes any domain one");
}

#[test]
fn extension_settings_match_the_servers_flags() {
    let help = run("lsp --help", "").1;
    let flags = help.split_whitespace().filter_map(|word| word.strip_prefix("--"));
    let flags: BTreeSet<&str> =
        flags.filter_map(|flag| flag.split([',', '[', ']']).next()).collect();
    let package = package();
    let settings = package["contributes"]["configuration"]["properties"].as_object().unwrap();
    let settings: BTreeSet<&str> =
        settings.keys().map(|name| name.strip_prefix("gvtg-xml.").unwrap()).collect();
    assert_eq!(flags.difference(&settings).collect::<Vec<_>>(), [&"help"]);
    assert_eq!(settings.difference(&flags).collect::<Vec<_>>(), [&"path"]);
}

#[test]
fn the_problem_matcher_reads_what_lint_prints() {
    if !has_tool("node", &["--version"]) {
        return;
    }
    let (_, printed, _) = run("lint --format concise fixtures/win10-virt-manager.xml", "");
    let package = package();
    let pattern = &package["contributes"]["problemMatchers"][0]["pattern"];
    let script = "const p = JSON.parse(process.argv[1]); for (const line of process.argv[2].trim().split('\\n')) { \
        const m = line.match(new RegExp(p.regexp)); console.log([p.file, p.line, p.column, p.severity, p.code].map((at) => m[at]).join(' ')); }";
    let (code, read, stderr) = outcome(
        Command::new("node").args(["-e", script, &pattern.to_string(), &printed]).output().unwrap(),
    );
    assert_eq!(code, 0, "{stderr}");
    let rules = RuleSet::all(builtin());
    let found =
        Linter::new(&rules, &Settings::default()).detail(Detail::Edits).lint(DOMAIN).unwrap().open;
    let expected = found.iter().map(|one| {
        let (line, column) = (one.start.line, one.start.column);
        format!(
            "fixtures/win10-virt-manager.xml {line} {column} {} {}\n",
            one.severity.name(),
            one.rule.id
        )
    });
    assert_eq!(read, expected.collect::<String>());
}
