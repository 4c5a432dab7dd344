//! The schema of `gvtg-xml.toml` agrees with the program as far as a schema can, according to
//! Python's jsonschema and to Taplo, which editors use.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::program::{feed, outcome, run_in};
use common::tools;
use gvtg_xml::internals::settings::config::keys::keys;
use gvtg_xml::internals::settings::{Kind, Scope};
use tempfile::TempDir;

/// The strings that each key accepts, and those that it rejects.
const STRINGS: &[(&str, &[&str], &[&str])] = &[
    (
        "libvirt",
        &["newest", "current", "9", "9.0", "10.10.0", "007.0"],
        &["", "9.", "v9", "9.0.0.0", "oldest"],
    ),
    (
        "type",
        &["i915-GVTg_V5_4", "i915-GVTg_V4_1"],
        &["", "V5_4", "i915-GVTg_V5_3", "i915-GVTg_V6_4"],
    ),
    ("pci", &["0000:00:02.0", "ABCD:ef:1f.7"], &["", "00:02.0", "0000:00:02.8", "0000:00:02"]),
    ("display", &["gtk,gl=on", "sdl,gl=es", "egl-headless"], &[]),
    ("display-env", &[":0", "host:10.1", "::1:0", "/tmp/x:0"], &["", "0", ":", ":0.", "a b:0"]),
    ("gdk-scale", &["1", "1.0", "1.", ".5"], &["", "x", "1e3", "+1", "1,5"]),
    ("alias", &["ua-gvtg", "ua-_-1"], &["", "ua-", "gvtg", "ua-a.b"]),
    ("romfile", &["/a.rom"], &["", "a.rom"]),
    (
        "audio",
        &[
            "none",
            "alsa,timerPeriod=5",
            "pulseaudio,serverName=/run/a",
            "pipewire,timerPeriod=1,runtimeDir=/run",
            "oss,dspPolicy=-1",
        ],
        &[
            "",
            "spice",
            "none,x",
            "none,a b=c",
            "alsa,=x",
            "pulseaudio,server=/run/a",
            "jack,serverName=x",
            "file,path=a",
            "sdl,driver=oss",
        ],
    ),
    ("fail-on", &["info", "warning", "error"], &["", "off", "Error"]),
    (
        "rule-pages",
        &["https://example.org/rules/", "http://x"],
        &["", "example.org", "ftp://x/", "https://"],
    ),
    ("site-rules", &["rules"], &[""]),
];

/// Whole configurations, and whether they are valid.
const WHOLE: &[(&str, bool)] = &[
    ("", true),
    (
        "keep-video = true\nonly = ['display', 'vgpu-uuid']\nignore = []\n[rules]\nstray-video = 'off'\nvgpu = 'info'\n",
        true,
    ),
    (
        "[[overrides]]\nfiles = ['*.xml']\nlibvirt = '7.0'\nrules.stray-video = 'error'\n[[overrides]]\nfiles = ['a', 'b']\n",
        true,
    ),
    ("libvrt = '9.0'\n", false),
    ("uuid = 'ab54baba-ea9a-4ce5-b7b4-51b376b65849'\n", false),
    ("libvirt = 9.0\n", false),
    ("keep-video = 'true'\n", false),
    ("only = 'display'\n", false),
    ("ignore = [1]\n", false),
    ("rules = 'rules'\n", false),
    ("[rules]\nstray-video = 'of'\n", false),
    ("[rules]\nstray-video = false\n", false),
    ("overrides = 1\n", false),
    ("[[overrides]]\nlibvirt = '7.0'\n", false),
    ("[[overrides]]\nfiles = []\n", false),
    ("[[overrides]]\nfiles = ['a']\nsite-rules = 'rules'\n", false),
    ("[[overrides]]\nfiles = ['a']\n[[overrides.overrides]]\nfiles = ['a']\n", false),
];

