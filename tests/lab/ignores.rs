//! Suppressions survive `virsh define` in the metadata, but not in comments.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::collections::BTreeMap;

use gvtg_xml::{Linter, RuleSet, SuppressionStyle, builtin, parse_settings};

use crate::lab;
use lab::say;

/// The suppressed rules of a text, each with its reason.
fn suppressed(text: &str, flags: &str) -> Vec<(String, String)> {
    let findings =
        Linter::new(&RuleSet::all(builtin()), &parse_settings(flags).unwrap()).lint(text).unwrap();
    let mut all: Vec<_> = findings
        .suppressed
        .into_iter()
        .map(|one| (one.rule.id.to_string(), one.reason.unwrap_or_default()))
        .collect();
    all.sort();
    all.dedup();
    all
}

#[test]
fn the_metadata_survives_define_and_comments_do_not() {
    let Some(suites) = lab::suites() else { return };
    const REASON: &str = "watched from <afar>, with SPICE & co. -- é";
    let rules = RuleSet::all(builtin());
    let text = std::fs::read_to_string("fixtures/win10-virt-manager.xml").unwrap();
    // libvirt 7.0 does not know this element.
    let text = text.replace("    <audio id='1' type='spice'/>\n", "");
    let names = ["stray-graphics".to_owned(), "stray-video".to_owned()];
    let expected = names.clone().map(|rule| (rule, REASON.to_owned()));
    for suite in suites {
        let flags = format!("--libvirt {}", suite.libvirt);
        let settings = parse_settings(&format!("{flags} --type i915-GVTg_V5_4")).unwrap();
        let written = Linter::new(&rules, &settings)
            .suppress(text.clone(), &names, REASON, SuppressionStyle::Metadata)
            .unwrap()
            .text;
        let comments = Linter::new(&rules, &settings)
            .suppress(text.clone(), &names, "watched from afar", SuppressionStyle::Comment)
            .unwrap()
            .text;
        let fixed = Linter::new(&rules, &settings).fix(written.clone()).unwrap().text;
        let typed_first = Linter::new(&rules, &settings).fix(text.clone()).unwrap().text;
        let typed_first = Linter::new(&rules, &settings)
            .suppress(typed_first, &["silent-sound".into()], REASON, SuppressionStyle::Metadata)
            .unwrap()
            .text;
        let documents = [
            ("written", written),
            ("fixed", fixed),
            ("typed-first", typed_first),
            ("comments", comments),
        ];
        let documents: BTreeMap<String, String> =
            documents.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
        let answers = lab::ask("ignores", suite, &documents, &[]);
        let dumped = |name: &str| {
            let answer = &answers[name];
            assert_eq!(answer.define, "ok", "{} {name}", suite.name);
            answer.dumpxml.clone().unwrap_or_else(|| panic!("{} {name}: {answer:?}", suite.name))
        };
        for name in ["written", "fixed"] {
            assert_eq!(
                suppressed(&dumped(name), &flags),
                expected,
                "{} {name}:\n{}",
                suite.name,
                dumped(name)
            );
        }
        // The suppression is next to the type, and the text that comes back needs no further fix.
        let back = dumped("fixed");
        assert!(
            back.contains("type=\"i915-GVTg_V5_4\"") && back.contains("<graphics"),
            "{}:\n{back}",
            suite.name
        );
        assert_eq!(
            Linter::new(&rules, &settings).fix(back.clone()).unwrap().text,
            back,
            "{}",
            suite.name
        );
        assert_eq!(
            suppressed(&dumped("typed-first"), &flags),
            [("silent-sound".to_owned(), REASON.to_owned())],
            "{}",
            suite.name
        );
        assert!(!suppressed(&documents["comments"], &flags).is_empty());
        assert_eq!(
            suppressed(&dumped("comments"), &flags),
            [],
            "{}: libvirt drops comments",
            suite.name
        );
        say(&format!("ignores: libvirt {} keeps those in the metadata", suite.libvirt));
    }
}
