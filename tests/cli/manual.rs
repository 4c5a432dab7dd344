//! The manual pages: one for each command, which the tools that read manual pages accept without a
//! warning.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use common::files::names;
use common::program::{feed, has_tool, outcome, program, run};
use gvtg_xml::internals::manual::{Length, command, examples};

/// A folder with all pages.
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

/// All commands, each with the name of its page.
fn commands() -> Vec<(String, clap::Command)> {
    fn below(command: &clap::Command, name: &str, all: &mut Vec<(String, clap::Command)>) {
        all.push((name.to_owned(), command.clone()));
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            below(sub, &format!("{name}-{}", sub.get_name()), all);
        }
    }
    let mut all = Vec::new();
    below(&command(Length::Long), "gvtg-xml", &mut all);
    all
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join("man/man1").join(name)).unwrap()
}

#[test]
fn every_page_that_a_page_names_exists() {
    let folder = pages();
    let there: BTreeSet<String> = names(&folder.path().join("man/man1")).into_iter().collect();
    for name in &there {
        let page = read(folder.path(), name);
        let text = page.replace("\\-", "-");
        let words = text.split([' ', '\n', ',', ';', '.']);
        let named: BTreeSet<String> = words
            .filter(|word| word.starts_with("gvtg-xml"))
            .filter_map(|word| Some(format!("{}.1", word.strip_suffix("(1)")?)))
            .collect();
        // A page refers to its neighbours: a command's to the other commands, a kind's to the other
        // kinds of `emit`.
        let is_kind = name.starts_with("gvtg-xml-emit-");
        let is_neighbour = |other: &&String| {
            *other != name
                && (*other == "gvtg-xml-emit.1"
                    || other.starts_with("gvtg-xml-emit-") == is_kind
                        && (!is_kind || *other != "gvtg-xml.1"))
        };
        let neighbours: BTreeSet<String> = there.iter().filter(is_neighbour).cloned().collect();
        assert!(named.is_superset(&neighbours), "{name} refers to {named:?}");
        assert!(named.is_subset(&there), "{name} refers to {named:?}");
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
        let has_no_files = is_kind || name == "gvtg-xml-generate.1";
        assert_eq!(page.contains("\n.SH FILES\n"), !has_no_files, "{name}");
    }
    let commands: BTreeSet<String> =
        commands().into_iter().map(|(name, _)| format!("{name}.1")).collect();
    assert_eq!(there, commands);
    assert_eq!(
        run("generate man", "").1,
        read(folder.path(), "gvtg-xml.1"),
        "without a folder it is the first"
    );
}

#[test]
fn readers_of_manual_pages_have_no_warnings() {
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
            // A path that is longer than a narrow line is fine.
            let is_fault = |line: &&str| *columns != "40" || !line.ends_with("can't break line");
            assert!(
                output.status.success() && said.lines().find(is_fault).is_none(),
                "{name}: {said}"
            );
        }
        if has_mandoc {
            let output =
                feed(Command::new("mandoc").args(["-T", "lint", "-W", "warning"]).arg(&path), b"");
            assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{name}");
        }
    }
}

#[test]
fn a_page_has_each_flag_and_example_verbatim() {
    let folder = pages();
    if !has_tool("man", &["--version"]) {
        return;
    }
    for (name, command) in commands() {
        let path = folder.path().join("man/man1").join(format!("{name}.1"));
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
        examples(&command).iter().for_each(|example| {
            assert!(words(&shown).contains(&example.command), "{name} lacks `{}`", example.command)
        });
        let details = command.get_after_long_help().unwrap().to_string();
        let (codes, _) = details.split_once("\n\n").unwrap();
        for means in codes.lines().skip(1).map(|line| line.trim().split_once("  ").unwrap().1) {
            assert!(words(&shown).contains(means), "{name} lacks `{means}`");
        }
    }
}

#[test]
fn pages_have_no_wording_of_the_short_help() {
    let folder = pages();
    for name in names(&folder.path().join("man/man1")) {
        let page = read(folder.path(), &name).replace("\\-", "-");
        assert!(!page.contains("-h is shorter") && !page.contains("?:"), "{name}");
        for (line, next) in page.lines().zip(page.lines().skip(1)) {
            // Prose continues in lower case unless the line before has ended its sentence.
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
    assert!(emit.contains("The libvirt hook that converts VMs from other hosts\n"), "{emit}");
    let nodedev = read(folder.path(), "gvtg-xml-emit-nodedev.1").replace("\\-", "-");
    assert!(nodedev.contains("instead of the hook\n.PP\nlibvirt stores it in"), "{nodedev}");
    assert!(!nodedev.contains("groups of rules"), "{nodedev}");
    // Each flag is followed by its description.
    let lint = read(folder.path(), "gvtg-xml-lint.1").replace("\\-", "-");
    assert!(lint.contains("\n\\fB-q\\fR, \\fB--quiet\\fR\nPrint only the findings\n"), "{lint}");
    assert!(lint.contains("\\fBgvtg-xml explain\\fR lists the rules"), "{lint}");
}

#[test]
fn reports_pages_that_cannot_be_written() {
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
