//! What the client of a session can do.

use serde_json::Value;

use super::actions::Client;
use super::text::Encoding;
use crate::rules::docs::Markup;

/// What the client can do.
#[derive(Clone, Copy, Debug)]
pub struct ClientCapabilities {
    /// What it can do with edits, and how it counts characters.
    pub client: Client,
    /// It asks for findings itself.
    pub pulls: bool,
    /// It can be told to ask for them again.
    pub refreshes: bool,
    /// It shows other places that have to do with a finding.
    pub has_related: bool,
    /// It shows links to the rules' pages.
    pub has_links: bool,
    /// How it draws hovers.
    pub hover: Markup,
    /// It can be asked for settings.
    pub has_settings: bool,
    /// It can be asked to tell when files change.
    pub has_watchers: bool,
}

impl ClientCapabilities {
    /// Reads them off what `initialize` says of the client.
    pub fn of(capabilities: &Value) -> Self {
        let has = |pointer: &str, wanted: &str| {
            capabilities
                .pointer(pointer)
                .and_then(Value::as_array)
                .is_some_and(|words| words.iter().any(|word| word == wanted))
        };
        let can =
            |pointer: &str| capabilities.pointer(pointer).and_then(Value::as_bool).unwrap_or(false);
        let is_there = |pointer: &str| capabilities.pointer(pointer).is_some_and(Value::is_object);
        let encoding = if has("/general/positionEncodings", "utf-8") {
            Encoding::Utf8
        } else {
            Encoding::Utf16
        };
        ClientCapabilities {
            client: Client {
                has_versions: can("/workspace/workspaceEdit/documentChanges"),
                encoding,
            },
            pulls: is_there("/textDocument/diagnostic"),
            refreshes: can("/workspace/diagnostics/refreshSupport")
                && is_there("/textDocument/diagnostic"),
            has_related: can("/textDocument/publishDiagnostics/relatedInformation")
                || can("/textDocument/diagnostic/relatedInformation"),
            has_links: can("/textDocument/publishDiagnostics/codeDescriptionSupport")
                || can("/textDocument/diagnostic/codeDescriptionSupport"),
            hover: if has("/textDocument/hover/contentFormat", "markdown") {
                Markup::Markdown
            } else {
                Markup::Plain
            },
            has_settings: can("/workspace/configuration"),
            has_watchers: can("/workspace/didChangeWatchedFiles/dynamicRegistration"),
        }
    }
}
