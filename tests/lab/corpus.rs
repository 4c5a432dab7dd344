//! Domains written by others, before and after `fix`: real libvirt accepts everything that it
//! accepted before, and the vGPU reaches QEMU.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gvtg_xml::internals::domain::{PropertySyntax, property_syntax_for};
use gvtg_xml::{Detail, Diagnostic, Fixed, Linter, RuleSet, Settings, Version, builtin};

use crate::lab;
use crate::libvirt_round_trip;
use lab::{Answer, Suite, fault, say};

/// One domain of the corpus, and what `fix` made of it.
struct Case {
    name: String,
    before: String,
    safe: Fixed<'static>,
    all: Fixed<'static>,
    /// The findings in it.
    found: Vec<Diagnostic<'static>>,
    /// It cannot have a vGPU, so `fix` leaves it alone.
    is_unsuitable: bool,
}

/// The counts that are printed at the end.
#[derive(Default)]
struct Counts {
    accepted_before: usize,
    accepted_after: usize,
    accepted_after_unsafe: usize,
    argv: usize,
    whole: usize,
    qemu_takes_before: usize,
    left_alone: Vec<String>,
    /// Domains whose vGPU lacks something that only the user can decide about, with a finding that
    /// says so.
    held_back: Vec<String>,
    /// Domains that crash libvirt before `fix`, or could.
    crashing: Vec<String>,
    faults: Vec<String>,
}

#[test]
fn fixed_domains_run_on_bullseye() {
    run("bullseye");
}

#[test]
fn fixed_domains_run_on_bookworm() {
    run("bookworm");
}

#[test]
fn fixed_domains_run_on_trixie() {
    run("trixie");
}

#[test]
fn fixed_domains_run_on_sid() {
    run("sid");
}

fn run(suite: &str) {
    let Some(suites) = lab::suites() else { return };
    let Some(corpus) = std::env::var_os("GVTG_CORPUS") else {
        return lab::skipped(
            "GVTG_CORPUS is not set, so no domain of other people was fixed: name folders of domain XML, with colons between them",
        );
    };
    let suite = *suites.iter().find(|known| known.name == suite).expect("a suite of the lab");
    // If libvirt reads overrides, the default has to do; older versions have to be named.
    let libvirt = if property_syntax_for(suite.libvirt) == PropertySyntax::Override {
        Version::NEWEST
    } else {
        suite.libvirt
    };
    let cases = cases(&corpus, libvirt);
    let (mut documents, mut documents_unsafe) = (BTreeMap::new(), BTreeMap::new());
    for case in &cases {
        documents.insert(format!("{}@before", case.name), case.before.clone());
        // An unchanged document has its answer already.
        if case.safe.changed {
            documents.insert(format!("{}@safe", case.name), case.safe.text.clone());
        }
        if case.all.text != case.safe.text {
            documents_unsafe.insert(format!("{}@unsafe", case.name), case.all.text.clone());
        }
    }
    let mut answers = lab::ask("corpus", suite, &documents, &["--qemu"]);
    answers.extend(lab::ask("corpus-unsafe", suite, &documents_unsafe, &[]));
    let counts = count(&cases, &answers);
    report(suite, &counts);
    assert!(counts.accepted_before > 0, "libvirt accepted none before");
    assert!(counts.faults.is_empty(), "{}:\n{}", suite.name, counts.faults.join("\n"));
}

fn cases(corpus: &std::ffi::OsStr, libvirt: Version) -> Vec<Case> {
    let files = |folder: PathBuf| {
        std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
    };
    let paths = std::env::split_paths(corpus).flat_map(files).flatten().map(|file| file.path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "xml")).collect();
    paths.sort();
    let rules = RuleSet::all(builtin());
    let safe = Settings { libvirt, ..Settings::default() };
    let all = Settings { unsafe_fixes: true, ..safe.clone() };
    let mut cases = Vec::new();
    for path in paths {
        let name =
            path.file_stem().and_then(|stem| stem.to_str()).expect("a name in UTF-8").to_owned();
        // If libvirt could not read the text either, there is nothing to compare.
        let Ok(before) = std::fs::read_to_string(&path) else { continue };
        let fixed = |settings: &Settings| {
            Linter::new(&rules, settings)
                .fix(before.clone())
                .unwrap_or_else(|error| panic!("{name}: {error:?}"))
        };
        let found = Linter::new(&rules, &safe)
            .detail(Detail::Edits)
            .lint(&before)
            .unwrap_or_else(|error| panic!("{name}: {error:?}"))
            .open;
        let is_unsuitable = found.iter().any(|found| found.rule.when.unsuitable);
        cases.push(Case {
            safe: fixed(&safe),
            all: fixed(&all),
            name,
            before,
            found,
            is_unsuitable,
        });
    }
    cases
}

