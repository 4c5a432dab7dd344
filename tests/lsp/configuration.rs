//! Documents in an editor use the configurations that the command line finds for them, and follow
//! their changes.
#![cfg(feature = "lsp")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails, and says what it can't do")]

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;

use common::files::folder;
use common::program::{feed, outcome, program, run_in};
use gen_lsp_types as official;
use rustix::process::geteuid;
use serde_json::{Value, json};

use crate::client;
use crate::common;
use client::{Client, capabilities, pull_capabilities, uri};

/// A domain with an incomplete vGPU and a `<video>`.
const DOMAIN: &str = "<domain type='kvm'>\n  <name>win10</name>\n  <devices>\n    <video/>\n    \
    <hostdev mode='subsystem' type='mdev' model='vfio-pci'>\n      <source>\n        \
    <address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/>\n      </source>\n      <alias name='ua-gvtg'/>\n    </hostdev>\n  </devices>\n</domain>\n";
const RULE: &str = "id = 'no-name'\nsummary = 'A name'\nseverity = 'warning'\ngroup = 'domain'\nsince = '1'\nselect = '/domain/name'\n\
    message = 'it has a name'\nwhy = 'x'\n[check]\nkind = 'forbid'\n";

/// The severity and rule of each diagnostic.
fn diagnostic_labels(diagnostics: &Value) -> Vec<String> {
    let word = |finding: &Value| {
        ["", "error", "warning", "info"][finding["severity"].as_u64().unwrap() as usize]
    };
    let line = |finding: &Value| {
        format!("{}[{}]", word(finding), finding["code"].as_str().unwrap_or("none"))
    };
    diagnostics.as_array().unwrap().iter().map(line).collect()
}

/// The findings of `lint` in a file, in the same form.
fn lint_labels(path: &Path) -> Vec<String> {
    let mut command = program(["lint", "--quiet", "--format", "concise", "--skip-foreign"]);
    let (_, stdout, stderr) = outcome(feed(command.arg(path), b""));
    assert_eq!(stderr, "");
    let words = stdout
        .lines()
        .map(|line| line.rsplit_once("]").unwrap().0.rsplit(' ').next().unwrap().to_owned() + "]");
    words.collect()
}

/// Makes the server check for changed files.
fn check_files(client: &mut Client) {
    client.notify("workspace/didChangeWatchedFiles", json!({ "changes": [] }));
}

/// Waits for a message to the user.
fn wait_for_shown_message(client: &mut Client) -> String {
    loop {
        if let Some(at) =
            client.received.iter().position(|message| message["method"] == "window/showMessage")
        {
            return client.received.remove(at)["params"]["message"].as_str().unwrap().to_owned();
        }
        let message = client.read().unwrap();
        client.received.push(message);
    }
}

/// Opens a document in a folder and returns its URI and findings.
fn opened(client: &mut Client, folder: &Path, name: &str) -> (String, Vec<String>) {
    let uri = uri(&folder.join(name)).replace(' ', "%20");
    client.open(&uri, DOMAIN);
    let found = client.published(&uri);
    (uri, diagnostic_labels(&found["diagnostics"]))
}

