//! Findings across the files of a run: which documents are one domain, how reports show the
//! findings, and how suppressions apply.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Instant;

use common::files::folder;
use common::program::{feed, outcome, program, run_in};
use gvtg_xml::{Claims, Detail, Linter, Rule, RuleSet, Settings, Source, builtin};
use serde_json::Value;

/// The vGPU of many guides.
const VGPU: &str = "ab54baba-ea9a-4ce5-b7b4-51b376b65849";
const OTHER: &str = "ab54baba-ea9a-4ce5-b7b4-51b376b65848";
const ONE: &str = "<uuid>c1b2e3d4-0000-4000-8000-000000000001</uuid>";
const TWO: &str = "<uuid>c1b2e3d4-0000-4000-8000-000000000002</uuid>";
const OTHER_GPU: &str =
    "<metadata><gvtg:domain xmlns:gvtg='urn:gvtg-xml:1' pci='0000:00:03.0'/></metadata>";

/// A domain with a vGPU; `inside` follows its name.
fn domain(name: &str, inside: &str, vgpu: &str) -> String {
    format!(
        "<domain type='kvm'>\n  <name>{name}</name>\n  {inside}\n  <devices>\n    <hostdev mode='subsystem' type='mdev' model='vfio-pci'>\n      \
         <source><address uuid='{vgpu}'/></source>\n    </hostdev>\n  </devices>\n</domain>\n"
    )
}

/// A domain whose metadata says that it shares its vGPU.
fn domain_that_shares(name: &str) -> String {
    let ignore = format!("<gvtg:ignore rule='shared-vgpu'>{name} takes turns</gvtg:ignore>");
    domain(
        name,
        &format!(
            "<metadata><gvtg:domain xmlns:gvtg='urn:gvtg-xml:1'>{ignore}</gvtg:domain></metadata>"
        ),
        VGPU,
    )
}

/// Lints these texts as one run, with their numbers as file names: the open cross-file findings,
/// and the suppressed ones.
fn found(texts: &[String]) -> (Vec<String>, Vec<String>) {
    let (rules, settings) = (RuleSet::all(builtin()), Settings::default());
    let (mut others, mut open, mut suppressed) = (Claims::default(), Vec::new(), Vec::new());
    for (index, text) in texts.iter().enumerate() {
        let findings = Linter::new(&rules, &settings)
            .detail(Detail::Edits)
            .others(Some(&others))
            .lint_source(&Source::new("", text))
            .unwrap();
        for (part, all) in [(&findings.open, &mut open), (&findings.suppressed, &mut suppressed)] {
            for finding in part {
                for file in finding.related.iter().filter_map(|related| related.file.as_ref()) {
                    let reason = finding
                        .reason
                        .iter()
                        .map(|reason| format!(" ({reason})"))
                        .collect::<String>();
                    all.push(format!("{index}-{file} {}{reason}", finding.rule.id));
                }
            }
        }
        others.add(&index.to_string(), findings.summary);
    }
    (open, suppressed)
}

