//! The suppressions in a document: comments, and their equivalent in `<metadata>`, which unlike
//! comments survives `virsh define`.
//!
//! ```xml
//! <!-- gvtg-xml: ignore[stray-video] the installer needs it -->
//! <!-- gvtg-xml: ignore-file[display] watched through VNC -->
//! <gvtg:domain xmlns:gvtg='urn:gvtg-xml:1'><gvtg:ignore rule='stray-video'>the installer needs it</gvtg:ignore></gvtg:domain>
//! ```

use std::ops::Range;

mod comment;

use comment::ParsedComment;

use super::Domain;
use crate::domain::METADATA_NAMESPACE;
use crate::xml::{COMMENT_MARK, Element, ElementId, ElementMap, comment_text};

/// A suppression: findings that the user does not want to see.
#[derive(Clone, Debug, PartialEq)]
pub struct Suppression<'d> {
    /// The form in which it is written.
    pub form: SuppressionForm<'d>,
    /// The span of the whole comment, or of the element's start tag.
    pub span: Range<usize>,
    /// The range in which a finding must start to be suppressed; empty for a comment that is not
    /// followed by an element.
    pub scope: Range<usize>,
    /// The spans of the rule and group names, none of them empty; in a malformed suppression, the
    /// spans of words that may be names.
    pub names: Vec<Range<usize>>,
    /// The reason; empty if none is given.
    pub reason: String,
    /// The error if the suppression is malformed.
    pub error: Option<String>,
}

/// The forms of a suppression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SuppressionForm<'d> {
    /// A comment for the whole file.
    FileComment,
    /// A comment for the next element; `None` if no element follows.
    Comment(Option<Element<'d>>),
    /// A `<gvtg:ignore>` in the metadata, for the whole domain.
    Metadata(Element<'d>),
}

impl<'d> Domain<'d> {
    /// All suppressions of the document: comments in document order, then those in the metadata.
    pub fn suppressions(&self) -> &[Suppression<'d>] {
        &self.suppression_index().all
    }

    /// The spans of the suppression comments for an element. They must be removed with the element:
    /// otherwise they would apply to the next one.
    pub fn comments_for(&self, element: ElementId) -> &[Range<usize>] {
        self.suppression_index().by_element.get(&element).map_or(&[], Vec::as_slice)
    }

    /// The spans of the suppression comments for the whole file, in order.
    pub fn comments_for_file(&self) -> &[Range<usize>] {
        &self.suppression_index().for_file
    }

    fn suppression_index(&self) -> &SuppressionIndex<'d> {
        self.cache.suppressions.get_or_init(|| SuppressionIndex::new(read_suppressions(self)))
    }
}

/// The suppressions of a document, and its suppression comments by what they apply to.
pub(super) struct SuppressionIndex<'d> {
    all: Vec<Suppression<'d>>,
    by_element: ElementMap<Vec<Range<usize>>>,
    for_file: Vec<Range<usize>>,
}

impl<'d> SuppressionIndex<'d> {
    fn new(all: Vec<Suppression<'d>>) -> Self {
        let mut by_element: ElementMap<Vec<Range<usize>>> = Default::default();
        let mut for_file = Vec::new();
        for suppression in &all {
            match suppression.form {
                SuppressionForm::FileComment => for_file.push(suppression.span.clone()),
                SuppressionForm::Comment(Some(element)) => {
                    by_element.entry(element.id()).or_default().push(suppression.span.clone())
                }
                SuppressionForm::Comment(None) | SuppressionForm::Metadata(_) => {}
            }
        }
        SuppressionIndex { all, by_element, for_file }
    }
}

/// The scope of a suppression for the whole file.
const WHOLE_FILE: Range<usize> = 0..usize::MAX;

/// Reads the suppressions of a document: comments in order, then those in the metadata.
fn read_suppressions<'d>(domain: &Domain<'d>) -> Vec<Suppression<'d>> {
    let text = domain.document.text();
    // A quick check that most documents fail; the metadata's namespace contains the mark too.
    if memchr::memmem::find(text.as_bytes(), COMMENT_MARK.as_bytes()).is_none() {
        return Vec::new();
    }
    let comments = domain.document.comments(|text| ParsedComment::parse(text).is_some());
    let comments = comments.into_iter().filter_map(|comment| {
        let start = comment.span.start + "<!--".len();
        let parsed = ParsedComment::parse(comment_text(&text[comment.span.clone()]))?;
        let (form, scope) = match (parsed.is_for_file, comment.next) {
            (true, _) => (SuppressionForm::FileComment, WHOLE_FILE),
            (false, next) => (SuppressionForm::Comment(next), next.map_or(0..0, Element::span)),
        };
        let names =
            parsed.names.into_iter().map(|name| start + name.start..start + name.end).collect();
        Some(Suppression {
            form,
            span: comment.span,
            scope,
            names,
            reason: parsed.reason,
            error: parsed.error,
        })
    });
    comments.chain(read_metadata(domain)).collect()
}

