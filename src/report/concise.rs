//! `file:line:column: severity[rule] message`: one line a finding, for editors and grep.

use super::clean;
use crate::diagnostic::Diagnostic;

/// A finding's line, with its line ending.
pub fn line(name: &str, diagnostic: &Diagnostic<'_>) -> String {
    let Diagnostic { rule, severity, start, message, .. } = diagnostic;
    format!("{}:{}:{}: {}[{}] {}\n", clean(name), start.line, start.column, severity.name(), rule.id, clean(message))
}
