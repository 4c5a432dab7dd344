//! GitLab's code quality report
//! (docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format).

use serde_json::json;

use super::fingerprint::Fingerprints;
use super::{FileFindings, Report, message};
use crate::lint::Detail;
use crate::rules::schema::Severity;

/// A JSON array of findings.
#[derive(Default)]
pub struct GitLab {
    has_findings: bool,
    fingerprints: Fingerprints,
}

impl Report for GitLab {
    fn begin(&mut self, text: &mut String) {
        text.push('[');
    }

    fn file(&mut self, file: &FileFindings<'_>, text: &mut String) {
        for (part, diagnostic) in file.open() {
            let severity = match diagnostic.severity {
                Severity::Error => "critical",
                Severity::Warning => "minor",
                Severity::Info => "info",
            };
            let value = json!({
                "description": message(diagnostic),
                "check_name": diagnostic.rule.id,
                "fingerprint": self.fingerprints.next(file.name, part, diagnostic).simple().to_string(),
                "severity": severity,
                "location": {
                    // GitLab requires a path relative to the repository; it is, if the run was
                    // started there.
                    "path": file.name.trim_start_matches("./"),
                    "lines": { "begin": diagnostic.start.line, "end": diagnostic.end.line },
                },
            });
            text.push_str(if self.has_findings { ",\n" } else { "\n" });
            text.push_str(&value.to_string());
            self.has_findings = true;
        }
    }

    fn end(&mut self, text: &mut String) {
        text.push_str("\n]\n");
    }

    fn detail(&self) -> Detail {
        Detail::Words
    }
}
