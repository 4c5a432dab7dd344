//! The invariants of `fix`, on every fixture and on the real domains in the folders that
//! `GVTG_CORPUS` names.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use gvtg_xml::internals::xml;
use gvtg_xml::{Applicability, Detail, Group, Linter, RuleSet, Settings, builtin, parse_settings};

use crate::common;

/// Each document is fixed with each of these settings.
const SETTINGS: &[&str] = &[
    "",
    "--unsafe-fixes",
    "--libvirt 7.0",
    "--libvirt 8.3",
    "--display sdl,gl=on --uuid ab54baba-ea9a-4ce5-b7b4-51b376b65849",
];

fn files() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("fixtures")];
    folders.extend(common::corpus());
    let mut files: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).expect("the folder can be read"))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
    files.sort();
    assert!(!files.is_empty());
    files
}

/// Runs `check` on each document that is domain XML, with each of the settings.
fn each(mut check: impl FnMut(&str, &str, &Settings)) {
    for path in files() {
        // tests/library/malformed.rs is about files that are not text.
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if Linter::new(&RuleSet::all(builtin()), &Settings::default())
            .detail(Detail::Edits)
            .lint(&text)
            .is_err()
        {
            continue;
        }
        for flags in SETTINGS {
            check(
                &format!("{} with '{flags}'", path.display()),
                &text,
                &parse_settings(flags).unwrap(),
            );
        }
    }
}

#[test]
fn fix_converges_and_is_idempotent() {
    let rules = RuleSet::all(builtin());
    let mut rounds: BTreeMap<usize, usize> = BTreeMap::new();
    each(|name, text, settings| {
        let once = Linter::new(&rules, settings)
            .fix(text.to_owned())
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        *rounds.entry(once.rounds).or_default() += 1;
        assert!(
            once.rounds < 3,
            "{name}: more than two passes changed something: {:?}",
            ids(&once.applied)
        );
        let twice = Linter::new(&rules, settings).fix(once.text.clone()).unwrap();
        assert_eq!(twice.text, once.text, "{name}: fixing twice differs from fixing once");
        let level = settings.applicability();
        let left =
            Linter::new(&rules, settings).detail(Detail::Edits).lint(&once.text).unwrap().open;
        for left in left {
            let is_fixable = left.fix.as_ref().is_some_and(|fix| fix.applicability >= level);
            // Fixes of the group `display` may be withheld.
            assert!(
                !is_fixable || left.rule.group == Group::Display,
                "{name}: not fixed: {} {}",
                left.rule.id,
                left.message
            );
        }
    });
    println!("documents by number of passes that changed something: {rounds:?}");
}

fn ids(diagnostics: &[gvtg_xml::Diagnostic<'_>]) -> Vec<String> {
    diagnostics.iter().map(|diagnostic| diagnostic.rule.id.to_string()).collect()
}

#[test]
fn fix_applies_each_fix_that_lint_shows() {
    let rules = RuleSet::all(builtin());
    let mut shown = 0;
    each(|name, text, settings| {
        let fixed = Linter::new(&rules, settings).fix(text.to_owned()).unwrap();
        let made: BTreeSet<_> =
            fixed.applied.iter().map(|made| (&made.rule.id, made.start)).collect();
        let level = settings.applicability();
        for found in Linter::new(&rules, settings).detail(Detail::Edits).lint(text).unwrap().open {
            if found
                .fix
                .as_ref()
                .is_some_and(|fix| fix.applicability >= level && !fix.edits.is_empty())
            {
                shown += 1;
                // Only `fix` knows whether anything would still show the guest.
                let is_withheld = fixed.display_fixes_skipped && found.rule.group == Group::Display;
                assert!(
                    made.contains(&(&found.rule.id, found.start)) || is_withheld,
                    "{name}: {} {}",
                    found.rule.id,
                    found.message
                );
            }
        }
    });
    assert!(shown > 10, "only {shown} fixes are shown");
}

#[test]
fn unsafe_fixes_say_what_they_may_lose() {
    let rules = RuleSet::all(builtin());
    each(|name, text, settings| {
        for found in Linter::new(&rules, settings).detail(Detail::Edits).lint(text).unwrap().open {
            let Some(fix) = &found.fix else { continue };
            assert!(
                fix.applicability != Applicability::Unsafe || fix.risk.is_some(),
                "{name}: {}",
                found.rule.id
            );
        }
    });
}

#[test]
fn findings_of_fix_have_positions_in_the_original_text() {
    let rules = RuleSet::all(builtin());
    let mut traced = 0;
    each(|name, text, settings| {
        let fixed = Linter::new(&rules, settings).fix(text.to_owned()).unwrap();
        let source = gvtg_xml::Source::new("", text);
        for one in fixed.applied.iter().chain(&fixed.remaining) {
            assert_eq!(
                (one.start, one.end),
                (source.position(one.span.start), source.position(one.span.end)),
                "{name}: {}",
                one.rule.id
            );
        }
        // Each remaining finding is in the new text too, and starts with the same character there.
        let mut now =
            Linter::new(&rules, settings).detail(Detail::Edits).lint(&fixed.text).unwrap().open;
        for left in fixed.remaining.iter().filter(|left| !left.in_inserted_text) {
            let is_same = |one: &gvtg_xml::Diagnostic<'_>| {
                one.rule.id == left.rule.id
                    && one.message == left.message
                    && fixed.text[one.span.start..].chars().next()
                        == text[left.span.start..].chars().next()
            };
            let index = now
                .iter()
                .position(is_same)
                .unwrap_or_else(|| panic!("{name}: {} is not at {:?}", left.rule.id, left.start));
            now.swap_remove(index);
            traced += 1;
        }
    });
    assert!(traced > 0, "no document has a remaining finding");
}

