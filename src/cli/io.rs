//! Bytes in and out: stdin, files, and writing a file so that there is always a whole one.

use std::fs::{self, File, Permissions};
use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::ColorChoice;

/// What could not be read, and why.
pub(super) type ReadError = String;

/// Reads a file, or stdin for `-`, of at most so many MiB; 0 for any size.
pub(super) fn read(path: &Path, max_size: u64) -> Result<Vec<u8>, ReadError> {
    let limit = if max_size == 0 { u64::MAX } else { max_size.saturating_mul(1 << 20) };
    let bytes = if path == Path::new("-") {
        read_at_most(io::stdin().lock(), 0, limit)
    } else {
        File::open(path).and_then(|file| {
            let size = file.metadata()?.len();
            read_at_most(file, size.min(limit), limit)
        })
    };
    let bytes = bytes.map_err(|error| format!("can't be read: {}", describe(&error)))?;
    if bytes.len() as u64 > limit {
        return Err(format!("is larger than {} MiB: no domain is (virsh stops at 10); --max-size lifts the limit", max_size));
    }
    Ok(bytes)
}

fn read_at_most(reader: impl Read, size: u64, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0).saturating_add(1).max(16 << 10));
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
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

/// Replaces a file's content. Whoever opens it meanwhile sees the old or the new one, whole; a symlink keeps pointing at it, and its
/// mode and owner stay.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    stage(path, text, mode)?.commit()
}

/// A file's new content, whole and on the disk, beside its place. Dropped, it is gone.
pub(super) struct Staged {
    file: NamedTempFile,
    target: PathBuf,
}

impl Staged {
    /// Puts it in its place, in one step.
    pub(super) fn commit(self) -> io::Result<()> {
        self.file.persist(&self.target).map(drop).map_err(|error| error.error)
    }
}

/// Writes a file's new content beside it. The folders that it lacks are made; a symlink keeps pointing at it, and its owner stays.
pub(super) fn stage(path: &Path, text: &str, mode: u32) -> io::Result<Staged> {
    let old = fs::metadata(path).ok();
    let target = if old.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
    let folder = target.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder)?;
    let permissions = Permissions::from_mode(mode);
    let mut file = tempfile::Builder::new().prefix(".gvtg-xml-").permissions(permissions.clone()).tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    let new = file.as_file();
    let made = new.metadata()?;
    if let Some(old) = old.filter(|old| (made.uid(), made.gid()) != (old.uid(), old.gid())) {
        fchown(new, Some(old.uid()), Some(old.gid()))?;
    }
    // The mode at creation is cut by the umask, and a change of owner clears bits.
    new.set_permissions(permissions)?;
    new.sync_all()?;
    Ok(Staged { file, target })
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
