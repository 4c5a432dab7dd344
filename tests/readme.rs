//! The README is true: its `console` blocks are run, and its tables are those of the program. So is the rule in CONTRIBUTING.
//!
//! A block is run line by line in one shell, in a new folder with `fixtures/` in it and `tests/readme/virsh` in place of virsh. A line
//! `…` stands for any lines, none included. `UPDATE_EXPECTED=1 cargo test --test readme` writes the tables and what blocks print anew.

#![allow(clippy::unwrap_used, reason = "the helpers are a test's too")]

mod common;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::{env, fs};

use clap::CommandFactory;
use gvtg_xml::config::keys::{KEYS, Key};
use gvtg_xml::edit::Applicability;
use gvtg_xml::rules::schema::Rule;
use gvtg_xml::rules::{builtin, of_host};

const AFTER_A_COMMAND: &str = "-- after a command --";

#[test]
fn console_blocks_print_what_they_say() {
    let readme = fs::read_to_string("README.md").unwrap();
    let blocks = console_blocks(&readme);
    assert!(blocks.len() > 10, "only {} blocks found", blocks.len());
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let mut failures = Vec::new();
    for (line, block) in blocks {
        let answered = run(folder.path(), block);
        if common::is_renewing() {
            renew(|readme| readme.replace(block, &renewed_block(&answered)));
        }
        let wrong = answered.iter().filter(|step| !step.is_right() && !common::is_renewing() || step.renewed().is_none());
        failures.extend(wrong.map(|step| format!("README.md:{line}: {step}")));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Writes the README anew; tests run side by side.
fn renew(change: impl FnOnce(String) -> String) {
    static README: Mutex<()> = Mutex::new(());
    let _alone = README.lock().unwrap();
    fs::write("README.md", change(fs::read_to_string("README.md").unwrap())).unwrap();
}

/// The blocks, each with the line it begins on.
fn console_blocks(text: &str) -> Vec<(usize, &str)> {
    let fences = text.match_indices("\n```console\n").map(|(at, fence)| at + fence.len());
    fences.map(|start| (text[..start].lines().count() + 1, text[start..].split("```\n").next().unwrap())).collect()
}

fn prepare(folder: &Path) {
    let fixtures = folder.join("fixtures");
    fs::create_dir(&fixtures).unwrap();
    for entry in fs::read_dir("fixtures").unwrap().flatten().filter(|entry| entry.path().is_file()) {
        fs::copy(entry.path(), fixtures.join(entry.file_name())).unwrap();
    }
    common::hosts::make("kvmgt-missing", &folder.join("laptop"));
}

/// A command with what it should print.
struct Step {
    command: String,
    output: Vec<String>,
}

fn steps(block: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.into(), output: Vec::new() });
        } else if let (Some(step), Some(more)) = (steps.last_mut(), line.strip_prefix("> ").or((line == ">").then_some(""))) {
            step.command.push('\n');
            step.command.push_str(more);
        } else {
            steps.last_mut().expect("a block begins with a command").output.push(line.into());
        }
    }
    steps
}

/// A step, and what its command printed.
struct Answered {
    step: Step,
    lines: Vec<String>,
}

impl Answered {
    fn is_right(&self) -> bool {
        let lines = self.lines.iter().map(String::as_str).collect::<Vec<_>>();
        fits(&self.step.output.iter().map(String::as_str).collect::<Vec<_>>(), &lines)
    }

