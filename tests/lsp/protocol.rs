//! Corner cases of the protocol: messages in the wrong order, invalid ones, and many of them.
#![cfg(feature = "lsp")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails, and says what it can't do")]

use std::fs;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use gen_lsp_types as official;
use gvtg_xml::internals::lsp::{SessionEnd, SessionError, serve};
use gvtg_xml::internals::settings::config::{ConfigWatcher, Origin, PartialConfig};
use gvtg_xml::{RuleSet, Settings, builtin};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::client;
use crate::common;
use client::{Client, capabilities, pull_capabilities};

const NAMED: &str = "file:///tmp/virsh000000.xml";

/// A server in this process.
fn in_memory() -> (Client, JoinHandle<Result<SessionEnd, SessionError>>) {
    let ((their_input, our_output), (our_input, their_output)) =
        (std::io::pipe().unwrap(), std::io::pipe().unwrap());
    let server = thread::spawn(move || {
        let configure = |_: &Map<String, Value>| {
            ConfigWatcher::new(Origin::Nowhere, PartialConfig::default()).map_err(Into::into)
        };
        serve(std::io::BufReader::new(their_input), their_output, &configure)
    });
    (Client::new(our_input, our_output), server)
}

fn fixture(name: &str) -> String {
    fs::read_to_string(format!("fixtures/{name}.xml")).unwrap()
}

fn codes(diagnostics: &Value) -> Vec<String> {
    let code = |finding: &Value| finding["code"].as_str().unwrap_or("none").to_owned();
    diagnostics.as_array().unwrap().iter().map(code).collect()
}

fn hover(client: &mut Client, uri: &str) -> i64 {
    client.send_request(
        "textDocument/hover",
        json!({ "textDocument": { "uri": uri }, "position": { "line": 0, "character": 0 } }),
    )
}

/// Checks that a value has the official type and nothing beyond it.
fn is_official<T: DeserializeOwned + Serialize>(value: &Value) {
    let read: T =
        serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"));
    assert_eq!(&serde_json::to_value(read).unwrap(), value);
}

#[test]
fn messages_conform_to_the_official_metamodel() {
    let text = fixture("win10-virt-manager");
    for client_capabilities in [capabilities(), pull_capabilities()] {
        let (mut client, _) = in_memory();
        is_official::<official::InitializeResult>(&client.initialize(
            client_capabilities.clone(),
            json!({ "rule-pages": "https://example.org/" }),
        ));
        client.open(NAMED, &text);
        if client_capabilities["textDocument"].get("diagnostic").is_some() {
            let params = json!({ "textDocument": { "uri": NAMED } });
            is_official::<official::DocumentDiagnosticReport>(
                &client.request("textDocument/diagnostic", params).unwrap(),
            );
        } else {
            is_official::<official::PublishDiagnosticsParams>(&client.published(NAMED));
        }
        let actions = client.actions(NAMED, 0..text.len(), None);
        assert!(actions.len() > 5, "{actions:?}");
        actions.iter().for_each(is_official::<official::CodeAction>);
        let at = |tag: &str| client.position(&text, text.find(tag).unwrap() + tag.len());
        let places = ["<graphics", "<devices", "<domain type='"].map(at);
        for place in &places {
            let params = json!({ "textDocument": { "uri": NAMED }, "position": place });
            let hover = client.request("textDocument/hover", params.clone()).unwrap();
            if !hover.is_null() {
                is_official::<official::Hover>(&hover);
            }
            let items = client.request("textDocument/completion", params).unwrap();
            items.as_array().unwrap().iter().for_each(is_official::<official::CompletionItem>);
        }
        client
            .request(
                "workspace/executeCommand",
                json!({ "command": "gvtg-xml.fix", "arguments": [NAMED] }),
            )
            .unwrap();
        let edit = client
            .received
            .iter()
            .find(|message| message["method"] == "workspace/applyEdit")
            .unwrap();
        is_official::<official::ApplyWorkspaceEditParams>(&edit["params"]);
    }
}

