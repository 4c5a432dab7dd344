//! What the cursor is on, in text that need not be well-formed: somebody is typing it.

use std::ops::Range;

use crate::settings::METADATA_NAMESPACE;
use crate::xml::QEMU_NAMESPACE;
use crate::xml::scan::{Piece, RawAttribute, StartTag, pieces};

/// What the cursor is on.
#[derive(Clone, Debug, PartialEq)]
pub struct CursorContext {
    /// The names of the elements it is in, the root first; `qemu:` and `gvtg:` stand for their
    /// namespaces, whatever the document's prefixes are.
    pub path: Vec<String>,
    /// The attributes of the tag it is in, with their values as written.
    pub attributes: Vec<(String, String)>,
    /// Which part of the tag.
    pub part: Part,
}

/// A part of a start tag.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// The element's name.
    Name(Range<usize>),
    /// An attribute's name, and where it stands.
    Attribute(String, Range<usize>),
    /// The value of this attribute, and where it stands.
    Value(String, Range<usize>),
}

/// What is at a byte offset; None outside of start tags, and between their parts.
pub fn spot(text: &str, offset: usize) -> Option<CursorContext> {
    // What comes behind the cursor may be anything: only what stands before it tells where it is.
    let before = &text[..offset];
    let (open, start) = open_elements(before)?;
    let name = start + 1..name_end(text, start + 1);
    let tag = written(text, start, offset);
    let mut scopes: Vec<&[(String, String)]> =
        open.iter().map(|element| element.attributes.as_slice()).collect();
    scopes.push(&tag);
    let mut path: Vec<String> = Vec::new();
    for (depth, element) in open.iter().enumerate() {
        path.push(known_name(&element.name, &scopes[..=depth]));
    }
    path.push(known_name(&text[name.clone()], &scopes));
    let part = if offset <= name.end { Part::Name(name) } else { part(text, name.end, offset)? };
    Some(CursorContext { path, attributes: tag, part })
}

/// An element that is open at the cursor.
struct Open {
    name: String,
    attributes: Vec<(String, String)>,
}

/// The open elements, and where the tag begins that the cursor is in; None where it is in none.
fn open_elements(before: &str) -> Option<(Vec<Open>, usize)> {
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    loop {
        let mut rest = pieces(before, at);
        let unfinished = loop {
            match rest.next()? {
                Piece::Start(tag) if !tag.self_closing => {
                    let name = before[tag.name.clone()].to_owned();
                    open.push(Open { name, attributes: values(before, tag.attributes(before)) });
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
        // No `<` can be in a tag: one that never ended is left behind.
        match before[unfinished + 1..].find('<') {
            Some(next) => at = unfinished + 1 + next,
            None => return Some((open, unfinished)),
        }
    }
}

/// The attributes of the tag at the cursor: all of them where it ends, else those before the
/// cursor.
fn written(text: &str, start: usize, offset: usize) -> Vec<(String, String)> {
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

/// The part of a tag behind its name that the cursor is in.
fn part(text: &str, mut at: usize, offset: usize) -> Option<Part> {
    let bytes = text.as_bytes();
    loop {
        while at < offset && !is_name(bytes[at]) {
            at += 1;
        }
        let name = at..name_end(text, at);
        if offset <= name.end {
            return (!name.is_empty())
                .then(|| Part::Attribute(text[name.clone()].to_owned(), name));
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
                // A quote that is missing ends with the line, or where the next tag begins.
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

/// A name with the prefix by which this program knows its namespace; `other:` for any other
/// namespace.
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

    /// The spot at the `|`, as one line.
    fn at(marked: &str) -> String {
        let offset = marked.find('|').unwrap();
        let text = marked.replacen('|', "", 1);
        spot(&text, offset).map_or("none".into(), |spot| {
            let part = match spot.part {
                Part::Name(span) => format!("name {}", &text[span]),
                Part::Attribute(name, _) => format!("attribute {name}"),
                Part::Value(name, span) => format!("{name}={}", &text[span]),
            };
            format!("{} {part}", spot.path.join("/"))
        })
    }

    #[test]
    fn the_part_of_a_tag_is_told() {
        assert_eq!(at("<domain><dev|ices>"), "domain/devices name devices");
        assert_eq!(at("<domain><|devices>"), "domain/devices name devices");
        assert_eq!(at("<a b|='1' c='2'/>"), "a attribute b");
        assert_eq!(at("<a b='1' |c='2'/>"), "a attribute c");
        assert_eq!(at("<a b='1' c = \"|2\"/>"), "a c=2");
        assert_eq!(at("<a b='|'/>"), "a b=");
        assert_eq!(at("<a b=|'1'/>"), "none");
        assert_eq!(at("<a>te|xt</a>"), "none");
        assert_eq!(at("<a/>|"), "none");
        assert_eq!(at("<!-- <a b='|'/> -->"), "none");
        assert_eq!(at("</a|>"), "none");
    }

    #[test]
    fn what_is_open_is_the_path_whatever_is_broken_around() {
        assert_eq!(at("<a><b/><c></c><d x='|"), "a/d x=");
        assert_eq!(at("<a><b x='1><c y='|z\n<d e='f'/></a>"), "a/c y=z");
        assert_eq!(at("<a><b <c y='|2'/>"), "a/c y=2");
        assert_eq!(at("<a></b><c |d='1'>"), "a/c attribute d");
        assert_eq!(at("<a><b><c></a><d |e='1'>"), "d attribute e");
    }

    #[test]
    fn namespaces_have_their_known_prefixes() {
        let qemu = format!("<domain xmlns:q='{QEMU_NAMESPACE}'><q:commandline><q:arg value='|'/>");
        assert_eq!(at(&qemu), "domain/qemu:commandline/qemu:arg value=");
        assert_eq!(at("<domain><qemu:arg value='|'/>"), "domain/qemu:arg value=");
        assert_eq!(
            at("<domain><qemu:arg xmlns:qemu='urn:x' value='|'/>"),
            "domain/other:arg value="
        );
        assert_eq!(
            at(&format!("<metadata><domain xmlns='{METADATA_NAMESPACE}' type='|'/>")),
            "metadata/gvtg:domain type="
        );
    }

    #[test]
    fn the_other_attributes_of_the_tag_are_there() {
        let marked = "<p a='1' b='|' c='3'/>";
        let spot = spot(&marked.replace('|', ""), marked.find('|').unwrap()).unwrap();
        let names: Vec<&str> = spot.attributes.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn no_place_in_any_text_is_too_odd() {
        let text = "<a b='é' c=\"😀\"><!-- x --><b q:z = '<' ><![CDATA[<]]></b <c";
        for (cut, _) in text.char_indices() {
            for (offset, _) in text[..cut].char_indices() {
                spot(&text[..cut], offset);
            }
        }
    }
}
