//! Completions, requested from bash, zsh and fish themselves.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use common::files::folder;
use common::program::{feed, has_tool, outcome, program, run};
use gvtg_xml::builtin;
use gvtg_xml::internals::manual::{Length, command};

/// A shell that completes a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    const ALL: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

    fn name(self) -> &'static str {
        match self {
            Shell::Bash => "bash",
            Shell::Zsh => "zsh",
            Shell::Fish => "fish",
        }
    }
}

/// A folder with the completions of each shell, and `here`, the current folder, with files to
/// complete.
fn completion_folder() -> tempfile::TempDir {
    let folder = folder(&[
        ("here/win10.xml", ""),
        ("here/vms/a.xml", ""),
        ("here/note.txt", ""),
        ("home/.profile", ""),
    ]);
    for shell in Shell::ALL {
        let (code, script, stderr) = run(&format!("generate {}", shell.name()), "");
        assert_eq!((code, stderr.as_str()), (0, ""));
        fs::write(folder.path().join(format!("completions.{}", shell.name())), script).unwrap();
    }
    folder
}

/// The completions that a shell offers for the end of this line.
fn completions_for(shell: Shell, folder: &Path, line: &str) -> BTreeSet<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_gvtg-xml")).parent().unwrap();
    let script = folder.join(format!("completions.{}", shell.name()));
    let mut command = Command::new(shell.name());
    match shell {
        Shell::Bash => {
            // Readline's own word splitting: `=` is a word.
            let ask = r#"source "$1"
                line=${2//=/ = }; read -ra COMP_WORDS <<<"$line"
                [[ $line == *' ' && ${line% } != *= ]] && COMP_WORDS+=("")
                COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$2 COMP_POINT=${#2}
                _gvtg_xml gvtg-xml; printf '%s\n' "${COMPREPLY[@]}""#;
            command.args(["--norc", "-c", ask, "bash"]).arg(&script).arg(line);
        }
        Shell::Fish => {
            command
                .args(["--no-config", "-c", "source $argv[1]; complete -C $argv[2]"])
                .arg(&script)
                .arg(line);
        }
        Shell::Zsh => {
            command
                .args(["-f", "tests/completions/ask.zsh"])
                .arg(&script)
                .arg(line)
                .arg(folder.join("here"));
            command.current_dir(env!("CARGO_MANIFEST_DIR"));
        }
    }
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    if shell != Shell::Zsh {
        command.current_dir(folder.join("here"));
    }
    let output = feed(
        command
            .env("PATH", path)
            .env("HOME", folder.join("home"))
            .env("TERM", "xterm")
            .env_remove("XDG_CONFIG_HOME"),
        b"",
    );
    let text = String::from_utf8_lossy(&output.stdout).replace('\r', "");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{shell:?}: {line}");
    let words =
        text.lines().map(|line| line.split('\t').next().unwrap().trim_end_matches('/').to_owned());
    words.filter(|word| !word.is_empty()).collect()
}

/// The shells to test. Notes those that are not installed as skipped.
fn shells() -> Vec<Shell> {
    Shell::ALL.into_iter().filter(|shell| has_tool(shell.name(), &["--version"])).collect()
}

fn set<'w>(words: impl IntoIterator<Item = &'w str>) -> BTreeSet<String> {
    words.into_iter().map(str::to_owned).collect()
}

