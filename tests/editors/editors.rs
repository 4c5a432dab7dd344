//! Real editors with the snippets of docs/editors.md: each opens a domain, shows the findings,
//! applies a quick fix and fix-all, and saves. `tests/editors/setup.sh` installs them.
#![cfg(feature = "lsp")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails, and says what it can't do")]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::skipped;
use gvtg_xml::{Detail, Linter, RuleSet, Settings, builtin};
use serde_json::{Value, json};

use crate::common;

const DOMAIN: &str = include_str!("../../fixtures/win10-virt-manager.xml");
const FIXED: &str = include_str!("../../fixtures/win10-virt-manager.fixed.xml");

/// The block of docs/editors.md in this language that contains this word.
fn snippet(language: &str, word: &str) -> String {
    let readme = fs::read_to_string("docs/editors.md").unwrap();
    let fence = format!("\n```{language}\n");
    let blocks = readme.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap());
    blocks
        .map(|block| format!("{block}\n"))
        .find(|block| block.contains(word))
        .expect("docs/editors.md has the piece")
}

/// A folder with the domain, the program, the snippet of docs/editors.md and the script that drives
/// the editor.
fn folder(editor: &str, piece: &str, script: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("editors").join(editor);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("virsh000000.xml"), DOMAIN).unwrap();
    fs::write(folder.join("piece"), piece).unwrap();
    // Copied by another process: while this one has the file open for writing, no child of another
    // test can run it.
    assert!(
        Command::new("cp")
            .args([env!("CARGO_BIN_EXE_gvtg-xml"), "gvtg-xml"])
            .current_dir(&folder)
            .status()
            .unwrap()
            .success()
    );
    fs::copy(Path::new("tests/editors").join(script), folder.join(script)).unwrap();
    folder
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Runs an editor, which must exit successfully.
fn drive(command: &mut Command, folder: &Path) {
    let output = command.stdin(Stdio::null()).output().expect("the editor starts");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{}: {said}", folder.display());
}

/// The lab's chroot with this program; None, noted as skipped, without one.
fn chroot_with(program: &str) -> Option<PathBuf> {
    let lab = std::env::var_os("LAB").map_or_else(|| PathBuf::from("/var/tmp/lab"), PathBuf::from);
    let root = lab.join("trixie");
    if fs::metadata("/proc/self").is_ok_and(|own| own.uid() != 0)
        || !root.join("usr/bin").join(program).exists()
    {
        skipped(&format!(
            "{program} is not in the lab, or this is not root: tests/editors/setup.sh installs it"
        ));
        return None;
    }
    Some(root)
}

/// A command in the lab's chroot, where the folder is /folder and $PATH has the program.
fn in_chroot(folder: &Path, command: &str) -> Command {
    let mut inside = Command::new("tests/lab/in.sh");
    inside.arg("--bind").arg(folder).args(["trixie", "sh", "-c"]);
    inside.arg(format!("cd /folder && PATH=/folder:$PATH exec timeout 90 {command}"));
    inside
}

/// The findings that an editor should have shown, with line numbers and severities, each message in
/// the editor's format.
fn findings(written: impl Fn(&str, &str) -> String) -> Vec<Value> {
    let rules = RuleSet::all(builtin());
    let found =
        Linter::new(&rules, &Settings::default()).detail(Detail::Edits).lint(DOMAIN).unwrap().open;
    let severity = |name: &str| {
        1 + ["error", "warning", "info"].iter().position(|known| *known == name).unwrap()
    };
    found
        .iter()
        .map(|one| json!({ "line": one.start.line, "severity": severity(one.severity.name()), "message": written(&one.rule.id, &one.message) }))
        .collect()
}

fn sorted(mut findings: Vec<Value>) -> Vec<String> {
    findings.iter_mut().for_each(Value::sort_all_objects);
    let mut lines: Vec<String> = findings.iter().map(Value::to_string).collect();
    lines.sort();
    lines
}

