//! What is skipped is said in a line at the end.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::fs;
use std::path::Path;
use std::process::Command;

#[path = "common/skips.rs"]
mod skips;

use skips::told;

#[test]
fn a_line_says_how_many_tests_and_why() {
    assert_eq!(told(""), "SKIPPED: nothing, all tests were run");
    let noted = "a one\tfish is not installed\na one\tno /dev/fuse\nb one\tfish is not installed\na two\tzsh is not installed\na two\tzsh is not installed\n";
    let line = told(noted);
    assert!(line.starts_with("SKIPPED: 3 tests, or parts of them: no /dev/fuse (1); not installed: fish (2), zsh (1). "), "{line}");
    assert_eq!(line.lines().count(), 1);
}

/// This test program, as one run of its own: a shell is what starts them.
fn run(commands: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let own = std::env::current_exe().unwrap();
    let mut shell = Command::new("sh");
    // A harness within a harness: each command is a program of tests, as cargo starts them. Behind
    // the last one the shell stays.
    shell
        .args(["-c", &format!("{commands}\n:"), "sh"])
        .arg(own)
        .current_dir(folder)
        .env_remove("CI")
        .env("GVTG_SKIPS", "1");
    let output = shell.output().unwrap();
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

/// What `run` starts: it notes, or tells; in other runs it does nothing.
#[test]
fn noting() {
    if std::env::var_os("GVTG_SKIPS").is_some() {
        skips::skipped("nobody has a foo");
    }
}

#[test]
fn telling() {
    if std::env::var_os("GVTG_SKIPS").is_some() {
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), "{}", skips::summary());
    }
}

#[test]
fn each_run_tells_its_own() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("skipped");
    fs::create_dir_all(&folder).unwrap();
    // One whose process is long gone.
    fs::write(folder.join("1-0"), "a b\tolder\n").unwrap();
    let both = run("\"$1\" --exact noting; \"$1\" --exact telling");
    assert!(both.contains("\nSKIPPED: nobody has a foo\n"), "said at once: {both}");
    assert!(
        both.contains("SKIPPED: 1 tests, or parts of them: nobody has a foo (1). "),
        "and at the end: {both}"
    );
    assert!(!both.contains("older"), "{both}");
    assert!(!folder.join("1-0").exists());
    assert!(run("\"$1\" --exact telling").contains("SKIPPED: nothing"), "another run");
}
