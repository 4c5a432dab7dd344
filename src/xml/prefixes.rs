//! Namespace prefixes: their meaning at a place, and which ones an element inherits.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use super::{Document, Element, ElementMap};
use foldhash::{HashMap, HashMapExt};

/// A prefix; `None` is the default namespace.
pub type Prefix<'d> = Option<&'d str>;

/// The prefixes of a document, determined on demand.
pub struct Prefixes<'d> {
    document: &'d Document<'d>,
    inherited: RefCell<ElementMap<Rc<BTreeSet<Prefix<'d>>>>>,
    first: OnceCell<HashMap<&'d str, &'d str>>,
}

impl<'d> Element<'d> {
    /// Returns the namespace of a prefix here; `None` if it has none. An undeclared `qemu:` counts
    /// as declared.
    pub fn resolve_prefix(self, prefix: Prefix<'_>) -> Option<&'d str> {
        self.node.lookup_namespace_uri(prefix).filter(|uri| !uri.is_empty())
    }
}

impl<'d> Prefixes<'d> {
    /// Creates an empty cache for this document.
    pub fn new(document: &'d Document<'d>) -> Self {
        Prefixes { document, inherited: RefCell::default(), first: OnceCell::new() }
    }

    /// Returns the prefixes that an element and its descendants inherit and that mean something
    /// else at `place`.
    pub fn changed_prefixes(&self, element: Element<'d>, place: Element<'d>) -> Vec<Prefix<'d>> {
        let Some(parent) = element.parent() else { return Vec::new() };
        let is_different =
            |prefix: &Prefix<'d>| parent.resolve_prefix(*prefix) != place.resolve_prefix(*prefix);
        let visible_prefixes = || {
            parent
                .node
                .namespaces()
                .chain(place.node.namespaces())
                .map(|namespace| namespace.name())
        };
        // Nearly all documents declare everything on their root.
        if !visible_prefixes().any(|prefix| is_different(&prefix)) {
            return Vec::new();
        }
        self.inherited_prefixes(element).iter().copied().filter(is_different).collect()
    }

    /// Returns the namespace in the first declaration of a prefix.
    pub fn first_namespace(&self, prefix: &str) -> Option<&'d str> {
        let first = self.first.get_or_init(|| {
            let mut first = HashMap::new();
            for namespace in self.document.elements().flat_map(|element| element.node.namespaces())
            {
                if let Some(name) = namespace.name() {
                    first.entry(name).or_insert(namespace.uri());
                }
            }
            first
        });
        first.get(prefix).copied()
    }

    /// Returns the prefixes that are used in an element and declared outside it.
    fn inherited_prefixes(&self, element: Element<'d>) -> Rc<BTreeSet<Prefix<'d>>> {
        if let Some(known) = self.inherited.borrow().get(&element.id()) {
            return Rc::clone(known);
        }
        let mut needed: BTreeSet<Prefix<'d>> = BTreeSet::new();
        for child in element.children() {
            needed.extend(self.inherited_prefixes(child).iter());
        }
        let (text, tag) = (self.document.text(), element.start_tag());
        needed.insert(text[tag.name.clone()].split_once(':').map(|(prefix, _)| prefix));
        let names: Vec<&str> =
            tag.attributes(text).map(|attribute| &text[attribute.name]).collect();
        let prefixed = names
            .iter()
            .filter_map(|name| name.split_once(':'))
            .filter(|(prefix, _)| !matches!(*prefix, "xmlns" | "xml"));
        needed.extend(prefixed.map(|(prefix, _)| Some(prefix)));
        for name in names {
            match name.strip_prefix("xmlns:") {
                Some(prefix) => needed.remove(&Some(prefix)),
                None if name == "xmlns" => needed.remove(&None),
                None => false,
            };
        }
        let needed = Rc::new(needed);
        self.inherited.borrow_mut().insert(element.id(), Rc::clone(&needed));
        needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::read;

    #[test]
    fn finds_prefixes_with_another_meaning_at_the_place() {
        let text = "<r xmlns:a='1' xmlns:b='2'><x xmlns:b='3' xmlns:c='4' xmlns='5'><y a:k='' xml:k=''><b:z/><c:w xmlns:c='6'/></y></x></r>";
        read(text, |document| {
            let (prefixes, root) = (Prefixes::new(document), document.root());
            let named =
                |name: &str| document.elements().find(|element| element.name() == name).unwrap();
            assert_eq!(prefixes.changed_prefixes(named("y"), root), [None, Some("b")]);
            assert_eq!(prefixes.changed_prefixes(named("y"), named("x")), []);
            assert_eq!(
                prefixes.changed_prefixes(named("w"), root),
                [],
                "it declares its own prefix"
            );
            assert_eq!(
                prefixes.changed_prefixes(named("x"), root),
                [],
                "nothing changes at its own place"
            );
            assert_eq!(
                (
                    prefixes.first_namespace("b"),
                    prefixes.first_namespace("c"),
                    prefixes.first_namespace("d")
                ),
                (Some("2"), Some("4"), None)
            );
        })
        .unwrap();
    }
}
