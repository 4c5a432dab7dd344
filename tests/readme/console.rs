//! A `console` block: its commands, their expected output, and their real output.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fmt, fs};

use tempfile::TempDir;

const AFTER_A_COMMAND: &str = "-- after a command --";

/// The blocks of a text, each with the line that it begins on.
pub fn blocks(text: &str) -> Vec<(usize, &str)> {
    let fences = text.match_indices("\n```console\n").map(|(at, fence)| at + fence.len());
    fences
        .map(|start| {
            (text[..start].lines().count() + 1, text[start..].split("```\n").next().unwrap())
        })
        .collect()
}

/// A command with its expected output.
struct Step {
    command: String,
    output: Vec<String>,
}

fn steps(block: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.into(), output: Vec::new() });
        } else if let (Some(step), Some(more)) =
            (steps.last_mut(), line.strip_prefix("> ").or((line == ">").then_some("")))
        {
            step.command.push('\n');
            step.command.push_str(more);
        } else {
            steps.last_mut().expect("a block begins with a command").output.push(line.into());
        }
    }
    steps
}

/// A step with the real output of its command.
pub struct Answered {
    step: Step,
    lines: Vec<String>,
}

impl Answered {
    pub fn is_right(&self) -> bool {
        let lines = self.lines.iter().map(String::as_str).collect::<Vec<_>>();
        fits(&self.step.output.iter().map(String::as_str).collect::<Vec<_>>(), &lines)
    }

    /// The output that the page should show, with its `…` where they were; None if only a person
    /// can decide what to leave out.
    pub fn renewed(&self) -> Option<Vec<String>> {
        if self.is_right() {
            return Some(self.step.output.clone());
        }
        if !self.step.output.iter().any(|line| line == "…") {
            return Some(self.lines.clone());
        }
        let runs: Vec<&[String]> = self.step.output.split(|line| line == "…").collect();
        let (mut renewed, mut next) = (Vec::new(), 0);
        for (index, run) in runs.iter().enumerate() {
            if index > 0 {
                renewed.push("…".to_owned());
            }
            // As many lines as before, around one that is still printed; the block begins and ends
            // with the output unless dots say otherwise.
            let around = |(index, line): (usize, &String)| {
                let place = self.lines[next..].iter().position(|other| other == line)?;
                (next + place).checked_sub(index)
            };
            let begin = if index == 0 { Some(0) } else { run.iter().enumerate().find_map(around) };
            let is_last = index + 1 == runs.len();
            let end = if is_last {
                Some(self.lines.len())
            } else {
                begin.map(|begin| (begin + run.len()).min(self.lines.len()))
            };
            if run.is_empty() {
                continue;
            }
            let (begin, end) = (begin?, end?);
            renewed.extend_from_slice(self.lines.get(begin..end)?);
            next = end;
        }
        Some(renewed)
    }
}

impl fmt::Display for Answered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Step { command, output } = &self.step;
        writeln!(
            formatter,
            "`{command}` prints\n{}\nand not\n{}",
            self.lines.join("\n"),
            output.join("\n")
        )
    }
}

/// A block with the current output of its commands.
pub fn renewed_block(steps: &[Answered]) -> String {
    let step = |answered: &Answered| {
        let command = answered
            .step
            .command
            .lines()
            .map(|line| if line.is_empty() { ">".into() } else { format!("> {line}") });
        let command = command.collect::<Vec<_>>().join("\n").replacen('>', "$", 1);
        let output = answered.renewed().unwrap_or_else(|| answered.step.output.clone());
        std::iter::once(command).chain(output).map(|line| line + "\n").collect::<String>()
    };
    steps.iter().map(step).collect()
}

/// The environment for a page's commands.
pub struct Place {
    folder: TempDir,
}

