//! New XML elements, written in a document's formatting. The only user of xmltree, which parses the
//! elements in rule files.
//!
//! Elements are written here and not by xmltree, which writes double quotes, raw TABs, and white
//! space into text. Whole documents never pass through this module.

use std::ops::Range;

use xmltree::{Element, ParseError, XMLNode};

use crate::xml::is_character;
use crate::xml::scan::{Piece, pieces};

/// An element to be written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NewElement {
    /// The name, including any prefix.
    pub name: String,
    /// The attributes and namespace declarations, in order.
    pub attributes: Vec<(String, String)>,
    /// The content, in order.
    pub children: Vec<Node>,
}

/// The content of a new element.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// An element.
    Element(NewElement),
    /// Text.
    Text(String),
    /// A comment.
    Comment(String),
}

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

/// The reason why an XML fragment cannot be inserted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FragmentError {
    /// The description of the problem.
    pub message: String,
    /// The byte range in the fragment.
    pub span: Range<usize>,
}

/// The prefix that stands for libvirt's namespace for QEMU in rule files, where it need not be
/// declared.
const QEMU_PREFIX: &str = "qemu";

impl NewElement {
    /// Creates an element without content.
    pub fn new(name: impl Into<String>) -> Self {
        NewElement { name: name.into(), attributes: Vec::new(), children: Vec::new() }
    }

    /// Adds an attribute.
    pub fn with_attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// Adds a child element.
    pub fn with_child(mut self, child: NewElement) -> Self {
        self.children.push(Node::Element(child));
        self
    }

    /// Adds text at the end.
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.children.push(Node::Text(text.into()));
        self
    }

    /// Parses an element of a rule file, such as `<video><model type='none'/></video>`. `qemu:`
    /// stands for libvirt's namespace for QEMU there.
    ///
    /// # Errors
    /// Returns an error if the text is not exactly one element, or has something that would be
    /// lost: attributes with a prefix, processing instructions, declarations.
    pub fn parse(text: &str) -> Result<Self, FragmentError> {
        for piece in pieces(text, 0) {
            match piece {
                Piece::Start(tag) => {
                    let prefixed = |name: &str| name.contains(':') && !name.starts_with("xmlns:");
                    if let Some(attribute) = tag
                        .attributes(text)
                        .find(|attribute| prefixed(&text[attribute.name.clone()]))
                    {
                        let message = format!(
                            "the attribute {} has a prefix, which is not supported",
                            &text[attribute.name.clone()]
                        );
                        return Err(FragmentError { message, span: attribute.name });
                    }
                }
                Piece::Instruction(span) => {
                    return Err(FragmentError {
                        message: "a processing instruction is not supported".into(),
                        span,
                    });
                }
                Piece::Declaration(at) => {
                    return Err(FragmentError {
                        message: "a declaration is not supported".into(),
                        span: at..text.len(),
                    });
                }
                _ => {}
            }
        }
        let open = format!("<insert xmlns:{QEMU_PREFIX}='{QEMU_PREFIX}'>");
        let wrapper = Element::parse(format!("{open}{text}</insert>").as_bytes())
            .map_err(|error| fragment_error(&error, text, open.len()))?;
        let is_blank =
            |node: &&XMLNode| matches!(node, XMLNode::Text(text) if text.trim().is_empty());
        let nodes: Vec<&XMLNode> = wrapper.children.iter().filter(|node| !is_blank(node)).collect();
        match nodes[..] {
            [XMLNode::Element(element)] => Ok(NewElement::from_xmltree(element, &wrapper)),
            _ => Err(FragmentError {
                message: "this must be exactly one element".into(),
                span: 0..text.len(),
            }),
        }
    }

    fn from_xmltree(element: &Element, parent: &Element) -> Self {
        let namespaces_of = |element: &Element| {
            element.namespaces.clone().map(|namespaces| namespaces.0).unwrap_or_default()
        };
        let parent_namespaces = namespaces_of(parent);
        let is_declared_here = |prefix: &str, uri: &str| {
            parent_namespaces.get(prefix).map_or("", String::as_str) != uri
        };
        let namespaces = namespaces_of(element)
            .into_iter()
            .filter(|(prefix, uri)| is_declared_here(prefix, uri));
        let declarations = namespaces.map(|(prefix, uri)| match prefix.as_str() {
            "" => ("xmlns".to_owned(), uri),
            prefix => (format!("xmlns:{prefix}"), uri),
        });
        let attributes = declarations
            .chain(element.attributes.iter().map(|(name, value)| (name.clone(), value.clone())));
        let children = element.children.iter().filter_map(|node| match node {
            XMLNode::Element(child) => {
                Some(Node::Element(NewElement::from_xmltree(child, element)))
            }
            XMLNode::Text(text) | XMLNode::CData(text) => Some(Node::Text(text.clone())),
            XMLNode::Comment(text) => Some(Node::Comment(text.clone())),
            XMLNode::ProcessingInstruction(..) => None,
        });
        let name = element
            .prefix
            .as_ref()
            .map_or_else(|| element.name.clone(), |prefix| format!("{prefix}:{}", element.name));
        NewElement { name, attributes: attributes.collect(), children: children.collect() }
    }

    /// Returns a copy in which `fill` has replaced all values and text.
    pub fn filled(&self, fill: &impl Fn(&str) -> String) -> Self {
        let children = self.children.iter().map(|node| match node {
            Node::Element(child) => Node::Element(child.filled(fill)),
            Node::Text(text) => Node::Text(fill(text)),
            Node::Comment(text) => Node::Comment(text.clone()),
        });
        let attributes = self.attributes.iter().map(|(name, value)| (name.clone(), fill(value)));
        NewElement {
            name: self.name.clone(),
            attributes: attributes.collect(),
            children: children.collect(),
        }
    }

    /// Whether this element or one inside it has this prefix.
    pub fn has_prefix(&self, prefix: &str) -> bool {
        let has_itself =
            self.name.split_once(':').is_some_and(|(own_prefix, _)| own_prefix == prefix);
        has_itself || self.elements().any(|child| child.has_prefix(prefix))
    }

    /// Replaces one prefix with another, inside too.
    pub fn with_prefix(mut self, old: &str, new: &str) -> Self {
        if let Some((_, name)) =
            self.name.split_once(':').filter(|(own_prefix, _)| *own_prefix == old)
        {
            self.name = format!("{new}:{name}");
        }
        for child in &mut self.children {
            if let Node::Element(child) = child {
                *child = std::mem::replace(child, NewElement::new("")).with_prefix(old, new);
            }
        }
        self
    }

    fn elements(&self) -> impl Iterator<Item = &NewElement> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(child) => Some(child),
            _ => None,
        })
    }

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

