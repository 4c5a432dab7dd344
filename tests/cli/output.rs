//! Printed output: formats, colours, custom rules, explanations, and files for packagers.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs;
use std::process::{Command, Stdio};

use common::program::{feed, has_terminals, outcome, program, run, run_in};
use gvtg_xml::{Edit, Edits};
use serde_json::Value;

const BAD: &str = "<domain type='kvm'>\n  <name>é&amp;</name>\n  <devices>\n    <graphics type='vnc'/>\n  </devices>\n</domain>\n";

const OWN_RULE: &str = r#"
id = "no-floppy"
summary = "A floppy drive"
severity = "warning"
group = "domain"
since = "1"
select = "/domain/devices/disk[@device='floppy']"
message = "nobody has floppies"
why = "This site has none."
references = ["https://example.org/"]
[check]
kind = "forbid"
[[fix]]
title = "Remove the drive"
op = "remove"
"#;

/// The end of that rule.
const OWN_CHECK: &str =
    "kind = \"forbid\"\n[[fix]]\ntitle = \"Remove the drive\"\nop = \"remove\"\n";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn edits_in_json_do_what_fix_does() {
    for (rule, text) in [
        ("stray-graphics", BAD.to_owned()),
        ("missing-vgpu", BAD.replace('\n', "\r\n")),
        ("missing-vgpu", format!("\u{feff}{BAD}")),
    ] {
        let (code, stdout, _) = run(&format!("lint --format json --only {rule}"), &text);
        assert_eq!(code, 1);
        let report = json(&stdout);
        let findings = report["diagnostics"].as_array().unwrap();
        assert_eq!(findings.len(), 1);
        let finding = &findings[0];
        assert_eq!(
            (finding["rule"].as_str(), finding["file"].as_str()),
            (Some(rule), Some("<stdin>"))
        );
        let offset = |place: &Value| usize::try_from(place["offset"].as_u64().unwrap()).unwrap();
        let edits = finding["fix"]["edits"].as_array().unwrap().iter().map(|edit| {
            let line = edit["start"]["line"].as_u64().unwrap() as usize;
            let before = &text[..offset(&edit["start"])];
            assert_eq!(line, before.matches('\n').count() + 1);
            Edit {
                range: offset(&edit["start"])..offset(&edit["end"]),
                text: edit["text"].as_str().unwrap().to_owned(),
            }
        });
        let applied = Edits::new(edits.collect()).unwrap().apply(&text);
        // The fix is withheld where nothing would show the guest afterwards, so the vGPU is added
        // too.
        let expected = run(&format!("fix -q --only {rule}"), &text).1;
        assert!(
            applied == expected || rule == "stray-graphics" && expected == text,
            "{applied}\n{expected}"
        );
        assert_ne!(applied, text);
    }
    assert_eq!(
        json(&run("lint --format json --only stray-video", BAD).1)["diagnostics"],
        json("[]")
    );
    let strange = BAD.replace("vnc", "v&quot;\\&#x9;n\u{1f600}c");
    assert!(json(&run("lint --format json", &strange).1)["diagnostics"][0]["message"].is_string());
}

