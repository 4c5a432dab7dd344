//! The configurations of a run, and what is in force for each document.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use uuid::Uuid;

use super::custom_rules;
use super::error::LoadError;
use super::merge::merge;
use super::model::ConfigError;
use super::partial::PartialConfig;
use super::read::read;
use super::resolved::{Loaded, ResolvedConfig};
use super::search::{ConfigFile, NAME, TrustedOwners, nearest, open, real_folder};
use super::watch::FileStamps;
use crate::rules::Rule;
use crate::sanitize::clean;

/// Where configurations come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The nearest one, in the document's folder or above.
    Nearest,
    /// This one for all documents.
    Named(PathBuf),
    /// There is none.
    Nowhere,
}

/// The configurations of a run, each read once.
pub struct Configs {
    origin: Origin,
    flags: PartialConfig,
    uuid: Option<Uuid>,
    /// The rules of `--rules`.
    own: &'static [Rule],
    /// What was passed over, and why, in words for the user.
    pub passed_over: Vec<String>,
    read: HashMap<PathBuf, Rc<Loaded>>,
    /// Each folder by its name, as the kernel sees it.
    folders: HashMap<PathBuf, Option<PathBuf>>,
    /// The configuration for each folder, as the kernel sees it.
    nearest: HashMap<PathBuf, Option<Rc<Loaded>>>,
    found: Vec<ResolvedConfig>,
    session: Option<Session>,
}

/// What a session keeps beside them.
#[derive(Default)]
struct Session {
    /// What is to be looked at to know whether something has changed.
    seen: FileStamps,
    /// What was read before something changed, by path: it goes on to hold where the new one can't
    /// be used.
    last: HashMap<PathBuf, Rc<Loaded>>,
    /// What can't be used though something is in force.
    failures: Vec<LoadError>,
}

impl Configs {
    /// None is read yet.
    ///
    /// # Errors
    /// Those of the rules that the flags name.
    pub fn new(
        origin: Origin,
        flags: PartialConfig,
        uuid: Option<Uuid>,
    ) -> Result<Self, LoadError> {
        Configs::start(origin, flags, uuid, None)
    }

    /// Those of a session, which remembers what it read of them `before`. Where one can't be used
    /// any more, what it said before goes on to hold.
    ///
    /// # Errors
    /// Those of [`Configs::new`].
    pub fn of_session(
        origin: Origin,
        flags: PartialConfig,
        before: Option<&Configs>,
    ) -> Result<Self, LoadError> {
        let mut session = Session::default();
        if let Some(before) = before {
            session.last =
                before.session.as_ref().map_or_else(HashMap::new, |session| session.last.clone());
            session
                .last
                .extend(before.read.iter().map(|(path, loaded)| (path.clone(), loaded.clone())));
        }
        Configs::start(origin, flags, None, Some(session))
    }

    fn start(
        origin: Origin,
        flags: PartialConfig,
        uuid: Option<Uuid>,
        mut session: Option<Session>,
    ) -> Result<Self, LoadError> {
        if let (Some(session), Some(folder)) = (&mut session, &flags.site_rules) {
            session.seen.note_rules(folder);
        }
        let own = flags.site_rules.as_deref().map_or(Ok(&[][..]), custom_rules::load)?;
        Ok(Configs {
            origin,
            flags,
            uuid,
            own,
            passed_over: Vec::new(),
            read: HashMap::new(),
            folders: HashMap::new(),
            nearest: HashMap::new(),
            found: Vec::new(),
            session,
        })
    }

    /// What is in force for a document.
    ///
    /// # Errors
    /// A configuration that can't be used.
    pub fn find(&mut self, document: &Path) -> Result<ResolvedConfig, LoadError> {
        self.find_in(document.parent().unwrap_or(Path::new("")), document.file_name())
    }

