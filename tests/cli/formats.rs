//! The formats that servers and programs read, where they are written, and which parts of them stay
//! the same.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs;
use std::path::Path;

use common::program::{feed, outcome, program, run, run_in};
use gvtg_xml::report::{FileFindings, Part, Report, Sarif, State};
use gvtg_xml::{Edit, Edits, Linter, RuleSet, Settings, Severity, Source, builtin};
use serde_json::Value;

const BAD: &str = "<domain type='kvm'>\n  <name>win10</name>\n  <devices>\n    <graphics type='vnc'/>\n    <video/>\n  </devices>\n</domain>\n";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The findings of a JSON report.
fn diagnostics(text: &str) -> Vec<Value> {
    json(text)["diagnostics"].as_array().unwrap().clone()
}

/// The rule and fingerprint of each finding.
fn fingerprints(name: &str, text: &str) -> Vec<(String, String)> {
    let mut command = program(["lint", "--format", "json", "--stdin-filename", name]);
    let (_, stdout, _) = outcome(feed(&mut command, text.as_bytes()));
    let pair = |finding: &Value| {
        (
            finding["rule"].as_str().unwrap().to_owned(),
            finding["fingerprint"].as_str().unwrap().to_owned(),
        )
    };
    diagnostics(&stdout).iter().map(pair).collect()
}

#[test]
fn a_fingerprint_does_not_depend_on_lines() {
    let before = fingerprints("vms/a.xml", BAD);
    assert!(before.len() > 2);
    let moved = BAD.replace("  <name>", "\n\n  <!-- why -->\n  <title>x</title>\n  <name>");
    assert_eq!(fingerprints("vms/a.xml", &moved), before);
    assert_eq!(
        fingerprints("./vms/a.xml", &BAD.replace("\n    <", "\r\n\t<")),
        before,
        "nor does white space matter"
    );
    assert_eq!(
        fingerprints("vms/a.xml", &BAD.replace("<graphics ", "<graphics\n        ")),
        before,
        "inside a tag neither"
    );
    let others = fingerprints("vms/b.xml", BAD);
    assert!(
        before
            .iter()
            .zip(&others)
            .all(|(before, other)| before.0 == other.0 && before.1 != other.1),
        "another file's are others"
    );
}

#[test]
fn similar_findings_have_different_fingerprints() {
    let twice =
        BAD.replace("    <video/>\n", "    <video/>\n    <video/>\n    <!-- -->\n    <video/>\n");
    let of_videos = |text: &str| {
        fingerprints("a.xml", text)
            .into_iter()
            .filter(|(rule, _)| rule == "stray-video")
            .collect::<Vec<_>>()
    };
    let (one, three) = (of_videos(BAD), of_videos(&twice));
    assert_eq!((one.len(), three.len()), (1, 3));
    assert_eq!(three[0], one[0]);
    assert!(three[1] != three[0] && three[2] != three[0] && three[2] != three[1]);
    let mut all: Vec<_> =
        fingerprints("a.xml", BAD).into_iter().map(|(_, fingerprint)| fingerprint).collect();
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count, "two rules about one element are two findings");
}

/// A domain whose <video>, <channel> and second hostdev are removed, each with a reference to it.
const WITH_REFERENCES: &str = r"<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>own</name>
  <devices>
    <graphics type='spice'/>
    <video><model type='vga'/><alias name='ua-vid'/></video>
    <channel type='spicevmc'><target type='virtio'/></channel>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-device'/>
    <qemu:arg value='virtserialport,chardev=charchannel0,nr=5'/>
    <qemu:arg value='-set'/>
    <qemu:arg value='device.channel0.name=x'/>
  </qemu:commandline>
  <qemu:override>
    <qemu:device alias='ua-vid'>
      <qemu:frontend>
        <qemu:property name='romfile' type='string' value='/vga.rom'/>
      </qemu:frontend>
    </qemu:device>
  </qemu:override>
</domain>
";

