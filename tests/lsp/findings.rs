//! An editor shows what the command line prints: findings, fixes, pages.
#![cfg(feature = "lsp")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails, and says what it can't do")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::program::{feed, outcome, program, run};
use gvtg_xml::internals::domain::property_syntax_for;
use gvtg_xml::internals::host::Root;
use gvtg_xml::internals::host::installed::libvirt;
use gvtg_xml::{Detail, Linter, RuleSet, Settings, Version, builtin};
use serde_json::{Value, json};

use crate::client;
use crate::common;
use client::{Client, capabilities, pull_capabilities, uri};

/// Every fixture and every example of a rule, before and after; each also with CRLF, with a byte
/// order mark, or with characters of different lengths.
fn documents() -> Vec<String> {
    let mut plain: Vec<String> = Vec::new();
    for path in fs::read_dir("fixtures")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
    {
        plain.push(fs::read_to_string(path).unwrap());
    }
    for example in builtin().iter().flat_map(|rule| rule.example.iter()) {
        for snippet in [&example.bad, &example.fixed, &example.good].into_iter().flatten() {
            plain.push(common::document(
                &snippet.replace(['»', '«'], ""),
                example.within,
                &Settings::default(),
            ));
        }
    }
    let rules = RuleSet::all(builtin());
    let variants = plain.iter().enumerate().flat_map(|(index, text)| {
        let other = match index % 3 {
            0 => text.replace('\n', "\r\n"),
            1 => format!("\u{feff}{text}"),
            _ => text
                .replacen("<domain", "<!-- ü𝄞 --><domain", 1)
                .replace("    <", "    <!--😀é--><"),
        };
        [text.clone(), other]
    });
    variants
        .filter(|text| {
            Linter::new(&rules, &Settings::default()).detail(Detail::Edits).lint(text).is_ok()
        })
        .collect()
}

/// Writes the documents to a folder, with names as in `virsh edit` or with others.
fn write(folder: &Path, documents: &[String], is_virsh_edit: bool) -> Vec<String> {
    let prefix = if is_virsh_edit { "virsh" } else { "file" };
    let names: Vec<String> =
        (0..documents.len()).map(|index| format!("{prefix}{index:06}.xml")).collect();
    for (name, text) in names.iter().zip(documents) {
        fs::write(folder.join(name), text).unwrap();
    }
    names
}

/// The flags that make the command line behave as the server does in `virsh edit`: fixes are for
/// the installed libvirt, if there is one.
fn of_virsh_edit() -> &'static [&'static str] {
    if installed().is_some() { &["--libvirt", "installed"] } else { &[] }
}

fn installed() -> Option<Version> {
    libvirt(&Root::default())
}

/// The findings of the command line in each of these files, or in those of a folder.
fn linted(folder: &Path, arguments: &[&str]) -> BTreeMap<String, Vec<Value>> {
    let mut command =
        program(["lint", "--format", "json", "--exit-zero", "--ignore", "shared-vgpu,shared-name"]);
    let (code, stdout, stderr) = outcome(feed(command.args(arguments).current_dir(folder), b""));
    assert_eq!(code, 0, "{stderr}");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    let mut by_file: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for finding in report["diagnostics"].as_array().unwrap() {
        let file = finding["file"].as_str().unwrap().trim_start_matches("./").to_owned();
        by_file.entry(file).or_default().push(finding.clone());
    }
    by_file
}

/// The diagnostic that an editor should get for a finding of the command line.
fn expected(client: &Client, uri: &str, text: &str, finding: &Value) -> Value {
    let place = |place: &Value| client.position(text, place["offset"].as_u64().unwrap() as usize);
    let severity =
        ["error", "warning", "info"].iter().position(|name| finding["severity"] == *name).unwrap()
            + 1;
    let mut expected = json!({
        "range": { "start": place(&finding["start"]), "end": place(&finding["end"]) },
        "severity": severity,
        "code": finding["rule"],
        "source": "gvtg-xml",
        "message": finding["message"],
    });
    let related: Vec<Value> = finding["related"]
        .as_array()
        .unwrap()
        .iter()
        .map(|related| json!({ "start": place(&related["start"]), "uri": uri, "message": related["message"] }))
        .collect();
    if !related.is_empty() {
        expected["relatedInformation"] = json!(related);
    }
    expected
}

