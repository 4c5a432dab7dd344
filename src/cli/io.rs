//! Bytes in and out: stdin, files, stdout and stderr. `replace.rs` writes files.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use super::ColorChoice;

/// Reads a file, or stdin for `-`, of at most so many MiB; 0 for any size.
///
/// # Errors
/// Why it can't be read.
pub(super) fn read(path: &Path, max_size: u64) -> Result<Vec<u8>, String> {
    if path == Path::new("-") {
        return read_whole(io::stdin().lock(), 0, max_size);
    }
    let file = File::open(path).map_err(unreadable)?;
    read_file(file, max_size)
}

/// Reads a file that is open.
///
/// # Errors
/// Those of [`read`].
pub(super) fn read_file(file: File, max_size: u64) -> Result<Vec<u8>, String> {
    let size = file.metadata().map_err(unreadable)?.len();
    read_whole(file, size, max_size)
}

fn read_whole(reader: impl Read, size: u64, max_size: u64) -> Result<Vec<u8>, String> {
    let limit = if max_size == 0 { u64::MAX } else { max_size.saturating_mul(1 << 20) };
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(limit)).unwrap_or(0).saturating_add(1).max(16 << 10));
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return Err(format!("is larger than {} MiB: no domain is (virsh stops at 10); --max-size lifts the limit", max_size));
    }
    Ok(bytes)
}

fn unreadable(error: io::Error) -> String {
    format!("can't be read: {}", describe(&error))
}

/// Whether stdin is a terminal, where nobody has piped anything.
pub(super) fn stdin_is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// An error of the system in its own words, without Rust's number.
pub(super) fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// Writes all of it to stdout in one go. A reader that has gone away wants no more: that is no error.
pub(super) fn print(text: &str) -> Result<(), String> {
    print_bytes(text.as_bytes())
}

/// The same for what need not be text.
pub(super) fn print_bytes(bytes: &[u8]) -> Result<(), String> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("can't write to stdout: {}", describe(&error))),
        _ => Ok(()),
    }
}

/// Writes all of it to stderr in one go; where nobody listens, nobody hears.
pub(super) fn report(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// One line on stderr.
pub(super) fn complain(message: &str) {
    report(&format!("gvtg-xml: {}\n", crate::report::clean(message)));
}

/// Whether to use colours on stdout, or on stderr.
pub(super) fn use_color(choice: ColorChoice, stream_is_terminal: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            stream_is_terminal && !forbidden && !dumb
        }
    }
}
