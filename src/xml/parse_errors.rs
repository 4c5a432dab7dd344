//! Translates roxmltree's errors into messages for users.
//!
//! roxmltree reports only the first error, some errors without a position, and characters as bytes.
//! The matching of tags is therefore checked again here; of two errors, the one that comes first in
//! the text is reported.

use std::ops::Range;

use super::scan::{Piece, is_space, pieces};
use super::{Shadow, XmlError};
use crate::text::{BOM, Position, Source};

const CUT_OFF: &str =
    "correct the XML, or dump the domain again: the text is cut off, or a character is missing";
const GIVE_A_DOMAIN: &str =
    "use a domain's XML, as `virsh dumpxml --inactive --security-info win10` prints it";
const OUTSIDE: &str = "remove it: only comments are allowed outside <domain>";

/// Returns the error in `text`; roxmltree parsed `copy`, which may have an added declaration
/// (`shadow`).
pub(super) fn error(
    text: &str,
    copy: &str,
    shadow: Option<Shadow>,
    error: &roxmltree::Error,
) -> XmlError {
    let translated = if is_located(error) {
        let mut translated = translate(copy, error);
        if let Some(shadow) = shadow {
            translated.offset = shadow.original(translated.offset);
        }
        Some(translated)
    } else {
        None
    };
    match (structure_error(text), translated) {
        (Some(structure), Some(translated)) if translated.offset < structure.offset => translated,
        (Some(structure), _) => structure,
        (None, Some(translated)) => translated,
        (None, None) => XmlError::new(text.len(), error.to_string(), CUT_OFF),
    }
}

/// Whether an error has a position; roxmltree gives 1:1 for the others.
fn is_located(error: &roxmltree::Error) -> bool {
    use roxmltree::Error;
    !matches!(
        error,
        Error::UnexpectedEndOfStream
            | Error::UnclosedRootNode
            | Error::NoRootNode
            | Error::DtdDetected
            | Error::NodesLimitReached
            | Error::NamespacesLimitReached
    )
}

/// Translates an error that has a position.
fn translate(text: &str, error: &roxmltree::Error) -> XmlError {
    use roxmltree::Error;
    let at = byte_offset(text, error.pos());
    let shown_character = || {
        text[at..]
            .chars()
            .next()
            .map_or("the end".to_owned(), |found| format!("'{}'", found.escape_debug()))
    };
    let message = match error {
        Error::InvalidChar(wanted, ..) if text[at..].starts_with('<') => {
            format!("expected '{}', found '<'", char::from(*wanted).escape_debug())
        }
        Error::InvalidChar(wanted, ..) => {
            format!(
                "expected '{}', found {}",
                char::from(*wanted).escape_debug(),
                shown_character()
            )
        }
        Error::InvalidChar2(wanted, ..) => {
            format!("expected {wanted}, found {}", shown_character())
        }
        Error::UnknownNamespace(prefix, _) if prefix == "xml" => {
            "an element has the prefix xml:".into()
        }
        Error::UnknownNamespace(prefix, _) => format!("the prefix {prefix}: is not declared"),
        _ => error.to_string().replace(&format!(" at {}", error.pos()), ""),
    };
    let help = match error {
        Error::UnknownNamespace(prefix, _) if prefix == "xml" => {
            "remove the prefix: 'xml:' is reserved, and elements cannot use it"
        }
        Error::UnknownNamespace(prefix, _) => {
            return XmlError::new(at, message, format!("add xmlns:{prefix}='URI' to <domain>"));
        }
        Error::UnknownEntityReference(..) | Error::MalformedEntityReference(..) => {
            "write & as &amp;"
        }
        Error::DuplicatedAttribute(..) => "remove one of them",
        Error::InvalidAttributeValue(..) => "write < as &lt; and & as &amp; in attribute values",
        _ => "correct the XML here, or dump the domain again",
    };
    XmlError::new(at, message, help)
}

