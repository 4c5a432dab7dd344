//! The protocol's own structures, as far as this server speaks it (Language Server Protocol 3.17).
//!
//! Written out here because each crate that has them wants `serde_json` with its feature `std`,
//! which makes every start of the program slower (benches/README.md). The tests read all that the
//! server says with types that were made from the official metamodel.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A place: 0-based line, and units of the negotiated encoding in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct Position {
    /// 0-based.
    pub line: u32,
    /// In units of the encoding that was agreed on.
    pub character: u32,
}

/// Between two places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Range {
    /// The first character.
    pub start: Position,
    /// Behind the last.
    pub end: Position,
}

/// A replacement.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TextEdit {
    /// What goes.
    pub range: Range,
    /// What comes.
    pub new_text: String,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// Where.
    pub range: Range,
    /// 1 error, 2 warning, 3 information.
    pub severity: u8,
    /// The rule's id; None for what no rule found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Where the rule's page is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_description: Option<CodeDescription>,
    /// Who says it.
    pub source: &'static str,
    /// What is wrong.
    pub message: String,
    /// Other places that have to do with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related_information: Vec<RelatedInformation>,
}

/// Where a rule's page is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CodeDescription {
    /// A URL.
    pub href: String,
}

/// Another place that has to do with a finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RelatedInformation {
    /// Where.
    pub location: Location,
    /// What it is.
    pub message: String,
}

/// A range in a document.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Location {
    /// The document.
    pub uri: String,
    /// Where in it.
    pub range: Range,
}

/// Something that can be done about findings.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeAction {
    /// What it does.
    pub title: String,
    /// Which kind of action it is.
    pub kind: &'static str,
    /// The findings that it mends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Diagnostic>,
    /// Whether it is the one to take.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_preferred: bool,
    /// What it changes.
    pub edit: Value,
}

/// What can stand at a place.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CompletionItem {
    /// What is shown.
    pub label: String,
    /// 12: a value; 10: a property.
    pub kind: u8,
    /// What it means.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Keeps the order.
    pub sort_text: String,
    /// What it writes.
    pub text_edit: TextEdit,
}

/// The document that a request is about.
#[derive(Clone, Debug, Deserialize)]
pub struct Identifier {
    /// Its name.
    pub uri: String,
}

/// `textDocument/didOpen`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DidOpen {
    /// The document, with its text.
    pub text_document: Item,
}

/// A document with its text.
#[derive(Clone, Debug, Deserialize)]
pub struct Item {
    /// Its name.
    pub uri: String,
    /// Grows with each change.
    pub version: i64,
    /// All of it.
    pub text: String,
}

/// `textDocument/didChange`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DidChange {
    /// The document.
    pub text_document: Versioned,
    /// What changed, one after the other.
    pub content_changes: Vec<Change>,
}

/// A document at a version.
#[derive(Clone, Debug, Deserialize)]
pub struct Versioned {
    /// Its name.
    pub uri: String,
    /// That of the text after the changes.
    pub version: i64,
}

/// A change of a text.
#[derive(Clone, Debug, Deserialize)]
pub struct Change {
    /// What goes; everything where it isn't said.
    #[serde(default)]
    pub range: Option<Range>,
    /// What comes.
    pub text: String,
}

/// A request about a document as a whole, `didClose` and `textDocument/diagnostic` among them.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OfDocument {
    /// The document.
    pub text_document: Identifier,
}

/// A request about a place, `hover` and `completion` among them.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AtPosition {
    /// The document.
    pub text_document: Identifier,
    /// Where.
    pub position: Position,
}

/// `textDocument/codeAction`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForRange {
    /// The document.
    pub text_document: Identifier,
    /// Where the cursor or the selection is.
    pub range: Range,
    /// What is asked for.
    pub context: Context,
}

/// What `textDocument/codeAction` asks for.
#[derive(Clone, Debug, Deserialize)]
pub struct Context {
    /// The kinds of actions; all where it isn't said.
    #[serde(default)]
    pub only: Option<Vec<String>>,
}

/// `workspace/executeCommand`.
#[derive(Clone, Debug, Deserialize)]
pub struct Command {
    /// Its name.
    pub command: String,
    /// What it is about.
    #[serde(default)]
    pub arguments: Vec<Value>,
}
