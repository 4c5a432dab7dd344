//! Known messages are recognised with any values and in any surroundings, and nothing else is taken
//! for one.

#![allow(clippy::unwrap_used, reason = "the helpers are a test's too")]

use crate::common;

use std::fs;
use std::time::Instant;

use common::program::{feed, outcome, program, run, run_in};
use gvtg_xml::explain::{Answer, Catalog, LogScanner};
use gvtg_xml::{builtin, of_host, symptoms};

fn catalog() -> Catalog<'static> {
    Catalog::new(builtin().iter().chain(of_host()), symptoms())
}

/// The ids of what explains the known messages in a log.
fn names(log: &[u8]) -> Vec<String> {
    let known = catalog();
    let mut examination = LogScanner::new(&known);
    examination.feed(log);
    examination.finish().complaints.iter().flat_map(|complaint| ids(complaint.answer)).collect()
}

fn ids(answer: &Answer<'_>) -> Vec<String> {
    match answer {
        Answer::Symptom(symptom) => vec![symptom.id.to_string()],
        Answer::Rules(rules) => rules.iter().map(|rule| rule.id.to_string()).collect(),
    }
}

/// The messages of `tests/messages.txt`, each with the id of its explanation.
fn messages() -> Vec<(String, String)> {
    let text = fs::read_to_string("tests/messages.txt").unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            line.split_once(" | ")
                .map(|(id, message)| (id.to_owned(), message.to_owned()))
                .expect(line)
        })
        .collect()
}

#[test]
fn explains_real_messages() {
    let messages = messages();
    assert!(messages.len() > 90, "{}", messages.len());
    for (id, message) in messages {
        let wanted = if id == "-" { vec![] } else { vec![id] };
        assert_eq!(names(message.as_bytes()), wanted, "{message}");
    }
}

/// The logs of `tests/logs.txt`: each with its origin, the ids of its explanations, and its text.
fn logs() -> Vec<(String, Vec<String>, String)> {
    let text = fs::read_to_string("tests/logs.txt").unwrap();
    let (_, logs) = text.split_once("\n= ").unwrap();
    let log = |log: &str| {
        let (head, lines) = log.split_once('\n').unwrap();
        let (ids, from) = head.split_once(" | ").expect(head);
        let ids = ids.split(' ').filter(|id| *id != "-").map(str::to_owned).collect();
        (from.to_owned(), ids, lines.to_owned())
    };
    logs.split("\n= ").map(log).collect()
}

