//! Reads stdin and files, and writes to stdout and stderr. `atomic_write.rs` writes files.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::terminal::for_stderr;
use crate::text::sanitize::system_error;

/// The reason why an input can't be read. Messages show the input's name before it.
#[derive(Debug, Error)]
pub(super) enum ReadError {
    #[error("can't be read: {}", system_error(.0))]
    System(#[from] io::Error),
    #[error("is not XML: it contains long runs of NUL bytes")]
    NulBytes,
    #[error("is larger than {max_size} MiB (--max-size raises the limit)")]
    TooLarge {
        /// The limit, in MiB.
        max_size: u64,
    },
    #[error("can't be read: out of memory")]
    OutOfMemory,
    /// A file that `--in-place` can't replace; holds its kind.
    #[error("is {0}; --in-place replaces regular files only: write to stdout instead")]
    NotRegular(&'static str),
}

/// An error of writing to stdout.
#[derive(Debug, Error, Diagnostic)]
#[error("can't write to stdout: {}", system_error(.0))]
pub(super) struct StdoutError(io::Error);

/// An error of creating a file.
#[derive(Debug, Error, Diagnostic)]
#[error("{}: can't be written: {reason}", path.display())]
pub(super) struct CreateError {
    path: PathBuf,
    reason: String,
}

impl CreateError {
    /// Creates the error for a file; for a new file, the folder may be the cause.
    pub(super) fn new(path: &Path, error: &io::Error) -> Self {
        let folder = path.parent().filter(|_| !path.exists());
        let reason =
            folder.map_or_else(|| system_error(error), |folder| why_no_new_file(folder, error));
        CreateError { path: path.to_owned(), reason }
    }
}

/// Reads a file, or stdin for `-`. `max_size` is in MiB; 0 means no limit.
///
/// # Errors
/// Fails if the file can't be read, is larger than the limit, contains long runs of NUL bytes, or
/// needs more memory than there is.
pub(super) fn read(path: &Path, max_size: u64) -> Result<Vec<u8>, ReadError> {
    if path == Path::new("-") {
        return read_whole(io::stdin().lock(), 0, max_size);
    }
    let file = File::open(path)?;
    read_file(file, max_size)
}

/// Reads an open file from its current position; see [`read`].
///
/// # Errors
/// Fails like [`read`].
pub(super) fn read_file(file: File, max_size: u64) -> Result<Vec<u8>, ReadError> {
    let size = file.metadata()?.len();
    read_whole(file, size, max_size)
}

fn read_whole(reader: impl Read, size: u64, max_size: u64) -> Result<Vec<u8>, ReadError> {
    let limit = if max_size == 0 { u64::MAX } else { max_size.saturating_mul(1 << 20) };
    // A sparse file can claim any size, so at most one chunk is reserved up front.
    let expected = usize::try_from(size.min(limit).min(CHUNK_BYTES)).unwrap_or(0);
    let mut bytes = Vec::with_capacity(expected.saturating_add(1).max(16 << 10));
    let mut reader = reader.take(limit.saturating_add(1));
    loop {
        let chunk_length = reader.by_ref().take(CHUNK_BYTES).read_to_end(&mut bytes)? as u64;
        // The hole of a sparse file, which may span terabytes, reads as NULs.
        let is_large = (CHUNK_BYTES + 1..=limit).contains(&(bytes.len() as u64));
        if is_large && bytes[bytes.len() - MAX_NUL_RUN..].iter().all(|byte| *byte == 0) {
            return Err(ReadError::NulBytes);
        }
        if chunk_length < CHUNK_BYTES {
            break;
        }
    }
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLarge { max_size });
    }
    // An error now is better than running out of memory while the document is processed.
    if bytes.len() as u64 >= CHUNK_BYTES
        && Vec::<u8>::new()
            .try_reserve_exact(bytes.len().saturating_mul(PEAK_MEMORY_FACTOR))
            .is_err()
    {
        return Err(ReadError::OutOfMemory);
    }
    Ok(bytes)
}

/// Bytes to read at a time.
const CHUNK_BYTES: u64 = 16 << 20;

/// Bytes at the end of a large input that must not all be NUL.
const MAX_NUL_RUN: usize = 4 << 10;

/// Peak memory of a fix, as a multiple of the document's size (benches/README.md).
const PEAK_MEMORY_FACTOR: usize = 8;

/// Whether stdin is a terminal, so that nothing was piped in.
pub(super) fn stdin_is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// Writes a text to stdout in one go. A reader that has closed the pipe is not an error.
pub(super) fn print(text: &str) -> Result<(), StdoutError> {
    print_bytes(text.as_bytes())
}

/// Writes bytes, which need not be UTF-8, to stdout like [`print`].
pub(super) fn print_bytes(bytes: &[u8]) -> Result<(), StdoutError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(StdoutError(error)),
        _ => Ok(()),
    }
}

/// Writes a text to stderr in one go; errors are ignored.
pub(super) fn eprint_all(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Writes prose to stderr, wrapped to the terminal.
pub(super) fn eprint_wrapped(text: &str) {
    eprint_all(&for_stderr(text));
}

/// Writes a one-line message to stderr, prefixed with the program's name.
pub(super) fn print_note(message: &str) {
    eprint_wrapped(&format!("gvtg-xml: {}\n", crate::text::sanitize::clean(message)));
}

/// Returns why a file can't be created in a folder. It names the folder if the error is about it,
/// which the system's message does not.
pub(super) fn why_no_new_file(folder: &Path, error: &io::Error) -> String {
    let reason = system_error(error);
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            // A bare file name is in the current folder.
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            format!("the folder {} is not writable ({reason})", folder.display())
        }
        _ => reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Yields blanks, and then EOF, which may be read only once.
    struct Blanks {
        left: u64,
        has_ended: bool,
    }

    impl Read for Blanks {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            assert!(
                !self.has_ended,
                "at a terminal, whoever has ended the input would have to do so again"
            );
            let count = buffer.len().min(usize::try_from(self.left).unwrap()).min(100_000);
            buffer[..count].fill(b' ');
            self.left -= count as u64;
            self.has_ended = count == 0;
            Ok(count)
        }
    }

    #[test]
    fn reads_everything_and_eof_only_once() {
        for length in [
            0,
            1,
            8191,
            8192,
            100_000,
            CHUNK_BYTES - 1,
            CHUNK_BYTES,
            CHUNK_BYTES + 1,
            2 * CHUNK_BYTES,
            2 * CHUNK_BYTES + 3,
        ] {
            let read = read_whole(Blanks { left: length, has_ended: false }, 0, 0).unwrap();
            assert_eq!(read.len() as u64, length);
        }
        assert!(read_whole(Blanks { left: 1 << 20, has_ended: false }, 0, 1).is_ok());
        assert!(read_whole(Blanks { left: (1 << 20) + 1, has_ended: false }, 0, 1).is_err());
    }
}
