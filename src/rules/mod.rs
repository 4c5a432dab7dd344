//! The rules: data in `rules/*.toml`, checks by kind in [`check`], what is too odd for data in
//! [`code`].

pub mod check;
pub mod code;
mod conditions;
mod declarative_fix;
pub mod docs;
mod environment;
mod examples;
mod file;
pub mod finding;
mod format;
mod other_sources;
pub mod path;
mod registry;
pub mod risk;
pub mod schema;
pub mod select;
pub mod selector_trie;
pub mod symptom;
pub(crate) mod template;

pub use file::{RuleError, parse};
pub use schema::Rule;
pub use symptom::Symptom;

use crate::domain::Domain;
use crate::xml::{ElementSet, XmlErrorKind};

/// The built-in rules, in the order in which they are asked: written by the build script from
/// `rules/*.toml`.
pub fn builtin() -> &'static [Rule] {
    BUILTIN
}

/// The built-in rules about the host, by id: written by the build script from `rules/host/*.toml`.
pub fn of_host() -> &'static [Rule] {
    OF_HOST
}

/// The symptoms, by id: written by the build script from `rules/symptoms/*.toml`.
pub fn symptoms() -> &'static [Symptom] {
    SYMPTOMS
}

mod table {
    use std::borrow::Cow;

    use super::path::{Axis, Condition, Name, Path, Selector, Step, Value};
    use super::schema::*;
    use super::selector_trie::TrieNode;
    use super::symptom::{Symptom, SymptomMessage};
    use crate::edit::Applicability;
    #[allow(unused_imports, reason = "which of these are used depends on the rules")]
    use crate::version::{Version, VersionRange};

    pub(super) static BUILTIN: &[Rule] = include!(concat!(env!("OUT_DIR"), "/rules.rs"));
    pub(super) static OF_HOST: &[Rule] = include!(concat!(env!("OUT_DIR"), "/host.rs"));
    pub(super) static SYMPTOMS: &[Symptom] = include!(concat!(env!("OUT_DIR"), "/symptoms.rs"));
    pub(super) static SELECTOR_TRIE: &[TrieNode] =
        include!(concat!(env!("OUT_DIR"), "/selector_trie.rs"));
    const UNREADABLE: [usize; 2] = include!(concat!(env!("OUT_DIR"), "/unreadable.rs"));
    pub(super) static WELL_FORMED: &Rule = &BUILTIN[UNREADABLE[0]];
    pub(super) static DOMAIN: &Rule = &BUILTIN[UNREADABLE[1]];
}
use table::{BUILTIN, OF_HOST, SELECTOR_TRIE, SYMPTOMS};

/// The rule that speaks of a text which can't be read.
pub fn rule_for_xml_error(unreadable: XmlErrorKind) -> &'static Rule {
    match unreadable {
        XmlErrorKind::NotWellFormed => table::WELL_FORMED,
        XmlErrorKind::NotADomain => table::DOMAIN,
    }
}

/// The rules of one run.
#[derive(Clone, Debug)]
pub struct RuleSet<'r> {
    /// Those that are asked, in order.
    pub active: Vec<&'r Rule>,
    /// Those that nobody switched off: what a new vGPU gets, even where only one rule is asked.
    pub wanted: Vec<&'r Rule>,
    /// All that there are.
    pub known: Vec<&'r Rule>,
}

impl<'r> RuleSet<'r> {
    /// All of these rules.
    pub fn all(rules: impl IntoIterator<Item = &'r Rule>) -> Self {
        let mut active: Vec<&'r Rule> = rules.into_iter().collect();
        // The built-in ones are in order.
        if !active.is_sorted_by_key(|rule| (rule.phase(), &rule.id)) {
            active.sort_by_key(|rule| (rule.phase(), &rule.id));
        }
        RuleSet { known: active.clone(), wanted: active.clone(), active }
    }

    /// Only those that one of these names means (none: all), without those that one of the others
    /// means.
    ///
    /// # Errors
    /// A name that no rule and no group has, with the nearest one that there is.
    pub fn narrow(&mut self, only: &[String], ignore: &[String]) -> Result<(), String> {
        for name in only.iter().chain(ignore) {
            if !self.known.iter().any(|rule| rule.matches_name(name)) {
                return Err(unknown(name, &self.known));
            }
        }
        let means =
            |names: &[String], rule: &Rule| names.iter().any(|name| rule.matches_name(name));
        self.wanted.retain(|rule| !means(ignore, rule));
        self.active.retain(|rule| !means(ignore, rule) && (only.is_empty() || means(only, rule)));
        Ok(())
    }
}

impl Rule {
    /// Whether a name is this rule's, one that it had before, or its group's.
    pub fn matches_name(&self, name: &str) -> bool {
        self.is_named(name) || self.group.name() == name
    }

    /// Whether a name is this rule's, or one that it had before.
    pub fn is_named(&self, name: &str) -> bool {
        self.id == name || self.aliases.iter().any(|alias| alias == name)
    }

    /// The names that mean this rule: its own, those that it had before, and its group's.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.id)
            .chain(self.aliases.iter().map(|alias| &**alias))
            .chain([self.group.name()])
    }
}

impl schema::Group {
    /// The word that rule files and flags use.
    pub fn name(self) -> &'static str {
        match self {
            schema::Group::Display => "display",
            schema::Group::Vgpu => "vgpu",
            schema::Group::Namespace => "namespace",
            schema::Group::Qemu => "qemu",
            schema::Group::Domain => "domain",
            schema::Group::Host => "host",
        }
    }
}

/// The message for a name that no rule and no group has.
pub fn unknown(name: &str, rules: &[&Rule]) -> String {
    match closest_match(name, rules.iter().flat_map(|rule| [&*rule.id, rule.group.name()])) {
        Some(id) => format!("there is no rule '{name}'; did you mean '{id}'?"),
        None => format!("there is no rule '{name}'; `gvtg-xml explain` lists them"),
    }
}

/// The one of these names that is spelt most like another, if it is at all: to be asked for, not to
/// be taken.
pub fn closest_match<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let likeness = |other: &str| strsim::jaro_winkler(name, other);
    names
        .filter(|other| likeness(other) > 0.8)
        .max_by(|left, right| likeness(left).total_cmp(&likeness(right)))
}

/// The rule's or group's name that somebody meant who wrote another one: at most two letters are
/// wrong, one of three, and no second name is as near.
pub fn nearest<'r>(name: &str, rules: &[&'r Rule]) -> Option<&'r str> {
    let names = rules.iter().flat_map(|rule| [&*rule.id, rule.group.name()]);
    // Whoever is off by more in length is off by more in letters.
    let near = names.filter(|known| known.len().abs_diff(name.len()) <= 2);
    let mut near: Vec<(usize, &str)> =
        near.map(|known| (strsim::osa_distance(name, known), known)).collect();
    near.retain(|(far, _)| *far <= 2 && far * 3 <= name.len());
    near.sort();
    near.dedup();
    match near[..] {
        [(_, only)] => Some(only),
        [(first, only), (second, _), ..] if first < second => Some(only),
        _ => None,
    }
}

/// What a check sees.
pub struct Context<'c, 'd> {
    /// The domain.
    pub domain: &'c Domain<'d>,
    /// The document, for selectors.
    pub search: &'c select::Search<'c, 'd>,
    /// The rules of this run.
    pub rules: &'c RuleSet<'c>,
    /// The elements that earlier findings' fixes remove in this run.
    pub removed: &'c ElementSet,
    /// Whether anybody looks at the changes of a fix, and not only at whether there are any:
    /// working them out costs.
    pub wants_changes: bool,
}
