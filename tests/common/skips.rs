//! What tests leave out: said at once, and noted for the line that `tests/zz_skipped.rs` prints at
//! the end of a run.
#![allow(dead_code, reason = "tests note, and the last one reads")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, thread};

/// Says out loud that a test is not run, or not all of it, and fails where that must not be.
pub fn skipped(why: &str) {
    // A test's own threads are called after it: `TEST under SHELL`.
    let thread = thread::current();
    let test = thread.name().unwrap_or("main").split(" under ").next().unwrap_or_default();
    let program = env::current_exe()
        .ok()
        .and_then(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .unwrap_or_default();
    // A line at a time, so that tests side by side do not mix. Where nothing can be written, what
    // is said here is all there is.
    let file = notes(&run());
    let _ = fs::create_dir_all(file.parent().unwrap_or(Path::new("")));
    let _ = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .and_then(|mut file| file.write_all(format!("{program} {test}\t{why}\n").as_bytes()));
    assert!(env::var("CI").as_deref() != Ok("true"), "SKIPPED, which CI must not: {why}");
    // Past the macros, whose output the test runner keeps to itself where nothing fails.
    let _ = writeln!(std::io::stderr(), "\nSKIPPED: {why}");
}

/// What has been left out in this run of cargo, in a line. Takes the notes away, and those of runs
/// that have ended without it.
pub fn summary() -> String {
    let own = run();
    let noted = fs::read_to_string(notes(&own)).unwrap_or_default();
    for entry in notes(&own)
        .parent()
        .and_then(|folder| fs::read_dir(folder).ok())
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == own || !is_running(&name) {
            let _ = fs::remove_file(entry.path());
        }
    }
    told(&noted)
}

/// Notes in a line: each a test, a tab, and why.
pub fn told(noted: &str) -> String {
    const NO_TOOL: &str = " is not installed";
    let mut reasons: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (test, why) in noted.lines().filter_map(|line| line.split_once('\t')) {
        reasons.entry(why).or_default().insert(test);
    }
    if reasons.is_empty() {
        return "SKIPPED: nothing, all tests were run".into();
    }
    let count = reasons.values().flatten().collect::<BTreeSet<_>>().len();
    let (tools, others): (Vec<_>, Vec<_>) =
        reasons.iter().partition(|(why, _)| why.ends_with(NO_TOOL));
    let tools: Vec<String> = tools
        .iter()
        .map(|(why, tests)| format!("{} ({})", why.trim_end_matches(NO_TOOL), tests.len()))
        .collect();
    let mut told: Vec<String> =
        others.iter().map(|(why, tests)| format!("{why} ({})", tests.len())).collect();
    if !tools.is_empty() {
        told.push(format!("not installed: {}", tools.join(", ")));
    }
    format!(
        "SKIPPED: {count} tests, or parts of them: {}. docs/install.md says what to install; .ci/run, as root on Debian, installs it and runs all of them",
        told.join("; ")
    )
}

/// Where a run's notes are.
fn notes(run: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("skipped").join(run)
}

/// A name for this run, the same in all its tests: the process that starts them, and since when
/// that runs.
fn run() -> String {
    let starter = std::os::unix::process::parent_id();
    format!("{starter}-{}", started(starter).unwrap_or_default())
}

fn is_running(run: &str) -> bool {
    let Some((process, since)) = run.split_once('-') else { return false };
    process.parse().ok().and_then(started).is_some_and(|started| started == since)
}

/// When a process was started, in ticks since the machine was (proc_pid_stat(5): field 22, the 20th
/// behind the program's name).
fn started(process: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, behind_name) = stat.rsplit_once(") ")?;
    Some(behind_name.split(' ').nth(19)?.to_owned())
}
