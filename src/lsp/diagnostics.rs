//! Converts findings to LSP diagnostics.

use super::document::Analysis;
use super::protocol::{CodeDescription, Diagnostic, Location, RelatedInformation};
use super::text::Lines;
use crate::lint::Diagnostic as Finding;
use crate::rules::schema::Severity;
use crate::settings::config::ConfigError;
use crate::xml::XmlError;

/// The source that editors show for a diagnostic.
const SOURCE: &str = "gvtg-xml";

/// Client-dependent details of diagnostics.
#[derive(Clone, Copy, Debug)]
pub struct Style<'s> {
    /// The document's URI.
    pub uri: &'s str,
    /// Whether the client shows related locations.
    pub has_related: bool,
    /// The URL of the rules' pages; `None` if there is none or the client does not show links.
    pub rule_pages: Option<&'s str>,
}

/// Builds the diagnostics for an analysis of a text.
pub fn for_analysis(
    analysis: &Analysis,
    lines: &Lines<'_>,
    text: &str,
    style: Style<'_>,
) -> Vec<Diagnostic> {
    let for_findings = |findings: &[Finding<'static>]| {
        findings.iter().map(|finding| for_finding(finding, lines, style)).collect()
    };
    match analysis {
        Analysis::Foreign | Analysis::Failed(_) => Vec::new(),
        Analysis::Domain(findings) => for_findings(findings),
        Analysis::Unreadable(error, kept) => {
            let mut diagnostics: Vec<Diagnostic> = for_findings(kept);
            diagnostics.insert(0, for_unreadable(error, lines, text));
            diagnostics
        }
    }
}

/// Builds the diagnostic for a finding; message, code and severity are those that the command line
/// prints.
pub fn for_finding(finding: &Finding<'static>, lines: &Lines<'_>, style: Style<'_>) -> Diagnostic {
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

/// Builds the diagnostic for an error in a configuration.
pub fn for_config_error(error: &ConfigError, lines: &Lines<'_>) -> Diagnostic {
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

/// Builds the diagnostic for unreadable text, from the error's position to the end of the line.
fn for_unreadable(error: &XmlError, lines: &Lines<'_>, text: &str) -> Diagnostic {
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
