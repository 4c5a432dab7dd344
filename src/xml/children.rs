//! Children by name, looked up once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::{Document, Element, ElementId};

type ByName<'d> = HashMap<&'d str, Rc<[Element<'d>]>>;

/// The child elements of an element by name, looked up once an element.
pub struct Children<'d> {
    document: &'d Document<'d>,
    by_parent: RefCell<HashMap<ElementId, ByName<'d>>>,
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
        let by_name = by_parent.entry(parent.id()).or_insert_with(|| {
            let mut by_name: HashMap<&str, Vec<Element<'d>>> = HashMap::new();
            for child in parent.children() {
                by_name.entry(child.name()).or_default().push(child);
            }
            by_name.into_iter().map(|(name, children)| (name, children.into())).collect()
        });
        by_name.get(name).cloned().unwrap_or_else(|| Rc::from([]))
    }
}
