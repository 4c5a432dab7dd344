//! The XML declaration at the very beginning of a text.

use super::XmlError;
use super::guard::is_name_character;
use super::scan::StartTag;

/// The XML declaration: roxmltree skips whatever stands there, libxml2 reads it.
pub(super) fn declaration(text: &str, start: usize) -> Result<(), XmlError> {
    let rest = &text[start..];
    let Some(target) = rest.strip_prefix("<?") else { return Ok(()) };
    if !target.get(..3).is_some_and(|target| target.eq_ignore_ascii_case("xml")) || target[3..].starts_with(is_name_character) {
        return Ok(());
    }
    let wrong = |message| XmlError::new(start, message, "write <?xml version='1.0' encoding='UTF-8'?> or leave it out");
    if !target.starts_with("xml") {
        return Err(wrong("the XML declaration is not in lower case"));
    }
    let end = target.find("?>").ok_or_else(|| wrong("the XML declaration never ends"))?;
    let as_tag = format!("<x{}>", &target[3..end]);
    let tag = StartTag::at(&as_tag, 0).ok_or_else(|| wrong("the XML declaration is not well-formed"))?;
    for (index, attribute) in tag.attributes(&as_tag).enumerate() {
        match (index, &as_tag[attribute.name], &as_tag[attribute.value]) {
            (0, "version", version) if is_version_1(version) => {}
            (_, "encoding", encoding) if is_ascii(encoding) && !text.is_ascii() => {
                return Err(wrong("the XML declaration says ASCII, and the text has other characters"));
            }
            (0, ..) => return Err(wrong("the XML declaration does not begin with version='1.0'")),
            (_, "encoding", encoding) if is_utf8(encoding) => {}
            (_, "encoding", encoding) => {
                let message = format!("the XML declaration says encoding='{}'", encoding.escape_default());
                return Err(XmlError::new(
                    start,
                    message,
                    "libvirt reads UTF-8 only: convert the file and its declaration (iconv -t UTF-8)",
                ));
            }
            (_, "standalone", "yes" | "no") => {}
            _ => return Err(wrong("the XML declaration has something that does not belong there")),
        }
    }
    if tag.attributes(&as_tag).next().is_none() {
        return Err(wrong("the XML declaration has no version"));
    }
    Ok(())
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
        declaration(text, 0).map_or_else(|error| format!("{}: {}", error.offset, error.message), |()| "fine".into())
    }

    #[test]
    fn what_libxml2_refuses_is_refused() {
        assert_eq!(error("<?XmL version='1.0'?><a/>"), "0: the XML declaration is not in lower case");
        assert_eq!(error("<?xml version='9'?><a/>"), "0: the XML declaration does not begin with version='1.0'");
        assert_eq!(error("<?xml version='1.0' encoding='klingon'?><a/>"), "0: the XML declaration says encoding='klingon'");
        assert_eq!(error("<?xml encoding='UTF-8'?><a/>"), "0: the XML declaration does not begin with version='1.0'");
        assert_eq!(error("<?xml ?><a/>"), "0: the XML declaration has no version");
        assert_eq!(error("<?xml version='1.x'?><a/>"), "0: the XML declaration does not begin with version='1.0'");
        assert_eq!(
            error("<?xml version='1.0' encoding='ascii'?><a>é</a>"),
            "0: the XML declaration says ASCII, and the text has other characters"
        );
    }

    #[test]
    fn what_it_takes_is_fine() {
        for text in ["<a/>", "<?xml version=\"1.0\" encoding='utf-8' standalone='yes'?><a/>", "<?xml-stylesheet href='x'?><a/>", "<?xmlé?>"]
        {
            assert_eq!(error(text), "fine", "{text}");
        }
    }
}