#[test]
fn input_cannot_control_the_terminal() {
    // C1 controls, overrides of direction, invisible characters: all of them allowed in XML.
    const INVISIBLE: &str =
        "\u{202e}\u{200b}\u{feff}\u{2028}\u{2066}\u{61c}\u{ad}\u{180e}\u{fff9}\u{e0041}";
    let hostile = &format!("\u{9b}31m\u{85}{INVISIBLE}");
    let text = format!(
        "<domain type='{hostile}'>\n<devices>\n<hostdev type='mdev' model='{hostile}'><!-- {hostile} --><source><address uuid='{hostile}'/></source>\
         <alias name='ua-{hostile}'/></hostdev><video><model type='{hostile}'/></video><graphics type='&#x9;&#xA;{hostile}'/>\n</devices></domain>"
    );
    let name = format!("a\u{1b}[2J\n{hostile}.xml");
    let mut streams = Vec::new();
    for text in [
        text.clone(),
        text.replace(&format!("<domain type='{hostile}'"), "<domain type='kvm'"),
        format!("<{hostile}"),
    ] {
        for format in ["full", "concise", "json"] {
            let mut command = program(["lint", "--format", format, "--stdin-filename", &name]);
            let (_, stdout, stderr) = outcome(feed(&mut command, text.as_bytes()));
            streams.extend([stdout, stderr]);
        }
        streams.push(
            outcome(feed(&mut program(["fix", "--stdin-filename", &name]), text.as_bytes())).2,
        );
        let diff = outcome(feed(
            &mut program(["fix", "--diff", "--stdin-filename", &name]),
            text.as_bytes(),
        ));
        streams.extend([diff.1, diff.2]);
    }
    let folder = tempfile::tempdir().unwrap();
    let rule = OWN_RULE
        .replace("This site has none.", &format!("\\u009b{hostile}"))
        .replace("A floppy drive", &format!("A{INVISIBLE}"));
    fs::write(folder.path().join("no-floppy.toml"), rule).unwrap();
    for asked in ["", " no-floppy"] {
        let (code, stdout, _) = run_in(folder.path(), &format!("explain --rules .{asked}"));
        assert_eq!(code, 0);
        streams.push(stdout);
    }
    fs::write(folder.path().join("no-floppy.toml"), format!("{hostile} = 1")).unwrap();
    streams.push(run_in(folder.path(), "explain --rules .").2);
    streams.push(outcome(feed(&mut program(["lint", &name]), b"")).2);
    streams.push(outcome(feed(&mut program(["lint", "--only", &name]), b"")).2);
    streams.push(outcome(feed(&mut program(["explain", &name]), b"")).2);
    streams.push(outcome(feed(&mut program(["lint", "--rules", &name]), b"")).2);
    streams.push(outcome(feed(&mut program(["lint", "--libvirt", &name]), b"")).2);
    streams.push(outcome(feed(&mut program(["lint", &format!("--{name}")]), b"")).2);
    for stream in streams {
        let steering =
            stream.chars().find(|c| c.is_control() && !matches!(c, '\n') || INVISIBLE.contains(*c));
        assert_eq!(steering, None, "{stream:?}");
    }
}

#[test]
fn a_line_break_in_a_name_does_not_start_a_line() {
    let forged = "gvtg-xml: 0 fixed, 0 left";
    let name = format!("x\n{forged}");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(&name), "<domain>").unwrap();
    fs::create_dir(folder.path().join("rules")).unwrap();
    fs::write(folder.path().join("rules").join(format!("{name}.toml")), "id = 1").unwrap();
    for arguments in [
        vec!["lint", &name],
        vec!["fix", &name],
        vec!["fix", "--in-place", &name],
        vec!["fix", "--diff", &name],
        vec!["lint", &format!("{name}.gone")],
        vec!["lint", "--stdin-filename", &name],
        vec!["lint", "--rules", &name],
        vec!["lint", "--rules", "rules"],
        vec!["lint", "--only", &name],
        vec!["lint", "--libvirt", &name],
        vec!["lint", &format!("--{name}")],
        vec![&name],
    ] {
        let (code, stdout, stderr) =
            outcome(feed(program(&arguments).current_dir(folder.path()), b"<domain>"));
        // A text that can't be read is a finding of lint, and appears where findings do.
        let said = stdout + &stderr;
        assert_eq!(code, 2, "{arguments:?}");
        assert!(
            !said.is_empty() && !said.lines().any(|line| line.starts_with(forged)),
            "{arguments:?}: {said}"
        );
    }
    let (code, stdout, stderr) =
        outcome(feed(program(["explain", &name]).current_dir(folder.path()), b""));
    assert_eq!((code, stdout.as_str()), (2, ""), "a domain is no log");
    assert!(!stderr.is_empty() && !stderr.lines().any(|line| line.starts_with(forged)), "{stderr}");
    // The file in the JSON report is the name itself.
    let (_, stdout, _) = outcome(feed(
        &mut program(["lint", "--format", "json", "--stdin-filename", &name]),
        BAD.as_bytes(),
    ));
    assert_eq!(json(&stdout)["diagnostics"][0]["file"], name.as_str());
}