    /// What the README should say, with its `…` where they were; None where only a person can tell what is to be left out.
    fn renewed(&self) -> Option<Vec<String>> {
        if self.is_right() {
            return Some(self.step.output.clone());
        }
        let runs: Vec<&[String]> = self.step.output.split(|line| line == "…").collect();
        let (mut renewed, mut next) = (Vec::new(), 0);
        for (index, run) in runs.iter().enumerate() {
            if index > 0 {
                renewed.push("…".to_owned());
            }
            // As many lines as there were, around one that is still printed; the block begins and ends with the output where no dots say
            // otherwise.
            let around = |(index, line): (usize, &String)| {
                let place = self.lines[next..].iter().position(|other| other == line)?;
                (next + place).checked_sub(index)
            };
            let begin = if index == 0 { Some(0) } else { run.iter().enumerate().find_map(around) };
            let is_last = index + 1 == runs.len();
            let end = if is_last { Some(self.lines.len()) } else { begin.map(|begin| (begin + run.len()).min(self.lines.len())) };
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

impl std::fmt::Display for Answered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Step { command, output } = &self.step;
        writeln!(formatter, "`{command}` prints\n{}\nand not\n{}", self.lines.join("\n"), output.join("\n"))
    }
}

/// A block with what its commands print now.
fn renewed_block(steps: &[Answered]) -> String {
    let step = |answered: &Answered| {
        let command = answered.step.command.lines().map(|line| if line.is_empty() { ">".into() } else { format!("> {line}") });
        let command = command.collect::<Vec<_>>().join("\n").replacen('>', "$", 1);
        let output = answered.renewed().unwrap_or_else(|| answered.step.output.clone());
        std::iter::once(command).chain(output).map(|line| line + "\n").collect::<String>()
    };
    steps.iter().map(step).collect()
}

fn run(folder: &Path, block: &str) -> Vec<Answered> {
    let steps = steps(block);
    let mut script = String::from("exec 2>&1\n");
    for step in &steps {
        let _ = write!(script, "{}\nstatus=$?; echo '{AFTER_A_COMMAND}'; (exit $status)\n", step.command);
    }
    let program = Path::new(env!("CARGO_BIN_EXE_gvtg-xml")).parent().unwrap();
    let stand_ins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readme");
    let path = format!("{}:{}:{}", program.display(), stand_ins.display(), env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(folder).stdin(Stdio::null()).env("PATH", path).env("NO_COLOR", "1").env("LC_ALL", "C");
    let output = shell.env_remove("DISPLAY").env_remove("EDITOR").output().expect("sh runs");
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    let mut printed = printed.split(&format!("{AFTER_A_COMMAND}\n")).map(str::to_owned).collect::<Vec<_>>().into_iter();
    let answered = |step: Step| {
        let printed = printed.next().unwrap_or_default();
        // A machine with an old libvirt is told about it.
        let lines = printed.lines().filter(|line| !line.starts_with("gvtg-xml: this machine's libvirt is "));
        Answered { step, lines: lines.map(str::to_owned).collect() }
    };
    steps.into_iter().map(answered).collect()
}

/// Whether lines are those wanted, with `…` for any number of lines.
fn fits(wanted: &[&str], lines: &[&str]) -> bool {
    match (wanted.split_first(), lines.split_first()) {
        (Some((&"…", rest)), _) => (0..=lines.len()).any(|skipped| fits(rest, &lines[skipped..])),
        (Some((first, rest)), Some((line, others))) => first == line && fits(rest, others),
        (wanted, lines) => wanted.is_none() && lines.is_none(),
    }
}

#[test]
fn tables_are_up_to_date() {
    let tables = [("rules", rule_table()), ("settings", settings_table()), ("keys", key_table()), ("rules about the host", host_table())];
    let written = |readme: String| tables.iter().fold(readme, |text, (name, table)| with_table(&text, name, table));
    if common::is_renewing() {
        renew(written);
    }
    let readme = fs::read_to_string("README.md").unwrap();
    assert!(
        written(readme.clone()) == readme,
        "the README's tables are not those of the program: `UPDATE_EXPECTED=1 cargo test --test readme` writes them anew"
    );
}

fn with_table(text: &str, name: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- {name}: written by tests/readme.rs -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("README.md has no {begin}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("README.md has no {end}"));
    format!("{before}{begin}{table}{end}{after}")
}

fn rule_table() -> String {
    let mut rules: Vec<&Rule> = builtin().iter().collect();
    rules.sort_by_key(|rule| &rule.id);
    let mut table = String::from("| rule | severity | mended by | what it finds |\n|---|---|---|---|\n");
    for rule in rules {
        let safe = rule.fix.iter().any(|fix| fix.applicability == Applicability::Safe);
        let mended_by = match rule.fix.first() {
            None => "you",
            Some(_) if !safe => "`fix --unsafe-fixes`",
            Some(fix) if fix.unsafe_if.is_some() || fix.unsafe_if_watched => "`fix` (1)",
            Some(_) => "`fix`",
        };
        let _ = writeln!(table, "| `{}` | {} | {mended_by} | {} |", rule.id, rule.severity.name(), cell(&rule.summary));
    }
    table
        + "\n(1) Where somebody may watch the guest through something else (a PCI card, Looking Glass, a screen of QEMU's that is no window), only with\n`--unsafe-fixes`.\n"
}

fn host_table() -> String {
    let mut table = String::from("| rule | severity | what it finds |\n|---|---|---|\n");
    for rule in of_host() {
        let _ = writeln!(table, "| `{}` | {} | {} |", rule.id, rule.severity.name(), cell(&rule.summary));
    }
    table
}

fn settings_table() -> String {
    let mut command = gvtg_xml::cli::Cli::command();
    command.build();
    let fix = command.find_subcommand("fix").unwrap();
    let mut table = String::from("| flag | what it says |\n|---|---|\n");
    for flag in fix.get_arguments().filter(|flag| flag.get_help_heading().is_some_and(|heading| heading.starts_with("Settings"))) {
        let takes_value = flag.get_num_args().is_some_and(|count| count.min_values() > 0);
        let value = flag.get_value_names().filter(|_| takes_value).map_or(String::new(), |names| format!(" {}", names[0]));
        let default = flag.get_default_values().first().filter(|_| takes_value);
        let default = default.map_or(String::new(), |value| format!(" [default: {}]", value.to_string_lossy()));
        let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(table, "| `--{}{value}` | {}{default} |", flag.get_long().unwrap(), cell(&help));
    }
    table
}

fn key_table() -> String {
    let mut table = String::from("| key | what it says | where nobody says it | for example |\n|---|---|---|---|\n");
    for Key { name, summary, default, example, .. } in KEYS {
        let _ = writeln!(table, "| `{name}` | {} | {default} | `{example}` |", cell(summary));
    }
    table
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "\\<")
}

#[test]
fn the_rule_in_contributing_is_one() {
    let text = fs::read_to_string("CONTRIBUTING.md").unwrap();
    let rule = text.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    gvtg_xml::rules::parse(rule).unwrap();
}

#[test]
fn what_a_block_prints_is_renewed_around_its_dots() {
    let answered = |output: &str, lines: &str| {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        Answered { step: Step { command: "x".into(), output: words(output) }, lines: words(lines) }.renewed().map(|lines| lines.join(" "))
    };
    assert_eq!(answered("a b", "a c d").as_deref(), Some("a c d"), "without dots it is what is printed");
    assert_eq!(answered("a … y z", "a b w y new").as_deref(), Some("a … y new"));
    assert_eq!(answered("a b … x c …", "a new q y c d").as_deref(), Some("a new … y c …"));
    assert_eq!(answered("… b …", "a b c").as_deref(), Some("… b …"), "what is right stays");
    assert_eq!(answered("… gone …", "a b c"), None, "nobody knows where it was");
    let block = "$ a\n> b\n>\n> c\nd\n$ e\n";
    let right = |step: Step| Answered { lines: step.output.clone(), step };
    assert_eq!(renewed_block(&steps(block).into_iter().map(right).collect::<Vec<_>>()), block);
}

#[test]
fn dots_stand_for_any_lines() {
    assert!(fits(&["a", "…", "d"], &["a", "b", "c", "d"]));
    assert!(fits(&["…"], &[]));
    assert!(!fits(&["a", "…", "d"], &["a", "b"]));
    assert!(!fits(&["a"], &["a", "b"]));
}
