//! A fix keeps what the user wrote, in the user's style.

use gvtg_xml::Settings;
use gvtg_xml::internals::domain::Domain;
use gvtg_xml::internals::qemu::property::{to_override, type_of};
use gvtg_xml::internals::xml::{Document, read};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::{SETTINGS, check_invariants, config, settings};
use crate::common::domains::{self, RandomDomain};

/// The numbered words that start like this, in order.
fn words<'t>(text: &'t str, begin: &str) -> Vec<&'t str> {
    text.match_indices(begin).filter_map(|(at, _)| text.get(at..at + begin.len() + 3)).collect()
}

/// The properties that arguments and overrides set on host devices other than vGPUs: the device's
/// XML, the property and its value.
fn settings_of_other_devices(text: &str, settings: &Settings) -> Vec<(String, String)> {
    let other = |domain: &Domain<'_>, alias: &str| {
        let device = domain.host_device(alias).filter(|device| !domain.vgpus.contains(device))?;
        Some(text[device.span()].split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let is_own = |property: &str| {
        property.starts_with("x-pci") || property == "bootindex" || property == "rombar"
    };
    // A property may change its syntax: values are compared by their meaning.
    let meaning = |property: &str, value: &str| {
        let value = type_of(property)
            .and_then(|kind| to_override(kind, value))
            .unwrap_or_else(|| value.to_owned());
        format!("{property}={value}")
    };
    let of = |document: &Document<'_>| {
        let domain = Domain::new(document, settings);
        let sets = domain.sets.iter().filter(|set| is_own(set.property));
        let sets = sets.filter_map(|set| {
            Some((other(&domain, set.device)?, meaning(set.property, set.value)))
        });
        let overrides = domain
            .qemu_overrides
            .iter()
            .filter(|found| is_own(found.property) && found.kind != "remove");
        let overrides = overrides.filter_map(|found| {
            Some((other(&domain, found.alias)?, meaning(found.property, found.value)))
        });
        sets.chain(overrides).collect()
    };
    read(text, of).unwrap_or_default()
}

/// Checks that a fix keeps the user's own content and style.
fn check_user_content(made: &RandomDomain, settings: &Settings) -> TestCaseResult {
    let Some(fixed) = check_invariants(&made.text, settings)? else {
        return Err(TestCaseError::fail(format!(
            "a random domain cannot be read: {:?}",
            read(&made.text, |_| ())
        )));
    };
    // The user's own content.
    let sorted = |mut words: Vec<&str>| {
        words.sort();
        words.iter().map(|word| word.to_string()).collect::<Vec<_>>()
    };
    prop_assert_eq!(
        sorted(words(&made.text, "keep")),
        sorted(words(&fixed, "keep")),
        "{}\n=>\n{}",
        made.text,
        fixed
    );
    if made.misplaced {
        prop_assert_eq!(
            sorted(words(&made.text, "opt/arg")),
            sorted(words(&fixed, "opt/arg")),
            "{}\n=>\n{}",
            made.text,
            fixed
        );
    } else {
        prop_assert_eq!(
            words(&made.text, "opt/arg"),
            words(&fixed, "opt/arg"),
            "{}\n=>\n{}",
            made.text,
            fixed
        );
    }
    // An option stays with its operand.
    for (at, _) in fixed.match_indices("opt/arg") {
        let values: Vec<&str> = fixed[..at].rsplit("value=").take(2).collect();
        prop_assert!(
            values.get(1).is_some_and(|before| before.contains("-fw_cfg")),
            "an option lost its operand in\n{}",
            fixed
        );
    }
    let (before, after) = (
        settings_of_other_devices(&made.text, settings),
        settings_of_other_devices(&fixed, settings),
    );
    for one in &before {
        prop_assert!(
            after.contains(one),
            "{:?} is lost or on another device\n{}\n=>\n{}",
            one,
            made.text,
            fixed
        );
    }
    // The byte order mark and line ends.
    prop_assert_eq!(made.text.starts_with('\u{feff}'), fixed.starts_with('\u{feff}'));
    prop_assert_eq!(made.text.ends_with('\n'), fixed.ends_with('\n'));
    if made.text.contains('\n') {
        let bare = fixed.replace("\r\n", "");
        prop_assert!(
            !made.text.contains("\r\n") || !bare.contains('\n'),
            "a bare LF in {:?}",
            fixed
        );
        prop_assert!(made.text.contains("\r\n") || !fixed.contains('\r'), "a CR in {:?}", fixed);
    }
    if !made.text.trim_end().contains('\n') {
        prop_assert!(!fixed.trim_end().contains('\n'), "a line break in {:?}", fixed);
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn random_domains_are_fixed_and_keep_the_users_content(made in domains::domain(), flags in 0..SETTINGS.len()) {
        check_user_content(&made, settings(flags))?;
    }
}