#[test]
fn colours_are_used_on_request() {
    assert!(!run("lint", BAD).1.contains('\u{1b}'), "stdout is no terminal");
    assert!(run("lint --color always", BAD).1.contains("\u{1b}["));
    assert!(!run("lint --color never", BAD).1.contains('\u{1b}'));
    let output = feed(program(["lint", "--color", "always"]).env("NO_COLOR", "1"), BAD.as_bytes());
    assert!(output.stdout.contains(&0x1b), "a flag is more than the environment");
    for (variables, is_colored) in [
        ("FORCE_COLOR=1", true),
        ("CLICOLOR_FORCE=1", true),
        ("FORCE_COLOR=0", false),
        ("FORCE_COLOR=", false),
        ("FORCE_COLOR=1 NO_COLOR=1", false),
    ] {
        let mut command = program(["lint"]);
        command
            .env_remove("NO_COLOR")
            .envs(variables.split(' ').filter_map(|variable| variable.split_once('=')));
        assert_eq!(
            feed(&mut command, BAD.as_bytes()).stdout.contains(&0x1b),
            is_colored,
            "{variables}"
        );
    }
    if has_terminals() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), BAD).unwrap();
        let command = format!("{} lint {}", env!("CARGO_BIN_EXE_gvtg-xml"), file.path().display());
        let on_terminal = |variable: &str| {
            let mut script = Command::new("script");
            script
                .args(["-qec", &command, "/dev/null"])
                .env_remove("NO_COLOR")
                .env("TERM", "xterm");
            if let Some((name, value)) = variable.split_once('=') {
                script.env(name, value);
            }
            feed(&mut script, b"").stdout.contains(&0x1b)
        };
        assert!(on_terminal(""));
        assert!(!on_terminal("NO_COLOR=1"));
        assert!(on_terminal("NO_COLOR="), "an empty one says nothing (no-color.org)");
        assert!(!on_terminal("TERM=dumb"));
    }
}

#[test]
fn runs_custom_rules() {
    let text =
        BAD.replace("    <graphics", "    <disk type='file' device='floppy'/>\n    <graphics");
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let lint = |arguments: &str| {
        outcome(feed(
            program(arguments.split_whitespace()).current_dir(folder.path()),
            text.as_bytes(),
        ))
    };
    let (code, _, stderr) = lint("lint --rules .");
    assert_eq!(code, 2);
    assert!(stderr.contains("no rule files (*.toml) in this folder"), "{stderr}");
    write("no-floppy.toml", OWN_RULE);
    write("readme.md", "not a rule");
    let (code, stdout, _) = lint("lint --rules . --format concise --only no-floppy");
    assert_eq!(
        (code, stdout.as_str()),
        (1, "<stdin>:4:5: warning[no-floppy] nobody has floppies\n")
    );
    assert!(!lint("fix -q --rules . --only no-floppy").1.contains("floppy"));
    assert!(lint("explain --rules . no-floppy").1.contains("This site has none."));
    write(
        "stray-graphics.toml",
        &OWN_RULE
            .replace("no-floppy", "stray-graphics")
            .replace("disk[@device='floppy']", "graphics"),
    );
    let (_, stdout, _) = lint("lint --rules . --format concise --only stray-graphics");
    assert_eq!(
        stdout, "<stdin>:5:5: warning[stray-graphics] nobody has floppies\n",
        "replaced, not doubled"
    );
    fs::remove_file(folder.path().join("stray-graphics.toml")).unwrap();
    for (from, to, line, column, message) in [
        ("summary =", "sumary =", 3, 1, "unknown field `sumary`"),
        ("kind = \"forbid\"", "kind = \"forbidden\"", 12, 8, "unknown variant `forbidden`"),
        ("severity = \"warning\"", "severity = \"bad\"", 4, 12, "unknown variant `bad`"),
        ("[check]", "[check", 11, 7, ""),
        ("disk[@device", "disk[[@device", 7, 10, "expected a name at byte"),
        (
            OWN_CHECK,
            "kind = \"well-formed\"\n",
            1,
            1,
            "this kind of check is reserved for built-in rules",
        ),
        ("no-floppy", "floppy", 1, 1, "the file must be named after the rule's id: floppy.toml"),
        ("op = \"remove\"", "op = { insert = '<a b={@x}/>' }", 15, 23, "this can't be inserted: "),
        ("nobody has floppies", "nobody {has} floppies", 8, 19, "unknown placeholder {has}"),
    ] {
        write("no-floppy.toml", &OWN_RULE.replacen(from, to, 1));
        for command in ["lint", "fix", "explain"] {
            let (code, stdout, stderr) = lint(&format!("{command} --rules ."));
            assert_eq!((code, stdout.as_str()), (2, ""), "{to}");
            let place = format!("gvtg-xml: ./no-floppy.toml:{line}:{column}: ");
            assert!(
                stderr.starts_with(&place) && stderr.contains(message),
                "{command}, {to}: wanted {place}{message}, got {stderr}"
            );
        }
    }
    write("no-floppy.toml", &OWN_RULE.replace("nobody has", "{nobody} {has}"));
    write("other.toml", "id = 1");
    let (code, _, stderr) = lint("lint --rules .");
    assert_eq!((code, stderr.lines().count()), (2, 3), "all of them at once: {stderr}");
    fs::remove_file(folder.path().join("other.toml")).unwrap();
    assert!(lint("lint --rules gone").2.contains("gone: can't be read: No such file or directory"));
}

