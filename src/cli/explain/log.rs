//! `gvtg-xml explain` for a log.

use std::io::{ErrorKind, Read};

use super::Explanation;
use super::error::ExplainError;
use super::unexplained::{no_known_message, unknown_error};
use crate::explain::{Catalog, LogScanner, Report, summary};
use crate::lint::skip_reason;
use crate::text::sanitize::clean;

/// Explains the known messages in a log of any size. Returns false if the log is empty.
///
/// # Errors
/// Fails if the log can't be read or is a domain.
pub(super) fn examine(
    name: &str,
    mut log: impl Read,
    catalog: &Catalog<'_>,
    explanation: &mut Explanation,
) -> Result<bool, ExplainError> {
    let mut scanner = LogScanner::new(catalog);
    let mut buffer = vec![0; 1 << 18];
    let mut is_first = true;
    loop {
        match log.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                if std::mem::take(&mut is_first) && is_domain(&buffer[..length]) {
                    let file = if name == "<stdin>" { String::new() } else { format!(" {name}") };
                    return Err(ExplainError::IsDomain { name: name.to_owned(), file });
                }
                scanner.feed(&buffer[..length]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(ExplainError::unreadable(name, error)),
        }
    }
    let report = scanner.finish();
    if report.lines > 0 {
        add_report(&clean(name), &report, catalog, explanation);
    }
    Ok(report.lines > 0)
}

/// Whether these bytes begin a domain's XML.
fn is_domain(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes).trim_ascii_start();
    text.starts_with(b"<") && skip_reason(text).is_none()
}

/// Adds the explanations of a log, each known error once.
fn add_report(
    name: &str,
    report: &Report<'_, '_>,
    catalog: &Catalog<'_>,
    explanation: &mut Explanation,
) {
    for complaint in &report.complaints {
        let seen = &complaint.seen;
        let mut when = if seen.count > 1 {
            format!("  ({} times, last on line {})\n", seen.count, seen.last)
        } else {
            String::new()
        };
        if let Some(start) = report.last_start.filter(|start| *start > seen.last) {
            when += &format!("  (not since the VM was last started, on line {start})\n");
        }
        let indented_summary = summary(complaint.answer)
            .lines()
            .map(|line| if line.is_empty() { "\n".into() } else { format!("  {line}\n") })
            .collect::<String>();
        explanation.add(&format!(
            "{name}:{}: {}\n{when}\n{indented_summary}",
            seen.first,
            clean(&seen.text)
        ));
    }
    if let (Some((line, text)), count) = (&report.unknown.last, report.unknown.count) {
        let others = if count > 1 {
            format!("{count} unknown errors, the last one")
        } else {
            "unknown error".to_owned()
        };
        let message = format!("{name}:{line}: {others}: {}", clean(text));
        // Next to known errors, the unknown one is additional information; alone, it is the answer.
        if report.complaints.is_empty() {
            explanation.unknown.push(unknown_error(message, text, name, report, catalog));
        } else {
            explanation.add(&(message + "\n"));
        }
    } else if report.complaints.is_empty() {
        explanation.unknown.push(no_known_message(name, report));
    }
}
