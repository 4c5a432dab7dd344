//! The program's help: it fits the terminal, and the commands that it suggests work.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use common::hosts;
use common::program::{feed, has_terminals, has_tool, outcome, program, run};
use gvtg_xml::internals::manual::{Example, Length, command, examples};

/// A command's help at this width.
fn help(path: &str, flag: &str, columns: usize) -> String {
    let mut command = program(path.split_whitespace().chain([flag]));
    let (code, stdout, stderr) = outcome(feed(command.env("COLUMNS", columns.to_string()), b""));
    assert_eq!((code, stderr.as_str()), (0, ""), "{path} {flag}");
    stdout
}

/// The commands, each with its words, and each kind of `emit`.
fn commands() -> Vec<String> {
    fn below(command: &clap::Command, path: &str, all: &mut Vec<String>) {
        all.push(path.trim().to_owned());
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            below(sub, &format!("{path} {}", sub.get_name()), all);
        }
    }
    let mut all = Vec::new();
    below(&command(Length::Long), "", &mut all);
    all
}

/// The command with these words.
fn find(path: &str) -> clap::Command {
    let all = command(Length::Long);
    path.split_whitespace()
        .fold(&all, |command, name| command.find_subcommand(name).unwrap())
        .clone()
}

/// All examples, each with its command.
fn all_examples() -> Vec<(String, Example)> {
    let of = |path: String| {
        examples(&find(&path)).into_iter().map(move |example| (path.clone(), example))
    };
    commands().into_iter().flat_map(of).collect()
}

#[test]
fn each_command_has_a_description_and_examples() {
    for path in commands() {
        let command = find(&path);
        let about = command.get_about().unwrap().to_string();
        assert!(!about.is_empty() && !about.ends_with('.'), "{path}: {about}");
        let is_kind = path.starts_with("emit ");
        let long = command.get_long_about().map(ToString::to_string);
        assert!(is_kind || long.unwrap().starts_with(&format!("{about}\n\n")), "{path}");
        let fewest = if path.is_empty() { 1 } else { 2 };
        assert!((fewest..=3).contains(&examples(&command).len()), "{path}");
    }
}

#[test]
fn the_short_help_fits_a_screen() {
    for path in commands() {
        let help = help(&path, "-h", 80);
        let lines = help.lines().count();
        assert!(lines <= 24, "{path} -h has {lines} lines:\n{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{path}:\n{help}");
    }
}

#[test]
fn help_wraps_between_words() {
    for path in commands() {
        for flag in ["-h", "--help"] {
            let (narrow, wide) = (help(&path, flag, 40), help(&path, flag, 100));
            // Flags and commands are not broken.
            let is_too_long = |line: &&str| {
                line.chars().count() > 40
                    && line.trim().contains(' ')
                    && !line.trim_start().starts_with(['-', '`'])
            };
            assert_eq!(narrow.lines().find(is_too_long), None, "{path} {flag}");
            let words = |text: &str| {
                text.split_whitespace().filter(|word| *word != "\\").collect::<Vec<_>>().concat()
            };
            let sorted = |text: &str| {
                let mut letters: Vec<char> = words(text).replace('#', "").chars().collect();
                letters.sort_unstable();
                letters
            };
            assert_eq!(
                sorted(&narrow),
                sorted(&wide),
                "{path} {flag} loses something where it is narrow"
            );
        }
    }
}

#[test]
fn help_ends_with_examples_and_explains_exit_codes() {
    for path in commands() {
        for flag in ["-h", "--help"] {
            let help = help(&path, flag, 100);
            let (_, shown) = help.split_once("\nExamples:\n").unwrap();
            examples(&find(&path))
                .iter()
                .for_each(|example| assert!(shown.contains(&example.what), "{path}"));
        }
        let long = help(&path, "--help", 100);
        let (_, codes) = long.split_once("\nExit codes:\n").unwrap();
        assert!(codes.starts_with("  0  ") && codes.contains("\n  2  "), "{path}: {long}");
        assert!(!help(&path, "-h", 100).contains("\nExit codes:\n"), "{path}");
    }
    assert_eq!(help("help emit", "hook", 100), help("emit hook", "--help", 100));
    let (code, stdout, stderr) = run("", "");
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("Commands:\n") && stderr.contains("Examples:\n"), "{stderr}");
    assert!(run("emit", "").2.contains("qemu-conf"));
}

