//! The state of a session, and the dispatch of messages. It does no I/O, so that tests can drive it
//! directly.
//!
//! The rest of `impl Server` is in `handlers` (requests), `notifications` and `settings`.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use gen_lsp_types as lsp;
use gen_lsp_types::{LspRequestMethod, MessageType};
use lsp_server::{Message, RequestId, Response};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::capabilities::{ClientCapabilities, server_capabilities};
use super::configuration::{Configure, section};
use super::diagnostics::{self, DiagnosticOptions};
use super::document::{Analysis, Document};
use super::error::RequestError;
use super::panics::catch_panic;
use super::positions::Lines;
use crate::settings::config::{ConfigWatcher, EffectiveConfig};
use crate::version::Version;

/// The end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// The client sent `shutdown` and `exit`.
    Orderly,
    /// The client disconnected, or exited without `shutdown`.
    Abrupt,
}

/// The phase of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Before `initialize`.
    New,
    Running,
    ShutDown,
    Ended(SessionEnd),
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
    pub(super) phase: Phase,
    pub(super) capabilities: ClientCapabilities,
    pub(super) documents: BTreeMap<String, Document>,
    outgoing: Vec<Message>,
    /// The id of the server's last request.
    last_request_id: i32,
    /// The id of the pending request for settings.
    pub(super) settings_request: Option<RequestId>,
}

impl<'c> Server<'c> {
    /// Creates a session that waits for `initialize`.
    ///
    /// # Errors
    /// Returns an error if the configuration is invalid even without the editor's settings.
    pub fn new(configure: &'c Configure<'c>) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Server {
            config_watcher: configure(&Map::new()).map_err(|error| error.to_string())?,
            configure,
            config_error_uris: Vec::new(),
            warned_versions: Vec::new(),
            initial_settings: Map::new(),
            phase: Phase::New,
            capabilities: ClientCapabilities::from_json(&Value::Null),
            documents: BTreeMap::new(),
            outgoing: Vec::new(),
            last_request_id: 0,
            settings_request: None,
        })
    }

    /// Returns how the session ended; `None` while it is running.
    pub fn session_end(&self) -> Option<SessionEnd> {
        match self.phase {
            Phase::Ended(end) => Some(end),
            _ => None,
        }
    }

    /// Returns the messages to send, in order.
    pub fn take_outgoing(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.outgoing)
    }

    /// Handles a message; the response to a request is added to the outgoing messages.
    pub fn handle(&mut self, message: Message) {
        match message {
            Message::Request(request) => {
                let was_new = self.phase == Phase::New;
                let answer = self.handle_request(&request.method, request.params);
                self.respond(request.id, answer);
                if was_new && self.phase == Phase::Running {
                    self.configure_first();
                }
            }
            Message::Notification(notification) => {
                self.handle_notification(&notification.method, notification.params);
            }
            Message::Response(response) => {
                let result = response.response_result.unwrap_or_default();
                self.handle_response(&response.id, &result);
            }
        }
    }

    /// Responds that a request was cancelled.
    pub fn cancel(&mut self, id: RequestId) {
        self.respond(id, Err(RequestError::Cancelled));
    }

    fn respond(&mut self, id: RequestId, answer: Result<Value, RequestError>) {
        let response = match answer {
            Ok(result) => Response::new_ok(id, result),
            Err(error) => Response::new_err(id, error.code() as i32, error.to_string()),
        };
        self.outgoing.push(response.into());
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
            let version = Some(document.version);
            self.publish_diagnostics(&uri, version, diagnostics);
        }
    }

    fn handle_request(&mut self, method: &str, params: Value) -> Result<Value, RequestError> {
        let known_method = LspRequestMethod::from(method);
        match (self.phase, known_method) {
            (Phase::New, LspRequestMethod::Initialize) => return Ok(self.initialize(&params)),
            (Phase::New, _) => return Err(RequestError::NotInitialized),
            (Phase::Running, LspRequestMethod::Initialize) => {
                return Err(RequestError::AlreadyInitialized);
            }
            (Phase::Running, _) => {}
            (Phase::ShutDown | Phase::Ended(_), _) => return Err(RequestError::ShutDown),
        }
        self.refresh();
        match known_method {
            LspRequestMethod::Shutdown => {
                self.phase = Phase::ShutDown;
                Ok(Value::Null)
            }
            LspRequestMethod::TextDocumentDiagnostic => {
                self.answer::<lsp::DocumentDiagnosticRequest>(params, Server::document_diagnostics)
            }
            LspRequestMethod::TextDocumentCodeAction => {
                self.answer::<lsp::CodeActionRequest>(params, Server::code_actions)
            }
            LspRequestMethod::TextDocumentHover => {
                self.answer::<lsp::HoverRequest>(params, Server::hover)
            }
            LspRequestMethod::TextDocumentCompletion => {
                self.answer::<lsp::CompletionRequest>(params, Server::completion)
            }
            LspRequestMethod::WorkspaceExecuteCommand => {
                self.answer::<lsp::ExecuteCommandRequest>(params, Server::execute)
            }
            _ => Err(RequestError::UnknownMethod(method.to_owned())),
        }
    }

    /// Answers a request; a panic of its handler becomes an error.
    fn answer<R: lsp::Request>(
        &mut self,
        params: Value,
        handler: impl FnOnce(&mut Self, R::Params) -> Result<R::Result, RequestError>,
    ) -> Result<Value, RequestError> {
        let params = parse_params(params)?;
        let result = catch_panic(|| handler(self, params)).map_err(RequestError::Panicked)??;
        Ok(json!(result))
    }

    fn initialize(&mut self, params: &Value) -> Value {
        self.phase = Phase::Running;
        self.capabilities = ClientCapabilities::from_json(&params["capabilities"]);
        self.initial_settings =
            section(&params["initializationOptions"]).cloned().unwrap_or_default();
        let capabilities = server_capabilities(self.capabilities.encoding);
        let server_info = Some(lsp::ServerInfo {
            name: "gvtg-xml".to_owned(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        });
        json!(lsp::InitializeResult { capabilities, server_info })
    }

    /// Sends a request and returns its id.
    pub(super) fn request<R: lsp::Request>(&mut self, params: R::Params) -> RequestId {
        self.last_request_id += 1;
        let id = RequestId::from(self.last_request_id);
        let method = R::METHOD.as_str().to_owned();
        self.outgoing.push(lsp_server::Request::new(id.clone(), method, params).into());
        id
    }

    fn notify<N: lsp::Notification>(&mut self, params: N::Params) {
        let method = N::METHOD.as_str().to_owned();
        self.outgoing.push(lsp_server::Notification::new(method, params).into());
    }

    /// Shows the user a message.
    pub(super) fn show_message(&mut self, kind: MessageType, message: impl Into<String>) {
        let message = message.into();
        self.notify::<lsp::ShowMessageNotification>(lsp::ShowMessageParams { kind, message });
    }

    /// Replaces the diagnostics that the client shows for a document.
    pub(super) fn publish_diagnostics(
        &mut self,
        uri: &str,
        version: Option<i32>,
        diagnostics: Vec<lsp::Diagnostic>,
    ) {
        let uri = uri.into();
        self.notify::<lsp::PublishDiagnosticsNotification>(lsp::PublishDiagnosticsParams {
            uri,
            version,
            diagnostics,
        });
    }

    pub(super) fn document(&self, uri: &str) -> Result<&Document, RequestError> {
        self.documents.get(uri).ok_or_else(|| RequestError::NotOpen(uri.to_owned()))
    }

    /// Returns the analysis of an open document.
    pub(super) fn analysis(&mut self, uri: &str) -> Result<Arc<Analysis>, RequestError> {
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

    pub(super) fn diagnostic_options<'s>(
        &'s self,
        uri: &'s str,
        effective_config: &'s EffectiveConfig,
    ) -> DiagnosticOptions<'s> {
        let rule_pages =
            effective_config.rule_pages.as_deref().filter(|_| self.capabilities.has_links);
        DiagnosticOptions { uri, has_related: self.capabilities.has_related, rule_pages }
    }

    /// Builds the diagnostics of an open document.
    pub(super) fn diagnostics(&mut self, uri: &str) -> Vec<lsp::Diagnostic> {
        let Some(document) = self.documents.get(uri) else { return Vec::new() };
        let text = document.text.clone();
        let is_new_analysis = document.needs_analysis();
        let Ok(analysis) = self.analysis(uri) else { return Vec::new() };
        // The client may request the diagnostics of one version of a document several times.
        if let Analysis::Failed(panic) = &*analysis
            && is_new_analysis
        {
            self.show_message(MessageType::Error, panic.to_string());
        }
        let effective_config = self.effective_config(uri);
        let lines = Lines::new(&text, self.capabilities.encoding);
        let options = self.diagnostic_options(uri, &effective_config);
        diagnostics::for_analysis(&analysis, &lines, &text, options)
    }
}