#[test]
fn only_different_domains_share_a_vgpu() {
    let of = |name: &str, inside: &str| domain(name, inside, VGPU);
    let without = |text: &str, what: &str| text.replace(what, "");
    let a = of("a", "");
    for (what, texts, expected) in [
        ("one file", vec![a.clone()], &[][..]),
        ("the same text again", vec![a.clone(), a.clone()], &[]),
        ("two names", vec![a.clone(), of("b", "")], &["1-0 shared-vgpu"]),
        ("a copy with the old <uuid>", vec![of("a", ONE), of("b", ONE)], &["1-0 shared-vgpu"]),
        ("a copy with a new <uuid>", vec![of("a", ONE), of("b", TWO)], &["1-0 shared-vgpu"]),
        (
            "three names",
            vec![a.clone(), of("b", ""), of("c", "")],
            &["1-0 shared-vgpu", "2-0 shared-vgpu"],
        ),
        (
            "a backup between",
            vec![a.clone(), a.clone(), of("b", ""), of("b", "")],
            &["2-0 shared-vgpu", "3-0 shared-vgpu"],
        ),
        ("as libvirt wrote it", vec![a.clone(), of("a", ONE), a.clone()], &[]),
        ("another vGPU", vec![a.clone(), domain("b", "", OTHER)], &[]),
        (
            "however it is written",
            vec![a.clone(), domain("b", "", &VGPU.to_uppercase().replace('-', ""))],
            &["1-0 shared-vgpu"],
        ),
        ("blanks are part of a name", vec![a.clone(), of(" a", "")], &["1-0 shared-vgpu"]),
        ("an entity is its character", vec![of("&#97;", ""), a.clone()], &[]),
        ("a name in CDATA", vec![of("<![CDATA[a]]>", ""), a.clone()], &[]),
        ("no name", vec![without(&a, "<name>a</name>"), a.clone()], &[]),
        (
            "no names",
            vec![
                without(&of("a", ONE), "<name>a</name>"),
                without(&of("b", TWO), "<name>b</name>"),
            ],
            &[],
        ),
        ("another hypervisor", vec![a.clone(), of("b", "").replace("'kvm'", "'xen'")], &[]),
        ("one name, two uuids", vec![of("a", ONE), of("a", TWO)], &["1-0 shared-name"]),
        (
            "one name, other vGPUs",
            vec![of("a", ONE), domain("a", TWO, OTHER)],
            &["1-0 shared-name"],
        ),
        (
            "one name, one uuid",
            vec![of("a", ONE), domain("a", &ONE.to_uppercase().replace("UUID", "uuid"), OTHER)],
            &[],
        ),
        ("one name, one without uuid", vec![of("a", ONE), domain("a", "", OTHER)], &[]),
        ("one name, two GPUs", vec![of("a", ONE), of("a", &format!("{TWO}{OTHER_GPU}"))], &[]),
        (
            "one name, that GPU twice",
            vec![of("a", &format!("{ONE}{OTHER_GPU}")), of("a", &format!("{TWO}{OTHER_GPU}"))],
            &["1-0 shared-name"],
        ),
    ] {
        assert_eq!(found(&texts).0, expected, "{what}: {texts:#?}");
    }
}

#[test]
fn compares_uuids_that_fix_writes() {
    let lacking = |name: &str, inside: &str| {
        domain(name, inside, VGPU).replace(&format!("<address uuid='{VGPU}'/>"), "")
    };
    assert_eq!(found(&[lacking("a", ""), lacking("b", "")]).0, [""; 0], "derived from two names");
    assert_eq!(found(&[lacking("a", ONE), lacking("b", TWO)]).0, [""; 0]);
    assert_eq!(
        found(&[lacking("a", ONE), lacking("b", ONE)]).0,
        ["1-0 shared-vgpu"],
        "derived from one uuid"
    );
    // The fixed text has the same finding, with positions in the original text.
    let (rules, settings) = (RuleSet::all(builtin()), Settings::default());
    let mut others = Claims::default();
    let texts = [lacking("a", ONE), format!("\n\n{}", lacking("b", ONE))];
    let mut fixed = Vec::new();
    for (name, text) in ["a.xml", "b.xml"].into_iter().zip(texts) {
        let mut one = Linter::new(&rules, &settings).others(Some(&others)).fix(text).unwrap();
        others.add(name, std::mem::take(&mut one.summary));
        fixed.push(one);
    }
    assert!(fixed[0].remaining.is_empty(), "{:?}", fixed[0].remaining);
    let left = &fixed[1].remaining[0];
    let related = &left.related[0];
    assert_eq!((&*left.rule.id, left.start.line, left.in_inserted_text), ("shared-vgpu", 8, true));
    assert_eq!(
        (related.file.as_deref(), related.start.line, related.start.column),
        (Some("a.xml"), 6, 15)
    );
    // Domains without a vGPU get one.
    let bare = |name: &str| {
        format!("<domain type='kvm'>\n<name>{name}</name>\n{ONE}\n<devices/>\n</domain>\n")
    };
    let mut others = Claims::default();
    others.add(
        "a.xml",
        Linter::new(&rules, &settings).others(Some(&others)).fix(bare("a")).unwrap().summary,
    );
    let left =
        Linter::new(&rules, &settings).others(Some(&others)).fix(bare("b")).unwrap().remaining;
    assert_eq!(left.iter().map(|left| &*left.rule.id).collect::<Vec<_>>(), ["shared-vgpu"]);
}