/// The diagnostic that the editor got, without the ends of related places, which the command line
/// does not print.
fn got(finding: &Value) -> Value {
    let mut got = finding.clone();
    if let Some(related) = got.get_mut("relatedInformation").and_then(Value::as_array_mut) {
        for one in related {
            *one = json!({ "start": one["location"]["range"]["start"], "uri": one["location"]["uri"], "message": one["message"] });
        }
    }
    got
}

#[test]
fn findings_equal_those_of_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let documents = documents();
    for (is_named, encoding, options) in [
        (true, "utf-16", json!({})),
        (true, "utf-8", json!({ "libvirt": "7.0" })),
        (false, "utf-16", json!({ "gvtg-xml": { "libvirt": "8.1" } })),
        (false, "utf-8", json!({ "all": true })),
    ] {
        let names = write(folder.path(), &documents, is_named);
        let flags =
            options.get("gvtg-xml").unwrap_or(&options).as_object().unwrap().iter().flat_map(
                |(name, value)| {
                    [Some(format!("--{name}")), value.as_str().map(str::to_owned)]
                        .into_iter()
                        .flatten()
                        .collect::<Vec<_>>()
                },
            );
        let flags: Vec<String> = flags.collect();
        let mut arguments: Vec<&str> = flags.iter().map(String::as_str).collect();
        if is_named {
            arguments.extend(of_virsh_edit().iter().filter(|_| flags.is_empty()));
            arguments.extend(names.iter().map(String::as_str))
        } else {
            arguments.push(".")
        };
        let linted = linted(folder.path(), &arguments);
        assert!(linted.len() > 100, "there is something to compare");
        let mut client_capabilities = pull_capabilities();
        client_capabilities["general"]["positionEncodings"] = json!([encoding]);
        let mut client = Client::spawn(&[]);
        client.initialize(client_capabilities, options);
        for (name, text) in names.iter().zip(&documents) {
            let uri = uri(&folder.path().join(name));
            client.open(&uri, text);
            let all: Vec<Value> = client.pull(&uri).iter().map(got).collect();
            let wanted = linted.get(name).map_or(&[][..], Vec::as_slice);
            let wanted: Vec<Value> =
                wanted.iter().map(|finding| expected(&client, &uri, text, finding)).collect();
            assert_eq!(all, wanted, "{encoding} {name}: {text}");
            client.close(&uri);
        }
        assert_eq!(client.shut_down(), 0);
        names.iter().for_each(|name| fs::remove_file(folder.path().join(name)).unwrap());
    }
}

#[test]
fn fix_all_produces_the_text_that_fix_writes() {
    let folder = tempfile::tempdir().unwrap();
    let documents = documents();
    for (is_named, encoding) in [(true, "utf-16"), (false, "utf-8")] {
        let names = write(folder.path(), &documents, is_named);
        let mut command = program(["fix", "--in-place", "--quiet"]);
        if is_named {
            command.args(of_virsh_edit()).args(&names)
        } else {
            command.arg(".")
        };
        assert_ne!(outcome(feed(command.current_dir(folder.path()), b"")).0, 2);
        let mut client_capabilities = pull_capabilities();
        client_capabilities["general"]["positionEncodings"] = json!([encoding]);
        let mut client = Client::spawn(&[]);
        client.initialize(client_capabilities, Value::Null);
        let mut changed = 0;
        for (name, text) in names.iter().zip(&documents) {
            let uri = uri(&folder.path().join(name));
            let fixed = fs::read_to_string(folder.path().join(name)).unwrap();
            client.open(&uri, text);
            let actions = client.actions(&uri, 0..0, Some("source.fixAll"));
            match &actions[..] {
                [] => assert_eq!(&fixed, text, "nothing to do: {name}"),
                [action] => {
                    assert_eq!(action["kind"], "source.fixAll.gvtg-xml");
                    assert_eq!(client.applied(&uri, &action["edit"]), fixed, "{name}");
                    changed += 1;
                }
                _ => panic!("{actions:?}"),
            }
            client.close(&uri);
        }
        assert!(changed > 100, "{changed}");
        assert_eq!(client.shut_down(), 0);
        names.iter().for_each(|name| fs::remove_file(folder.path().join(name)).unwrap());
    }
}

