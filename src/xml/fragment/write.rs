//! Writes new elements in a document's style.

use super::{NewElement, Node};
use crate::xml::is_character;

/// The formatting of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// The quote character: `'` or `"`.
    pub quote: char,
    /// The line ending; empty for a document on one line.
    pub newline: &'static str,
    /// One level of indentation.
    pub unit: String,
}

impl NewElement {
    /// Writes the element in this style; lines after the first begin with `indent`. Content that
    /// includes text gets no line breaks. Characters that are invalid in XML become U+FFFD.
    pub fn write(&self, style: &Style, indent: &str) -> String {
        let mut written = String::new();
        self.write_to(&mut written, style, indent, !style.newline.is_empty());
        written
    }

    fn write_to(&self, written: &mut String, style: &Style, indent: &str, on_lines: bool) {
        let quote = style.quote;
        written.push('<');
        written.push_str(&self.name);
        for (name, value) in &self.attributes {
            written.extend([" ", name, "="]);
            written.push(quote);
            written.push_str(&escape_attribute(value, quote));
            written.push(quote);
        }
        if self.children.is_empty() {
            written.push_str("/>");
            return;
        }
        written.push('>');
        let on_lines = on_lines && !self.children.iter().any(|node| matches!(node, Node::Text(_)));
        let inner = if on_lines { format!("{indent}{}", style.unit) } else { String::new() };
        for node in &self.children {
            if on_lines {
                written.extend([style.newline, &inner]);
            }
            match node {
                Node::Element(child) => child.write_to(written, style, &inner, on_lines),
                Node::Text(text) => written.push_str(&escape_text(text)),
                Node::Comment(text) => written.extend(["<!--", text, "-->"]),
            }
        }
        if on_lines {
            written.extend([style.newline, indent]);
        }
        written.extend(["</", &self.name, ">"]);
    }
}

/// Escapes an attribute's value for this kind of quote.
pub fn escape_attribute(value: &str, quote: char) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in replace_invalid_characters(value).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '\t' => escaped.push_str("&#x9;"),
            '\n' => escaped.push_str("&#xA;"),
            '\r' => escaped.push_str("&#xD;"),
            '\'' if quote == '\'' => escaped.push_str("&apos;"),
            '"' if quote == '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Escapes text between tags.
pub fn escape_text(text: &str) -> String {
    replace_invalid_characters(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\r', "&#xD;")
}

fn replace_invalid_characters(text: &str) -> String {
    text.chars().map(|c| if is_character(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(quote: char) -> Style {
        Style { quote, newline: "\r\n", unit: "\t".into() }
    }

    #[test]
    fn writes_an_element_in_the_documents_style() {
        let element = NewElement::new("qemu:arg")
            .with_attribute("value", "a'b\"c&<\td\u{1}")
            .with_child(NewElement::new("x"))
            .with_child(
                NewElement::new("y").with_child(NewElement::new("z").with_attribute("k", "")),
            );
        assert_eq!(
            element.write(&style('\''), "  "),
            "<qemu:arg value='a&apos;b\"c&amp;&lt;&#x9;d\u{fffd}'>\r\n  \t<x/>\r\n  \t<y>\r\n  \t\t<z k=''/>\r\n  \t</y>\r\n  </qemu:arg>"
        );
        let line = Style { newline: "", ..style('"') };
        assert_eq!(
            NewElement::new("a")
                .with_attribute("k", "v")
                .with_child(NewElement::new("b"))
                .write(&line, ""),
            "<a k=\"v\"><b/></a>"
        );
    }

    #[test]
    fn keeps_text_unchanged() {
        let note = NewElement::parse(
            "<note>say \"hi\" <b>to\nall</b>\tof 'them' &amp; <![CDATA[<us>]]></note>",
        )
        .unwrap();
        let outer = NewElement::new("notes").with_child(note);
        let written = "<notes>\r\n\t<note>say \"hi\" <b>to\nall</b>\tof 'them' &amp; &lt;us&gt;</note>\r\n</notes>";
        assert_eq!(outer.write(&style('\''), ""), written);
    }

    #[test]
    fn escapes_values_for_their_quotes() {
        assert_eq!(escape_attribute("a'b\"<&\n", '\''), "a&apos;b\"&lt;&amp;&#xA;");
        assert_eq!(escape_attribute("a'b\"", '"'), "a'b&quot;");
        assert_eq!(escape_text("a<b>&'"), "a&lt;b&gt;&amp;'");
    }
}