#[test]
fn parses_or_rejects_libvirt_versions() {
    for right in ["9.0", "9.0.0", "newest", "current", "7.0", "12.8.1"] {
        assert_eq!(run(&format!("fix -q --libvirt {right}"), BAD).0, 0, "{right}");
    }
    for wrong in ["nine", "latest", "9.", ".9", "9.0.0.0", "-1", "9,0", "999999999999", "v9.0"] {
        let (code, stdout, stderr) = run(&format!("fix --libvirt={wrong}"), BAD);
        assert_eq!((code, stdout.as_str()), (2, ""), "{wrong}");
        assert!(
            stderr.contains("is not a libvirt version")
                && stderr.contains("`installed`")
                && stderr.contains("`newest`"),
            "{stderr}"
        );
    }
    assert!(run("fix --libvirt 7.0", BAD).2.contains("for libvirt 7.0.0"));
    assert!(run("fix --libvirt 7.0", BAD).1.contains("device.hostdev0.x-igd-opregion=on"));
}

#[test]
fn explain_finds_rules_by_name_alias_and_message() {
    let output = program(["explain"]).stdin(Stdio::null()).output().unwrap();
    let (code, list, stderr) = outcome(output);
    assert_eq!((code, stderr.as_str()), (0, ""));
    for rule in gvtg_xml::builtin() {
        assert!(list.lines().any(|line| line.starts_with(&*rule.id)), "{}", rule.id);
        let page = run(&format!("explain {}", rule.id), "");
        assert_eq!(page.0, 0, "{}", rule.id);
        assert!(page.1.contains(rule.why.trim()), "{}", rule.id);
        for alias in rule.aliases.iter() {
            assert_eq!(run(&format!("explain {alias}"), "").1, page.1);
        }
    }
    let message =
        "error: unsupported configuration: chardev 'spicevmc' not supported without spice graphics";
    let (code, stdout, _) = outcome(feed(&mut program(["explain", message]), b""));
    assert_eq!(code, 0);
    assert!(stdout.starts_with("spice-leftover "), "{stdout}");
    assert!(
        run("explain opengl not available", "").1.starts_with("vgpu-display-without-opengl "),
        "words need no quotes"
    );
    let (code, stdout, stderr) = run("explain spice-leftovers", "");
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("did you mean 'spice-leftover'?"), "{stderr}");
    assert_eq!(run("explain xyzzy", "").0, 1);
    assert_eq!(outcome(feed(&mut program(["explain", " "]), b"")).0, 2, "a blank is no rule");
}

#[test]
fn rejects_unknown_kinds_of_generate() {
    assert_eq!(run("generate nonsense", "").0, 2);
    assert_eq!(run("generate", "").0, 2);
}

