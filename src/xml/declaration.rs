//! The XML declaration at the beginning of a document.

use memchr::memmem;

use super::XmlError;
use super::guard::is_name_character;
use super::scan::StartTag;
use crate::text::BOM;

/// Checks the XML declaration at `start`, if there is one: roxmltree skips it unread, libxml2 does
/// not.
pub(super) fn check_declaration(text: &str, start: usize) -> Result<(), XmlError> {
    let rest = &text[start..];
    let Some(target) = rest.strip_prefix("<?") else { return Ok(()) };
    if !target.get(..3).is_some_and(|target| target.eq_ignore_ascii_case("xml"))
        || target[3..].starts_with(is_name_character)
    {
        return Ok(());
    }
    let declaration_error = |message| {
        XmlError::new(
            start,
            message,
            "write <?xml version='1.0' encoding='UTF-8'?>, or remove the declaration",
        )
    };
    if !target.starts_with("xml") {
        return Err(declaration_error("the XML declaration is not in lower case"));
    }
    let end = target
        .find("?>")
        .ok_or_else(|| declaration_error("the XML declaration is not terminated"))?;
    let as_tag = format!("<x{}>", &target[3..end]);
    let tag = StartTag::at(&as_tag, 0)
        .ok_or_else(|| declaration_error("the XML declaration is not well-formed"))?;
    for (index, attribute) in tag.attributes(&as_tag).enumerate() {
        match (index, &as_tag[attribute.name], &as_tag[attribute.value]) {
            (0, "version", version) if is_version_1(version) => {}
            (_, "encoding", encoding) if is_ascii(encoding) && !text.is_ascii() => {
                return Err(declaration_error(
                    "the XML declaration names ASCII, but the text has other characters",
                ));
            }
            (0, ..) => {
                return Err(declaration_error(
                    "the XML declaration does not start with version='1.0'",
                ));
            }
            (_, "encoding", encoding) if is_utf8(encoding) => {}
            (_, "encoding", encoding) => {
                let message = format!(
                    "the XML declaration has encoding='{}', not UTF-8",
                    encoding.escape_default()
                );
                return Err(XmlError::new(
                    start,
                    message,
                    how_to_declare_utf8(encoding, text.is_ascii()),
                ));
            }
            (_, "standalone", "yes" | "no") => {}
            _ => {
                return Err(declaration_error(
                    "the XML declaration has an unexpected attribute or value",
                ));
            }
        }
    }
    if tag.attributes(&as_tag).next().is_none() {
        return Err(declaration_error("the XML declaration has no version"));
    }
    Ok(())
}

/// Returns the encoding in the XML declaration of undecoded bytes; `None` if there is none, or it
/// is UTF-8.
pub(super) fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let begin = &bytes[..MAX_DECLARATION_LEN.min(bytes.len())];
    let length = memmem::find(begin, b"?>")?;
    let inside = std::str::from_utf8(&begin[..length])
        .ok()?
        .trim_start_matches(BOM)
        .strip_prefix("<?xml")?;
    let as_tag = format!("<x{inside}>");
    let attribute = StartTag::at(&as_tag, 0)?
        .attributes(&as_tag)
        .find(|attribute| &as_tag[attribute.name.clone()] == "encoding")?;
    let encoding = &as_tag[attribute.value];
    if is_encoding_name(encoding) && !is_utf8(encoding) { Some(encoding.to_owned()) } else { None }
}

/// Returns the advice for converting a file that really has the declared encoding.
pub(super) fn how_to_convert(encoding: &str) -> String {
    format!(
        "convert the file to UTF-8 with `iconv -f {encoding} -t UTF-8`, and write encoding='UTF-8' in its first line: gvtg-xml \
         reads only UTF-8, the encoding that libvirt writes"
    )
}

/// Returns the advice for a document that declares another encoding but is readable as UTF-8.
fn how_to_declare_utf8(encoding: &str, is_ascii: bool) -> String {
    match is_ascii {
        true => "write encoding='UTF-8' in the first line: the text is plain ASCII, and gvtg-xml reads only UTF-8".to_owned(),
        false if is_encoding_name(encoding) => {
            format!("{}; if the file already is UTF-8, change only its first line", how_to_convert(encoding))
        }
        false => "write encoding='UTF-8' in the first line: the text looks like UTF-8, the only encoding that gvtg-xml reads".to_owned(),
    }
}

/// Maximum length in bytes of a declaration; more is not searched.
const MAX_DECLARATION_LEN: usize = 1024;

/// Whether XML allows this name for an encoding (`EncName`). Such a name needs no quoting in a
/// command.
fn is_encoding_name(encoding: &str) -> bool {
    encoding.starts_with(|c: char| c.is_ascii_alphabetic())
        && encoding.len() <= 40
        && encoding
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

fn is_version_1(version: &str) -> bool {
    version.strip_prefix("1.").is_some_and(|minor| minor.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_utf8(encoding: &str) -> bool {
    is_ascii(encoding) || ["utf-8", "utf8"].iter().any(|name| encoding.eq_ignore_ascii_case(name))
}

fn is_ascii(encoding: &str) -> bool {
    ["us-ascii", "ascii"].iter().any(|name| encoding.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        check_declaration(text, 0)
            .map_or_else(|error| format!("{}: {}", error.offset, error.message), |()| "fine".into())
    }

    #[test]
    fn rejects_what_libxml2_rejects() {
        assert_eq!(
            error("<?XmL version='1.0'?><a/>"),
            "0: the XML declaration is not in lower case"
        );
        assert_eq!(
            error("<?xml version='9'?><a/>"),
            "0: the XML declaration does not start with version='1.0'"
        );
        assert_eq!(
            error("<?xml version='1.0' encoding='klingon'?><a/>"),
            "0: the XML declaration has encoding='klingon', not UTF-8"
        );
        assert_eq!(
            error("<?xml encoding='UTF-8'?><a/>"),
            "0: the XML declaration does not start with version='1.0'"
        );
        assert_eq!(error("<?xml ?><a/>"), "0: the XML declaration has no version");
        assert_eq!(
            error("<?xml version='1.x'?><a/>"),
            "0: the XML declaration does not start with version='1.0'"
        );
        assert_eq!(
            error("<?xml version='1.0' encoding='ascii'?><a>é</a>"),
            "0: the XML declaration names ASCII, but the text has other characters"
        );
    }

    #[test]
    fn accepts_what_libxml2_accepts() {
        for text in [
            "<a/>",
            "<?xml version=\"1.0\" encoding='utf-8' standalone='yes'?><a/>",
            "<?xml-stylesheet href='x'?><a/>",
            "<?xmlé?>",
        ] {
            assert_eq!(error(text), "fine", "{text}");
        }
    }
}
