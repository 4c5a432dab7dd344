//! The manual pages: one for each command, that readers of them read without a warning.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use common::files::names;
use common::program::{feed, has_tool, outcome, program, run};
use gvtg_xml::internals::manual::{Length, PAGES, command};

/// The folder with all pages.
fn pages() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let man = folder.path().join("man/man1");
    let (code, stdout, stderr) =
        outcome(feed(&mut program(["generate".as_ref(), "man".as_ref(), man.as_os_str()]), b""));
    assert_eq!((code, stderr.as_str()), (0, ""));
    let said: BTreeSet<String> =
        stdout.lines().map(|line| line.rsplit('/').next().unwrap().to_owned()).collect();
    assert_eq!(said, names(&man).into_iter().collect(), "it says what it wrote");
    folder
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join("man/man1").join(name)).unwrap()
}

#[test]
fn there_is_a_page_for_whatever_a_page_names() {
    let folder = pages();
    let there: BTreeSet<String> = names(&folder.path().join("man/man1")).into_iter().collect();
    for name in &there {
        let page = read(folder.path(), name);
        let own =
            page.lines().filter_map(|line| line.strip_prefix(".BR gvtg\\-xml")?.split_once(" (1)"));
        let named: BTreeSet<String> =
            own.map(|(rest, _)| format!("gvtg-xml{}.1", rest.replace("\\-", "-"))).collect();
        let others: BTreeSet<String> =
            there.iter().filter(|other| *other != name).cloned().collect();
        assert_eq!(named, others, "{name} refers to all others");
        for section in [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "\"EXIT STATUS\"",
            "EXAMPLES",
            "\"SEE ALSO\"",
        ] {
            assert_eq!(
                page.matches(&format!("\n.SH {section}\n")).count(),
                1,
                "{name} has no {section}"
            );
        }
        assert_eq!(page.contains("\n.SH FILES\n"), name != "gvtg-xml-generate.1", "{name}");
    }
    let commands: BTreeSet<String> = command(Length::Long)
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
        .map(|sub| format!("gvtg-xml-{}.1", sub.get_name()))
        .collect();
    assert_eq!(
        there.iter().filter(|name| *name != "gvtg-xml.1").cloned().collect::<BTreeSet<_>>(),
        commands
    );
    assert_eq!(
        run("generate man", "").1,
        read(folder.path(), "gvtg-xml.1"),
        "without a folder it is the first"
    );
}

#[test]
fn readers_of_manual_pages_have_nothing_to_say() {
    let folder = pages();
    let has_man = has_tool("man", &["--version"]);
    let has_mandoc = has_tool("mandoc", &["-T", "lint", "/dev/null", "-W", "fatal"]);
    for name in names(&folder.path().join("man/man1")) {
        let path = folder.path().join("man/man1").join(&name);
        for columns in if has_man { &["40", "80"][..] } else { &[] } {
            let output = feed(
                Command::new("man")
                    .args(["--warnings", "-l"])
                    .arg(&path)
                    .env("MANWIDTH", columns)
                    .env("LC_ALL", "C.UTF-8"),
                b"",
            );
            let said = String::from_utf8_lossy(&output.stderr);
            // A path that is longer than a narrow line is no fault.
            let is_fault = |line: &&str| *columns != "40" || !line.ends_with("can't break line");
            assert!(
                output.status.success() && said.lines().find(is_fault).is_none(),
                "{name}: {said}"
            );
        }
        if has_mandoc {
            let output =
                feed(Command::new("mandoc").args(["-T", "lint", "-W", "all"]).arg(&path), b"");
            assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{name}");
        }
    }
}

#[test]
fn a_page_has_each_flag_and_each_example_as_it_is_typed() {
    let folder = pages();
    if !has_tool("man", &["--version"]) {
        return;
    }
    let all = command(Length::Long);
    for page in PAGES {
        let mut command = &all;
        for name in page.command.split_whitespace() {
            command = command.find_subcommand(name).unwrap();
        }
        let name = page
            .command
            .split_whitespace()
            .next()
            .map_or("gvtg-xml.1".to_owned(), |name| format!("gvtg-xml-{name}.1"));
        let path = folder.path().join("man/man1").join(&name);
        let mut man = Command::new("man");
        man.args(["--nj", "--nh", "-l"]).arg(&path).env("MANWIDTH", "80").env("LC_ALL", "C.UTF-8");
        let shown = String::from_utf8(feed(&mut man, b"").stdout).unwrap();
        let words = |text: &str| {
            text.split_whitespace().filter(|word| *word != "\\").collect::<Vec<_>>().join(" ")
        };
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            let flag = argument.get_long().map_or_else(
                || argument.get_id().as_str().to_uppercase(),
                |long| format!("--{long}"),
            );
            assert!(words(&shown).contains(&flag), "{name} lacks {flag}");
        }
        page.examples.iter().for_each(|example| {
            assert!(words(&shown).contains(example.command), "{name} lacks `{}`", example.command)
        });
        page.exit_status.iter().for_each(|(_, means)| {
            assert!(words(&shown).contains(means), "{name} lacks `{means}`")
        });
    }
}

#[test]
fn pages_read_as_pages() {
    let folder = pages();
    for name in names(&folder.path().join("man/man1")) {
        let page = read(folder.path(), &name).replace("\\-", "-");
        assert!(!page.contains("-h is shorter") && !page.contains("?:"), "{name}");
        for (line, next) in page.lines().zip(page.lines().skip(1)) {
            // Prose goes on in lower case, or the line before it has ended.
            let goes_on = !line.starts_with(['.', '\\'])
                && !next.starts_with('.')
                && !line.ends_with(['.', ',', ':', ';', '!', '?', ')', ']']);
            let first = next.split(' ').next().unwrap();
            assert!(
                !(goes_on && matches!(first, "It" | "This" | "The")),
                "{name}: {line} | {next}"
            );
        }
    }
    let emit = read(folder.path(), "gvtg-xml-emit.1").replace("\\-", "-");
    assert!(emit.contains("instead of the hook.\nlibvirt stores it in"), "{emit}");
    assert!(emit.contains("The libvirt hook that converts VMs from other hosts.\n"), "{emit}");
    assert!(!emit.contains("groups of rules"), "{emit}");
}

#[test]
fn pages_go_where_they_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("man"), "a file").unwrap();
    let (code, stdout, stderr) =
        outcome(feed(program(["generate", "man", "man"]).current_dir(folder.path()), b""));
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.starts_with("gvtg-xml: man: can't be written: "), "{stderr}");
    let (code, stdout, stderr) =
        outcome(feed(program(["generate", "bash", "here"]).current_dir(folder.path()), b""));
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("gvtg-xml generate man DIR"), "{stderr}");
}
