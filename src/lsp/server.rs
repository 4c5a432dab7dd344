//! The server: what it answers, and what it tells unasked. A state machine, so that tests can hold
//! it in their hands.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::actions::{FIX_ALL, FIX_DOMAIN, QUICK_FIX};
use super::capabilities::ClientCapabilities;
use super::configuration::{Configure, section};
use super::diagnostics::{self, Style};
use super::document::{Analysis, Document};
use super::jsonrpc::{Message, ResponseError, code};
use super::protocol::{DidChange, DidOpen, OfDocument};
use super::text::{Lines, apply};
use crate::config::{ConfigWatcher, EffectiveConfig};
use crate::version::Version;

/// The command that makes a document's domain one with a vGPU, as if the file had been named on the
/// command line.
pub const FIX_COMMAND: &str = "gvtg-xml.fix";

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The client said goodbye.
    Orderly,
    /// It left without a word, or said what can't be understood.
    Abruptly,
}

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    Running,
    ShutDown,
    Ended(Ended),
}

/// One session.
pub struct Server<'c> {
    pub(super) configure: &'c Configure<'c>,
    pub(super) live: ConfigWatcher,
    /// The configurations in which something is wrong that is shown, by their names.
    pub(super) marked: Vec<String>,
    /// The releases of libvirt for which the user was warned of the form.
    pub(super) warned_of: Vec<Version>,
    /// The settings that came with `initialize`; later ones stand over them.
    pub(super) first_settings: Map<String, Value>,
    phase: Phase,
    pub(super) abilities: ClientCapabilities,
    pub(super) documents: BTreeMap<String, Document>,
    pub(super) outgoing: Vec<Message>,
    /// The number of the server's own last request.
    requests: u64,
    /// The request for the settings that isn't answered yet.
    pub(super) asked_settings: Option<Value>,
}

/// What a request is answered with.
pub(super) type Answer = Result<Value, ResponseError>;

impl<'c> Server<'c> {
    /// A session that waits for `initialize`.
    ///
    /// # Errors
    /// A configuration that isn't one without the editor's part.
    pub fn new(configure: &'c Configure<'c>) -> Result<Self, String> {
        Ok(Server {
            live: configure(&Map::new())?,
            configure,
            marked: Vec::new(),
            warned_of: Vec::new(),
            first_settings: Map::new(),
            phase: Phase::New,
            abilities: ClientCapabilities::of(&Value::Null),
            documents: BTreeMap::new(),
            outgoing: Vec::new(),
            requests: 0,
            asked_settings: None,
        })
    }

    /// How the session ended; None while it goes on.
    pub fn ended(&self) -> Option<Ended> {
        match self.phase {
            Phase::Ended(how) => Some(how),
            _ => None,
        }
    }

