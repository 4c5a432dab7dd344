//! Properties of `lint` and `fix` that hold for any input.

use crate::common;

use std::path::PathBuf;
use std::sync::OnceLock;

use common::domains::{self, RandomDomain};
use gvtg_xml::internals::domain::Domain;
use gvtg_xml::internals::qemu::property::{to_override, type_of};
use gvtg_xml::internals::schema::Check;
use gvtg_xml::internals::xml::{Document, QEMU_NAMESPACE, read};
use gvtg_xml::report::{
    Concise, FileFindings, Full, GitHub, GitLab, JUnit, Json, JsonLines, Part, Report, Sarif,
    State, Statistics,
};
use gvtg_xml::{
    Detail, FixError, Group, Linter, RuleSet, Settings, Severity, Source, SuppressionStyle,
    builtin, decode, parse_settings, skip_reason,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use proptest::test_runner::{RngSeed, TestCaseResult};

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
fn holds(text: &str, settings: &Settings) -> Result<Option<String>, TestCaseError> {
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
    let source = Source::new("x", text);
    let parts = [Part { state: State::Found, source: &source, diagnostics: &found }];
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
    prop_assert!(
        found.is_sorted_by_key(|finding| finding.start),
        "findings are not in the order of the text"
    );
    for finding in &found {
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
    // Other rules can read a block only after it has moved to libvirt's namespace or to another
    // block.
    let moved = fixed.applied.iter().any(|one| one.rule.group == Group::Namespace);
    // The last pass finds unused suppressions.
    let suppressions =
        fixed.applied.iter().any(|one| matches!(one.rule.check, Check::Ignore { .. }));
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
    Ok(Some(fixed.text))
}

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
            .overrides
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
fn keeps(made: &RandomDomain, settings: &Settings) -> TestCaseResult {
    let Some(fixed) = holds(&made.text, settings)? else {
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

/// Pieces of XML, valid and invalid.
const TOKENS: &[&str] = &[
    "<domain>",
    "</domain>",
    "<domain type='kvm'>",
    "<domain",
    "<devices>",
    "</devices>",
    "<devices/>",
    "<hostdev type='mdev'>",
    "</hostdev>",
    "<qemu:commandline>",
    "</qemu:commandline>",
    "<qemu:arg value='-set'/>",
    "<qemu:arg value=\"device.hostdev0.ramfb=on\"/>",
    " xmlns:qemu='",
    QEMU_NAMESPACE,
    "'",
    "\"",
    ">",
    "/>",
    "<",
    "&",
    "&amp;",
    "&#65;",
    "&#xD800;",
    "<!--",
    "-->",
    "--",
    "<![CDATA[",
    "]]>",
    "<?xml version='1.0'?>",
    "<?p",
    "?>",
    "<!DOCTYPE x>",
    "\n",
    "\r\n",
    "\r",
    " ",
    "\t",
    "é",
    "\u{feff}",
    "\0",
    "<graphics type='spice'/>",
    "<video/>",
    ":",
    "=",
    "x",
    "<qemu:override>",
    "</qemu:override>",
    "<alias name='ua-gvtg'/>",
    "<metadata>",
    "</metadata>",
    " xmlns=''",
    "<name>",
    "</name>",
];

fn fixtures() -> &'static [String] {
    static FIXTURES: OnceLock<Vec<String>> = OnceLock::new();
    FIXTURES.get_or_init(|| {
        let mut paths: Vec<_> =
            std::fs::read_dir("fixtures").unwrap().flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
        paths.sort();
        paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
    })
}

/// A byte offset between two characters.
fn place(text: &str, index: &Index) -> usize {
    let at = index.index(text.len() + 1);
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn random_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        skip_reason(&bytes);
        if let Ok(text) = decode(&bytes) {
            holds(text, settings(0))?;
        }
    }

    #[test]
    fn random_pieces_of_xml_are_read_or_refused(tokens in vec(select(TOKENS), 0..40), whole in any::<bool>()) {
        let text = if whole { format!("<domain>{}</domain>", tokens.concat()) } else { tokens.concat() };
        skip_reason(text.as_bytes());
        let _ = Linter::new(rules(), settings(0)).skip_unrelated(true).lint(&text);
        holds(&text, settings(0))?;
    }
}

proptest! {
    #![proptest_config(config(120))]

    #[test]
    fn damaged_fixtures_are_fixed_or_refused(
        fixture in any::<Index>(),
        edits in vec((any::<Index>(), 0..60usize, prop_oneof![Just(""), select(TOKENS)]), 1..5),
        flags in 0..SETTINGS.len(),
    ) {
        let mut text = fixture.get(fixtures()).clone();
        for (at, length, replacement) in &edits {
            let start = place(&text, at);
            let end = (start..=(start + length).min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(start);
            text.replace_range(start..end, replacement);
        }
        holds(&text, settings(flags))?;
    }

    #[test]
    fn fixtures_without_some_elements_are_fixed(
        fixture in any::<Index>(),
        without in vec(any::<Index>(), 1..8),
        flags in 0..SETTINGS.len(),
    ) {
        let text = fixture.get(fixtures());
        let spans = read(text, |document| document.elements().skip(1).map(|element| element.span()).collect::<Vec<_>>()).unwrap();
        let mut gone: Vec<_> = without.iter().map(|index| index.get(&spans).clone()).collect();
        gone.sort_by_key(|span| span.start);
        let mut kept = String::new();
        let mut at = 0;
        for span in gone.into_iter().filter(|span| !span.is_empty()) {
            if span.start >= at {
                kept.push_str(&text[at..span.start]);
                at = span.end;
            }
        }
        kept.push_str(&text[at..]);
        prop_assert!(holds(&kept, settings(flags))?.is_some());
    }
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn random_domains_are_fixed_and_keep_the_users_content(made in domains::domain(), flags in 0..SETTINGS.len()) {
        keeps(&made, settings(flags))?;
    }
}

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
        let fixed = holds(&text, settings(flags))?;
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
        let left: Vec<_> = left.iter().filter(|found| is_named(found) && !matches!(found.rule.check, Check::Ignore { .. })).collect();
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
        let fixed = holds(&written.text, settings(flags))?;
        if names.len() == GROUPS.len() && !settings(flags).unsafe_fixes {
            prop_assert_eq!(fixed.as_deref(), Some(&*written.text), "all findings are suppressed");
        }
    }
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
            if let Err(error) = holds(&text, settings(index)) {
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