#[test]
fn messages_in_the_wrong_order_are_rejected_with_the_right_code() {
    let mut client = Client::spawn(&[]);
    assert_eq!(
        client.request("textDocument/hover", json!({})).unwrap_err()["code"],
        -32002,
        "nothing before initialize"
    );
    client.notify("textDocument/didOpen", json!({}));
    client.initialize(capabilities(), Value::Null);
    assert_eq!(
        client.request("initialize", json!({ "capabilities": {} })).unwrap_err()["code"],
        -32600
    );
    assert_eq!(client.request("textDocument/formatting", json!({})).unwrap_err()["code"], -32601);
    assert_eq!(client.request("$/whatever", json!({})).unwrap_err()["code"], -32601);
    assert_eq!(
        client.request("textDocument/hover", json!({ "textDocument": 1 })).unwrap_err()["code"],
        -32602
    );
    assert_eq!(
        client.request("workspace/executeCommand", json!({ "command": "rm" })).unwrap_err()["code"],
        -32602
    );
    let nowhere = json!({ "textDocument": { "uri": "file:///not/open.xml" }, "position": { "line": 0, "character": 0 } });
    for method in ["textDocument/hover", "textDocument/completion", "textDocument/diagnostic"] {
        assert_eq!(
            client.request(method, nowhere.clone()).unwrap_err()["code"],
            -32602,
            "{method}"
        );
    }
    for method in
        ["$/setTrace", "textDocument/didSave", "workspace/didChangeWatchedFiles", "nonsense"]
    {
        client.notify(method, json!({ "a": [] }));
    }
    client
        .notify("textDocument/didChange", json!({ "textDocument": { "uri": "file:///not/open.xml", "version": 1 }, "contentChanges": [] }));
    client.send(&json!({ "jsonrpc": "2.0", "id": 77, "result": null }));
    client.send_raw(b"Content-Length: 3\r\n\r\n{{{");
    assert_eq!(client.read().unwrap()["error"]["code"], -32700);
    client.send(&json!({ "jsonrpc": "2.0", "id": "text", "method": "shutdown" }));
    let answer = client.read().unwrap();
    assert_eq!((&answer["id"], answer.get("result")), (&json!("text"), Some(&Value::Null)));
    assert_eq!(client.request("shutdown", Value::Null).unwrap_err()["code"], -32600);
    client.notify("exit", Value::Null);
    assert_eq!(client.exit_code(), 0);
}

#[test]
fn the_exit_code_tells_whether_the_client_shut_the_server_down() {
    let exits = |is_initialized: bool, last: &dyn Fn(&mut Client)| {
        let mut client = Client::spawn(&["--stdio"]);
        if is_initialized {
            client.initialize(capabilities(), Value::Null);
        }
        last(&mut client);
        client.exit_code()
    };
    assert_eq!(exits(true, &|client| client.notify("exit", Value::Null)), 1);
    assert_eq!(exits(false, &|client| client.notify("exit", Value::Null)), 1);
    assert_eq!(exits(true, &|client| client.close_input()), 1);
    assert_eq!(exits(false, &|client| client.close_input()), 1);
    assert_eq!(
        exits(true, &|client| client.send_raw(b"GET / HTTP/1.1\r\n\r\n")),
        2,
        "another protocol"
    );
    let mut client = Client::spawn(&[]);
    client.initialize(capabilities(), Value::Null);
    assert_eq!(client.shut_down(), 0);
}

#[test]
fn false_content_length_allocates_no_memory() {
    let mut shell = std::process::Command::new("sh");
    let limited = "ulimit -v 4000000 && exec \"$0\" lsp";
    let mut client = Client::start(shell.args(["-c", limited, env!("CARGO_BIN_EXE_gvtg-xml")]));
    client.initialize(capabilities(), Value::Null);
    client.send_raw(b"Content-Length: 99999999999\r\n\r\n{}");
    client.close_input();
    assert_eq!(client.exit_code(), 2);
}

#[test]
fn an_invalid_message_does_not_end_the_session() {
    let mut client = Client::spawn(&[]);
    client.initialize(capabilities(), Value::Null);
    let half_a_character = r#"{"jsonrpc":"2.0","method":"x","params":"\ud83d"}"#;
    let batch = r#"[{"jsonrpc":"2.0","id":1,"method":"shutdown"}]"#;
    for body in ["{{{", "{}", "[]", batch, half_a_character] {
        client.send_raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
        let answer = client.read().unwrap();
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&Value::Null, &json!(-32700)));
    }
    assert_eq!(client.shut_down(), 0);
}

