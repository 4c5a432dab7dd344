//! Asking the lab (tests/lab) what real libvirt and QEMU do, and reading QEMU's arguments.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use gvtg_xml::{Linter, RuleSet, Version, builtin, parse_settings};
use serde_json::Value;

#[path = "skips.rs"]
#[allow(clippy::duplicate_mod, reason = "one test has both this and the others' modules")]
mod skips;

pub use skips::skipped;

/// A Debian suite of the lab.
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    pub name: &'static str,
    pub libvirt: Version,
}

/// The answer of tests/lab/ask.py for one file; the script describes the fields.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Answer {
    pub define: String,
    pub validate: String,
    pub dumpxml: Option<String>,
    pub argv: Option<Vec<String>>,
    pub argv_error: String,
    pub qemu: String,
}

/// A small domain as virt-manager makes it, fixed with these flags.
pub fn fixed(name: &str, flags: &str) -> String {
    let text = format!(
        "<domain type='kvm'>\n  <name>{name}</name>\n  <memory unit='MiB'>64</memory>\n  <os>\n    <type arch='x86_64' machine='q35'>hvm</type>\n  \
         </os>\n  <devices>\n    <graphics type='spice'/>\n    <video><model type='qxl'/></video>\n    <channel type='spicevmc'/>\n  </devices>\n\
         </domain>\n"
    );
    let settings = parse_settings(flags).expect("flags");
    Linter::new(&RuleSet::all(builtin()), &settings).fix(text).expect("a domain").text
}

/// The lab's suites; None without a lab, which is reported as skipped and fails in CI.
pub fn suites() -> Option<Vec<Suite>> {
    if std::env::var_os("GVTG_LAB").is_none_or(|value| value != "1") {
        skipped("GVTG_LAB=1 is not set, so no real libvirt was asked (tests/lab/README.md)");
        return None;
    }
    Some(
        ["bullseye", "bookworm", "trixie", "sid"]
            .map(|name| Suite { name, libvirt: libvirt_of(name) })
            .into(),
    )
}

/// Prints a line that cargo does not capture, so that the counts of a passed test are visible.
pub fn say(line: &str) {
    let mut stderr = std::io::stderr();
    // There is no one to tell if this fails.
    let _ = writeln!(stderr, "{line}");
}

/// A new folder for a test's documents, which keeps the answers for inspection.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lab").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).expect("the old folder can be removed");
    }
    std::fs::create_dir_all(&folder).expect("a folder in the target folder");
    folder
}

/// The suffix of the name of a document that is defined before the document that it belongs to.
pub const BESIDE: &str = ".beside";

/// Asks a suite about documents, by name. A document that has to be defined before another one has
/// the other's name and [`BESIDE`]. `test` names the folder that keeps the answers.
pub fn ask(
    test: &str,
    suite: Suite,
    documents: &BTreeMap<String, String>,
    options: &[&str],
) -> BTreeMap<String, Answer> {
    let started = Instant::now();
    let folder = folder(&format!("{test}/{}", suite.name));
    for (name, document) in documents {
        let end = if name.ends_with(BESIDE) { "" } else { ".xml" };
        std::fs::write(folder.join(format!("{name}{end}")), document)
            .expect("a file in the target folder");
    }
    let ask = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/ask.sh");
    let output =
        Command::new(ask).args(options).arg(suite.name).arg(&folder).output().expect("bash runs");
    assert!(output.status.success(), "{}: {}", suite.name, String::from_utf8_lossy(&output.stderr));
    let json = std::fs::read(folder.join(format!("{}.json", suite.name)))
        .expect("ask.sh writes its answers");
    let answers: BTreeMap<String, Answer> =
        serde_json::from_slice(&json).expect("answers are JSON");
    let asked = documents.keys().filter(|name| !name.ends_with(BESIDE)).count();
    assert_eq!(answers.len(), asked, "each document has an answer");
    say(&format!(
        "{test}: {} documents on {} in {:.0} s",
        documents.len(),
        suite.name,
        started.elapsed().as_secs_f32()
    ));
    answers
        .into_iter()
        .map(|(name, answer)| (name.trim_end_matches(".xml").to_owned(), answer))
        .collect()
}

/// Asks several suites at the same time.
pub fn ask_all<'s>(
    test: &str,
    questions: impl IntoIterator<Item = (Suite, &'s BTreeMap<String, String>)>,
    options: &[&str],
) -> Vec<(Suite, BTreeMap<String, Answer>)> {
    std::thread::scope(|scope| {
        let spawn =
            |(suite, documents)| (suite, scope.spawn(move || ask(test, suite, documents, options)));
        let running: Vec<_> = questions.into_iter().map(spawn).collect();
        running
            .into_iter()
            .map(|(suite, thread)| (suite, thread.join().expect("the lab answers")))
            .collect()
    })
}

