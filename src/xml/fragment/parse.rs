//! Parses the elements in rule files, with xmltree.

use std::ops::Range;

use xmltree::{Element, ParseError, XMLNode};

use super::{NewElement, Node};
use crate::xml::scan::{Piece, pieces};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::fragment::Style;

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
        let style = Style { quote: '\'', newline: "\n", unit: "  ".into() };
        assert_eq!(metadata.write(&style, ""), text, "nothing is lost");
        let filled = metadata.fill_values(&|value| value.replace("{@x}", "' <"));
        assert!(filled.write(&style, "").contains("<qemu:arg value='&apos; &lt;'/>"));
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
}