fn count(cases: &[Case], answers: &BTreeMap<String, Answer>) -> Counts {
    let mut counts = Counts::default();
    for case in cases {
        let answer = |kind: &str| answers.get(&format!("{}@{kind}", case.name));
        let before = answer("before").expect("each file was asked about");
        let safe = answer("safe").unwrap_or(before);
        let all = answer("unsafe").unwrap_or(safe);
        // libvirt reads uninitialised memory when it converts such interfaces, and sometimes
        // crashes.
        let is_luck = case.before.contains("<interface type='hostdev'");
        let crashed = before.define.starts_with("crash: ")
            || before.argv_error.starts_with("crash: ")
            || is_luck;
        if crashed {
            counts.crashing.push(case.name.clone());
        }
        let is_ok = |answer: &Answer| answer.define == "ok";
        if let (Some(xml_before), Some(xml_after)) = (&before.dumpxml, &safe.dumpxml) {
            let findings: Vec<_> = case.found.iter().chain(&case.safe.applied).collect();
            let lost = libvirt_round_trip::lost(xml_before, xml_after, &case.before, &findings);
            counts.faults.extend(
                (!lost.is_empty())
                    .then(|| format!("{} loses what no finding names: {lost:?}", case.name)),
            );
        }
        counts.accepted_before += usize::from(is_ok(before));
        counts.accepted_after += usize::from(is_ok(safe));
        counts.accepted_after_unsafe += usize::from(is_ok(all));
        for (kind, after) in [("safe", safe), ("unsafe", all)] {
            if is_ok(before) && !is_ok(after) {
                counts
                    .faults
                    .push(format!("{} is lost ({kind} fixes): {}", case.name, after.define));
            }
            if !crashed && after.argv_error.starts_with("crash: ") {
                counts.faults.push(format!(
                    "{} crashes libvirt ({kind} fixes): {}",
                    case.name, after.argv_error
                ));
            }
            // A guest that was emulated may have a CPU that no KVM on this machine can provide.
            let is_this_machine = kind == "unsafe"
                && after.argv_error.starts_with("the CPU is incompatible with host CPU");
            if !crashed
                && before.argv.is_some()
                && after.argv.is_none()
                && is_ok(after)
                && !is_this_machine
            {
                counts.faults.push(format!(
                    "{} has no arguments any more ({kind} fixes): {}",
                    case.name, after.argv_error
                ));
            }
        }
        if before.argv.is_some() && complaints(before).is_empty() {
            counts.qemu_takes_before += 1;
            let new = complaints(safe);
            counts.faults.extend(
                (!new.is_empty())
                    .then(|| format!("{}: QEMU stops at what it took before: {new:?}", case.name)),
            );
        }
        if !is_luck {
            count_vgpu(case, "safe", &case.safe, safe, &mut counts);
            count_vgpu(case, "unsafe", &case.all, all, &mut counts);
        }
    }
    counts
}

/// Checks that the vGPU of a fixed domain reaches QEMU; with safe fixes it is only counted.
fn count_vgpu(case: &Case, kind: &str, fixed: &Fixed<'_>, answer: &Answer, counts: &mut Counts) {
    let Some(argv) = answer.argv.as_ref().filter(|_| !case.is_unsuitable) else { return };
    let is_counted = kind == "safe";
    // The user's own arguments contradict it, or a whole iGPU is passed through: the missing
    // properties are only added on request.
    let is_held =
        |id: &str| matches!(id, "missing-vgpu" | "missing-display-backend" | "display-gl-off");
    let is_held_back = is_counted
        && fixed.remaining.iter().any(|left| is_held(&left.rule.id) && left.fix.is_some());
    // Another device has ramfb or the OpRegion, of which QEMU takes one each; or the guest has a
    // function of the GPU and needs no vGPU.
    let is_had =
        |id: &str| matches!(id, "ramfb-elsewhere" | "default-opregion" | "igpu-virtual-function");
    let is_left = fixed
        .remaining
        .iter()
        .any(|left| left.rule.id == "unsupported-override" || is_had(&left.rule.id));
    if is_held_back || is_left {
        counts.held_back.push(case.name.clone());
        return;
    }
    counts.argv += usize::from(is_counted);
    if is_counted && fixed.remaining.iter().any(|left| left.rule.id == "other-display") {
        counts.left_alone.push(case.name.clone());
    }
    match fault(argv) {
        None => counts.whole += usize::from(is_counted),
        Some(fault) => counts.faults.push(format!("{} ({kind} fixes): {fault}", case.name)),
    }
}

/// The errors that stop QEMU, without its warnings.
fn complaints(answer: &Answer) -> Vec<String> {
    lab::complaints(&answer.qemu)
        .into_iter()
        .filter(|line| !line.contains("warning: "))
        .map(str::to_owned)
        .collect()
}

fn report(suite: Suite, counts: &Counts) {
    let Counts {
        accepted_before,
        accepted_after,
        accepted_after_unsafe,
        argv,
        whole,
        qemu_takes_before,
        left_alone,
        held_back,
        crashing,
        faults,
    } = counts;
    let (name, libvirt) = (suite.name, suite.libvirt);
    say(&format!(
        "corpus on {name} (libvirt {libvirt}): accepted before {accepted_before}, after {accepted_after} (unsafe fixes: \
         {accepted_after_unsafe}), argv of x86 guests {argv}, whole vGPU {whole}, QEMU took before {qemu_takes_before}, faults {}",
        faults.len()
    ));
    say(&format!("corpus on {name}: shown by OpenGL graphics and left alone: {left_alone:?}"));
    say(&format!("corpus on {name}: left to their user: {held_back:?}"));
    say(&format!("corpus on {name}: crash libvirt before fix, or may: {crashing:?}"));
}
