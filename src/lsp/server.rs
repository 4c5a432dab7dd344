//! The state of a session: answers requests and sends notifications. It does no I/O, so that tests
//! can drive it directly.

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
use super::protocol::{DidChangeParams, DidOpenParams, DocumentParams};
use super::text::{Lines, apply};
use crate::settings::config::{ConfigWatcher, EffectiveConfig};
use crate::version::Version;

/// The command that fixes a document as if the user had named the file on the command line; it can
/// add a vGPU.
pub const FIX_COMMAND: &str = "gvtg-xml.fix";

/// The end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The client sent `shutdown` and `exit`.
    Orderly,
    /// The client disconnected, or exited without `shutdown`.
    Abruptly,
}

/// The phase of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    Running,
    ShutDown,
    Ended(Ended),
}

/// A session.
pub struct Server<'c> {
    pub(super) configure: &'c Configure<'c>,
    pub(super) config_watcher: ConfigWatcher,
    /// The URIs of configurations for which errors are shown.
    pub(super) config_error_uris: Vec<String>,
    /// The libvirt releases for which the user was warned that fixes use a form that the installed
    /// libvirt does not read.
    pub(super) warned_versions: Vec<Version>,
    /// The settings from `initialize`; later ones take precedence.
    pub(super) initial_settings: Map<String, Value>,
    phase: Phase,
    pub(super) capabilities: ClientCapabilities,
    pub(super) documents: BTreeMap<String, Document>,
    pub(super) outgoing: Vec<Message>,
    /// The id of the server's last request.
    last_request_id: u64,
    /// The id of the pending request for settings.
    pub(super) settings_request: Option<Value>,
}

/// The result of handling a request.
pub(super) type Answer = Result<Value, ResponseError>;

impl<'c> Server<'c> {
    /// Creates a session that waits for `initialize`.
    ///
    /// # Errors
    /// Returns an error if the configuration is invalid even without the editor's settings.
    pub fn new(configure: &'c Configure<'c>) -> Result<Self, String> {
        Ok(Server {
            config_watcher: configure(&Map::new()).map_err(|error| error.to_string())?,
            configure,
            config_error_uris: Vec::new(),
            warned_versions: Vec::new(),
            initial_settings: Map::new(),
            phase: Phase::New,
            capabilities: ClientCapabilities::of(&Value::Null),
            documents: BTreeMap::new(),
            outgoing: Vec::new(),
            last_request_id: 0,
            settings_request: None,
        })
    }

    /// The end of the session; `None` while it is running.
    pub fn ended(&self) -> Option<Ended> {
        match self.phase {
            Phase::Ended(ended) => Some(ended),
            _ => None,
        }
    }