/// Asserts that the quick fix removed the `<video>` and nothing else, and that fix-all wrote what
/// `fix` writes.
fn assert_fixed(folder: &Path) {
    let rules = RuleSet::all(builtin());
    let found =
        Linter::new(&rules, &Settings::default()).detail(Detail::Edits).lint(DOMAIN).unwrap().open;
    let video = found.iter().find(|one| one.rule.id == "stray-video").unwrap();
    let without_video = video.fix.as_ref().unwrap().edits.apply(DOMAIN);
    assert!(!without_video.contains("<video>"));
    assert_eq!(read(folder, "quick.xml"), without_video);
    assert_eq!(Linter::new(&rules, &Settings::default()).fix(without_video).unwrap().text, FIXED);
    assert_eq!(read(folder, "virsh000000.xml"), FIXED);
}

#[test]
fn neovim_shows_and_fixes_findings() {
    if chroot_with("nvim").is_none() {
        return;
    }
    let folder = folder("neovim", &snippet("lua", "vim.lsp.start"), "neovim.lua");
    drive(&mut in_chroot(&folder, "nvim --headless -u NONE -n -l neovim.lua"), &folder);
    let seen: Vec<Value> = serde_json::from_str(&read(&folder, "findings.json")).unwrap();
    let rules: Vec<Value> = seen.iter().map(|one| one["rule"].clone()).collect();
    assert!(rules.contains(&json!("missing-vgpu")), "{rules:?}");
    let seen = seen.into_iter().map(|mut one| {
        one.as_object_mut().unwrap().remove("rule");
        one
    });
    assert_eq!(sorted(seen.collect()), sorted(findings(|_, message| message.into())));
    assert!(read(&folder, "hover.txt").starts_with("**stray-video** (warning, group display)"));
    assert_fixed(&folder);
}

#[test]
fn emacs_shows_and_fixes_findings() {
    if !common::program::has_tool("emacs", &["--version"]) {
        return;
    }
    let folder = folder("emacs", &snippet("elisp", "eglot-server-programs"), "emacs.el");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut emacs = Command::new("timeout");
    // Without the user's own init file.
    emacs
        .args(["90", "emacs", "--batch", "--no-init-file", "-l", "emacs.el"])
        .current_dir(&folder)
        .env("PATH", path)
        .env("HOME", &folder);
    drive(&mut emacs, &folder);
    let seen: Vec<Value> = serde_json::from_str(&read(&folder, "findings.json")).unwrap();
    assert_eq!(
        sorted(seen),
        sorted(findings(|rule, message| format!("gvtg-xml [{rule}]: {message}")))
    );
    assert!(read(&folder, "hover.txt").contains("A <video> card next to the vGPU"));
    assert_fixed(&folder);
}

#[test]
fn helix_shows_and_fixes_findings() {
    if chroot_with("hx").is_none() {
        return;
    }
    let folder = folder("helix", &snippet("toml", "language-server"), "helix.sh");
    drive(&mut in_chroot(&folder, "./helix.sh"), &folder);
    assert!(read(&folder, "health.txt").contains("gvtg-xml"));
    let log = read(&folder, "helix.log");
    let published = log
        .lines()
        .find(|line| line.contains("<- {") && line.contains("publishDiagnostics"))
        .expect("findings were told");
    let told: Value = serde_json::from_str(published.split_once("<- ").unwrap().1).unwrap();
    let seen = told["params"]["diagnostics"].as_array().unwrap().iter().map(|one| {
        let line = one["range"]["start"]["line"].as_u64().unwrap() + 1;
        json!({ "line": line, "severity": one["severity"], "message": one["message"] })
    });
    assert_eq!(sorted(seen.collect()), sorted(findings(|_, message| message.into())));
    assert_fixed(&folder);
}

#[test]
fn kates_snippet_starts_the_server_for_xml() {
    let piece: Value = serde_json::from_str(&snippet("json", "highlightingModeRegex")).unwrap();
    assert_eq!(piece["servers"]["xml"]["command"], json!(["gvtg-xml", "lsp"]));
}