    /// What is in force in a folder for a document of this name; without one, for all that no
    /// override is about.
    ///
    /// # Errors
    /// A configuration that can't be used.
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
        let file = folder.zip(name).map(|(folder, name)| folder.join(name));
        let overrides =
            loaded.as_ref().map_or(Vec::new(), |loaded| loaded.overrides_for(file.as_deref()));
        let is_same = |found: &&ResolvedConfig| {
            let same = match (&found.loaded, &loaded) {
                (Some(one), Some(other)) => Rc::ptr_eq(one, other),
                (one, other) => one.is_none() && other.is_none(),
            };
            same && found.overrides == overrides
        };
        if let Some(found) = self.found.iter().find(is_same) {
            return Ok(found.clone());
        }
        let sections = loaded.as_ref().map_or(Vec::new(), |loaded| loaded.sections(&overrides));
        let mut in_force =
            merge(&self.flags, &sections, custom_rules::merged(self.rules(loaded.as_deref())))
                .map_err(|message| clean(&message).into_owned())?;
        in_force.settings.uuid = self.uuid;
        let found = ResolvedConfig { in_force: Arc::new(in_force), overrides, loaded };
        self.found.push(found.clone());
        Ok(found)
    }

    /// A site's own rules: those that the flags name stand in the place of a configuration's.
    pub fn rules(&self, loaded: Option<&Loaded>) -> &'static [Rule] {
        if self.flags.site_rules.is_some() {
            self.own
        } else {
            loaded.map_or(&[], |loaded| loaded.config.site_rules)
        }
    }

    fn real_folder(&mut self, named: &Path) -> Option<PathBuf> {
        if let Some(known) = self.folders.get(named) {
            return known.clone();
        }
        let real = real_folder(named);
        self.folders.insert(named.to_owned(), real.clone());
        real
    }

    /// The configuration for a folder, as the kernel sees it.
    fn loaded(&mut self, folder: Option<&Path>) -> Result<Option<Rc<Loaded>>, LoadError> {
        if let Some(session) = &mut self.session {
            match (&self.origin, folder) {
                (Origin::Named(path), _) => session.seen.note(path),
                (Origin::Nearest, Some(folder)) => {
                    folder.ancestors().for_each(|folder| session.seen.note(&folder.join(NAME)))
                }
                _ => {}
            }
        }
        let opened = match (&self.origin, folder) {
            (Origin::Nowhere, _) | (Origin::Nearest, None) => None,
            (Origin::Named(path), _) => match self.read.get(path) {
                Some(known) => return Ok(Some(known.clone())),
                None => Some(open(path)?),
            },
            (Origin::Nearest, Some(folder)) => {
                if let Some(known) = self.nearest.get(folder) {
                    return Ok(known.clone());
                }
                let search =
                    nearest(folder, TrustedOwners::of_process(std::env::var_os("SUDO_UID")))?;
                self.passed_over.extend(search.passed_over);
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

    /// What a configuration says, read once. In a session, what it said before stands in for what
    /// can't be used.
    fn read(&mut self, opened: ConfigFile) -> Result<Rc<Loaded>, LoadError> {
        if let Some(known) = self.read.get(&opened.path) {
            return Ok(known.clone());
        }
        let path = opened.path.clone();
        let loaded = match (self.load(opened), &mut self.session) {
            (Err(failure), Some(session)) => match session.last.get(&path) {
                Some(last) => {
                    session.failures.push(failure);
                    last.clone()
                }
                None => return Err(failure),
            },
            (loaded, _) => Rc::new(loaded?),
        };
        self.read.insert(path, loaded.clone());
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
                return Err(LoadError::Wrong { path, text, errors: vec![error] });
            }
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let load = |named: &str| {
            let folder = folder.join(named);
            if let Some(session) = &mut self.session {
                session.seen.note_rules(&folder);
            }
            custom_rules::load(&folder)
        };
        let config = match read(&text, self.own, load) {
            Ok(config) => config,
            Err(errors) => return Err(LoadError::Wrong { path, text, errors }),
        };
        let base = real_folder(folder).unwrap_or_default();
        Ok(Loaded { path, text, config, base })
    }

    /// Whether something that was read in a session, or would have been, is something else now.
    pub fn is_outdated(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.seen.is_outdated())
    }

    /// Takes what there is for what was read.
    pub fn note_again(&mut self) {
        if let Some(session) = &mut self.session {
            session.seen.note_again();
        }
    }

    /// What could not be used though something is in force, since this was last asked.
    pub fn take_failures(&mut self) -> Vec<LoadError> {
        self.session.as_mut().map_or_else(Vec::new, |session| std::mem::take(&mut session.failures))
    }
}
