//! JUnit XML, which nearly all CI servers show: one test suite per file, one test case per finding.

use std::fmt::Write as _;

use super::{FileFindings, Report};
use crate::lint::{Detail, Diagnostic};
use crate::rules::schema::Severity;
use crate::text::sanitize::clean;

/// Findings as test cases, which fail if they count for the exit code.
pub struct JUnit;

impl Report for JUnit {
    fn begin(&mut self, text: &mut String) {
        text.push_str(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"gvtg-xml\">\n",
        );
    }

    fn file(&mut self, file: &FileFindings<'_>, text: &mut String) {
        let findings: Vec<&Diagnostic<'_>> =
            file.open().map(|(_, diagnostic)| diagnostic).collect();
        let failures =
            findings.iter().filter(|diagnostic| diagnostic.severity >= file.fail_on).count();
        let (name, tests) = (escaped(&clean(file.name)), findings.len().max(1));
        let _ = writeln!(
            text,
            "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\">"
        );
        if findings.is_empty() {
            let _ = writeln!(
                text,
                "    <testcase name=\"no findings\" classname=\"{name}\" file=\"{name}\"/>"
            );
        }
        for diagnostic in findings {
            add_test_case(&name, diagnostic, file.fail_on, text);
        }
        text.push_str("  </testsuite>\n");
    }

    fn end(&mut self, text: &mut String) {
        text.push_str("</testsuites>\n");
    }

    fn detail(&self) -> Detail {
        Detail::Words
    }
}

/// Appends a finding as a test case, which passes if its severity is below `fail_on`. `name` is the
/// file's name, already escaped.
fn add_test_case(name: &str, diagnostic: &Diagnostic<'_>, fail_on: Severity, text: &mut String) {
    let Diagnostic { rule, severity, start, help, .. } = diagnostic;
    let (line, column, word, message) =
        (start.line, start.column, severity.name(), escaped(&clean(&super::message(diagnostic))));
    let help = help.iter().map(|help| format!("\nhelp: {}", escaped(&clean(help))));
    let lines: String =
        std::iter::once(format!("{name}:{line}:{column}: {word}[{}] {message}", rule.id))
            .chain(help)
            .collect();
    let _ = writeln!(
        text,
        "    <testcase name=\"{} at {line}:{column}\" classname=\"{name}\" file=\"{name}\" line=\"{line}\">",
        rule.id
    );
    let _ = if *severity >= fail_on {
        writeln!(text, "      <failure type=\"{word}\" message=\"{message}\">{lines}</failure>")
    } else {
        writeln!(text, "      <system-out>{lines}</system-out>")
    };
    text.push_str("    </testcase>\n");
}

/// Escapes text for attributes and element content. Characters that XML does not allow have been
/// removed before.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
