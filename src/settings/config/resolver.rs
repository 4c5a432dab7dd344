//! Finds the configuration and the effective settings for each document of a run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::effective::{EffectiveConfig, Sources};
use super::error::{ConfigError, LoadError};
use super::file::Loaded;
use super::read::read;
use super::rules::{all_rules, load_custom_rules};
use super::search::{ConfigFile, NAME, TrustedOwners, nearest, open, real_folder};
use super::values::{PartialConfig, Value};
use super::watch::FileStamps;
use crate::rules::RuleRef;
use foldhash::{HashMap, HashMapExt};

/// The source of configurations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The nearest configuration, in the document's folder or above it (the default).
    Nearest,
    /// One configuration for all documents (`--config`).
    Named(PathBuf),
    /// No configuration (`--isolated`).
    Nowhere,
}

/// The effective configuration for a document, and its sources.
#[derive(Clone, Debug)]
pub struct ResolvedConfig {
    /// The configuration, if there is one.
    pub loaded: Option<Rc<Loaded>>,
    /// The indices of the overrides that apply to the document.
    pub overrides: Vec<usize>,
    /// The effective configuration.
    pub effective: Arc<EffectiveConfig>,
}

/// The configurations of a run, each of which is read once.
pub struct Configs {
    origin: Origin,
    flags: PartialConfig,
    /// The custom rules of `--rules`.
    flag_rules: Vec<RuleRef<'static>>,
    /// The configurations that were skipped, with the reason, as messages for the user.
    pub skipped: Vec<String>,
    loaded_by_path: HashMap<PathBuf, Rc<Loaded>>,
    /// Folders as given, with their paths without symbolic links.
    folders: HashMap<PathBuf, Option<PathBuf>>,
    /// The nearest configuration of each folder, by the folder's path without symbolic links.
    nearest: HashMap<PathBuf, Option<Rc<Loaded>>>,
    resolved: Vec<ResolvedConfig>,
    session: Option<Session>,
}

/// State for a session in which configurations can change.
#[derive(Default)]
struct Session {
    /// The files and folders to check for changes.
    stamps: FileStamps,
    /// The last valid configuration by path; it stays in effect while the file is invalid.
    last_valid: HashMap<PathBuf, Rc<Loaded>>,
    /// Errors in configurations that did not prevent resolving, because an earlier version is used.
    failures: Vec<LoadError>,
}

impl Configs {
    /// Creates a resolver that has not read any configuration yet.
    ///
    /// # Errors
    /// Returns the errors in the custom rules that the flags name.
    pub fn new(origin: Origin, flags: PartialConfig) -> Result<Self, LoadError> {
        Configs::with_session(origin, flags, None)
    }

    /// Creates a resolver for a session; `before` is the session's previous resolver. While a
    /// configuration is invalid, its last valid version in `before` stays in effect.
    ///
    /// # Errors
    /// Returns the same errors as [`Configs::new`].
    pub fn of_session(
        origin: Origin,
        flags: PartialConfig,
        before: Option<&Configs>,
    ) -> Result<Self, LoadError> {
        let mut session = Session::default();
        if let Some(before) = before {
            let earlier = before.session.iter().flat_map(|session| &session.last_valid);
            let known = earlier.chain(&before.loaded_by_path);
            session.last_valid =
                known.map(|(path, loaded)| (path.clone(), loaded.clone())).collect();
        }
        Configs::with_session(origin, flags, Some(session))
    }

    fn with_session(
        origin: Origin,
        flags: PartialConfig,
        mut session: Option<Session>,
    ) -> Result<Self, LoadError> {
        let folder = flags.get("rules").and_then(Value::folder);
        if let (Some(session), Some(folder)) = (&mut session, folder) {
            session.stamps.record_rules(folder);
        }
        let flag_rules = folder.map_or(Ok(Vec::new()), load_custom_rules)?;
        Ok(Configs {
            origin,
            flags,
            flag_rules,
            skipped: Vec::new(),
            loaded_by_path: HashMap::new(),
            folders: HashMap::new(),
            nearest: HashMap::new(),
            resolved: Vec::new(),
            session,
        })
    }

    /// Resolves the configuration for a document.
    ///
    /// # Errors
    /// Returns an error if the configuration can't be used.
    pub fn find(&mut self, document: &Path) -> Result<ResolvedConfig, LoadError> {
        self.find_in(document.parent().unwrap_or(Path::new("")), document.file_name())
    }

    /// Resolves the configuration for a document with this name in a folder; without a name, the
    /// configuration for files that match no override.
    ///
    /// # Errors
    /// Returns an error if the configuration can't be used.
    pub fn find_in(
        &mut self,
        folder: &Path,
        name: Option<&OsStr>,
    ) -> Result<ResolvedConfig, LoadError> {
        let folder = match self.origin {
            Origin::Nowhere => None,
            _ => self.real_folder(folder),
        };
        let loaded = self.loaded(folder.as_deref())?;
        let overrides = match (&loaded, folder.zip(name)) {
            (Some(loaded), Some((folder, name))) => loaded.overrides_for(&folder.join(name)),
            _ => Vec::new(),
        };
        let has_same_sources = |resolved: &&ResolvedConfig| {
            resolved.loaded.as_ref().map(Rc::as_ptr) == loaded.as_ref().map(Rc::as_ptr)
                && resolved.overrides == overrides
        };
        if let Some(resolved) = self.resolved.iter().find(has_same_sources) {
            return Ok(resolved.clone());
        }
        let sources = Sources::new(&self.flags, loaded.as_deref(), &overrides);
        let effective = Arc::new(sources.effective(self.rules(loaded.as_deref()))?);
        let resolved = ResolvedConfig { effective, overrides, loaded };
        self.resolved.push(resolved.clone());
        Ok(resolved)
    }

