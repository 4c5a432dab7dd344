//! Converts edits of a document to the protocol's edits.

use std::collections::HashMap;
use std::ops::Range;

use gen_lsp_types::{
    OptionalVersionedTextDocumentIdentifier, TextDocumentEdit, TextDocumentIdentifier, TextEdit,
    WorkspaceEdit,
};
use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices};

use super::document::Document;
use super::positions::Lines;
use crate::domain::Settings;
use crate::lint::Linter;
use crate::settings::config::EffectiveConfig;
use crate::text::Edits;

/// A byte range of a document and its replacement.
pub type Replacement = (Range<usize>, String);

/// Converts edits to replacements.
pub fn replacements(edits: &Edits) -> Vec<Replacement> {
    edits.iter().map(|edit| (edit.range.clone(), edit.text.clone())).collect()
}

/// Computes the edits that `fix` makes; `None` if it changes nothing. Only the lines that change
/// are replaced, so that the editor keeps marks and folds in all others.
pub fn fix_edits(
    text: &str,
    configuration: &EffectiveConfig,
    settings: &Settings,
) -> Option<Vec<Replacement>> {
    // Unreadable text has no findings, and conflicting rules have no fix.
    let fixed = Linter::new(&configuration.rules.set(), settings).fix(text.to_owned()).ok()?;
    if !fixed.changed {
        return None;
    }
    let old: Vec<&str> = text.split_inclusive('\n').collect();
    let new: Vec<&str> = fixed.text.split_inclusive('\n').collect();
    let old_starts = line_starts(&old);
    let new_starts = line_starts(&new);
    let replacement = |op: DiffOp| {
        let (before, after) = (op.old_range(), op.new_range());
        let text = fixed.text[new_starts[after.start]..new_starts[after.end]].to_owned();
        (old_starts[before.start]..old_starts[before.end], text)
    };
    let changes = capture_diff_slices(Algorithm::Myers, &old, &new);
    let changes = changes.into_iter().filter(|op| op.tag() != DiffTag::Equal);
    Some(changes.map(replacement).collect())
}

/// The byte offset at which each line starts, followed by the end of the last line.
fn line_starts(lines: &[&str]) -> Vec<usize> {
    let ends = lines.iter().scan(0, |end, line| {
        *end += line.len();
        Some(*end)
    });
    std::iter::once(0).chain(ends).collect()
}

/// Builds the edit of a document, for its version if the client understands that.
pub fn workspace_edit(
    document: &Document,
    replacements: &[Replacement],
    lines: &Lines<'_>,
    is_versioned: bool,
) -> WorkspaceEdit {
    let edits = replacements
        .iter()
        .map(|(span, text)| TextEdit { range: lines.range(span.clone()), new_text: text.clone() });
    let uri = document.uri.as_str().into();
    if !is_versioned {
        let changes = HashMap::from([(uri, edits.collect())]);
        return WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() };
    }
    let change = TextDocumentEdit {
        text_document: OptionalVersionedTextDocumentIdentifier {
            version: Some(document.version),
            text_document_identifier: TextDocumentIdentifier { uri },
        },
        edits: edits.map(Into::into).collect(),
    };
    WorkspaceEdit { document_changes: Some(vec![change.into()]), ..WorkspaceEdit::default() }
}
