//! Finds the element or attribute at the cursor in incomplete XML.

use std::ops::Range;

use crate::domain::METADATA_NAMESPACE;
use crate::xml::QEMU_NAMESPACE;
use crate::xml::scan::{Piece, RawAttribute, StartTag, pieces};

/// The element or attribute at the cursor.
#[derive(Clone, Debug, PartialEq)]
pub struct CursorContext {
    /// The names of the elements from the root down. The prefixes `qemu:` and `gvtg:` stand for
    /// their namespaces, regardless of the prefixes in the document.
    pub path: Vec<String>,
    /// The attributes of the tag, with their values as written.
    pub attributes: Vec<(String, String)>,
    /// The part of the tag at the cursor.
    pub part: Part,
}

/// A part of a start tag.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// The element's name.
    Name(Range<usize>),
    /// An attribute's name, and its byte range.
    Attribute(String, Range<usize>),
    /// The name of an attribute, and the byte range of its value.
    Value(String, Range<usize>),
}

/// Finds the part of a start tag at a byte offset; `None` outside of start tags and between their
/// parts.
pub fn context_at(text: &str, offset: usize) -> Option<CursorContext> {
    // The text after the cursor may be incomplete, so only the text before it determines the
    // context.
    let before = &text[..offset];
    let (open, start) = open_elements(before)?;
    let name = start + 1..name_end(text, start + 1);
    let attributes = tag_attributes(text, start, offset);
    let mut scopes: Vec<&[(String, String)]> =
        open.iter().map(|element| element.attributes.as_slice()).collect();
    scopes.push(&attributes);
    let mut path: Vec<String> = Vec::new();
    for (depth, element) in open.iter().enumerate() {
        path.push(known_name(&element.name, &scopes[..=depth]));
    }
    path.push(known_name(&text[name.clone()], &scopes));
    let part = if offset <= name.end { Part::Name(name) } else { part(text, name.end, offset)? };
    Some(CursorContext { path, attributes, part })
}

/// An open element at the cursor.
struct OpenElement {
    name: String,
    attributes: Vec<(String, String)>,
}

/// Finds the open elements and the start of the tag that contains the end of `before`; `None` if
/// the end is not in a tag.
fn open_elements(before: &str) -> Option<(Vec<OpenElement>, usize)> {
    let mut open: Vec<OpenElement> = Vec::new();
    let mut at = 0;
    loop {
        let mut rest = pieces(before, at);
        let unfinished = loop {
            match rest.next()? {
                Piece::Start(tag) if !tag.self_closing => {
                    let name = before[tag.name.clone()].to_owned();
                    open.push(OpenElement {
                        name,
                        attributes: values(before, tag.attributes(before)),
                    });
                }
                Piece::End { name, .. } => {
                    if let Some(depth) =
                        open.iter().rposition(|element| element.name == before[name.clone()])
                    {
                        open.truncate(depth);
                    }
                }
                Piece::Unfinished("tag", start) => break start,
                _ => {}
            }
        };
        // A tag can't contain `<`, so this one was never closed: skip it.
        match before[unfinished + 1..].find('<') {
            Some(next) => at = unfinished + 1 + next,
            None => return Some((open, unfinished)),
        }
    }
}

/// The attributes of the tag at the cursor: all of them if the tag is complete, else those before
/// the cursor.
fn tag_attributes(text: &str, start: usize, offset: usize) -> Vec<(String, String)> {
    match StartTag::at(text, start) {
        Some(tag) => values(text, tag.attributes(text)),
        None => {
            let cut = format!("{}>", &text[start..offset]);
            StartTag::at(&cut, 0).map_or(Vec::new(), |tag| values(&cut, tag.attributes(&cut)))
        }
    }
}

fn values(text: &str, attributes: impl Iterator<Item = RawAttribute>) -> Vec<(String, String)> {
    attributes
        .map(|attribute| (text[attribute.name].to_owned(), text[attribute.value].to_owned()))
        .collect()
}

/// Finds the attribute at the cursor; `at` is the byte offset of the end of the tag's name.
fn part(text: &str, mut at: usize, offset: usize) -> Option<Part> {
    let bytes = text.as_bytes();
    loop {
        while at < offset && !is_name(bytes[at]) {
            at += 1;
        }
        let name = at..name_end(text, at);
        if offset <= name.end {
            if name.is_empty() {
                return None;
            }
            return Some(Part::Attribute(text[name.clone()].to_owned(), name));
        }
        at = name.end;
        while at < offset && !matches!(bytes[at], b'\'' | b'"') {
            at += 1;
        }
        if at >= offset {
            return None;
        }
        let (quote, start) = (bytes[at], at + 1);
        match bytes[start..offset].iter().position(|&byte| byte == quote) {
            Some(length) => at = start + length + 1,
            None => {
                // A missing closing quote is assumed at the end of the line or before the next tag.
                let end = bytes[offset..]
                    .iter()
                    .position(|&byte| byte == quote || matches!(byte, b'\n' | b'\r' | b'<' | b'>'));
                let end = end.map_or(bytes.len(), |length| offset + length);
                return Some(Part::Value(text[name].to_owned(), start..end));
            }
        }
    }
}

