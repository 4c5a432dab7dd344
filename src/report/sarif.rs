//! SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0) for code scanning servers: rules, findings
//! and fixes.

use std::ops::Range;

use serde_json::{Value, json};

use super::fingerprint::Fingerprints;
use super::{FileFindings, Part, Report};
use crate::lint::{Diagnostic, Fix, Related};
use crate::rules::schema::Severity;
use crate::rules::{Rule, RuleRef};
use crate::text::uri::percent_encode;
use crate::text::{Position, Source};

/// A SARIF document with one run.
pub struct Sarif<'r> {
    rules: Vec<RuleRef<'r>>,
    rule_pages: Option<String>,
    has_findings: bool,
    fingerprints: Fingerprints,
}

impl<'r> Sarif<'r> {
    /// Creates a run of these rules. `rule_pages` is the base URL of the rules' pages, to which a
    /// rule's id is appended.
    pub fn new(rules: Vec<RuleRef<'r>>, rule_pages: Option<String>) -> Self {
        Sarif { rules, rule_pages, has_findings: false, fingerprints: Fingerprints::default() }
    }
}

impl Report for Sarif<'_> {
    fn begin(&mut self, text: &mut String) {
        let rules: Vec<Value> =
            self.rules.iter().map(|rule| descriptor(rule, self.rule_pages.as_deref())).collect();
        let driver = json!({ "name": "gvtg-xml", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules });
        text.push_str("{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\n\"tool\":");
        text.push_str(&json!({ "driver": driver }).to_string());
        // Columns count characters, and a lone CR ends a line too.
        text.push_str(",\n\"columnKind\":\"unicodeCodePoints\",\"newlineSequences\":[\"\\r\\n\",\"\\n\",\"\\r\"],\n\"results\":[");
    }

    fn file(&mut self, file: &FileFindings<'_>, text: &mut String) {
        let uri = uri(file.name);
        for (part, diagnostic) in file.open().chain(file.suppressed()) {
            text.push_str(if self.has_findings { ",\n" } else { "\n" });
            text.push_str(&self.result(file.name, &uri, part, diagnostic).to_string());
            self.has_findings = true;
        }
    }

    fn end(&mut self, text: &mut String) {
        text.push_str("\n]}]}\n");
    }
}

impl Sarif<'_> {
    fn result(
        &mut self,
        name: &str,
        uri: &str,
        part: &Part<'_>,
        diagnostic: &Diagnostic<'_>,
    ) -> Value {
        let rule = &diagnostic.rule;
        let physical_location = |uri: &str, region: Value| json!({ "artifactLocation": { "uri": uri }, "region": region });
        let related = |(index, related): (usize, &Related)| {
            let region =
                json!({ "startLine": related.start.line, "startColumn": related.start.column });
            let other = related.file.as_deref().map(self::uri);
            json!({ "id": index, "physicalLocation": physical_location(other.as_deref().unwrap_or(uri), region), "message": { "text": related.message } })
        };
        let help = diagnostic.help.iter().map(|help| format!("\n{help}"));
        let mut result = json!({
            "ruleId": rule.id,
            "level": level(diagnostic.severity),
            "message": { "text": std::iter::once(diagnostic.message.clone()).chain(help).collect::<String>() },
            "locations": [{ "physicalLocation": physical_location(uri, region(diagnostic.start, diagnostic.end)) }],
            "partialFingerprints": { "gvtgXml/v1": self.fingerprints.next(name, part, diagnostic).simple().to_string() },
        });
        let mut add = |name: &str, value: Value| {
            if let Some(object) = result.as_object_mut() {
                object.insert(name.into(), value);
            }
        };
        if let Some(index) = self.rules.iter().position(|known| known.id == rule.id) {
            add("ruleIndex", index.into());
        }
        if let Some(reason) = &diagnostic.reason {
            add("suppressions", json!([{ "kind": "inSource", "justification": reason }]));
        }
        if !diagnostic.related.is_empty() {
            add("relatedLocations", diagnostic.related.iter().enumerate().map(related).collect());
        }
        // SARIF requires a fix to have replacements.
        if let Some(fix) = diagnostic.fix.as_ref().filter(|fix| !fix.edits.is_empty()) {
            add("fixes", json!([fix_of(uri, part.source, fix)]));
        }
        result
    }
}

/// Returns a rule's descriptor.
fn descriptor(rule: &Rule, rule_pages: Option<&str>) -> Value {
    let severity = match rule.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "recommendation",
    };
    let what_to_do = rule.page_help().map(|help| format!("\n\nWhat to do: {help}"));
    let help: String = std::iter::once(rule.why.trim().to_owned()).chain(what_to_do).collect();
    let mut descriptor = json!({
        "id": rule.id,
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": rule.why.trim() },
        "help": { "text": help, "markdown": markdown(&help) },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": { "tags": [rule.group.name()], "problem.severity": severity },
    });
    if let (Some(pages), Some(descriptor)) = (rule_pages, descriptor.as_object_mut()) {
        descriptor.insert("helpUri".into(), format!("{pages}{}", rule.id).into());
    }
    descriptor
}

/// Escapes `<` outside of backticks, where Markdown would read an element as HTML.
fn markdown(text: &str) -> String {
    let outside = |(index, part): (usize, &str)| {
        if index % 2 == 0 { part.replace('<', "\\<") } else { part.to_owned() }
    };
    text.split('`').enumerate().map(outside).collect::<Vec<_>>().join("`")
}

fn fix_of(uri: &str, source: &Source<'_>, fix: &Fix) -> Value {
    let replacement = |(range, text): (&Range<usize>, &String)| {
        let deleted = region(source.position(range.start), source.position(range.end));
        json!({ "deletedRegion": deleted, "insertedContent": { "text": text } })
    };
    let replacements: Vec<Value> =
        fix.edits.iter().map(|edit| (&edit.range, &edit.text)).map(replacement).collect();
    json!({
        "description": { "text": fix.title },
        "artifactChanges": [{ "artifactLocation": { "uri": uri }, "replacements": replacements }],
        "properties": { "applicability": fix.applicability.name() },
    })
}

/// Returns the region from the first character to the position after the last one, which is how
/// SARIF counts too.
fn region(start: Position, end: Position) -> Value {
    json!({ "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// Converts a path to a URI reference.
fn uri(name: &str) -> String {
    let scheme = if name.starts_with('/') { "file://" } else { "" };
    format!("{scheme}{}", percent_encode(name.trim_start_matches("./").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{markdown, uri};

    #[test]
    fn escapes_elements_in_markdown() {
        assert_eq!(
            markdown("write <a/>, not `<b/>`, or <c>"),
            "write \\<a/>, not `<b/>`, or \\<c>"
        );
    }

    #[test]
    fn converts_a_path_to_a_uri() {
        assert_eq!(uri("./vms/win 10.xml"), "vms/win%2010.xml");
        assert_eq!(uri("/a/é%:x.xml"), "file:///a/%C3%A9%25%3Ax.xml");
        assert_eq!(uri("<stdin>"), "%3Cstdin%3E");
    }
}
