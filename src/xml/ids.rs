//! Sets and maps keyed by [`ElementId`].

use super::ElementId;

/// A set of elements.
pub type ElementSet = foldhash::HashSet<ElementId>;

/// A map keyed by elements.
pub type ElementMap<V> = foldhash::HashMap<ElementId, V>;