/// The references that are removed, by rule, with their positions.
const REFERENCES: &[(&str, &str, &str)] = &[
    (
        "stray-video",
        "15:5",
        "also removed, because it refers to ua-vid: the override for ua-vid: romfile=/vga.rom",
    ),
    (
        "spice-leftover",
        "10:5",
        "also removed, because it refers to charchannel0: -device virtserialport,chardev=charchannel0,nr=5",
    ),
    (
        "spice-leftover",
        "12:5",
        "also removed, because it refers to channel0: -set device.channel0.name=x",
    ),
];

#[test]
fn names_each_reference_that_is_removed_with_a_device() {
    let (_, _, report) = run("fix", WITH_REFERENCES);
    for (rule, place, message) in REFERENCES {
        assert!(report.contains(&format!("\n  <stdin>:{place}: {message}\n")), "{report}");
        for command in ["lint --quiet --format concise", "fix --quiet --format concise --diff"] {
            let (_, stdout, stderr) = run(command, WITH_REFERENCES);
            let text = stdout + &stderr;
            let is_named = |line: &str| {
                line.contains(&format!("[{rule}]"))
                    && line.contains(&format!("; {message} ({place})"))
            };
            assert!(command.starts_with("fix") || text.lines().any(is_named), "{text}");
        }
        for format in ["github", "gitlab", "junit"] {
            let text = run(&format!("lint --format {format}"), WITH_REFERENCES).1;
            assert!(text.contains(&format!("{message} ({place})")), "{format}: {text}");
        }
        for (command, state) in [("lint", "found"), ("fix --diff", "fixable")] {
            let (_, stdout, stderr) = run(&format!("{command} --format json"), WITH_REFERENCES);
            let report = if command == "lint" { stdout } else { stderr };
            let findings = diagnostics(&report);
            let related = findings
                .iter()
                .filter(|finding| finding["rule"] == *rule && finding["state"] == state);
            let mut places = related
                .flat_map(|finding| finding["related"].as_array().cloned().unwrap_or_default());
            let is_named = |related: Value| {
                related["message"] == *message
                    && format!("{}:{}", related["start"]["line"], related["start"]["column"])
                        == *place
            };
            assert!(places.any(is_named), "{report}");
        }
        let (line, column) = place.split_once(':').unwrap();
        let full = run("lint", WITH_REFERENCES).1.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(full.contains(&format!("note: line {line}, column {column}: {message}")), "{full}");
        let sarif = run("lint --format sarif", WITH_REFERENCES).1;
        assert!(sarif.contains(&format!("\"{message}\"")), "{sarif}");
    }
}

#[test]
fn json_lines_has_the_findings_of_json() {
    let lines = run("lint --format json-lines", BAD).1;
    let of_lines: Vec<Value> = lines.lines().map(json).collect();
    assert_eq!(of_lines, diagnostics(&run("lint --format json", BAD).1));
    assert!(of_lines.iter().all(|finding| finding["state"] == "found"));
}

#[test]
fn gitlab_reports_have_the_required_fields() {
    let (code, stdout, _) = run("lint --format gitlab --stdin-filename ./vms/a.xml", BAD);
    assert_eq!(code, 1);
    let findings = json(&stdout);
    let findings = findings.as_array().unwrap();
    let rules: Vec<&str> =
        findings.iter().map(|finding| finding["check_name"].as_str().unwrap()).collect();
    assert_eq!(rules, ["missing-vgpu", "stray-graphics", "stray-video"]);
    for finding in findings {
        assert!(!finding["description"].as_str().unwrap().is_empty());
        assert!(
            ["info", "minor", "major", "critical", "blocker"]
                .contains(&finding["severity"].as_str().unwrap())
        );
        assert!(finding["fingerprint"].as_str().unwrap().len() >= 32);
        assert_eq!(finding["location"]["path"], "vms/a.xml", "relative, without ./");
        assert!(finding["location"]["lines"]["begin"].as_u64().unwrap() >= 1);
    }
    assert_eq!(json(&run("lint --format gitlab", "<domain").1)[0]["check_name"], "not-well-formed");
    assert_eq!(json(&run("lint --format gitlab --only two-ramfb", BAD).1), json("[]"));
}

