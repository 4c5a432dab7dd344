//! Properties of `lint` and `fix` that hold for any input.

use std::path::PathBuf;
use std::sync::OnceLock;

use gvtg_xml::internals::schema::Check;
use gvtg_xml::internals::xml::read;
use gvtg_xml::report::{
    Concise, FileFindings, Full, GitHub, GitLab, JUnit, Json, JsonLines, Part, Report, Sarif,
    State, Statistics,
};
use gvtg_xml::{
    Detail, Diagnostic, FixError, Fixed, Group, Linter, RuleSet, Settings, Severity, Source,
    builtin, parse_settings,
};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseResult};

use crate::common;

mod damage;
mod suppressions;
mod user_content;

const SETTINGS: &[&str] = &[
    "",
    "",
    "--unsafe-fixes",
    "--libvirt 7.0",
    "--libvirt 7.1 --unsafe-fixes",
    "--libvirt 7.9",
    "--libvirt 8.0",
    "--libvirt 8.4",
    "--libvirt 9.0 --keep-video",
    "--alias ua-mine",
    "--libvirt 8.2 --alias ua-mine",
    "--display sdl,gl=on --gdk-scale 2 --display-env :1",
    "--uuid 11111111-2222-4333-8444-555555555555 --type i915-GVTg_V5_4 --pci 0000:00:02.0 --romfile /x.rom",
    "--audio pulseaudio,serverName=/run/x",
];

fn settings(index: usize) -> &'static Settings {
    static PARSED: OnceLock<Vec<Settings>> = OnceLock::new();
    &PARSED.get_or_init(|| SETTINGS.iter().map(|flags| parse_settings(flags).unwrap()).collect())
        [index]
}

fn rules() -> &'static RuleSet<'static> {
    static RULES: OnceLock<RuleSet<'static>> = OnceLock::new();
    RULES.get_or_init(|| RuleSet::all(builtin()))
}

/// Each run has the same cases, so that only a change of the code makes a test fail. `GVTG_CASES`
/// asks for that number of new ones.
fn config(cases: u32) -> ProptestConfig {
    let requested: Option<u32> =
        std::env::var("GVTG_CASES").ok().and_then(|cases| cases.parse().ok());
    let rng_seed = if requested.is_some() { RngSeed::Random } else { RngSeed::Fixed(1) };
    ProptestConfig {
        cases: requested.unwrap_or(cases),
        rng_seed,
        failure_persistence: None,
        max_shrink_iters: 3000,
        ..ProptestConfig::default()
    }
}

/// Checks what holds for every text, and returns the fixed text; None if the text cannot be read.
fn check_invariants(text: &str, settings: &Settings) -> Result<Option<String>, TestCaseError> {
    let found = Linter::new(rules(), settings).detail(Detail::Edits).lint(text);
    let fixed = Linter::new(rules(), settings).fix(text.to_owned());
    let (found, fixed) = match (found, fixed) {
        (Ok(found), Ok(fixed)) => (found.open, fixed),
        (Err(linted), Err(FixError::Xml(fixed, _))) => {
            prop_assert_eq!(&linted, &fixed);
            prop_assert!(
                linted.offset <= text.len()
                    && !linted.message.is_empty()
                    && !linted.help.is_empty()
            );
            return Ok(None);
        }
        (found, fixed) => {
            return Err(TestCaseError::fail(format!(
                "lint: {:?}, fix: {:?}",
                found.map(|found| found.open.len()),
                fixed.map(|fixed| fixed.text)
            )));
        }
    };
    check_reports(text, &found)?;
    check_findings(text, &found)?;
    check_fixed(text, &fixed, settings)?;
    Ok(Some(fixed.text))
}