/// Reads the `<gvtg:ignore>` elements: those in `<gvtg:domain>`, then misplaced ones directly in
/// `<metadata>`.
fn read_metadata<'d>(domain: &Domain<'d>) -> Vec<Suppression<'d>> {
    let is_ours = |element: &Element<'_>| {
        element.namespace() == Some(METADATA_NAMESPACE) && element.name() == "ignore"
    };
    let inside_domain_element = domain
        .metadata()
        .into_iter()
        .flat_map(|metadata| metadata.element.children())
        .filter(is_ours);
    let misplaced = domain
        .child("metadata")
        .into_iter()
        .flat_map(|metadata| metadata.children())
        .filter(is_ours);
    let parse_element = |element: Element<'d>, error: Option<&str>| {
        let rule = element
            .attribute_place("rule")
            .map(|place| trim_range(domain.document.text(), place.value));
        let name = rule.filter(|name| !name.is_empty());
        let error = match name {
            None => error.or(Some("the rule attribute is missing or empty")),
            Some(_) => error,
        };
        Suppression {
            form: SuppressionForm::Metadata(element),
            span: element.start_tag().span,
            scope: WHOLE_FILE,
            names: name.into_iter().collect(),
            reason: element.deep_text().trim().to_owned(),
            error: error.map(str::to_owned),
        }
    };
    let inside_domain_element = inside_domain_element.map(|element| parse_element(element, None));
    inside_domain_element.chain(
        misplaced.map(|element| parse_element(element, Some("it must be inside <gvtg:domain>, because libvirt keeps only one element per namespace"))),
    )
    .collect()
}

/// Narrows a byte range of `text` to exclude white space at both ends.
fn trim_range(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    start..(start + part.trim().len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain;
    use crate::domain::Settings;

    /// Formats the suppressions of a document, one line each: names, scope, and reason or error.
    fn format_suppressions(text: &str) -> Vec<String> {
        let format_suppression = |suppression: &Suppression<'_>| {
            let names: Vec<&str> =
                suppression.names.iter().map(|name| &text[name.clone()]).collect();
            let scope = if suppression.scope == WHOLE_FILE {
                "all"
            } else {
                &text[suppression.scope.clone()]
            };
            format!(
                "{} in {scope}: {}",
                names.join("+"),
                suppression.error.as_ref().unwrap_or(&suppression.reason)
            )
        };
        domain::read(text, &Settings::default(), |domain| {
            domain.suppressions().iter().map(format_suppression).collect()
        })
        .unwrap()
    }

    #[test]
    fn comments_apply_to_the_next_element_or_the_file() {
        let text = "<!-- gvtg-xml: ignore-file[f] x --><domain><devices><!-- gvtg-xml: ignore[a] x --> <!-- c --> <video><a/></video>\
            <!-- gvtg-xml: ignore[b] x --></devices></domain><!-- gvtg-xml: ignore-file[g] x -->";
        assert_eq!(
            format_suppressions(text),
            ["f in all: x", "a in <video><a/></video>: x", "b in : x", "g in all: x"]
        );
    }

    #[test]
    fn spans_are_offsets_in_a_text_without_namespace_declaration() {
        let text = "<!-- gvtg-xml: ignore-file[f] x --><domain><!-- gvtg-xml: ignore[a] x --><qemu:commandline/></domain>";
        assert_eq!(format_suppressions(text), ["f in all: x", "a in <qemu:commandline/>: x"]);
    }

    #[test]
    fn metadata_applies_to_the_whole_domain() {
        let text = "<domain><metadata><ignore xmlns='urn:gvtg-xml:1' rule='s'>x</ignore><g:domain xmlns:g='urn:gvtg-xml:1'>\
            <g:ignore rule=' a '> x <!-- y -->z\n</g:ignore><g:ignore>x</g:ignore><g:ignore rule=''/><ignore rule='b'>x</ignore>\
            <g:ignore rule='c'/></g:domain></metadata></domain>";
        let misplaced = "s in all: it must be inside <gvtg:domain>, because libvirt keeps only one element per namespace";
        let expected = [
            "a in all: x z",
            " in all: the rule attribute is missing or empty",
            " in all: the rule attribute is missing or empty",
            "c in all: ",
            misplaced,
        ];
        assert_eq!(format_suppressions(text), expected);
    }
}
