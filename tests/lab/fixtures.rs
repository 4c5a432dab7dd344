//! Whole realistic domains: real libvirt accepts the fixed ones, and QEMU gets as far as the vGPU
//! that the lab lacks.

use std::collections::BTreeMap;
use std::path::Path;

use gvtg_xml::internals::domain::{PropertySyntax, property_syntax_for};
use gvtg_xml::{Linter, RuleSet, builtin, parse_settings};

use crate::lab;
use lab::{Answer, Suite, complaints, fault, say};

/// The fixtures: name, original, and fixed text.
fn fixtures() -> Vec<(String, String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let files = std::fs::read_dir(&folder)
        .expect("the folder of fixtures")
        .flatten()
        .map(|file| file.path());
    let mut names: Vec<String> = files
        .filter_map(|path| Some(path.file_name()?.to_str()?.strip_suffix(".fixed.xml")?.to_owned()))
        .collect();
    names.sort();
    let read = |name: String| {
        std::fs::read_to_string(folder.join(&name))
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    names
        .into_iter()
        .map(|name| (name.clone(), read(format!("{name}.xml")), read(format!("{name}.fixed.xml"))))
        .collect()
}

/// The fixtures fixed for a release of libvirt.
fn fixed_for(flags: &str) -> BTreeMap<String, String> {
    let settings = parse_settings(flags).expect("flags");
    let rules = RuleSet::all(builtin());
    let fixed = |before: String, name: &str| {
        Linter::new(&rules, &settings)
            .fix(before)
            .unwrap_or_else(|error| panic!("{name}: {error:?}"))
            .text
    };
    fixtures()
        .into_iter()
        .map(|(name, before, _)| {
            (format!("{name} {flags}").replace(' ', "_"), fixed(before, &name))
        })
        .collect()
}

/// A domain without what libvirt 7.0 doesn't know.
fn as_of_7_0(text: &str) -> String {
    text.replace(" mode='custom'", "").replace("    <audio id='1' type='spice'/>\n", "")
}

/// What differs from the answers for a domain that would run with its vGPU.
fn faults(answers: &BTreeMap<String, Answer>, suite: Suite) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, answer) in answers {
        let mut fail = |what: &str| faults.push(format!("{name} on {}: {what}", suite.name));
        if answer.define != "ok" || answer.validate != "ok" {
            fail(&format!("define: {}; validate: {}", answer.define, answer.validate));
        }
        match &answer.argv {
            None => fail(&answer.argv_error),
            Some(argv) => {
                let shown =
                    lab::vgpus(argv).iter().filter(|device| device.get("display") == "on").count();
                if shown != 1 {
                    fail(&format!("{shown} vGPUs are shown"));
                }
                if let Some(fault) = fault(argv) {
                    fail(&fault);
                }
            }
        }
        // The lab has no GPU for graphics with OpenGL, and Debian's QEMU 5.2 has no SDL.
        let lacks_display =
            answer.qemu.contains("egl: ") || answer.qemu.contains("Display 'sdl' is not available");
        if !lacks_display
            && (!answer.qemu.contains("no such host device")
                || !complaints(&answer.qemu).is_empty())
        {
            fail(&format!("QEMU: {}", answer.qemu));
        }
    }
    faults
}

#[test]
fn fixed_fixtures_run_as_far_as_the_missing_vgpu() {
    let Some(suites) = lab::suites() else { return };
    let fixed: BTreeMap<String, String> =
        fixtures().into_iter().map(|(name, _, fixed)| (name, fixed)).collect();
    let mut questions = Vec::new();
    for suite in &suites {
        let documents = match suite.name {
            // Elements of the fixtures that libvirt 7.1 or 7.2 added are not this program's
            // concern.
            "bullseye" => fixed_for("--libvirt 7.0.0")
                .into_iter()
                .map(|(name, text)| (name, as_of_7_0(&text)))
                .collect(),
            // The syntax of 8.1 to 8.4, which later versions read too.
            "bookworm" => fixed.clone().into_iter().chain(fixed_for("--libvirt 8.3")).collect(),
            _ => fixed.clone(),
        };
        assert!(
            suite.name == "bullseye"
                || property_syntax_for(suite.libvirt) == PropertySyntax::Override,
            "the fixtures are for {}",
            suite.name
        );
        questions.push((*suite, documents));
    }
    let answers = lab::ask_all(
        "fixtures",
        questions.iter().map(|(suite, documents)| (*suite, documents)),
        &["--qemu"],
    );
    let faults: Vec<String> =
        answers.iter().flat_map(|(suite, answers)| faults(answers, *suite)).collect();
    let asked: usize = answers.iter().map(|(_, answers)| answers.len()).sum();
    say(&format!("fixtures: {asked} fixed domains asked about, {} faults", faults.len()));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
