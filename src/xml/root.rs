//! Finds the root element's name in bytes that may not be readable XML: UTF-16, damaged, or with a
//! document type declaration.

use std::borrow::Cow;

use memchr::{memchr, memmem};

use super::guard::is_name_character;
use crate::text::BOM;

/// Returns the root element's name without reading the rest; `None` if it is unclear, as in plain
/// text, binary data and truncated files.
///
/// UTF-16 and UTF-32 are read as ASCII, which is enough for the name.
pub fn root_name(bytes: &[u8]) -> Option<String> {
    let bytes = without_byte_order_mark(bytes);
    let narrow: Cow<'_, [u8]> = match memchr(0, bytes) {
        Some(_) => Cow::Owned(bytes.iter().copied().filter(|byte| *byte != 0).collect()),
        None => Cow::Borrowed(bytes),
    };
    let text = String::from_utf8_lossy(&narrow);
    // A byte order mark that an editor could not decode becomes two replacement characters.
    let text = text.trim_start_matches([BOM, char::REPLACEMENT_CHARACTER]);
    // Editors add a line ending to a document that was cut off within a name.
    first_name(text.trim_end()).map(str::to_owned)
}

/// Returns the bytes after a byte order mark of UTF-16 or UTF-32, without the NUL bytes of the
/// latter.
fn without_byte_order_mark(bytes: &[u8]) -> &[u8] {
    let marks: [&[u8]; 4] = [b"\0\0\xfe\xff", b"\xff\xfe\0\0", b"\xff\xfe", b"\xfe\xff"];
    marks.iter().find_map(|mark| bytes.strip_prefix(*mark)).unwrap_or(bytes)
}

fn first_name(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let (mut at, mut document_type) = (0, None);
    while let Some(found) = memchr(b'<', &bytes[at..]) {
        // Binary data may contain a `<` by chance.
        if !is_text(&text[at..at + found]) {
            return None;
        }
        let start = at + found;
        let rest = &text[start..];
        let skipped = if let Some(comment) = rest.strip_prefix("<!--") {
            end_of(comment, "-->").map(|end| 4 + end)
        } else if rest.starts_with("<?") {
            end_of(rest, "?>")
        } else if rest.starts_with("<%") {
            end_of(rest, "%>")
        } else if let Some(name) = document_type_name(rest) {
            document_type = if is_cut_off(name, text) { None } else { Some(name) };
            end_of_document_type(rest)
        } else {
            let name = name_at(&rest[1..]);
            let is_name = name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | ':'));
            match rest[1 + name.len()..].chars().next() {
                Some(next)
                    if is_name && (next.is_ascii_whitespace() || matches!(next, '/' | '>')) =>
                {
                    return Some(name);
                }
                // The text ends within the name.
                None if is_name && !is_cut_off(name, text) => return Some(name),
                // `<6>` begins a line of a log.
                Some(next)
                    if next.is_ascii_digit() || name.starts_with(|c: char| c.is_ascii_digit()) =>
                {
                    return None;
                }
                None => None,
                Some(_) => Some(1),
            }
        };
        match skipped {
            Some(length) => at = start + length,
            None => return document_type,
        }
    }
    document_type
}

/// Whether the text ends with this name and the name may be the truncated start of `domain`.
fn is_cut_off(name: &str, text: &str) -> bool {
    "domain".starts_with(name) && text.ends_with(name) && name != "domain"
}

/// Whether a string holds no replacement characters and no control characters except white space.
fn is_text(text: &str) -> bool {
    text.chars()
        .all(|c| c != char::REPLACEMENT_CHARACTER && (!c.is_control() || c.is_ascii_whitespace()))
}

fn end_of(text: &str, close: &str) -> Option<usize> {
    memmem::find(text.as_bytes(), close.as_bytes()).map(|at| at + close.len())
}

fn name_at(text: &str) -> &str {
    let end = text.find(|c: char| !is_name_character(c)).unwrap_or(text.len());
    &text[..end]
}

/// Returns the name in a document type declaration; `None` if the text does not begin with one, or
/// it has no name.
fn document_type_name(text: &str) -> Option<&str> {
    const OPEN: &str = "<!DOCTYPE";
    let rest = text.get(OPEN.len()..).filter(|_| text[..OPEN.len()].eq_ignore_ascii_case(OPEN))?;
    let name = name_at(rest.trim_start());
    if name.is_empty() { None } else { Some(name) }
}

