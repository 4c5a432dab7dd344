//! GitHub's workflow commands, which become annotations in pull requests.
//!
//! Escapes what GitHub's own runner unescapes (actions/toolkit: packages/core/src/command.ts).

use std::fmt::Write as _;

use super::{FileFindings, Report, message};
use crate::lint::{Detail, Diagnostic};
use crate::rules::schema::Severity;
use crate::text::sanitize::clean;

/// One workflow command per finding.
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
    let file = escaped_property(&clean(name.trim_start_matches("./")));
    let _ = write!(
        text,
        "::{command} title=gvtg-xml {},file={file},line={}",
        escaped_property(&rule.id),
        start.line
    );
    if end.line == start.line {
        // endColumn is inclusive; without it, GitHub marks only the first column.
        let _ = write!(
            text,
            ",col={},endColumn={}",
            start.column,
            end.column.saturating_sub(1).max(start.column)
        );
    } else {
        // GitHub accepts columns only within one line.
        let _ = write!(text, ",endLine={}", end.line);
    }
    let help = help.iter().map(|help| format!("\nhelp: {}", clean(help)));
    let lines: String =
        std::iter::once(clean(&message(diagnostic)).into_owned()).chain(help).collect();
    let _ = writeln!(text, "::{}", escaped_message(&lines));
}

/// Escapes the message of a command, which follows the last `::`.
fn escaped_message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property.
fn escaped_property(text: &str) -> String {
    escaped_message(text).replace(':', "%3A").replace(',', "%2C")
}
