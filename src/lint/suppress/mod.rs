//! Matches a document's suppressions to findings. [`Suppression`] is a suppression as it is written
//! in the document.

use crate::domain::{Domain, Suppression};
use crate::rules::finding::SuppressionState;
use crate::rules::schema::Check;
use crate::rules::{Rule, nearest};
use foldhash::{HashMap, HashMapExt, HashSet};

mod faults;
mod scopes;
mod write;

pub use faults::reportable_names;
use scopes::{Scope, Scopes};
pub use write::{SuppressionStyle, edits};

/// The suppressions of a document. Records which of them are used.
pub struct Suppressions<'c, 'd> {
    domain: &'c Domain<'d>,
    all: &'c [Suppression<'d>],
    /// Keyed by the name of a rule or a group.
    by_name: HashMap<&'c str, Scopes>,
    /// Names that are not those of a rule or group, each with the name that was probably meant.
    unknown: HashMap<&'c str, Option<&'c str>>,
}

/// A name in a suppression: the indices of the suppression and of the name in it.
type NamePlace = (usize, usize);

/// Maximum number of different unknown names for which a similar name is searched.
const MAX_TYPO_LOOKUPS: usize = 1_000;

impl<'c, 'd> Suppressions<'c, 'd> {
    /// Reads the suppressions of a domain's document; `known` are the rules that they may name.
    pub fn new(domain: &'c Domain<'d>, known: &[&'c Rule]) -> Self {
        let all = domain.suppressions();
        let mut suppressions =
            Suppressions { domain, all, by_name: HashMap::new(), unknown: HashMap::new() };
        if !all.is_empty() {
            suppressions.read(known);
        }
        suppressions
    }

    fn read(&mut self, known: &[&'c Rule]) {
        let names: HashSet<&str> = known.iter().flat_map(|rule| rule.names()).collect();
        let mut scopes: HashMap<&'c str, Vec<Scope>> = HashMap::new();
        for (index, suppression) in self.all.iter().enumerate() {
            let is_valid = suppression.error.is_none() && !suppression.reason.is_empty();
            for place in 0..suppression.names.len() {
                let name = self.name((index, place));
                let (name, valid_suppression) = if names.contains(name) {
                    (Some(name), is_valid.then_some(index))
                } else {
                    // An unreadable suppression may have any word in place of a name.
                    let may_be_misspelled =
                        suppression.error.is_none() && self.unknown.len() < MAX_TYPO_LOOKUPS;
                    let near = || if may_be_misspelled { nearest(name, known) } else { None };
                    (*self.unknown.entry(name).or_insert_with(near), None)
                };
                if let Some(name) = name {
                    scopes.entry(name).or_default().push(Scope::new(
                        suppression.scope.clone(),
                        valid_suppression,
                        (index, place),
                    ));
                }
            }
        }
        self.by_name =
            scopes.into_iter().map(|(name, scopes)| (name, Scopes::new(scopes))).collect();
    }

    /// Returns the text of a name.
    fn name(&self, (index, place): NamePlace) -> &'c str {
        let text: &'c str = self.domain.document.text();
        &text[self.all[index].names[place].clone()]
    }

    /// Whether the document has no suppressions.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Returns whether the document suppresses a rule's finding that begins at this byte, and marks
    /// the matching suppressions as used. A finding about a suppression can only be suppressed by
    /// its rule's name: a group's suppression could otherwise count as used by hiding that it is
    /// unused.
    pub fn state_of(&mut self, rule: &Rule, at: usize) -> SuppressionState {
        let mut state = SuppressionState::Open;
        if self.by_name.is_empty() {
            return state;
        }
        let is_about_suppressions = matches!(rule.check, Check::Suppression { .. });
        for name in rule.names().filter(|name| !is_about_suppressions || *name != rule.group.name())
        {
            for scope in
                self.by_name.get_mut(name).into_iter().flat_map(|scopes| scopes.containing(at))
            {
                match (scope.valid_suppression, &state) {
                    (Some(index), SuppressionState::Open | SuppressionState::Doubtful) => {
                        state = SuppressionState::Suppressed(self.all[index].reason.clone())
                    }
                    (None, SuppressionState::Open) => state = SuppressionState::Doubtful,
                    _ => {}
                }
            }
        }
        state
    }
}
