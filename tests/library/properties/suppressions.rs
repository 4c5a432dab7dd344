//! Suppressions in random domains.

use gvtg_xml::internals::schema::Check;
use gvtg_xml::internals::xml::read;
use gvtg_xml::{Detail, Linter, SuppressionStyle, builtin};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::{SETTINGS, check_invariants, config, rules, settings};
use crate::common::domains;

/// Names for the brackets of a suppression: all rules, all groups, and unknown names.
fn suppressible() -> Vec<String> {
    let rules =
        builtin().iter().flat_map(|rule| [rule.id.to_string(), rule.group.name().to_owned()]);
    rules.chain(["stray-grahpics", "missing-opregoin", "no-such-rule"].map(str::to_owned)).collect()
}

/// The text with suppressions: comments before elements, and an element in the metadata.
fn with_suppressions(
    text: &str,
    comments: &[(Index, String, String)],
    in_metadata: Option<&String>,
) -> String {
    let starts = read(text, |document| {
        document.elements().map(|element| element.span().start).collect::<Vec<_>>()
    })
    .unwrap();
    let mut places: Vec<(usize, String)> = comments
        .iter()
        .map(|(index, word, names)| {
            (*index.get(&starts), format!("<!-- gvtg-xml: {word}[{names}] because -->"))
        })
        .collect();
    if let Some(rule) = in_metadata {
        let own = format!(
            "<metadata><g:domain xmlns:g='urn:gvtg-xml:1'><g:ignore rule='{rule}'>because</g:ignore></g:domain></metadata>"
        );
        places.push((starts[1], own));
    }
    places.sort_by_key(|(at, _)| *at);
    places.iter().rev().fold(text.to_owned(), |mut text, (at, place)| {
        text.insert_str(*at, place);
        text
    })
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn suppressed_findings_are_not_fixed(
        made in domains::domain(),
        comments in vec((any::<Index>(), select(&["ignore", "ignore", "ignore", "ignore-file", "ingore"][..]), subsequence(suppressible(), 1..3)), 1..5),
        in_metadata in proptest::option::weighted(0.3, select(suppressible())),
        flags in 0..SETTINGS.len(),
    ) {
        let comments: Vec<_> =
            comments.into_iter().map(|(place, word, names)| (place, word.to_owned(), names.join(", "))).collect();
        let text = with_suppressions(&made.text, &comments, in_metadata.as_ref());
        let fixed = check_invariants(&text, settings(flags))?;
        prop_assert!(fixed.is_some(), "not read: {}", text);
        let suppressed = Linter::new(rules(), settings(flags)).lint(&text).unwrap().suppressed;
        let fixed = Linter::new(rules(), settings(flags)).fix(text.clone()).unwrap();
        for one in &fixed.applied {
            let same = suppressed.iter().find(|other| other.rule.id == one.rule.id && other.span == one.span && !one.in_inserted_text);
            prop_assert!(same.is_none(), "[{}] is suppressed and fixed in\n{}\n=>\n{}", one.rule.id, text, fixed.text);
        }
    }
}

/// All groups of rules about domains.
const GROUPS: &[&str] = &["display", "vgpu", "namespace", "qemu", "domain"];

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn added_suppressions_leave_no_finding(
        made in domains::domain(),
        names in prop_oneof![Just(GROUPS.to_vec()), subsequence(GROUPS, 1..3)],
        in_metadata in any::<bool>(),
        flags in 0..SETTINGS.len(),
    ) {
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let style = if in_metadata { SuppressionStyle::Metadata } else { SuppressionStyle::Comment };
        let write = |text: &str| Linter::new(rules(), settings(flags)).suppress(text.to_owned(), &names, "because", style).unwrap();
        let written = write(&made.text);
        let is_named = |found: &gvtg_xml::Diagnostic<'_>| names.iter().any(|name| found.rule.matches_name(name));
        let left = Linter::new(rules(), settings(flags)).detail(Detail::Edits).lint(&written.text).unwrap().open;
        let left: Vec<_> = left.iter().filter(|found| is_named(found) && !matches!(found.rule.check, Check::Suppression { .. })).collect();
        prop_assert!(left.is_empty(), "{:?} in\n{}\n=>\n{}", left, made.text, written.text);
        let again = write(&written.text);
        prop_assert_eq!((&again.text, again.count), (&written.text, 0), "suppressing twice differs from suppressing once");
        prop_assert_eq!(written.count > 0, written.text != made.text);
        let (before, after) = (made.text.split_whitespace().count(), written.text.split_whitespace().count());
        prop_assert!(before <= after, "words are lost");
        if !in_metadata {
            let mut bare = written.text.clone();
            while let Some(start) = bare.find("<!-- gvtg-xml:") {
                let end = start + bare[start..].find("-->").unwrap() + 3;
                bare.replace_range(start..end, "");
            }
            let squeezed = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(squeezed(&bare), squeezed(&made.text));
        }
        let fixed = check_invariants(&written.text, settings(flags))?;
        if names.len() == GROUPS.len() && !settings(flags).unsafe_fixes {
            prop_assert_eq!(fixed.as_deref(), Some(&*written.text), "all findings are suppressed");
        }
    }
}
