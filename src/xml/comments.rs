//! Comments and the elements that follow them.

use std::ops::Range;

use super::{Document, Element};
use foldhash::{HashMap, HashMapExt};

/// The start of a comment that addresses this program.
pub const COMMENT_MARK: &str = "gvtg-xml";

/// A comment of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Comment<'a> {
    /// The byte range including `<!--` and `-->`.
    pub span: Range<usize>,
    /// The next sibling element.
    pub next: Option<Element<'a>>,
}

impl<'a> Document<'a> {
    /// Returns the comments whose raw text is wanted, in document order, including those around the
    /// root element.
    pub fn comments(&'a self, is_wanted: impl Fn(&'a str) -> bool) -> Vec<Comment<'a>> {
        let mut comments: Vec<Comment<'a>> = Vec::new();
        // Comments that wait for the next element of their parent. Searching from each comment
        // would take quadratic time with thousands of siblings.
        let mut waiting: HashMap<Option<roxmltree::NodeId>, Vec<usize>> = HashMap::new();
        for node in self.tree.descendants() {
            let parent = node.parent().map(|parent| parent.id());
            if node.is_comment() {
                let span = self.original(node.range());
                if is_wanted(comment_text(&self.text[span.clone()])) {
                    waiting.entry(parent).or_default().push(comments.len());
                    comments.push(Comment { span, next: None });
                }
            } else if node.is_element() && !waiting.is_empty() {
                let element = Element { node, document: self };
                waiting
                    .remove(&parent)
                    .into_iter()
                    .flatten()
                    .for_each(|index| comments[index].next = Some(element));
            }
        }
        comments
    }
}

/// Returns the text of a comment, between `<!--` and `-->`.
pub fn comment_text(comment: &str) -> &str {
    comment.strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->")).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use crate::xml::read;

    #[test]
    fn finds_the_next_sibling_of_a_comment() {
        let text = "<!--a--><?p?><!--b--><domain><c><!--d--></c><!--e-->t<!--f-->\n<g/><!--h--><qemu:i/><!--j--></domain><!--k-->";
        let seen = read(text, |document| {
            let next = |next: Option<crate::xml::Element<'_>>| {
                next.map_or("", |element| element.name()).to_owned()
            };
            let comments = document.comments(|text| text != "h");
            comments
                .into_iter()
                .map(|comment| format!("{} {}", &text[comment.span], next(comment.next)))
                .collect::<Vec<_>>()
        });
        let expected =
            ["a--> domain", "b--> domain", "d--> ", "e--> g", "f--> g", "j--> ", "k--> "]
                .map(|rest| format!("<!--{rest}"));
        assert_eq!(seen.unwrap(), expected);
    }
}
