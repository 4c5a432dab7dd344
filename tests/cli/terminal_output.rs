//! Output on a terminal: colours, width, and the room that findings take.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::process::Command;

use crate::common;

use common::program::{feed, outcome, program, run};
use common::skipped;

const FIXTURE: &str = "fixtures/win10-virt-manager.xml";

/// A text without its colours.
fn strip_colours(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.map(|part| part.split_once('m').unwrap().1).collect::<String>()
}

/// The output of a command on a terminal of this width; None if no terminal is available.
fn on_terminal(columns: usize, arguments: &str) -> Option<String> {
    let gvtg = env!("CARGO_BIN_EXE_gvtg-xml");
    let script = |command: &str| {
        let mut script = Command::new("script");
        let output = script
            .args(["-qec", command, "/dev/null"])
            .env_remove("NO_COLOR")
            .env("TERM", "xterm")
            .output()
            .ok()?;
        (output.status.code() != Some(127)).then(|| String::from_utf8(output.stdout).unwrap())
    };
    if !script("stty cols 40 rows 20; stty size").is_some_and(|size| size.contains("20 40")) {
        skipped(
            "no pseudo-terminal (util-linux's script, or a container without /dev/ptmx): widths are not tried",
        );
        return None;
    }
    script(&format!("stty cols {columns} rows 20; {gvtg} {arguments}"))
}

#[test]
fn eight_findings_fit_in_80_lines() {
    let (_, stdout, stderr) = outcome(feed(&mut program(["lint", FIXTURE]), b""));
    assert!(stderr.contains("8 findings"), "{stderr}");
    assert!(stdout.lines().count() < 80, "{} lines\n{stdout}", stdout.lines().count());
}

#[test]
fn colours_do_not_change_the_text() {
    for command in [
        "lint",
        "lint --format concise",
        "fix",
        "fix --diff",
        "fix --format full",
        "fix --check --format concise",
    ] {
        let domain = std::fs::read_to_string(FIXTURE).unwrap();
        let (code, plain, plain_err) = run(&format!("{command} --color never"), &domain);
        let (colored_code, colored, colored_err) =
            run(&format!("{command} --color always"), &domain);
        assert_eq!(
            (code, &plain, &plain_err),
            (colored_code, &strip_colours(&colored), &strip_colours(&colored_err)),
            "{command}"
        );
        assert!(!plain.contains('\u{1b}') && !plain_err.contains('\u{1b}'), "{command}");
        let report = if command.starts_with("lint") || command.contains("--diff") {
            &colored
        } else {
            &colored_err
        };
        assert!(report.contains("\u{1b}[3"), "{command}: {report}");
    }
    let (_, document, _) = run("fix --color always", &std::fs::read_to_string(FIXTURE).unwrap());
    assert!(!document.contains('\u{1b}'), "the document is never painted");
}

#[test]
fn unreadable_input_is_shown_like_any_finding() {
    let wanted = "<stdin>:2:1: error[not-well-formed] a tag is not terminated\n  help: ";
    for command in ["fix", "fix --quiet", "fix --check", "fix --diff"] {
        let (code, stdout, stderr) = run(command, "<domain>\n<a");
        assert_eq!((code, stdout.as_str()), (2, ""), "{command}");
        assert!(stderr.starts_with(wanted), "{command}: {stderr}");
        let (_, _, colored) = run(&format!("{command} --color always"), "<domain>\n<a");
        assert!(colored.contains("\u{1b}[31merror[not-well-formed]"), "{command}: {colored}");
        assert!(strip_colours(&colored).starts_with(wanted), "{command}: {colored}");
    }
    let (_, _, stderr) = run("fix --format concise", "<domain>\n<a");
    assert_eq!(
        stderr, "<stdin>:2:1: error[not-well-formed] a tag is not terminated\n",
        "a line a finding is a line a finding"
    );
    assert!(
        run("fix --format full", "<domain>\n<a")
            .2
            .starts_with("  \u{d7} error[not-well-formed]: a tag is not terminated\n")
    );
}

#[test]
fn remaining_findings_have_help() {
    let (_, _, stderr) = run("fix", &std::fs::read_to_string(FIXTURE).unwrap());
    assert!(stderr.contains("info[silent-sound] <sound model='ich9'> has no output"), "{stderr}");
    assert!(
        stderr.contains("\n  help: send the sound to a server that QEMU can reach"),
        "{stderr}"
    );
    let emulated = "<domain type='qemu'>\n  <name>a</name>\n  <devices/>\n</domain>\n";
    let (_, _, stderr) = run("fix --only not-kvm", emulated);
    assert!(stderr.contains("\n  with --unsafe-fixes: Set type='kvm'; this may lose the emulation, if it is intended"), "{stderr}");
}

#[test]
fn wraps_prose_at_the_terminals_width() {
    for columns in [40, 80] {
        let Some(shown) = on_terminal(columns, &format!("lint {FIXTURE}")) else { return };
        let shown = strip_colours(&shown).replace('\r', "");
        let prose = shown.lines().filter(|line| {
            let is_document = line.contains(" \u{2502} ") && !line.starts_with("  \u{2502} ");
            let is_frame = line.contains("\u{256d}\u{2500}[");
            // A word that is longer than the line is not broken.
            !is_document && !is_frame && line.trim().contains(' ')
        });
        for line in prose {
            // A command in backticks is never broken.
            let code: usize =
                line.split('`').skip(1).step_by(2).map(|code| code.chars().count()).sum();
            assert!(line.chars().count() - code <= columns, "{columns}: {line}");
        }
        assert!(
            shown.contains("pulseaudio,serverName=/run/user/1000/pulse/native"),
            "what is to be copied is whole: {shown}"
        );
    }
}

#[test]
fn keeps_tabs() {
    let text = "<domain type='kvm'>\n\t<name>a</name>\n\t<devices>\n\t\t<graphics type='vnc'/>\n\t</devices>\n</domain>\n";
    let (_, stdout, _) = run("lint --only stray-graphics", text);
    assert!(stdout.contains("\n 4 \u{2502} - \t\t<graphics type='vnc'/>\n"), "{stdout}");
}