#[test]
fn quick_fixes_make_the_edits_that_lint_reports() {
    let folder = tempfile::tempdir().unwrap();
    let documents = documents();
    let names = write(folder.path(), &documents, true);
    let arguments: Vec<&str> =
        of_virsh_edit().iter().copied().chain(names.iter().map(String::as_str)).collect();
    let linted = linted(folder.path(), &arguments);
    let mut client = Client::spawn(&[]);
    client.initialize(pull_capabilities(), Value::Null);
    let mut fixes = 0;
    for (name, text) in names.iter().zip(&documents) {
        let uri = uri(&folder.path().join(name));
        client.open(&uri, text);
        for finding in linted.get(name).map_or(&[][..], Vec::as_slice) {
            let offset = |place: &Value| place["offset"].as_u64().unwrap() as usize;
            let span = offset(&finding["start"])..offset(&finding["end"]);
            let fix = &finding["fix"];
            let edits = fix["edits"].as_array().map_or(&[][..], Vec::as_slice);
            let range = expected(&client, &uri, text, finding)["range"].clone();
            let title = fix["title"].as_str().unwrap_or("");
            let actions = client.actions(&uri, span, Some("quickfix"));
            let own = actions.iter().find(|action| {
                let of = &action["diagnostics"][0];
                of["code"] == finding["rule"]
                    && of["range"] == range
                    && !title.is_empty()
                    && action["title"].as_str().unwrap().starts_with(title)
            });
            if edits.is_empty() || fix["applicability"] == "manual" {
                assert!(own.is_none(), "{name}: {finding}");
                continue;
            }
            let own =
                own.unwrap_or_else(|| panic!("{name}: {finding} has no action among {actions:?}"));
            assert_eq!(own["isPreferred"] == true, fix["applicability"] == "safe");
            let mut wanted = text.clone();
            for edit in edits.iter().rev() {
                wanted.replace_range(
                    offset(&edit["start"])..offset(&edit["end"]),
                    edit["text"].as_str().unwrap(),
                );
            }
            assert_eq!(client.applied(&uri, &own["edit"]), wanted, "{name}: {finding}");
            fixes += 1;
        }
        client.close(&uri);
    }
    assert!(fixes > 300, "{fixes}");
    assert_eq!(client.shut_down(), 0);
}

#[test]
fn the_warning_about_the_installed_libvirt_is_shown_once() {
    let Some(installed) = installed() else {
        common::skips::skipped("the warning of another form: there is no libvirt here");
        return;
    };
    let [right, wrong] = if property_syntax_for(installed) == property_syntax_for(Version::NEWEST) {
        ["newest", "7.0"]
    } else {
        ["installed", "newest"]
    };
    let warning = format!(
        "libvirt {installed} on this machine needs a different XML syntax: use --libvirt {installed}"
    );
    let warnings = |client: &Client| {
        let shown = client
            .received
            .iter()
            .filter(|told| told["method"] == "window/showMessage" && told["params"]["type"] == 2);
        shown.filter(|told| told["params"]["message"].as_str().unwrap().contains(&warning)).count()
    };
    for client_capabilities in [capabilities(), pull_capabilities()] {
        let mut client = Client::spawn(&["--libvirt", wrong]);
        client.initialize(client_capabilities.clone(), Value::Null);
        let look = |client: &mut Client, uri: &str| {
            client.actions(uri, 0..0, None);
        };
        client.open("file:///vms/network.xml", "<network/>");
        look(&mut client, "file:///vms/network.xml");
        assert_eq!(warnings(&client), 0, "nothing is written there");
        for uri in ["file:///vms/a.xml", "file:///vms/b.xml", "file:///tmp/virsh000000.xml"] {
            client.open(uri, GUIDE);
            look(&mut client, uri);
            client.replace(uri, &GUIDE.replace("<devices>", "<devices> "));
            look(&mut client, uri);
            assert_eq!(warnings(&client), 1, "{uri}: {:?}", client.received);
        }
        assert_eq!(client.shut_down(), 0);
        let mut client = Client::spawn(&["--libvirt", right]);
        client.initialize(client_capabilities, Value::Null);
        client.open("file:///vms/a.xml", GUIDE);
        look(&mut client, "file:///vms/a.xml");
        assert_eq!(warnings(&client), 0);
        assert_eq!(client.shut_down(), 0);
    }
    // The command line prints the same warning, even with --quiet.
    for flags in ["", "--quiet", "--quiet --diff", "--quiet --format json"] {
        let said = run(&format!("fix --libvirt {wrong} {flags}"), GUIDE).2;
        assert_eq!(said.matches(&warning).count(), 1, "{flags}: {said}");
        assert!(
            !run(&format!("fix --libvirt {right} {flags}"), GUIDE).2.contains(&warning),
            "{flags}"
        );
    }
}

