//! QEMU and this program read QEMU's arguments in the same way: which options exist, and what an
//! option list contains.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use gvtg_xml::internals::qemu::display;
use gvtg_xml::internals::qemu::display::Display;
use gvtg_xml::internals::qemu::options::{Release, names};
use gvtg_xml::internals::qemu::{DisplayValue, OptionList, Syntax, known_option};

use crate::lab;
use lab::{Suite, say};

/// The output of a shell script in a suite's chroot.
fn shell(suite: Suite, script: &str) -> String {
    let in_suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/in.sh");
    let mut child = Command::new(in_suite)
        .args([suite.name, "bash", "-s"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("bash runs");
    child.stdin.take().expect("a pipe").write_all(script.as_bytes()).expect("bash reads");
    let output = child.wait_with_output().expect("bash ends");
    assert!(output.status.code().is_some(), "{}: {}", suite.name, output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The release of a suite's QEMU.
fn release(suite: Suite) -> Release {
    let version = shell(suite, "qemu-system-x86_64 --version");
    let number = version.split("version ").nth(1).expect("a version");
    let mut parts = number
        .split('.')
        .map(|part| part.chars().take_while(char::is_ascii_digit).collect::<String>());
    let mut part = || parts.next().and_then(|digits| digits.parse().ok()).expect("a number");
    (part(), part())
}

/// Runs a check on all suites at the same time.
fn on_each(suites: &[Suite], ask: impl Fn(Suite) -> Vec<String> + Sync) -> Vec<String> {
    std::thread::scope(|scope| {
        let running: Vec<_> = suites.iter().map(|suite| scope.spawn(|| ask(*suite))).collect();
        running.into_iter().flat_map(|thread| thread.join().expect("the lab answers")).collect()
    })
}

#[test]
fn the_option_table_matches_each_qemu() {
    let Some(suites) = lab::suites() else { return };
    // An option is followed by one that no QEMU has, which is either its operand or the option that
    // QEMU rejects.
    let names: Vec<&str> = names().chain(["no-such-option"]).collect();
    let probe = "for name in NAMES; do
        said=$(timeout -s KILL 5 qemu-system-x86_64 -$name -zzz </dev/null 2>&1 | grep -a 'invalid option' | head -n 1)
        case $said in *'-zzz: invalid option'*) echo $name flag;; *'invalid option'*) echo $name unknown;; *) echo $name operand;; esac
    done";
    let script = probe.replace("NAMES", &names.join(" "));
    let faults = on_each(&suites, |suite| {
        let (qemu, said) = (release(suite), shell(suite, &script));
        let wrong = said.lines().filter_map(|line| {
            let (name, kind) = line.split_once(' ').expect("a name and a kind");
            let wanted = match known_option(name) {
                Some(known)
                    if known.added_in.is_some_and(|added_in| qemu < added_in)
                        || known.removed_in.is_some_and(|removed_in| qemu >= removed_in) =>
                {
                    "unknown"
                }
                Some(known) if known.has_operand => "operand",
                Some(_) => "flag",
                None => "unknown",
            };
            (wanted != kind)
                .then(|| format!("QEMU {qemu:?} has -{name} as {kind}, the table as {wanted}"))
        });
        assert_eq!(said.lines().count(), names.len(), "{said}");
        wrong.collect()
    });
    say(&format!(
        "qemu: {} options asked about on {} releases, {} faults",
        names.len(),
        suites.len(),
        faults.len()
    ));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_display_table_matches_the_newest_qemu() {
    let Some(suites) = lab::suites() else { return };
    let newest = suites.iter().copied().filter(|suite| suite.name == "sid");
    let value = |value: DisplayValue| match value {
        DisplayValue::Switch => "on",
        DisplayValue::Number => "1.5",
        DisplayValue::OneOf(words) => words[0],
        DisplayValue::Path => "/dev/dri/renderD128",
    };
    let mut operands: Vec<(String, bool)> = Vec::new();
    for Display { kind, options } in display::DISPLAYS {
        operands.extend(
            options
                .iter()
                .map(|(name, wanted)| (format!("{kind},{name}={}", value(*wanted)), true)),
        );
        operands.push((format!("{kind},nonsense=1"), false));
    }
    let words: Vec<&str> = operands.iter().map(|(operand, _)| &**operand).collect();
    let probe = "for operand in OPERANDS; do
        said=$(timeout -s KILL 3 qemu-system-x86_64 -M none -nodefaults -S -display $operand </dev/null 2>&1)
        case $said in *'is unexpected'*|*'does not accept'*|*'nvalid parameter'*|*' expects '*) echo refused;; *) echo taken;; esac
    done";
    let script = probe.replace("OPERANDS", &words.join(" "));
    let faults = on_each(&newest.collect::<Vec<_>>(), |suite| {
        let said = shell(suite, &script);
        assert_eq!(said.lines().count(), operands.len(), "{said}");
        let wrong = operands
            .iter()
            .zip(said.lines())
            .filter(|((_, is_known), said)| (*said == "taken") != *is_known);
        wrong.map(|((operand, _), said)| format!("{operand}: {said}")).collect()
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Operands of `-device`, with the path of the device that QEMU misses, or its other error. JSON is
/// read from 6.2 on.
const DEVICES: &[(&str, Result<&str, &str>)] = &[
    ("vfio-pci,sysfsdev=/sys/x,,romfile=y", Ok("/sys/x,romfile=y")),
    ("vfio-pci,sysfsdev=/sys/a,sysfsdev=/sys/b", Ok("/sys/b")),
    ("driver=vfio-pci,sysfsdev=/sys/x", Ok("/sys/x")),
    ("vfio-pci,sysfsdev=/sys/x,x-no-mmap", Ok("/sys/x")),
    ("vfio-pci,nox-no-mmap,sysfsdev=/sys/x,", Ok("/sys/x")),
    ("vfio-pci,,x,sysfsdev=/sys/x", Err("'vfio-pci,x' is not a valid device model name")),
    ("{\"driver\":\"vfio-pci\",\"sysfsdev\":\"/sys/x,,y\"}", Ok("/sys/x,,y")),
    ("{'driver' : 'vfio-pci' , 'sysfsdev':'/sys/\\u0041'}", Ok("/sys/A")),
    (
        "{\"driver\":\"vfio-pci\",\"sysfsdev\":\"/a\",\"sysfsdev\":\"/b\"}",
        Err("JSON parse error, duplicate key"),
    ),
];

/// Operands of `-display`, with the error of QEMU from 7.2 on.
const DISPLAYS: &[(&str, &str)] = &[
    ("gtk,gl", "Expected '=' after parameter 'gl'"),
    ("gtk,gl=on,,x", "Parameter 'gl' does not accept value 'on,x'"),
    ("{\"type\":\"none\",\"type\":\"none\"}", "JSON parse error, duplicate key"),
    ("{\"type\":\"gtk\",\"gl\":\"maybe\"}", "Parameter 'gl' does not accept value 'maybe'"),
];

#[test]
fn reads_option_lists_like_qemu() {
    let Some(suites) = lab::suites() else { return };
    for (operand, wanted) in DEVICES {
        match (OptionList::parse(operand, Syntax::DEVICE), wanted) {
            (Ok(list), Ok(path)) => assert_eq!(list.get("sysfsdev"), Some(*path), "{operand}"),
            (Ok(list), Err(words)) => {
                assert!(words.contains(list.get("driver").expect("a driver")), "{operand}")
            }
            (Err(words), wanted) => assert_eq!(wanted.err(), Some(words.as_str()), "{operand}"),
        }
    }
    for (operand, wanted) in DISPLAYS {
        match OptionList::parse(operand, Syntax::DISPLAY) {
            Ok(list) => assert!(wanted.contains(list.get("gl").expect("a gl")), "{operand}"),
            Err(words) => assert_eq!(words, *wanted, "{operand}"),
        }
    }
    let faults = on_each(&suites, |suite| {
        let reads_json = release(suite) >= (6, 2);
        let devices = DEVICES.iter().map(|(operand, wanted)| {
            let said = wanted
                .map_or_else(str::to_owned, |path| format!("vfio {path}: no such host device"));
            ("none", Some(*operand), said)
        });
        let displays =
            DISPLAYS.iter().map(|(operand, wanted)| (*operand, None, (*wanted).to_owned()));
        let questions: Vec<_> = devices.chain(displays.filter(|_| reads_json)).collect();
        let asked = questions.iter().filter(|(_, device, _)| {
            reads_json || device.is_none_or(|operand| !operand.starts_with('{'))
        });
        asked
            .filter_map(|(display, device, wanted)| {
                let quoted = |word: &str| format!("'{}'", word.replace('\'', "'\\''"));
                let device = device.map_or_else(String::new, |operand| format!("-device {}", quoted(operand)));
                let said = shell(
                    suite,
                    &format!("qemu-system-x86_64 -M q35 -nodefaults -S -display {} {device} 2>&1 </dev/null", quoted(display)),
                );
                (!said.contains(wanted.as_str()))
                    .then(|| format!("{}: {display} {device}: wanted {wanted}, but QEMU says {said}", suite.name))
            })
            .collect()
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
