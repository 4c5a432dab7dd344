//! `fix --suppress`, and how reports treat suppressed findings.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs;

use common::program::{feed, outcome, program, run, run_in};
use serde_json::Value;

const TEXT: &str = "<?xml version='1.0'?>\n<domain type='kvm'>\n  <name>a</name>\n  <devices>\n    <graphics type='vnc'/>\n    <video/>\n    \
    <video/>\n  </devices>\n</domain>\n";

/// Exit code, stdout and stderr of `fix --suppress` with these flags and this reason.
fn suppress(flags: &str, reason: &str, text: &str) -> (i32, String, String) {
    let words =
        ["fix", "--reason", reason, "--suppress"].into_iter().chain(flags.split_whitespace());
    outcome(feed(&mut program(words), text.as_bytes()))
}

#[test]
fn writes_suppressions_into_the_metadata() {
    let (code, stdout, stderr) = suppress("stray-video", "it's <the> installer's -- & mine", TEXT);
    let own = "  <name>a</name>\n  <metadata>\n    <gvtg:domain xmlns:gvtg='urn:gvtg-xml:1'>\n      \
        <gvtg:ignore rule='stray-video'>it's &lt;the&gt; installer's -- &amp; mine</gvtg:ignore>\n    </gvtg:domain>\n  </metadata>\n";
    assert_eq!((code, &*stdout), (0, &*TEXT.replace("  <name>a</name>\n", own)), "{stderr}");
    assert_eq!(
        stderr,
        "gvtg-xml: 2 findings suppressed in the domain's metadata, which `virsh define` keeps\n"
    );
    assert_eq!(
        suppress("stray-video", "again", &stdout),
        (0, stdout.clone(), "gvtg-xml: 0 findings suppressed\n".into())
    );
    // Next to existing metadata.
    let (_, both, _) = suppress("stray-graphics", "VNC", &stdout);
    assert!(both.contains("mine</gvtg:ignore>\n      <gvtg:ignore rule='stray-graphics'>VNC</gvtg:ignore>\n    </gvtg:domain>"), "{both}");
    let typed = run("fix --quiet --type i915-GVTg_V5_4", &both).1;
    assert!(
        typed.contains("<gvtg:domain xmlns:gvtg='urn:gvtg-xml:1' type='i915-GVTg_V5_4'>")
            && typed.contains("<graphics"),
        "{typed}"
    );
    let default = typed.replace("gvtg:domain xmlns:gvtg", "domain xmlns").replace("gvtg:", "");
    let (_, text, _) = suppress(
        "silent-sound",
        "HDMI",
        &default.replace("<devices>", "<devices><sound model='ich9'/>"),
    );
    assert!(!text.contains("silent-sound"), "with VNC there is no finding: {text}");
    let (_, text, _) = suppress(
        "missing-gdk-scale",
        "x",
        &default.replace("    <qemu:env name='GDK_SCALE' value='1.0'/>\n", ""),
    );
    assert!(
        text.contains("      <ignore rule='missing-gdk-scale'>x</ignore>\n    </domain>"),
        "{text}"
    );
}

#[test]
fn adds_the_reason_to_a_suppression_that_lacks_one() {
    let without = suppress("stray-video", "x", TEXT).1.replace(">x</gvtg:ignore>", "/>");
    let (_, stdout, _) = suppress("stray-video", "y", &without);
    assert_eq!(
        stdout,
        without.replace("rule='stray-video'/>", "rule='stray-video'>y</gvtg:ignore>")
    );
}

