//! Suppressions in an editor: findings that are not shown, actions that add suppressions, and names
//! of rules.
#![cfg(feature = "lsp")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails, and says what it can't do")]

use common::program::run;
use serde_json::{Value, json};

use crate::client;
use crate::common;
use client::{Client, pull_capabilities};

const TEXT: &str = "<domain type='kvm'>\n  <!-- 😀é --><name>a</name>\n  <devices>\n    <hostdev mode='subsystem' type='mdev' managed='no' \
    model='vfio-pci'>\n      <source>\n        <address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/>\n      </source>\n      \
    <alias name='ua-gvtg'/>\n    </hostdev>\n    <graphics type='vnc'/>\n    <video/>\n  </devices>\n</domain>\n";
const FILE: &str = "file:///vms/a.xml";

fn opened(uri: &str, text: &str) -> Client {
    let mut client = Client::spawn(&[]);
    client.initialize(pull_capabilities(), Value::Null);
    client.open(uri, text);
    client
}

fn codes(found: &[Value]) -> Vec<String> {
    found.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn suppressed_findings_are_not_shown_as_on_the_command_line() {
    let ignored =
        TEXT.replace("    <video/>", "    <!-- gvtg-xml: ignore[stray-video] é -->\n    <video/>");
    let mut client = opened(FILE, &ignored);
    let found = codes(&client.pull(FILE));
    assert!(
        found.contains(&"stray-graphics".into()) && !found.contains(&"stray-video".into()),
        "{found:?}"
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.xml"), &ignored).unwrap();
    let (_, stdout, _) = common::program::run_in(folder.path(), "lint --format json-lines .");
    let linted: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        linted
            .iter()
            .map(|finding| finding["rule"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>(),
        found
    );
    assert!(
        client
            .actions(FILE, ignored.find("<video").unwrap()..ignored.find("<video").unwrap(), None)
            .iter()
            .all(|action| {
                !action["title"].as_str().unwrap().contains("stray-video")
                    && !action["title"].as_str().unwrap().contains("Remove the <video>")
            })
    );
    assert_eq!(client.shut_down(), 0);
}

#[test]
fn a_finding_can_be_suppressed_here_or_in_the_file() {
    for text in [TEXT.to_owned(), TEXT.replace('\n', "\r\n"), format!("\u{feff}{TEXT}")] {
        let mut client = opened(FILE, &text);
        let at = text.find("<video").unwrap();
        let actions = client.actions(FILE, at..at, Some("quickfix"));
        let action = |title: &str| {
            let own = actions
                .iter()
                .find(|action| action["title"] == title)
                .unwrap_or_else(|| panic!("{title} in {actions:?}"));
            assert!(
                own["diagnostics"][0]["code"] == "stray-video" && own["isPreferred"] != true,
                "{own}"
            );
            client.applied(FILE, &own["edit"])
        };
        let (here, everywhere) =
            (action("Suppress stray-video here"), action("Suppress stray-video in this file"));
        let ending = if text.contains('\r') { "\r\n" } else { "\n" };
        let comment = format!("    <!-- gvtg-xml: ignore[stray-video] TODO: why -->{ending}");
        assert_eq!(here, text.replace("    <video/>", &format!("{comment}    <video/>")));
        assert!(
            everywhere.contains("<gvtg:ignore rule='stray-video'>TODO: why</gvtg:ignore>"),
            "{everywhere}"
        );
        for changed in [here, everywhere] {
            let stdout = run("lint --format concise", &changed).1;
            assert!(
                stdout.contains("[stray-graphics]")
                    && !stdout.contains("[stray-video]")
                    && !stdout.contains("ignore"),
                "{stdout}"
            );
            client.replace(FILE, &changed);
            assert!(!codes(&client.pull(FILE)).contains(&"stray-video".into()));
        }
        assert_eq!(client.shut_down(), 0);
    }
}

#[test]
fn no_comments_are_offered_in_virsh_edit() {
    let uri = "file:///tmp/virsh000000.xml";
    let mut client = opened(uri, TEXT);
    let at = TEXT.find("<video").unwrap();
    let titles: Vec<String> = client
        .actions(uri, at..at, Some("quickfix"))
        .iter()
        .map(|action| action["title"].as_str().unwrap().to_owned())
        .collect();
    assert!(titles.contains(&"Suppress stray-video in this file".into()), "{titles:?}");
    assert!(
        !titles.iter().any(|title| title.ends_with(" here")),
        "libvirt drops comments: {titles:?}"
    );
    assert_eq!(client.shut_down(), 0);
}

#[test]
fn a_faulty_suppression_can_be_fixed_but_not_suppressed() {
    let text = TEXT.replace(
        "    <video/>",
        "    <!-- gvtg-xml: ignore[stray-vidoe, vgpu-boot-order] x -->\n    <video/>",
    );
    let mut client = opened(FILE, &text);
    let found = codes(&client.pull(FILE));
    assert!(
        found.contains(&"unknown-ignored-rule".into()) && found.contains(&"unused-ignore".into()),
        "{found:?}"
    );
    let at = text.find("stray-vidoe").unwrap();
    let actions = client.actions(FILE, at..at, Some("quickfix"));
    let titles: Vec<&str> =
        actions.iter().map(|action| action["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Change the name to stray-video"]);
    assert_eq!(client.applied(FILE, &actions[0]["edit"]), text.replace("vidoe", "video"));
    let at = text.find("vgpu-boot").unwrap();
    let unused = &client.actions(FILE, at..at, Some("quickfix"))[0];
    assert_eq!(client.applied(FILE, &unused["edit"]), text.replace(", vgpu-boot-order", ""));
    assert_eq!(client.shut_down(), 0);
}

#[test]
fn rule_names_are_completed_and_explained_in_suppressions() {
    let comment = TEXT
        .replace("    <video/>", "    <!-- gvtg-xml: ignore[stray-video, str] é -->\n    <video/>");
    let unfinished = TEXT.replace("    <video/>", "    <!-- gvtg-xml: ignore[str");
    let own = "<metadata><g:domain xmlns:g='urn:gvtg-xml:1'><g:ignore rule='str'>x</g:ignore></g:domain></metadata>\n  <devices>";
    let metadata = TEXT.replace("<devices>", own);
    for text in [comment.clone(), unfinished, metadata] {
        let mut client = opened(FILE, &text);
        let end = text
            .rfind("str")
            .filter(|at| !text[*at..].starts_with("stray"))
            .unwrap_or_else(|| text.find("'str'").unwrap() + 1)
            + 3;
        let place =
            json!({ "textDocument": { "uri": FILE }, "position": client.position(&text, end) });
        let items = client.request("textDocument/completion", place).unwrap();
        let item = items
            .as_array()
            .unwrap()
            .iter()
            .find(|item| item["label"] == "stray-graphics")
            .expect("a rule");
        assert!(
            items.as_array().unwrap().iter().any(|item| item["label"] == "display"),
            "groups too"
        );
        let edit = &item["textEdit"];
        let replaced = client.offset(&text, &edit["range"]["start"])
            ..client.offset(&text, &edit["range"]["end"]);
        assert_eq!(&text[replaced], "str", "{text}");
        assert_eq!(client.shut_down(), 0);
    }
    let mut client = opened(FILE, &comment);
    let hover = |client: &mut Client, what: &str| {
        let position = client.position(&comment, comment.find(what).unwrap() + 1);
        let hover = client
            .request(
                "textDocument/hover",
                json!({ "textDocument": { "uri": FILE }, "position": position }),
            )
            .unwrap();
        hover["contents"]["value"].as_str().unwrap_or("").to_owned()
    };
    assert!(
        hover(&mut client, "stray-video, ").starts_with("**stray-video** (warning, group display)")
    );
    let unknown = hover(&mut client, "str] é");
    assert!(
        unknown.contains("unknown-ignored-rule") && !unknown.contains("stray-video** ("),
        "{unknown}"
    );
    assert_eq!(hover(&mut client, "- 😀"), "");
    assert_eq!(client.shut_down(), 0);
}