#[test]
fn finds_exactly_the_known_messages_of_real_logs() {
    let logs = logs();
    assert!(logs.len() + messages().len() > 160, "{}", logs.len());
    let wrong: Vec<String> = logs
        .iter()
        .filter_map(|(from, ids, log)| {
            let found = names(log.as_bytes());
            (found != *ids).then(|| format!("{from}: {found:?}, not {ids:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rejects_a_domain_as_a_log() {
    let domain = fs::read_to_string("fixtures/guide.xml").unwrap();
    let (code, stdout, stderr) = run("explain", &domain);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert_eq!(
        stderr,
        "gvtg-xml: <stdin>: this is a domain, not a log: check it with `gvtg-xml lint`\n"
    );
    assert!(
        run("explain fixtures/guide.xml", "")
            .2
            .contains("check it with `gvtg-xml lint fixtures/guide.xml`")
    );
    // A log that mentions domains, and one that starts like XML, are logs.
    for log in ["error: <domain>\n", "<network/>\nerror: x: error : y\n"] {
        assert_eq!(run("explain", log).0, 1, "{log}");
    }
}

#[test]
fn suggests_the_next_step_for_an_unknown_message() {
    let (code, _, stderr) = run("explain", "error: the aperture of the vGPU is gone somewhere\n");
    assert_eq!(code, 1);
    assert!(
        stderr.contains("unknown error: error: the aperture of")
            && stderr.contains("help: these may be related: `gvtg-xml explain "),
        "{stderr}"
    );
    let (code, _, stderr) = run("explain", "Fehler: Domäne nicht gefunden\n");
    assert_eq!((code, stderr.contains("only English messages are known")), (1, true), "{stderr}");
    assert!(!run("explain", "nothing of note\n").2.contains("English"));
    for arguments in [
        "explain stray-video --isolated",
        "explain stray-video --rules=x",
        "explain stray-video --config x",
    ] {
        let (code, stdout, stderr) = run(arguments, "");
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments}");
        assert!(stderr.contains("must come before the rule, message or log"), "{stderr}");
    }
    assert_eq!(run("explain --isolated stray-video", "").0, 0);
}

#[test]
fn each_known_message_has_one_explanation() {
    let known = catalog();
    for rule in &known.rules {
        for says in rule.known_message.iter() {
            let answers = known.find_in_message(&says.text.replace("{}", "x"));
            assert_eq!(answers.len(), 1, "{}: {} is of {answers:?}", rule.id, says.text);
            let is_its_own = match answers[0] {
                Answer::Symptom(symptom) => symptom.rules.contains(&rule.id),
                Answer::Rules(rules) => rules.len() == 1 && rules[0].id == rule.id,
            };
            assert!(
                is_its_own,
                "{} says '{}', and the answer is {:?}",
                rule.id,
                says.text,
                ids(answers[0])
            );
        }
    }
    for symptom in &known.symptoms {
        for words in symptom.known_message.iter() {
            let answers: Vec<String> = known
                .find_in_message(&words.text.replace("{}", "x"))
                .into_iter()
                .flat_map(ids)
                .collect();
            assert_eq!(answers, [symptom.id.to_string()], "{}", words.text);
        }
    }
}

#[test]
fn finds_a_message_in_any_surroundings() {
    let message = "mediated device 'a297db4a-f4c2-11e6-90f6-d3b88d6c9525' not found";
    let long = "x".repeat(1 << 20);
    let utf_16: Vec<u8> = message.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let logs: [Vec<u8>; 9] = [
        format!("{message}\r\n").into_bytes(),
        format!("Nov 28 10:00:00 box libvirtd[812]: {}", message.to_uppercase()).into_bytes(),
        "\x1b[1m\x1b[31mmediated \x1b[0mdevice 'a' not \x1b[33mfound\x1b[0m".into(),
        format!("{long} {message} {long}\n").into_bytes(),
        [b"\xff\xfe\x80 ", message.as_bytes(), b" \xf0\x28\n\0\0\0\0"].concat(),
        [vec![0; 1 << 16], message.into()].concat(),
        utf_16,
        format!("a\n\n\nb\n{message}").into_bytes(),
        message.replace('\'', "\u{2019}").into_bytes(),
    ];
    for log in logs {
        assert_eq!(
            names(&log),
            ["vgpu-not-there"],
            "{:?}",
            String::from_utf8_lossy(&log[..log.len().min(200)])
        );
    }
    for size in 1..40 {
        let known = catalog();
        let mut examination = LogScanner::new(&known);
        let log = format!("first\r\n{message}\nlast\n{message}");
        log.as_bytes().chunks(size).for_each(|chunk| examination.feed(chunk));
        let report = examination.finish();
        let seen = &report.complaints[0].seen;
        assert_eq!(
            (report.lines, report.complaints.len(), seen.count, seen.first, seen.last),
            (4, 1, 2, 2, 4),
            "in pieces of {size} bytes"
        );
        assert_eq!(seen.text, message);
    }
}

#[test]
fn shows_the_part_of_a_line_with_the_message() {
    let known = catalog();
    let mut examination = LogScanner::new(&known);
    examination.feed(
        format!("{} gtk initialization failed {}", "é".repeat(10_000), "漢".repeat(10_000))
            .as_bytes(),
    );
    let report = examination.finish();
    let text = &report.complaints[0].seen.text;
    assert!(
        text.contains("gtk initialization failed")
            && text.len() < 600
            && !text.contains('\u{fffd}'),
        "{text}"
    );
    assert!(text.starts_with('…') && text.ends_with('…'), "{text}");
}

#[test]
fn reads_a_large_log_in_less_than_a_second() {
    let mut log = Vec::new();
    // Prefixes of known messages again and again, and lines in libvirt's format.
    let nearly = "there is no device \"mediated device 'failed to access '/sys/bus/mdev/devices/ slot 2 function mdev_supported_types";
    while log.len() < 5 << 20 {
        log.extend_from_slice(nearly.as_bytes());
    }
    while log.len() < 10 << 20 {
        log.extend_from_slice(
            b"2024-05-04 11:12:13.000+0000: 812: info : qemuMonitorIOWrite:438 : QEMU_MONITOR_IO_WRITE: mon=0x7f error\n",
        );
    }
    let known = catalog();
    let start = Instant::now();
    let mut examination = LogScanner::new(&known);
    examination.feed(&log);
    assert!(examination.finish().complaints.len() < 3);
    // An unoptimized build is twenty times slower.
    let limit = if cfg!(debug_assertions) { 20 } else { 1 };
    assert!(start.elapsed().as_secs() < limit, "{:?}", start.elapsed());
}

#[test]
fn explains_a_log_from_a_file_and_from_stdin() {
    let log = "starting\n2026-01-01T00:00:00.0Z qemu-system-x86_64: egl: no drm render node available\nagain: egl: no drm render node available\n\
        2026-01-01T00:00:00.0Z qemu-system-x86_64: the flux is not compensated\n";
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("win10.log"), log).unwrap();
    let explain = |arguments: &[&str], stdin: &[u8]| {
        outcome(feed(
            program(["explain"].iter().chain(arguments)).current_dir(folder.path()),
            stdin,
        ))
    };
    for (arguments, stdin, name) in
        [(&["win10.log"][..], "", "win10.log"), (&["-"], log, "<stdin>"), (&[], log, "<stdin>")]
    {
        let (code, stdout, stderr) = explain(arguments, stdin.as_bytes());
        assert_eq!((code, stderr.as_str()), (0, ""), "{arguments:?}");
        assert!(
            stdout.starts_with(&format!(
                "{name}:2: 2026-01-01T00:00:00.0Z qemu-system-x86_64: egl: "
            )),
            "{stdout}"
        );
        assert!(
            stdout.contains("  (2 times, last on line 3)\n") && stdout.contains("emit qemu-conf"),
            "{stdout}"
        );
        assert!(
            stdout.ends_with(&format!("{name}:4: unknown error: 2026-01-01T00:00:00.0Z qemu-system-x86_64: the flux is not compensated\n")),
            "{stdout}"
        );
    }
    let (code, stdout, stderr) = explain(&["-"], b"all is well\n");
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("<stdin>: no known message in 1 line\n"), "{stderr}");
    let (code, stdout, stderr) = explain(&["/var/log/gone/win11.log"], b"");
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(
        stderr.contains("/var/log/gone/win11.log: can't be read: No such file or directory"),
        "{stderr}"
    );
    let (code, stdout, _) = explain(&["stray-video", "win10.log", "egl-fails"], b"");
    assert_eq!(code, 0);
    assert!(
        stdout.starts_with("stray-video (")
            && stdout.contains("\nwin10.log:2: ")
            && stdout.contains("\negl-fails (error)\n"),
        "{stdout}"
    );
}

#[test]
fn marks_messages_from_before_the_last_start() {
    let start = "2026-01-01 10:00:00.000+0000: starting up libvirt version: 9.0.0\n";
    let log =
        format!("{start}gtk initialization failed\n{start}egl: no drm render node available\n");
    let (_, stdout, _) = outcome(feed(&mut program(["explain", "-"]), log.as_bytes()));
    let note = "(not since the VM was last started, on line 3)";
    assert_eq!(stdout.matches(note).count(), 1, "{stdout}");
    assert!(
        stdout.contains(&format!("<stdin>:2: gtk initialization failed\n  {note}\n")),
        "{stdout}"
    );
}

#[test]
fn a_log_cannot_control_the_terminal() {
    let log = "gtk initialization failed \x1b]0;title\x07\x1b[2J\u{202e}\u{9b}31m\r\nerror: x\x1b[31m\x07\u{200b}\n";
    let (_, stdout, stderr) = outcome(feed(&mut program(["explain", "-"]), log.as_bytes()));
    let said = stdout + &stderr;
    assert!(said.contains("gtk initialization failed"), "{said}");
    assert!(
        !said.chars().any(|c| c != '\n' && (c.is_control() || "\u{202e}\u{200b}".contains(c))),
        "{said:?}"
    );
}

#[test]
fn finds_rules_and_messages_by_words() {
    let first = |asked: &[&str]| {
        let (code, stdout, stderr) =
            outcome(feed(&mut program(["explain"].iter().chain(asked)), b""));
        assert_eq!((code, stderr.as_str()), (0, ""), "{asked:?}");
        stdout
    };
    for (asked, wanted) in [
        ("ramfb", "missing-ramfb"),
        ("spice", "spice-leftover"),
        ("opregion", "missing-opregion"),
        ("namespace", "wrong-qemu-namespace"),
    ] {
        let found = first(&[asked]);
        assert!(
            found.lines().any(|line| line.starts_with(&format!("{wanted} "))),
            "{asked}: {found}"
        );
        assert!(found.lines().count() < 25, "{asked} finds too much: {found}");
    }
    assert!(first(&["host"]).lines().count() > 40, "a group is its rules");
    assert!(
        first(&["spice-leftover", "missing-ramfb"]).contains("\nmissing-ramfb ("),
        "several at once"
    );
    let dash = "-set device.hostdev0.x-igd-opregion=on: there is no device \"hostdev0\" defined";
    assert!(first(&[dash]).starts_with("set-finds-no-device "), "a message may begin with a dash");
    assert!(
        first(&[
            "-set",
            "device.hostdev0.x=on:",
            "there",
            "is",
            "no",
            "device",
            "hostdev0",
            "defined"
        ])
        .starts_with("set-finds-no-device ")
    );
    assert!(
        first(&["host doesn't support passthrough of host PCI devices"])
            .starts_with("no-pci-passthrough ")
    );
    assert!(
        first(&["host", "doesn't", "support", "passthrough", "of", "host", "PCI", "devices"])
            .starts_with("no-pci-passthrough "),
        "no list of a group"
    );
    let opregion = first(&["does not support requested IGD OpRegion feature"]);
    assert!(
        opregion.contains("remove x-igd-opregion") && !opregion.contains("set it to on"),
        "{opregion}"
    );
}

#[test]
fn suggests_the_nearest_explanation() {
    for (asked, wanted) in [
        ("xyzzy", "  help: `gvtg-xml explain` lists all rules and known messages\n"),
        ("xyzzy plugh", "  help: explain all of QEMU's log, "),
        ("xyzzy plugh", "`LC_ALL=C`"),
        ("xyzzy plugh", "report the message to the gvtg-xml project"),
        ("missing-ramfbs", "did you mean 'missing-ramfb'?"),
        ("window flickers under wayland", "  help: these may be related: `gvtg-xml explain "),
    ] {
        let (code, stdout, stderr) = outcome(feed(&mut program(["explain", asked]), b""));
        assert_eq!((code, stdout.as_str()), (1, ""), "{asked}");
        assert!(
            stderr.contains(&format!("no known message matches '{asked}'"))
                && stderr.contains(wanted),
            "{stderr}"
        );
    }
}

#[test]
fn an_unknown_message_needs_no_quotes() {
    let (code, stdout, stderr) = run("explain the window flickers under wayland", "");
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(
        stderr.starts_with(
            "gvtg-xml: no known message matches 'the window flickers under wayland'\n"
        ),
        "{stderr}"
    );
    assert_eq!(
        run("explain gtk window stays black after boot", "").0,
        1,
        "six topics are a sentence"
    );
    let (code, stdout, stderr) = run("explain stray-video xyzzy", "");
    assert!(
        code == 1
            && stdout.starts_with("stray-video (")
            && stderr.contains("no known message matches 'xyzzy'"),
        "{stderr}"
    );
}

#[test]
fn an_empty_log_says_what_to_do_next() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("win10.log"), "").unwrap();
    for (arguments, start, next) in [
        ("explain win10.log", "gvtg-xml: win10.log: the log is empty\n", "`virsh start win10`"),
        ("explain -", "gvtg-xml: <stdin> is empty\n", "/var/log/libvirt/qemu/win10.log`"),
    ] {
        let (code, stdout, stderr) = run_in(folder.path(), arguments);
        assert_eq!((code, stdout.as_str()), (1, ""), "{arguments}");
        assert!(stderr.starts_with(start) && stderr.contains(next), "{stderr}");
        assert!(stderr.contains("journalctl -b -u libvirtd -u virtqemud"), "{stderr}");
    }
    // An empty pipe may be a log that could not be read, so the list comes with a note.
    let (code, stdout, stderr) = run("explain", "");
    assert_eq!(code, 0);
    assert!(
        stdout.contains("\nstray-video ") && stderr.starts_with("gvtg-xml: <stdin> is empty\n"),
        "{stderr}"
    );
}

