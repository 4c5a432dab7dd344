//! The built-in rules and their examples.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use gvtg_xml::internals::schema::{Check, Example, Fix};
use gvtg_xml::{
    Applicability, Diagnostic, Linter, Rule, RuleSet, Settings, builtin, of_host, parse_settings,
};

use crate::common;

fn only(rule: &'static Rule) -> RuleSet<'static> {
    RuleSet { active: vec![rule], ..RuleSet::all(builtin()) }
}

fn each_example(mut run: impl FnMut(&'static Rule, &'static Example, &Settings)) {
    for rule in builtin() {
        for example in rule.example.iter() {
            let settings = parse_settings(&example.settings)
                .unwrap_or_else(|error| panic!("{}: {error}", rule.id));
            run(rule, example, &settings);
        }
    }
}

fn show(diagnostics: &[Diagnostic<'_>]) -> Vec<String> {
    diagnostics
        .iter()
        .map(|found| {
            format!(
                "{}:{}: [{}] {}",
                found.start.line, found.start.column, found.rule.id, found.message
            )
        })
        .collect()
}

#[test]
fn bad_examples_have_a_finding_at_their_mark() {
    each_example(|rule, example, settings| {
        let Some(bad) = &example.bad else { return };
        let marked = common::document(bad, example.within, settings);
        let (start, text) = (
            marked.find('»').unwrap_or_else(|| panic!("{}: no mark", rule.id)),
            marked.replace('»', ""),
        );
        let (end, text) = (text.find('«').expect("a mark «"), text.replace('«', ""));
        let found = common::findings_of(example, &text, &only(rule), settings);
        let spans: Vec<_> = found.iter().map(|found| &text[found.span.clone()]).collect();
        assert!(
            found.iter().any(|found| found.span == (start..end)),
            "{}: expected {:?}, found {spans:?} {:?}\n{text}",
            rule.id,
            &text[start..end],
            show(&found)
        );
        for message in
            found.iter().flat_map(|found| [Some(&found.message), found.help.as_ref()]).flatten()
        {
            assert!(
                !message.contains("''") && !message.contains("  "),
                "{}: a placeholder without a value: {message}",
                rule.id
            );
        }
    });
}

/// Findings with all of their text that users see.
fn describe(diagnostics: &[Diagnostic<'_>]) -> String {
    let mut text = String::new();
    for Diagnostic { start, end, severity, rule, message, help, related, fix, .. } in diagnostics {
        let place = format!("{}:{} to {}:{}", start.line, start.column, end.line, end.column);
        let _ = writeln!(text, "{place}: {}[{}] {message}", severity.name(), rule.id);
        let related = related.iter().map(|one| {
            let file = one.file.iter().map(|file| format!("{file}:")).collect::<String>();
            format!("{file}{}:{}: {}", one.start.line, one.start.column, one.message)
        });
        let help = help.iter().map(|help| format!("help: {help}"));
        let fix =
            fix.iter().map(|fix| format!("fix ({}): {}", fix.applicability.name(), fix.title));
        for line in related.chain(help).chain(fix) {
            let _ = writeln!(text, "    {line}");
        }
    }
    text
}

/// The folder with one file for each rule: the full text of every finding of its bad examples.
/// Positions are those in the whole document around an example.
const EXPECTED: &str = "tests/expected";

#[test]
fn findings_are_those_in_the_expected_files() {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    each_example(|rule, example, settings| {
        let id = rule.id.to_string();
        let number = counts.entry(id.clone()).or_default();
        *number += 1;
        let Some(bad) = &example.bad else { return };
        let text = common::document(&bad.replace(['»', '«'], ""), example.within, settings);
        let findings = common::findings_of(example, &text, &only(rule), settings);
        assert!(
            findings.iter().all(|finding| finding.rule.id == rule.id),
            "{id}: {:?}",
            show(&findings)
        );
        let text = found.entry(id).or_default();
        let separator = if text.is_empty() { "" } else { "\n" };
        let _ = write!(text, "{separator}example {number}\n{}", describe(&findings));
    });
    let expected = expected_files();
    if common::is_updating() {
        for id in expected.keys().filter(|id| !found.contains_key(*id)) {
            fs::remove_file(format!("{EXPECTED}/{id}.txt")).unwrap();
        }
        for (id, text) in &found {
            fs::write(format!("{EXPECTED}/{id}.txt"), text).unwrap();
        }
        return;
    }
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&expected), "{RENEW}");
    for (id, text) in &found {
        let diff = similar::TextDiff::from_lines(&expected[id], text).unified_diff().to_string();
        assert!(diff.is_empty(), "{id}: {RENEW}:\n{diff}");
    }
}

const RENEW: &str = "`UPDATE_EXPECTED=1 cargo test --test library rules` rewrites the files in tests/expected; review the diff";

/// The expected findings of each rule, by its id.
fn expected_files() -> BTreeMap<String, String> {
    let entries = fs::read_dir(EXPECTED).unwrap().map(|entry| entry.unwrap().path());
    let file = |path: std::path::PathBuf| {
        let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (id, fs::read_to_string(&path).unwrap())
    };
    entries.map(file).collect()
}

#[test]
fn the_rules_fix_alone_turns_a_bad_example_into_its_fixed_one() {
    each_example(|rule, example, settings| {
        let Some(bad) = &example.bad else { return };
        let text = common::document(&bad.replace(['»', '«'], ""), example.within, settings);
        let Ok(fixed) = Linter::new(&only(rule), settings).fix(text.clone()) else {
            assert!(
                example.fixed.is_none() && rule.fix.is_empty(),
                "{}: its example cannot be read, so it has no fix",
                rule.id
            );
            return;
        };
        match &example.fixed {
            Some(expected) => {
                assert_eq!(
                    fixed.text,
                    common::document(expected, example.within, settings),
                    "{}: fixed from\n{text}",
                    rule.id
                );
                assert!(
                    fixed.remaining.iter().all(|left| left.fix.is_none()),
                    "{}: {:?}",
                    rule.id,
                    show(&fixed.remaining)
                );
                assert!(fixed.rounds <= 2, "{}: {} rounds", rule.id, fixed.rounds);
            }
            None => assert_eq!(fixed.text, text, "{}: a fix that no example shows", rule.id),
        }
    });
}

#[test]
fn good_examples_have_no_finding() {
    each_example(|rule, example, settings| {
        let Some(good) = &example.good else { return };
        let text = common::document(good, example.within, settings);
        let found = common::findings_of(example, &text, &only(rule), settings);
        assert!(found.is_empty(), "{}: {:?}\n{text}", rule.id, show(&found));
    });
}

#[test]
fn rules_about_hosts_are_complete() {
    for rule in of_host() {
        let id = &rule.id;
        assert!(
            !rule.summary.contains('\n') && !rule.summary.ends_with('.'),
            "{id}: the summary is not one line without a full stop"
        );
        assert!(rule.why.trim().ends_with(['.', ')']), "{id}: `why` is not made of sentences");
        assert!(!rule.references.is_empty(), "{id}: no reference");
        assert!(
            rule.help.is_some() && rule.example.is_empty(),
            "{id}: no help, or an example: tests/cli/host.rs has machines"
        );
        let file = std::fs::read_to_string(format!("rules/host/{id}.toml"))
            .expect("the rule's file has its name");
        gvtg_xml::parse_rule(&file).unwrap_or_else(|error| panic!("{id}: {error:?}"));
    }
}

#[test]
fn rules_about_domains_are_complete() {
    for rule in builtin() {
        let id = &rule.id;
        assert!(rule.example.iter().any(|example| example.bad.is_some()), "{id}: no bad example");
        assert!(
            rule.fix.is_empty() || rule.example.iter().any(|example| example.fixed.is_some()),
            "{id}: a fix without a fixed example"
        );
        assert!(rule.example.iter().any(|example| example.good.is_some()), "{id}: no good example");
        assert!(
            !rule.summary.contains('\n') && !rule.summary.ends_with('.'),
            "{id}: the summary is not one line without a full stop"
        );
        assert!(rule.why.trim().ends_with(['.', ')']), "{id}: `why` is not made of sentences");
        assert!(!rule.references.is_empty(), "{id}: no reference");
        assert!(
            rule.fix.iter().all(|fix| fix.applicability != Applicability::Manual),
            "{id}: a manual fix belongs in `help`"
        );
        let says_risk =
            |fix: &Fix| fix.risk.is_some() == (fix.applicability == Applicability::Unsafe);
        assert!(
            rule.fix.iter().all(says_risk),
            "{id}: unsafe fixes have a risk, and safe ones have none"
        );
        assert!(!rule.fix.is_empty() || rule.help.is_some(), "{id}: neither fix nor help");
        let file = std::fs::read_to_string(format!("rules/{id}.toml"))
            .expect("the rule's file has its name");
        gvtg_xml::parse_rule(&file).unwrap_or_else(|error| panic!("{id}: {error:?}"));
        for example in rule.example.iter() {
            assert!(
                example.bad.is_some() != example.good.is_some(),
                "{id}: an example is either bad or good"
            );
            let is_across = matches!(rule.check, Check::Across { .. });
            assert!(
                example.other_file.is_some() == is_across,
                "{id}: examples of cross-file checks, and only those, have another file"
            );
        }
    }
}

#[test]
fn names_of_rules_are_unique() {
    let mut names: Vec<_> = builtin()
        .iter()
        .chain(of_host())
        .flat_map(|rule| rule.aliases.iter().chain([&rule.id]))
        .collect();
    names.sort();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "two rules have the same name");
}