#[test]
fn writes_suppression_comments_before_elements() {
    let (code, stdout, stderr) =
        suppress("stray-video,missing-vgpu --suppress-in comment", "the installer", TEXT);
    let comment = |rule: &str| format!("<!-- gvtg-xml: ignore[{rule}] the installer -->");
    let expected = TEXT
        .replace("    <video/>\n", &format!("    {}\n    <video/>\n", comment("stray-video")))
        .replace("  <devices>", &format!("  {}\n  <devices>", comment("missing-vgpu")));
    assert_eq!((code, &*stdout), (0, &*expected), "{stderr}");
    assert_eq!(
        stderr,
        "gvtg-xml: 3 findings suppressed with comments, which `virsh define` drops (it keeps what `--suppress-in metadata` writes)\n"
    );
    assert_eq!(suppress("stray-video --suppress-in comment", "again", &stdout).1, stdout);
    // In the author's own indentation.
    let windows = TEXT.replace('\n', "\r\n");
    assert_eq!(
        suppress("stray-video,missing-vgpu --suppress-in comment", "the installer", &windows).1,
        expected.replace('\n', "\r\n")
    );
    let one_line = "<domain type='kvm'><devices><video/></devices></domain>";
    let (_, stdout, _) = suppress("stray-video --suppress-in comment", "x", one_line);
    assert_eq!(
        stdout,
        "<domain type='kvm'><devices><!-- gvtg-xml: ignore[stray-video] x --><video/></devices></domain>"
    );
    // One comment holds several rules of an element, and the root is an element too.
    let (_, stdout, _) = suppress(
        "domain --suppress-in comment",
        "x",
        "<domain type='qemu' id='3'><devices/></domain>",
    );
    assert!(
        stdout.starts_with("<!-- gvtg-xml: ignore[live-xml, not-kvm] x --><domain "),
        "{stdout}"
    );
    // A finding in a comment outside all elements.
    let (_, stdout, _) = suppress(
        "ignore-without-reason --suppress-in comment",
        "x",
        &format!("<!-- gvtg-xml: ignore[vgpu] -->\n{one_line}"),
    );
    assert!(
        stdout.ends_with(&format!(
            "<!-- gvtg-xml: ignore-file[ignore-without-reason] x -->{one_line}"
        )),
        "{stdout}"
    );
    assert!(!run("lint --format concise", &stdout).1.contains("without-reason"));
}

#[test]
fn does_not_suppress_consequences_of_suppressed_findings() {
    let spice = TEXT.replace(
        "<graphics type='vnc'/>",
        "<graphics type='spice'/>\n    <channel type='spicevmc'/>",
    );
    let (_, stdout, _) = suppress("display", "x", &spice);
    assert!(stdout.contains("'stray-graphics'") && !stdout.contains("spice-leftover"), "{stdout}");
    let (_, stdout, _) = suppress("spice-leftover", "x", &spice);
    assert!(stdout.contains("'spice-leftover'"), "{stdout}");
}

#[test]
fn suppress_fixes_nothing_and_leaves_other_files_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (bad, good) = (folder.path().join("bad.xml"), folder.path().join("good.xml"));
    fs::write(&bad, TEXT).unwrap();
    fs::write(&good, "<domain type='kvm'>\n  <devices/>\n</domain>\n").unwrap();
    let flags = "--all --suppress stray-video --reason x .";
    assert_eq!(run_in(folder.path(), &format!("fix --check {flags}")).1, "./bad.xml\n");
    let (code, stdout, _) = run_in(folder.path(), &format!("fix --diff {flags}"));
    assert!(
        code == 1 && stdout.lines().all(|line| !line.starts_with('-') || line.starts_with("---")),
        "{stdout}"
    );
    assert_eq!(fs::read_to_string(&bad).unwrap(), TEXT);
    assert_eq!(run_in(folder.path(), &format!("fix --in-place {flags}")).0, 0);
    let written = fs::read_to_string(&bad).unwrap();
    assert!(
        written.contains("<gvtg:ignore rule='stray-video'>x<")
            && written.contains("<graphics type='vnc'/>"),
        "{written}"
    );
    assert!(!written.contains("mdev"), "{written}");
    assert!(!fs::read_to_string(&good).unwrap().contains("ignore"));
    assert_eq!(
        run_in(folder.path(), &format!("fix --check {flags}")),
        (0, String::new(), "gvtg-xml: 0 findings would be suppressed\n".into())
    );
}

