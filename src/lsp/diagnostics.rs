//! Findings as an editor shows them.

use super::document::Analysis;
use super::protocol::{CodeDescription, Diagnostic, Location, RelatedInformation};
use super::text::Lines;
use crate::config::model::ConfigError;
use crate::diagnostic::Diagnostic as Finding;
use crate::rules::schema::Severity;
use crate::xml::XmlError;

/// Who says it.
const SOURCE: &str = "gvtg-xml";

/// How findings are to be written down.
#[derive(Clone, Copy, Debug)]
pub struct Style<'s> {
    /// The document's name.
    pub uri: &'s str,
    /// Whether the client shows other places.
    pub has_related: bool,
    /// Whether the client shows links, and where the pages are.
    pub rule_pages: Option<&'s str>,
}

/// All that is to be shown of what was seen in a text.
pub fn all(view: &Analysis, lines: &Lines<'_>, text: &str, style: Style<'_>) -> Vec<Diagnostic> {
    let findings = |found: &[Finding<'static>]| {
        found.iter().map(|finding| one(finding, lines, style)).collect()
    };
    match view {
        Analysis::Foreign | Analysis::Failed(_) => Vec::new(),
        Analysis::Domain(found) => findings(found),
        Analysis::Unreadable(error, kept) => {
            let mut all: Vec<Diagnostic> = findings(kept);
            all.insert(0, unreadable(error, lines, text));
            all
        }
    }
}

/// A finding; its message, code and severity are those that the command line prints.
pub fn one(finding: &Finding<'static>, lines: &Lines<'_>, style: Style<'_>) -> Diagnostic {
    let related =
        finding.related.iter().filter(|_| style.has_related).map(|related| RelatedInformation {
            location: Location {
                uri: style.uri.to_owned(),
                range: lines.range(related.span.clone()),
            },
            message: related.message.clone(),
        });
    Diagnostic {
        range: lines.range(finding.span.clone()),
        severity: match finding.severity {
            Severity::Error => 1,
            Severity::Warning => 2,
            Severity::Info => 3,
        },
        code: Some(finding.rule.id.to_string()),
        code_description: style
            .rule_pages
            .map(|pages| CodeDescription { href: format!("{pages}{}", finding.rule.id) }),
        source: SOURCE,
        message: finding.message.clone(),
        related_information: related.collect(),
    }
}

/// What is wrong in a configuration.
pub fn of_configuration(error: &ConfigError, lines: &Lines<'_>) -> Diagnostic {
    let help = error.help.iter().map(|help| format!("\n{help}")).collect::<String>();
    Diagnostic {
        range: lines.range(error.span.clone()),
        severity: 1,
        code: None,
        code_description: None,
        source: SOURCE,
        message: format!("{}{help}", error.message),
        related_information: Vec::new(),
    }
}

/// What can't be read, from where it stops being readable to the end of that line.
fn unreadable(error: &XmlError, lines: &Lines<'_>, text: &str) -> Diagnostic {
    let start = error.offset.min(text.len());
    let rest = text.get(start..).unwrap_or("");
    let end = start + rest.find(['\r', '\n']).unwrap_or(rest.len());
    Diagnostic {
        range: lines.range(start..end),
        severity: 1,
        code: None,
        code_description: None,
        source: SOURCE,
        message: format!("{}\n{}", error.message, error.help),
        related_information: Vec::new(),
    }
}
