//! Children by name, looked up once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use super::{Document, Element, ElementId, same};

/// The child elements of an element by name, looked up once an element.
pub struct Children<'d> {
    document: &'d Document<'d>,
    by_parent: RefCell<BTreeMap<ElementId, Rc<Index>>>,
}

/// The children of one element.
struct Index {
    /// By name; those of one name in the document's order. An id takes an eighth of an element's
    /// memory.
    sorted: Vec<ElementId>,
    /// The bits of all names that are there: most that are asked for are not.
    names: u128,
}

impl<'d> Children<'d> {
    /// An index of this document, filled as it is asked.
    pub fn new(document: &'d Document<'d>) -> Self {
        Children { document, by_parent: RefCell::default() }
    }

    /// The document.
    pub fn document(&self) -> &'d Document<'d> {
        self.document
    }

    /// The children of this local name, in any namespace and in the document's order.
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
        let end = start + index.sorted[start..].partition_point(|id| same(name_of(id), name));
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

/// The bit of a name, which some others have too.
fn bit(name: &str) -> u128 {
    let bytes = name.as_bytes();
    let [first, last] =
        [bytes.first(), bytes.last()].map(|byte| usize::from(byte.copied().unwrap_or(0)));
    1 << ((bytes.len() * 11 + first * 5 + last) % 128)
}

/// Children of one name.
pub struct Named<'d, 'n>(Source<'d, 'n>);

enum Source<'d, 'n> {
    /// Of an element with an index: these of it.
    Indexed(&'d Document<'d>, Rc<Index>, Range<usize>),
    /// Of any other: the next child to look at.
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
                if same(element.name(), name) {
                    return Some(element);
                }
            },
        }
    }
}