#[test]
fn the_server_does_not_start_on_a_terminal() {
    if !common::program::has_terminals() {
        return;
    }
    let command = format!("{} lsp", env!("CARGO_BIN_EXE_gvtg-xml"));
    let mut script = std::process::Command::new("script");
    let output = script.args(["-qec", &command, "/dev/null"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_cancelled_request_is_not_computed() {
    let (mut client, server) = in_memory();
    client.initialize(capabilities(), Value::Null);
    // So large that the messages after it have to wait.
    let filler = "<!-- filler -->\n".repeat(500_000);
    let text = fixture("win10-virt-manager").replace("</domain>", &format!("{filler}</domain>"));
    client.open(NAMED, &text);
    client.actions(NAMED, 0..0, Some("source.fixAll"));
    let busy = client.send_request(
        "textDocument/codeAction",
        json!({
            "textDocument": { "uri": NAMED }, "context": { "diagnostics": [] },
            "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 0 } },
        }),
    );
    let waiting: Vec<i64> = (0..50).map(|_| hover(&mut client, NAMED)).collect();
    for id in &waiting[..49] {
        client.notify("$/cancelRequest", json!({ "id": id }));
    }
    client.answer(busy).unwrap();
    let cancelled = waiting
        .iter()
        .filter(|id| client.answer(**id).is_err_and(|error| error["code"] == -32800))
        .count();
    assert!((40..50).contains(&cancelled), "{cancelled} of 49, and never the last");
    client.request("shutdown", Value::Null).unwrap();
    client.notify("exit", Value::Null);
    assert_eq!(server.join().unwrap().unwrap(), SessionEnd::Orderly);
}

#[test]
fn many_edits_are_followed_and_waiting_edits_are_checked_once() {
    let mut client = Client::spawn(&[]);
    client.initialize(capabilities(), Value::Null);
    let text = fixture("win10-virt-manager");
    client.open(NAMED, &text);
    let at = text.find("<name>").unwrap() + 6;
    let started = Instant::now();
    for _ in 0..100 {
        client.edit(NAMED, at..at, "x");
        thread::sleep(Duration::from_millis(10));
    }
    let last = client.published(NAMED);
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    assert_eq!(last["version"], 101);
    let _ = std::mem::take(&mut client.received);
    // One write, so that all of it is there at once.
    let mut burst = Vec::new();
    for version in 102..=1101 {
        let changes = json!([{ "range": null, "text": format!("{text}<!-- {version} -->") }]);
        let params = json!({ "textDocument": { "uri": NAMED, "version": version }, "contentChanges": changes });
        let body =
            json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": params })
                .to_string();
        burst.extend_from_slice(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }
    client.texts.get_mut(NAMED).unwrap().0 = 1101;
    client.send_raw(&burst);
    assert_eq!(client.published(NAMED)["version"], 1101);
    let check_count = client
        .received
        .iter()
        .filter(|message| message["method"] == "textDocument/publishDiagnostics")
        .count();
    assert!(check_count < 500, "{check_count} of 1000");
    assert_eq!(client.shut_down(), 0);
}

#[test]
fn every_prefix_of_a_document_has_at_most_one_error() {
    let text = fixture("guide").replacen("<name>", "<name>é😀", 1);
    let (mut client, _) = in_memory();
    client.initialize(pull_capabilities(), Value::Null);
    client.open(NAMED, "");
    let mut worst = 0;
    for (end, c) in text.char_indices() {
        client.edit(NAMED, end..end, &c.to_string());
        if text[..end + c.len_utf8()].ends_with("</domain>") {
            break;
        }
        let found = client.pull(NAMED);
        let errors = found.iter().filter(|finding| finding.get("code").is_none()).count();
        worst = worst.max(found.len());
        assert!(errors <= 1 && found.len() == errors, "{found:?} at {end}");
        if end % 7 == 0 {
            let position = client.position(&client.texts[NAMED].1, end);
            for method in ["textDocument/hover", "textDocument/completion"] {
                client
                    .request(
                        method,
                        json!({ "textDocument": { "uri": NAMED }, "position": position }),
                    )
                    .unwrap();
            }
            assert!(
                client.actions(NAMED, 0..end, None).is_empty(),
                "an unreadable text has no fixes"
            );
        }
    }
    assert_eq!(worst, 1);
    let last = client.pull(NAMED);
    assert!(!last.is_empty() && last.iter().all(|finding| finding["code"].is_string()), "{last:?}");
}

#[test]
fn an_unclosed_tag_keeps_the_findings_around_it() {
    let text = fixture("win10-virt-manager");
    let (mut client, _) = in_memory();
    client.initialize(capabilities(), Value::Null);
    client.open(NAMED, &text);
    let before = codes(&client.published(NAMED)["diagnostics"]);
    let at = text.find("<devices>").unwrap();
    client.edit(NAMED, at..at, "<é😀 x='\n");
    let broken = client.published(NAMED);
    let after = codes(&broken["diagnostics"]);
    assert_eq!((after[0].as_str(), after.len()), ("none", before.len() + 1), "{after:?}");
    let changed = client.texts[NAMED].1.clone();
    let graphics = broken["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["code"] == "stray-graphics")
        .unwrap();
    assert!(
        changed[client.offset(&changed, &graphics["range"]["start"])..].starts_with("<graphics"),
        "{graphics}"
    );
    let length = "<é😀 x='\n".len();
    client.edit(NAMED, at..at + length, "");
    assert_eq!(codes(&client.published(NAMED)["diagnostics"]), before);
    client.close(NAMED);
    assert_eq!(
        client.published(NAMED)["diagnostics"],
        json!([]),
        "a closed document has nothing to show"
    );
}

#[test]
fn the_server_has_the_editors_text_after_any_edits() {
    for encoding in ["utf-8", "utf-16"] {
        let mut client_capabilities = pull_capabilities();
        client_capabilities["general"]["positionEncodings"] = json!([encoding]);
        let (mut client, _) = in_memory();
        client.initialize(client_capabilities, Value::Null);
        let text = "<!-- é😀𝄞\r\nx\ry\n -->\n".to_owned() + &fixture("guide").replace('\n', "\r\n");
        client.open(NAMED, &text);
        let wanted = codes(&json!(client.pull(NAMED)));
        // A small pseudo-random number generator, the same in each run.
        let mut state = 7u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize % below
        };
        for round in 0..200 {
            let now = client.texts[NAMED].1.clone();
            // An editor's cursor is between two characters, never inside CRLF.
            let places: Vec<usize> = now
                .char_indices()
                .map(|(at, _)| at)
                .filter(|&at| at == 0 || &now.as_bytes()[at - 1..=at] != b"\r\n")
                .collect();
            let (left, right) = (places[next(places.len())], places[next(places.len())]);
            let span = left.min(right)..left.max(right).min(left.min(right) + 40);
            let span = span.start
                ..places
                    .iter()
                    .copied()
                    .filter(|&at| at <= span.end)
                    .max()
                    .unwrap()
                    .max(span.start);
            client.edit(NAMED, span, ["", "😀", "\r\n", "<a b='é'/>", "𝄞\nx"][round % 5]);
        }
        let spoilt = client.texts[NAMED].1.clone();
        // The whole text comes back as one edit of everything that the server should have.
        client.edit(NAMED, 0..spoilt.len(), &text);
        assert_eq!(codes(&json!(client.pull(NAMED))), wanted, "{encoding}");
        let actions = client.actions(NAMED, 0..0, Some("source.fixAll"));
        let fixed = gvtg_xml::Linter::new(&RuleSet::all(builtin()), &Settings::default())
            .fix(text)
            .unwrap()
            .text;
        assert_eq!(
            client.applied(NAMED, &actions[0]["edit"]),
            fixed,
            "the edits fit the text to the byte"
        );
    }
}

#[test]
fn a_huge_document_is_checked_and_a_larger_one_is_reported_as_too_large() {
    let (mut client, _) = in_memory();
    client.initialize(capabilities(), Value::Null);
    let filler = "<!-- é😀 filler -->\n".repeat(400_000);
    let huge = fixture("guide").replacen("</domain>", &format!("{filler}</domain>"), 1);
    assert!(huge.len() > 8 << 20);
    client.open(NAMED, &huge);
    let found = client.published(NAMED)["diagnostics"].clone();
    assert!(codes(&found).len() > 3, "{found}");
    client.edit(NAMED, huge.len()..huge.len(), &filler);
    client.edit(NAMED, huge.len()..huge.len(), &filler);
    let found = client.published(NAMED)["diagnostics"].clone();
    assert!(found[0]["message"].as_str().unwrap().contains("larger than 16 MiB"), "{}", found[0]);
}
