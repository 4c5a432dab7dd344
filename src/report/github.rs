//! GitHub's workflow commands: findings become annotations of the lines that they are about.
//!
//! What must be escaped is what GitHub's own runner takes back (actions/toolkit:
//! packages/core/src/command.ts).

use std::fmt::Write as _;

use super::{FileFindings, Report, message};
use crate::diagnostic::{Detail, Diagnostic};
use crate::rules::schema::Severity;
use crate::sanitize::clean;

/// One workflow command a finding.
pub struct GitHub;

impl Report for GitHub {
    fn file(&mut self, file: &FileFindings<'_>, text: &mut String) {
        for (_, diagnostic) in file.open() {
            add(file.name, diagnostic, text);
        }
    }

    fn detail(&self) -> Detail {
        Detail::Words
    }
}

fn add(name: &str, diagnostic: &Diagnostic<'_>, text: &mut String) {
    let Diagnostic { rule, severity, start, end, help, .. } = diagnostic;
    let command = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let file = property(&clean(name.trim_start_matches("./")));
    let _ = write!(
        text,
        "::{command} title=gvtg-xml {},file={file},line={}",
        property(&rule.id),
        start.line
    );
    if end.line == start.line {
        // The last column is one that is meant: without it the first is the only one.
        let _ = write!(
            text,
            ",col={},endColumn={}",
            start.column,
            end.column.saturating_sub(1).max(start.column)
        );
    } else {
        // GitHub takes columns of one line only.
        let _ = write!(text, ",endLine={}", end.line);
    }
    let help = help.iter().map(|help| format!("\nhelp: {}", clean(help)));
    let lines: String =
        std::iter::once(clean(&message(diagnostic)).into_owned()).chain(help).collect();
    let _ = writeln!(text, "::{}", data(&lines));
}

/// What stands behind the last `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
