//! Reads the documents to fix, and writes the results.

use super::super::diff::diff;
use super::super::error::{UnreadableInput, print_error};
use super::super::files::Input;
use super::super::lint::{name, skipped};
use super::super::terminal::TerminalStyle;
use super::super::{FixArgs, Options, atomic_write, io};
use super::FixCommandError;
use crate::lint::Foreign;
use crate::text::sanitize::clean;

/// Whether the result goes to stdout. A filter passes input that it skips through unchanged.
pub(in crate::cli) fn is_filter(args: &FixArgs) -> bool {
    !(args.in_place || args.diff || args.check)
}

/// A document to be fixed, and where the result goes.
pub(in crate::cli) struct Document {
    pub(in crate::cli) text: String,
    /// The file to replace; `None` if the result goes to stdout.
    pub(in crate::cli) to_replace: Option<atomic_write::Original>,
}

/// The result of reading an input.
pub(in crate::cli) enum InputKind {
    Text(Document),
    /// Skipped, and passed through to stdout unchanged.
    PassedThrough,
    /// Skipped.
    Skipped(Foreign),
    /// Bytes that are not valid UTF-8.
    NotUtf8(Vec<u8>),
}

/// Reads an input that is to be fixed. A skipped input is passed through if the result would go to
/// stdout.
///
/// # Errors
/// Fails if it can't be read, or can't be passed through.
pub(in crate::cli) fn read(
    input: &Input,
    args: &FixArgs,
    options: &Options,
) -> Result<InputKind, FixCommandError> {
    let read = if args.in_place {
        atomic_write::read(&input.path, options.max_size)
            .map(|(bytes, original)| (bytes, Some(original)))
    } else {
        io::read(&input.path, options.max_size).map(|bytes| (bytes, None))
    };
    let pipe_end = "gvtg-xml fix --libvirt installed | virsh define --validate /dev/stdin";
    let (bytes, to_replace) = read.map_err(|reason| {
        let name = name(&input.path, options);
        UnreadableInput::new(&input.path, &name, reason, "--security-info", pipe_end)
    })?;
    if let Some(reason) = skipped(input, options, &bytes) {
        return if is_filter(args) {
            io::print_bytes(&bytes)?;
            Ok(InputKind::PassedThrough)
        } else {
            Ok(InputKind::Skipped(reason))
        };
    }
    Ok(match String::from_utf8(bytes) {
        Ok(text) => InputKind::Text(Document { text, to_replace }),
        Err(error) => InputKind::NotUtf8(error.into_bytes()),
    })
}

/// Writes the result: to the file, to stdout, or as a diff or file name, for which `old` is given.
///
/// # Errors
/// Fails if it can't be written.
pub(in crate::cli) fn write_result(
    args: &FixArgs,
    options: &Options,
    name: &str,
    old: Option<&str>,
    new: &str,
    has_changed: bool,
    to_replace: Option<&atomic_write::Original>,
) -> Result<(), FixCommandError> {
    match (old, to_replace) {
        (Some(old), _) if args.diff => {
            io::print(&diff(name, old, new, TerminalStyle::of_stdout(options.color)))?;
        }
        (Some(_), _) => {
            io::print(&if has_changed { format!("{}\n", clean(name)) } else { String::new() })?;
        }
        (None, Some(file)) if has_changed => {
            atomic_write::replace(file, new)
                .map_err(|error| FixCommandError::Replace { name: name.to_owned(), error })?;
            if let Some(warning) = file.warning(name, new) {
                print_error(&warning);
            }
        }
        (None, Some(_)) => {}
        (None, None) => io::print(new)?,
    }
    Ok(())
}
