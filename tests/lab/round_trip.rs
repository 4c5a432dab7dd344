//! Domains that move from an old libvirt to a newer one and back: each libvirt accepts what is
//! written for it, and in the end the vGPU is unchanged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use gvtg_xml::internals::qemu::property::{to_override, type_of};
use gvtg_xml::{Linter, RuleSet, builtin, parse_settings};

use crate::lab;
use lab::{Answer, Device, Suite, say, vgpus};

/// A domain, and the texts that two libvirts get: the first, the second, and the first again.
struct Trip {
    name: String,
    steps: [String; 3],
    /// Whether a property was left because it has no other syntax, which a finding reports.
    is_left: bool,
}

/// The fixtures, and the domains of the corpus if there is one.
fn domains() -> Vec<(String, String)> {
    let corpus = std::env::var_os("GVTG_CORPUS");
    if corpus.is_none() {
        lab::skipped("GVTG_CORPUS is not set, so only the fixtures travel");
    }
    let folders = std::iter::once(PathBuf::from("fixtures"))
        .chain(corpus.iter().flat_map(std::env::split_paths));
    let files = folders.flat_map(|folder| {
        std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
    });
    let mut paths: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
    paths.retain(|path| {
        path.extension().is_some_and(|end| end == "xml")
            && !path.to_string_lossy().ends_with(".fixed.xml")
    });
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem()?.to_str()?.to_owned();
        Some((name, std::fs::read_to_string(path).ok()?))
    };
    // libvirt reads uninitialised memory when it converts such interfaces.
    let is_converted = |(_, text): &(String, String)| !text.contains("<interface type='hostdev'");
    paths.into_iter().filter_map(read).filter(is_converted).collect()
}

/// Converts a domain for these libvirts in turn; None if no step changes it.
fn travel(name: &str, text: &str, releases: [&str; 3]) -> Option<Trip> {
    let rules = RuleSet::all(builtin());
    let (mut now, mut is_left) = (text.to_owned(), false);
    let steps = releases.map(|release| {
        let settings = parse_settings(&format!("--libvirt {release}")).expect("flags");
        let fixed = Linter::new(&rules, &settings)
            .fix(now.clone())
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        is_left |= fixed
            .remaining
            .iter()
            .any(|left| matches!(&*left.rule.id, "unsupported-override" | "set-on-json-device"));
        now = fixed.text;
        now.clone()
    });
    steps.iter().any(|step| step != text).then(|| Trip { name: name.to_owned(), steps, is_left })
}

#[test]
fn a_domain_that_moves_between_libvirts_keeps_its_vgpu() {
    let Some(suites) = lab::suites() else { return };
    let suite =
        |name: &str| *suites.iter().find(|suite| suite.name == name).expect("a suite of the lab");
    let (old, new) = (suite("bullseye"), suite("bookworm"));
    let domains = domains();
    let trips = |releases: [&str; 3]| {
        domains.iter().filter_map(|(name, text)| travel(name, text, releases)).collect::<Vec<_>>()
    };
    let (from_old, from_new) =
        (trips(["7.0.0", "9.0.0", "7.0.0"]), trips(["9.0.0", "7.0.0", "9.0.0"]));
    let travellers: BTreeSet<&str> =
        from_old.iter().chain(&from_new).map(|trip| trip.name.as_str()).collect();
    let mut questions: [BTreeMap<String, String>; 2] = Default::default();
    for (name, text) in domains.iter().filter(|(name, _)| travellers.contains(name.as_str())) {
        questions
            .iter_mut()
            .for_each(|documents| drop(documents.insert(format!("{name}@before"), text.clone())));
    }
    for (trips, kind, first) in [(&from_old, "old", 0), (&from_new, "new", 1)] {
        for trip in trips {
            for (index, step) in trip.steps.iter().enumerate() {
                questions[(first + index) % 2]
                    .insert(format!("{}@{kind}{index}", trip.name), step.clone());
            }
        }
    }
    let [of_old, of_new] = &questions;
    let answers = lab::ask_all("round-trip", [(old, of_old), (new, of_new)], &[]);
    let mut faults = Vec::new();
    for (trips, kind, first) in [(&from_old, "old", 0), (&from_new, "new", 1)] {
        for trip in trips {
            let (home, away) = (&answers[first], &answers[1 - first]);
            faults.extend(refused(trip, kind, home, away));
            faults.extend(changed(trip, kind, home));
        }
    }
    say(&format!(
        "round trip: {} and {} domains, {} faults",
        from_old.len(),
        from_new.len(),
        faults.len()
    ));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

type Answers = (Suite, BTreeMap<String, Answer>);

/// Steps that their libvirt rejects for a new reason.
fn refused(trip: &Trip, kind: &str, home: &Answers, away: &Answers) -> Vec<String> {
    let refused = |index: usize| {
        let (suite, answers) = if index == 1 { away } else { home };
        let (before, step) = (
            &answers[&format!("{}@before", trip.name)],
            &answers[&format!("{}@{kind}{index}", trip.name)],
        );
        // If it was rejected before, a later reason only matters if this program caused it.
        let is_ours = ["audio", "hostdev", "mdev", "qemu", "alias", "address"]
            .iter()
            .any(|word| step.define.contains(word));
        let is_worse = step.define != "ok"
            && step.define != before.define
            && (before.define == "ok" || is_ours);
        is_worse.then(|| {
            format!(
                "{} in step {index} of {kind}: {} says {}, before {}",
                trip.name, suite.name, step.define, before.define
            )
        })
    };
    (0..3).filter_map(refused).collect()
}

/// A vGPU that comes back with another property, or another value of one.
fn changed(trip: &Trip, kind: &str, home: &Answers) -> Option<String> {
    let argv = |index: usize| home.1[&format!("{}@{kind}{index}", trip.name)].argv.as_ref();
    let (first, last) = (argv(0)?, argv(2));
    let properties = |argv: &[String]| -> Vec<BTreeMap<String, String>> {
        // The id is the user's or ours, and switches and numbers have several spellings.
        let plain = |device: Device| {
            let value = |name: &str, value: String| {
                type_of(name).and_then(|kind| to_override(kind, &value)).unwrap_or(value)
            };
            let kept = device
                .properties
                .into_iter()
                .filter(|(name, _)| !matches!(name.as_str(), "id" | "bus" | "addr"));
            kept.map(|(name, text)| (name.clone(), value(&name, text))).collect()
        };
        vgpus(argv).into_iter().map(plain).collect()
    };
    let (before, after) = (properties(first), last.map(|argv| properties(argv)));
    (after.as_ref() != Some(&before) && !trip.is_left)
        .then(|| format!("{} from {kind}: {before:?}\nis at home again {after:?}", trip.name))
}
