//! Handlers for notifications: opened, changed and closed documents, and changed settings.

use gen_lsp_types::{
    DidChangeTextDocumentParams, DidChangeWatchedFilesNotification,
    DidChangeWatchedFilesRegistrationOptions, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, FileSystemWatcher, LspNotificationMethod, Notification,
    Registration, RegistrationParams, RegistrationRequest, TextDocumentItem,
};
use serde_json::{Value, json};

use super::configuration::section;
use super::document::Document;
use super::positions::apply;
use super::server::{Phase, Server, SessionEnd, parse_params};

impl Server<'_> {
    /// Handles a notification. It has no response, so an invalid one is ignored.
    pub(super) fn handle_notification(&mut self, method: &str, params: Value) {
        if method == "exit" {
            let is_orderly = self.phase == Phase::ShutDown;
            let end = if is_orderly { SessionEnd::Orderly } else { SessionEnd::Abrupt };
            self.phase = Phase::Ended(end);
        }
        if self.phase != Phase::Running {
            return;
        }
        match LspNotificationMethod::from(method) {
            LspNotificationMethod::TextDocumentDidOpen => {
                let Ok(params) = parse_params(params) else { return };
                self.open(params);
            }
            LspNotificationMethod::TextDocumentDidChange => {
                let Ok(params) = parse_params(params) else { return };
                self.change(params);
            }
            LspNotificationMethod::TextDocumentDidClose => {
                let Ok(params) = parse_params(params) else { return };
                self.close(params);
            }
            LspNotificationMethod::Initialized if self.capabilities.has_watchers => {
                self.watch_configurations();
            }
            LspNotificationMethod::WorkspaceDidChangeConfiguration => {
                match section(&params["settings"]) {
                    Some(settings) => self.change_settings(settings),
                    None if self.capabilities.has_settings => self.request_settings(),
                    None => {}
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, params: DidOpenTextDocumentParams) {
        let TextDocumentItem { uri, version, text, .. } = params.text_document;
        self.documents.insert(uri.0.clone(), Document::new(uri.0, version, text));
    }

    fn change(&mut self, params: DidChangeTextDocumentParams) {
        let id = params.text_document;
        let Some(document) = self.documents.get_mut(&id.text_document_identifier.uri.0) else {
            return;
        };
        document.version = id.version;
        for change in params.content_changes {
            apply(document.text_mut(), change, self.capabilities.encoding);
        }
    }

    fn close(&mut self, params: DidCloseTextDocumentParams) {
        let uri = params.text_document.uri.0;
        if self.documents.remove(&uri).is_some() && !self.capabilities.pulls_diagnostics {
            self.publish_diagnostics(&uri, None, Vec::new());
        }
    }

    /// Asks the client to report changed configurations. Custom rules are TOML files too. The
    /// notification itself is not handled: every message makes the server check for changed files.
    fn watch_configurations(&mut self) {
        let watcher = FileSystemWatcher { glob_pattern: "**/*.toml".to_owned().into(), kind: None };
        let options = DidChangeWatchedFilesRegistrationOptions { watchers: vec![watcher] };
        let registration = Registration {
            id: "gvtg-xml.toml".to_owned(),
            method: DidChangeWatchedFilesNotification::METHOD.as_str().to_owned(),
            register_options: Some(json!(options)),
        };
        self.request::<RegistrationRequest>(RegistrationParams {
            registrations: vec![registration],
        });
    }
}
