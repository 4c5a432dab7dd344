//! Suggestions after a mistake on the command line: the intended word, and what to do.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use common::files::{folder, modes_count, names};
use common::program::{feed, has_tool, outcome, program, run, run_in};

/// A domain with a fixable finding.
const BAD: &str = "<domain type='kvm'>\n  <name>win10</name>\n  <devices>\n    <graphics type='vnc'/>\n  </devices>\n</domain>\n";

#[test]
fn translates_words_of_other_linters() {
    for (said, meant) in [
        (
            "check vms",
            "`gvtg-xml lint` reports problems; `gvtg-xml fix --check` lists the files that would change",
        ),
        ("format", "`gvtg-xml fix` writes the fixed domain"),
        ("doctor", "`gvtg-xml host` checks this machine"),
        ("rules", "`gvtg-xml explain` lists the rules"),
        ("man", "`gvtg-xml generate man`"),
        ("completions bash", "`gvtg-xml generate`"),
        ("hook", "`gvtg-xml emit hook` prints the file"),
        ("modprobe", "`gvtg-xml emit modprobe` prints the file"),
        ("setup", "`gvtg-xml emit all --root /`"),
        ("undo", "`virsh define BACKUP.xml` restores a VM"),
        ("remove", "`gvtg-xml emit all --root / --remove`"),
        ("emit grub", "`gvtg-xml emit cmdline`"),
        ("emit remove", "`gvtg-xml emit all --root / --remove`"),
        ("lint --fix", "`lint` changes nothing; `gvtg-xml fix --in-place FILE` changes the file"),
        ("lint --diff", "`gvtg-xml fix --diff FILE`"),
        ("lint --dry-run", "`gvtg-xml fix --diff FILE`"),
        ("lint --select display", "--only RULE"),
        ("lint --select=display", "--only RULE"),
        ("lint --exclude old .", "files can't be excluded: name the files or folders to check"),
        ("fix --disable display", "--ignore RULE"),
        ("fix --write", "--in-place writes the files"),
        ("fix --dry-run", "--diff shows the changes"),
        ("fix -n", "--diff shows the changes"),
        ("fix -o new.xml", "`gvtg-xml fix FILE > NEW`"),
        ("fix --undo", "`virsh define win10.xml` restores it"),
        ("fix --version", "`gvtg-xml --version`"),
        ("fix --json", "--format selects the report's format: json, sarif"),
        ("fix --list-rules", "`gvtg-xml explain` lists the rules"),
        ("lint -o new.xml", "--output-file FILE"),
        ("lint --output-format json", "--format selects"),
        ("lint --no-color", "--color never"),
        ("lint --severity error", "--fail-on"),
        ("lint --unsafe-fixes", "`gvtg-xml fix` has this option"),
        ("lint --formt json", "'--format'"),
        ("emit hook --dry-run", "--diff shows what would change below --root"),
        (
            "emit all --root / --dry-run",
            "--dry-run is for --remove; --diff shows what would be written",
        ),
        (
            "emit hook -o x",
            "add `> FILE`, or write it to its place below a folder with `--root DIR`",
        ),
        ("emit hook --undo", "`gvtg-xml emit all --root / --remove`"),
        ("host --json", "--format json prints JSON"),
        ("types --json", "--format json prints JSON"),
        ("host --sarif", "--format takes only text and json here"),
        ("host --no-color", "set NO_COLOR=1"),
        ("--diff x.xml", "put it after a command: `gvtg-xml fix --diff x.xml`"),
        ("-q lint F", "put it after the command: `gvtg-xml lint -q F`"),
        ("--color never lint F", "put it after the command: `gvtg-xml lint --color never F`"),
        ("-q types", "`gvtg-xml types` has no -q"),
        ("lnt", "'lint'"),
    ] {
        let (code, stdout, stderr) = run(said, BAD);
        assert_eq!((code, stdout.as_str()), (2, ""), "{said}");
        let tips: Vec<&str> = stderr.lines().filter(|line| line.starts_with("  tip: ")).collect();
        assert!(tips.len() == 1 && tips[0].contains(meant), "{said}: {stderr}");
    }
}

