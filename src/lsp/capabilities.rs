//! Capabilities of the client.

use serde_json::Value;

use super::actions::Client;
use super::text::Encoding;
use crate::rules::docs::Markup;

/// The capabilities of the client.
#[derive(Clone, Copy, Debug)]
pub struct ClientCapabilities {
    /// Its capabilities for edits, and its position encoding.
    pub client: Client,
    /// Whether it requests diagnostics itself (pull model).
    pub pulls_diagnostics: bool,
    /// Whether it can be told to request diagnostics again.
    pub refreshes_diagnostics: bool,
    /// Whether it shows related locations of a finding.
    pub has_related: bool,
    /// Whether it shows links to the rules' pages.
    pub has_links: bool,
    /// The markup for hovers.
    pub hover: Markup,
    /// Whether it can be asked for its settings.
    pub has_settings: bool,
    /// Whether it can be asked to report changed files.
    pub has_watchers: bool,
}

impl ClientCapabilities {
    /// Reads the capabilities from the parameters of `initialize`.
    pub fn of(capabilities: &Value) -> Self {
        let has = |pointer: &str, expected: &str| {
            capabilities
                .pointer(pointer)
                .and_then(Value::as_array)
                .is_some_and(|words| words.iter().any(|word| word == expected))
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
            pulls_diagnostics: is_there("/textDocument/diagnostic"),
            refreshes_diagnostics: can("/workspace/diagnostics/refreshSupport")
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
