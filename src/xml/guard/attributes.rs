//! Checks of a tag's attributes, and of character references.

use std::ops::Range;

use memchr::memmem;

use crate::xml::XmlError;
use crate::xml::limits::{
    ATTRIBUTES_WRITTEN_BY_FIX, MAX_ATTRIBUTES, MAX_EQUALS_BYTES, MAX_NAME_BYTES,
};
use crate::xml::scan::{StartTag, is_character};

/// Checks a tag's attributes, and returns the number of its namespace declarations.
pub(super) fn check_attributes(text: &str, tag: &StartTag) -> Result<usize, XmlError> {
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
pub(super) fn check_references(text: &str, range: Range<usize>) -> Result<(), XmlError> {
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

pub(super) fn leading_colon_error(at: usize) -> XmlError {
    XmlError::new(
        at,
        "a name that starts with a colon",
        "remove the colon, or put a prefix before it",
    )
}
