//! Settings of `gvtg-xml.toml` for some files only, and the output of `gvtg-xml config`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs;

use common::files::folder;
use common::program::{feed, outcome, program, run_in};
use serde_json::{Value, json};

const BARE: &str = "<domain type='kvm'>\n  <name>bare</name>\n  <devices>\n    <video/>\n  </devices>\n</domain>\n";
/// A vGPU whose vendor is unknown: the domain has no sign of GVT-g.
const UNSIGNED: &str = "<domain type='kvm'>\n  <name>u</name>\n  <devices>\n    <hostdev mode='subsystem' type='mdev' model='vfio-pci'>\n      \
    <source>\n        <address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/>\n      </source>\n    </hostdev>\n  </devices>\n</domain>\n";
const CONFIG: &str = "alias = 'ua-all'
[rules]
stray-video = 'info'

[[overrides]]
files = ['old/**', './special.xml']
libvirt = '7.0'
alias = 'ua-old'

[[overrides]]
files = ['old/new/*.xml']
libvirt = 'newest'
rules.display = 'off'
";

#[test]
fn later_overrides_win_key_by_key() {
    let folder = folder(&[
        ("gvtg-xml.toml", CONFIG),
        ("plain.xml", BARE),
        ("special.xml", BARE),
        ("old/plain.xml", BARE),
        ("old/new/plain.xml", BARE),
    ]);
    let fixed = |name: &str| {
        let (_, text, stderr) = run_in(folder.path(), &format!("fix {name}"));
        let alias =
            text.split("<alias name='").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        let form = if text.contains("<qemu:override>") { "override" } else { "set" };
        (alias, form, text.contains("<video/>"), stderr.contains("stray-video"))
    };
    assert_eq!(fixed("plain.xml"), ("ua-all".to_owned(), "override", false, true));
    assert_eq!(fixed("special.xml"), ("ua-old".to_owned(), "set", false, true));
    assert_eq!(fixed("old/plain.xml"), ("ua-old".to_owned(), "set", false, true));
    assert_eq!(
        fixed("old/new/plain.xml"),
        ("ua-old".to_owned(), "override", true, false),
        "both are about it"
    );
    // All files in one run, each with its own settings; and stdin by its name.
    let (code, stdout, _) = run_in(folder.path(), "fix --diff --quiet plain.xml old");
    assert_eq!(
        (code, stdout.matches("+      <alias name='ua-old'/>").count()),
        (1, 0),
        "in folders they have no sign of GVT-g"
    );
    let (_, stdout, _) = run_in(folder.path(), "fix --diff --quiet --all plain.xml old");
    assert_eq!(
        (stdout.matches("'ua-old'/>").count(), stdout.matches("'ua-all'/>").count()),
        (2, 1),
        "{stdout}"
    );
    let mut command = program(["fix", "--stdin-filename", "old/any.xml"]);
    let (_, text, _) = outcome(feed(command.current_dir(folder.path()), BARE.as_bytes()));
    assert!(text.contains("ua-old"), "{text}");
    let (_, text, _) = outcome(feed(program(["fix"]).current_dir(folder.path()), BARE.as_bytes()));
    assert!(
        text.contains("ua-all"),
        "stdin without a name is no file that an override is about: {text}"
    );
    // The patterns of a configuration named with --config start at its own folder, too.
    fs::create_dir(folder.path().join("conf")).unwrap();
    fs::rename(folder.path().join("gvtg-xml.toml"), folder.path().join("conf/site.toml")).unwrap();
    let alias = |config: &str| {
        run_in(folder.path(), &format!("fix --config {config} old/plain.xml")).1.contains("ua-old")
    };
    assert!(!alias("conf/site.toml"));
    let whole = CONFIG.replace(
        "'old/**'",
        &format!("'{}/old/*.xml'", folder.path().canonicalize().unwrap().display()),
    );
    fs::write(folder.path().join("conf/site.toml"), whole).unwrap();
    assert!(alias("conf/site.toml"), "one that begins with / is about whole paths");
}