#[test]
fn a_suppression_in_either_document_applies_in_any_order() {
    let (a, b, c) = (domain("a", "", VGPU), domain("b", "", VGPU), domain("c", "", VGPU));
    let none: [&str; 0] = [];
    for (texts, open, suppressed) in [
        (
            vec![domain_that_shares("a"), b.clone()],
            &none[..],
            &["1-0 shared-vgpu (a takes turns)"][..],
        ),
        (vec![a.clone(), domain_that_shares("b")], &none, &["1-0 shared-vgpu (b takes turns)"]),
        (
            vec![domain_that_shares("a"), domain_that_shares("b")],
            &none,
            &["1-0 shared-vgpu (b takes turns)"],
        ),
        (
            vec![domain_that_shares("a"), b.clone(), c.clone()],
            &["2-1 shared-vgpu"],
            &["1-0 shared-vgpu (a takes turns)"],
        ),
        (
            vec![a.clone(), domain_that_shares("b"), c.clone()],
            &["2-0 shared-vgpu"],
            &["1-0 shared-vgpu (b takes turns)"],
        ),
    ] {
        assert_eq!(
            found(&texts),
            (
                open.iter().map(|s| s.to_string()).collect(),
                suppressed.iter().map(|s| s.to_string()).collect()
            )
        );
    }
    let comment = |text: &str, scope: &str| {
        text.replacen(
            "    <hostdev",
            &format!("    <!-- gvtg-xml: {scope} x y -->\n    <hostdev"),
            1,
        )
    };
    for scope in ["ignore[shared-vgpu]", "ignore-file[shared-vgpu]", "ignore[vgpu]"] {
        assert_eq!(found(&[a.clone(), comment(&b, scope)]).1, ["1-0 shared-vgpu (x y)"], "{scope}");
        assert_eq!(found(&[comment(&a, scope), b.clone()]).1, ["1-0 shared-vgpu (x y)"], "{scope}");
    }
    // A suppression elsewhere, of another rule, or without a reason.
    let elsewhere =
        b.replace("<devices>", "<!-- gvtg-xml: ignore[shared-vgpu] x --><memory/>\n  <devices>");
    for text in [
        elsewhere,
        comment(&b, "ignore[shared-name]"),
        comment(&b, "ignore[shared-vgpu]").replace("x y", ""),
    ] {
        assert_eq!(
            found(&[a.clone(), text.clone()]),
            (vec!["1-0 shared-vgpu".into()], vec![]),
            "{text}"
        );
        assert_eq!(
            found(&[text.clone(), a.clone()]),
            (vec!["1-0 shared-vgpu".into()], vec![]),
            "{text}"
        );
    }
}

#[test]
fn suppressions_of_cross_file_rules_are_never_unused() {
    let (rules, settings) = (RuleSet::all(builtin()), Settings::default());
    let unused = |text: &str, beside: bool| {
        let claims = Claims::default();
        let findings = Linter::new(&rules, &settings)
            .others(beside.then_some(&claims))
            .lint_source(&Source::new("", text))
            .unwrap();
        findings.open.iter().filter(|finding| finding.rule.id == "unused-ignore").count()
    };
    let with =
        |names: &str| domain("a", &format!("<!-- gvtg-xml: ignore-file[{names}] why -->"), VGPU);
    for (names, expected) in [
        ("shared-vgpu", 0),
        ("shared-name", 0),
        ("vgpu", 0),
        ("display", 1),
        ("x-vga", 1),
        ("x-vga, shared-vgpu", 1),
    ] {
        for beside in [false, true] {
            assert_eq!(unused(&with(names), beside), expected, "{names}");
        }
    }
    assert_eq!(
        Linter::new(&rules, &settings)
            .lint(&domain_that_shares("a"))
            .unwrap()
            .open
            .iter()
            .filter(|one| one.rule.id == "unused-ignore")
            .count(),
        0
    );
}

