//! The commands besides `lint` and `fix` that use `gvtg-xml.toml`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::fs;

use common::files::folder;
use common::program::run_in;
use serde_json::Value;

/// A vGPU that the metadata records nothing about.
const DOMAIN: &str = "<domain type='kvm'>\n  <name>win10</name>\n  <devices>\n    <hostdev mode='subsystem' type='mdev' model='vfio-pci'>\n      \
    <source>\n        <address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/>\n      </source>\n      <alias name='ua-gvtg'/>\n    </hostdev>\n  </devices>\n</domain>\n";

#[test]
fn emit_uses_the_configured_type_and_gpu_if_a_domain_records_none() {
    let recorded = DOMAIN.replace(
        "  <devices>",
        "  <metadata><gvtg:domain xmlns:gvtg='urn:gvtg-xml:1' type='i915-GVTg_V5_1' pci='0000:00:02.3'/></metadata>\n  <devices>",
    );
    let other = DOMAIN.replace("win10", "other").replace("ab54baba", "ab54bab0");
    let folder = folder(&[
        ("a/gvtg-xml.toml", "type = 'i915-GVTg_V5_8'\npci = '0000:00:02.1'\n"),
        ("a/win10.xml", DOMAIN),
        ("b/gvtg-xml.toml", "[[overrides]]\nfiles = ['o*.xml']\ntype = 'i915-GVTg_V5_2'\n"),
        ("b/other.xml", &other),
        ("a/recorded.xml", &recorded),
    ]);
    let setups = |arguments: &str| {
        let (code, stdout, stderr) = run_in(folder.path(), arguments);
        assert_eq!(code, 0, "{stderr}");
        let lines = stdout
            .lines()
            .filter(|line| line.trim_start().starts_with("setup_gpu "))
            .map(str::trim);
        (
            lines
                .map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>().join(" "))
                .collect::<Vec<_>>()
                .join("\n"),
            stderr,
        )
    };
    let (lines, stderr) = setups("emit hook a/win10.xml b/other.xml");
    assert!(
        lines.contains("i915-GVTg_V5_8")
            && lines.contains("0000:00:02.1")
            && lines.contains("i915-GVTg_V5_2"),
        "{lines}"
    );
    assert!(!stderr.contains("has no recorded vGPU type"), "the configuration sets it: {stderr}");
    let (lines, _) = setups("emit hook a/recorded.xml");
    assert!(
        lines.contains("i915-GVTg_V5_1") && lines.contains("0000:00:02.3"),
        "what the domain says stays: {lines}"
    );
    let (lines, _) = setups("emit hook --type i915-GVTg_V5_4 a/recorded.xml");
    assert!(lines.contains("i915-GVTg_V5_4"), "and a flag replaces it: {lines}");
    let (lines, stderr) = setups("emit hook --isolated a/win10.xml");
    assert!(
        lines.ends_with("i915-GVTg_V5_4") && stderr.contains("has no recorded vGPU type"),
        "{lines}"
    );
    let conf = |arguments: &str| run_in(&folder.path().join("a"), arguments).1;
    assert_eq!(conf("emit qemu-conf --quiet").replace("emit qemu-conf", ""), {
        let asked = conf("emit qemu-conf --quiet --pci 0000:00:02.1");
        asked.replace("emit qemu-conf", "").replace(" --pci 0000:00:02.1", "")
    });
    // As everywhere, an invalid configuration stops the command.
    fs::write(folder.path().join("a/gvtg-xml.toml"), "typ = 'x'\n").unwrap();
    for command in ["emit hook a/win10.xml", "emit all --root root a/win10.xml", "host a/win10.xml"]
    {
        let (code, stdout, stderr) = run_in(folder.path(), command);
        assert!(
            code == 2 && stdout.is_empty() && stderr.contains("did you mean 'type'?"),
            "{command}: {stderr}"
        );
    }
    assert!(!folder.path().join("root/etc").exists());
}

#[test]
fn explain_uses_the_folders_custom_rules_and_severities() {
    let rule = "id = 'no-vnc'\nsummary = 'VNC'\nseverity = 'warning'\ngroup = 'domain'\nsince = '1'\nselect = '/domain/name'\nmessage = 'it has a name'\n\
        why = 'Nobody knows.'\n[check]\nkind = 'forbid'\n";
    let folder = folder(&[
        ("gvtg-xml.toml", "site-rules = 'rules'\n[rules]\nno-vnc = 'error'\ndisplay = 'off'\n"),
        ("rules/no-vnc.toml", rule),
    ]);
    let explain = |arguments: &str| run_in(folder.path(), &format!("explain {arguments}"));
    let (code, stdout, _) = explain("no-vnc");
    let path = folder.path().canonicalize().unwrap().join("gvtg-xml.toml").display().to_string();
    assert!(
        code == 0
            && stdout.contains("Nobody knows.")
            && stdout.ends_with(&format!(
                "\nIn this folder, this rule is set to error: {path}, line 3\n"
            )),
        "{stdout}"
    );
    assert!(
        explain("stray-video")
            .1
            .ends_with(&format!("\nIn this folder, this rule is set to off: {path}, line 4\n"))
    );
    assert!(!explain("missing-vgpu").1.contains("In this folder"));
    let list = explain("").1;
    let words = |id: &str| {
        list.lines()
            .find(|line| line.starts_with(id))
            .unwrap()
            .split_whitespace()
            .nth(1)
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        (words("no-vnc "), words("stray-video "), words("missing-vgpu ")),
        ("error".into(), "off".into(), "error".into())
    );
    let (code, _, stderr) = explain("--isolated no-vnc");
    assert!(code == 1 && stderr.contains("no known message matches 'no-vnc'"), "{stderr}");
}

#[test]
fn sarif_links_to_each_rules_page() {
    let folder = folder(&[
        ("gvtg-xml.toml", "rule-pages = 'https://example.org/rules/'\n"),
        ("win10.xml", DOMAIN),
    ]);
    let sarif = |arguments: &str| -> Value {
        let (_, stdout, stderr) =
            run_in(folder.path(), &format!("lint --format sarif {arguments}"));
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error} {stderr}"))
    };
    let uris = |sarif: &Value| -> Vec<Option<String>> {
        let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
        rules
            .iter()
            .map(|rule| {
                rule["helpUri"].as_str().map(|uri| uri.replace(rule["id"].as_str().unwrap(), "ID"))
            })
            .collect()
    };
    let all = uris(&sarif("win10.xml"));
    assert!(
        all.len() > 50
            && all.iter().all(|uri| uri.as_deref() == Some("https://example.org/rules/ID")),
        "{all:?}"
    );
    assert!(
        uris(&sarif("--rule-pages http://x/ win10.xml"))
            .iter()
            .all(|uri| uri.as_deref() == Some("http://x/ID"))
    );
    assert!(uris(&sarif("--isolated win10.xml")).iter().all(Option::is_none));
    for wrong in ["example.org", "https://", "https://a b/", "javascript:x"] {
        fs::write(folder.path().join("gvtg-xml.toml"), format!("rule-pages = '{wrong}'\n"))
            .unwrap();
        let (code, _, stderr) = run_in(folder.path(), "lint win10.xml");
        assert!(
            code == 2 && stderr.contains("use a URL such as https://example.org/rules/"),
            "{wrong}: {stderr}"
        );
    }
}
