//! A scripted client of the language server, over any pipe.
//!
//! It converts positions and applies edits with its own code, so that mistakes of the server show.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails, and says what it can't do")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// A client.
pub struct Client {
    input: Receiver<Value>,
    output: Option<Box<dyn Write + Send>>,
    pub child: Option<Child>,
    next: i64,
    utf8: bool,
    /// The server's notifications and requests, in order.
    pub received: Vec<Value>,
    /// The version and text of each open document.
    pub texts: BTreeMap<String, (i64, String)>,
}

/// The capabilities of most editors, with push diagnostics.
pub fn capabilities() -> Value {
    json!({
        "general": { "positionEncodings": ["utf-16"] },
        "workspace": { "workspaceEdit": { "documentChanges": true }, "configuration": true, "applyEdit": true },
        "textDocument": {
            "publishDiagnostics": { "relatedInformation": true, "codeDescriptionSupport": true },
            "hover": { "contentFormat": ["markdown", "plaintext"] },
        },
    })
}

/// Like [`capabilities`], with pull diagnostics.
pub fn pull_capabilities() -> Value {
    let mut capabilities = capabilities();
    capabilities["textDocument"]["diagnostic"] = json!({ "relatedInformation": true });
    capabilities["workspace"]["diagnostics"] = json!({ "refreshSupport": true });
    capabilities
}

impl Client {
    /// Creates a client of a server; nothing has been sent yet.
    pub fn new(input: impl Read + Send + 'static, output: impl Write + Send + 'static) -> Self {
        let (sender, receiver) = channel();
        let mut input = BufReader::new(input);
        thread::spawn(move || {
            while let Some(message) = read(&mut input) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let output = Some(Box::new(output) as Box<dyn Write + Send>);
        Client {
            input: receiver,
            output,
            child: None,
            next: 0,
            utf8: false,
            received: Vec::new(),
            texts: BTreeMap::new(),
        }
    }

    /// Starts the program's server.
    pub fn spawn(arguments: &[&str]) -> Self {
        Client::start(Command::new(env!("CARGO_BIN_EXE_gvtg-xml")).arg("lsp").args(arguments))
    }

    /// Starts a server with this command.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut client = Client::new(child.stdout.take().unwrap(), child.stdin.take().unwrap());
        client.child = Some(child);
        client
    }

    /// Initializes the server and returns the result.
    pub fn initialize(&mut self, capabilities: Value, options: Value) -> Value {
        self.utf8 = capabilities["general"]["positionEncodings"][0] == "utf-8";
        let params = json!({ "processId": null, "rootUri": null, "capabilities": capabilities, "initializationOptions": options });
        let result = self.request("initialize", params).expect("initialize is answered");
        assert_eq!(
            result["capabilities"]["positionEncoding"],
            if self.utf8 { "utf-8" } else { "utf-16" }
        );
        self.notify("initialized", json!({}));
        result
    }

    /// Sends bytes.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        let output = self.output.as_mut().expect("not closed");
        output.write_all(bytes).and_then(|()| output.flush()).expect("the server reads");
    }

    pub fn send(&mut self, message: &Value) {
        let body = message.to_string();
        self.send_raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Sends a request without waiting and returns its id.
    pub fn send_request(&mut self, method: &str, params: Value) -> i64 {
        self.next += 1;
        self.send(
            &json!({ "jsonrpc": "2.0", "id": self.next, "method": method, "params": params }),
        );
        self.next
    }

    /// Sends a request and waits for the response: the result or the error.
    pub fn request(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.send_request(method, params);
        self.answer(id)
    }

    /// Waits for the response to a request.
    pub fn answer(&mut self, id: i64) -> Result<Value, Value> {
        loop {
            let message = self.read().expect("a response");
            if message["id"] == id && message.get("method").is_none() {
                return match message.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(message["result"].clone()),
                };
            }
            self.received.push(message);
        }
    }

