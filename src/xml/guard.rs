//! Checks a text before roxmltree parses it: limits on what takes more than linear time, and errors
//! that roxmltree accepts but libxml2, libvirt's parser, does not. Measured on roxmltree 0.21.2;
//! research notes in ARCHITECTURE.md.

use std::ops::Range;

use memchr::{memchr, memchr_iter, memmem, memrchr};

use super::XmlError;
use super::declaration::check_declaration;
use super::scan::{Piece, StartTag, is_character, is_space, pieces};
use crate::text::BOM;

/// Maximum number of attributes of an element: roxmltree compares each with each other. Real
/// elements have at most a dozen. Attributes that `fix` may write do not count, so that `fix` never
/// makes a document unreadable.
const MAX_ATTRIBUTES: usize = 128;
const ATTRIBUTES_WRITTEN_BY_FIX: &[&str] = &[
    QEMU_DECLARATION,
    "mode",
    "type",
    "managed",
    "model",
    "display",
    "ramfb",
    "uuid",
    "name",
    "value",
    "id",
];

/// Maximum number of namespace declarations: roxmltree's work grows with the cube of their number,
/// and it searches all of them for each prefix. Real domains have at most a dozen. The declaration
/// of QEMU's namespace on the root, which `fix` may write, does not count.
const MAX_DECLARATIONS: usize = 128;
const QEMU_DECLARATION: &str = "xmlns:qemu";

/// Maximum depth of elements: libxml2's limit without XML_PARSE_HUGE, which libvirt does not set
/// (`xmlParserMaxDepth`).
const MAX_LEVELS: usize = 256;

/// Maximum length of a name: libxml2's `XML_MAX_NAME_LENGTH`.
const MAX_NAME_BYTES: usize = 50_000;

/// Maximum number of bytes around an `=`: with more than 255, roxmltree reports a wrong position
/// for the attribute.
const MAX_EQUALS_BYTES: usize = 200;

/// A tag shorter than this cannot exceed any of the limits.
const MIN_SUSPECT_BYTES: usize = MAX_EQUALS_BYTES;

/// Checks a text in one quick pass, and each tag only if the quick pass found a reason to.
pub(super) fn check(text: &str) -> Result<(), XmlError> {
    let start = if text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
    if text[start..].trim_matches([' ', '\t', '\r', '\n']).is_empty() {
        return Err(XmlError::new(text.len(), "the input is empty", EMPTY));
    }
    if let Some(at) = memchr(0, text.as_bytes()) {
        let help = if at <= 1 {
            UTF_16
        } else {
            "check the file: XML cannot contain NUL characters, so it is damaged or not XML"
        };
        return Err(XmlError::new(at, "a NUL character", help));
    }
    check_declaration(text, start)?;
    if needs_full_check(text, start) { check_each_tag(text, start) } else { Ok(()) }
}

pub(super) const UTF_16: &str = "convert the file to UTF-8 (`iconv -f UTF-16 -t UTF-8`): it looks like UTF-16, which neither gvtg-xml nor libvirt reads";
const EMPTY: &str =
    "use a domain's XML, as `virsh dumpxml --inactive --security-info win10` prints it";

/// `NameChar` of the XML 1.0 grammar.
pub(super) fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '-' | '_' | '.' | ':' | '\u{b7}' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{37d}')
        || matches!(c, '\u{37f}'..='\u{1fff}' | '\u{200c}' | '\u{200d}' | '\u{203f}' | '\u{2040}' | '\u{2070}'..='\u{218f}')
        || matches!(c, '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}')
        || matches!(c, '\u{10000}'..='\u{effff}')
}

/// Whether the text may have an error that [`check_each_tag`] finds. There are no false
/// negatives, except that a start tag with `/>` in an attribute's value is not counted as a level,
/// which is harmless.
///
/// Comments and CDATA can cause false positives. A tag that contains a bare `<` is left to
/// roxmltree, which reports it.
fn needs_full_check(text: &str, start: usize) -> bool {
    let bytes = text.as_bytes();
    if check_references(text, 0..text.len()).is_err() || are_declarations_suspect(text) {
        return true;
    }
    // A name that begins with a colon.
    if memchr_iter(b':', bytes)
        .any(|at| at > 0 && (is_space(bytes[at - 1]) || matches!(bytes[at - 1], b'<' | b'/')))
    {
        return true;
    }
    let is_suspect =
        |from: usize, to: usize| to - from > MIN_SUSPECT_BYTES && is_tag_suspect(text, from..to);
    let mut depth = 0usize;
    let mut previous = 0;
    let mut close = 0;
    for at in memchr_iter(b'<', bytes) {
        if is_suspect(previous, at) {
            return true;
        }
        previous = at;
        match bytes.get(at + 1) {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(b'!')
                if !bytes[at..].starts_with(b"<!--") && !bytes[at..].starts_with(b"<![CDATA[") =>
            {
                return true;
            }
            // The common XML declaration at the beginning has been checked already.
            Some(b'?') if at != start || !bytes[at..].starts_with(b"<?xml ") => return true,
            Some(b'!' | b'?') | None => {}
            Some(_) => {
                // Searched once, even if many `<` precede it.
                if close <= at {
                    close = memchr(b'>', &bytes[at..]).map_or(bytes.len(), |found| at + found);
                }
                if bytes[close - 1] != b'/' {
                    depth += 1;
                    if depth > MAX_LEVELS {
                        return true;
                    }
                }
            }
        }
    }
    is_suspect(previous, bytes.len())
}