/// Checks that tags match and that nothing but comments surrounds the root element.
fn structure_error(text: &str) -> Option<XmlError> {
    let mut open: Vec<Range<usize>> = Vec::new();
    let mut root_seen = false;
    let mut previous_end = 0;
    for piece in pieces(text, 0) {
        let (start, end) = extent(&piece, text);
        if open.is_empty()
            && let Some(at) = first_text_outside(text, previous_end..start)
            && (root_seen || matches!(piece, Piece::Start(_)))
        {
            let message = if root_seen {
                "text after the root element"
            } else {
                "text before the root element"
            };
            return Some(XmlError::new(at, message, OUTSIDE));
        }
        previous_end = end;
        match piece {
            Piece::Start(tag) => {
                if root_seen && open.is_empty() {
                    return Some(XmlError::new(
                        tag.span.start,
                        "a second root element",
                        "put each domain in a separate file",
                    ));
                }
                root_seen = true;
                if !tag.self_closing {
                    open.push(tag.name);
                }
            }
            Piece::End { span, name } => match open.pop() {
                None => {
                    return Some(XmlError::new(
                        span.start,
                        format!("</{}> has no matching start tag", &text[name]),
                        "remove it",
                    ));
                }
                Some(opened) if text[opened.clone()] != text[name.clone()] => {
                    let place = format_position(text, &opened);
                    let close = &text[name];
                    let opened = &text[opened];
                    let message = format!("</{close}> does not match <{opened}> ({place})");
                    return Some(XmlError::new(
                        span.start,
                        message,
                        format!("close <{opened}> first, or correct the name"),
                    ));
                }
                Some(_) => {}
            },
            Piece::CharacterData(span) if open.is_empty() => {
                return Some(XmlError::new(
                    span.start,
                    "a CDATA section outside the root element",
                    OUTSIDE,
                ));
            }
            Piece::Unfinished(what, at) => {
                let article = if what.starts_with('e') { "an" } else { "a" };
                return Some(XmlError::new(
                    at,
                    format!("{article} {what} is not terminated"),
                    CUT_OFF,
                ));
            }
            _ => {}
        }
    }
    if let Some(opened) = open.last() {
        let message = format!(
            "the text ends before <{}> ({}) is closed",
            &text[opened.clone()],
            format_position(text, opened)
        );
        return Some(XmlError::new(text.len(), message, CUT_OFF));
    }
    let rest = first_text_outside(text, previous_end..text.len());
    if !root_seen {
        let at = text.find(|c: char| !c.is_whitespace() && c != BOM).unwrap_or(0);
        return Some(XmlError::new(at, "no element found: this is not XML", GIVE_A_DOMAIN));
    }
    rest.map(|at| XmlError::new(at, "text after the root element", OUTSIDE))
}

fn extent(piece: &Piece, text: &str) -> (usize, usize) {
    match piece {
        Piece::Start(tag) => (tag.span.start, tag.span.end),
        Piece::End { span, .. }
        | Piece::Comment(span)
        | Piece::CharacterData(span)
        | Piece::Instruction(span) => (span.start, span.end),
        Piece::Declaration(at) => (*at, at + 2),
        Piece::Unfinished(_, at) => (*at, text.len()),
    }
}

/// Returns the offset of the first byte that is not white space in a range outside the root
/// element.
fn first_text_outside(text: &str, range: Range<usize>) -> Option<usize> {
    let mark = if range.start == 0 && text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
    let start = range.start + mark;
    text.as_bytes()
        .get(start..range.end)?
        .iter()
        .position(|byte| !is_space(*byte))
        .map(|found| start + found)
}

/// Formats the position of the tag with this name as line and column.
fn format_position(text: &str, name: &Range<usize>) -> String {
    let Position { line, column } = Source::new("", text).position(name.start - 1);
    format!("line {line}, column {column}")
}

/// Converts roxmltree's 1-based row and column in characters to a byte offset; rows end with LF
/// only.
fn byte_offset(text: &str, position: roxmltree::TextPos) -> usize {
    let row = position.row.max(1) as usize;
    let start = if row == 1 {
        0
    } else {
        memchr::memchr_iter(b'\n', text.as_bytes()).nth(row - 2).map_or(text.len(), |at| at + 1)
    };
    text[start..]
        .char_indices()
        .nth(position.col.max(1) as usize - 1)
        .map_or(text.len(), |(at, _)| start + at)
}
