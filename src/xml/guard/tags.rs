//! The check of each tag, comment and processing instruction.

use std::ops::Range;

use super::attributes::{check_attributes, check_references, leading_colon_error};
use super::is_name_character;
use crate::xml::XmlError;
use crate::xml::limits::{MAX_DECLARATIONS, MAX_DEPTH, QEMU_DECLARATION};
use crate::xml::scan::{Piece, pieces};

/// Checks each tag.
pub(super) fn check_each_tag(text: &str, start: usize) -> Result<(), XmlError> {
    let mut depth = 0usize;
    let mut declarations = 0;
    let mut previous_end = start;
    let mut max_declarations = None;
    for piece in pieces(text, start) {
        let span = match piece {
            Piece::Start(tag) => {
                check_references(text, previous_end..tag.span.start)?;
                declarations += check_attributes(text, &tag)?;
                let declares_qemu = || {
                    tag.attributes(text).any(|attribute| &text[attribute.name] == QEMU_DECLARATION)
                };
                if declarations
                    > *max_declarations
                        .get_or_insert_with(|| MAX_DECLARATIONS + usize::from(declares_qemu()))
                {
                    let message = format!("more than {MAX_DECLARATIONS} namespace declarations");
                    return Err(XmlError::new(
                        tag.span.start,
                        message,
                        "check where the file comes from: libvirt writes two or three at most",
                    ));
                }
                depth += usize::from(!tag.self_closing);
                if depth > MAX_DEPTH {
                    let message = format!("elements are nested deeper than {MAX_DEPTH} levels");
                    return Err(XmlError::new(
                        tag.span.start,
                        message,
                        "reduce the nesting: libvirt does not read anything deeper",
                    ));
                }
                tag.span
            }
            Piece::End { span, name } => {
                check_references(text, previous_end..span.start)?;
                if text[name].starts_with(':') {
                    return Err(leading_colon_error(span.start));
                }
                depth = depth.saturating_sub(1);
                span
            }
            Piece::Comment(span) | Piece::CharacterData(span) => {
                check_references(text, previous_end..span.start)?;
                span
            }
            Piece::Instruction(span) => {
                check_references(text, previous_end..span.start)?;
                check_instruction(text, &span, start)?;
                span
            }
            Piece::Declaration(at) => return Err(doctype_error(text, at)),
            // roxmltree reports what is wrong.
            Piece::Unfinished(..) => return Ok(()),
        };
        previous_end = span.end;
    }
    Ok(())
}

/// Checks a processing instruction, or the XML declaration if it is at `start`, the beginning of
/// the document.
fn check_instruction(text: &str, span: &Range<usize>, start: usize) -> Result<(), XmlError> {
    let target = &text[span.start + 2..span.end];
    let (name, rest) =
        target.split_at(target.find(|c| !is_name_character(c)).unwrap_or(target.len()));
    if !rest.starts_with("?>") && !rest.starts_with([' ', '\t', '\r', '\n']) {
        let message = "no space after the name of a processing instruction";
        return Err(XmlError::new(
            span.start,
            message,
            "remove it: no program that reads domain XML uses processing instructions",
        ));
    }
    if name.contains(':') {
        let message = format!("a colon in the name of a processing instruction ({name})");
        return Err(XmlError::new(
            span.start,
            message,
            "remove it: no program that reads domain XML uses processing instructions",
        ));
    }
    if span.start != start && name.eq_ignore_ascii_case("xml") {
        return Err(XmlError::new(
            span.start,
            "an XML declaration that is not at the very beginning",
            "remove it, or move it to the beginning of the file",
        ));
    }
    Ok(())
}

fn doctype_error(text: &str, at: usize) -> XmlError {
    let is_doctype =
        text[at..].get(..9).is_some_and(|begin| begin.eq_ignore_ascii_case("<!doctype"));
    let what = if is_doctype {
        "a document type declaration (DTD)"
    } else {
        "a declaration outside a DTD"
    };
    XmlError::new(at, what, "remove it, and write out any entities that it declares")
}