#[test]
fn the_path_of_a_missing_log_is_not_a_message() {
    // The steps of known messages mention this path.
    let (code, stdout, stderr) = run("explain /var/log/libvirt/qemu/win10.log", "");
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(
        stderr.starts_with(
            "gvtg-xml: /var/log/libvirt/qemu/win10.log: can't be read: No such file or directory\n"
        ),
        "{stderr}"
    );
    assert!(stderr.contains("`LC_ALL=C virsh start win10 2>&1 | gvtg-xml explain`"), "{stderr}");
}

#[test]
fn explains_virshs_two_lines_about_a_failed_start() {
    let start = "error: Failed to start domain 'win10'\nerror: Requested operation is not valid: network 'default' is not active\n";
    let (code, stdout, _) = run("explain", start);
    assert_eq!(code, 0);
    assert!(stdout.contains("network-not-active") && !stdout.contains("unknown error"), "{stdout}");
}

#[test]
fn a_topic_matches_whole_words_only() {
    // "bar" is in "barely" and "rebar", which no rule is about.
    let (code, stdout, stderr) = run("explain bar", "");
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("no known message matches 'bar'"), "{stderr}");
    assert_eq!(run("explain pregion", "").0, 1);
    assert_eq!(run("explain eglCreateImage", "").0, 1);
    assert!(run("explain eglCreateImageKHR", "").1.starts_with("picture-not-imported ("));
}