/// Checks that every report shows every finding.
fn check_reports(text: &str, found: &[Diagnostic<'_>]) -> TestCaseResult {
    let source = Source::new("x", text);
    let parts = [Part { state: State::Found, source: &source, diagnostics: found }];
    let reports: [Box<dyn Report>; 9] = [
        Box::new(Full::new(false, 100)),
        Box::new(Concise::new(false)),
        Box::new(Json::default()),
        Box::new(JsonLines::default()),
        Box::new(Sarif::new(Vec::new(), None)),
        Box::new(GitHub),
        Box::new(GitLab::default()),
        Box::new(JUnit),
        Box::new(Statistics::default()),
    ];
    for mut report in reports {
        let mut written = String::new();
        report.begin(&mut written);
        report.file(
            &FileFindings { name: "x", parts: &parts, fail_on: Severity::Warning },
            &mut written,
        );
        report.end(&mut written);
        let lost = found.iter().find(|finding| !written.contains(&*finding.rule.id));
        prop_assert!(lost.is_none(), "{} does not show {:?}", written, lost);
    }
    Ok(())
}

/// Checks that findings are sorted, and that each fix alone leaves readable XML.
fn check_findings(text: &str, found: &[Diagnostic<'_>]) -> TestCaseResult {
    prop_assert!(
        found.is_sorted_by_key(|finding| finding.start),
        "findings are not in the order of the text"
    );
    for finding in found {
        prop_assert!(
            text.get(finding.span.clone()).is_some(),
            "[{}] {:?} cuts a character",
            finding.rule.id,
            finding.span
        );
        let Some(edits) = finding.fix.as_ref().map(|fix| &fix.edits) else { continue };
        prop_assert!(
            edits.iter().all(|edit| text.get(edit.range.clone()).is_some()),
            "[{}] cuts a character",
            finding.rule.id
        );
        let alone = edits.apply(text);
        let read = read(&alone, |_| ());
        prop_assert!(
            read.is_ok(),
            "[{}] alone makes {:?} of\n{}\n{}",
            finding.rule.id,
            read,
            text,
            alone
        );
    }
    Ok(())
}

/// Checks that fixing takes few passes, reports each fix once and leaves nothing to fix.
fn check_fixed(text: &str, fixed: &Fixed<'_>, settings: &Settings) -> TestCaseResult {
    // Other rules can read a block only after it has moved to libvirt's namespace or to another
    // block.
    let moved = fixed.applied.iter().any(|one| one.rule.group == Group::Namespace);
    // The last pass finds unused suppressions.
    let suppressions =
        fixed.applied.iter().any(|one| matches!(one.rule.check, Check::Suppression { .. }));
    prop_assert!(
        fixed.rounds <= if moved { 7 } else { 4 } + usize::from(suppressions),
        "{} rounds: {:?}",
        fixed.rounds,
        fixed.applied.iter().map(|one| &one.rule.id).collect::<Vec<_>>()
    );
    let mut reported: Vec<_> =
        fixed.applied.iter().map(|one| (&one.rule.id, &one.message, one.start)).collect();
    reported.sort();
    let twice = reported.windows(2).find(|pair| pair[0] == pair[1]);
    // Two findings of a later pass in text that an earlier pass inserted have the same position. An
    // unsafe fix that removes a second vGPU leaves its arguments.
    prop_assert!(
        twice.is_none() || fixed.rounds > 1 || settings.unsafe_fixes,
        "reported twice: {:?}",
        twice
    );
    let source = Source::new("x", text);
    for one in &fixed.applied {
        prop_assert_eq!(
            (one.start, one.end),
            (source.position(one.span.start), source.position(one.span.end)),
            "[{}]",
            one.rule.id
        );
    }
    prop_assert_eq!(fixed.changed, fixed.text != text);
    let again = Linter::new(rules(), settings).fix(fixed.text.clone());
    let again = again
        .map_err(|error| TestCaseError::fail(format!("the output: {error:?}\n{}", fixed.text)))?;
    prop_assert_eq!(
        &again.text,
        &fixed.text,
        "fixing twice differs from fixing once: {:?}",
        again.applied.iter().map(|one| &one.rule.id).collect::<Vec<_>>()
    );
    let level = settings.applicability();
    for left in Linter::new(rules(), settings)
        .detail(Detail::Edits)
        .lint(&fixed.text)
        .unwrap_or_default()
        .open
    {
        // Fixes of the group `display` are withheld if nothing would show the guest afterwards.
        let would_apply = left
            .fix
            .as_ref()
            .is_some_and(|fix| fix.applicability >= level && !fix.edits.is_empty());
        prop_assert!(
            !would_apply || left.rule.group == Group::Display,
            "[{}] is not fixed in\n{}",
            left.rule.id,
            fixed.text
        );
    }
    Ok(())
}

/// The properties hold for the real domains in the folders that `GVTG_CORPUS` names, too, with all
/// settings.
#[test]
fn corpus_domains_are_fixed() {
    let mut faults = Vec::new();
    let read = |folder: PathBuf| {
        std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
    };
    let files = common::corpus().into_iter().flat_map(read);
    for entry in files.flatten() {
        let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
        for (index, flags) in SETTINGS.iter().enumerate() {
            if let Err(error) = check_invariants(&text, settings(index)) {
                faults.push(format!(
                    "{} {flags}: {}",
                    entry.path().display(),
                    error.to_string().lines().next().unwrap_or_default()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}
