//! Which findings a document says are to be ignored. [`Ignore`] is what it says; here that is held
//! against what is found.

use crate::domain::{Domain, Ignore};
use crate::rules::schema::Check;
use crate::rules::{Rule, nearest};
use foldhash::{HashMap, HashMapExt, HashSet};

mod lints;
mod scopes;
mod write;

pub use lints::judged;
use scopes::{Scope, Scopes};
pub use write::{SuppressionStyle, edits};

/// What a document says of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SuppressionState {
    /// Nothing.
    Open,
    /// It seems that the finding is to be ignored, but what says so is at fault: the finding
    /// counts, and its fix may lose something that the user wants.
    Doubtful,
    /// It is to be ignored, for this reason.
    Suppressed(String),
}

impl SuppressionState {
    /// Why the finding is to be ignored; None for one that counts.
    pub fn reason(&self) -> Option<&str> {
        match self {
            SuppressionState::Suppressed(reason) => Some(reason),
            SuppressionState::Open | SuppressionState::Doubtful => None,
        }
    }
}

/// What a document says is to be ignored, as it is held against findings one by one.
pub struct Suppressions<'c, 'd> {
    domain: &'c Domain<'d>,
    ignores: &'c [Ignore<'d>],
    /// By the name of a rule or a group.
    by_name: HashMap<&'c str, Scopes>,
    /// Names that no rule and no group has, with the one that is meant, if that is plain.
    unknown: HashMap<&'c str, Option<&'c str>>,
}

/// A name among those of an ignore: places in both lists.
type NamePlace = (usize, usize);

/// For so many different names that no rule has, the one that is meant is looked for; in a document
/// with more, for none of the others.
const MAX_TYPO_LOOKUPS: usize = 1_000;

impl<'c, 'd> Suppressions<'c, 'd> {
    /// What a domain's document says, by the names of these rules.
    pub fn new(domain: &'c Domain<'d>, known: &[&'c Rule]) -> Self {
        let ignores = domain.ignores();
        let mut suppressions =
            Suppressions { domain, ignores, by_name: HashMap::new(), unknown: HashMap::new() };
        if !ignores.is_empty() {
            suppressions.read(known);
        }
        suppressions
    }

    fn read(&mut self, known: &[&'c Rule]) {
        let names: HashSet<&str> = known.iter().flat_map(|rule| rule.names()).collect();
        let mut scopes: HashMap<&'c str, Vec<Scope>> = HashMap::new();
        for (index, ignore) in self.ignores.iter().enumerate() {
            let is_sound = ignore.fault.is_none() && !ignore.reason.is_empty();
            for place in 0..ignore.names.len() {
                let name = self.name((index, place));
                let (name, reason) = if names.contains(name) {
                    (Some(name), is_sound.then_some(index))
                } else {
                    // In what can't be read any word may stand there.
                    let may_be_meant =
                        ignore.fault.is_none() && self.unknown.len() < MAX_TYPO_LOOKUPS;
                    let near = || if may_be_meant { nearest(name, known) } else { None };
                    (*self.unknown.entry(name).or_insert_with(near), None)
                };
                if let Some(name) = name {
                    scopes.entry(name).or_default().push(Scope::new(
                        ignore.scope.clone(),
                        reason,
                        (index, place),
                    ));
                }
            }
        }
        self.by_name =
            scopes.into_iter().map(|(name, scopes)| (name, Scopes::new(scopes))).collect();
    }

    /// The name that stands at a place.
    fn name(&self, (index, place): NamePlace) -> &'c str {
        let text: &'c str = self.domain.document.text();
        &text[self.ignores[index].names[place].clone()]
    }

    /// Whether the document says nothing about findings.
    pub fn is_empty(&self) -> bool {
        self.ignores.is_empty()
    }

    /// What the document says of a rule's finding that begins at this byte. Whatever says that it
    /// is to be ignored counts as used. What is wrong with an ignore can be ignored by its own
    /// rule's name alone, or groups of rules would be of use by hiding that they are of none.
    pub fn verdict(&mut self, rule: &Rule, at: usize) -> SuppressionState {
        let mut verdict = SuppressionState::Open;
        if self.by_name.is_empty() {
            return verdict;
        }
        let is_about_ignores = matches!(rule.check, Check::Ignore { .. });
        for name in rule.names().filter(|name| !is_about_ignores || *name != rule.group.name()) {
            for scope in self.by_name.get_mut(name).into_iter().flat_map(|scopes| scopes.around(at))
            {
                match (scope.reason, &verdict) {
                    (Some(ignore), SuppressionState::Open | SuppressionState::Doubtful) => {
                        verdict = SuppressionState::Suppressed(self.ignores[ignore].reason.clone())
                    }
                    (None, SuppressionState::Open) => verdict = SuppressionState::Doubtful,
                    _ => {}
                }
            }
        }
        verdict
    }
}