    /// The sources of a document's settings.
    pub fn sources<'c>(&'c self, resolved: &'c ResolvedConfig) -> Sources<'c> {
        Sources::new(&self.flags, resolved.loaded.as_deref(), &resolved.overrides)
    }

    /// All rules. The custom rules of `--rules` replace those of the configuration.
    pub fn rules(&self, loaded: Option<&Loaded>) -> Vec<RuleRef<'static>> {
        all_rules(match loaded {
            Some(loaded) if self.flags.get("rules").is_none() => &loaded.config.custom_rules,
            _ => &self.flag_rules,
        })
    }

    fn real_folder(&mut self, folder: &Path) -> Option<PathBuf> {
        if let Some(known) = self.folders.get(folder) {
            return known.clone();
        }
        let real = real_folder(folder);
        self.folders.insert(folder.to_owned(), real.clone());
        real
    }

    /// Loads the configuration that applies in a folder, given by its path without symbolic links.
    fn loaded(&mut self, folder: Option<&Path>) -> Result<Option<Rc<Loaded>>, LoadError> {
        if let Some(session) = &mut self.session {
            match (&self.origin, folder) {
                (Origin::Named(path), _) => session.stamps.record(path),
                (Origin::Nearest, Some(folder)) => {
                    folder.ancestors().for_each(|folder| session.stamps.record(&folder.join(NAME)))
                }
                _ => {}
            }
        }
        let opened = match (&self.origin, folder) {
            (Origin::Nowhere, _) | (Origin::Nearest, None) => None,
            (Origin::Named(path), _) => match self.loaded_by_path.get(path) {
                Some(known) => return Ok(Some(known.clone())),
                None => Some(open(path)?),
            },
            (Origin::Nearest, Some(folder)) => {
                if let Some(known) = self.nearest.get(folder) {
                    return Ok(known.clone());
                }
                let search =
                    nearest(folder, TrustedOwners::of_process(std::env::var_os("SUDO_UID")))?;
                self.skipped.extend(search.skipped);
                search.found
            }
        };
        let loaded = match opened {
            Some(opened) => Some(self.read(opened)?),
            None => None,
        };
        if let Some(folder) = folder {
            self.nearest.insert(folder.to_owned(), loaded.clone());
        }
        Ok(loaded)
    }

    /// Reads a configuration, once per path. In a session, its last valid version is used if it
    /// can't be read.
    fn read(&mut self, opened: ConfigFile) -> Result<Rc<Loaded>, LoadError> {
        if let Some(known) = self.loaded_by_path.get(&opened.path) {
            return Ok(known.clone());
        }
        let path = opened.path.clone();
        let loaded = match (self.load(opened), &mut self.session) {
            (Err(failure), Some(session)) => match session.last_valid.get(&path) {
                Some(last) => {
                    session.failures.push(failure);
                    last.clone()
                }
                None => return Err(failure),
            },
            (loaded, _) => Rc::new(loaded?),
        };
        self.loaded_by_path.insert(path, loaded.clone());
        Ok(loaded)
    }

    fn load(&mut self, opened: ConfigFile) -> Result<Loaded, LoadError> {
        let path = opened.path.clone();
        let text = match String::from_utf8(opened.read()?) {
            Ok(text) => text,
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let error = ConfigError {
                    message: "the file is not UTF-8".into(),
                    help: None,
                    span: at..at,
                };
                return Err(LoadError::Invalid { path, text, errors: vec![error] });
            }
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let load = |named: &str| {
            let folder = folder.join(named);
            if let Some(session) = &mut self.session {
                session.stamps.record_rules(&folder);
            }
            load_custom_rules(&folder)
        };
        let config = match read(&text, &self.flag_rules, load) {
            Ok(config) => config,
            Err(errors) => return Err(LoadError::Invalid { path, text, errors }),
        };
        let base = real_folder(folder).unwrap_or_default();
        Ok(Loaded { path, text, config, base })
    }

    /// Whether a file or folder that the session depends on has changed.
    pub fn is_outdated(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.stamps.is_outdated())
    }

    /// Records the current state of these files and folders.
    pub fn update_stamps(&mut self) {
        if let Some(session) = &mut self.session {
            session.stamps.update();
        }
    }

    /// Returns the errors, since the last call, in configurations whose earlier version is still in
    /// effect.
    pub fn take_failures(&mut self) -> Vec<LoadError> {
        self.session.as_mut().map_or_else(Vec::new, |session| std::mem::take(&mut session.failures))
    }
}