#[test]
fn flag_help_fits_the_command() {
    let long = |command: &str| {
        help(command, "--help", 200)
            .split(' ')
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let long = |command: &str| long(command).replace("\n ", " ");
    assert!(long("emit nodedev").contains("Use only the vGPU with this UUID"));
    for kind in ["emit nodedev", "emit mdevctl"] {
        assert!(
            !long(kind).contains("groups of rules") && !long(kind).contains("\nRules:\n"),
            "{kind}: --only takes a UUID"
        );
    }
    for (flag, values) in [
        (
            "lint",
            [
                "- info: Worth knowing",
                "- warning: The VM runs",
                "- error: libvirt rejects the domain",
            ],
        ),
        ("lint", ["- auto: On a terminal", "- always: Always", "- never: Never"]),
    ] {
        values.iter().for_each(|value| assert!(long(flag).contains(value), "{value}"));
    }
    assert!(long("fix").contains("--suppress-in <PLACE>"));
    assert!(long("fix").contains("the domain is piped in"));
    for command in ["lint", "lsp", "config"] {
        assert!(
            !long(command).contains("piped in"),
            "{command} takes no domain from a pipe for its $DISPLAY"
        );
    }
}

#[test]
fn short_help_lists_common_flags_and_long_help_all() {
    for (path, common) in [
        ("lint", "--all --fail-on --format --help --ignore --libvirt --only --quiet --statistics"),
        (
            "fix",
            "--check --diff --help --ignore --in-place --keep-video --libvirt --type --unsafe-fixes",
        ),
        ("config", "--config --format --help --isolated --libvirt --unsafe-fixes"),
        ("lsp", "--all --config --display --help --ignore --libvirt --only"),
        ("emit all", "--bootloader --diff --force --help --quiet --remove --root --style --type"),
        ("emit filter", "--diff --display-env --force --help --libvirt --quiet --root"),
        ("types", "--format --help --root"),
    ] {
        let listed = |flag: &str| {
            let help = help(path, flag, 100);
            let is_flag = |line: &&str| {
                let text = line.trim_start();
                text.starts_with('-') && line.len() - text.len() <= 6
            };
            let flags = help.split("\nExit codes:").next().unwrap_or_default();
            let lines = flags.lines().filter(is_flag).map(str::trim_start);
            let names =
                lines.filter_map(|line| line.split([' ', '[']).find(|word| word.starts_with("--")));
            let mut names: Vec<String> = names.map(str::to_owned).collect();
            names.sort_unstable();
            names
        };
        assert_eq!(listed("-h").join(" "), common, "{path}");
        let command = find(path);
        let all = command.get_arguments().filter(|argument| !argument.is_hide_set());
        let mut all: Vec<String> =
            all.filter_map(|argument| Some(format!("--{}", argument.get_long()?))).collect();
        all.sort_unstable();
        assert_eq!(listed("--help"), all, "{path}");
    }
}

/// A folder with the files that the examples name, and stand-ins for the programs that they start.
fn example_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for made in [
        "vms",
        "fixtures",
        ".zfunc",
        ".config/fish/completions",
        ".local/share/bash-completion/completions",
        "man",
    ] {
        fs::create_dir_all(path(made)).unwrap();
    }
    for name in ["win10-virt-manager.xml", "win10-virt-manager.fixed.xml"] {
        fs::copy(Path::new("fixtures").join(name), path("fixtures").join(name)).unwrap();
    }
    fs::copy("fixtures/win10-virt-manager.fixed.xml", path("win10.xml")).unwrap();
    fs::copy("fixtures/win10-virt-manager.fixed.xml", path("vms/win10.xml")).unwrap();
    fs::create_dir(path("state")).unwrap();
    fs::copy("fixtures/win10-virt-manager.fixed.xml", path("state/win10.xml")).unwrap();
    fs::write(path("vms/gvtg-xml.toml"), "display-env = \":1\"\n").unwrap();
    fs::copy("fixtures/win10.log", path("win10.log")).unwrap();
    fs::copy("fixtures/kubevirt.json", path("vmi.json")).unwrap();
    hosts::make("kvmgt-missing", &path("laptop"));
    folder
}

#[test]
fn the_examples_work() {
    let program = Path::new(env!("CARGO_BIN_EXE_gvtg-xml")).parent().unwrap();
    let stand_ins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readme/bin");
    let path =
        format!("{}:{}:{}", program.display(), stand_ins.display(), std::env::var("PATH").unwrap());
    for (command, example) in all_examples() {
        let folder = example_folder();
        for columns in [40, 80] {
            // As printed, since readers copy it.
            let help = help(&command, "-h", columns);
            let printed = printed(&help, &example.command);
            let mut shell = Command::new("sh");
            // Files for the host go below a folder, never below /.
            let written = printed.replace("--root /", "--root laptop");
            shell
                .args(["-c", &written])
                .current_dir(folder.path())
                .stdin(Stdio::null())
                .env("PATH", &path)
                .env("HOME", folder.path());
            shell
                .env("STATE", folder.path().join("state"))
                .env("MACHINE", folder.path().join("laptop"));
            let output = shell.env_remove("DISPLAY").env("NO_COLOR", "1").output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(
                matches!(output.status.code(), Some(0 | 1)),
                "{written}: {:?} {stderr}",
                output.status
            );
            assert!(
                !stderr.contains("error: ") || stderr.contains("error["),
                "{written}: {stderr}"
            );
            assert!(
                !stderr.contains("not found") && !stderr.contains("no such"),
                "{written}: {stderr}"
            );
        }
    }
}

