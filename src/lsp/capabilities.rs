//! The capabilities of the client and of the server.

use gen_lsp_types::{
    CodeActionOptions, CompletionOptions, DiagnosticClientCapabilities, DiagnosticOptions,
    DiagnosticWorkspaceClientCapabilities, DiagnosticsCapabilities,
    DidChangeWatchedFilesClientCapabilities, ExecuteCommandOptions, GeneralClientCapabilities,
    HoverClientCapabilities, MarkupKind, PositionEncodingKind,
    PublishDiagnosticsClientCapabilities, ServerCapabilities, TextDocumentSyncKind,
    TextDocumentSyncOptions, WorkspaceEditClientCapabilities,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::actions::{FIX_ALL, FIX_DOMAIN, QUICK_FIX};
use super::handlers::FIX_COMMAND;
use super::positions::Encoding;
use crate::rules::docs::Markup;

/// The capabilities of the client.
#[derive(Clone, Debug)]
pub struct ClientCapabilities {
    /// The unit in which it counts characters.
    pub encoding: Encoding,
    /// Whether edits can name the document version that they apply to.
    pub has_versioned_edits: bool,
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
    pub fn from_json(capabilities: &Value) -> Self {
        let general: GeneralClientCapabilities = part(capabilities, "/general").unwrap_or_default();
        let edits: WorkspaceEditClientCapabilities =
            part(capabilities, "/workspace/workspaceEdit").unwrap_or_default();
        let hover: HoverClientCapabilities =
            part(capabilities, "/textDocument/hover").unwrap_or_default();
        let pull: Option<DiagnosticClientCapabilities> =
            part(capabilities, "/textDocument/diagnostic");
        let push: PublishDiagnosticsClientCapabilities =
            part(capabilities, "/textDocument/publishDiagnostics").unwrap_or_default();
        let refresh: DiagnosticWorkspaceClientCapabilities =
            part(capabilities, "/workspace/diagnostics").unwrap_or_default();
        let watchers: DidChangeWatchedFilesClientCapabilities =
            part(capabilities, "/workspace/didChangeWatchedFiles").unwrap_or_default();

        let pulls_diagnostics = pull.is_some();
        let shown =
            [push.diagnostics_capabilities, pull.unwrap_or_default().diagnostics_capabilities];
        let shows = |what: fn(&DiagnosticsCapabilities) -> Option<bool>| {
            shown.iter().any(|capabilities| what(capabilities) == Some(true))
        };
        let offers_utf8 = general
            .position_encodings
            .is_some_and(|encodings| encodings.contains(&PositionEncodingKind::UTF8));
        let offers_markdown =
            hover.content_format.is_some_and(|formats| formats.contains(&MarkupKind::Markdown));
        ClientCapabilities {
            // Every client counts in UTF-16.
            encoding: if offers_utf8 { Encoding::Utf8 } else { Encoding::Utf16 },
            has_versioned_edits: edits.document_changes == Some(true),
            pulls_diagnostics,
            refreshes_diagnostics: pulls_diagnostics && refresh.refresh_support == Some(true),
            has_related: shows(|capabilities| capabilities.related_information),
            has_links: shows(|capabilities| capabilities.code_description_support),
            hover: if offers_markdown { Markup::Markdown } else { Markup::Plain },
            has_settings: part(capabilities, "/workspace/configuration") == Some(true),
            has_watchers: watchers.dynamic_registration == Some(true),
        }
    }
}

/// The capabilities of the server.
pub fn server_capabilities(encoding: Encoding) -> ServerCapabilities {
    let strings = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
    let sync = TextDocumentSyncOptions {
        open_close: Some(true),
        change: Some(TextDocumentSyncKind::Incremental),
        ..TextDocumentSyncOptions::default()
    };
    let diagnostics = DiagnosticOptions {
        identifier: Some("gvtg-xml".to_owned()),
        ..DiagnosticOptions::default()
    };
    let actions = CodeActionOptions {
        code_action_kinds: Some(vec![QUICK_FIX, FIX_ALL, FIX_DOMAIN]),
        ..CodeActionOptions::default()
    };
    let completions = CompletionOptions {
        trigger_characters: Some(strings(&["'", "\"", "[", ","])),
        ..CompletionOptions::default()
    };
    let commands = ExecuteCommandOptions {
        commands: strings(&[FIX_COMMAND]),
        ..ExecuteCommandOptions::default()
    };
    ServerCapabilities {
        position_encoding: Some(encoding.kind()),
        text_document_sync: Some(sync.into()),
        diagnostic_provider: Some(diagnostics.into()),
        code_action_provider: Some(actions.into()),
        hover_provider: Some(true.into()),
        completion_provider: Some(completions),
        execute_command_provider: Some(commands),
        ..ServerCapabilities::default()
    }
}

/// Parses one part of the client's capabilities. A part that is missing or invalid counts as absent: a
/// mistake of the client in one of them must not cost the user all the others.
fn part<T: DeserializeOwned>(capabilities: &Value, pointer: &str) -> Option<T> {
    capabilities.pointer(pointer).and_then(|part| T::deserialize(part).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_client_without_capabilities_gets_the_basics() {
        for capabilities in [Value::Null, json!({}), json!({ "textDocument": [] })] {
            let client = ClientCapabilities::from_json(&capabilities);
            assert_eq!((client.encoding, client.hover), (Encoding::Utf16, Markup::Plain));
            assert!(!client.pulls_diagnostics && !client.has_versioned_edits, "{capabilities}");
        }
    }

    #[test]
    fn an_invalid_part_does_not_cost_the_others() {
        let client = ClientCapabilities::from_json(&json!({
            "general": { "positionEncodings": ["utf-8"] },
            "workspace": { "workspaceEdit": { "documentChanges": 1 }, "configuration": true },
            "textDocument": { "diagnostic": {}, "hover": [], "publishDiagnostics": { "relatedInformation": true } },
        }));
        assert_eq!((client.encoding, client.hover), (Encoding::Utf8, Markup::Plain));
        assert!(client.has_settings && client.pulls_diagnostics && client.has_related);
        assert!(!client.has_versioned_edits && !client.has_links);
    }
}