#[test]
fn rejects_suppressions_that_cannot_be_written() {
    for (flags, reason, word) in [
        ("stray-vidoe", "x", "did you mean 'stray-video'"),
        ("stray-video", "", "say why"),
        ("stray-video", " – ", "say why"),
        ("stray-video", "a\nb", "line breaks"),
        ("stray-video", "a\u{1b}[31m", "control characters"),
        ("stray-video --suppress-in comment", "a -- b", "cannot contain '--'"),
        ("stray-video --suppress-in comment", "a-", "end with '-'"),
        ("stray-video --suppress-in nowhere", "a", "possible values: comment, metadata"),
        ("stray-video --format json", "a", "cannot be used with"),
    ] {
        let (code, stdout, stderr) = suppress(flags, reason, TEXT);
        assert!(
            (code, stdout.as_str()) == (2, "") && stderr.contains(word),
            "{flags} {reason:?}: {stderr}"
        );
    }
    for alone in [
        "fix --suppress stray-video",
        "fix --reason x",
        "fix --suppress-in comment",
        "lint --suppress stray-video --reason x",
    ] {
        assert_eq!(run(alone, TEXT).0, 2, "{alone}");
    }
    let (code, stdout, stderr) = suppress("stray-video", "x", "<domain><");
    assert!(
        (code, stdout.as_str()) == (2, "") && stderr.starts_with("gvtg-xml: <stdin>:1:9: error:"),
        "{stderr}"
    );
}

#[test]
fn reports_omit_or_mark_suppressed_findings() {
    let text = suppress("stray-video", "the installer", TEXT).1;
    for format in ["full", "concise", "json", "json-lines", "github", "gitlab", "junit"] {
        let (code, stdout, stderr) = run(&format!("lint --format {format}"), &text);
        assert!(
            code == 1 && stdout.contains("stray-graphics") && !stdout.contains("stray-video"),
            "{format}: {stdout}"
        );
        let is_text = matches!(format, "full" | "concise" | "github");
        assert_eq!(
            stderr.ends_with("; 2 suppressed (`--statistics` lists them)\n"),
            is_text,
            "{format}: {stderr}"
        );
    }
    let json: Value = serde_json::from_str(&run("lint --format json", &text).1).unwrap();
    assert_eq!(json["suppressed"], 2);
    let json: Value = serde_json::from_str(&run("lint --format json", TEXT).1).unwrap();
    assert_eq!(json["suppressed"], 0);
    let sarif: Value = serde_json::from_str(&run("lint --format sarif", &text).1).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let suppressed: Vec<_> =
        results.iter().filter(|result| !result["suppressions"].is_null()).collect();
    assert_eq!(suppressed.len(), 2);
    for result in suppressed {
        assert_eq!(result["ruleId"], "stray-video");
        assert_eq!(
            result["suppressions"],
            serde_json::json!([{ "kind": "inSource", "justification": "the installer" }])
        );
    }
    assert!(run("lint --statistics", &text).1.contains("    2  suppressed warning  stray-video"));
    // Only suppressed findings are left, so the exit code is 0.
    let all = suppress("display,vgpu,domain", "x", &text).1;
    let (code, stdout, _) = run("lint --format concise", &all);
    assert_eq!((code, stdout.as_str()), (0, ""));
    let (code, stdout, stderr) = run("fix --format json", &all);
    let report: Value = serde_json::from_str(&stderr).unwrap();
    assert_eq!(
        (code, stdout, &report["diagnostics"], &report["suppressed"]),
        (0, all.clone(), &serde_json::json!([]), &serde_json::json!(4))
    );
    assert!(run("fix", &all).2.starts_with("gvtg-xml: 0 fixed, 0 left, 4 suppressed (for libvirt"));
}
