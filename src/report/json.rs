//! JSON, as one document or as one line per finding. Positions are lines and columns (1-based, in
//! characters) and byte offsets. Of suppressed findings, only the document has the number.

use std::fmt::Write as _;

use serde_json::{Value, json};
use uuid::Uuid;

use super::fingerprint::Fingerprints;
use super::{FileFindings, Part, Report};
use crate::lint::Diagnostic;
use crate::text::Position;
use crate::text::sanitize::is_harmful;

/// All findings as one JSON document.
#[derive(Default)]
pub struct Json {
    has_findings: bool,
    suppressed: usize,
    fingerprints: Fingerprints,
}

/// One JSON document per line and finding, for programs that process findings as they come.
#[derive(Default)]
pub struct JsonLines {
    fingerprints: Fingerprints,
}

impl Report for Json {
    fn begin(&mut self, text: &mut String) {
        text.push_str("{\"version\":1,\"diagnostics\":[");
    }

    fn file(&mut self, file: &FileFindings<'_>, text: &mut String) {
        for (part, diagnostic) in file.each() {
            text.push_str(if self.has_findings { ",\n" } else { "\n" });
            let fingerprint = self.fingerprints.next(file.name, part, diagnostic);
            push_escaped(text, &value(file.name, part, diagnostic, fingerprint).to_string());
            self.has_findings = true;
        }
        self.suppressed += file.suppressed().count();
    }

    fn end(&mut self, text: &mut String) {
        let _ = writeln!(text, "\n],\"suppressed\":{}}}", self.suppressed);
    }
}

impl Report for JsonLines {
    fn file(&mut self, file: &FileFindings<'_>, text: &mut String) {
        for (part, diagnostic) in file.each() {
            let fingerprint = self.fingerprints.next(file.name, part, diagnostic);
            push_escaped(text, &value(file.name, part, diagnostic, fingerprint).to_string());
            text.push('\n');
        }
    }
}

/// Appends JSON with everything escaped that could control a terminal. All such characters are
/// inside strings.
fn push_escaped(text: &mut String, json: &str) {
    let mut rest = json;
    while let Some((at, harmful)) = rest.char_indices().find(|(_, c)| is_harmful(*c)) {
        text.push_str(&rest[..at]);
        text.extend(harmful.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        rest = &rest[at + harmful.len_utf8()..];
    }
    text.push_str(rest);
}

fn value(name: &str, part: &Part<'_>, diagnostic: &Diagnostic<'_>, fingerprint: Uuid) -> Value {
    let source = part.source;
    let position_value = |offset: usize, position: Position| json!({ "line": position.line, "column": position.column, "offset": offset });
    let related: Vec<Value> = diagnostic
        .related
        .iter()
        .map(|related| {
            let file = related.file.as_deref().unwrap_or(name);
            json!({ "file": file, "start": position_value(related.span.start, related.start), "message": related.message })
        })
        .collect();
    let fix = diagnostic.fix.as_ref().map(|fix| {
        let edits = fix.edits.iter().map(|edit| {
            json!({
                "start": position_value(edit.range.start, source.position(edit.range.start)),
                "end": position_value(edit.range.end, source.position(edit.range.end)),
                "text": edit.text,
            })
        });
        json!({ "title": fix.title, "applicability": fix.applicability.name(), "edits": edits.collect::<Vec<_>>() })
    });
    json!({
        "file": name,
        "state": part.state.name(),
        "new": diagnostic.in_inserted_text,
        "rule": diagnostic.rule.id,
        "severity": diagnostic.severity.name(),
        "message": diagnostic.message,
        "help": diagnostic.help,
        "start": position_value(diagnostic.span.start, diagnostic.start),
        "end": position_value(diagnostic.span.end, diagnostic.end),
        "related": related,
        "fingerprint": fingerprint.to_string(),
        "fix": fix,
    })
}