#[test]
fn virsh_edit_uses_the_installed_libvirt_by_default() {
    let Some(installed) = installed() else {
        common::skips::skipped("the libvirt of virsh edit: there is none here");
        return;
    };
    let found = |uri: &str, flags: &[&str]| {
        let mut client = Client::spawn(flags);
        client.initialize(pull_capabilities(), Value::Null);
        client.open(uri, GUIDE);
        let found = client
            .pull(uri)
            .iter()
            .map(|finding| finding["message"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>();
        assert_eq!(client.shut_down(), 0);
        found
    };
    let elsewhere = "file:///vms/a.xml";
    for uri in ["file:///tmp/virshXI3d9F.xml", "file:///var/tmp/virsh0aB9zZ.xml"] {
        assert_eq!(found(uri, &[]), found(elsewhere, &["--libvirt", &installed.to_string()]));
        assert_eq!(found(uri, &["--libvirt", "8.3"]), found(elsewhere, &["--libvirt", "8.3"]));
        assert_eq!(found(uri, &["--libvirt", "newest"]), found(elsewhere, &[]));
    }
}

const GUIDE: &str = include_str!("../../fixtures/guide.xml");

fn fixture(name: &str) -> String {
    fs::read_to_string(format!("fixtures/{name}.xml")).unwrap()
}

#[test]
fn all_findings_of_a_rule_can_be_fixed_at_once() {
    let text = fixture("win10-virt-manager");
    let mut client = Client::spawn(&[]);
    client.initialize(pull_capabilities(), Value::Null);
    let uri = "file:///tmp/virsh000000.xml";
    client.open(uri, &text);
    let at = text.find("<redirdev").unwrap();
    let actions = client.actions(uri, at..at, Some("quickfix"));
    let all = actions
        .iter()
        .find(|action| action["title"].as_str().unwrap().starts_with("Fix all"))
        .expect("more than one");
    assert!(all["title"].as_str().unwrap().ends_with("of spice-leftover"), "{all}");
    let fixed = client.applied(uri, &all["edit"]);
    let gone = ["<redirdev", "<channel type='spicevmc'>"]
        .iter()
        .all(|tag| text.contains(tag) && !fixed.contains(tag));
    assert!(
        gone && fixed.contains("<graphics") && fixed.lines().all(|line| text.contains(line)),
        "{fixed}"
    );
    assert_eq!(client.shut_down(), 0);
}

#[test]
fn hover_shows_the_page_that_explain_prints() {
    let mut plain = pull_capabilities();
    plain["textDocument"]["hover"]["contentFormat"] = json!(["plaintext"]);
    for (client_capabilities, kind) in [(plain, "plaintext"), (pull_capabilities(), "markdown")] {
        let mut client = Client::spawn(&[]);
        client.initialize(client_capabilities, Value::Null);
        let uri = "file:///tmp/virsh000000.xml";
        client.open(uri, GUIDE);
        let finding = &client.pull(uri)[0];
        let rule = finding["code"].as_str().unwrap().to_owned();
        let place =
            json!({ "textDocument": { "uri": uri }, "position": finding["range"]["start"] });
        let hover = client.request("textDocument/hover", place).unwrap();
        assert_eq!(hover["contents"]["kind"], kind);
        let page = hover["contents"]["value"].as_str().unwrap();
        let explained = run(&format!("explain {rule}"), "").1;
        match kind {
            "plaintext" => assert!(page.contains(&explained), "{page}"),
            _ => assert!(
                page.starts_with("**")
                    && explained.lines().skip(3).take(2).all(|line| page.contains(line)),
                "{page}"
            ),
        }
        // Hovering over the domain's name shows nothing; a tag that rules know has a description.
        for (tag, expected) in
            [("<name>", None), ("<qemu:env", Some("An environment variable for QEMU"))]
        {
            let position = client.position(GUIDE, GUIDE.find(tag).unwrap() + 2);
            let hover = client
                .request(
                    "textDocument/hover",
                    json!({ "textDocument": { "uri": uri }, "position": position }),
                )
                .unwrap();
            match expected {
                None => assert_eq!(hover, Value::Null),
                Some(words) => {
                    assert!(hover["contents"]["value"].as_str().unwrap().contains(words), "{hover}")
                }
            }
        }
        assert_eq!(client.shut_down(), 0);
    }
}

#[test]
fn values_are_completed_in_incomplete_tags() {
    let text = "<domain type='kvm'>\n  <devices>\n    <!-- 😀 --><hostdev type='mdev' managed='n\n  </devices>\n</domain>\n";
    let mut client = Client::spawn(&[]);
    client.initialize(pull_capabilities(), Value::Null);
    client.open("file:///a.xml", text);
    let end = text.find("'n\n").unwrap() + 2;
    let place = json!({ "textDocument": { "uri": "file:///a.xml" }, "position": client.position(text, end) });
    let items = client.request("textDocument/completion", place).unwrap();
    let labels: Vec<&str> =
        items.as_array().unwrap().iter().map(|item| item["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["yes", "no"]);
    let edit = &items[1]["textEdit"];
    let mut whole = text.to_owned();
    whole.replace_range(
        client.offset(text, &edit["range"]["start"])..client.offset(text, &edit["range"]["end"]),
        "no",
    );
    assert!(whole.contains("managed='no\n"), "what was begun is replaced: {whole}");
    assert_eq!(client.shut_down(), 0);
}

#[test]
fn a_domain_without_gvtg_is_only_fixed_on_request() {
    let text = "<domain type='kvm'>\n  <name>plain</name>\n  <devices>\n  </devices>\n</domain>\n";
    let mut client = Client::spawn(&[]);
    client.initialize(capabilities(), Value::Null);
    let uri = "file:///vms/plain.xml";
    client.open(uri, text);
    assert_eq!(client.published(uri)["diagnostics"], json!([]));
    assert!(
        client.actions(uri, 0..0, Some("source.fixAll")).is_empty(),
        "nothing that an editor does at each save"
    );
    assert!(client.actions(uri, 0..0, Some("quickfix")).is_empty());
    let (_, fixed, _) = run("fix --quiet", text);
    let meant = client.actions(uri, 0..0, Some("source"));
    assert_eq!(meant[0]["title"], "Fix this domain for GVT-g");
    assert_eq!(client.applied(uri, &meant[0]["edit"]), fixed);

    client
        .request(
            "workspace/executeCommand",
            json!({ "command": "gvtg-xml.fix", "arguments": [uri] }),
        )
        .unwrap();
    let asked = client
        .received
        .iter()
        .find(|message| message["method"] == "workspace/applyEdit")
        .cloned()
        .expect("an edit");
    assert_eq!(client.applied(uri, &asked["params"]["edit"]), fixed);
    let found = client.published(uri);
    assert_eq!(found["diagnostics"][0]["code"], "missing-vgpu", "from now on it is one: {found}");
    for other in ["<network><name>x</name></network>", "no XML at all", "", "<html><body></html>"] {
        client.open("file:///other.xml", other);
        assert_eq!(client.published("file:///other.xml")["diagnostics"], json!([]), "{other}");
        client.close("file:///other.xml");
    }
    assert_eq!(client.shut_down(), 0);
}

#[test]
fn settings_come_from_flags_options_and_changes_and_an_invalid_one_changes_nothing() {
    let uri = "file:///tmp/virsh000000.xml";
    let text = fixture("guide");
    let codes = |diagnostics: &Value| {
        let codes = diagnostics["diagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| finding["code"].as_str().unwrap().to_owned());
        codes.collect::<Vec<_>>()
    };
    let mut client = Client::spawn(&["--libvirt", "7.0"]);
    client.initialize(
        capabilities(),
        json!({ "ignore": ["display"], "rule-pages": "https://example.org/rules/" }),
    );
    client.open(uri, &text);
    let first = client.published(uri);
    assert!(!codes(&first).contains(&"set-on-json-device".to_owned()), "7.0 reads -set: {first}");
    assert!(!codes(&first).iter().any(|code| code.starts_with("stray-")));
    for finding in first["diagnostics"].as_array().unwrap() {
        assert_eq!(
            finding["codeDescription"]["href"],
            format!("https://example.org/rules/{}", finding["code"].as_str().unwrap())
        );
    }
    let change = |client: &mut Client, settings: Value| {
        client.notify("workspace/didChangeConfiguration", json!({ "settings": settings }))
    };
    change(&mut client, json!({ "gvtg-xml": { "libvirt": "12.0" } }));
    let second = client.published(uri);
    assert!(codes(&second).contains(&"set-on-json-device".to_owned()), "{second}");

    for (wrong, said) in [
        (json!({ "displai": "gtk,gl=on" }), "--displai"),
        (json!({ "display": "gtk" }), "OpenGL"),
        (
            json!({ "uuid": "ab54baba-ea9a-4ce5-b7b4-51b376b65849" }),
            "all documents would share one vGPU",
        ),
        (json!({ "ignore": ["xyzzy"] }), "no rule 'xyzzy'"),
        (json!({ "rules": "/nowhere" }), "/nowhere"),
        (json!({ "gvtg-xml": { "only": { "a": 1 } } }), "use a single value"),
    ] {
        change(&mut client, wrong);
        client.request("textDocument/hover", json!({ "textDocument": { "uri": uri }, "position": { "line": 0, "character": 0 } })).unwrap();
        let message = client.received.pop().expect("it says so");
        assert_eq!(
            (&message["method"], &message["params"]["type"]),
            (&json!("window/showMessage"), &json!(1))
        );
        assert!(message["params"]["message"].as_str().unwrap().contains(said), "{message}");
    }
    client.replace(uri, &text);
    assert_eq!(codes(&client.published(uri)), codes(&second), "what held before goes on to hold");

    change(&mut client, Value::Null);
    client
        .request(
            "textDocument/hover",
            json!({ "textDocument": { "uri": uri }, "position": { "line": 0, "character": 0 } }),
        )
        .unwrap();
    let asked = client.received.pop().expect("it asks");
    assert_eq!(asked["method"], "workspace/configuration");
    client.send(&json!({ "jsonrpc": "2.0", "id": asked["id"], "result": [{ "libvirt": "7.0" }] }));
    assert_eq!(codes(&client.published(uri)), codes(&first));
    assert_eq!(client.shut_down(), 0);
    assert_eq!(Client::spawn(&["--ignore", "xyzzy"]).exit_code(), 2);
}

#[test]
fn custom_rules_work_in_the_editor() {
    let folder = tempfile::tempdir().unwrap();
    let rule = "id = 'no-floppy'\nsummary = 'A floppy'\nseverity = 'error'\ngroup = 'domain'\nsince = '0.1.0'\n\
        select = \"/domain/devices/disk[@device='floppy']\"\nmessage = 'a floppy'\nwhy = 'This site has none.'\n[check]\nkind = 'forbid'\n";
    fs::write(folder.path().join("no-floppy.toml"), rule).unwrap();
    let mut client = Client::spawn(&[]);
    client
        .initialize(pull_capabilities(), json!({ "rules": folder.path(), "only": ["no-floppy"] }));
    client.open(
        "file:///tmp/virsh000000.xml",
        "<domain type='kvm'><devices><disk device='floppy'/></devices></domain>",
    );
    let found = client.pull("file:///tmp/virsh000000.xml");
    assert_eq!(
        found.iter().map(|finding| &finding["code"]).collect::<Vec<_>>(),
        [&json!("no-floppy")]
    );
    assert_eq!(client.shut_down(), 0);
}