#[test]
fn github_reports_have_an_annotation_per_finding() {
    let arguments = [
        "lint",
        "--format",
        "github",
        "--only",
        "stray-graphics,other-audio",
        "--stdin-filename",
        "a,b:50%.xml",
    ];
    let text = BAD.replace("vnc", "x%y");
    let (_, stdout, _) = outcome(feed(&mut program(arguments), text.as_bytes()));
    assert_eq!(
        stdout,
        "::warning title=gvtg-xml stray-graphics,file=a%2Cb%3A50%25.xml,line=4,col=5,endColumn=26::<graphics type='x%25y'> does not show \
         the vGPU%0Ahelp: remove it: QEMU's own display shows the vGPU\n"
    );
    let several_lines = BAD.replace("<graphics type='vnc'/>", "<graphics\n type='vnc'/>");
    let stdout = run("lint --format github --only stray-graphics", &several_lines).1;
    assert!(stdout.contains(",line=4,endLine=5::"), "columns are those of one line: {stdout}");
    assert_eq!(run("lint --format github", "<domain").1.lines().count(), 1);
}

#[test]
fn junit_fails_exactly_if_the_exit_code_does() {
    let mute = BAD.replace("<video/>", "<sound model='ich9'/>");
    let cases = |flags: &str| {
        let (_, stdout, _) =
            run(&format!("lint --format junit --only stray-graphics,silent-sound {flags}"), &mute);
        (
            stdout.matches("<testcase ").count(),
            stdout.matches("<failure ").count(),
            stdout.contains(" failures=\"1\""),
        )
    };
    assert_eq!(cases(""), (2, 1, true));
    assert_eq!(cases("--fail-on error"), (2, 0, false));
    assert_eq!(cases("--fail-on info"), (2, 2, false));
    let fine = run("lint --format junit --only two-ramfb", BAD).1;
    assert!(
        fine.contains(" tests=\"1\" failures=\"0\"") && fine.contains("name=\"no findings\""),
        "a file without findings passes: {fine}"
    );
}

#[test]
fn statistics_count_each_rule() {
    let many = BAD.replace("    <video/>\n", "    <video/>\n    <video/>\n");
    let (code, stdout, stderr) = run("lint --statistics", &many);
    assert_eq!((code, stderr.as_str()), (1, ""));
    let wanted = "    2  warning  stray-video     A <video> card next to the vGPU\n    1  error    missing-vgpu    No vGPU in the domain\n    \
                  1  warning  stray-graphics  A <graphics> that does not show the vGPU\n";
    assert_eq!(stdout, wanted);
    let (_, _, stderr) =
        run("fix --statistics", &many.replace("<domain type='kvm'>", "<domain type='qemu'>"));
    assert!(
        stderr.contains("    2  fixed warning  stray-video ")
            && stderr.contains("    1  left  error    not-kvm "),
        "{stderr}"
    );
}

#[test]
fn each_report_needs_its_own_output_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let read = |name: &str| fs::read_to_string(path(name)).unwrap();
    fs::write(path("a.xml"), BAD).unwrap();
    let here = |arguments: &str| run_in(folder.path(), arguments);

    let (code, stdout, stderr) = here(
        "lint -q --format sarif --output-file a.sarif --format json --output-file a.json --format concise a.xml",
    );
    assert_eq!((code, stderr.as_str()), (1, ""));
    assert_eq!(stdout, here("lint --format concise a.xml").1);
    assert_eq!(read("a.json"), here("lint -q --format json a.xml").1);
    assert_eq!(json(&read("a.sarif"))["version"], "2.1.0");
    assert_eq!(
        here("lint -q a.xml --format json --output-file b.json"),
        (1, String::new(), String::new()),
        "a file leaves stdout empty"
    );
    assert_eq!(read("a.json"), read("b.json"));
    let (_, stdout, _) = here("lint --statistics --format json --output-file b.json a.xml");
    assert!(stdout.contains("stray-video"), "{stdout}");
    let (code, stdout, stderr) = here("fix --format json --output-file c.json a.xml");
    assert!(
        code == 0
            && stdout.starts_with("<domain")
            && stderr.starts_with("gvtg-xml: 3 fixed, 0 left"),
        "{stderr}"
    );
    assert!(diagnostics(&read("c.json")).iter().all(|finding| finding["state"] == "fixed"));
    assert!(here("lint --format full --output-file full.txt --color auto a.xml").1.is_empty());
    assert!(!read("full.txt").contains('\u{1b}'));

    for wrong in [
        "lint --format json --format full a.xml",
        "lint --output-file x a.xml",
        "lint --output-file x --format json a.xml",
        "lint --format json --output-file x --output-file y a.xml",
        "lint --statistics --format json a.xml",
        "fix --format json --statistics a.xml",
    ] {
        let (code, stdout, stderr) = here(wrong);
        assert_eq!((code, stdout.as_str()), (2, ""), "{wrong}");
        assert!(stderr.contains("--output-file"), "{wrong}: {stderr}");
    }
    assert!(!Path::new(&path("x")).exists());
}