#[test]
fn named_overrides_treat_files_as_named_on_the_command_line() {
    let folder = folder(&[
        ("vms/gvtg/u.xml", UNSIGNED),
        ("vms/gvtg/bare.xml", BARE),
        ("vms/gvtg/network.xml", "<network/>"),
        ("vms/other/u.xml", UNSIGNED),
        ("vms/other/bare.xml", BARE),
    ]);
    let check = |flags: &str| run_in(folder.path(), &format!("fix --check {flags} vms"));
    let (code, stdout, stderr) = check("");
    assert_eq!(
        (code, stdout.as_str()),
        (1, ""),
        "what may be another maker's is held back: {stderr}"
    );
    fs::write(
        folder.path().join("gvtg-xml.toml"),
        "[[overrides]]\nfiles = ['vms/gvtg/*']\nnamed = true\n",
    )
    .unwrap();
    let (code, stdout, stderr) = check("");
    assert_eq!((code, stdout.as_str()), (1, "vms/gvtg/bare.xml\nvms/gvtg/u.xml\n"), "{stderr}");
    assert!(
        stderr.contains("vms/other/u.xml: cannot tell whether the mediated device is Intel's"),
        "{stderr}"
    );
    assert!(stderr.contains("checked 3 of 5 files"), "what is no domain stays none: {stderr}");
    // From the repository's root, as pre-commit runs the hook.
    let hook = "fix --skip-foreign --in-place vms/gvtg/u.xml vms/gvtg/network.xml vms/other/u.xml";
    assert_eq!(run_in(folder.path(), hook).0, 1, "what is left in the one that is held back");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(read("vms/gvtg/u.xml").contains("x-igd-opregion"));
    assert_eq!(
        (read("vms/other/u.xml"), read("vms/gvtg/network.xml")),
        (UNSIGNED.to_owned(), "<network/>".to_owned())
    );
    fs::write(folder.path().join("gvtg-xml.toml"), "all = true\n").unwrap();
    let (_, stdout, _) = check("");
    assert_eq!(
        stdout, "vms/gvtg/bare.xml\nvms/other/bare.xml\n",
        "all says nothing of whose a device is"
    );
    assert_eq!(check("--all=false").1, "");
}

#[test]
fn reports_mistakes_in_overrides() {
    let wrong = "overrides = 1\n";
    let folder = folder(&[("gvtg-xml.toml", wrong), ("bare.xml", BARE)]);
    let said = || {
        let (code, stdout, stderr) = run_in(folder.path(), "fix bare.xml");
        assert_eq!((code, stdout.as_str()), (2, ""));
        stderr
    };
    assert!(said().contains("overrides must be an array of tables, not a number"));
    let wrong = "overide = 1
[[overrides]]
libvirt = '7.0'
[[overrides]]
files = 'a.xml'
[[overrides]]
files = []
[[overrides]]
files = ['vms/', '../x.xml', 'a[', 3]
site-rules = 'x'
alas = 'ua-x'
uuid = 'x'
overrides = []
rules.stray-vidoe = 'off'
";
    fs::write(folder.path().join("gvtg-xml.toml"), wrong).unwrap();
    let stderr = said();
    for (message, place, help) in [
        ("unknown key 'overide'", "1:1", "did you mean 'overrides'?"),
        ("this [[overrides]] does not name any files", "2:1", "add files = [\"vms/*.xml\"]"),
        ("files must be an array of strings, not a string", "5:9", "for example files = "),
        ("the list of files is empty", "7:9", "for example files = "),
        ("invalid file pattern", "9:10", "write vms/** for all files in that folder"),
        ("invalid file pattern", "9:18", "remove . and .., or start with /"),
        ("invalid file pattern", "9:30", "invalid range pattern (character 2)"),
        ("a pattern must be a string, not a number", "9:36", "for example files = "),
        (
            "site-rules applies to all files and can't be overridden",
            "10:1",
            "move it above the first [[overrides]]",
        ),
        ("unknown key 'alas'", "11:1", "did you mean 'alias'?"),
        ("uuid can't be set in a configuration", "12:1", "remove it"),
        ("unknown key 'overrides'", "13:1", "the keys are "),
        ("there is no rule 'stray-vidoe'", "14:7", "did you mean 'stray-video'?"),
    ] {
        let part = stderr
            .split("\nerror\n")
            .find(|part| part.contains(&format!("gvtg-xml.toml:{place}]")));
        assert!(
            part.is_some_and(|part| part.contains(message) && part.contains(help)),
            "{message} at {place}:\n{stderr}"
        );
    }
    assert!(stderr.contains("13 errors in the configuration"), "{stderr}");
}