#[test]
fn each_fix_alone_leaves_readable_xml() {
    let rules = RuleSet::all(builtin());
    each(|name, text, settings| {
        let all = Linter::new(&rules, settings).detail(Detail::Edits).lint(text).unwrap().open;
        // Fixes may have no edits until elements in a wrong namespace or block have moved.
        let may_be_empty = text.matches("<devices").count() > 1
            || all.iter().any(|found| found.rule.group == Group::Namespace);
        for found in all {
            assert!(
                text.is_char_boundary(found.span.start) && text.is_char_boundary(found.span.end),
                "{name}"
            );
            let Some(fix) = &found.fix else { continue };
            assert!(
                may_be_empty || !fix.edits.is_empty(),
                "{name}: {}: a fix without edits",
                found.rule.id
            );
            let fixed = fix.edits.apply(text);
            xml::read(&fixed, |_| ())
                .unwrap_or_else(|error| panic!("{name}: {}: {error:?}\n{fixed}", found.rule.id));
        }
    });
}

#[test]
fn bytes_outside_edits_stay_as_they_are() {
    let rules = RuleSet::all(builtin());
    each(|name, text, settings| {
        let fixed = Linter::new(&rules, settings).fix(text.to_owned()).unwrap();
        if !fixed.changed {
            assert_eq!(fixed.text, text, "{name}");
            return;
        }
        // An edit of a finding covers each removed line.
        let found = Linter::new(&rules, settings).detail(Detail::Edits).lint(text).unwrap().open;
        let named: Vec<_> = found
            .iter()
            .filter_map(|found| found.fix.as_ref())
            .flat_map(|fix| fix.edits.iter().map(|edit| edit.range.clone()))
            .collect();
        let is_named = |line: &Range<usize>| {
            named.iter().any(|range| range.start <= line.end && line.start <= range.end)
        };
        let diff = similar::TextDiff::from_lines(text, &fixed.text);
        for change in
            diff.iter_all_changes().filter(|change| change.tag() == similar::ChangeTag::Delete)
        {
            // Equal lines are counted: a diff may report another one of them as removed, or a line
            // that another line moved past as removed and added.
            let line = change.value();
            let gone = text.matches(line).count().saturating_sub(fixed.text.matches(line).count());
            let named = text
                .match_indices(line)
                .filter(|(at, _)| is_named(&(*at..at + line.len())))
                .count();
            assert!(
                named >= gone || fixed.rounds > 1 || is_block_tag(line),
                "{name}: no edit covers the line {line:?}"
            );
        }
    });
}

/// Whether a line is a tag of a QEMU block, which is removed with its last child.
fn is_block_tag(line: &str) -> bool {
    let name = line.trim().trim_start_matches(['<', '/']);
    let name = name.split_once(':').map_or(name, |(_, name)| name);
    ["commandline", "override", "capabilities", "device", "frontend"]
        .iter()
        .any(|block| name.starts_with(block))
}

#[test]
fn xmllint_accepts_fixed_documents() {
    if !common::program::has_tool("xmllint", &["--version"]) {
        return;
    }
    let rules = RuleSet::all(builtin());
    let folder = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    each(|name, text, settings| {
        if settings.unsafe_fixes {
            return;
        }
        let path = folder.path().join(format!("{}.xml", names.len()));
        std::fs::write(&path, Linter::new(&rules, settings).fix(text.to_owned()).unwrap().text)
            .unwrap();
        names.push(name.to_owned());
    });
    let paths: Vec<PathBuf> =
        (0..names.len()).map(|index| folder.path().join(format!("{index}.xml"))).collect();
    for chunk in paths.chunks(500) {
        let output = Command::new("xmllint")
            .arg("--noout")
            .args(chunk)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        // libxml2 may warn about what was in the original documents, but not about namespaces.
        assert!(!words.contains("namespace error") && !words.contains("parser error"), "{words}");
    }
}
