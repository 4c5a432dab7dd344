//! References to rules.

use std::ops::Deref;
use std::sync::Arc;

use super::Rule;

/// A rule that is borrowed, like the built-in ones, or shared, like custom rules.
#[derive(Clone, Debug)]
pub enum RuleRef<'r> {
    /// A borrowed rule.
    Borrowed(&'r Rule),
    /// A shared rule.
    Shared(Arc<Rule>),
}

impl Deref for RuleRef<'_> {
    type Target = Rule;

    fn deref(&self) -> &Rule {
        match self {
            RuleRef::Borrowed(rule) => rule,
            RuleRef::Shared(rule) => rule,
        }
    }
}

impl<'r> From<&'r Rule> for RuleRef<'r> {
    fn from(rule: &'r Rule) -> Self {
        RuleRef::Borrowed(rule)
    }
}

impl From<Rule> for RuleRef<'_> {
    fn from(rule: Rule) -> Self {
        RuleRef::Shared(Arc::new(rule))
    }
}
