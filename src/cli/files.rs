//! Collects the files of a run: those named, and those in the named folders.

use foldhash::{HashMap, HashSet};
use std::fs::{self, Metadata};
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use crate::text::sanitize::{clean_path, system_error};

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Input {
    /// Its path; `-` for stdin.
    pub(super) path: PathBuf,
    /// Whether the user named it, rather than a folder that contains it.
    pub(super) named: bool,
}

/// The files of a run.
#[derive(Default)]
pub(super) struct Files {
    /// The files to read, each real file once, in a stable order.
    pub(super) inputs: Vec<Input>,
    /// Files and folders that can't be read.
    pub(super) unreadable: Vec<UnreadablePath>,
    /// The named folders, in the order of the command line.
    pub(super) folders: Vec<Folder>,
}

/// A file or folder that can't be read.
#[derive(Debug, Error, Diagnostic)]
#[error("{}: can't be read: {}", clean_path(path), system_error(error))]
pub(super) struct UnreadablePath {
    path: PathBuf,
    error: io::Error,
}

/// A folder named on the command line.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// Indices in [`Files::inputs`] of the files that were first found in this folder.
    pub(super) inputs: Range<usize>,
    /// Whether part of it can't be read, or was already found elsewhere.
    pub(super) has_more: bool,
}

/// Collects the named files, and the `.xml` files in the named folders. Hidden folders and symlinks
/// to folders inside a named folder are not entered.
pub(super) fn collect(paths: &[PathBuf]) -> Files {
    let (mut files, mut seen) = (Files::default(), VisitedFiles::default());
    if paths.is_empty() {
        files.inputs.push(Input { path: "-".into(), named: true });
    }
    for path in paths {
        let file = fs::metadata(path).ok();
        if file.as_ref().is_some_and(Metadata::is_dir) {
            let (start, unreadable) = (files.inputs.len(), files.unreadable.len());
            let mut paths_in_folder = Vec::new();
            walk(path, &mut paths_in_folder, &mut files.unreadable);
            paths_in_folder.sort();
            let count = paths_in_folder.len();
            let new = paths_in_folder
                .into_iter()
                .filter(|path| seen.is_new(path, fs::metadata(path).ok()));
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

/// The files seen so far, by device and inode. Real paths are compared only if two files share
/// both, because that queries the kernel about each folder of the path. Hard links to one file
/// count as different files, because writing in place replaces one name only.
#[derive(Default)]
struct VisitedFiles {
    files: HashMap<(u64, u64), Vec<PathBuf>>,
    others: HashSet<PathBuf>,
}

impl VisitedFiles {
    fn is_new(&mut self, path: &Path, file: Option<Metadata>) -> bool {
        // Stdin, and files that do not exist.
        let Some(file) = file else { return self.others.insert(path.to_owned()) };
        let same = self.files.entry((file.dev(), file.ino())).or_default();
        let is_new = !same.iter().any(|other| real_path(other) == real_path(path));
        if is_new {
            same.push(path.to_owned());
        }
        is_new
    }
}

fn real_path(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>, unreadable: &mut Vec<UnreadablePath>) {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                unreadable.push(UnreadablePath { path: folder, error });
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
                        Ok(file) if file.is_file() => paths.push(path),
                        Ok(_) => {}
                        Err(error) => unreadable.push(UnreadablePath { path, error }),
                    }
                }
                Ok(_) => {}
                Err(error) => unreadable.push(UnreadablePath { path: folder.clone(), error }),
            }
        }
    }
}

/// Whether this is a file that Emacs (`.#win10.xml`, a dangling symlink) or macOS (`._win10.xml`,
/// binary) creates next to another one.
fn is_by_product(path: &Path) -> bool {
    has_prefix(path, ".#") || has_prefix(path, "._")
}

fn has_prefix(path: &Path, prefix: &str) -> bool {
    path.file_name().is_some_and(|name| name.as_bytes().starts_with(prefix.as_bytes()))
}
