//! Children by name, looked up once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Document, Element, ElementId};

/// No hashes: an element has few children of different names, and most are asked for.
type ByName<'d> = BTreeMap<&'d str, Rc<[Element<'d>]>>;

/// The child elements of an element by name, looked up once an element.
pub struct Children<'d> {
    document: &'d Document<'d>,
    by_parent: RefCell<BTreeMap<ElementId, ByName<'d>>>,
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

    /// The children of this local name, in any namespace.
    pub fn named(&self, parent: Element<'d>, name: &str) -> Rc<[Element<'d>]> {
        let is_wide = parent.parent().is_none() || parent.parent().is_some_and(|grandparent| grandparent.parent().is_none());
        if !is_wide {
            return parent.children().filter(|child| child.name() == name).collect();
        }
        let mut by_parent = self.by_parent.borrow_mut();
        let by_name = by_parent.entry(parent.id()).or_insert_with(|| by_name(parent));
        by_name.get(name).cloned().unwrap_or_else(|| Rc::from([]))
    }
}

fn by_name<'d>(parent: Element<'d>) -> ByName<'d> {
    let mut lists: Vec<(&str, Vec<Element<'d>>)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut last = ("", 0);
    for child in parent.children() {
        // Children of one name mostly follow each other.
        if lists.is_empty() || last.0 != child.name() {
            last = (child.name(), *places.entry(child.name()).or_insert(lists.len()));
            if last.1 == lists.len() {
                lists.push((last.0, Vec::new()));
            }
        }
        lists[last.1].1.push(child);
    }
    lists.into_iter().map(|(name, children)| (name, children.into())).collect()
}
