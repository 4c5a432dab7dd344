//! Which files a run is about: those named, and those in folders.

use crate::sanitize::system_error;
use std::collections::{HashMap, HashSet};
use std::fs::{self, Metadata};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
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

/// The files of a run.
#[derive(Default)]
pub(super) struct Files {
    /// The files to be read, each real file once, in a stable order.
    pub(super) inputs: Vec<Input>,
    /// Files and folders that can't be read, each with the reason.
    pub(super) unreadable: Vec<(PathBuf, String)>,
    /// The folders that were named, in the order of the command line.
    pub(super) folders: Vec<Folder>,
}

/// A folder that was named.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// The indices in [`Files::inputs`] of the files that were found in it first.
    pub(super) inputs: Range<usize>,
    /// Whether part of it can't be read, or was already found elsewhere.
    pub(super) has_more: bool,
}

/// Collects the files named and the `.xml` files in the folders named. Inside a folder neither
/// symlinks to folders nor hidden folders are entered.
pub(super) fn collect(paths: &[PathBuf]) -> Files {
    let (mut files, mut seen) = (Files::default(), VisitedFiles::default());
    if paths.is_empty() {
        files.inputs.push(Input { path: "-".into(), named: true });
    }
    for path in paths {
        let file = fs::metadata(path).ok();
        if file.as_ref().is_some_and(Metadata::is_dir) {
            let (start, unreadable) = (files.inputs.len(), files.unreadable.len());
            let mut found = Vec::new();
            walk(path, &mut found, &mut files.unreadable);
            found.sort();
            let count = found.len();
            let new = found.into_iter().filter(|path| seen.is_new(path, fs::metadata(path).ok()));
            files.inputs.extend(new.map(|path| Input { path, named: false }));
            let inputs = start..files.inputs.len();
            let has_more = files.unreadable.len() > unreadable || inputs.len() < count;
            files.folders.push(Folder { path: path.clone(), inputs, has_more });
        } else if seen.is_new(path, file) {
            files.inputs.push(Input { path: path.clone(), named: true });
        }
    }
    files
}

/// Whether a file's name ends in `.xml`, as the names of libvirt's domains do.
pub(super) fn is_called_xml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xml"))
}

/// Files by device and inode. Only where two have the same are their real paths compared: that asks
/// the kernel about each folder on the way, and two names of one file are two files to whoever
/// writes them in place.
#[derive(Default)]
struct VisitedFiles {
    files: HashMap<(u64, u64), Vec<PathBuf>>,
    others: HashSet<PathBuf>,
}

impl VisitedFiles {
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

fn walk(folder: &Path, found: &mut Vec<PathBuf>, unreadable: &mut Vec<(PathBuf, String)>) {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                unreadable.push((folder, system_error(&error)));
                continue;
            }
        };
        for entry in entries {
            match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
                Ok((path, kind)) if kind.is_dir() => {
                    if !has_prefix(&path, ".") {
                        folders.push(path);
                    }
                }
                Ok((path, _)) if is_called_xml(&path) && !is_by_product(&path) => {
                    match fs::metadata(&path) {
                        Ok(file) if file.is_file() => found.push(path),
                        Ok(_) => {}
                        Err(error) => unreadable.push((path, system_error(&error))),
                    }
                }
                Ok(_) => {}
                Err(error) => unreadable.push((folder.clone(), system_error(&error))),
            }
        }
    }
}

/// Whether this is the file that Emacs (`.#win10.xml`, a link to nowhere) or macOS (`._win10.xml`,
/// binary) creates next to another one.
fn is_by_product(path: &Path) -> bool {
    has_prefix(path, ".#") || has_prefix(path, "._")
}

fn has_prefix(path: &Path, prefix: &str) -> bool {
    path.file_name().is_some_and(|name| name.as_bytes().starts_with(prefix.as_bytes()))
}
