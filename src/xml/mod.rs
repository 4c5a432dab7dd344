//! XML documents with byte positions. The only user of roxmltree.
//!
//! A [`Document`] is a tree whose parts know their byte ranges in the text, so that a fix can name
//! exactly the bytes it changes. An undeclared `qemu:` prefix is the only malformation that is
//! accepted: this program repairs it, and reading on shows the other problems in the same run.

use std::ops::Range;

use crate::text::Source;

mod children;
mod comments;
mod declaration;
mod element;
mod error;
pub mod fragment;
mod guard;
mod ids;
mod limits;
mod parse_errors;
mod paste_errors;
mod prefixes;
mod root;
pub mod scan;

pub use children::Children;
pub use comments::{COMMENT_MARK, comment_text};
pub use element::{Element, ElementId};
pub use error::{XmlError, XmlErrorKind};
pub use ids::{ElementMap, ElementSet};
pub use limits::MAX_INPUT_MIB;
pub use prefixes::Prefixes;
pub use root::root_name;
pub use scan::{RawAttribute, StartTag, is_character};

/// libvirt's namespace for QEMU's own arguments (libvirt: docs/drvqemu.rst, src/qemu/qemu_domain.c
/// `virQEMUDriverDomainXMLNamespace`).
pub const QEMU_NAMESPACE: &str = "http://libvirt.org/schemas/domain/qemu/1.0";

/// The usual prefix for [`QEMU_NAMESPACE`].
pub const QEMU_PREFIX: &str = "qemu";

/// A document that is well-formed, or lacks only the declaration of `qemu:`.
pub struct Document<'a> {
    tree: roxmltree::Document<'a>,
    text: &'a str,
    source: &'a Source<'a>,
    shadow: Option<Shadow>,
}

/// A declaration that exists only in the copy that roxmltree parses: its byte offset and length.
#[derive(Clone, Copy, Debug)]
struct Shadow {
    at: usize,
    length: usize,
}

/// Decodes UTF-8, the encoding that libvirt writes and the only one that this program reads.
///
/// # Errors
/// Returns an error at the first byte that is not UTF-8, with advice on converting the file.
pub fn decode(bytes: &[u8]) -> Result<&str, XmlError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        let is_utf_16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.iter().take(2).any(|byte| *byte == 0);
        let help = match declaration::declared_encoding(bytes) {
            _ if is_utf_16 => guard::UTF_16.to_owned(),
            Some(encoding) => declaration::how_to_convert(&encoding),
            None if bytes.iter().any(|byte| *byte < b'\t') => {
                "check the file: this is binary data, not text, so it is compressed or damaged".to_owned()
            }
            None => "convert the file to UTF-8, the encoding that libvirt writes and the only one that gvtg-xml reads \
                     (for Latin-1: `iconv -f ISO-8859-1 -t UTF-8`)"
                .to_owned(),
        };
        let is_binary = !is_utf_16 && bytes.iter().any(|byte| *byte < b'\t');
        let prefix = if is_binary { "this is a binary file: " } else { "" };
        XmlError::new(offset, format!("{prefix}byte 0x{:02x} is not UTF-8", bytes[offset]), help)
    })
}

