//! An element and the byte ranges of its parts.

use std::ops::Range;

use super::{Document, QEMU_NAMESPACE, QEMU_PREFIX, RawAttribute, StartTag};

/// The identity of an element within its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ElementId(pub(super) roxmltree::NodeId);

/// An element of a document.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    pub(super) node: roxmltree::Node<'a, 'a>,
    pub(super) document: &'a Document<'a>,
}

impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.node.id() == other.node.id()
    }
}

impl Eq for Element<'_> {}

impl std::hash::Hash for Element<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.node.id().hash(state);
    }
}

impl std::fmt::Debug for Element<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "<{}> at {:?}", self.name(), self.span())
    }
}

impl PartialOrd for ElementId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ElementId {
    /// Compares by document order.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.get().cmp(&other.0.get())
    }
}

impl<'a> Element<'a> {
    /// The element's identity.
    pub fn id(self) -> ElementId {
        ElementId(self.node.id())
    }

    /// The document that contains the element.
    pub fn document(self) -> &'a Document<'a> {
        self.document
    }

    /// The name without its prefix.
    pub fn name(self) -> &'a str {
        self.node.tag_name().name()
    }

    /// The namespace's URI; `None` if there is none.
    pub fn namespace(self) -> Option<&'a str> {
        self.node.tag_name().namespace().filter(|uri| !uri.is_empty())
    }

    /// Whether this is libvirt's own element of this name, which has no namespace.
    pub fn is(self, name: &str) -> bool {
        is_same_name(self.name(), name) && self.namespace().is_none()
    }

    /// Whether this is the element of this name in libvirt's namespace for QEMU, whatever its
    /// prefix.
    pub fn is_qemu(self, name: &str) -> bool {
        is_same_name(self.name(), name) && self.is_in_namespace(QEMU_NAMESPACE)
    }

    /// Whether the element is in this namespace.
    pub fn is_in_namespace(self, uri: &str) -> bool {
        self.namespace().is_some_and(|namespace| is_same_name(namespace, uri))
    }

    /// The value of an attribute without a namespace, with references resolved.
    pub fn attribute(self, name: &str) -> Option<&'a str> {
        // roxmltree's own `attribute` ignores the namespace if the name has none.
        self.node
            .attributes()
            .find(|attribute| {
                is_same_name(attribute.name(), name) && attribute.namespace().is_none()
            })
            .map(|attribute| attribute.value())
    }

    /// The names of all attributes without a namespace.
    pub fn attribute_names(self) -> impl Iterator<Item = &'a str> {
        self.node
            .attributes()
            .filter(|attribute| attribute.namespace().is_none())
            .map(|attribute| attribute.name())
    }

    /// The parent element; `None` for the root.
    pub fn parent(self) -> Option<Element<'a>> {
        self.node.parent_element().map(|node| Element { node, ..self })
    }

    /// The child elements in document order.
    pub fn children(self) -> impl DoubleEndedIterator<Item = Element<'a>> {
        self.node
            .children()
            .filter(|node| node.is_element())
            .map(move |node| Element { node, ..self })
    }

    /// The first child element.
    pub fn first_child(self) -> Option<Element<'a>> {
        self.node.first_element_child().map(|node| Element { node, ..self })
    }

    /// The next element with the same parent.
    pub fn next_sibling(self) -> Option<Element<'a>> {
        self.node.next_sibling_element().map(|node| Element { node, ..self })
    }

    /// The first of libvirt's own child elements with this name.
    pub fn child(self, name: &str) -> Option<Element<'a>> {
        self.children().find(|child| child.is(name))
    }

    /// All elements inside this one, in document order.
    pub fn descendants(self) -> impl Iterator<Item = Element<'a>> {
        self.node
            .descendants()
            .skip(1)
            .filter(|node| node.is_element())
            .map(move |node| Element { node, ..self })
    }

    /// This element, its parent and so on up to the root.
    pub fn ancestors(self) -> impl Iterator<Item = Element<'a>> {
        std::iter::successors(Some(self), |element| element.parent())
    }

    /// The text directly in the element, with references resolved; empty if there is none.
    pub fn text(self) -> String {
        self.node
            .children()
            .filter_map(|node| if node.is_text() { node.text() } else { None })
            .collect()
    }

    /// The text in the element and its descendants (XPath's string-value).
    pub fn deep_text(self) -> String {
        self.node
            .descendants()
            .filter_map(|node| if node.is_text() { node.text() } else { None })
            .collect()
    }

    /// Whether the element holds nothing but white space: no elements, text or comments.
    pub fn is_empty(self) -> bool {
        self.node
            .children()
            .all(|node| node.is_text() && node.text().is_none_or(|text| text.trim().is_empty()))
    }

    /// The byte ranges of the comments and processing instructions directly in the element.
    pub fn comments(self) -> impl Iterator<Item = Range<usize>> {
        self.node
            .children()
            .filter(|node| node.is_comment() || node.is_pi())
            .map(move |node| self.document.original(node.range()))
    }

    /// The byte range from the `<` of the start tag up to and including the `>` of the end tag.
    pub fn span(self) -> Range<usize> {
        self.document.original(self.node.range())
    }

    /// The start tag.
    pub fn start_tag(self) -> StartTag {
        let start = self.span().start;
        // The tag always ends in a well-formed document; an empty name is the fallback.
        StartTag::at(self.document.text, start).unwrap_or(StartTag {
            span: start..start + 1,
            name: start + 1..start + 1,
            self_closing: true,
        })
    }

    /// The byte range between start tag and end tag; empty after a self-closing tag.
    pub fn content(self) -> Range<usize> {
        let (start, end) = (self.start_tag().span.end, self.span().end);
        let close = memchr::memrchr(b'<', &self.document.text.as_bytes()[start..end])
            .map_or(end, |found| start + found);
        start..close
    }

    /// The prefix as written, with the colon; empty if there is none.
    pub fn written_prefix(self) -> &'a str {
        let name = &self.document.text[self.start_tag().name];
        name.find(':').map_or("", |colon| &name[..=colon])
    }

    /// The byte ranges of an attribute without a namespace.
    pub fn attribute_place(self, name: &str) -> Option<RawAttribute> {
        self.start_tag()
            .attributes(self.document.text)
            .find(|attribute| is_same_name(&self.document.text[attribute.name.clone()], name))
    }

    /// The shortest prefix declared for this namespace here; `None` if there is no prefix for it.
    pub fn prefix_for(self, uri: &str) -> Option<&'a str> {
        if self.document.shadow.is_some() && uri == QEMU_NAMESPACE {
            return None;
        }
        self.node
            .namespaces()
            .filter(|namespace| namespace.uri() == uri)
            .filter_map(|namespace| namespace.name())
            .min_by_key(|name| name.len())
    }

    /// The namespace that a prefix stands for here.
    pub fn namespace_of(self, prefix: &str) -> Option<&'a str> {
        if self.document.shadow.is_some() && prefix == QEMU_PREFIX {
            return None;
        }
        self.node.lookup_namespace_uri(Some(prefix))
    }
}

/// Whether two names are equal. Names are short, and for short strings this is faster than the
/// `memcmp` of a static program's C library, which compares byte by byte.
pub(super) fn is_same_name(left: &str, right: &str) -> bool {
    memchr::arch::all::is_equal(left.as_bytes(), right.as_bytes())
}