#[test]
fn compares_files_per_rule() {
    let shared = builtin().iter().find(|rule| rule.id == "shared-vgpu").unwrap();
    let own = Rule { id: "our-shared-vgpu".into(), ..shared.clone() };
    let settings = Settings::default();
    let of = |before: &[&Rule], now: &[&Rule]| {
        let ask = |name: &str, rules: &[&Rule], others: &Claims| {
            let set =
                RuleSet { active: rules.to_vec(), ..RuleSet::all(builtin().iter().chain([&own])) };
            let findings = Linter::new(&set, &settings)
                .others(Some(others))
                .lint_source(&Source::new("", &domain(name, "", VGPU)))
                .unwrap();
            (
                findings.open.iter().map(|finding| finding.rule.id.to_string()).collect::<Vec<_>>(),
                findings.summary,
            )
        };
        let mut others = Claims::default();
        others.add("a", ask("a", before, &others).1);
        ask("b", now, &others).0
    };
    assert_eq!(of(&[shared], &[&own]), [""; 0], "nobody asked the first about it");
    assert_eq!(of(&[], &[shared]), [""; 0]);
    assert_eq!(of(&[shared, &own], &[&own]), ["our-shared-vgpu"]);
    assert_eq!(of(&[shared, &own], &[shared, &own]), ["our-shared-vgpu", "shared-vgpu"]);
}

/// Lints files in a folder with the cross-file rules only.
fn lint(folder: &Path, arguments: &str) -> (i32, String, String) {
    run_in(folder, &format!("lint --only shared-vgpu,shared-name {arguments}"))
}

const FINDING: &str = "vms/b.xml:6:24: warning[shared-vgpu] vGPU ab54baba-ea9a-4ce5-b7b4-51b376b65849 is also used by domain a: only one of the two VMs \
    can run at a time; the same vGPU in domain a: vms/a.xml:6:24\n";

/// Two domains that share a vGPU, and one that doesn't.
fn vms() -> tempfile::TempDir {
    let (a, b, c) = (domain("a", "", VGPU), domain("b", "", VGPU), domain("c", "", OTHER));
    folder(&[
        ("vms/a.xml", &a),
        ("vms/b.xml", &b),
        ("vms/c.xml", &c),
        ("vms/net.xml", "<network/>"),
    ])
}

#[test]
fn a_cross_file_finding_affects_exit_code_and_statistics() {
    let vms = vms();
    let at = vms.path();
    let of_two = "gvtg-xml: 1 finding, none fixable\n";
    assert_eq!(
        lint(at, "--format concise vms/a.xml vms/b.xml"),
        (1, FINDING.into(), of_two.into())
    );
    assert_eq!(lint(at, "--format concise -q vms"), (1, FINDING.into(), String::new()));
    assert_eq!(
        lint(at, "--format concise -q --skip-foreign vms/a.xml vms/net.xml vms/b.xml"),
        (1, FINDING.into(), String::new())
    );
    assert_eq!(
        lint(at, "-q vms/b.xml"),
        (0, String::new(), String::new()),
        "one file has nothing in common"
    );
    assert_eq!(lint(at, "-q vms/a.xml vms/c.xml"), (0, String::new(), String::new()));
    assert_eq!(lint(at, "-q --fail-on error vms").0, 0);
    assert_eq!(lint(at, "-q --exit-zero vms").0, 0);
    assert_eq!(lint(at, "-q --ignore shared-vgpu vms"), (0, String::new(), String::new()));
    assert_eq!(
        lint(at, "--statistics -q vms").1,
        "    1  warning  shared-vgpu  The same vGPU in two domains\n"
    );
    // A file that can't be read does not affect the others.
    fs::write(at.join("vms/aa.xml"), "<domain><").unwrap();
    assert_eq!(lint(at, "--format concise -q vms").1.replace(FINDING, "").lines().count(), 1);
}