#[test]
fn a_topic_of_many_rules_is_a_short_list() {
    for topic in ["fix", "gvt", "libvirt"] {
        let (code, stdout, _) = run(&format!("explain {topic}"), "");
        assert_eq!(code, 0);
        let is_entry = |line: &&str| {
            [" error ", " warning ", " info "].iter().any(|severity| line.contains(severity))
        };
        assert_eq!(stdout.lines().filter(is_entry).count(), 20, "{stdout}");
        assert!(stdout.contains(" more: add a word to narrow the list\n"), "{stdout}");
        assert!(stdout.lines().all(|line| line.chars().count() < 160), "{stdout}");
    }
}

#[test]
fn an_unknown_flag_is_not_a_message() {
    for (arguments, flag) in [
        ("explain --list", "--list"),
        ("explain --all", "--all"),
        ("explain --json stray-video", "--json"),
        ("explain stray-video --format=json", "--format"),
        ("explain -v stray-video", "-v"),
    ] {
        let (code, stdout, stderr) = run(arguments, "");
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments}");
        assert!(
            stderr.starts_with(&format!("gvtg-xml: `gvtg-xml explain` has no flag {flag}\n")),
            "{stderr}"
        );
        assert!(
            stderr.contains("`gvtg-xml explain` lists all rules")
                && stderr.contains("--rules, --config, --isolated"),
            "{stderr}"
        );
    }
    assert!(
        run("explain --enable-foo: invalid option", "").1.starts_with("invalid-option ("),
        "a message may begin with a flag"
    );
}