/// Converts xmltree's error, whose message begins with line and column, to a place in `text`, which
/// xmltree read after `before` other bytes.
fn fragment_error(error: &ParseError, text: &str, before: usize) -> FragmentError {
    let words = match error {
        ParseError::MalformedXml(error) => error.to_string(),
        ParseError::CannotParse => "0:0 this must be exactly one element".into(),
    };
    let (place, message) = words.split_once(' ').unwrap_or(("", &words));
    let (line, column) = place.split_once(':').unwrap_or_default();
    let (line, column): (usize, usize) = (line.parse().unwrap_or(1), column.parse().unwrap_or(1));
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let column = if line <= 1 { column.saturating_sub(before) } else { column };
    let rest = &text[start.min(text.len())..];
    let at =
        rest.char_indices().nth(column.saturating_sub(1)).map_or(text.len(), |(at, _)| start + at);
    FragmentError { message: message.to_owned(), span: at..at }
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
    fn parses_elements_of_rule_files() {
        let video = NewElement::parse("<video><model type='none'/></video>").unwrap();
        assert_eq!(
            video,
            NewElement::new("video")
                .with_child(NewElement::new("model").with_attribute("type", "none"))
        );
        let text = "<metadata>\n  <!-- a -->\n  <q:x xmlns:q='u' b='&lt;'>\n    <y xmlns='v'/>\n  </q:x>\n  <qemu:arg value='{@x}'/>\n</metadata>";
        let metadata = NewElement::parse(text).unwrap();
        assert_eq!(
            metadata.write(&Style { quote: '\'', newline: "\n", unit: "  ".into() }, ""),
            text,
            "nothing is lost"
        );
        let filled = metadata.filled(&|value| value.replace("{@x}", "' <"));
        assert!(filled.write(&style('\''), "").contains("<qemu:arg value='&apos; &lt;'/>"));
        assert!(filled.has_prefix("qemu") && !filled.with_prefix("qemu", "p").has_prefix("qemu"));
    }

    #[test]
    fn rejects_content_that_would_be_lost() {
        for (text, at, message) in [
            ("<video>", 7, "Unexpected closing tag: insert != video"),
            ("<a>\n <b></a>", 11, "Unexpected closing tag: a != b"),
            ("<a x='1' x='2'/>", 9, "Attribute 'x' is redefined"),
            ("<p:a/>", 4, "prefix is unbound"),
            ("<a x:y='1'/>", 3, "the attribute x:y has a prefix"),
            ("<a><?b?></a>", 3, "a processing instruction is not supported"),
            ("<a/><b/>", 0, "this must be exactly one element"),
            ("<a/>x", 0, "this must be exactly one element"),
            ("", 0, "this must be exactly one element"),
        ] {
            let error = NewElement::parse(text).unwrap_err();
            assert!(error.message.contains(message), "{text}: {error:?}");
            assert!(error.span.start.abs_diff(at) <= 2, "{text}: {error:?}");
        }
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