#[test]
fn compares_stdin_and_recognises_a_file_by_all_its_names() {
    let vms = vms();
    let at = vms.path();
    let b = fs::read(at.join("vms/b.xml")).unwrap();
    let piped = |arguments: &[&str]| {
        let flags = ["lint", "-q", "--format", "concise", "--only", "shared-vgpu"];
        outcome(feed(program(flags).args(arguments).current_dir(at), &b)).1
    };
    assert!(piped(&["vms/a.xml", "-"]).starts_with("<stdin>:6:24: warning[shared-vgpu]"));
    assert!(piped(&["-", "vms/a.xml"]).ends_with("the same vGPU in domain b: <stdin>:6:24\n"));
    assert!(
        piped(&["--stdin-filename", "x.xml", "-", "vms/a.xml"])
            .ends_with("the same vGPU in domain b: x.xml:6:24\n")
    );
    assert_eq!(piped(&["vms/b.xml", "-"]), "");
    symlink("a.xml", at.join("vms/link.xml")).unwrap();
    fs::hard_link(at.join("vms/a.xml"), at.join("vms/hard.xml")).unwrap();
    fs::copy(at.join("vms/a.xml"), at.join("vms/a.fixed.xml")).unwrap();
    for files in [
        "vms/a.xml vms/a.xml",
        "vms/a.xml ./vms/../vms/a.xml",
        "vms/a.xml vms/link.xml",
        "vms/hard.xml vms/a.xml vms/a.fixed.xml",
    ] {
        assert_eq!(lint(at, &format!("-q {files}")), (0, String::new(), String::new()), "{files}");
    }
}

#[test]
fn a_configuration_can_change_the_severity_and_exclude_files() {
    let vms = vms();
    let at = vms.path();
    let configured = |text: &str, arguments: &str| {
        fs::write(at.join("gvtg-xml.toml"), text).unwrap();
        let (code, stdout, _) = lint(at, &format!("--format concise {arguments}"));
        (code, stdout)
    };
    let quiet = (0, String::new());
    assert_eq!(
        configured("[rules]\nshared-vgpu = 'error'\n", "vms"),
        (1, FINDING.replace("warning", "error"))
    );
    assert_eq!(
        configured("[rules]\nshared-vgpu = 'info'\n", "vms"),
        (0, FINDING.replace("warning", "info"))
    );
    let off = |files: &str| {
        format!("[[overrides]]\nfiles = ['vms/{files}']\n[overrides.rules]\nshared-vgpu = 'off'\n")
    };
    let without = |files: &str| {
        fs::write(at.join("gvtg-xml.toml"), off(files)).unwrap();
        let (code, stdout, _) = run_in(at, "lint --format concise vms");
        (
            code,
            stdout
                .lines()
                .filter(|line| line.contains("shared-vgpu"))
                .map(|line| format!("{line}\n"))
                .collect::<String>(),
        )
    };
    assert_eq!(without("c.xml").1, FINDING);
    for files in ["a.xml", "b.xml"] {
        assert_eq!(without(files).1, "", "a file without the rule is compared with none: {files}");
    }
    assert_eq!(
        configured("[rules]\nshared-vgpu = 'off'\n", "vms/a.xml vms/b.xml --ignore shared-vgpu"),
        quiet
    );
    fs::write(at.join("gvtg-xml.toml"), "[rules]\nshared-vgpu = 'info'\n").unwrap();
    assert!(run_in(at, "config").1.contains("shared-vgpu"));
}