#[test]
fn prints_the_usage_of_the_command() {
    for (said, usage) in [
        ("fix --json", "gvtg-xml fix [OPTIONS] [FILES]..."),
        ("fix --list-rules", "gvtg-xml fix [OPTIONS] [FILES]..."),
        ("fix --check --diff", "gvtg-xml fix [OPTIONS] [FILES]..."),
        ("-q lint F", "gvtg-xml lint [OPTIONS] [FILES]..."),
        ("emit hook -o x", "gvtg-xml emit hook [OPTIONS] [FILES]..."),
        ("lint --statistics --format concise F", "gvtg-xml lint [OPTIONS] [FILES]..."),
        ("lnt", "gvtg-xml <COMMAND>"),
    ] {
        let (code, _, stderr) = run(said, BAD);
        assert_eq!(code, 2, "{said}");
        assert!(
            stderr
                .contains(&format!("\n\nUsage: {usage}\n\nFor more information, try '--help'.\n")),
            "{said}: {stderr}"
        );
    }
}

#[test]
fn several_reports_need_output_files() {
    for (said, message) in [
        (
            "--statistics --format concise",
            "--format and --statistics both print a report: add `--output-file FILE` after --format, or leave one out",
        ),
        (
            "--format json --format full",
            "only one report can be printed: add `--output-file FILE` after each --format but one",
        ),
        ("--output-file x", "each --output-file must come after the --format it belongs to"),
    ] {
        let (code, stdout, stderr) = run(&format!("lint {said}"), BAD);
        assert_eq!((code, stdout.as_str()), (2, ""), "{said}");
        assert!(stderr.starts_with(&format!("error: {message}\n\nUsage: ")), "{said}: {stderr}");
    }
}

#[test]
fn suggests_a_command_for_a_file_alone() {
    let all = folder(&[("win 10.xml", BAD)]);
    let (code, _, stderr) = outcome(feed(program(["win 10.xml"]).current_dir(all.path()), b""));
    assert_eq!(code, 2);
    assert!(stderr.contains("tip: the command is missing: `gvtg-xml lint 'win 10.xml'` or `gvtg-xml fix 'win 10.xml'`\n"), "{stderr}");
    assert!(!run_in(all.path(), "win11.xml").2.contains("tip:"), "what is not there is no file");
}

#[test]
fn reports_an_empty_file_name() {
    for arguments in [
        &["lint", ""][..],
        &["fix", "a.xml", ""],
        &["fix", "--in-place", ""],
        &["host", ""],
        &["emit", "hook", ""],
        &["lint", "--config="],
    ] {
        let (code, stdout, stderr) = outcome(feed(&mut program(arguments), BAD.as_bytes()));
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(
            stderr.starts_with("error: the value for '")
                && stderr.contains("' is empty\n\n  tip: is a shell variable unset"),
            "{arguments:?}: {stderr}"
        );
    }
    assert!(!run("lint --config", "").2.contains("is empty"), "nothing was given");
}

#[test]
fn lists_possible_values_only_if_these_are_all() {
    let (code, _, stderr) = run("lint --libvirt", BAD);
    assert_eq!(code, 2);
    assert_eq!(
        stderr,
        "error: a value is required for '--libvirt <VERSION>' but none was supplied\n\n\
         For more information, try '--help'.\n"
    );
    assert!(run("lint --format", BAD).2.contains("[possible values: full, concise, json,"));
}

#[test]
fn suggests_the_nearest_rule_or_group() {
    for (said, meant) in [
        ("dispaly", "display"),
        ("vgpus", "vgpu"),
        ("stray-vidoe", "stray-video"),
        ("missing-vpgu", "missing-vgpu"),
    ] {
        for flag in ["only", "ignore"] {
            let (code, stdout, stderr) = run(&format!("lint --{flag} {said}"), BAD);
            assert_eq!((code, stdout.as_str()), (2, ""), "{said}");
            assert_eq!(
                stderr,
                format!("gvtg-xml: there is no rule '{said}'; did you mean '{meant}'?\n")
            );
        }
    }
}

