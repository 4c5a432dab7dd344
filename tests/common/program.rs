//! Running the program as a user does, and other tools.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The program with these arguments, in an environment without the variables of the user who runs
/// the tests.
pub fn program<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gvtg-xml"));
    command.args(arguments).env_remove("DISPLAY").env_remove("NO_COLOR").env("TERM", "xterm");
    command
}

/// Runs a command with these bytes on stdin.
pub fn feed(command: &mut Command, stdin: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("stdin is a pipe");
    let bytes = stdin.to_vec();
    // The program may stop reading, or write before it has read everything: neither side may block
    // the other.
    let writer = std::thread::spawn(move || {
        let _ = pipe.write_all(&bytes);
    });
    let output = child.wait_with_output().expect("the program ends");
    writer.join().expect("the writer ends");
    output
}

/// Runs the program with these words as arguments and this text on stdin: exit code, stdout,
/// stderr.
pub fn run(arguments: &str, stdin: &str) -> (i32, String, String) {
    outcome(feed(&mut program(arguments.split_whitespace()), stdin.as_bytes()))
}

/// Runs the program in a folder, without stdin.
pub fn run_in(folder: &Path, arguments: &str) -> (i32, String, String) {
    outcome(feed(program(arguments.split_whitespace()).current_dir(folder), b""))
}

pub fn outcome(output: Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes UTF-8");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

/// Whether a tool is installed and works with these arguments; otherwise the test is reported as
/// skipped, and fails in CI.
pub fn has_tool(tool: &str, arguments: &[&str]) -> bool {
    match Command::new(tool)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .stdin(Stdio::null())
        .status()
    {
        Ok(status) if status.success() => return true,
        Ok(_) => super::skipped(&format!("`{tool} {}` does not work here", arguments.join(" "))),
        Err(_) => super::skipped(&format!("{tool} is not installed")),
    }
    false
}

/// Whether `script` can open a terminal. Some containers have none.
pub fn has_terminals() -> bool {
    has_tool("script", &["-qec", "true", "/dev/null"])
}
