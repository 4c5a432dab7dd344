//! The rules as a table, and every example in them.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that can't go on fails")]

use gvtg_xml::cli::parse_settings;
use gvtg_xml::diagnostic::Diagnostic;
use gvtg_xml::edit::Applicability;
use gvtg_xml::lint::fix;
use gvtg_xml::rules::schema::{Example, Rule, Within};
use gvtg_xml::rules::{RuleSet, builtin, of_host};
use gvtg_xml::settings::Settings;

mod common;

fn only(rule: &'static Rule) -> RuleSet<'static> {
    RuleSet { active: vec![rule], wanted: builtin().iter().collect() }
}

fn each_example(mut run: impl FnMut(&'static Rule, &'static Example, &Settings)) {
    for rule in builtin() {
        for example in rule.example.iter() {
            let settings = parse_settings(&example.settings).unwrap_or_else(|error| panic!("{}: {error}", rule.id));
            run(rule, example, &settings);
        }
    }
}

fn show(diagnostics: &[Diagnostic<'_>]) -> Vec<String> {
    diagnostics.iter().map(|found| format!("{}:{}: [{}] {}", found.start.line, found.start.column, found.rule.id, found.message)).collect()
}

#[test]
fn a_bad_example_has_the_finding_at_its_mark() {
    each_example(|rule, example, settings| {
        let Some(bad) = &example.bad else { return };
        let marked = common::document(bad, example.within, settings);
        let (start, text) = (marked.find('»').unwrap_or_else(|| panic!("{}: no mark", rule.id)), marked.replace('»', ""));
        let (end, text) = (text.find('«').expect("a mark «"), text.replace('«', ""));
        let found = common::findings(&text, &only(rule), settings);
        let spans: Vec<_> = found.iter().map(|found| &text[found.span.clone()]).collect();
        assert!(
            found.iter().any(|found| found.span == (start..end)),
            "{}: wanted {:?}, found {spans:?} {:?}\n{text}",
            rule.id,
            &text[start..end],
            show(&found)
        );
        for message in found.iter().flat_map(|found| [Some(&found.message), found.help.as_ref()]).flatten() {
            assert!(!message.contains("''") && !message.contains("  "), "{}: a placeholder without a value: {message}", rule.id);
        }
    });
}

#[test]
fn a_fixed_example_is_what_the_rules_fix_alone_makes() {
    each_example(|rule, example, settings| {
        let Some(bad) = &example.bad else { return };
        let text = common::document(&bad.replace(['»', '«'], ""), example.within, settings);
        let Ok(fixed) = fix(text.clone(), &only(rule), settings) else {
            assert!(example.fixed.is_none() && rule.fix.is_empty(), "{}: a text that can't be read can't be fixed", rule.id);
            return;
        };
        match &example.fixed {
            Some(wanted) => {
                assert_eq!(fixed.text, common::document(wanted, example.within, settings), "{}: fixed from\n{text}", rule.id);
                assert!(fixed.remaining.iter().all(|left| left.fix.is_none()), "{}: {:?}", rule.id, show(&fixed.remaining));
                assert!(fixed.rounds <= 2, "{}: {} rounds", rule.id, fixed.rounds);
            }
            None => assert_eq!(fixed.text, text, "{}: a fix without an example of it", rule.id),
        }
    });
}

#[test]
fn a_good_example_has_no_finding() {
    each_example(|rule, example, settings| {
        let Some(good) = &example.good else { return };
        let text = common::document(good, example.within, settings);
        let found = common::findings(&text, &only(rule), settings);
        assert!(found.is_empty(), "{}: {:?}\n{text}", rule.id, show(&found));
    });
}

#[test]
fn the_table_is_complete() {
    for rule in of_host() {
        let id = &rule.id;
        assert!(!rule.summary.contains('\n') && !rule.summary.ends_with('.'), "{id}: the summary is one line without a full stop");
        assert!(rule.why.trim().ends_with(['.', ')']), "{id}: why is made of sentences");
        assert!(!rule.references.is_empty(), "{id}: no reference");
        assert!(rule.help.is_some() && rule.example.is_empty(), "{id}: help, and no example: machines are in tests/host.rs");
        let file = std::fs::read_to_string(format!("rules/host/{id}.toml")).expect("the file is named like the rule");
        gvtg_xml::rules::parse(&file).unwrap_or_else(|error| panic!("{id}: {error:?}"));
    }
    for rule in builtin() {
        let id = &rule.id;
        assert!(rule.example.iter().any(|example| example.bad.is_some()), "{id}: no bad example");
        assert!(rule.fix.is_empty() || rule.example.iter().any(|example| example.fixed.is_some()), "{id}: a fix without a fixed example");
        assert!(!rule.summary.contains('\n') && !rule.summary.ends_with('.'), "{id}: the summary is one line without a full stop");
        assert!(rule.why.trim().ends_with(['.', ')']), "{id}: why is made of sentences");
        assert!(!rule.references.is_empty(), "{id}: no reference");
        assert!(rule.fix.iter().all(|fix| fix.applicability != Applicability::Manual), "{id}: a manual fix is no fix, but help");
        assert!(!rule.fix.is_empty() || rule.help.is_some(), "{id}: neither fix nor help");
        let file = std::fs::read_to_string(format!("rules/{id}.toml")).expect("the file is named like the rule");
        gvtg_xml::rules::parse(&file).unwrap_or_else(|error| panic!("{id}: {error:?}"));
        for example in rule.example.iter() {
            assert!(example.bad.is_some() != example.good.is_some(), "{id}: an example is bad or good");
            assert!(
                example.within != Within::Document || !example.settings.is_empty() || example.bad.is_some() || example.good.is_some(),
                "{id}"
            );
        }
    }
    let mut names: Vec<_> = builtin().iter().chain(of_host()).flat_map(|rule| rule.aliases.iter().chain([&rule.id])).collect();
    names.sort();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "two rules of one name");
}

#[test]
fn rule_files_with_faults_are_refused_with_words() {
    let good = std::fs::read_to_string("rules/stray-video.toml").unwrap();
    let error = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        gvtg_xml::rules::parse(&good.replace(from, to)).expect_err(to)
    };
    let wrong_kind = error("kind = \"forbid\"", "kind = \"forbidden\"");
    assert!(wrong_kind.message.contains("unknown variant `forbidden`"), "{wrong_kind:?}");
    assert!(good[..wrong_kind.span.start].lines().count() > 10, "{wrong_kind:?}");
    assert!(error("summary", "sumary").message.contains("unknown field `sumary`"));
    assert!(error("/domain/devices/video[", "/domain/devices/video[[").message.contains("expected a name at byte"));
    assert!(error("op = \"remove\"", "op = \"deliver\"").message.contains("does not fit"));
    assert!(error("a <video> card beside", "a {nonsense} beside").message.contains("{nonsense}"));
    assert!(error("setting = \"!keep-video\"", "libvirt = \"9\"").message.contains("no bound"));
    assert!(error("group = \"display\"", "group = \"host\"").message.contains("selects and fixes nothing"));
    let good = std::fs::read_to_string("rules/host/small-aperture.toml").unwrap();
    let error = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        gvtg_xml::rules::parse(&good.replace(from, to)).expect_err(to)
    };
    assert!(error("group = \"host\"", "group = \"domain\"").message.contains("say what is `ok`"));
    assert!(error("function = \"small", "function = \"large").message.contains("there is no function 'large-aperture'"));
    assert!(error("({found})", "({@type})").message.contains("{@type}"));
}