    /// What is to be sent, in order.
    pub fn take(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.outgoing)
    }

    /// Takes in a message, and answers it if it is a request.
    pub fn handle(&mut self, message: Message) {
        let Message { id, method, params, result, .. } = message;
        match (id, method) {
            (Some(id), Some(method)) => {
                let answer = self.answer(&method, params);
                self.outgoing.push(Message::response(id, answer));
                if method == "initialize" && self.phase == Phase::Running {
                    self.configure_first();
                }
            }
            (None, Some(method)) => self.hear(&method, params),
            (Some(id), None) => self.handle_response(&id, result.unwrap_or(Value::Null)),
            (None, None) => {}
        }
    }

    /// Refuses a request whose answer nobody waits for.
    pub fn cancel(&mut self, id: Value) {
        self.outgoing
            .push(Message::response(id, Err(ResponseError::new(code::CANCELLED, "cancelled"))));
    }

    /// Refuses what is no message.
    pub fn refuse(&mut self, error: ResponseError) {
        self.outgoing.push(Message::response(Value::Null, Err(error)));
    }

    /// Tells the findings of what has changed, where the client doesn't ask for them. For when
    /// nothing more waits to be taken in: of many changes in a row only the last text is looked at.
    pub fn publish(&mut self) {
        if self.phase != Phase::Running {
            return;
        }
        self.refresh();
        if self.abilities.pulls {
            return;
        }
        let changed: Vec<String> = self
            .documents
            .values()
            .filter(|document| document.is_new())
            .map(|document| document.uri.clone())
            .collect();
        for uri in changed {
            let diagnostics = self.diagnostics(&uri);
            let Some(document) = self.documents.get(&uri) else { continue };
            let params =
                json!({ "uri": uri, "version": document.version, "diagnostics": diagnostics });
            self.outgoing.push(Message::notification("textDocument/publishDiagnostics", params));
        }
    }

    fn answer(&mut self, method: &str, params: Value) -> Answer {
        match (self.phase, method) {
            (Phase::New, "initialize") => return Ok(self.initialize(&params)),
            (Phase::New, _) => {
                return Err(ResponseError::new(
                    code::NOT_INITIALIZED,
                    "the server is not initialized yet",
                ));
            }
            (Phase::Running, "initialize") => {
                return Err(ResponseError::new(
                    code::INVALID_REQUEST,
                    "the server is already initialized",
                ));
            }
            (Phase::Running, _) => {}
            _ => {
                return Err(ResponseError::new(
                    code::INVALID_REQUEST,
                    "the server has been shut down",
                ));
            }
        }
        self.refresh();
        match method {
            "shutdown" => {
                self.phase = Phase::ShutDown;
                Ok(Value::Null)
            }
            "textDocument/diagnostic" => {
                let asked: OfDocument = read(params)?;
                self.document(&asked.text_document.uri)?;
                Ok(json!({ "kind": "full", "items": self.diagnostics(&asked.text_document.uri) }))
            }
            "textDocument/codeAction" => self.code_actions(read(params)?),
            "textDocument/hover" => self.hover(&read(params)?),
            "textDocument/completion" => self.completion(&read(params)?),
            "workspace/executeCommand" => self.execute(&read(params)?),
            _ => {
                Err(ResponseError::new(code::METHOD_NOT_FOUND, format!("unknown method {method}")))
            }
        }
    }

    fn hear(&mut self, method: &str, params: Value) {
        if method == "exit" {
            self.phase = Phase::Ended(if self.phase == Phase::ShutDown {
                Ended::Orderly
            } else {
                Ended::Abruptly
            });
        }
        if self.phase != Phase::Running {
            return;
        }
        // What can't be read is no notification of the protocol, and nobody waits for an answer.
        match method {
            "textDocument/didOpen" => {
                if let Ok(DidOpen { text_document: item }) = read(params) {
                    self.documents
                        .insert(item.uri.clone(), Document::new(item.uri, item.version, item.text));
                }
            }
            "textDocument/didChange" => {
                let Ok(DidChange { text_document, content_changes }) = read(params) else { return };
                let Some(document) = self.documents.get_mut(&text_document.uri) else { return };
                document.version = text_document.version;
                for change in content_changes {
                    apply(document.text_mut(), change, self.abilities.client.encoding);
                }
            }
            "textDocument/didClose" => {
                let Ok(OfDocument { text_document }) = read(params) else { return };
                if self.documents.remove(&text_document.uri).is_some() && !self.abilities.pulls {
                    let params = json!({ "uri": text_document.uri, "diagnostics": [] });
                    self.outgoing
                        .push(Message::notification("textDocument/publishDiagnostics", params));
                }
            }
            "initialized" if self.abilities.has_watchers => {
                // Rules of a site are files of TOML too. What has changed is looked at whenever
                // something comes, and this is something.
                let watchers = json!({ "watchers": [{ "globPattern": "**/*.toml" }] });
                let method = "workspace/didChangeWatchedFiles";
                let registration =
                    json!({ "id": "gvtg-xml.toml", "method": method, "registerOptions": watchers });
                self.ask("client/registerCapability", json!({ "registrations": [registration] }));
            }
            "workspace/didChangeConfiguration" => match section(&params["settings"]) {
                Some(settings) => self.change_settings(settings),
                None if self.abilities.has_settings => self.ask_settings(),
                None => {}
            },
            _ => {}
        }
    }

    fn initialize(&mut self, params: &Value) -> Value {
        self.phase = Phase::Running;
        self.abilities = ClientCapabilities::of(&params["capabilities"]);
        self.first_settings =
            section(&params["initializationOptions"]).cloned().unwrap_or_default();
        json!({
            "serverInfo": { "name": "gvtg-xml", "version": env!("CARGO_PKG_VERSION") },
            "capabilities": {
                "positionEncoding": self.abilities.client.encoding.name(),
                "textDocumentSync": { "openClose": true, "change": 2 },
                "diagnosticProvider": { "identifier": "gvtg-xml", "interFileDependencies": false, "workspaceDiagnostics": false },
                "codeActionProvider": { "codeActionKinds": [QUICK_FIX, FIX_ALL, FIX_DOMAIN] },
                "hoverProvider": true,
                "completionProvider": { "triggerCharacters": ["'", "\"", "[", ","] },
                "executeCommandProvider": { "commands": [FIX_COMMAND] },
            },
        })
    }

    /// Sends a request; its id.
    pub(super) fn ask(&mut self, method: &str, params: Value) -> Value {
        self.requests += 1;
        let message = Message::request(self.requests, method, params);
        let id = message.id.clone().unwrap_or_default();
        self.outgoing.push(message);
        id
    }

    /// Shows the user a message: 1 is an error, 2 a warning, 3 is good to know.
    pub(super) fn show(&mut self, kind: u8, message: &str) {
        self.outgoing.push(Message::notification(
            "window/showMessage",
            json!({ "type": kind, "message": message }),
        ));
    }

    pub(super) fn document(&self, uri: &str) -> Result<&Document, ResponseError> {
        self.documents
            .get(uri)
            .ok_or_else(|| ResponseError::new(code::INVALID_PARAMS, format!("{uri} is not open")))
    }

    /// What there is in an open document.
    pub(super) fn view(&mut self, uri: &str) -> Result<Arc<Analysis>, ResponseError> {
        self.document(uri)?;
        let in_force = self.in_force(uri);
        let view = self
            .documents
            .get_mut(uri)
            .map_or(Arc::new(Analysis::Foreign), |document| document.view(&in_force));
        if matches!(&*view, Analysis::Domain(_)) {
            self.warn_of_form(&in_force);
        }
        Ok(view)
    }

    pub(super) fn style<'s>(&'s self, uri: &'s str, in_force: &'s EffectiveConfig) -> Style<'s> {
        let rule_pages = in_force.rule_pages.as_deref().filter(|_| self.abilities.has_links);
        Style { uri, has_related: self.abilities.has_related, rule_pages }
    }

    /// The findings of an open document, as the client takes them.
    fn diagnostics(&mut self, uri: &str) -> Value {
        let in_force = self.in_force(uri);
        let Some(document) = self.documents.get_mut(uri) else { return json!([]) };
        let was_new = document.is_new();
        let view = document.view(&in_force);
        let text = document.text.clone();
        if let Analysis::Failed(fault) = &*view
            && was_new
        {
            self.show(1, &blame(fault));
        }
        if matches!(&*view, Analysis::Domain(_)) {
            self.warn_of_form(&in_force);
        }
        let lines = Lines::new(&text, self.abilities.client.encoding);
        json!(diagnostics::all(&view, &lines, &text, self.style(uri, &in_force)))
    }
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, ResponseError> {
    serde_json::from_value(params)
        .map_err(|error| ResponseError::new(code::INVALID_PARAMS, error.to_string()))
}

pub(super) fn internal(fault: String) -> ResponseError {
    ResponseError::new(code::INTERNAL_ERROR, blame(&fault))
}

pub(super) fn blame(fault: &str) -> String {
    format!(
        "gvtg-xml crashed while checking this document. This is a bug: please report it, together with the document ({fault})"
    )
}