#[test]
fn never_overwrites_a_domain_with_a_report() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("a.xml", BAD), ("b.xml", BAD), ("broken.xml", "<domain><devices>")] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    // The shell expanded a pattern, and the flag got the first file.
    for name in ["a.xml", "broken.xml"] {
        for command in ["lint", "fix"] {
            let (code, stdout, stderr) = run_in(
                folder.path(),
                &format!("{command} --format json --output-file {name} b.xml"),
            );
            assert_eq!((code, stdout.as_str()), (2, ""));
            assert!(
                stderr.contains(&format!(
                    "{name}: is a domain, and is not overwritten with a report"
                )),
                "{stderr}"
            );
        }
    }
    assert_eq!(fs::read_to_string(folder.path().join("a.xml")).unwrap(), BAD);
    let (code, stdout, stderr) =
        run_in(folder.path(), "fix --format json --output-file no/such/folder.json b.xml");
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(
        stderr.contains("no/such/folder.json: can't be written: No such file or directory"),
        "{stderr}"
    );
}

#[test]
fn fix_reports_fixed_and_remaining_findings_with_edits() {
    // One is fixed, one only with --unsafe-fixes, and one has to be fixed by hand.
    let text = BAD
        .replace("type='kvm'", "type='qemu'")
        .replace("<devices>", "<pm><suspend-to-disk enabled='yes'/></pm>\n  <devices>");
    let arguments = "fix --format json --only stray-video,not-kvm,save-not-possible,missing-vgpu";
    let (code, _, stderr) = run(arguments, &text);
    assert_eq!(code, 1);
    let of = |state: &str| {
        diagnostics(&stderr)
            .into_iter()
            .filter(|finding| finding["state"] == state)
            .collect::<Vec<_>>()
    };
    let rules = |findings: &[Value]| {
        findings
            .iter()
            .map(|finding| finding["rule"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let (fixed, left) = (of("fixed"), of("left"));
    assert_eq!(rules(&fixed), ["missing-vgpu", "stray-video"]);
    assert_eq!(rules(&left), ["not-kvm", "save-not-possible"]);
    assert_eq!(fixed[1]["start"]["line"], 6, "where it was in the text that came in");
    let edits = |finding: &Value, text: &str| {
        let offset = |edit: &Value, end: &str| {
            usize::try_from(edit[end]["offset"].as_u64().unwrap()).unwrap()
        };
        let edit = |edit: &Value| Edit {
            range: offset(edit, "start")..offset(edit, "end"),
            text: edit["text"].as_str().unwrap().into(),
        };
        let edits = finding["fix"]["edits"].as_array().unwrap().iter().map(edit).collect();
        Edits::new(edits).unwrap().apply(text)
    };
    assert_eq!(edits(&fixed[1], &text), text.replace("    <video/>\n", ""));
    assert_eq!(edits(&left[0], &text), text.replace("type='qemu'", "type='kvm'"));
    assert!(
        left[1]["start"]["line"] == 3 && left[1]["new"] == false,
        "what is left too: {}",
        left[1]
    );
    assert_eq!(left[0]["fix"]["applicability"], "unsafe");
    assert!(left[1]["fix"].is_null());

    let (_, stdout, stderr) = run(&format!("{arguments} --check"), &text);
    assert_eq!(stdout, "<stdin>\n");
    assert!(diagnostics(&stderr).iter().any(|finding| finding["state"] == "fixable"));
    assert_eq!(run(&format!("{arguments} --quiet"), &text).2, "");
    let (code, stdout, stderr) = run("fix --format json", "<domain");
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert_eq!(diagnostics(&stderr)[0]["rule"], "not-well-formed");
}

#[test]
fn reports_for_servers_leave_out_fixed_findings() {
    let text = BAD.replace("type='kvm'", "type='qemu'");
    for (format, mark) in [
        ("github", "::"),
        ("gitlab", "\"check_name\""),
        ("junit", "<testcase "),
        ("sarif", "\"ruleIndex\""),
    ] {
        let count = |arguments: &str| {
            let (_, stdout, stderr) = run(
                &format!("{arguments} --format {format} --only stray-video,missing-vgpu,not-kvm"),
                &text,
            );
            let report = if arguments.starts_with("lint") { stdout } else { stderr };
            report.lines().filter(|line| line.trim_start_matches('{').contains(mark)).count()
        };
        assert_eq!(
            (count("lint"), count("fix"), count("fix --check")),
            (3, 1, 3),
            "{format}: what was fixed is no longer a finding"
        );
    }
}

#[test]
fn sarif_leaves_out_fixes_without_edits() {
    let findings =
        Linter::new(&RuleSet::all(builtin()), &Settings::default()).lint(BAD).unwrap().open;
    assert!(findings.iter().any(|finding| finding.fix.is_some()));
    let source = Source::new("a.xml", BAD);
    let parts = [Part { state: State::Found, source: &source, diagnostics: &findings }];
    let mut text = String::new();
    Sarif::new(Vec::new(), None).file(
        &FileFindings { name: "a.xml", parts: &parts, fail_on: Severity::Warning },
        &mut text,
    );
    assert!(text.contains("missing-vgpu") && !text.contains("\"fixes\""), "{text}");
}

#[test]
fn distinguishes_fixable_from_fixed() {
    let line = |flags: &str| run(&format!("fix {flags} --only missing-vgpu,stray-graphics"), BAD).2;
    assert!(
        line("--format concise")
            .contains("<stdin>:4:5: fixed[stray-graphics] Remove the <graphics>\n")
    );
    assert!(
        line("--check --format concise")
            .contains("<stdin>:4:5: fixable[stray-graphics] Remove the <graphics>\n")
    );
    assert!(
        line("--diff --format full").contains(" fixable[stray-graphics]: <graphics type='vnc'>")
    );
}

#[test]
fn later_passes_report_positions_in_the_original_text() {
    let head = "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n  <name>a</name>\n  <devices/>\n";
    let first = "  <qemu:commandline>\n    <qemu:env name='A' value='é'/>\n  </qemu:commandline>\n";
    let second =
        "  <qemu:commandline>\n    <qemu:arg value='-display gtk'/>\n  </qemu:commandline>\n";
    let text = format!("{head}{first}{second}</domain>\n");
    let (_, _, stderr) = run("fix --format json", &text);
    let findings = diagnostics(&stderr);
    for rule in ["split-commandline", "joined-argument", "display-gl-off"] {
        let finding = findings
            .iter()
            .find(|finding| finding["rule"] == rule)
            .unwrap_or_else(|| panic!("{rule}: {stderr}"));
        let offset = usize::try_from(finding["start"]["offset"].as_u64().unwrap()).unwrap();
        let before = &text[..offset];
        let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
        assert_eq!(finding["start"]["line"], before.matches('\n').count() + 1, "{rule}");
        assert_eq!(finding["start"]["column"], column, "{rule}");
    }
    let line = |rule: &str| {
        findings.iter().find(|finding| finding["rule"] == rule).unwrap()["start"]["line"].clone()
    };
    assert_eq!((line("split-commandline"), line("joined-argument")), (7.into(), 8.into()));
    assert_eq!(
        line("display-gl-off"),
        4,
        "its argument is new, and the first in the block of line 4"
    );
}
