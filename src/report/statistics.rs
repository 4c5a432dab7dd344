//! The number of findings per rule, the most frequent rule first.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{FileFindings, Report, State};
use crate::lint::Detail;
use crate::rules::schema::Severity;

/// One line per rule and state of its findings.
#[derive(Default)]
pub struct Statistics {
    counts: BTreeMap<(String, &'static str), Count>,
}

struct Count {
    findings: usize,
    severity: Severity,
    summary: String,
}

impl Report for Statistics {
    fn file(&mut self, file: &FileFindings<'_>, _text: &mut String) {
        for (part, diagnostic) in file.all() {
            // `lint` has only one state for open findings, so it is not shown.
            let state = if part.state == State::Found { "" } else { part.state.name() };
            let rule = &diagnostic.rule;
            let count = self.counts.entry((rule.id.to_string(), state)).or_insert_with(|| Count {
                findings: 0,
                severity: diagnostic.severity,
                summary: rule.summary.to_string(),
            });
            count.findings += 1;
        }
    }

    fn end(&mut self, text: &mut String) {
        let mut lines: Vec<_> = self.counts.iter().collect();
        lines.sort_by_key(|(_, count)| std::cmp::Reverse(count.findings));
        let width = |length: fn(&(String, &'static str)) -> usize| {
            self.counts.keys().map(length).max().unwrap_or(0)
        };
        let (ids, states) = (
            width(|(id, _)| id.len()),
            width(|(_, state)| state.len() + usize::from(!state.is_empty())),
        );
        for ((id, state), Count { findings, severity, summary }) in lines {
            let _ = writeln!(
                text,
                "{findings:5}  {state:states$}{:7}  {id:ids$}  {summary}",
                severity.name()
            );
        }
    }

    fn detail(&self) -> Detail {
        Detail::Line
    }
}