fn name_end(text: &str, start: usize) -> usize {
    start + text.as_bytes()[start..].iter().take_while(|&&byte| is_name(byte)).count()
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.') || !byte.is_ascii()
}

/// Replaces a name's prefix with `qemu:` or `gvtg:` according to its namespace, and with `other:`
/// for any other namespace.
fn known_name(name: &str, scopes: &[&[(String, String)]]) -> String {
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    let declaration =
        if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
    let uri = scopes
        .iter()
        .rev()
        .flat_map(|scope| scope.iter())
        .find(|(name, _)| *name == declaration)
        .map(|(_, uri)| uri.as_str());
    match (prefix, uri) {
        (_, Some(QEMU_NAMESPACE)) | ("qemu", None) => format!("qemu:{local}"),
        (_, Some(METADATA_NAMESPACE)) | ("gvtg", None) => format!("gvtg:{local}"),
        ("", None | Some("")) => local.to_owned(),
        _ => format!("other:{local}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Describes the context at the `|` on one line.
    fn context_at_mark(marked: &str) -> String {
        let offset = marked.find('|').unwrap();
        let text = marked.replacen('|', "", 1);
        context_at(&text, offset).map_or("none".into(), |cursor_context| {
            let part = match cursor_context.part {
                Part::Name(span) => format!("name {}", &text[span]),
                Part::Attribute(name, _) => format!("attribute {name}"),
                Part::Value(name, span) => format!("{name}={}", &text[span]),
            };
            format!("{} {part}", cursor_context.path.join("/"))
        })
    }

    #[test]
    fn finds_the_part_of_the_tag() {
        assert_eq!(context_at_mark("<domain><dev|ices>"), "domain/devices name devices");
        assert_eq!(context_at_mark("<domain><|devices>"), "domain/devices name devices");
        assert_eq!(context_at_mark("<a b|='1' c='2'/>"), "a attribute b");
        assert_eq!(context_at_mark("<a b='1' |c='2'/>"), "a attribute c");
        assert_eq!(context_at_mark("<a b='1' c = \"|2\"/>"), "a c=2");
        assert_eq!(context_at_mark("<a b='|'/>"), "a b=");
        assert_eq!(context_at_mark("<a b=|'1'/>"), "none");
        assert_eq!(context_at_mark("<a>te|xt</a>"), "none");
        assert_eq!(context_at_mark("<a/>|"), "none");
        assert_eq!(context_at_mark("<!-- <a b='|'/> -->"), "none");
        assert_eq!(context_at_mark("</a|>"), "none");
    }

    #[test]
    fn path_has_the_open_elements_of_broken_xml() {
        assert_eq!(context_at_mark("<a><b/><c></c><d x='|"), "a/d x=");
        assert_eq!(context_at_mark("<a><b x='1><c y='|z\n<d e='f'/></a>"), "a/c y=z");
        assert_eq!(context_at_mark("<a><b <c y='|2'/>"), "a/c y=2");
        assert_eq!(context_at_mark("<a></b><c |d='1'>"), "a/c attribute d");
        assert_eq!(context_at_mark("<a><b><c></a><d |e='1'>"), "d attribute e");
    }

    #[test]
    fn namespaces_get_their_usual_prefixes() {
        let qemu = format!("<domain xmlns:q='{QEMU_NAMESPACE}'><q:commandline><q:arg value='|'/>");
        assert_eq!(context_at_mark(&qemu), "domain/qemu:commandline/qemu:arg value=");
        assert_eq!(context_at_mark("<domain><qemu:arg value='|'/>"), "domain/qemu:arg value=");
        assert_eq!(
            context_at_mark("<domain><qemu:arg xmlns:qemu='urn:x' value='|'/>"),
            "domain/other:arg value="
        );
        assert_eq!(
            context_at_mark(&format!("<metadata><domain xmlns='{METADATA_NAMESPACE}' type='|'/>")),
            "metadata/gvtg:domain type="
        );
    }

    #[test]
    fn context_has_all_attributes_of_the_tag() {
        let marked = "<p a='1' b='|' c='3'/>";
        let cursor_context =
            context_at(&marked.replace('|', ""), marked.find('|').unwrap()).unwrap();
        let names: Vec<&str> =
            cursor_context.attributes.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn accepts_every_offset_of_broken_xml() {
        let text = "<a b='é' c=\"😀\"><!-- x --><b q:z = '<' ><![CDATA[<]]></b <c";
        for (cut, _) in text.char_indices() {
            for (offset, _) in text[..cut].char_indices() {
                context_at(&text[..cut], offset);
            }
        }
    }
}