#[test]
fn each_document_uses_its_nearest_configuration() {
    let config = "rule-pages = 'https://example.org/'\nsite-rules = 'rules'\n[rules]\nstray-video = 'info'\n\
        [[overrides]]\nfiles = ['special*.xml']\nignore = ['missing-opregion']\n";
    let folder = folder(&[
        ("gvtg-xml.toml", config),
        ("rules/no-name.toml", RULE),
        ("a b/win10.xml", DOMAIN),
        ("special.xml", DOMAIN),
        ("old/gvtg-xml.toml", "libvirt = '7.0'\nunsafe-fixes = true\n"),
        ("old/win10.xml", DOMAIN),
    ]);
    let mut client = Client::spawn(&[]);
    client.initialize(capabilities(), Value::Null);
    let mut all = Vec::new();
    for name in ["a b/win10.xml", "special.xml", "old/win10.xml"] {
        let (_, found) = opened(&mut client, folder.path(), name);
        assert_eq!(found, lint_labels(&folder.path().join(name)), "{name}");
        all.push(found);
    }
    let has = |index: usize, finding: &str| all[index].iter().any(|found| found == finding);
    assert!(
        has(0, "info[stray-video]")
            && has(0, "warning[no-name]")
            && has(0, "warning[missing-opregion]"),
        "{all:?}"
    );
    assert!(
        !has(1, "warning[missing-opregion]")
            && has(2, "warning[stray-video]")
            && !has(2, "warning[no-name]"),
        "{all:?}"
    );
    // Fixed for the libvirt that the configuration names, without unsafe fixes.
    let old = uri(&folder.path().join("old/win10.xml"));
    let actions = client.actions(&old, 0..DOMAIN.len(), Some("source.fixAll"));
    let by_command =
        run_in(&folder.path().join("old"), "fix --quiet --unsafe-fixes=false win10.xml").1;
    assert_eq!(client.applied(&old, &actions[0]["edit"]), by_command);
    assert!(by_command.contains("value='-set'"));
    let spaced = uri(&folder.path().join("a b/win10.xml")).replace(' ', "%20");
    let actions = client.actions(&spaced, 0..DOMAIN.len(), Some("quickfix"));
    let href = &actions[0]["diagnostics"][0]["codeDescription"]["href"];
    assert!(href.as_str().unwrap().starts_with("https://example.org/"), "{actions:?}");
    assert_eq!(client.shut_down(), 0);
}

#[test]
fn editor_settings_override_the_configuration() {
    let folder = folder(&[
        ("gvtg-xml.toml", "libvirt = '7.0'\n[rules]\nstray-video = 'off'\n"),
        ("other.toml", "ignore = ['display']\n"),
    ]);
    let path = folder.path().join("x.xml");
    fs::write(&path, DOMAIN).unwrap();
    let of = |options: Value| {
        let mut client = Client::spawn(&[]);
        client.initialize(capabilities(), options);
        let (uri, found) = opened(&mut client, folder.path(), "x.xml");
        let actions = client.actions(&uri, 0..DOMAIN.len(), Some("source.fixAll"));
        let fixed = client.applied(&uri, &actions[0]["edit"]);
        assert_eq!(client.shut_down(), 0);
        (found.iter().any(|found| found.contains("stray-video")), fixed.contains("-set"))
    };
    assert_eq!(of(Value::Null), (false, true));
    assert_eq!(of(json!({ "libvirt": "newest" })), (false, false));
    assert_eq!(
        of(json!({ "only": ["stray-video", "missing-opregion"], "libvirt": "newest" })),
        (true, false)
    );
    assert_eq!(of(json!({ "isolated": true })), (true, false));
    assert_eq!(of(json!({ "config": folder.path().join("other.toml") })), (false, false));
}

