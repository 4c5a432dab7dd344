//! What is in force for each file of a run: the flags, and the configuration that is nearest to the file.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use uuid::Uuid;

use super::files::Input;
use super::flags::{ColorChoice, ConfigArgs};
use super::{io, rules};
use crate::config::merge::{InForce, merge};
use crate::config::search::{Opened, Trusted, folder_of, nearest, open};
use crate::config::{Choices, Config, ConfigError, read};
use crate::printable::clean;
use crate::report::Full;
use crate::rules::{Rule, RuleSet};
use crate::source::Source;

/// The configurations of a run, each read once.
pub(super) struct Configs<'a> {
    args: &'a ConfigArgs,
    flags: Choices,
    uuid: Option<Uuid>,
    color: ColorChoice,
    /// The rules of `--rules`.
    own: &'static [Rule],
    /// What was read, by path.
    read: HashMap<PathBuf, Rc<Config>>,
    /// What is in force in a folder, as it was named.
    in_folders: HashMap<PathBuf, Rc<InForce>>,
}

impl<'a> Configs<'a> {
    /// None is read yet.
    ///
    /// # Errors
    /// Those of `--rules`.
    pub(super) fn new(args: &'a ConfigArgs, flags: Choices, uuid: Option<Uuid>, color: ColorChoice) -> Result<Self, String> {
        let own = match &flags.site_rules {
            Some(folder) => rules::load(folder)?,
            None => &[],
        };
        Ok(Configs { args, flags, uuid, color, own, read: HashMap::new(), in_folders: HashMap::new() })
    }

    /// What is in force for each of these, the name of stdin finding its configuration, and all the rules that are asked.
    ///
    /// # Errors
    /// A configuration that can't be used: what is wrong in it is said before.
    pub(super) fn of_inputs(
        &mut self,
        inputs: &[Input],
        stdin_filename: Option<&str>,
    ) -> Result<(Vec<Rc<InForce>>, RuleSet<'static>), String> {
        let document = |input: &'_ Input| match input.path.as_os_str() == "-" {
            true => PathBuf::from(stdin_filename.unwrap_or("")),
            false => input.path.clone(),
        };
        let all: Vec<_> = inputs.iter().map(|input| self.of_document(&document(input))).collect::<Result<_, _>>()?;
        let asked = if all.is_empty() { self.of_document(Path::new(""))?.rules.clone() } else { asked(&all) };
        Ok((all, asked))
    }

    /// What is in force for a document; for an empty path, in the current folder.
    ///
    /// # Errors
    /// Those of [`Configs::of_inputs`].
    fn of_document(&mut self, document: &Path) -> Result<Rc<InForce>, String> {
        let named = document.parent().unwrap_or(Path::new("")).to_owned();
        if let Some(known) = self.in_folders.get(&named) {
            return Ok(known.clone());
        }
        let config = self.config(document)?;
        let mut in_force = merge(&self.flags, config.as_deref(), self.rules(config.as_deref())).map_err(|message| clean(&message))?;
        in_force.settings.uuid = self.uuid;
        let in_force = Rc::new(in_force);
        self.in_folders.insert(named, in_force.clone());
        Ok(in_force)
    }

    /// The rules that there are: `--rules` stands in the place of a configuration's.
    fn rules(&self, config: Option<&Config>) -> impl Iterator<Item = &'static Rule> + use<> {
        let of_config = config.map_or(&[][..], |config| config.site_rules);
        rules::merged(if self.flags.site_rules.is_some() { self.own } else { of_config })
    }

    /// The configuration that counts for a document.
    fn config(&mut self, document: &Path) -> Result<Option<Rc<Config>>, String> {
        let opened = match &self.args.config {
            _ if self.args.isolated => None,
            Some(path) => Some(open(path)?),
            None => {
                let Some(folder) = folder_of(document) else { return Ok(None) };
                let search = nearest(&folder, Trusted::of_process(std::env::var_os("SUDO_UID")))?;
                search.passed_over.iter().for_each(|message| io::complain(message));
                search.found
            }
        };
        let Some(opened) = opened else { return Ok(None) };
        if let Some(known) = self.read.get(&opened.path) {
            return Ok(Some(known.clone()));
        }
        let path = opened.path.clone();
        let config = Rc::new(self.parse(&path, opened)?);
        self.read.insert(path, config.clone());
        Ok(Some(config))
    }

    fn parse(&self, path: &Path, opened: Opened) -> Result<Config, String> {
        let name = clean(&path.display().to_string());
        let bytes = opened.read()?;
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let text = String::from_utf8_lossy(error.as_bytes());
                let at = error.utf8_error().valid_up_to();
                let error = ConfigError { message: "this is not UTF-8".into(), help: None, span: at..at };
                return Err(self.say(&name, &text, &[error]));
            }
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let load = |named: &str| rules::load(&folder.join(named));
        read(&text, self.own, load).map_err(|errors| self.say(&name, &text, &errors))
    }

    /// Says what is wrong in a configuration, and gives the last line about it.
    fn say(&self, name: &str, text: &str, errors: &[ConfigError]) -> String {
        let source = Source::new(name, text);
        let report = Full::new(io::use_color(self.color, std::io::stderr().is_terminal()));
        for error in errors {
            io::report(&report.error(&source, error.span.clone(), &error.message, error.help.as_deref()));
        }
        let count = if errors.len() == 1 { "an error".to_owned() } else { format!("{} errors", errors.len()) };
        format!("{name}: {count} in the configuration, so nothing was done (--isolated goes on without it)")
    }
}

/// The rules that are asked of any of these.
fn asked(all: &[Rc<InForce>]) -> RuleSet<'static> {
    let mut rules: Vec<&'static Rule> = Vec::new();
    let mut seen: Option<&Rc<InForce>> = None;
    for in_force in all {
        // Nearly always it is the same for all files.
        if seen.is_some_and(|seen| Rc::ptr_eq(seen, in_force)) {
            continue;
        }
        seen = Some(in_force);
        let new = in_force.rules.active.iter().filter(|rule| !rules.iter().any(|known| known.id == rule.id));
        let new: Vec<_> = new.copied().collect();
        rules.extend(new);
    }
    RuleSet::all(rules)
}