    /// Reads the next message of the server; `None` at the end.
    pub fn read(&mut self) -> Option<Value> {
        match self.input.recv_timeout(Duration::from_secs(60)) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                panic!("no message from the server; before that: {:?}", self.received)
            }
        }
    }

    /// Waits for the diagnostics of a document at its current version and returns the `params`.
    pub fn published(&mut self, uri: &str) -> Value {
        let version = self.texts.get(uri).map(|(version, _)| *version);
        let fits = |message: &Value| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == uri
                && version.is_none_or(|version| message["params"]["version"] == version)
        };
        loop {
            if let Some(at) = self.received.iter().position(fits) {
                return self.received.remove(at)["params"].clone();
            }
            let message = self.read().expect("a message");
            self.received.push(message);
        }
    }

    /// Requests the diagnostics of a document.
    pub fn pull(&mut self, uri: &str) -> Vec<Value> {
        let report = self
            .request("textDocument/diagnostic", json!({ "textDocument": { "uri": uri } }))
            .expect("a report");
        assert_eq!(report["kind"], "full");
        report["items"].as_array().unwrap().clone()
    }

    pub fn open(&mut self, uri: &str, text: &str) {
        self.texts.insert(uri.into(), (1, text.into()));
        let item = json!({ "uri": uri, "languageId": "xml", "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": item }));
    }

    pub fn close(&mut self, uri: &str) {
        self.texts.remove(uri);
        self.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    }

    /// Replaces bytes of an open document.
    pub fn edit(&mut self, uri: &str, span: std::ops::Range<usize>, new: &str) {
        let (version, text) = &self.texts[uri];
        let (version, range) = (version + 1, self.range(text, &span));
        let mut text = text.clone();
        text.replace_range(span, new);
        self.texts.insert(uri.into(), (version, text));
        let changes = json!([{ "range": range, "text": new }]);
        self.notify("textDocument/didChange", json!({ "textDocument": { "uri": uri, "version": version }, "contentChanges": changes }));
    }

    /// Replaces the text of an open document.
    pub fn replace(&mut self, uri: &str, text: &str) {
        let version = self.texts[uri].0 + 1;
        self.texts.insert(uri.into(), (version, text.into()));
        let document = json!({ "uri": uri, "version": version });
        self.notify(
            "textDocument/didChange",
            json!({ "textDocument": document, "contentChanges": [{ "text": text }] }),
        );
    }

    /// Requests the code actions for a byte range of an open document, of all kinds or one.
    pub fn actions(
        &mut self,
        uri: &str,
        span: std::ops::Range<usize>,
        only: Option<&str>,
    ) -> Vec<Value> {
        let range = self.range(&self.texts[uri].1, &span);
        let mut context = json!({ "diagnostics": [] });
        if let Some(kind) = only {
            context["only"] = json!([kind]);
        }
        let params = json!({ "textDocument": { "uri": uri }, "range": range, "context": context });
        self.request("textDocument/codeAction", params)
            .expect("actions")
            .as_array()
            .unwrap()
            .clone()
    }

    /// Returns an open document's text after a workspace edit, which must be for its version.
    pub fn applied(&self, uri: &str, edit: &Value) -> String {
        let (version, text) = &self.texts[uri];
        let edits = match edit["documentChanges"][0].as_object() {
            Some(change) => {
                assert_eq!(change["textDocument"], json!({ "uri": uri, "version": version }));
                change["edits"].clone()
            }
            None => edit["changes"][uri].clone(),
        };
        let span = |edit: &Value| {
            self.offset(text, &edit["range"]["start"])..self.offset(text, &edit["range"]["end"])
        };
        let mut edits: Vec<_> = edits
            .as_array()
            .expect("edits")
            .iter()
            .map(|edit| (span(edit), edit["newText"].as_str().unwrap()))
            .collect();
        assert!(
            edits.is_sorted_by(|left, right| left.0.end <= right.0.start),
            "edits in order that don't overlap"
        );
        edits.reverse();
        let mut text = text.clone();
        for (span, new) in edits {
            text.replace_range(span, new);
        }
        text
    }

    /// The byte offset of a position, which must be on a line and between two characters.
    pub fn offset(&self, text: &str, position: &Value) -> usize {
        let (line, units) = (
            position["line"].as_u64().unwrap() as usize,
            position["character"].as_u64().unwrap() as usize,
        );
        let start = line_starts(text)[line];
        let content: String =
            text[start..].chars().take_while(|c| !matches!(c, '\r' | '\n')).collect();
        let ends = content.char_indices().map(|(at, _)| at).chain([content.len()]);
        let at = ends.into_iter().find(|&at| self.units(&content[..at]) == units);
        start + at.unwrap_or_else(|| panic!("{position} is not in {content:?}"))
    }

    /// The position of a byte offset.
    pub fn position(&self, text: &str, offset: usize) -> Value {
        let starts = line_starts(text);
        let line = starts.iter().rposition(|start| *start <= offset).unwrap();
        json!({ "line": line, "character": self.units(&text[starts[line]..offset]) })
    }

    fn range(&self, text: &str, span: &std::ops::Range<usize>) -> Value {
        json!({ "start": self.position(text, span.start), "end": self.position(text, span.end) })
    }

    fn units(&self, text: &str) -> usize {
        if self.utf8 { text.len() } else { text.encode_utf16().count() }
    }

    /// Closes the server's stdin.
    pub fn close_input(&mut self) {
        self.output = None;
    }

    /// Shuts the server down and returns its exit code.
    pub fn shut_down(mut self) -> i32 {
        self.request("shutdown", Value::Null).expect("shutdown is answered");
        self.notify("exit", Value::Null);
        self.exit_code()
    }

    /// Waits for the server's end and returns its exit code.
    pub fn exit_code(mut self) -> i32 {
        self.child.take().expect("a process").wait().expect("it ends").code().expect("no signal")
    }
}

/// Reads the next message; `None` at the end.
fn read(input: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if input.read_line(&mut line).expect("a header") == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().expect("a number"),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).expect("a body");
    let message: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(message["jsonrpc"], "2.0");
    Some(message)
}

/// The start of each line: after LF, CRLF or a single CR.
fn line_starts(text: &str) -> Vec<usize> {
    let mut starts = vec![0];
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let is_crlf = c == '\r' && characters.peek().is_some_and(|(_, next)| *next == '\n');
        if matches!(c, '\r' | '\n') && !is_crlf {
            starts.push(at + 1);
        }
    }
    starts
}

/// The URI of a file.
pub fn uri(path: &std::path::Path) -> String {
    format!("file://{}", path.display())
}
