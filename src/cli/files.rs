//! Which files a run is about: those named, and those in folders.

use crate::printable::system_error;
use std::collections::{HashMap, HashSet};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Input {
    /// Where it is; `-` for stdin.
    pub(super) path: PathBuf,
    /// Whether somebody named it; a folder may have brought it along.
    pub(super) named: bool,
}

/// The files named and the `.xml` files in the folders named, each real file once, in a stable order. Symlinks to folders are not
/// followed inside folders.
///
/// # Errors
/// Folders that can't be read, each with why; the other files are there all the same.
pub(super) fn collect(paths: &[PathBuf]) -> (Vec<Input>, Vec<(PathBuf, String)>) {
    let (mut inputs, mut errors, mut seen) = (Vec::new(), Vec::new(), Seen::default());
    if paths.is_empty() {
        return (vec![Input { path: "-".into(), named: true }], errors);
    }
    for path in paths {
        let file = fs::metadata(path).ok();
        if file.as_ref().is_some_and(Metadata::is_dir) {
            let mut found = Vec::new();
            walk(path, &mut found, &mut errors);
            found.sort();
            let new = found.into_iter().filter(|path| seen.is_new(path, fs::metadata(path).ok()));
            inputs.extend(new.map(|path| Input { path, named: false }));
        } else if seen.is_new(path, file) {
            inputs.push(Input { path: path.clone(), named: true });
        }
    }
    (inputs, errors)
}

/// Files by device and inode. Only where two have the same are their real paths compared: that asks the kernel about each folder on
/// the way, and two names of one file are two files to whoever writes them in place.
#[derive(Default)]
struct Seen {
    files: HashMap<(u64, u64), Vec<PathBuf>>,
    others: HashSet<PathBuf>,
}

impl Seen {
    fn is_new(&mut self, path: &Path, file: Option<Metadata>) -> bool {
        // Stdin, and what is not there.
        let Some(file) = file else { return self.others.insert(path.to_owned()) };
        let same = self.files.entry((file.dev(), file.ino())).or_default();
        let is_new = !same.iter().any(|other| real(other) == real(path));
        if is_new {
            same.push(path.to_owned());
        }
        is_new
    }
}

fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>, errors: &mut Vec<(PathBuf, String)>) {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                errors.push((folder, system_error(&error)));
                continue;
            }
        };
        for entry in entries.flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(_) if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xml")) && path.is_file() => {
                    found.push(path)
                }
                _ => {}
            }
        }
    }
}