/// An example as the help prints it, which may be in several lines.
fn printed(help: &str, command: &str) -> String {
    let words = |text: &str| {
        text.split_whitespace().filter(|word| *word != "\\").collect::<Vec<_>>().join(" ")
    };
    let (_, examples) = help.split_once("\nExamples:\n").unwrap();
    let lines: Vec<&str> =
        examples.lines().map(|line| line.split("  # ").next().unwrap()).collect();
    let runs =
        (0..lines.len()).flat_map(|start| (start + 1..=lines.len()).map(move |end| (start, end)));
    let found = runs
        .map(|(start, end)| lines[start..end].join("\n"))
        .find(|text| words(text) == words(command));
    found.unwrap_or_else(|| panic!("the help does not show `{command}`:\n{help}"))
}

/// The output of a command on a terminal of this width, where nothing is typed.
fn on_a_terminal(columns: usize, words: &str) -> Option<String> {
    if !has_terminals() || !has_tool("stty", &["--version"]) {
        return None;
    }
    let line = format!("stty cols {columns}; {} {words}", env!("CARGO_BIN_EXE_gvtg-xml"));
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).env_remove("COLUMNS").env("TERM", "xterm");
    let output = feed(&mut script, b"");
    Some(String::from_utf8(output.stdout).unwrap().replace('\r', ""))
}

#[test]
fn wraps_at_the_terminals_width() {
    for columns in [40, 80] {
        let Some(text) = on_a_terminal(columns, "-h") else { return };
        assert_eq!(text, help("", "-h", columns));
        for words in ["explain stray-video", "explain", "explain vgpu-display-without-opengl"] {
            let text = on_a_terminal(columns, words).unwrap();
            let (_, plain, _) = run(words, "");
            assert!(text.split_whitespace().eq(plain.split_whitespace()), "{words}: {text}");
            // A command stays on one line.
            let is_code =
                |line: &str| line.starts_with("    ") || line.trim_start().starts_with('`');
            let is_long = |line: &&str| {
                line.chars().count() > columns && !is_code(line) && line.trim().contains(' ')
            };
            assert_eq!(text.lines().find(is_long), None, "{words} with {columns} columns");
        }
    }
    // Output that a program reads is not broken.
    assert!(
        run("explain vgpu-display-without-opengl", "")
            .1
            .lines()
            .any(|line| line.chars().count() > 100)
    );
}

#[test]
fn shows_the_pipe_to_a_user_who_names_no_file() {
    let Some(text) = on_a_terminal(200, "fix") else { return };
    let pipe = "virsh dumpxml --inactive --security-info win10 | gvtg-xml fix --libvirt installed | virsh define --validate /dev/stdin";
    assert!(text.contains(pipe), "{text}");
    let readme = fs::read_to_string("README.md").unwrap();
    let of_readme = readme.lines().find(|line| line.contains("| gvtg-xml fix ")).unwrap();
    let without_flags = |line: &str| {
        line.split(" | ")
            .map(|command| command.split(" --libvirt").next().unwrap())
            .collect::<Vec<_>>()
            .join(" | ")
    };
    assert_eq!(without_flags(of_readme), without_flags(&format!("$ {pipe}")), "it is the README's");
    let text = on_a_terminal(200, "lint").unwrap();
    assert!(
        text.contains("virsh dumpxml --inactive --security-info win10 | gvtg-xml lint"),
        "{text}"
    );
}

#[test]
fn recipes_name_the_libvirt_that_reads_the_domain() {
    let folders = ["docs", "rules", "rules/symptoms"]
        .map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    let files = folders
        .into_iter()
        .flatten()
        .filter(|path| path.extension().is_some_and(|end| end == "md" || end == "toml"));
    let mut texts: Vec<String> = files.map(|path| fs::read_to_string(path).unwrap()).collect();
    texts.push(fs::read_to_string("README.md").unwrap());
    texts.extend(all_examples().into_iter().map(|(_, example)| example.command));
    let mut count = 0;
    for line in texts.iter().flat_map(|text| text.lines()) {
        let is_recipe = ["virsh define", "virsh edit", "--keep-video", "--audio"]
            .iter()
            .any(|word| line.contains(word));
        for command in line.split("gvtg-xml fix --").skip(1).filter(|_| is_recipe) {
            // A suppression does not depend on the libvirt version.
            assert!(
                command.starts_with("libvirt ")
                    || command.contains("--libvirt installed")
                    || command.starts_with("suppress "),
                "{line}"
            );
            count += 1;
        }
        assert!(
            !line.contains("| gvtg-xml fix |") && !line.contains(r"\| gvtg-xml fix \|"),
            "{line}"
        );
    }
    assert!(count > 10, "{count}");
    let fixing =
        all_examples().into_iter().filter(|(_, example)| example.command.contains("gvtg-xml fix"));
    fixing.for_each(|(_, example)| {
        assert!(
            example.command.contains("gvtg-xml fix --libvirt installed "),
            "{}",
            example.command
        )
    });
}