/// The program with these arguments, as a user whom file modes restrict; None if there is no such
/// user, which is noted as skipped.
fn program_as_ordinary_user(words: &str) -> Option<Command> {
    if modes_count() {
        return Some(program(words.split(' ')));
    }
    let flags =
        ["--reuid", "65534", "--regid", "65534", "--clear-groups", env!("CARGO_BIN_EXE_gvtg-xml")];
    let mut command = Command::new("setpriv");
    command.args(flags);
    has_tool("setpriv", &[&flags[..], &["--version"]].concat()).then(|| {
        command.args(words.split(' '));
        command
    })
}

#[test]
fn names_a_folder_that_is_not_writable() {
    let all = folder(&[("vms/a.xml", BAD)]);
    let vms = all.path().join("vms");
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    mode(all.path(), 0o755);
    mode(&vms, 0o555);
    mode(&vms.join("a.xml"), 0o666);
    for (words, file, help) in [
        ("fix --in-place vms/a.xml", "vms/a.xml", "to write elsewhere: `gvtg-xml fix FILE > NEW`"),
        ("lint --format json --output-file vms/report.json vms/a.xml", "vms/report.json", ""),
    ] {
        let Some(mut command) = program_as_ordinary_user(words) else { return };
        let (code, stdout, stderr) = outcome(feed(command.current_dir(all.path()), b""));
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        assert!(
            stderr.starts_with(&format!("gvtg-xml: {file}: can't be written: the folder ")),
            "{stderr}"
        );
        assert!(
            stderr.contains("vms is not writable (Permission denied)") && stderr.contains(help),
            "{stderr}"
        );
    }
    assert_eq!(fs::read_to_string(vms.join("a.xml")).unwrap(), BAD);
    assert_eq!(names(&vms), ["a.xml"]);
    mode(&vms, 0o755);
}

#[test]
fn warns_that_libvirt_overwrites_its_own_files() {
    let kept = format!(
        "<!--\nWARNING: THIS IS AN AUTO-GENERATED FILE. CHANGES TO IT ARE LIKELY TO BE\nOVERWRITTEN AND LOST. Changes to this xml \
         configuration should be made using:\n  virsh edit win10\nor other application using the libvirt API.\n-->\n\n{BAD}"
    );
    let all = folder(&[
        ("libvirt/qemu/win10.xml", &kept),
        ("libvirt/qemu/own.xml", BAD),
        ("vms/win10.xml", &kept),
    ]);
    let warning = "libvirt/qemu/win10.xml: libvirt keeps the domain in this file and overwrites it: this change will probably be lost";
    let file = "libvirt/qemu/win10.xml";
    for quiet in ["", " --quiet"] {
        fs::write(all.path().join(file), &kept).unwrap();
        let (code, _, stderr) = run_in(all.path(), &format!("fix --in-place{quiet} {file}"));
        assert_eq!(code, 0, "it is done all the same");
        assert_ne!(fs::read_to_string(all.path().join(file)).unwrap(), kept);
        assert!(stderr.contains(warning), "{stderr}");
        assert!(
            stderr.contains(
                "  help: change the domain with `VISUAL='gvtg-xml fix --libvirt installed --in-place --exit-zero' virsh edit win10`\n"
            ),
            "{stderr}"
        );
        assert!(
            stderr.contains("virsh dumpxml --inactive --security-info win10 | gvtg-xml fix --libvirt installed | virsh define"),
            "{stderr}"
        );
    }
    assert!(
        !run_in(all.path(), &format!("fix --in-place {file}")).2.contains(warning),
        "nothing was changed"
    );
    fs::write(all.path().join(file), &kept).unwrap();
    for words in ["fix", "fix --diff", "fix --check", "lint"] {
        assert!(
            !run_in(all.path(), &format!("{words} {file}")).2.contains(warning),
            "{words} changes nothing"
        );
    }
    let suppress =
        ["fix", "--in-place", "--suppress", "stray-graphics", "--reason", "watched", file];
    assert!(outcome(feed(program(suppress).current_dir(all.path()), b"")).2.contains(warning));
    let others = run_in(all.path(), "fix --in-place libvirt/qemu/own.xml vms/win10.xml").2;
    assert!(!others.contains("libvirt keeps"), "a copy is the user's: {others}");
}