/// A folder with the schema and these configurations as files, each with whether it is valid.
fn folder() -> (TempDir, Vec<(String, String, bool)>) {
    let folder = common::files::folder(&[(
        "rules/no-vnc.toml",
        "id = 'no-vnc'\nsummary = 'x'\nseverity = 'info'\ngroup = 'domain'\nsince = '1'\nselect = '/domain'\nmessage = 'x'\nwhy = 'x'\n[check]\nkind = 'forbid'\n",
    )]);
    let mut texts: Vec<(String, bool)> =
        WHOLE.iter().map(|(text, is_one)| ((*text).to_owned(), *is_one)).collect();
    for (key, good, bad) in STRINGS {
        texts.extend(good.iter().map(|value| (format!("{key} = '{value}'\n"), true)));
        texts.extend(bad.iter().map(|value| (format!("{key} = '{value}'\n"), false)));
    }
    texts.extend(keys().map(|(key, _)| (format!("{} = {}\n", key.name, key.example), true)));
    let of_files = keys().filter(|(key, _)| key.scope == Scope::File);
    texts.extend(of_files.map(|(key, _)| {
        (format!("[[overrides]]\nfiles = ['a']\n{} = {}\n", key.name, key.example), true)
    }));
    let files = texts.into_iter().enumerate().map(|(index, (text, is_one))| {
        let name = format!("{index:03}.toml");
        fs::write(folder.path().join(&name), &text).unwrap();
        (name, text, is_one)
    });
    let files = files.collect();
    fs::write(folder.path().join("schema.json"), run_in(folder.path(), "generate config-schema").1)
        .unwrap();
    (folder, files)
}

#[test]
fn tests_every_key_that_takes_a_string() {
    let strings: Vec<&str> = keys()
        .filter(|(_, setting)| !matches!(setting.kind, Kind::Switch | Kind::Names))
        .map(|(key, _)| key.name)
        .collect();
    let mut tried: Vec<&str> = STRINGS.iter().map(|(key, ..)| *key).collect();
    tried.sort_by_key(|key| strings.iter().position(|other| other == key));
    assert_eq!(tried, strings);
}

#[test]
fn the_schema_agrees_with_the_program() {
    let (folder, files) = folder();
    for (name, text, is_one) in &files {
        let (code, _, stderr) = run_in(folder.path(), &format!("config --config {name}"));
        // The schema accepts an empty folder name, but no rules are found there.
        assert_eq!(code == 0, *is_one, "{text}{stderr}");
    }
    let Some(python) = tools::python() else { return };
    let mut command = Command::new(python);
    command
        .arg(Path::new("tests/config/schema.py").canonicalize().unwrap())
        .arg("schema.json")
        .args(files.iter().map(|(name, ..)| name));
    let (code, stdout, stderr) = outcome(feed(command.current_dir(folder.path()), b""));
    assert_eq!(code, 0, "{stderr}");
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines.len(), files.len());
    for (line, (name, text, is_one)) in lines.iter().zip(&files) {
        assert_eq!(*line == format!("{name} ok"), *is_one, "{text}{line}");
    }
}

#[test]
fn taplo_agrees_with_the_program() {
    let Some(node) = tools::node() else { return };
    let (folder, files) = folder();
    let check = |arguments: &[&str]| {
        let mut command = Command::new(node.join("node_modules/.bin/taplo"));
        outcome(feed(command.arg("check").args(arguments).current_dir(folder.path()), b""))
    };
    let schema = format!("--schema=file://{}", folder.path().join("schema.json").display());
    // All files of one kind in one run, since starting Taplo takes seconds.
    let of_kind = |wanted: bool| -> Vec<&str> {
        let names = files.iter().filter(|(.., is_one)| *is_one == wanted).map(|(name, ..)| &**name);
        std::iter::once(&*schema).chain(names).collect()
    };
    let (code, _, stderr) = check(&of_kind(true));
    assert_eq!(code, 0, "{stderr}");
    let (code, _, stderr) = check(&of_kind(false));
    assert_ne!(code, 0);
    for (name, text, _) in files.iter().filter(|(.., is_one)| !is_one) {
        let is_told = stderr
            .lines()
            .any(|line| line.contains("invalid file") && line.contains(&format!("/{name}\"")));
        assert!(is_told, "{text}{stderr}");
    }
    // The line by which an editor finds the schema, as in docs/settings.md.
    fs::write(folder.path().join("gvtg-xml.toml"), "#:schema ./schema.json\nlibvrt = '9.0'\n")
        .unwrap();
    let (code, _, stderr) = check(&["gvtg-xml.toml"]);
    assert!(code != 0 && stderr.contains("'libvrt' was unexpected"), "{stderr}");
}
