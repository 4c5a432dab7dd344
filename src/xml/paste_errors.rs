//! Recognizes what an editor, a web page, a chat or a template left in a document: typographic
//! quotes, no-break spaces, Markdown fences, escaped HTML and template syntax. An XML parser only
//! reports an unexpected character.

use super::{XmlError, XmlErrorKind};
use crate::text::BOM;

/// Quotes that word processors and web pages put in place of `'` and `"`.
const TYPOGRAPHIC_QUOTES: &[char] =
    &['‘', '’', '‚', '‛', '“', '”', '„', '‟', '′', '″', '«', '»', '‹', '›', '`', '´', '＇', '＂'];

/// Characters that look like a space or are invisible, and are not white space in XML.
const INVISIBLE: &[(char, &str)] = &[
    ('\u{a0}', "a no-break space"),
    ('\u{202f}', "a narrow no-break space"),
    ('\u{2007}', "a figure space"),
    ('\u{2009}', "a thin space"),
    ('\u{3000}', "an ideographic space"),
    ('\u{ad}', "a soft hyphen"),
    ('\u{200b}', "a zero-width space"),
    ('\u{2060}', "a word joiner"),
    ('\u{feff}', "a byte order mark"),
];

/// Delimiters of template expressions: ERB, Jinja and Go, shell and Terraform, FreeMarker.
const TEMPLATE: &[(&str, &str)] =
    &[("<%", "%>"), ("{{", "}}"), ("{%", "%}"), ("{#", "#}"), ("${", "}"), ("<#", ">")];

/// Maximum number of characters of an expression that a message quotes.
const MAX_EXPRESSION: usize = 60;

/// Returns an error that names what was pasted at its place, or else the given error.
pub(super) fn clarify(text: &str, error: XmlError) -> XmlError {
    if error.kind != XmlErrorKind::NotWellFormed {
        return error;
    }
    let at = error.offset.min(text.len());
    fence(text, at)
        .or_else(|| template(text, at))
        .or_else(|| invisible(text, at))
        .or_else(|| quote(text, at))
        .or_else(|| escaped_html(text))
        .unwrap_or(error)
}

/// Recognizes a Markdown fence before or after the root element. If prose comes first, the fence
/// after it is reported, because the text should be cut there.
fn fence(text: &str, at: usize) -> Option<XmlError> {
    let first_tag = text.find('<').unwrap_or(text.len());
    let last_tag_end = text.rfind('>').map_or(0, |found| found + 1);
    let outside = if at <= first_tag {
        0..first_tag
    } else if at >= last_tag_end {
        last_tag_end..text.len()
    } else {
        return None;
    };
    let mut begin = outside.start;
    for line in text[outside].split_inclusive('\n') {
        let fence = line.trim_start_matches([' ', BOM]);
        if fence.starts_with("```") || fence.starts_with("~~~") {
            let place = begin + line.len() - fence.len();
            let help = "remove the lines with ``` before and after the XML";
            return Some(XmlError::new(
                place,
                "a Markdown code fence, which is not part of the XML",
                help,
            ));
        }
        begin += line.len();
    }
    None
}

/// Recognizes an expression that a template engine should have filled in.
fn template(text: &str, at: usize) -> Option<XmlError> {
    // roxmltree reports the `<` of `<%`, or the character after it.
    let places = [Some(at), at.checked_sub(1)].into_iter().flatten();
    let mut expressions = places.filter_map(|place| {
        let rest = text.get(place..)?.lines().next()?;
        let (_, end) = TEMPLATE.iter().find(|(begin, _)| rest.starts_with(begin))?;
        let length = rest[2..].find(end).map_or(rest.len(), |found| 2 + found + end.len());
        Some((place, &rest[..length]))
    });
    let (place, expression) = expressions.next()?;
    let shown: String = expression.chars().take(MAX_EXPRESSION).collect();
    let message = format!("template syntax ({shown}) where XML is expected");
    Some(XmlError::new(place, message, "render the template first, then check what it prints"))
}

/// Recognizes a character that looks like a space or is invisible.
fn invisible(text: &str, at: usize) -> Option<XmlError> {
    let character = text[at..].chars().next()?;
    let (_, name) = INVISIBLE.iter().find(|(c, _)| *c == character)?;
    let message =
        format!("{name} (U+{:04X}), which is not white space in XML", u32::from(character));
    Some(XmlError::new(
        at,
        message,
        "replace it with a plain space, and check the rest of the text for more: it was probably copied from a web page",
    ))
}