/// Parses text and passes the document to `use_document`.
///
/// # Errors
/// Returns an error for text that libxml2, libvirt's parser, would reject, and for text that takes
/// more than linear time to parse. An undeclared `qemu:` is not an error.
pub fn read<R>(text: &str, use_document: impl FnOnce(&Document<'_>) -> R) -> Result<R, XmlError> {
    read_source(&Source::new("", text), use_document)
}

/// Like [`read`], for a source whose positions the caller needs too, so that its lines are indexed
/// only once.
///
/// # Errors
/// As for [`read`].
pub fn read_source<R>(
    source: &Source<'_>,
    use_document: impl FnOnce(&Document<'_>) -> R,
) -> Result<R, XmlError> {
    parse(source, use_document).map_err(|error| paste_errors::clarify(source.text(), error))
}

fn parse<R>(
    source: &Source<'_>,
    use_document: impl FnOnce(&Document<'_>) -> R,
) -> Result<R, XmlError> {
    let text = source.text();
    guard::check(text)?;
    let error = match roxmltree::Document::parse(text) {
        Ok(tree) => return Ok(use_document(&Document { tree, text, source, shadow: None })),
        Err(error) => error,
    };
    let is_repairable =
        matches!(&error, roxmltree::Error::UnknownNamespace(prefix, _) if prefix == QEMU_PREFIX);
    let Some(root) = root_tag(text).filter(|_| is_repairable) else {
        return Err(parse_errors::error(text, text, None, &error));
    };
    let declaration = format!(" xmlns:{QEMU_PREFIX}='{QEMU_NAMESPACE}'");
    let shadow = Shadow { at: root.name.end, length: declaration.len() };
    let copy = [&text[..shadow.at], &declaration, &text[shadow.at..]].concat();
    match roxmltree::Document::parse(&copy) {
        Ok(tree) => Ok(use_document(&Document { tree, text, source, shadow: Some(shadow) })),
        Err(error) => Err(parse_errors::error(text, &copy, Some(shadow), &error)),
    }
}

/// Returns the root element's start tag without parsing the rest.
pub fn root_tag(text: &str) -> Option<StartTag> {
    scan::pieces(text, 0).find_map(|piece| match piece {
        scan::Piece::Start(tag) => Some(Some(tag)),
        scan::Piece::Comment(_) | scan::Piece::Instruction(_) => None,
        _ => Some(None),
    })?
}

impl Shadow {
    fn original(self, offset: usize) -> usize {
        if offset <= self.at { offset } else { offset.saturating_sub(self.length).max(self.at) }
    }
}

impl<'a> Document<'a> {
    /// The root element.
    pub fn root(&'a self) -> Element<'a> {
        Element { node: self.tree.root_element(), document: self }
    }

    /// The text that was read.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The text with its position index.
    pub fn source(&self) -> &'a Source<'a> {
        self.source
    }

    /// Whether `qemu:` is used but not declared.
    pub fn lacks_qemu_declaration(&self) -> bool {
        self.shadow.is_some()
    }

    /// Returns all elements in document order.
    pub fn elements(&'a self) -> impl Iterator<Item = Element<'a>> {
        self.tree
            .descendants()
            .filter(|node| node.is_element())
            .map(|node| Element { node, document: self })
    }

    /// Returns the element with this id.
    pub fn element(&'a self, id: ElementId) -> Option<Element<'a>> {
        self.tree.get_node(id.0).map(|node| Element { node, document: self })
    }

    fn original(&self, range: Range<usize>) -> Range<usize> {
        match self.shadow {
            Some(shadow) => shadow.original(range.start)..shadow.original(range.end),
            None => range,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the byte offset of the error and its message; `fine` if there is none.
    pub(super) fn error(text: &str) -> String {
        read(text, |_| ())
            .map_or_else(|error| format!("{}: {}", error.offset, error.message), |()| "fine".into())
    }

    #[test]
    fn gives_spans_in_bytes() {
        let text = "\u{feff}<domain xmlns:p='u'>\r\n  <a p:x='0' p:y='2' x='1'  >t<![CDATA[<]]></a >\r\n</domain>";
        read(text, |document| {
            let a = document.root().child("a").unwrap();
            assert_eq!(&text[a.span()], "<a p:x='0' p:y='2' x='1'  >t<![CDATA[<]]></a >");
            assert_eq!(&text[a.start_tag().span], "<a p:x='0' p:y='2' x='1'  >");
            assert_eq!(&text[a.content()], "t<![CDATA[<]]>");
            assert_eq!(a.text(), "t<");
            assert_eq!(&text[a.attribute_place("x").unwrap().span()], "x='1'");
            assert_eq!(
                (a.attribute("x"), a.attribute("y")),
                (Some("1"), None),
                "another namespace's is another attribute"
            );
        })
        .unwrap();
    }

    #[test]
    fn reads_an_undeclared_qemu_prefix_with_correct_spans() {
        let text = "<!--<x--><domain type='kvm'><qemu:commandline><qemu:arg value='-s'/></qemu:commandline></domain>";
        read(text, |document| {
            assert!(document.lacks_qemu_declaration());
            assert_eq!(&text[document.root().start_tag().span], "<domain type='kvm'>");
            assert_eq!(document.root().attribute("type"), Some("kvm"));
            let commandline = document.root().children().next().unwrap();
            assert!(commandline.is_qemu("commandline"));
            assert_eq!(
                &text[commandline.span()],
                "<qemu:commandline><qemu:arg value='-s'/></qemu:commandline>"
            );
            assert_eq!(document.root().prefix_for(QEMU_NAMESPACE), None);
        })
        .unwrap();
    }

    #[test]
    fn rejects_other_undeclared_prefixes() {
        assert_eq!(error("<domain><app:x/></domain>"), "9: the prefix app: is not declared");
        assert_eq!(
            error("<domain><qemu:x/><app:x/></domain>"),
            "18: the prefix app: is not declared"
        );
    }

    #[test]
    fn gives_errors_a_position_and_a_message() {
        assert_eq!(error("<a>"), "3: the text ends before <a> (line 1, column 1) is closed");
        assert_eq!(error("<a>\n <b></a>"), "8: </a> does not match <b> (line 2, column 2)");
        assert_eq!(error("<a/><b/>"), "4: a second root element");
        assert_eq!(error("<a/></a>"), "4: </a> has no matching start tag");
        assert_eq!(error("<a b='1"), "0: a tag is not terminated");
        assert_eq!(error("hello"), "0: no element found: this is not XML");
        assert_eq!(error("<a>\n<!-- x -->y</a>z"), "19: text after the root element");
        assert_eq!(error("<a x='1' / >"), "10: expected '>', found ' '");
        assert_eq!(
            error("<a><qemu:b></a>"),
            "11: </a> does not match <qemu:b> (line 1, column 4)",
            "the columns are those of the text, not of the copy that was read"
        );
        assert_eq!(error("<a>x & y</a>"), "5: malformed entity reference");
        assert_eq!(error("<a b='1' b='2'/>"), "9: attribute 'b' is already defined");
        assert_eq!(error("<a>\n<b>é&nope;</b></a>"), "9: unknown entity reference 'nope'");
    }

    #[test]
    fn rejects_deep_nesting_quickly() {
        assert!(error(&"<a>".repeat(1_000_000)).contains("deeper than 256"));
        let text = format!("<domain>{}</domain>", "<a/>".repeat(100_000));
        assert_eq!(error(&text), "fine");
    }
}
