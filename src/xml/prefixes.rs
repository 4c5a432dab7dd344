//! Prefixes: what they stand for at a place, and which of them an element needs from around it.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use super::{Document, Element, ElementMap};
use foldhash::{HashMap, HashMapExt};

/// A prefix; None stands for the default namespace, of elements without one.
pub type Prefix<'d> = Option<&'d str>;

/// The prefixes of a document, worked out where they are asked for.
pub struct Prefixes<'d> {
    document: &'d Document<'d>,
    needed: RefCell<ElementMap<Rc<BTreeSet<Prefix<'d>>>>>,
    first: OnceCell<HashMap<&'d str, &'d str>>,
}

impl<'d> Element<'d> {
    /// What a prefix stands for here, an undeclared `qemu:` as it was meant; None for no namespace.
    pub fn bound(self, prefix: Prefix<'_>) -> Option<&'d str> {
        self.node.lookup_namespace_uri(prefix).filter(|uri| !uri.is_empty())
    }
}

impl<'d> Prefixes<'d> {
    /// Those of this document.
    pub fn new(document: &'d Document<'d>) -> Self {
        Prefixes { document, needed: RefCell::default(), first: OnceCell::new() }
    }

    /// The prefixes that an element, with all that is in it, has from around it, and that stand for
    /// something else at another place.
    pub fn lost(&self, element: Element<'d>, place: Element<'d>) -> Vec<Prefix<'d>> {
        let Some(around) = element.parent() else { return Vec::new() };
        let is_different = |prefix: &Prefix<'d>| around.bound(*prefix) != place.bound(*prefix);
        let scope = || {
            around
                .node
                .namespaces()
                .chain(place.node.namespaces())
                .map(|namespace| namespace.name())
        };
        // Nearly all documents declare everything on their root.
        if !scope().any(|prefix| is_different(&prefix)) {
            return Vec::new();
        }
        self.needed(element).iter().copied().filter(is_different).collect()
    }

    /// What a prefix stands for where it is declared first.
    pub fn first(&self, prefix: &str) -> Option<&'d str> {
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

    /// The prefixes that are used in an element and declared further out.
    fn needed(&self, element: Element<'d>) -> Rc<BTreeSet<Prefix<'d>>> {
        if let Some(known) = self.needed.borrow().get(&element.id()) {
            return Rc::clone(known);
        }
        let mut needed: BTreeSet<Prefix<'d>> = BTreeSet::new();
        for child in element.children() {
            needed.extend(self.needed(child).iter());
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
        self.needed.borrow_mut().insert(element.id(), Rc::clone(&needed));
        needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::read;

    #[test]
    fn a_prefix_is_lost_where_it_stands_for_something_else() {
        let text = "<r xmlns:a='1' xmlns:b='2'><x xmlns:b='3' xmlns:c='4' xmlns='5'><y a:k='' xml:k=''><b:z/><c:w xmlns:c='6'/></y></x></r>";
        read(text, |document| {
            let (prefixes, root) = (Prefixes::new(document), document.root());
            let named =
                |name: &str| document.elements().find(|element| element.name() == name).unwrap();
            assert_eq!(prefixes.lost(named("y"), root), [None, Some("b")]);
            assert_eq!(prefixes.lost(named("y"), named("x")), []);
            assert_eq!(prefixes.lost(named("w"), root), [], "it brings its own");
            assert_eq!(prefixes.lost(named("x"), root), [], "it stands there");
            assert_eq!(
                (prefixes.first("b"), prefixes.first("c"), prefixes.first("d")),
                (Some("2"), Some("4"), None)
            );
        })
        .unwrap();
    }
}
