//! Checks a document before roxmltree parses it. Rejects what roxmltree would need more than linear
//! time for, and errors that libxml2, libvirt's parser, reports but roxmltree does not. The checks
//! fit roxmltree 0.21.2: compare its running times and errors again when it is updated.

mod attributes;
mod quick;
mod tags;

use memchr::memchr;

use super::XmlError;
use super::declaration::check_declaration;
use crate::text::BOM;
use quick::needs_full_check;
use tags::check_each_tag;

/// Checks a document in one quick pass, and each tag only if the quick pass finds a reason to.
pub(super) fn check(text: &str) -> Result<(), XmlError> {
    let start = if text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
    if text[start..].trim_matches([' ', '\t', '\r', '\n']).is_empty() {
        return Err(XmlError::new(text.len(), "the input is empty", EMPTY));
    }
    if let Some(at) = memchr(0, text.as_bytes()) {
        // In UTF-16, one byte of the first character is NUL, because that character is ASCII.
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
    fn rejects_empty_input_utf16_and_a_dtd() {
        assert_eq!(error(""), "0: the input is empty");
        assert_eq!(error("\u{feff} \n"), "5: the input is empty");
        assert_eq!(error("<\0a\0>\0"), "1: a NUL character");
        assert_eq!(error("<!DOCTYPE a><a/>"), "0: a document type declaration (DTD)");
    }
}