/// Parses the parameters of a request or notification.
pub(super) fn parse_params<T: DeserializeOwned>(params: Value) -> Result<T, RequestError> {
    serde_json::from_value(params).map_err(RequestError::InvalidParams)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::config::{Origin, PartialConfig};

    #[test]
    fn a_panic_is_answered_and_the_session_continues() {
        let configure = |_: &Map<String, Value>| {
            ConfigWatcher::new(Origin::Nowhere, PartialConfig::default()).map_err(Into::into)
        };
        let mut server = Server::new(&configure).unwrap();
        server.handle_request("initialize", json!({ "capabilities": {} })).unwrap();
        let item = json!({ "uri": "file:///a.xml", "languageId": "xml", "version": 1,
            "text": "<domain><devices><hostdev type='mdev' model='vfio-pci'/></devices></domain>" });
        server.handle_notification("textDocument/didOpen", json!({ "textDocument": item }));

        let params = json!({ "textDocument": { "uri": "file:///a.xml" }, "position": { "line": 0, "character": 20 } });
        let error = server
            .answer::<lsp::HoverRequest>(params.clone(), |server, _| {
                server.analysis("file:///a.xml")?;
                panic!("on purpose")
            })
            .unwrap_err();
        assert_eq!(error.code() as i32, -32603);
        assert!(error.to_string().contains("on purpose"), "{error}");

        let hover = server.handle_request("textDocument/hover", params).unwrap();
        assert!(hover["contents"]["value"].is_string(), "{hover}");
    }
}