/// Recognizes a typographic quote around a value, in the tag that contains the error or begins
/// there.
fn quote(text: &str, at: usize) -> Option<XmlError> {
    let starts = [text[..at].rfind('<'), text[at..].starts_with('<').then_some(at)];
    let (place, c) = starts.into_iter().flatten().find_map(|start| {
        let end = text[start..].find('>').map_or(text.len(), |found| start + found + 1);
        let tag = &text[start..end];
        let (found, c) = tag.char_indices().find(|(index, c)| {
            let opens = || tag[..*index].trim_end().ends_with('=');
            let closes =
                || tag[index + c.len_utf8()..].starts_with([' ', '>', '/', '\n', '\r', '\t']);
            TYPOGRAPHIC_QUOTES.contains(c) && (opens() || closes())
        })?;
        Some((start + found, c))
    })?;
    let message = format!("a typographic quote ({c}) around a value, where XML needs ' or \"");
    let help = "replace all typographic quotes with ' or \": a word processor or a web page has changed them";
    Some(XmlError::new(place, message, help))
}

/// Recognizes a whole document with escaped markup, as in the source of a web page.
fn escaped_html(text: &str) -> Option<XmlError> {
    let at = text.find("&lt;domain").filter(|at| !text[..*at].contains('<'))?;
    let help = "copy the XML as it is shown, or replace &lt;, &gt;, &quot; and &amp; with the characters that they represent";
    Some(XmlError::new(at, "escaped HTML (&lt;domain) instead of XML", help))
}

#[cfg(test)]
mod tests {
    use crate::xml::tests::error;

    #[test]
    fn names_markdown_fences() {
        let fence = "a Markdown code fence, which is not part of the XML";
        assert_eq!(error("```xml\n<domain/>\n```\n"), format!("0: {fence}"));
        assert_eq!(error("```\n<?xml version='1.0'?>\n<domain/>\n"), format!("0: {fence}"));
        assert_eq!(error("This is my VM:\n\n  ```xml\n<domain/>\n"), format!("18: {fence}"));
        assert_eq!(error("<domain/>\n```\n"), format!("10: {fence}"));
        assert_eq!(error("~~~\n<domain/>\n~~~\n"), format!("0: {fence}"));
        assert_eq!(error("This is my VM:\n<domain/>"), "0: text before the root element");
        assert_eq!(error("<domain><description>```</description></domain>"), "fine");
        assert_eq!(
            error("<domain>\n```\n</devices>"),
            "13: </devices> does not match <domain> (line 1, column 1)"
        );
    }

    #[test]
    fn names_template_syntax() {
        assert_eq!(
            error("<domain><name><%= name %></name></domain>"),
            "14: template syntax (<%= name %>) where XML is expected"
        );
        assert_eq!(
            error("{% set a = 1 %}\n<domain/>"),
            "0: template syntax ({% set a = 1 %}) where XML is expected"
        );
        assert_eq!(
            error("<domain {{ attributes }}/>"),
            "8: template syntax ({{ attributes }}) where XML is expected"
        );
        assert_eq!(
            error("<domain type=${TYPE}/>"),
            "13: template syntax (${TYPE}) where XML is expected"
        );
        assert_eq!(error("<domain type='{{ type }}'>{% if x %}</domain>"), "fine");
    }

    #[test]
    fn names_invisible_characters() {
        assert_eq!(
            error("<domain>\n<a b='c'\u{a0}d='e'/></domain>"),
            "17: a no-break space (U+00A0), which is not white space in XML"
        );
        assert_eq!(
            error("<domain><\u{200b}a/></domain>"),
            "9: a zero-width space (U+200B), which is not white space in XML"
        );
        assert_eq!(
            error("\u{feff}\u{feff}<domain/>"),
            "3: a byte order mark (U+FEFF), which is not white space in XML"
        );
        assert_eq!(error("<domain><a b='c\u{a0}d'/>\u{a0}</domain>"), "fine");
    }

    #[test]
    fn names_typographic_quotes() {
        let quote = |at: usize, c: char| {
            format!("{at}: a typographic quote ({c}) around a value, where XML needs ' or \"")
        };
        assert_eq!(error("<domain type=’kvm’>"), quote(13, '’'));
        assert_eq!(error("<domain>\n<a b=“c”/></domain>"), quote(14, '“'));
        assert_eq!(error("<domain>\n<a b='c’/>\n</domain>"), quote(16, '’'));
        assert_eq!(error("<domain><a b='it’s “fine”'/></domain>"), "fine");
    }

    #[test]
    fn names_escaped_html() {
        assert_eq!(
            error("&lt;domain type='kvm'&gt;"),
            "0: escaped HTML (&lt;domain) instead of XML"
        );
        assert_eq!(error("<pre>&lt;domain&gt;</pre>"), "fine");
    }
}
