//! Configurations in a session that goes on while they change: read anew when a file has changed,
//! and where one can't be used, what held before goes on to hold.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::LoadError;
use super::merge::EffectiveConfig;
use super::partial::PartialConfig;
use super::resolver::{Configs, Origin};

/// What a file was when it was last looked at; None where it was not there. The time is that of the
/// last change of its text, owner or mode.
type Stamp = Option<(u64, u64, u64, i64, i64)>;

/// The files and folders that configurations were made of, or would have been.
#[derive(Debug, Default)]
pub struct FileStamps(BTreeMap<PathBuf, Stamp>);

impl FileStamps {
    /// Notes what a file or folder is now.
    pub fn note(&mut self, path: &Path) {
        self.0.entry(path.to_owned()).or_insert_with(|| stamp(path));
    }

    /// The same for a folder of rules, and each file in it.
    pub fn note_rules(&mut self, folder: &Path) {
        self.note(folder);
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            self.note(&entry.path());
        }
    }

    /// Notes anew what all of them are.
    pub fn note_again(&mut self) {
        self.0.iter_mut().for_each(|(path, noted)| *noted = stamp(path));
    }

    /// Whether one of them is something else now.
    pub fn is_outdated(&self) -> bool {
        self.0.iter().any(|(path, noted)| stamp(path) != *noted)
    }
}

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).or_else(|_| fs::symlink_metadata(path)).ok()?;
    Some((metadata.dev(), metadata.ino(), metadata.len(), metadata.ctime(), metadata.ctime_nsec()))
}

/// The configurations of a session.
pub struct ConfigWatcher {
    origin: Origin,
    flags: PartialConfig,
    configs: Configs,
    /// What the flags alone say: where a configuration never could be used.
    base: Arc<EffectiveConfig>,
    failures: Vec<LoadError>,
}

impl ConfigWatcher {
    /// A session with these flags.
    ///
    /// # Errors
    /// What is wrong in the flags, in words for the user.
    pub fn new(origin: Origin, flags: PartialConfig) -> Result<Self, String> {
        let in_words = |failure: LoadError| failure.lines().join("\n");
        let mut configs =
            Configs::of_session(origin.clone(), flags.clone(), None).map_err(in_words)?;
        let alone =
            |flags: PartialConfig| Configs::new(Origin::Nowhere, flags, None)?.find(Path::new(""));
        let base = match alone(flags.clone()) {
            Ok(found) => found,
            // They may name rules that a configuration brings.
            Err(failure) if configs.find_in(Path::new(""), None).is_err() => {
                return Err(in_words(failure));
            }
            Err(_) => alone(PartialConfig { only: None, ignore: None, ..flags.clone() })
                .map_err(in_words)?,
        };
        let base = base.in_force;
        Ok(ConfigWatcher { origin, flags, configs, base, failures: Vec::new() })
    }

    /// What is in force for a document; one that is in no file has that of the current folder.
    pub fn find(&mut self, document: Option<&Path>) -> Arc<EffectiveConfig> {
        match self.configs.find(document.unwrap_or(Path::new(""))) {
            Ok(found) => found.in_force,
            Err(failure) => {
                self.fail(failure);
                self.base.clone()
            }
        }
    }

    /// Reads all anew if one of the files has changed; whether that is so.
    pub fn refresh(&mut self) -> bool {
        if !self.configs.is_outdated() {
            return false;
        }
        match Configs::of_session(self.origin.clone(), self.flags.clone(), Some(&self.configs)) {
            Ok(configs) => self.configs = configs,
            Err(failure) => {
                self.configs.note_again();
                self.fail(failure);
            }
        }
        true
    }

    /// What could not be used since this was last asked.
    pub fn take_failures(&mut self) -> Vec<LoadError> {
        for failure in self.configs.take_failures() {
            self.fail(failure);
        }
        std::mem::take(&mut self.failures)
    }

    fn fail(&mut self, failure: LoadError) {
        // Several documents have the same.
        if !self.failures.iter().any(|known| known.lines() == failure.lines()) {
            self.failures.push(failure);
        }
    }
}