/// Returns the length of a document type declaration, or up to the next tag if its end is missing;
/// `None` if nothing follows.
fn end_of_document_type(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut is_inside) = (1, false);
    loop {
        let byte = *bytes.get(at)?;
        at += match byte {
            b'"' | b'\'' => 2 + memchr(byte, &bytes[at + 1..])?,
            b'<' if text[at..].starts_with("<!--") => 4 + end_of(&text[at + 4..], "-->")?,
            b'<' if text[at..].starts_with("<?") => end_of(&text[at..], "?>")?,
            b'>' if !is_inside => return Some(at + 1),
            b'<' if !is_inside => return Some(at),
            _ => {
                is_inside = byte == b'[' || is_inside && byte != b']';
                1
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root_or_unclear(bytes: impl AsRef<[u8]>) -> String {
        root_name(bytes.as_ref()).unwrap_or_else(|| "(unclear)".into())
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn finds_the_root_after_everything_that_may_precede_it() {
        for text in [
            "<domain type='kvm'>",
            "\u{feff}<?xml version='1.0'?>\n<!-- <network> -->\n<domain/>",
            "<!DOCTYPE domain><domain>",
            "<!DOCTYPE domain [<!ENTITY a '>'><!-- ]> --><?x ]>?>]>\n<domain>",
            "<!DOCTYPE domain SYSTEM 'domain.dtd' [",
            "<!DOCTYPE<domain type='kvm'><name>x</name></domain>",
            "<!DOCTYPE <domain/>",
            "<!DOCTYPE domain<domain type='kvm'><name>x</name></domain>",
            "<!DOCTYPE domain\n<domain><name>x</name></domain>",
            "<!DOCTYPE [<!ENTITY a 'b'>]><domain/>",
            "<!DOCTYPE domain\n",
            "<%- if vgpu -%>\n<domain type='kvm'>",
            "{% set name = 1 %}\n<domain type='kvm'>",
            "```xml\n<domain type='kvm'>",
        ] {
            assert_eq!(root_or_unclear(text), "domain", "{text}");
        }
        assert_eq!(root_or_unclear("<!doctype html>\n<html><br>"), "html");
        assert_eq!(root_or_unclear("<!DOCTYPE html>\n"), "html");
        assert_eq!(root_or_unclear("<!-- domain --><network><domain name='x'/>"), "network");
        assert_eq!(root_or_unclear("<x:domain xmlns:x='u'/>"), "x:domain");
        assert_eq!(root_or_unclear(b"<!-- caf\xe9 -->\n<network>"), "network");
    }

    #[test]
    fn reads_ascii_in_wide_encodings() {
        let text = "<?xml version='1.0' encoding='UTF-16'?>\n<!-- é -->\n<domain type='kvm'>\n<name>é</name></domain>";
        assert_eq!(root_or_unclear(utf16(text, u16::to_le_bytes)), "domain");
        assert_eq!(root_or_unclear(utf16(text, u16::to_be_bytes)), "domain");
        assert_eq!(root_or_unclear(utf16(&format!("\u{feff}{text}"), u16::to_le_bytes)), "domain");
        assert_eq!(root_or_unclear(utf16(&format!("\u{feff}{text}"), u16::to_be_bytes)), "domain");
        assert_eq!(root_or_unclear(utf16("\u{feff}<network/>", u16::to_le_bytes)), "network");
        let utf32: Vec<u8> =
            "\u{feff}<domain>".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        assert_eq!(root_or_unclear(utf32), "domain");
        assert_eq!(
            root_or_unclear("\u{fffd}\u{fffd}<\0d\0o\0m\0a\0i\0n\0>\0"),
            "domain",
            "as an editor shows it"
        );
    }

    #[test]
    fn leaves_the_root_of_text_and_binary_data_unclear() {
        for bytes in [
            &b"\x1f\x8b\x08\0<a >"[..],
            b"\0\0\0\0",
            b"\x03<domain>",
            b"<dom",
            b"<dom\n",
            b"<dom \r\n",
            b"<!DOCTYPE",
            b"<!DOCTYPE dom\n",
            b"<",
            b"<!-- never ends",
            b"\xff\xfe",
            b"caf\xe9",
        ] {
            assert_eq!(root_or_unclear(bytes), "(unclear)", "{bytes:?}");
        }
        for text in ["", " \n", "no XML at all", "a < b", "<6>libvirtd: <domain type='kvm'>"] {
            assert_eq!(root_or_unclear(text), "(unclear)", "{text}");
        }
        assert_eq!(root_or_unclear("<netw"), "netw");
        assert_eq!(root_or_unclear("<domains"), "domains");
    }

    #[test]
    fn does_not_panic_on_malformed_text() {
        let text = "<!DOCTYPE é [<!ENTITY b \"'\"><!-- ] -->]><?x?><%é%><!x><1><é a='é'>";
        for (cut, _) in text.char_indices() {
            root_name(&text.as_bytes()[..cut]);
            root_name(&text.as_bytes()[cut..]);
        }
    }
}