/// The release of a suite's libvirt, from the name of its library.
fn libvirt_of(suite: &str) -> Version {
    let lab = std::env::var_os("LAB").map_or_else(|| PathBuf::from("/var/tmp/lab"), PathBuf::from);
    let libraries = lab.join(suite).join("usr/lib/x86_64-linux-gnu");
    let files = std::fs::read_dir(&libraries)
        .unwrap_or_else(|error| panic!("{}: {error}; run tests/lab/setup.sh", libraries.display()));
    let names = files.flatten().map(|file| file.file_name());
    names
        .filter_map(|name| Version::of_library(name.to_str()?))
        .max()
        .unwrap_or_else(|| panic!("no libvirt in {}", libraries.display()))
}

/// A device in QEMU's arguments, with the properties that `-set` and `-global` add.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Device {
    pub properties: BTreeMap<String, String>,
}

impl Device {
    pub fn get(&self, name: &str) -> &str {
        self.properties.get(name).map_or("", String::as_str)
    }
}

/// The operands of an option, in order.
pub fn operands<'a>(argv: &'a [String], option: &str) -> Vec<&'a str> {
    let pairs = argv
        .windows(2)
        .filter(|pair| pair[0].trim_start_matches("--").trim_start_matches('-') == option);
    pairs.map(|pair| pair[1].as_str()).collect()
}

/// All devices as QEMU would create them.
pub fn devices(argv: &[String]) -> Vec<Device> {
    let mut devices: Vec<Device> =
        operands(argv, "device").into_iter().map(|operand| device(operand, argv)).collect();
    for device in &mut devices {
        let driver = device.get("driver").to_owned();
        for global in operands(argv, "global") {
            let Some((name, value)) = global.split_once('=') else { continue };
            // It applies to a driver and to those derived from it.
            let names = [driver.as_str(), driver.trim_end_matches("-nohotplug")];
            if let Some(name) =
                names.iter().find_map(|driver| name.strip_prefix(driver)?.strip_prefix('.'))
            {
                device.properties.entry(name.to_owned()).or_insert_with(|| value.to_owned());
            }
        }
    }
    devices
}

fn device(operand: &str, argv: &[String]) -> Device {
    if let Ok(Value::Object(json)) = serde_json::from_str(operand) {
        // QEMU's -set does not reach these.
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return Device {
            properties: json.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        };
    }
    let (driver, rest) = operand.split_once(',').unwrap_or((operand, ""));
    let mut device = Device::default();
    device.properties.insert("driver".into(), driver.into());
    device.properties.extend(
        rest.split(',')
            .filter_map(|part| part.split_once('='))
            .map(|(name, value)| (name.into(), value.into())),
    );
    let id = device.get("id").to_owned();
    for set in operands(argv, "set") {
        if let Some((name, value)) =
            set.strip_prefix(&format!("device.{id}.")).and_then(|rest| rest.split_once('='))
        {
            device.properties.insert(name.into(), value.into());
        }
    }
    device
}

/// The mediated devices in the arguments.
pub fn vgpus(argv: &[String]) -> Vec<Device> {
    devices(argv).into_iter().filter(|device| device.properties.contains_key("sysfsdev")).collect()
}

/// The reason why the vGPU would not be visible with these arguments, or None.
pub fn fault(argv: &[String]) -> Option<String> {
    let vgpus = vgpus(argv);
    let is_on =
        |device: &Device, name: &str| matches!(device.get(name), "on" | "true" | "yes" | "y");
    let is_whole = |device: &&Device| {
        device.get("driver") == "vfio-pci-nohotplug"
            && ["ramfb", "x-igd-opregion"].iter().all(|name| is_on(device, name))
            && device.get("display") == "on"
    };
    if !vgpus.iter().any(|device| is_whole(&device)) {
        return Some(format!("no whole vGPU: {vgpus:?}"));
    }
    if vgpus.iter().filter(|device| is_on(device, "ramfb")).count() > 1 {
        return Some(format!("two ramfb: {vgpus:?}"));
    }
    let displays = operands(argv, "display");
    let is_gl = |display: &&str| {
        let words = ["gl=on", "gl=es", "gl=core", "\"gl\":\"on\""];
        display.starts_with("egl-headless") || words.iter().any(|gl| display.contains(gl))
    };
    let is_shown = displays.last().is_some_and(is_gl)
        || operands(argv, "spice").iter().any(|spice| spice.contains("gl=on"));
    (!is_shown).then(|| format!("nothing with OpenGL shows it: -display {displays:?}"))
}

/// QEMU's errors, except for the one about the missing vGPU, which every domain of the lab gets, and
/// for those that are not about the domain.
pub fn complaints(stderr: &str) -> Vec<&str> {
    // A domain without vGPU starts. Debian's QEMU 5.2 is built without SDL.
    // A stand-in for a PCI card lacks the card's properties.
    let known = [
        "no such host device",
        "warning: Machine type",
        "Display 'sdl' is not available",
        "Property 'pci-testdev.",
    ];
    stderr
        .lines()
        .filter(|line| *line != "started" && !known.iter().any(|known| line.contains(known)))
        .collect()
}