#[test]
fn config_lists_effective_settings_with_their_source() {
    let folder = folder(&[("gvtg-xml.toml", CONFIG)]);
    let path = folder.path().canonicalize().unwrap().join("gvtg-xml.toml");
    let (code, stdout, stderr) = run_in(folder.path(), "config --gdk-scale 2.0 old/new/any.xml");
    assert_eq!((code, stderr.as_str()), (0, ""));
    let lines: Vec<String> =
        stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(lines[0], path.display().to_string());
    for line in [
        "libvirt \"newest\" line 12, for old/new/*.xml",
        "alias \"ua-old\" line 8, for old/**, ./special.xml",
        "gdk-scale \"2.0\" flag",
        "display gtk,gl=on default",
        "rules.stray-video \"off\" line 13, for old/new/*.xml",
    ] {
        assert!(lines.iter().any(|found| found == line), "{line}\n{stdout}");
    }
    let told = |arguments: &str| -> Value {
        serde_json::from_str(&run_in(folder.path(), arguments).1).unwrap()
    };
    let key = |told: &Value, name: &str| {
        told["keys"].as_array().unwrap().iter().find(|key| key["name"] == name).unwrap().clone()
    };
    let here = told("config --format json");
    assert_eq!(here["configuration"], path.display().to_string());
    assert_eq!(
        here["rules"],
        json!([{ "id": "stray-video", "severity": "info", "from": { "kind": "configuration", "line": 3 } }])
    );
    assert_eq!(
        key(&here, "alias")["from"],
        json!({ "kind": "configuration", "line": 1 }),
        "no override is about a folder"
    );
    let special = told("config --format json --only display special.xml");
    assert_eq!(
        key(&special, "alias")["from"],
        json!({ "kind": "override", "line": 8, "files": ["old/**", "./special.xml"] })
    );
    assert_eq!(key(&special, "only")["value"], json!(["display"]));
    let none = told("config --format json --isolated special.xml");
    assert_eq!(
        (&none["configuration"], key(&none, "alias")["from"]["kind"].as_str()),
        (&Value::Null, Some("default"))
    );
    fs::write(&path, "x = 1\n").unwrap();
    let (code, stdout, stderr) = run_in(folder.path(), "config");
    assert!(code == 2 && stdout.is_empty() && stderr.contains("unknown key 'x'"), "{stderr}");
}

#[test]
fn fix_uses_the_settings_that_config_lists() {
    let folder = folder(&[("gvtg-xml.toml", CONFIG), ("old/plain.xml", BARE)]);
    let told: Value =
        serde_json::from_str(&run_in(folder.path(), "config --format json old/plain.xml").1)
            .unwrap();
    let flags =
        told["keys"].as_array().unwrap().iter().filter(|key| key["from"]["kind"] != "default");
    let flags: Vec<String> = flags
        .map(|key| {
            format!("--{}={}", key["name"].as_str().unwrap(), key["value"].as_str().unwrap())
        })
        .collect();
    assert_eq!(flags.len(), 2, "{flags:?}");
    let by_config = run_in(folder.path(), "fix old/plain.xml").1;
    assert_eq!(
        run_in(folder.path(), &format!("fix --isolated {} old/plain.xml", flags.join(" "))).1,
        by_config
    );
}