#[test]
fn each_format_names_both_positions() {
    let vms = vms();
    let at = vms.path();
    let report = |format: &str| lint(at, &format!("-q --format {format} vms")).1;
    assert!(
        report("full").contains("╭─[vms/b.xml:6:24]")
            && report("full").contains("note: vms/a.xml:6:24: the same vGPU in domain a\n"),
        "{}",
        report("full")
    );
    let json: Value = serde_json::from_str(&report("json")).unwrap();
    let lines: Value = serde_json::from_str(&report("json-lines")).unwrap();
    assert_eq!(json["diagnostics"][0], lines);
    assert_eq!((&lines["file"], &lines["start"]["line"]), (&"vms/b.xml".into(), &6.into()));
    let related = &lines["related"][0];
    assert_eq!(
        (&related["file"], &related["start"]["line"], &related["start"]["column"]),
        (&"vms/a.xml".into(), &6.into(), &24.into())
    );
    let sarif: Value = serde_json::from_str(&report("sarif")).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    let uri = |location: &Value| {
        location["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (uri(&result["locations"][0]), uri(&result["relatedLocations"][0])),
        ("vms/b.xml".into(), "vms/a.xml".into())
    );
    let gitlab: Value = serde_json::from_str(&report("gitlab")).unwrap();
    assert_eq!(gitlab[0]["location"]["path"], "vms/b.xml");
    for text in [gitlab[0]["description"].as_str().unwrap(), &report("github"), &report("junit")] {
        assert!(text.contains("; the same vGPU in domain a: vms/a.xml:6:24"), "{text}");
    }
    // A position in the finding's own file has that file's name.
    let two = format!(
        "<hostdev type='mdev' model='vfio-pci'><source><address uuid='{VGPU}'/></source></hostdev></devices>"
    );
    fs::write(at.join("twice.xml"), domain("t", "", VGPU).replace("</devices>", &two)).unwrap();
    let twice: Value = serde_json::from_str(
        &run_in(at, "lint --only duplicate-vgpu --format json-lines twice.xml").1,
    )
    .unwrap();
    assert_eq!(twice["related"][0]["file"], "twice.xml");
}

#[test]
fn names_cannot_control_the_terminal() {
    let hostile = domain("x\u{202e}&#9;%0A::error::", "", VGPU);
    let files = folder(&[("a\n\u{1b}[31m.xml", &hostile), ("b.xml", &domain("b", "", VGPU))]);
    for format in ["full", "concise", "json", "json-lines", "sarif", "github", "gitlab", "junit"] {
        let (code, stdout, _) = lint(files.path(), &format!("-q --format {format} ."));
        assert_eq!(code, 1, "{format}");
        assert!(stdout.contains("shared-vgpu"), "{format}: {stdout}");
        assert!(
            !stdout.contains(['\u{1b}']) && !stdout.contains("\n::error::"),
            "{format}: {stdout}"
        );
        assert!(
            ["gitlab", "sarif"].contains(&format) || !stdout.contains('\u{202e}'),
            "{format}: {stdout}"
        );
    }
    assert_eq!(lint(files.path(), "-q --format concise .").1.lines().count(), 1);
}

#[test]
fn fix_reports_shared_vgpus_and_does_not_change_them() {
    let vms = vms();
    let at = vms.path();
    let lacking =
        |name: &str| domain(name, ONE, VGPU).replace(&format!("<address uuid='{VGPU}'/>"), "");
    fs::write(at.join("d.xml"), lacking("d")).unwrap();
    fs::write(at.join("e.xml"), lacking("e")).unwrap();
    let flags = "--unsafe-fixes --ignore vgpu-alias";
    for how in ["--check --format concise", "--diff"] {
        let (code, _, stderr) = run_in(at, &format!("fix {how} {flags} d.xml e.xml"));
        assert_eq!(code, 1, "{stderr}");
        assert!(
            stderr.contains("e.xml:6:15: warning[shared-vgpu]")
                && stderr.contains("; the same vGPU in domain d: d.xml:6:15"),
            "{stderr}"
        );
    }
    let (code, _, stderr) = run_in(at, &format!("fix --in-place {flags} d.xml e.xml"));
    assert_eq!(code, 1, "{stderr}");
    assert_eq!(stderr.matches("warning[shared-vgpu]").count(), 1, "{stderr}");
    let vgpu = |name: &str| {
        fs::read_to_string(at.join(name))
            .unwrap()
            .split("address uuid='")
            .nth(1)
            .map(|rest| rest[..36].to_owned())
    };
    assert_eq!(vgpu("d.xml"), vgpu("e.xml"), "neither file is the one that is wrong");
    // Two domains that get the same --uuid share a vGPU.
    let (code, _, stderr) =
        run_in(at, &format!("fix --in-place --uuid {OTHER} vms/a.xml vms/b.xml"));
    assert_eq!(
        (code, stderr.matches("vms/b.xml:6:24: warning[shared-vgpu]").count()),
        (1, 1),
        "{stderr}"
    );
    // Each file alone is valid.
    assert_eq!(run_in(at, "fix --check -q vms/b.xml"), (0, String::new(), String::new()));
}

#[test]
fn fix_suppress_suppresses_a_cross_file_finding_once() {
    for form in ["metadata", "comment"] {
        let vms = vms();
        let at = vms.path();
        let suppress =
            format!("fix --in-place --suppress shared-vgpu --reason turns --suppress-in {form}");
        let (code, _, stderr) = run_in(at, &format!("{suppress} vms/a.xml vms/b.xml"));
        assert!(code == 0 && stderr.starts_with("gvtg-xml: 1 finding suppressed "), "{stderr}");
        assert!(
            run_in(at, &format!("{suppress} vms/b.xml vms/a.xml"))
                .2
                .starts_with("gvtg-xml: 0 findings suppressed"),
            "done is done"
        );
        for files in ["vms/a.xml vms/b.xml", "vms/b.xml vms/a.xml"] {
            let (code, stdout, stderr) = lint(at, files);
            assert_eq!((code, stdout.as_str()), (0, ""));
            assert!(stderr.contains("1 suppressed (`--statistics` lists them)"), "{stderr}");
        }
        assert_eq!(
            fs::read_to_string(at.join("vms/a.xml")).unwrap(),
            domain("a", "", VGPU),
            "one of the two is enough"
        );
    }
}

#[test]
fn ten_thousand_vgpus_in_a_file_take_linear_time() {
    let (rules, settings) = (
        RuleSet::all(builtin().iter().filter(|rule| rule.id.starts_with("shared-"))),
        Settings::default(),
    );
    let time = |count: usize| {
        let uuid = |index: usize| format!("ab54baba-ea9a-4ce5-b7b4-{index:012x}");
        let hostdev = |uuid: String| {
            format!(
                "<hostdev type='mdev' model='vfio-pci'><source><address uuid='{uuid}'/></source></hostdev>"
            )
        };
        let recorded = |index: usize| {
            format!("<gvtg:vgpu uuid='{}' pci='{:04x}:00:02.0'/>", uuid(index), index % 0x10000)
        };
        let metadata: String = (0..count).map(recorded).collect();
        let metadata = format!(
            "<metadata><gvtg:domain xmlns:gvtg='urn:gvtg-xml:1'>{metadata}</gvtg:domain></metadata>"
        );
        let devices: String = (0..count).rev().map(|index| hostdev(uuid(index))).collect();
        let text = |name: &str, own: &str| {
            domain(name, &format!("{own}{metadata}"), VGPU)
                .replace("</devices>", &format!("{devices}</devices>"))
        };
        let (mut others, started) = (Claims::default(), Instant::now());
        let mut found = Vec::new();
        for (name, own) in [("a", ONE), ("b", ONE), ("a", TWO)] {
            let findings = Linter::new(&rules, &settings)
                .others(Some(&others))
                .lint_source(&Source::new("", &text(name, own)))
                .unwrap();
            found.push(findings.open.len());
            others.add(name, findings.summary);
        }
        // All vGPUs of b are a's, and all of the second a's are b's too. That the second a has the
        // first one's name is reported once for all its GPUs.
        assert_eq!(found, [0, count + 1, count + 2]);
        started.elapsed()
    };
    time(100);
    let (small, large) = (time(1_000), time(10_000));
    assert!(large < small * 30, "{small:?} and {large:?}");
}

#[test]
fn ten_thousand_files_take_linear_time() {
    let (rules, settings) = (
        RuleSet::all(builtin().iter().filter(|rule| rule.id.starts_with("shared-"))),
        Settings::default(),
    );
    // The worst case: all claim one vGPU, and half of them are one domain.
    let time = |count: usize| {
        let texts: Vec<String> = (0..count)
            .map(|index| domain(&format!("a{}", index.saturating_sub(count / 2)), TWO, VGPU))
            .collect();
        let (started, mut others, mut found) = (Instant::now(), Claims::default(), 0);
        for (index, text) in texts.iter().enumerate() {
            let findings = Linter::new(&rules, &settings)
                .others(Some(&others))
                .lint_source(&Source::new("", text))
                .unwrap();
            found += findings.open.len();
            others.add(&index.to_string(), findings.summary);
        }
        assert_eq!(found, count - count / 2 - 1);
        started.elapsed()
    };
    time(100);
    let (small, large) = (time(1_000), time(10_000));
    assert!(large < small * 30, "{small:?} and {large:?}");
}
