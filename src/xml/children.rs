//! Finds children by name, with an index.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use super::element::is_same_name;
use super::{Document, Element, ElementId};

/// An index of child elements by name, built on first use for each parent.
pub struct Children<'d> {
    document: &'d Document<'d>,
    by_parent: RefCell<BTreeMap<ElementId, Rc<Index>>>,
}

/// The index of one element's children.
struct Index {
    /// Sorted by name, then in document order. An id takes an eighth of an element's memory.
    sorted: Vec<ElementId>,
    /// The bits of all names that occur, to reject most lookups: most names are missing.
    names: u128,
}

impl<'d> Children<'d> {
    /// Creates an empty index for this document.
    pub fn new(document: &'d Document<'d>) -> Self {
        Children { document, by_parent: RefCell::default() }
    }

    /// The document.
    pub fn document(&self) -> &'d Document<'d> {
        self.document
    }

    /// Returns the children of this local name, in any namespace and in document order.
    pub fn named<'n>(&self, parent: Element<'d>, name: &'n str) -> Named<'d, 'n> {
        let is_wide = parent.parent().is_none_or(|parent| parent.parent().is_none());
        if !is_wide {
            return Named(Source::Scanned(parent.first_child(), name));
        }
        let mut by_parent = self.by_parent.borrow_mut();
        let index = by_parent.entry(parent.id()).or_insert_with(|| Rc::new(Index::new(parent)));
        if index.names & bit(name) == 0 {
            return Named(Source::Scanned(None, name));
        }
        let name_of = |id: &ElementId| self.document.element(*id).map_or("", Element::name);
        let start = index.sorted.partition_point(|id| name_of(id) < name);
        let end =
            start + index.sorted[start..].partition_point(|id| is_same_name(name_of(id), name));
        Named(Source::Indexed(self.document, Rc::clone(index), start..end))
    }
}

impl Index {
    fn new(parent: Element<'_>) -> Self {
        let mut sorted: Vec<ElementId> = parent.children().map(Element::id).collect();
        let names = parent.children().fold(0, |names, element| names | bit(element.name()));
        let document = parent.document();
        sorted.sort_by_key(|id| document.element(*id).map_or("", Element::name));
        Index { sorted, names }
    }
}

/// Returns the bit of a name; several names share a bit.
fn bit(name: &str) -> u128 {
    let bytes = name.as_bytes();
    let [first, last] =
        [bytes.first(), bytes.last()].map(|byte| usize::from(byte.copied().unwrap_or(0)));
    1 << ((bytes.len() * 11 + first * 5 + last) % 128)
}

/// An iterator over children of one name.
pub struct Named<'d, 'n>(Source<'d, 'n>);

enum Source<'d, 'n> {
    /// A range of an index.
    Indexed(&'d Document<'d>, Rc<Index>, Range<usize>),
    /// The next child to look at, for an element without an index.
    Scanned(Option<Element<'d>>, &'n str),
}

impl<'d> Iterator for Named<'d, '_> {
    type Item = Element<'d>;

    fn next(&mut self) -> Option<Element<'d>> {
        match &mut self.0 {
            Source::Indexed(document, index, range) => {
                range.next().and_then(|at| document.element(index.sorted[at]))
            }
            Source::Scanned(next, name) => loop {
                let element = (*next)?;
                *next = element.next_sibling();
                if is_same_name(element.name(), name) {
                    return Some(element);
                }
            },
        }
    }
}