impl Place {
    /// The environment of a reader who has just downloaded the project: its folder, a machine where
    /// GVT-g is off, and virt-manager's win10.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["checkout/fixtures", "state", "home", "machine/var/log/libvirt/qemu"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        for entry in
            fs::read_dir("fixtures").unwrap().flatten().filter(|entry| entry.path().is_file())
        {
            fs::copy(entry.path(), folder.path().join("checkout/fixtures").join(entry.file_name()))
                .unwrap();
        }
        fs::copy("fixtures/win10-virt-manager.xml", folder.path().join("state/win10.xml")).unwrap();
        fs::copy(
            "fixtures/win10.log",
            folder.path().join("machine/var/log/libvirt/qemu/win10.log"),
        )
        .unwrap();
        crate::common::hosts::make("gvt-off", &folder.path().join("machine"));
        crate::common::hosts::make("kaby-lake", &folder.path().join("rebooted"));
        Self { folder }
    }

    /// Runs a page's blocks in one shell, as a reader does.
    pub fn run(&self, blocks: &[&str]) -> Vec<Vec<Answered>> {
        let blocks: Vec<Vec<Step>> = blocks.iter().map(|block| steps(block)).collect();
        let mut script = String::from("exec 2>&1\n");
        for step in blocks.iter().flatten() {
            let _ = write!(
                script,
                "{}\nstatus=$?; echo '{AFTER_A_COMMAND}'; (exit $status)\n",
                step.command
            );
        }
        let stand_ins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readme/bin");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).current_dir(self.checkout()).stdin(Stdio::null());
        shell.env(
            "PATH",
            format!("{}:{}", stand_ins.display(), env::var("PATH").unwrap_or_default()),
        );
        shell.env("PROGRAM", env!("CARGO_BIN_EXE_gvtg-xml"));
        for (name, folder) in [
            ("STATE", "state"),
            ("MACHINE", "machine"),
            ("REBOOTED", "rebooted"),
            ("HOME", "home"),
            ("TMPDIR", "home"),
        ] {
            shell.env(name, self.folder.path().join(folder));
        }
        shell.env("NO_COLOR", "1").env("LC_ALL", "C").env_remove("DISPLAY").env_remove("EDITOR");
        let printed = String::from_utf8(shell.output().expect("sh runs").stdout).expect("UTF-8");
        let mut printed = printed
            .split(&format!("{AFTER_A_COMMAND}\n"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
            .into_iter();
        let mut answered = |step: Step| {
            let printed = printed.next().unwrap_or_default();
            // Pages leave out the note about this machine's old libvirt.
            let lines = printed
                .lines()
                .filter(|line| !line.starts_with("gvtg-xml: this machine's libvirt is "));
            Answered { step, lines: lines.map(str::to_owned).collect() }
        };
        blocks.into_iter().map(|steps| steps.into_iter().map(&mut answered).collect()).collect()
    }

    /// The project's folder.
    pub fn checkout(&self) -> PathBuf {
        self.folder.path().join("checkout")
    }
}

/// Whether lines match the expected ones, in which `…` stands for any number of lines.
fn fits(wanted: &[&str], lines: &[&str]) -> bool {
    match (wanted.split_first(), lines.split_first()) {
        (Some((&"…", rest)), _) => (0..=lines.len()).any(|skipped| fits(rest, &lines[skipped..])),
        (Some((first, rest)), Some((line, others))) => first == line && fits(rest, others),
        (wanted, lines) => wanted.is_none() && lines.is_none(),
    }
}

#[test]
fn updates_output_around_dots() {
    let answered = |output: &str, lines: &str| {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        Answered { step: Step { command: "x".into(), output: words(output) }, lines: words(lines) }
            .renewed()
            .map(|lines| lines.join(" "))
    };
    assert_eq!(
        answered("a b", "a c d").as_deref(),
        Some("a c d"),
        "without dots it is what is printed"
    );
    assert_eq!(answered("", "a").as_deref(), Some("a"), "also where nothing was");
    assert_eq!(answered("a … y z", "a b w y new").as_deref(), Some("a … y new"));
    assert_eq!(answered("a b … x c …", "a new q y c d").as_deref(), Some("a new … y c …"));
    assert_eq!(answered("… b …", "a b c").as_deref(), Some("… b …"), "what is right stays");
    assert_eq!(answered("… gone …", "a b c"), None, "nobody knows where it was");
    let block = "$ a\n> b\n>\n> c\nd\n$ e\n";
    let right = |step: Step| Answered { lines: step.output.clone(), step };
    assert_eq!(renewed_block(&steps(block).into_iter().map(right).collect::<Vec<_>>()), block);
}

#[test]
fn dots_match_any_lines() {
    assert!(fits(&["a", "…", "d"], &["a", "b", "c", "d"]));
    assert!(fits(&["…"], &[]));
    assert!(!fits(&["a", "…", "d"], &["a", "b"]));
    assert!(!fits(&["a"], &["a", "b"]));
}
