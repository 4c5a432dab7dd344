//! The pages that users read, and updates to them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A page, with its path in the project's folder.
pub struct Page {
    pub path: PathBuf,
    pub text: String,
}

/// The README and all pages in docs/.
pub fn all() -> Vec<Page> {
    let docs = fs::read_dir("docs").unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect();
    paths.sort();
    paths.insert(0, "README.md".into());
    paths.into_iter().map(|path| Page { text: fs::read_to_string(&path).unwrap(), path }).collect()
}

/// Updates a page in one step: tests run in parallel, and some read meanwhile.
pub fn renew(path: &Path, change: impl FnOnce(String) -> String) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap();
    let new = path.with_extension("md.new");
    fs::write(&new, change(fs::read_to_string(path).unwrap())).unwrap();
    fs::rename(new, path).unwrap();
}
