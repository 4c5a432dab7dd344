//! What a document says is to be ignored: comments, and their twin in `<metadata>`, which `virsh
//! define` keeps.
//!
//! ```xml
//! <!-- gvtg-xml: ignore[stray-video] the installer needs it -->
//! <!-- gvtg-xml: ignore-file[display] watched through VNC -->
//! <gvtg:domain xmlns:gvtg='urn:gvtg-xml:1'><gvtg:ignore rule='stray-video'>the installer needs it</gvtg:ignore></gvtg:domain>
//! ```

use std::ops::Range;

use super::Domain;
use crate::settings::METADATA_NAMESPACE;
use crate::xml::{COMMENT_MARK, Element, ElementId, ElementMap, inside};

/// Something that is to be ignored.
#[derive(Clone, Debug, PartialEq)]
pub struct Ignore<'d> {
    /// How it is said.
    pub form: IgnoreForm<'d>,
    /// Where that stands: the whole comment, or the element's start tag.
    pub span: Range<usize>,
    /// Where the findings begin that it is about; empty for a comment that no element follows.
    pub scope: Range<usize>,
    /// Where the names of rules or groups stand that it is about, none of them empty; in one that
    /// can't be read, what may be names.
    pub names: Vec<Range<usize>>,
    /// Why; empty where it isn't said.
    pub reason: String,
    /// Why it can't be read.
    pub fault: Option<String>,
}

/// How a document says that something is to be ignored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum IgnoreForm<'d> {
    /// A comment for the whole file.
    FileComment,
    /// A comment for the element that it stands before; None where it stands before none.
    Comment(Option<Element<'d>>),
    /// An element in the metadata, for the whole domain.
    Metadata(Element<'d>),
}

impl<'d> Domain<'d> {
    /// What the document says is to be ignored: comments in their order, then the metadata's.
    pub fn ignores(&self) -> &[Ignore<'d>] {
        &self.all_ignores().all
    }

    /// The comments that say what is to be ignored in an element: of no use without it, and before
    /// another one they would speak of that.
    pub fn comments_for(&self, element: ElementId) -> &[Range<usize>] {
        self.all_ignores().by_element.get(&element).map_or(&[], Vec::as_slice)
    }

    /// The comments that say what is to be ignored in the whole file, in order.
    pub fn comments_for_file(&self) -> &[Range<usize>] {
        &self.all_ignores().for_file
    }

    fn all_ignores(&self) -> &Ignores<'d> {
        self.answers.ignores.get_or_init(|| Ignores::new(read(self)))
    }
}

/// All that a document says is to be ignored, and which comments go or stay with what.
pub(super) struct Ignores<'d> {
    all: Vec<Ignore<'d>>,
    by_element: ElementMap<Vec<Range<usize>>>,
    for_file: Vec<Range<usize>>,
}

impl<'d> Ignores<'d> {
    fn new(all: Vec<Ignore<'d>>) -> Self {
        let mut by_element: ElementMap<Vec<Range<usize>>> = Default::default();
        let mut for_file = Vec::new();
        for ignore in &all {
            match ignore.form {
                IgnoreForm::FileComment => for_file.push(ignore.span.clone()),
                IgnoreForm::Comment(Some(element)) => {
                    by_element.entry(element.id()).or_default().push(ignore.span.clone())
                }
                IgnoreForm::Comment(None) | IgnoreForm::Metadata(_) => {}
            }
        }
        Ignores { all, by_element, for_file }
    }
}

/// Everywhere in a file.
const WHOLE_FILE: Range<usize> = 0..usize::MAX;

fn read<'d>(domain: &Domain<'d>) -> Vec<Ignore<'d>> {
    let text = domain.document.text();
    // The metadata's namespace has the mark in it too.
    if memchr::memmem::find(text.as_bytes(), COMMENT_MARK.as_bytes()).is_none() {
        return Vec::new();
    }
    let comments = domain.document.comments(|inside| Written::parse(inside).is_some());
    let comments = comments.into_iter().filter_map(|comment| {
        let start = comment.span.start + "<!--".len();
        let written = Written::parse(inside(&text[comment.span.clone()]))?;
        let (form, scope) = match (written.is_for_file, comment.next) {
            (true, _) => (IgnoreForm::FileComment, WHOLE_FILE),
            (false, next) => (IgnoreForm::Comment(next), next.map_or(0..0, Element::span)),
        };
        let names =
            written.names.into_iter().map(|name| start + name.start..start + name.end).collect();
        Some(Ignore {
            form,
            span: comment.span,
            scope,
            names,
            reason: written.reason,
            fault: written.fault,
        })
    });
    comments.chain(in_metadata(domain)).collect()
}

