//! The structures of the Language Server Protocol (3.17) that this server uses.
//!
//! They are defined here because the existing crates enable the feature `std` of `serde_json`,
//! which makes each start of the program slower (benches/README.md). The tests parse all messages
//! of the server with types generated from the official metamodel.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A position in a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct Position {
    /// The 0-based line.
    pub line: u32,
    /// The 0-based offset in the line, in units of the negotiated encoding.
    pub character: u32,
}

/// A range of a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Range {
    /// The position of the first character.
    pub start: Position,
    /// The position after the last character.
    pub end: Position,
}

/// A replacement of a range.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TextEdit {
    /// The range that is replaced.
    pub range: Range,
    /// The new text.
    pub new_text: String,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// The range it refers to.
    pub range: Range,
    /// 1 error, 2 warning, 3 information.
    pub severity: u8,
    /// The rule's ID; `None` if no rule reported it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// A link to the rule's page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_description: Option<CodeDescription>,
    /// The program that reports it.
    pub source: &'static str,
    /// The message.
    pub message: String,
    /// Related locations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related_information: Vec<RelatedInformation>,
}

/// A link to a rule's page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CodeDescription {
    /// A URL.
    pub href: String,
}

/// A location that is related to a finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RelatedInformation {
    /// The location.
    pub location: Location,
    /// The description of the location.
    pub message: String,
}

/// A range of a document, with the document's URI.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Location {
    /// The document's URI.
    pub uri: String,
    /// The range.
    pub range: Range,
}

/// An action that the user can choose.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeAction {
    /// The title in the editor's menu.
    pub title: String,
    /// The kind of action, such as `quickfix`.
    pub kind: &'static str,
    /// The findings that it resolves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Diagnostic>,
    /// Whether the editor can offer it as the default fix.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_preferred: bool,
    /// The edit (`WorkspaceEdit`) that it applies.
    pub edit: Value,
}

/// A completion.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CompletionItem {
    /// The text in the list.
    pub label: String,
    /// The kind: 12 is a value, 10 a property.
    pub kind: u8,
    /// A description.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The key for sorting, which keeps the server's order.
    pub sort_text: String,
    /// The edit that it applies.
    pub text_edit: TextEdit,
}

/// The identifier of a document.
#[derive(Clone, Debug, Deserialize)]
pub struct TextDocumentIdentifier {
    /// The document's URI.
    pub uri: String,
}

/// The parameters of `textDocument/didOpen`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DidOpenParams {
    /// The document with its text.
    pub text_document: TextDocumentItem,
}

/// A document with its text.
#[derive(Clone, Debug, Deserialize)]
pub struct TextDocumentItem {
    /// The document's URI.
    pub uri: String,
    /// The version number, which grows with each change.
    pub version: i64,
    /// The whole text.
    pub text: String,
}

/// The parameters of `textDocument/didChange`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DidChangeParams {
    /// The document.
    pub text_document: VersionedTextDocumentIdentifier,
    /// The changes, applied one after the other.
    pub content_changes: Vec<TextDocumentContentChange>,
}

/// The identifier of a document at a certain version.
#[derive(Clone, Debug, Deserialize)]
pub struct VersionedTextDocumentIdentifier {
    /// The document's URI.
    pub uri: String,
    /// The version after the changes.
    pub version: i64,
}

/// A change of a text.
#[derive(Clone, Debug, Deserialize)]
pub struct TextDocumentContentChange {
    /// The range that is replaced; `None` for the whole text.
    #[serde(default)]
    pub range: Option<Range>,
    /// The new text.
    pub text: String,
}

/// The parameters of requests for a whole document, such as `textDocument/diagnostic`, and of
/// `textDocument/didClose`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentParams {
    /// The document.
    pub text_document: TextDocumentIdentifier,
}

/// The parameters of requests for a position, such as `textDocument/hover` and
/// `textDocument/completion`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PositionParams {
    /// The document.
    pub text_document: TextDocumentIdentifier,
    /// The position.
    pub position: Position,
}

/// The parameters of `textDocument/codeAction`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeActionParams {
    /// The document.
    pub text_document: TextDocumentIdentifier,
    /// The cursor or selection.
    pub range: Range,
    /// The restrictions on the actions.
    pub context: CodeActionContext,
}

/// The restrictions of `textDocument/codeAction`.
#[derive(Clone, Debug, Deserialize)]
pub struct CodeActionContext {
    /// The kinds of actions to return; `None` for all.
    #[serde(default)]
    pub only: Option<Vec<String>>,
}

/// The parameters of `workspace/executeCommand`.
#[derive(Clone, Debug, Deserialize)]
pub struct ExecuteCommandParams {
    /// The name of the command.
    pub command: String,
    /// The arguments of the command.
    #[serde(default)]
    pub arguments: Vec<Value>,
}