#[test]
fn each_shell_completes_commands_flags_and_values() {
    let place = completion_folder();
    let rules = |start: &str| {
        builtin()
            .iter()
            .map(|rule| rule.id.to_string())
            .filter(|id| id.starts_with(start))
            .collect::<BTreeSet<_>>()
    };
    let with = |mut words: BTreeSet<String>, more: &str| {
        words.insert(more.to_owned());
        words
    };
    for shell in shells() {
        let ask = |line: &str| completions_for(shell, place.path(), line);
        // After a `=`, which readline takes for a word, bash replaces only what follows; the other
        // shells replace the whole word.
        let behind = |flag: &str, words: &[&str]| match shell {
            Shell::Bash => set(words.iter().copied()),
            _ => words.iter().map(|word| format!("{flag}={word}")).collect(),
        };
        for (line, expected) in [
            ("gvtg-xml l", set(["lint", "lsp"])),
            ("gvtg-xml gen", set(["generate"])),
            ("gvtg-xml lint --fo", set(["--format"])),
            ("gvtg-xml lint win10.xml --st", set(["--statistics", "--stdin-filename"])),
            ("gvtg-xml fix --in", set(["--in-place"])),
            ("gvtg-xml lint --format j", set(["json", "json-lines", "junit"])),
            ("gvtg-xml lint --fail-on ", set(["info", "warning", "error"])),
            ("gvtg-xml lint --fail-on w", set(["warning"])),
            ("gvtg-xml lint --color ", set(["auto", "always", "never"])),
            ("gvtg-xml fix --libvirt ", set(["newest", "installed"])),
            (
                "gvtg-xml fix --type i915-GVTg_V5_",
                set(["i915-GVTg_V5_1", "i915-GVTg_V5_2", "i915-GVTg_V5_4", "i915-GVTg_V5_8"]),
            ),
            ("gvtg-xml fix --audio p", set(["pipewire", "pulseaudio"])),
            ("gvtg-xml fix --suppress-in ", set(["comment", "metadata"])),
            ("gvtg-xml fix --suppress silent", set(["silent-sound"])),
            ("gvtg-xml lint --only missing-", rules("missing-")),
            ("gvtg-xml lint --only vg", with(rules("vg"), "vgpu")),
            ("gvtg-xml lint --ignore na", set(["namespace"])),
            ("gvtg-xml lint --only namespace,stray-v", set(["namespace,stray-video"])),
            ("gvtg-xml lint --only=stray-v", behind("--only", &["stray-video"])),
            ("gvtg-xml lint --format=sa", behind("--format", &["sarif"])),
            ("gvtg-xml host --ignore full", set(["full-gpu"])),
            ("gvtg-xml host --format ", set(["json", "text"])),
            ("gvtg-xml config --fo", set(["--format"])),
            ("gvtg-xml config --format ", set(["json", "text"])),
            ("gvtg-xml explain full-g", set(["full-gpu"])),
            ("gvtg-xml explain stray-v", set(["stray-video"])),
            ("gvtg-xml explain no-x-d", set(["no-x-display"])),
            ("gvtg-xml explain stray-video full-g", set(["full-gpu"])),
            ("gvtg-xml lsp --lib", set(["--libvirt"])),
            ("gvtg-xml types --", set(["--root", "--format", "--help"])),
            ("gvtg-xml emit m", set(["mdevctl", "modprobe", "modules"])),
            (
                "gvtg-xml emit cmdline --bootloader ",
                set(["grub", "systemd-boot", "kernel-install", "raw"]),
            ),
            ("gvtg-xml emit hook --style ", set(["qemu.d", "qemu", "session"])),
            ("gvtg-xml emit all --f", set(["--force"])),
            (
                "gvtg-xml generate ",
                set(["man", "bash", "zsh", "fish", "problem-matcher", "config-schema"]),
            ),
            ("gvtg-xml help emit u", set(["udev"])),
            ("gvtg-xml lint win", set(["win10.xml"])),
            ("gvtg-xml lint win10.xml vm", set(["vms"])),
            ("gvtg-xml fix --config no", set(["note.txt"])),
            ("gvtg-xml lint --rules ", set(["vms"])),
            ("gvtg-xml lint --uuid ", set([])),
        ] {
            assert_eq!(ask(line), expected, "{} is asked for: {line}|", shell.name());
        }
    }
}

#[test]
fn completes_every_flag_of_every_command() {
    let place = completion_folder();
    fn below(command: &clap::Command, path: &str, all: &mut Vec<(String, BTreeSet<String>)>) {
        let flags = command
            .get_arguments()
            .filter(|argument| !argument.is_positional() && !argument.is_hide_set());
        all.push((
            path.to_owned(),
            flags.filter_map(|flag| Some(format!("--{}", flag.get_long()?))).collect(),
        ));
        let subs = command.get_subcommands().filter(|sub| sub.get_name() != "help");
        subs.for_each(|sub| below(sub, &format!("{path} {}", sub.get_name()), all));
    }
    let mut all = Vec::new();
    below(&command(Length::Long), "gvtg-xml", &mut all);
    for shell in shells() {
        for (path, flags) in &all {
            assert_eq!(
                completions_for(shell, place.path(), &format!("{path} --")),
                *flags,
                "{} after {path}",
                shell.name()
            );
        }
    }
}

#[test]
fn completes_custom_rules() {
    let rule = "id = 'no-tablet'\nsummary = 'A tablet'\nseverity = 'warning'\ngroup = 'domain'\nsince = '1.0'\n\
                select = '/domain/devices/input'\nmessage = 'a tablet'\nhelp = 'remove it'\nwhy = 'It is slow.'\n[check]\nkind = 'forbid'\n";
    let folder =
        folder(&[("gvtg-xml.toml", "site-rules = 'rules'\n"), ("rules/no-tablet.toml", rule)]);
    let ask =
        |arguments: &[&str]| outcome(feed(program(arguments).current_dir(folder.path()), b"")).1;
    let words = ["generate", "words", "--", "gvtg-xml", "lint", "--only", "no-t"];
    assert_eq!(ask(&words), "none\nno-tablet\tA tablet\n");
    fs::write(folder.path().join("gvtg-xml.toml"), "what = 1\n").unwrap();
    assert_eq!(ask(&words), "none\n", "what is wrong in a configuration is for another moment");
}

#[test]
fn completion_scripts_pass_their_checkers() {
    let place = completion_folder();
    for (shell, check) in [(Shell::Bash, "-n"), (Shell::Zsh, "-n"), (Shell::Fish, "--no-execute")] {
        if has_tool(shell.name(), &["--version"]) {
            let script = place.path().join(format!("completions.{}", shell.name()));
            let output = feed(Command::new(shell.name()).arg(check).arg(script), b"");
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        }
    }
    if has_tool("shellcheck", &["--version"]) {
        let output = feed(
            Command::new("shellcheck")
                .args(["-s", "bash"])
                .arg(place.path().join("completions.bash")),
            b"",
        );
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