#[test]
fn changed_configurations_are_reloaded() {
    let folder = folder(&[("vms/x.xml", DOMAIN)]);
    let config = folder.path().join("gvtg-xml.toml");
    for client_capabilities in [capabilities(), pull_capabilities()] {
        let _ = fs::remove_file(&config);
        let _ = fs::remove_file(folder.path().join("vms/gvtg-xml.toml"));
        let pulls = client_capabilities["textDocument"].get("diagnostic").is_some();
        let mut client_capabilities = client_capabilities;
        client_capabilities["workspace"]["didChangeWatchedFiles"] =
            json!({ "dynamicRegistration": true });
        let mut client = Client::spawn(&[]);
        client.initialize(client_capabilities, Value::Null);
        let uri = uri(&folder.path().join("vms/x.xml"));
        client.open(&uri, DOMAIN);
        let look = |client: &mut Client| -> Vec<String> {
            if pulls {
                let asked = |message: &Value| message["method"] == "workspace/diagnostic/refresh";
                while !client.received.iter().any(asked) {
                    let message = client.read().unwrap();
                    client.received.push(message);
                }
                client.received.retain(|message| !asked(message));
                diagnostic_labels(&json!(client.pull(&uri)))
            } else {
                diagnostic_labels(&client.published(&uri)["diagnostics"])
            }
        };
        let first =
            if pulls { diagnostic_labels(&json!(client.pull(&uri))) } else { look(&mut client) };
        assert_eq!(first, lint_labels(&folder.path().join("vms/x.xml")));
        let registered = client
            .received
            .iter()
            .find(|message| message["method"] == "client/registerCapability")
            .unwrap();
        let _: official::RegistrationParams =
            serde_json::from_value(registered["params"].clone()).unwrap();
        // A new configuration, a changed one, a nearer one, one that is deleted; custom rules; the
        // editor's own settings.
        let mut steps: Vec<(&str, Vec<String>)> = Vec::new();
        let mut step = |name: &'static str, client: &mut Client, change: &dyn Fn()| {
            change();
            check_files(client);
            let found = look(client);
            assert_eq!(found, lint_labels(&folder.path().join("vms/x.xml")), "{name}");
            steps.push((name, found));
        };
        step("new", &mut client, &|| {
            fs::write(&config, "[rules]\nstray-video = 'info'\n").unwrap()
        });
        step("changed", &mut client, &|| fs::write(&config, "ignore = ['display']\n").unwrap());
        step("nearer", &mut client, &|| {
            fs::write(folder.path().join("vms/gvtg-xml.toml"), "only = ['missing-opregion']\n")
                .unwrap()
        });
        step("gone", &mut client, &|| {
            fs::remove_file(folder.path().join("vms/gvtg-xml.toml")).unwrap()
        });
        fs::create_dir_all(folder.path().join("rules")).unwrap();
        fs::write(folder.path().join("rules/no-name.toml"), RULE).unwrap();
        step("rules", &mut client, &|| fs::write(&config, "site-rules = 'rules'\n").unwrap());
        step("a rule", &mut client, &|| {
            fs::write(folder.path().join("rules/no-name.toml"), RULE.replace("warning", "error"))
                .unwrap()
        });
        step("another", &mut client, &|| {
            fs::write(
                folder.path().join("rules/no-names.toml"),
                RULE.replace("no-name", "no-names").replace("/domain/name", "/domain/devices"),
            )
            .unwrap();
        });
        let all: Vec<&Vec<String>> =
            std::iter::once(&first).chain(steps.iter().map(|(_, found)| found)).collect();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "{steps:?}");
        fs::remove_dir_all(folder.path().join("rules")).unwrap();
        assert_eq!(client.shut_down(), 0);
    }
}

