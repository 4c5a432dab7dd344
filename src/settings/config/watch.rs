//! Reloads configurations when files change, and keeps the last valid version of each on errors.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Configs, EffectiveConfig, LoadError, Origin, PartialConfig};

/// The device, inode, size and time of the last change (ctime, in seconds and nanoseconds) of a
/// file; `None` if it does not exist. The ctime covers content, owner and mode.
type Stamp = Option<(u64, u64, u64, i64, i64)>;

/// The recorded state of the files and folders that configurations depend on, including those that
/// do not exist.
#[derive(Debug, Default)]
pub struct FileStamps(BTreeMap<PathBuf, Stamp>);

impl FileStamps {
    /// Records the state of a file or folder, unless it is already recorded.
    pub fn record(&mut self, path: &Path) {
        self.0.entry(path.to_owned()).or_insert_with(|| stamp(path));
    }

    /// Records the state of a folder of rules and of each file in it.
    pub fn record_rules(&mut self, folder: &Path) {
        self.record(folder);
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            self.record(&entry.path());
        }
    }

    /// Records the current state of all paths again.
    pub fn update(&mut self) {
        self.0.iter_mut().for_each(|(path, recorded)| *recorded = stamp(path));
    }

    /// Whether one of the paths has changed.
    pub fn is_outdated(&self) -> bool {
        self.0.iter().any(|(path, recorded)| stamp(path) != *recorded)
    }
}

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).or_else(|_| fs::symlink_metadata(path)).ok()?;
    Some((metadata.dev(), metadata.ino(), metadata.len(), metadata.ctime(), metadata.ctime_nsec()))
}

/// The configurations of a session, reloaded when they change.
pub struct ConfigWatcher {
    origin: Origin,
    flags: PartialConfig,
    configs: Configs,
    /// The effective configuration of the flags alone, used if a configuration was never valid.
    base: Arc<EffectiveConfig>,
    failures: Vec<LoadError>,
}

impl ConfigWatcher {
    /// Creates a session with these flags.
    ///
    /// # Errors
    /// Returns the errors in the flags.
    pub fn new(origin: Origin, flags: PartialConfig) -> Result<Self, LoadError> {
        let mut configs = Configs::of_session(origin.clone(), flags.clone(), None)?;
        let alone =
            |flags: PartialConfig| Configs::new(Origin::Nowhere, flags)?.find(Path::new(""));
        let base = match alone(flags.clone()) {
            Ok(resolved) => resolved,
            // `--only` and `--ignore` may name rules that only a configuration defines.
            Err(failure) if configs.find_in(Path::new(""), None).is_err() => {
                return Err(failure);
            }
            Err(_) => alone(flags.clone().without(&["only", "ignore"]))?,
        };
        let base = base.effective;
        Ok(ConfigWatcher { origin, flags, configs, base, failures: Vec::new() })
    }

    /// The effective configuration for a document; a document without a file gets that of the
    /// current folder.
    pub fn find(&mut self, document: Option<&Path>) -> Arc<EffectiveConfig> {
        match self.configs.find(document.unwrap_or(Path::new(""))) {
            Ok(resolved) => resolved.effective,
            Err(failure) => {
                self.add_failure(failure);
                self.base.clone()
            }
        }
    }

    /// Reloads all configurations if one of the files has changed. Returns whether it did.
    pub fn refresh(&mut self) -> bool {
        if !self.configs.is_outdated() {
            return false;
        }
        match Configs::of_session(self.origin.clone(), self.flags.clone(), Some(&self.configs)) {
            Ok(configs) => self.configs = configs,
            Err(failure) => {
                self.configs.update_stamps();
                self.add_failure(failure);
            }
        }
        true
    }

    /// Returns the errors in configurations since the last call.
    pub fn take_failures(&mut self) -> Vec<LoadError> {
        for failure in self.configs.take_failures() {
            self.add_failure(failure);
        }
        std::mem::take(&mut self.failures)
    }

    fn add_failure(&mut self, failure: LoadError) {
        // Several documents share a configuration: report each error once.
        if !self.failures.iter().any(|known| known.lines() == failure.lines()) {
            self.failures.push(failure);
        }
    }
}