fn in_metadata<'d>(domain: &Domain<'d>) -> Vec<Ignore<'d>> {
    let is_ours = |element: &Element<'_>| {
        element.namespace() == Some(METADATA_NAMESPACE) && element.name() == "ignore"
    };
    let own = domain
        .metadata()
        .into_iter()
        .flat_map(|metadata| metadata.element.children())
        .filter(is_ours);
    let stray = domain
        .child("metadata")
        .into_iter()
        .flat_map(|metadata| metadata.children())
        .filter(is_ours);
    let ignore = |element: Element<'d>, fault: Option<&str>| {
        let rule = element
            .attribute_place("rule")
            .map(|place| trimmed(domain.document.text(), place.value));
        let name = rule.filter(|name| !name.is_empty());
        let fault = fault.or(name.is_none().then_some("the rule attribute is missing or empty"));
        Ignore {
            form: IgnoreForm::Metadata(element),
            span: element.start_tag().span,
            scope: WHOLE_FILE,
            names: name.into_iter().collect(),
            reason: element.deep_text().trim().to_owned(),
            fault: fault.map(str::to_owned),
        }
    };
    let own = own.map(|element| ignore(element, None));
    own.chain(
        stray.map(|element| ignore(element, Some("it must be inside <gvtg:domain>, because libvirt keeps only one element per namespace"))),
    )
    .collect()
}

/// What a comment says, with places in its text.
#[derive(Debug, PartialEq)]
struct Written {
    is_for_file: bool,
    names: Vec<Range<usize>>,
    reason: String,
    fault: Option<String>,
}

impl Written {
    /// Reads the text of a comment; None for one that doesn't speak to this program.
    fn parse(text: &str) -> Option<Written> {
        let behind = text.trim_start().strip_prefix(COMMENT_MARK)?;
        let Some(said) = behind.trim_start().strip_prefix(':') else {
            // A comment may speak of the program and not to it.
            let is_meant = behind.starts_with(char::is_whitespace)
                && behind.trim_start().starts_with("ignore");
            return is_meant
                .then(|| Written::unreadable(text, behind, "the colon after gvtg-xml is missing"));
        };
        let said = said.trim_start();
        let (word, behind) = said.split_at(
            said.find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_'))
                .unwrap_or(said.len()),
        );
        if !matches!(word, "ignore" | "ignore-file") {
            let what = if word.is_empty() {
                "the keyword is missing; use".to_owned()
            } else {
                format!("'{word}' is not a keyword; use")
            };
            return Some(Written::unreadable(text, said, &format!("{what} ignore or ignore-file")));
        }
        let Some(list) = behind.trim_start().strip_prefix('[') else {
            return Some(Written::unreadable(
                text,
                behind,
                "the brackets with the rule are missing",
            ));
        };
        let Some((list, reason)) = list.split_once(']') else {
            return Some(Written::unreadable(text, behind, "the closing bracket is missing"));
        };
        let start = place_of(text, list);
        let ends = list.match_indices(',').map(|(comma, _)| comma).chain([list.len()]);
        let mut from = 0;
        let names: Vec<Range<usize>> = ends
            .map(|end| trimmed(text, start + std::mem::replace(&mut from, end + 1)..start + end))
            .collect();
        if names.iter().any(Range::is_empty) {
            return Some(Written::unreadable(text, behind, "a name in the brackets is empty"));
        }
        let reason = reason
            .trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '-' | '–' | '—'))
            .trim_end();
        Some(Written {
            is_for_file: word == "ignore-file",
            names,
            reason: reason.to_owned(),
            fault: None,
        })
    }

    /// A comment that can't be read; `rest` is the part of its text that may name rules, in
    /// brackets or without.
    fn unreadable(text: &str, rest: &str, fault: &str) -> Written {
        let list = rest
            .split_once('[')
            .map_or(rest, |(_, behind)| behind.split(']').next().unwrap_or(behind));
        let start = place_of(text, list);
        let words = list
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .filter(|word| !word.is_empty());
        let places = words
            .map(|word| place_of(list, word) + start..place_of(list, word) + start + word.len());
        let is_for_file =
            rest.trim_start().split('[').next().is_some_and(|word| word.contains("file"));
        Written {
            is_for_file,
            names: places.collect(),
            reason: String::new(),
            fault: Some(fault.to_owned()),
        }
    }
}

