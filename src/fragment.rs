//! New XML in a document's own style: the only user of xmltree.
//!
//! xmltree takes care of escaping and indentation; it writes double quotes and a raw TAB, which is put right here. Whole documents
//! never go through it: it would lose quotes, comments and prefixes that nobody asked to change.

use xmltree::{AttributeMap, Element, EmitterConfig, XMLNode};

use crate::xml::is_character;

/// An element to be written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NewElement {
    /// The name, with its prefix if it has one.
    pub name: String,
    /// Attributes (and namespace declarations) in order.
    pub attributes: Vec<(String, String)>,
    /// What is inside.
    pub content: Content,
}

/// What is inside a new element.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// Elements, or nothing.
    Elements(Vec<NewElement>),
    /// Text.
    Text(String),
}

/// How a document is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// `'` or `"`.
    pub quote: char,
    /// What ends its lines; empty for a document on one line.
    pub newline: &'static str,
    /// One level of indentation.
    pub unit: String,
}

impl NewElement {
    /// An element without content.
    pub fn new(name: impl Into<String>) -> Self {
        NewElement { name: name.into(), attributes: Vec::new(), content: Content::Elements(Vec::new()) }
    }

    /// The same with an attribute more.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// The same with an element more inside.
    pub fn containing(mut self, child: NewElement) -> Self {
        match &mut self.content {
            Content::Elements(children) => children.push(child),
            Content::Text(_) => self.content = Content::Elements(vec![child]),
        }
        self
    }

    /// Reads an element that stands in a rule file, like `<video><model type='none'/></video>`.
    ///
    /// # Errors
    /// The XML parser's words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let element = Element::parse(text.as_bytes()).map_err(|error| error.to_string())?;
        Ok(NewElement::of(&element))
    }

    fn of(element: &Element) -> Self {
        let children: Vec<NewElement> = element.children.iter().filter_map(XMLNode::as_element).map(NewElement::of).collect();
        let content = match element.get_text() {
            Some(text) if children.is_empty() => Content::Text(text.into_owned()),
            _ => Content::Elements(children),
        };
        let attributes = element.attributes.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        NewElement { name: element.name.clone(), attributes, content }
    }

    /// Its text in this style; lines after the first begin with `indent`. Characters that XML can't hold become U+FFFD.
    pub fn write(&self, style: &Style, indent: &str) -> String {
        let config = EmitterConfig::new()
            .perform_indent(!style.newline.is_empty())
            .indent_string(style.unit.clone())
            .line_separator("\n")
            .pad_self_closing(false)
            .write_document_declaration(false);
        let mut bytes = Vec::new();
        // Writing to a Vec doesn't fail, and names come from rule files, which are checked when they are read.
        if self.to_element().write_with_config(&mut bytes, config).is_err() {
            return String::new();
        }
        let written = String::from_utf8(bytes).unwrap_or_default();
        let separator = format!("{}{indent}", style.newline);
        in_style(&written, style.quote, &separator)
    }

    fn to_element(&self) -> Element {
        let mut element = Element::new(&self.name);
        element.attributes = self.attributes.iter().map(|(name, value)| (name.clone(), clean(value))).collect::<AttributeMap<_, _>>();
        element.children = match &self.content {
            Content::Elements(children) => children.iter().map(|child| XMLNode::Element(child.to_element())).collect(),
            Content::Text(text) => vec![XMLNode::Text(clean(text))],
        };
        element
    }
}

/// An attribute's value, escaped for these quotes.
pub fn escape_attribute(value: &str, quote: char) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in clean(value).chars() {
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

/// Text between tags, escaped.
pub fn escape_text(text: &str) -> String {
    clean(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#xD;")
}

fn clean(text: &str) -> String {
    text.chars().map(|c| if is_character(c) { c } else { '\u{fffd}' }).collect()
}

/// xmltree escapes both quotes in values, so a bare `"` in its output is always a delimiter, and a line break is always its own.
fn in_style(written: &str, quote: char, separator: &str) -> String {
    let (mut result, mut in_value) = (String::with_capacity(written.len()), false);
    for c in written.chars() {
        match c {
            '"' => {
                in_value = !in_value;
                result.push(quote);
            }
            '\t' if in_value => result.push_str("&#x9;"),
            '\n' => result.push_str(separator),
            c => result.push(c),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(quote: char) -> Style {
        Style { quote, newline: "\r\n", unit: "\t".into() }
    }

    #[test]
    fn an_element_is_written_in_the_documents_style() {
        let element = NewElement::new("qemu:arg")
            .with("value", "a'b\"c&<\td\u{1}")
            .containing(NewElement::new("x"))
            .containing(NewElement::new("y").containing(NewElement::new("z").with("k", "")));
        assert_eq!(
            element.write(&style('\''), "  "),
            "<qemu:arg value='a&apos;b&quot;c&amp;&lt;&#x9;d\u{fffd}'>\r\n  \t<x/>\r\n  \t<y>\r\n  \t\t<z k=''/>\r\n  \t</y>\r\n  </qemu:arg>"
        );
        let line = Style { newline: "", ..style('"') };
        assert_eq!(NewElement::new("a").with("k", "v").containing(NewElement::new("b")).write(&line, ""), "<a k=\"v\"><b/></a>");
    }

    #[test]
    fn what_rule_files_insert_is_read() {
        let video = NewElement::parse("<video><model type='none'/></video>").unwrap();
        assert_eq!(video, NewElement::new("video").containing(NewElement::new("model").with("type", "none")));
        assert!(NewElement::parse("<video>").is_err());
    }

    #[test]
    fn values_are_escaped_for_their_quotes() {
        assert_eq!(escape_attribute("a'b\"<&\n", '\''), "a&apos;b\"&lt;&amp;&#xA;");
        assert_eq!(escape_attribute("a'b\"", '"'), "a'b&quot;");
        assert_eq!(escape_text("a<b>&'"), "a&lt;b&gt;&amp;'");
    }
}