#[test]
fn fix_ends_with_the_next_steps_for_the_host() {
    let folder = tempfile::tempdir().unwrap();
    let fixed = std::fs::read_to_string("fixtures/win10-virt-manager.fixed.xml").unwrap();
    std::fs::write(folder.path().join("a b.xml"), &fixed).unwrap();
    let in_folder = |arguments: &[&str]| {
        outcome(feed(program(arguments).current_dir(folder.path()), fixed.as_bytes())).2
    };
    let uuid = "a7ac54ee-0f5b-5731-b099-091b0e8eaf75";
    let said = |emit: &str| {
        format!(
            "gvtg-xml: prepare the host for the vGPU {uuid}: run `{emit}`, follow the steps that it prints (initramfs, reboot), then run `sudo gvtg-xml host`"
        )
    };
    let piped = said("virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /");
    let last = |stderr: String| stderr.lines().last().unwrap_or_default().to_owned();
    assert_eq!(last(in_folder(&["fix"])), piped);
    let in_place = in_folder(&["fix", "--in-place", "a b.xml"]);
    assert_eq!(last(in_place), said("sudo gvtg-xml emit all --root / 'a b.xml'"));
    // The input file is not the one that was written, and may have no vGPU.
    assert_eq!(last(in_folder(&["fix", "a b.xml"])), piped);
    // The changed domain has to be defined and restarted.
    std::fs::copy("fixtures/win10-virt-manager.xml", folder.path().join("a b.xml")).unwrap();
    let steps = in_folder(&["fix", "--in-place", "a b.xml"]);
    for wanted in [
        "1. define the domain: `virsh define --validate 'a b.xml'`\n",
        "run `sudo gvtg-xml emit all --root / 'a b.xml'`, follow the steps that it prints (initramfs, reboot), then run `sudo gvtg-xml host`\n",
        uuid,
        "`virsh shutdown win10`, then `virsh start win10`\n",
    ] {
        assert!(steps.contains(wanted), "{wanted}: {steps}");
    }
    // Nothing is written, or there is no vGPU to create.
    for arguments in ["fix --quiet", "fix --diff", "fix --check", "fix --skip-foreign"] {
        assert!(!run(arguments, &fixed).2.contains("hook"), "{arguments}");
    }
    let plain = "<domain type='kvm'><name>a</name><devices><video/></devices></domain>";
    assert!(!run("fix --only stray-video", plain).2.contains("hook"));
}

#[test]
fn placeholders_in_inserted_elements_are_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let rule = |insert: &str, select: &str| {
        let text = OWN_RULE.replace("/domain/devices/disk[@device='floppy']", select);
        fs::write(
            folder.path().join("no-floppy.toml"),
            text.replace("op = \"remove\"", &format!("op = {{ insert = \"\"\"{insert}\"\"\" }}")),
        )
        .unwrap();
    };
    let fixed = |text: &str| {
        let arguments = ["fix", "-q", "--rules", ".", "--only", "no-floppy"];
        let (_, stdout, stderr) =
            outcome(feed(program(arguments).current_dir(folder.path()), text.as_bytes()));
        assert_eq!(stderr, "");
        stdout
    };
    rule("<target dev='{@device}'>{@device}</target>", "/domain/devices/disk[not(target)]");
    let value = "vda&apos; bus=&apos;evil&quot;&lt;x/>&amp;{uuid}";
    let text = format!(
        "<domain type='kvm'>\n  <devices>\n    <disk device='{value}'/>\n  </devices>\n</domain>\n"
    );
    let disk = "<target dev='vda&apos; bus=&apos;evil\"&lt;x/>&amp;{uuid}'>vda' bus='evil\"&lt;x/&gt;&amp;{uuid}</target>";
    let expected = text.replace("'/>", &format!("'>\n      {disk}\n    </disk>"));
    assert_eq!(fixed(&text), expected);
    assert_eq!(fixed(&expected), expected);
    // qemu: is libvirt's namespace, even if the document binds the prefix to another.
    rule("<qemu:arg value='-s'/>", "/domain/qemu:commandline[not(qemu:arg)]");
    for (prefix, argument) in [("qemu", "<qemu:arg value='-s'/>"), ("q", "<q:arg value='-s'/>")] {
        let text = format!(
            "<domain type='kvm' xmlns:{prefix}='http://libvirt.org/schemas/domain/qemu/1.0'><{prefix}:commandline>{}</{prefix}:commandline></domain>\n",
            ""
        );
        assert_eq!(
            fixed(&text),
            text.replacen("commandline></", &format!("commandline>{argument}</"), 1)
        );
    }
    rule("<qemu:arg value='-s'/>", "/domain/metadata[not(*)]");
    let text = "<domain type='kvm'><metadata/></domain>\n";
    let declared = "<qemu:arg value='-s' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'/>";
    assert_eq!(
        fixed(text),
        text.replace("<metadata/>", &format!("<metadata>{declared}</metadata>"))
    );
    // Text keeps its quotes and line breaks.
    rule("<note>say \"hi\"\n  to <b>all</b></note>", "/domain[not(note)]");
    let text = "<domain type='kvm'>\n  <name>x</name>\n</domain>\n";
    assert_eq!(
        fixed(text),
        text.replace("</name>\n", "</name>\n  <note>say \"hi\"\n  to <b>all</b></note>\n")
    );
}