    /// Returns the messages to send, in order.
    pub fn take_outgoing(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.outgoing)
    }

    /// Handles a message; the response to a request is added to the outgoing messages.
    pub fn handle(&mut self, message: Message) {
        let Message { id, method, params, result, .. } = message;
        match (id, method) {
            (Some(id), Some(method)) => {
                let answer = self.handle_request(&method, params);
                self.outgoing.push(Message::response(id, answer));
                if method == "initialize" && self.phase == Phase::Running {
                    self.configure_first();
                }
            }
            (None, Some(method)) => self.handle_notification(&method, params),
            (Some(id), None) => self.handle_response(&id, result.unwrap_or(Value::Null)),
            (None, None) => {}
        }
    }

    /// Responds that a request was cancelled.
    pub fn cancel(&mut self, id: Value) {
        self.outgoing
            .push(Message::response(id, Err(ResponseError::new(code::CANCELLED, "cancelled"))));
    }

    /// Responds to input that is not a valid message.
    pub fn refuse(&mut self, error: ResponseError) {
        self.outgoing.push(Message::response(Value::Null, Err(error)));
    }

    /// Publishes the diagnostics of changed documents, unless the client requests them itself. Call
    /// it when no message is waiting, so that only the last of several changes is checked.
    pub fn publish(&mut self) {
        if self.phase != Phase::Running {
            return;
        }
        self.refresh();
        if self.capabilities.pulls_diagnostics {
            return;
        }
        let changed: Vec<String> = self
            .documents
            .values()
            .filter(|document| document.needs_analysis())
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

    fn handle_request(&mut self, method: &str, params: Value) -> Answer {
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
                let params: DocumentParams = parse_params(params)?;
                self.document(&params.text_document.uri)?;
                Ok(json!({ "kind": "full", "items": self.diagnostics(&params.text_document.uri) }))
            }
            "textDocument/codeAction" => self.code_actions(parse_params(params)?),
            "textDocument/hover" => self.hover(&parse_params(params)?),
            "textDocument/completion" => self.completion(&parse_params(params)?),
            "workspace/executeCommand" => self.execute(&parse_params(params)?),
            _ => {
                Err(ResponseError::new(code::METHOD_NOT_FOUND, format!("unknown method {method}")))
            }
        }
    }

    fn handle_notification(&mut self, method: &str, params: Value) {
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
        // A notification has no response, so invalid ones are ignored.
        match method {
            "textDocument/didOpen" => {
                if let Ok(DidOpenParams { text_document: item }) = parse_params(params) {
                    self.documents
                        .insert(item.uri.clone(), Document::new(item.uri, item.version, item.text));
                }
            }
            "textDocument/didChange" => {
                let Ok(DidChangeParams { text_document, content_changes }) = parse_params(params)
                else {
                    return;
                };
                let Some(document) = self.documents.get_mut(&text_document.uri) else { return };
                document.version = text_document.version;
                for change in content_changes {
                    apply(document.text_mut(), change, self.capabilities.client.encoding);
                }
            }
            "textDocument/didClose" => {
                let Ok(DocumentParams { text_document }) = parse_params(params) else { return };
                if self.documents.remove(&text_document.uri).is_some()
                    && !self.capabilities.pulls_diagnostics
                {
                    let params = json!({ "uri": text_document.uri, "diagnostics": [] });
                    self.outgoing
                        .push(Message::notification("textDocument/publishDiagnostics", params));
                }
            }
            "initialized" if self.capabilities.has_watchers => {
                // Custom rules are TOML files too. The notification itself is not handled: every
                // message makes the server check for changed files.
                let watchers = json!({ "watchers": [{ "globPattern": "**/*.toml" }] });
                let method = "workspace/didChangeWatchedFiles";
                let registration =
                    json!({ "id": "gvtg-xml.toml", "method": method, "registerOptions": watchers });
                self.send_request(
                    "client/registerCapability",
                    json!({ "registrations": [registration] }),
                );
            }
            "workspace/didChangeConfiguration" => match section(&params["settings"]) {
                Some(settings) => self.change_settings(settings),
                None if self.capabilities.has_settings => self.request_settings(),
                None => {}
            },
            _ => {}
        }
    }

    fn initialize(&mut self, params: &Value) -> Value {
        self.phase = Phase::Running;
        self.capabilities = ClientCapabilities::of(&params["capabilities"]);
        self.initial_settings =
            section(&params["initializationOptions"]).cloned().unwrap_or_default();
        json!({
            "serverInfo": { "name": "gvtg-xml", "version": env!("CARGO_PKG_VERSION") },
            "capabilities": {
                "positionEncoding": self.capabilities.client.encoding.name(),
                "textDocumentSync": { "openClose": true, "change": 2 },
                "diagnosticProvider": { "identifier": "gvtg-xml", "interFileDependencies": false, "workspaceDiagnostics": false },
                "codeActionProvider": { "codeActionKinds": [QUICK_FIX, FIX_ALL, FIX_DOMAIN] },
                "hoverProvider": true,
                "completionProvider": { "triggerCharacters": ["'", "\"", "[", ","] },
                "executeCommandProvider": { "commands": [FIX_COMMAND] },
            },
        })
    }

    /// Sends a request and returns its id.
    pub(super) fn send_request(&mut self, method: &str, params: Value) -> Value {
        self.last_request_id += 1;
        let message = Message::request(self.last_request_id, method, params);
        let id = message.id.clone().unwrap_or_default();
        self.outgoing.push(message);
        id
    }

    /// Shows the user a message; `kind` is 1 for an error, 2 for a warning and 3 for information.
    pub(super) fn show_message(&mut self, kind: u8, message: &str) {
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

    /// Returns the analysis of an open document.
    pub(super) fn analysis(&mut self, uri: &str) -> Result<Arc<Analysis>, ResponseError> {
        self.document(uri)?;
        let effective_config = self.effective_config(uri);
        let analysis = self
            .documents
            .get_mut(uri)
            .map_or(Arc::new(Analysis::Foreign), |document| document.analysis(&effective_config));
        if matches!(&*analysis, Analysis::Domain(_)) {
            self.warn_of_form(&effective_config);
        }
        Ok(analysis)
    }

    pub(super) fn style<'s>(
        &'s self,
        uri: &'s str,
        effective_config: &'s EffectiveConfig,
    ) -> Style<'s> {
        let rule_pages =
            effective_config.rule_pages.as_deref().filter(|_| self.capabilities.has_links);
        Style { uri, has_related: self.capabilities.has_related, rule_pages }
    }

    /// Builds the diagnostics of an open document.
    fn diagnostics(&mut self, uri: &str) -> Value {
        let effective_config = self.effective_config(uri);
        let Some(document) = self.documents.get_mut(uri) else { return json!([]) };
        let is_first_analysis = document.needs_analysis();
        let analysis = document.analysis(&effective_config);
        let text = document.text.clone();
        if let Analysis::Failed(panic) = &*analysis
            && is_first_analysis
        {
            self.show_message(1, &crash_message(panic));
        }
        if matches!(&*analysis, Analysis::Domain(_)) {
            self.warn_of_form(&effective_config);
        }
        let lines = Lines::new(&text, self.capabilities.client.encoding);
        json!(diagnostics::for_analysis(
            &analysis,
            &lines,
            &text,
            self.style(uri, &effective_config)
        ))
    }
}

fn parse_params<T: DeserializeOwned>(params: Value) -> Result<T, ResponseError> {
    serde_json::from_value(params)
        .map_err(|error| ResponseError::new(code::INVALID_PARAMS, error.to_string()))
}

pub(super) fn internal_error(panic: String) -> ResponseError {
    ResponseError::new(code::INTERNAL_ERROR, crash_message(&panic))
}

pub(super) fn crash_message(panic: &str) -> String {
    format!(
        "gvtg-xml crashed while checking this document. This is a bug: please report it, together with the document ({panic})"
    )
}
