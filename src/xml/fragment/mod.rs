//! New XML elements, written in a document's formatting. The only user of xmltree, which parses the
//! elements in rule files.
//!
//! Elements are written here and not by xmltree, which writes double quotes, raw TABs, and white
//! space into text. Whole documents never pass through this module.

mod parse;
mod write;

pub use write::{Style, escape_attribute, escape_text};

/// An element to be written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NewElement {
    /// The name, including any prefix.
    pub name: String,
    /// The attributes and namespace declarations, in order.
    pub attributes: Vec<(String, String)>,
    /// The content, in order.
    pub children: Vec<Node>,
}

/// The content of a new element.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// An element.
    Element(NewElement),
    /// Text.
    Text(String),
    /// A comment.
    Comment(String),
}

impl NewElement {
    /// Creates an element without content.
    pub fn new(name: impl Into<String>) -> Self {
        NewElement { name: name.into(), attributes: Vec::new(), children: Vec::new() }
    }

    /// Adds an attribute.
    pub fn with_attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// Adds a child element.
    pub fn with_child(mut self, child: NewElement) -> Self {
        self.children.push(Node::Element(child));
        self
    }

    /// Adds text at the end.
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.children.push(Node::Text(text.into()));
        self
    }

    /// Returns a copy in which `fill` has replaced all values and text.
    pub fn fill_values(&self, fill: &impl Fn(&str) -> String) -> Self {
        let children = self.children.iter().map(|node| match node {
            Node::Element(child) => Node::Element(child.fill_values(fill)),
            Node::Text(text) => Node::Text(fill(text)),
            Node::Comment(text) => Node::Comment(text.clone()),
        });
        let attributes = self.attributes.iter().map(|(name, value)| (name.clone(), fill(value)));
        NewElement {
            name: self.name.clone(),
            attributes: attributes.collect(),
            children: children.collect(),
        }
    }

    /// Whether this element or one inside it has this prefix.
    pub fn has_prefix(&self, prefix: &str) -> bool {
        let has_itself =
            self.name.split_once(':').is_some_and(|(own_prefix, _)| own_prefix == prefix);
        has_itself || self.elements().any(|child| child.has_prefix(prefix))
    }

    /// Replaces one prefix with another, inside too.
    pub fn with_prefix(mut self, old: &str, new: &str) -> Self {
        if let Some((_, name)) =
            self.name.split_once(':').filter(|(own_prefix, _)| *own_prefix == old)
        {
            self.name = format!("{new}:{name}");
        }
        for child in &mut self.children {
            if let Node::Element(child) = child {
                *child = std::mem::replace(child, NewElement::new("")).with_prefix(old, new);
            }
        }
        self
    }

    fn elements(&self) -> impl Iterator<Item = &NewElement> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(child) => Some(child),
            _ => None,
        })
    }
}
