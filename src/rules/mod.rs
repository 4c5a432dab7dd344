//! The rules: data in `rules/*.toml`, checks by kind in [`check`], and checks that data cannot
//! express in [`code`].

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
mod path_parser;
mod registry;
pub mod risk;
mod rule_ref;
pub mod schema;
pub mod select;
#[allow(dead_code, reason = "the build script makes the trie")]
pub mod selector_trie;
#[allow(dead_code, reason = "the build script parses the symptoms")]
pub mod symptom;
pub(crate) mod template;

pub use file::{RuleError, parse};
pub use rule_ref::RuleRef;
pub use schema::Rule;
pub use symptom::Symptom;

use std::error::Error;
use std::fmt;

use crate::domain::Domain;
use crate::xml::{ElementSet, XmlErrorKind};

/// Returns the built-in rules in the order in which they run. The build script generates them from
/// `rules/*.toml`.
pub fn builtin() -> &'static [Rule] {
    BUILTIN
}

/// Returns the built-in rules about the host, sorted by id. The build script generates them from
/// `rules/host/*.toml`.
pub fn of_host() -> &'static [Rule] {
    OF_HOST
}

/// Returns the symptoms, sorted by id. The build script generates them from
/// `rules/symptoms/*.toml`.
pub fn symptoms() -> &'static [Symptom] {
    SYMPTOMS
}

mod table {
    use std::borrow::Cow;

    use super::path::{Axis, Condition, Name, Path, Selector, Step, Value};
    use super::schema::*;
    use super::selector_trie::TrieNode;
    use super::symptom::{Symptom, SymptomMessage};
    use crate::text::Applicability;
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

/// Returns the rule that reports unreadable input.
pub fn rule_for_xml_error(unreadable: XmlErrorKind) -> &'static Rule {
    match unreadable {
        XmlErrorKind::NotWellFormed => table::WELL_FORMED,
        XmlErrorKind::NotADomain => table::DOMAIN,
    }
}

/// The rules of one run.
#[derive(Clone, Debug)]
pub struct RuleSet<'r> {
    /// The rules to run, sorted by phase.
    pub active: Vec<&'r Rule>,
    /// The enabled rules, even when `--only` narrows the active ones; they decide what a new vGPU
    /// gets.
    pub wanted: Vec<&'r Rule>,
    /// All rules, including disabled ones.
    pub known: Vec<&'r Rule>,
}

impl<'r> RuleSet<'r> {
    /// Creates a set in which all of these rules are active.
    pub fn all(rules: impl IntoIterator<Item = &'r Rule>) -> Self {
        let mut active: Vec<&'r Rule> = rules.into_iter().collect();
        // The built-in rules are already in order.
        if !active.is_sorted_by_key(|rule| (rule.phase(), &rule.id)) {
            active.sort_by_key(|rule| (rule.phase(), &rule.id));
        }
        RuleSet { known: active.clone(), wanted: active.clone(), active }
    }

    /// Keeps only the rules that `only` names (all if it is empty), without those that `ignore`
    /// names. Names are rule ids, aliases or groups.
    ///
    /// # Errors
    /// Returns an error with a suggestion if a name is neither a rule's nor a group's.
    pub fn narrow(&mut self, only: &[String], ignore: &[String]) -> Result<(), UnknownRuleError> {
        for name in only.iter().chain(ignore) {
            if !self.known.iter().any(|rule| rule.matches_name(name)) {
                return Err(UnknownRuleError::new(name, &self.known));
            }
        }
        let is_named_by =
            |names: &[String], rule: &Rule| names.iter().any(|name| rule.matches_name(name));
        self.wanted.retain(|rule| !is_named_by(ignore, rule));
        self.active.retain(|rule| {
            !is_named_by(ignore, rule) && (only.is_empty() || is_named_by(only, rule))
        });
        Ok(())
    }
}

impl Rule {
    /// Whether this is the rule's id, a former id, or its group's name.
    pub fn matches_name(&self, name: &str) -> bool {
        self.is_named(name) || self.group.name() == name
    }

    /// Whether this is the rule's id or a former id.
    pub fn is_named(&self, name: &str) -> bool {
        self.id == name || self.aliases.iter().any(|alias| alias == name)
    }

    /// Returns the rule's id, its former ids, and its group's name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.id)
            .chain(self.aliases.iter().map(|alias| &**alias))
            .chain([self.group.name()])
    }
}

impl schema::Group {
    /// Returns the group's name in rule files and flags.
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

/// A name that is neither a rule's nor a group's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRuleError {
    name: String,
    /// The most similar name of a rule or group.
    suggestion: Option<String>,
}

impl UnknownRuleError {
    /// Creates the error, with a suggestion from the names of these rules.
    pub fn new(name: &str, rules: &[&Rule]) -> Self {
        let names = rules.iter().flat_map(|rule| [&*rule.id, rule.group.name()]);
        let suggestion = closest_match(name, names).map(str::to_owned);
        UnknownRuleError { name: name.to_owned(), suggestion }
    }
}

impl fmt::Display for UnknownRuleError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UnknownRuleError { name, suggestion } = self;
        match suggestion {
            Some(id) => write!(formatter, "there is no rule '{name}'; did you mean '{id}'?"),
            None => {
                write!(formatter, "there is no rule '{name}'; `gvtg-xml explain` lists them")
            }
        }
    }
}

impl Error for UnknownRuleError {}

#[cfg(feature = "cli")]
impl miette::Diagnostic for UnknownRuleError {}

/// Returns the most similar of these names, or `None` if none is similar enough to be suggested.
/// Too fuzzy to be used without asking.
pub fn closest_match<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let similarity = |candidate: &str| strsim::jaro_winkler(name, candidate);
    names
        .filter(|candidate| similarity(candidate) > 0.8)
        .max_by(|left, right| similarity(left).total_cmp(&similarity(right)))
}

/// Returns the rule id or group name that a misspelled name most likely stands for: at most two
/// edits away, and at most one edit per three letters. `None` if two names are equally close.
pub fn nearest<'r>(name: &str, rules: &[&'r Rule]) -> Option<&'r str> {
    let names = rules.iter().flat_map(|rule| [&*rule.id, rule.group.name()]);
    // The edit distance is at least the difference in length.
    let candidates = names.filter(|candidate| candidate.len().abs_diff(name.len()) <= 2);
    let mut candidates: Vec<(usize, &str)> =
        candidates.map(|candidate| (strsim::osa_distance(name, candidate), candidate)).collect();
    candidates.retain(|(distance, _)| *distance <= 2 && distance * 3 <= name.len());
    candidates.sort();
    candidates.dedup();
    match candidates[..] {
        [(_, only)] => Some(only),
        [(first, only), (second, _), ..] if first < second => Some(only),
        _ => None,
    }
}

/// The input of a check.
#[derive(Clone, Copy)]
pub struct Context<'c, 'd, 'r> {
    /// The rule of the check.
    pub rule: &'r Rule,
    /// The domain.
    pub domain: &'c Domain<'d>,
    /// The document, for selectors.
    pub search: &'c select::Search<'c, 'd>,
    /// The rules of this run.
    pub rules: &'c RuleSet<'c>,
    /// The elements that fixes of earlier findings in this run remove.
    pub removed: &'c ElementSet,
    /// Whether the caller uses the changes of a fix, and not only whether there are any; computing
    /// them is expensive.
    pub wants_changes: bool,
}
