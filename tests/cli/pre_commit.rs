//! The hooks for pre-commit, run by pre-commit itself on a commit with domains and other XML.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::program::{has_tool, run};
use tempfile::TempDir;

/// A vGPU that lacks several properties.
const DOMAIN: &str = "<domain type='kvm'>\n  <name>win10</name>\n  <devices>\n    <graphics type='spice'/>\n    <channel type='spicevmc'/>\n    \
    <hostdev mode='subsystem' type='mdev' model='vfio-pci'>\n      <source>\n        \
    <address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/>\n      </source>\n      <alias name='ua-gvtg'/>\n    </hostdev>\n  </devices>\n</domain>\n";
const NETWORK: &str = "<network>\n  <name>default</name>\n</network>\n";
const BROKEN: &str = "<html><p>\n";

/// Runs a command in a folder: whether it succeeds, and its whole output.
fn run_command<S: AsRef<OsStr>>(
    folder: &Path,
    program: &str,
    arguments: impl IntoIterator<Item = S>,
) -> (bool, String) {
    let mut command = Command::new(program);
    let built = Path::new(env!("CARGO_BIN_EXE_gvtg-xml")).parent().unwrap();
    let path = format!("{}:{}", built.display(), std::env::var("PATH").unwrap_or_default());
    // None of git's own variables may point to another repository, as they do when a hook runs the
    // tests.
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_"))
    {
        command.env_remove(name);
    }
    let identity = [
        "-c",
        "user.name=test",
        "-c",
        "user.email=test@example.org",
        "-c",
        "init.defaultBranch=main",
    ];
    if program == "git" {
        command.args(identity);
    }
    let output = command
        .args(arguments)
        .current_dir(folder)
        .env("PATH", path)
        .env_remove("CARGO_TARGET_DIR")
        .env("PRE_COMMIT_HOME", cache())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

/// A cache for pre-commit's builds, separate from the user's own.
fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("pre-commit")
}

fn git(folder: &Path, arguments: &str) -> String {
    let (is_fine, said) = run_command(folder, "git", arguments.split_whitespace());
    assert!(is_fine, "git {arguments}: {said}");
    said.trim().to_owned()
}

/// This project as a repository with one commit, including uncommitted changes.
fn checkout() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in git(project, "ls-files --cached --others --exclude-standard")
        .lines()
        .filter(|name| project.join(name).is_file())
    {
        let target = folder.path().join(name);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(project.join(name), target).unwrap();
    }
    git(folder.path(), "init -q");
    git(folder.path(), "add -A");
    git(folder.path(), "commit -q -m all");
    let commit = git(folder.path(), "rev-parse HEAD");
    (folder, commit)
}

/// Runs our hooks with pre-commit in a new repository.
fn assert_commit_is_blocked_until_fixed(lint: &str, fix: &str) {
    let (checkout, commit) = checkout();
    let repository = tempfile::tempdir().unwrap();
    let folder = repository.path();
    let config = |hook: &str| {
        let text = format!(
            "repos:\n- repo: {}\n  rev: {commit}\n  hooks:\n  - id: {hook}\n",
            checkout.path().display()
        );
        fs::write(folder.join(".pre-commit-config.yaml"), text).unwrap();
        git(folder, "add .pre-commit-config.yaml");
    };
    git(folder, "init -q");
    for (name, text) in [("win10.xml", DOMAIN), ("network.xml", NETWORK), ("broken.xml", BROKEN)] {
        fs::write(folder.join(name), text).unwrap();
    }
    git(folder, "add -A");
    config(lint);
    let (is_fine, said) = run_command(folder, "pre-commit", ["run"]);
    assert!(!is_fine && said.contains("win10.xml:5:5: error[spice-leftover]"), "{said}");
    assert!(!said.contains("network.xml:") && !said.contains("broken.xml:"), "{said}");

    // A configuration in the repository's root applies.
    fs::write(folder.join("gvtg-xml.toml"), "[rules]\nspice-leftover = 'off'\n").unwrap();
    let (_, said) = run_command(folder, "pre-commit", ["run"]);
    assert!(said.contains("win10.xml:") && !said.contains("spice-leftover"), "{said}");
    fs::remove_file(folder.join("gvtg-xml.toml")).unwrap();

    config(fix);
    let (is_fine, said) = run_command(folder, "pre-commit", ["run"]);
    assert!(!is_fine && said.contains("files were modified by this hook"), "{said}");
    let (_, fixed, _) = run("fix", DOMAIN);
    assert_eq!(fs::read_to_string(folder.join("win10.xml")).unwrap(), fixed);
    assert_eq!(fs::read_to_string(folder.join("network.xml")).unwrap(), NETWORK);
    assert_eq!(fs::read_to_string(folder.join("broken.xml")).unwrap(), BROKEN);
    git(folder, "add -A");
    for hook in [fix, lint] {
        config(hook);
        let (is_fine, said) = run_command(folder, "pre-commit", ["run"]);
        assert!(is_fine && said.contains("Passed"), "{hook}: {said}");
    }
}

#[test]
fn works_as_a_hook_when_installed() {
    if has_tool("pre-commit", &["--version"]) && has_tool("git", &["--version"]) {
        assert_commit_is_blocked_until_fixed("gvtg-xml-lint-system", "gvtg-xml-fix-system");
    }
}

#[test]
fn pre_commit_builds_the_program() {
    if std::env::var_os("GVTG_PRE_COMMIT").is_none_or(|value| value != "1") {
        common::skipped(
            "GVTG_PRE_COMMIT=1 is not set, so pre-commit did not build the program, which takes minutes",
        );
        return;
    }
    if has_tool("pre-commit", &["--version"]) && has_tool("git", &["--version"]) {
        assert_commit_is_blocked_until_fixed("gvtg-xml-lint", "gvtg-xml-fix");
    }
}