/// Whether there are too many namespace declarations, or a tag with one has an error.
fn are_declarations_suspect(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut seen = 0;
    for (count, at) in memmem::find_iter(bytes, b"xmlns").enumerate() {
        if count == MAX_DECLARATIONS {
            return true;
        }
        // Without a `<` since the previous declaration, this one is in the same tag.
        if let Some(start) = memrchr(b'<', &bytes[seen..at]).map(|found| seen + found) {
            let end = memchr(b'<', &bytes[at..]).map_or(bytes.len(), |found| at + found);
            if is_tag_suspect(text, start..end) {
                return true;
            }
        }
        seen = at;
    }
    false
}

/// Whether the start tag in a range, which begins with `<` and contains no other, has an error.
fn is_tag_suspect(text: &str, range: Range<usize>) -> bool {
    StartTag::at(&text[..range.end], range.start)
        .is_some_and(|tag| check_attributes(text, &tag).is_err())
}

/// Checks each tag.
fn check_each_tag(text: &str, start: usize) -> Result<(), XmlError> {
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
                if depth > MAX_LEVELS {
                    let message = format!("elements are nested deeper than {MAX_LEVELS} levels");
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
                    let message =
                        format!("a colon in the name of a processing instruction ({name})");
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

fn leading_colon_error(at: usize) -> XmlError {
    XmlError::new(
        at,
        "a name that starts with a colon",
        "remove the colon, or put a prefix before it",
    )
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

/// Checks a tag's attributes, and returns the number of its namespace declarations.
fn check_attributes(text: &str, tag: &StartTag) -> Result<usize, XmlError> {
    if tag.name.len() > MAX_NAME_BYTES {
        return Err(XmlError::new(
            tag.span.start,
            format!("a name longer than {MAX_NAME_BYTES} bytes"),
            "shorten it: libvirt does not read longer names",
        ));
    }
    if text[tag.name.clone()].starts_with(':') {
        return Err(leading_colon_error(tag.span.start));
    }
    let mut count = 0;
    let mut declarations = 0;
    let mut has_default = false;
    for attribute in tag.attributes(text) {
        let name = &text[attribute.name.clone()];
        count += usize::from(!ATTRIBUTES_WRITTEN_BY_FIX.contains(&name));
        if count > MAX_ATTRIBUTES {
            let message = format!("an element with more than {MAX_ATTRIBUTES} attributes");
            return Err(XmlError::new(
                tag.span.start,
                message,
                "check where the file comes from: libvirt writes a handful at most",
            ));
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(XmlError::new(
                attribute.name.start,
                format!("a name longer than {MAX_NAME_BYTES} bytes"),
                "shorten it: libvirt does not read longer names",
            ));
        }
        if attribute.value.start - attribute.name.end > MAX_EQUALS_BYTES {
            let message = format!("more than {MAX_EQUALS_BYTES} bytes around an equals sign");
            return Err(XmlError::new(
                attribute.name.start,
                message,
                "write the attribute as name='value'",
            ));
        }
        if name == "xmlns" && std::mem::replace(&mut has_default, true) {
            return Err(XmlError::new(
                attribute.name.start,
                "the attribute xmlns appears twice in one tag",
                "remove one of them",
            ));
        }
        if name.ends_with(":xmlns") {
            return Err(XmlError::new(
                attribute.name.start,
                format!("xmlns can't have a prefix ({name})"),
                "write xmlns:PREFIX='URI'",
            ));
        }
        if name.starts_with(':') {
            return Err(leading_colon_error(attribute.name.start));
        }
        if name.starts_with("xmlns:") && attribute.value.is_empty() {
            let message = format!("{name} declares a prefix without a URI");
            return Err(XmlError::new(
                attribute.name.start,
                message,
                "add the prefix's URI, or remove the declaration",
            ));
        }
        declarations += usize::from(name == "xmlns" || name.starts_with("xmlns:"));
        check_references(text, attribute.value)?;
    }
    Ok(declarations)
}

/// Rejects references to invalid characters, which roxmltree replaces with U+FFFD.
fn check_references(text: &str, range: Range<usize>) -> Result<(), XmlError> {
    let slice = &text[range.clone()];
    for found in memmem::find_iter(slice.as_bytes(), b"&#") {
        let at = range.start + found;
        let rest = &slice[found + 2..];
        let digits = &rest[..rest.find(';').unwrap_or(0)];
        let code = match digits.strip_prefix('x') {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => digits.parse(),
        };
        let valid = digits.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && code.ok().and_then(char::from_u32).is_some_and(is_character);
        if !valid {
            let shown: String = rest.chars().take(12).take_while(|&c| c != ';').collect();
            return Err(XmlError::new(
                at,
                format!("&#{}; is not a valid character", shown.escape_default()),
                "use a character that XML allows",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        check(text)
            .map_or_else(|error| format!("{}: {}", error.offset, error.message), |()| "fine".into())
    }

    #[test]
    fn rejects_what_only_libxml2_rejects() {
        assert_eq!(
            error("<a xmlns='u' xmlns='v'/>"),
            "13: the attribute xmlns appears twice in one tag"
        );
        assert_eq!(
            error("<a xmlns:p='u' p:xmlns='v'/>"),
            "15: xmlns can't have a prefix (p:xmlns)"
        );
        assert_eq!(error("<a>&#xD800;</a>"), "3: &#xD800; is not a valid character");
        for following in ["<![CDATA[x]]>", "<!-- x -->", "<?x?>"] {
            assert_eq!(
                error(&format!("<a>&#xD800;{following}</a>")),
                "3: &#xD800; is not a valid character",
                "{following}"
            );
        }
        assert_eq!(error("<a b='&#x110000;'/>"), "6: &#x110000; is not a valid character");
        assert_eq!(error("<a>&#0;</a>"), "3: &#0; is not a valid character");
        assert_eq!(error("<a xmlns:p=''/>"), "3: xmlns:p declares a prefix without a URI");
        assert_eq!(error("<:a/>"), "0: a name that starts with a colon");
        assert_eq!(error("<a\n:b=''/>"), "3: a name that starts with a colon");
        assert_eq!(
            error("<a><?b:c d?></a>"),
            "3: a colon in the name of a processing instruction (b:c)"
        );
        assert_eq!(error("<source></:source>"), "8: a name that starts with a colon");
        assert_eq!(
            error("<a><?x'?></a>"),
            "3: no space after the name of a processing instruction"
        );
        assert_eq!(error("<?x=''?><a/>"), "0: no space after the name of a processing instruction");
        assert_eq!(
            error("<a/><?xml version='1.0'?>"),
            "4: an XML declaration that is not at the very beginning"
        );
    }

    #[test]
    fn accepts_what_both_accept() {
        for text in [
            "<?xml version='1.0' encoding=\"utf-8\" standalone='no'?>\n<a/>",
            "<?xml-stylesheet href='x'?><a/>",
            "<?x?><a><?y\n?><?é\u{b7}\u{300} z'?></a>",
            "\u{feff}<?xml\nversion='1.0'?><a/>",
            "<a><![CDATA[&#xD800;]]><!-- &#0; --></a>",
            "<a b='&#10;'>&#x10FFFF;</a>",
            "<!-- <a xmlns='u' xmlns='v'/> --><a xmlns='u'><b xmlns='v' c='xmlns'/></a>",
        ] {
            assert_eq!(error(text), "fine", "{text}");
        }
    }

    #[test]
    fn rejects_what_takes_more_than_linear_time() {
        let attributes: String = (0..129).map(|index| format!(" a{index}=''")).collect();
        assert_eq!(
            error(&format!("<a{attributes}/>")),
            "0: an element with more than 128 attributes"
        );
        let attributes: String = (0..128).map(|index| format!(" a{index}=''")).collect();
        assert_eq!(
            error(&format!("<a{attributes} xmlns:qemu='u' type=''/>")),
            "fine",
            "fix may have written the last two"
        );
        let declarations: String = (0..128).map(|index| format!("<b xmlns='u{index}'/>")).collect();
        assert_eq!(error(&format!("<a xmlns:qemu='u'>{declarations}</a>")), "fine");
        assert!(
            error(&format!("<a xmlns:qemu='u'><b xmlns:qemu='u'/>{declarations}</a>"))
                .ends_with("more than 128 namespace declarations")
        );
        let declarations: String = (0..129).map(|index| format!("<b xmlns='u{index}'/>")).collect();
        assert!(
            error(&format!("<a>{declarations}</a>"))
                .ends_with("more than 128 namespace declarations")
        );
        let levels = "<a>".repeat(257);
        assert_eq!(error(&levels), "768: elements are nested deeper than 256 levels");
        assert_eq!(error(&"<a>".repeat(256)), "fine", "roxmltree says that it is unfinished");
    }

    #[test]
    fn names_empty_input_and_utf16() {
        assert_eq!(error(""), "0: the input is empty");
        assert_eq!(error("\u{feff} \n"), "5: the input is empty");
        assert_eq!(error("<\0a\0>\0"), "1: a NUL character");
        assert_eq!(error("<!DOCTYPE a><a/>"), "0: a document type declaration (DTD)");
    }
}
