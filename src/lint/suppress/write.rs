//! Writes suppressions as comments or into the metadata.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Domain, SuppressionForm};
use crate::fix::{self, layout};
use crate::fix::{Change, new_metadata};
use crate::text::{Edit, Edits};
use crate::xml::fragment::NewElement;
use crate::xml::{Element, is_character};
use foldhash::{HashSet, HashSetExt};

/// The form in which a suppression is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuppressionStyle {
    /// A comment before the element that a finding is in. It applies to this element only, and
    /// libvirt drops it.
    Comment,
    /// An element in the metadata. It applies to the whole domain, and libvirt keeps it.
    Metadata,
}

impl SuppressionStyle {
    /// Checks that a reason can be written in this form.
    ///
    /// # Errors
    /// Returns what is wrong with the reason.
    pub fn validate_reason(self, reason: &str) -> Result<(), &'static str> {
        let has_words = reason.chars().any(char::is_alphanumeric);
        let is_on_one_line = reason.chars().all(|c| is_character(c) && !c.is_control());
        match self {
            _ if !has_words => Err(
                "say why, so that the next reader can tell whether the suppression is still needed",
            ),
            _ if !is_on_one_line => {
                Err("the text must not contain line breaks or other control characters")
            }
            SuppressionStyle::Comment
                if reason.contains("--") || reason.trim_end().ends_with('-') =>
            {
                Err("an XML comment cannot contain '--' or end with '-'")
            }
            SuppressionStyle::Comment | SuppressionStyle::Metadata => Ok(()),
        }
    }
}

/// Returns the edits that suppress findings, given as byte offset of the start and rule id. The
/// reason must be valid for the form.
pub fn edits(
    domain: &Domain<'_>,
    findings: &[(usize, &str)],
    reason: &str,
    form: SuppressionStyle,
) -> Edits {
    match form {
        SuppressionStyle::Comment => comments(domain, findings, reason.trim()),
        SuppressionStyle::Metadata => in_metadata(domain, findings, reason.trim()),
    }
}

/// Writes a comment before each element with findings; findings outside any element get one before
/// the root.
fn comments(domain: &Domain<'_>, findings: &[(usize, &str)], reason: &str) -> Edits {
    let elements: Vec<Element<'_>> = domain.document.elements().collect();
    // The rules, keyed by the offset of the element and whether the comment is for the file.
    let mut by_place: BTreeMap<(usize, bool), BTreeSet<&str>> = BTreeMap::new();
    for (at, rule) in findings {
        let last_started =
            elements.partition_point(|element| element.span().start <= *at).checked_sub(1);
        let element = last_started.and_then(|index| {
            elements[index].ancestors().find(|element| element.span().contains(at))
        });
        let place = element
            .map_or((domain.root.span().start, true), |element| (element.span().start, false));
        by_place.entry(place).or_default().insert(rule);
    }
    let style = layout::style(domain.document);
    let comment = |((at, is_for_file), rules): ((usize, bool), BTreeSet<&str>)| {
        let word = if is_for_file { "ignore-file" } else { "ignore" };
        let rules: Vec<&str> = rules.into_iter().collect();
        let comment = format!("<!-- gvtg-xml: {word}[{}] {reason} -->", rules.join(", "));
        layout::insert_before(&style, domain.document.text(), at, &comment)
    };
    let written: Vec<Edit> = by_place.into_iter().map(comment).collect();
    Edits::compatible(written)
}

/// Adds an element for each rule to this program's metadata element, which is created if missing.
fn in_metadata(domain: &Domain<'_>, findings: &[(usize, &str)], reason: &str) -> Edits {
    let metadata_element = domain.metadata().map(|metadata| metadata.element);
    let prefix = metadata_element.map_or("gvtg:", Element::written_prefix);
    let without_reason = |rule: &str| {
        domain.suppressions().iter().find_map(|suppression| match suppression.form {
            SuppressionForm::Metadata(element) => (suppression.error.is_none()
                && suppression.reason.is_empty()
                && element.attribute("rule") == Some(rule))
            .then_some(element),
            SuppressionForm::Comment(_) | SuppressionForm::FileComment => None,
        })
    };
    let mut changes: Vec<Change<'_>> = Vec::new();
    let mut new: Vec<NewElement> = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    for (_, rule) in findings.iter().filter(|(_, rule)| seen.insert(rule)) {
        match without_reason(rule) {
            Some(element) => changes.push(Change::SetText(element, reason.to_owned())),
            None => new.push(
                NewElement::new(format!("{prefix}ignore"))
                    .with_attribute("rule", *rule)
                    .with_text(reason),
            ),
        }
    }
    match metadata_element {
        Some(metadata) => {
            changes.extend(new.into_iter().map(|element| Change::Insert(metadata, element)))
        }
        None if new.is_empty() => {}
        None => changes.push(new_metadata(domain, |element| {
            new.into_iter().fold(element, NewElement::with_child)
        })),
    }
    fix::edits(domain, &fix::style(domain.document), changes.iter())
}