/// Where a part of a text begins in it.
fn place_of(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// A range of a text without the white space at its ends.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    start..(start + part.trim().len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain;
    use crate::settings::Settings;

    /// A comment as one line: what for, which names, why, and what is wrong with it.
    fn parsed(text: &str) -> String {
        let Some(Written { is_for_file, names, reason, fault }) = Written::parse(text) else {
            return "none".into();
        };
        let names: Vec<&str> = names.into_iter().map(|name| &text[name]).collect();
        let what = if is_for_file { "file" } else { "element" };
        format!(
            "{what} {}: {}",
            names.join("+"),
            fault.map_or(reason, |fault| format!("! {fault}"))
        )
    }

    #[test]
    fn a_comment_names_rules_and_says_why() {
        assert_eq!(
            parsed(" gvtg-xml: ignore[stray-video] the installer needs it "),
            "element stray-video: the installer needs it"
        );
        assert_eq!(parsed("gvtg-xml:ignore-file[a,b]why"), "file a+b: why");
        assert_eq!(
            parsed("\n\tgvtg-xml : ignore [ a ,\n b ] : é [x] - y\n"),
            "element a+b: é [x] - y"
        );
        assert_eq!(parsed("gvtg-xml: ignore[a] — why"), "element a: why");
        for without_reason in
            ["gvtg-xml: ignore[a]", "gvtg-xml: ignore[a]  ", "gvtg-xml: ignore[a]: –\n"]
        {
            assert_eq!(parsed(without_reason), "element a: ", "{without_reason}");
        }
    }

    #[test]
    fn a_comment_that_does_not_speak_to_the_program_is_none() {
        for text in [
            "",
            "x",
            "ignore[a] b",
            "gvtg-xml",
            "gvtg-xml wrote this",
            "gvtg-xmlx: y",
            "see gvtg-xml: ignore[a] b",
        ] {
            assert_eq!(parsed(text), "none", "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_comment_is_said_and_what_it_may_name_is_known() {
        assert_eq!(
            parsed("gvtg-xml: ingore[a-b] c"),
            "element a-b: ! 'ingore' is not a keyword; use ignore or ignore-file"
        );
        assert_eq!(
            parsed("gvtg-xml: ignore-files[a] c"),
            "file a: ! 'ignore-files' is not a keyword; use ignore or ignore-file"
        );
        assert_eq!(
            parsed("gvtg-xml: [a] c"),
            "element a: ! the keyword is missing; use ignore or ignore-file"
        );
        assert_eq!(
            parsed("gvtg-xml: ignore a-b, c"),
            "element a-b+c: ! the brackets with the rule are missing"
        );
        assert_eq!(
            parsed("gvtg-xml: ignore[a, b"),
            "element a+b: ! the closing bracket is missing"
        );
        assert_eq!(parsed("gvtg-xml: ignore[] c"), "element : ! a name in the brackets is empty");
        assert_eq!(
            parsed("gvtg-xml: ignore[a,,b] c"),
            "element a+b: ! a name in the brackets is empty"
        );
        assert_eq!(
            parsed("gvtg-xml ignore[a] c"),
            "element a: ! the colon after gvtg-xml is missing"
        );
        assert_eq!(
            parsed("gvtg-xml:"),
            "element : ! the keyword is missing; use ignore or ignore-file"
        );
    }

    /// The ignores of a document, a line each: names, scope, reason or fault.
    fn ignores(text: &str) -> Vec<String> {
        let shown = |ignore: &Ignore<'_>| {
            let names: Vec<&str> = ignore.names.iter().map(|name| &text[name.clone()]).collect();
            let scope =
                if ignore.scope == WHOLE_FILE { "all" } else { &text[ignore.scope.clone()] };
            format!(
                "{} in {scope}: {}",
                names.join("+"),
                ignore.fault.as_ref().unwrap_or(&ignore.reason)
            )
        };
        domain::read(text, &Settings::default(), |domain| {
            domain.ignores().iter().map(shown).collect()
        })
        .unwrap()
    }

    #[test]
    fn comments_are_for_the_element_behind_them_or_the_file() {
        let text = "<!-- gvtg-xml: ignore-file[f] x --><domain><devices><!-- gvtg-xml: ignore[a] x --> <!-- c --> <video><a/></video>\
            <!-- gvtg-xml: ignore[b] x --></devices></domain><!-- gvtg-xml: ignore-file[g] x -->";
        assert_eq!(
            ignores(text),
            ["f in all: x", "a in <video><a/></video>: x", "b in : x", "g in all: x"]
        );
    }

    #[test]
    fn places_are_those_of_the_text_where_a_declaration_is_missing() {
        let text = "<!-- gvtg-xml: ignore-file[f] x --><domain><!-- gvtg-xml: ignore[a] x --><qemu:commandline/></domain>";
        assert_eq!(ignores(text), ["f in all: x", "a in <qemu:commandline/>: x"]);
    }

    #[test]
    fn the_metadata_is_for_the_domain() {
        let text = "<domain><metadata><ignore xmlns='urn:gvtg-xml:1' rule='s'>x</ignore><g:domain xmlns:g='urn:gvtg-xml:1'>\
            <g:ignore rule=' a '> x <!-- y -->z\n</g:ignore><g:ignore>x</g:ignore><g:ignore rule=''/><ignore rule='b'>x</ignore>\
            <g:ignore rule='c'/></g:domain></metadata></domain>";
        let stray = "s in all: it must be inside <gvtg:domain>, because libvirt keeps only one element per namespace";
        let expected = [
            "a in all: x z",
            " in all: the rule attribute is missing or empty",
            " in all: the rule attribute is missing or empty",
            "c in all: ",
            stray,
        ];
        assert_eq!(ignores(text), expected);
    }
}