#[test]
fn an_invalid_configuration_is_marked_and_the_last_valid_one_stays_in_effect() {
    let folder = folder(&[
        ("gvtg-xml.toml", "[rules]\nstray-video = 'off'\n"),
        ("x.xml", DOMAIN),
        ("y.xml", DOMAIN),
    ]);
    let config = folder.path().join("gvtg-xml.toml");
    let marked = uri(&config.canonicalize().unwrap());
    let mut client = Client::spawn(&[]);
    client.initialize(capabilities(), Value::Null);
    let (document, right) = opened(&mut client, folder.path(), "x.xml");
    assert!(!right.iter().any(|found| found.contains("stray-video")), "{right:?}");
    fs::write(&config, "# é𝄞\n[rules]\nstray-vidoe = 'off'\nmissing-vgpu = 'of'\n").unwrap();
    check_files(&mut client);
    assert_eq!(
        diagnostic_labels(&client.published(&document)["diagnostics"]),
        right,
        "what held before goes on to hold"
    );
    let message = wait_for_shown_message(&mut client);
    let expected = format!(
        "{}:3:1: there is no rule 'stray-vidoe' (did you mean 'stray-video'?) (and 1 more)",
        config.canonicalize().unwrap().display()
    );
    assert!(message.contains(&expected) && message.contains("stays in effect"), "{message}");
    let errors = client.published(&marked);
    let _: official::PublishDiagnosticsParams = serde_json::from_value(errors.clone()).unwrap();
    let errors = errors["diagnostics"].as_array().unwrap().clone();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert_eq!(
        errors[0]["range"],
        json!({ "start": { "line": 2, "character": 0 }, "end": { "line": 2, "character": 11 } })
    );
    assert_eq!(errors[1]["message"], "unknown severity 'of'\ndid you mean 'off'?");
    assert_eq!(
        opened(&mut client, folder.path(), "y.xml").1,
        right,
        "of a document that is opened now, too"
    );
    assert!(
        !client.received.iter().any(|message| message["method"] == "window/showMessage"),
        "said once"
    );
    fs::write(&config, "[rules]\nstray-video = 'error'\n").unwrap();
    check_files(&mut client);
    let found = diagnostic_labels(&client.published(&document)["diagnostics"]);
    assert!(found.contains(&"error[stray-video]".to_owned()), "{found:?}");
    assert_eq!(
        client.published(&marked)["diagnostics"],
        json!([]),
        "and nothing is marked any more"
    );
    assert_eq!(client.shut_down(), 0);
}

#[test]
fn a_configuration_that_was_never_valid_or_belongs_to_another_user_is_not_used() {
    let folder =
        folder(&[("gvtg-xml.toml", "x = 1\n[rules]\nstray-video = 'off'\n"), ("x.xml", DOMAIN)]);
    let mut client = Client::spawn(&[]);
    client.initialize(capabilities(), json!({ "ignore": ["missing-opregion"] }));
    let (document, found) = opened(&mut client, folder.path(), "x.xml");
    assert!(
        found.contains(&"warning[stray-video]".to_owned())
            && !found.iter().any(|found| found.contains("opregion")),
        "{found:?}"
    );
    assert!(wait_for_shown_message(&mut client).contains("gvtg-xml.toml:1:1: unknown key 'x'"));
    let config = folder.path().join("gvtg-xml.toml");
    fs::write(&config, "[rules]\nstray-video = 'off'\n").unwrap();
    if geteuid().is_root() {
        chown(&config, Some(65_533), None).unwrap();
        check_files(&mut client);
        assert_eq!(diagnostic_labels(&client.published(&document)["diagnostics"]), found);
        assert!(wait_for_shown_message(&mut client).contains("is owned by user 65533"));
        chown(&config, Some(0), None).unwrap();
        // The user does what the message says, and nothing else.
    }
    check_files(&mut client);
    let found = diagnostic_labels(&client.published(&document)["diagnostics"]);
    assert!(!found.iter().any(|found| found.contains("stray-video")), "{found:?}");
    assert_eq!(client.shut_down(), 0);
}

#[test]
fn a_domain_named_in_the_configuration_needs_no_sign_of_gvtg() {
    let text = "<domain type='kvm'>\n  <name>plain</name>\n  <devices>\n  </devices>\n</domain>\n";
    let folder = folder(&[("gvtg-xml.toml", "[[overrides]]\nfiles = ['vms/*']\nnamed = true\n")]);
    fs::create_dir(folder.path().join("vms")).unwrap();
    let mut client = Client::spawn(&[]);
    client.initialize(capabilities(), Value::Null);
    for (name, expected) in
        [("vms/plain.xml", vec!["error[missing-vgpu]".to_owned()]), ("plain.xml", vec![])]
    {
        let uri = uri(&folder.path().join(name));
        client.open(&uri, text);
        assert_eq!(diagnostic_labels(&client.published(&uri)["diagnostics"]), expected, "{name}");
    }
    assert_eq!(client.shut_down(), 0);
}
