//! Formatting-preserving edits: indentation, line breaks, quotes.

use crate::xml::fragment::Style;
use crate::xml::{Document, Element};

mod insertion;
mod removal;

pub use insertion::{InsertionPoint, child_indentation, insert_before, insertion, reindented};
pub use removal::{deletion, removals};

/// Maximum number of children checked for their indentation; if they share one line, none has any.
const MAX_CHILDREN_SAMPLED: usize = 64;

/// Determines the formatting of a document from its text.
pub fn style(document: &Document<'_>) -> Style {
    let text = document.text();
    // A document has lines if an element begins one. A final line ending, or a tag or text over
    // several lines, does not count.
    let root = document.root();
    let begins_line = |child: Element<'_>| indentation(text, child.span().start).is_some();
    let is_on_one_line = root.children().next().is_some()
        && !root.children().take(MAX_CHILDREN_SAMPLED).any(begins_line);
    let inside = &text[root.content()];
    let newline = match inside.find('\n') {
        _ if is_on_one_line => "",
        Some(at) if inside[..at].ends_with('\r') => "\r\n",
        Some(_) => "\n",
        None => "",
    };
    // The first quote in the root's tag, else the first one anywhere.
    let quoted =
        root.start_tag().attributes(text).next().map(|attribute| attribute.value.start - 1);
    let quote = match quoted
        .or_else(|| text[root.span()].find(['\'', '"']).map(|at| at + root.span().start))
    {
        Some(at) if text[at..].starts_with('"') => '"',
        _ => '\'',
    };
    // A document on one line has no indentation.
    let indented = || root.children().find_map(|child| indentation(text, child.span().start));
    let unit = if newline.is_empty() { None } else { indented() }.unwrap_or("  ");
    let outer = indentation(text, root.span().start).unwrap_or("");
    let unit = unit.strip_prefix(outer).filter(|unit| !unit.is_empty()).unwrap_or("  ");
    Style { quote, newline, unit: unit.to_owned() }
}

/// Returns the white space between the start of the line and `at`; `None` if there is anything
/// else.
fn indentation(text: &str, at: usize) -> Option<&str> {
    // Looks at spaces and tabs only, because the line may be very long.
    let rest = text[..at].trim_end_matches([' ', '\t']);
    if rest.is_empty() || rest.ends_with(['\n', '\r']) {
        Some(short(&text[rest.len()..at]))
    } else {
        None
    }
}

/// Maximum indentation in bytes: it is repeated on many lines.
const MAX_INDENTATION: usize = 80;

fn short(blanks: &str) -> &str {
    &blanks[..blanks.len().min(MAX_INDENTATION)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::read;

    #[test]
    fn determines_the_style_of_a_document() {
        let style_of = |text: &str| read(text, style).unwrap();
        assert_eq!(
            style_of("<a x=\"\">\r\n    <b y=''/>\r\n</a>"),
            Style { quote: '"', newline: "\r\n", unit: "    ".into() }
        );
        assert_eq!(
            style_of("<!-- \" -->\n  <a>\n    <b y=''/></a>"),
            Style { quote: '\'', newline: "\n", unit: "  ".into() }
        );
        assert_eq!(style_of("<a/>"), Style { quote: '\'', newline: "", unit: "  ".into() });
    }
}
