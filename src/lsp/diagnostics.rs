//! Converts findings to LSP diagnostics.

use gen_lsp_types::{
    CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, Location,
};

use super::document::Analysis;
use super::positions::Lines;
use crate::lint::Diagnostic as Finding;
use crate::rules::schema::Severity;
use crate::settings::config::ConfigError;
use crate::xml::XmlError;

/// The source that editors show for a diagnostic.
const SOURCE: &str = "gvtg-xml";

/// Options for the diagnostics of one document: its URI, and what the client can
/// show.
#[derive(Clone, Copy, Debug)]
pub struct DiagnosticOptions<'s> {
    /// The document's URI.
    pub uri: &'s str,
    /// Whether the client shows related locations.
    pub has_related: bool,
    /// The URL of the rules' pages; `None` if there is none or the client does not show links.
    pub rule_pages: Option<&'s str>,
}

/// Builds the diagnostics for an analysis of a document.
pub fn for_analysis(
    analysis: &Analysis,
    lines: &Lines<'_>,
    text: &str,
    options: DiagnosticOptions<'_>,
) -> Vec<Diagnostic> {
    match analysis {
        Analysis::Foreign | Analysis::Failed(_) => Vec::new(),
        Analysis::Domain(findings) => for_findings(findings, lines, options),
        Analysis::Unreadable(error, kept) => {
            let mut diagnostics = vec![for_unreadable(error, lines, text)];
            diagnostics.extend(for_findings(kept, lines, options));
            diagnostics
        }
    }
}

/// Builds the diagnostics for findings.
pub fn for_findings<'f, 'r: 'f>(
    findings: impl IntoIterator<Item = &'f Finding<'r>>,
    lines: &Lines<'_>,
    options: DiagnosticOptions<'_>,
) -> Vec<Diagnostic> {
    findings.into_iter().map(|finding| for_finding(finding, lines, options)).collect()
}

/// Builds the diagnostic for a finding; message, code and severity are those that the command line
/// prints.
pub fn for_finding(
    finding: &Finding<'_>,
    lines: &Lines<'_>,
    options: DiagnosticOptions<'_>,
) -> Diagnostic {
    let related: Vec<_> = if options.has_related {
        let location = |span| Location { uri: options.uri.into(), range: lines.range(span) };
        finding
            .related
            .iter()
            .map(|related| DiagnosticRelatedInformation {
                location: location(related.span.clone()),
                message: related.message.clone(),
            })
            .collect()
    } else {
        Vec::new()
    };
    let page = |pages: &str| CodeDescription { href: format!("{pages}{}", finding.rule.id).into() };
    Diagnostic {
        range: lines.range(finding.span.clone()),
        severity: Some(match finding.severity {
            Severity::Error => DiagnosticSeverity::Error,
            Severity::Warning => DiagnosticSeverity::Warning,
            Severity::Info => DiagnosticSeverity::Information,
        }),
        code: Some(finding.rule.id.to_string().into()),
        code_description: options.rule_pages.map(page),
        source: Some(SOURCE.to_owned()),
        message: finding.message.clone().into(),
        related_information: if related.is_empty() { None } else { Some(related) },
        ..Diagnostic::default()
    }
}

/// Builds the diagnostic for an error in a configuration.
pub fn for_config_error(error: &ConfigError, lines: &Lines<'_>) -> Diagnostic {
    let help = error.help.iter().map(|help| format!("\n{help}")).collect::<String>();
    Diagnostic {
        range: lines.range(error.span.clone()),
        severity: Some(DiagnosticSeverity::Error),
        source: Some(SOURCE.to_owned()),
        message: format!("{}{help}", error.message).into(),
        ..Diagnostic::default()
    }
}

/// Builds the diagnostic for unreadable text, from the error's position to the end of the line.
fn for_unreadable(error: &XmlError, lines: &Lines<'_>, text: &str) -> Diagnostic {
    let start = error.offset.min(text.len());
    let rest = text.get(start..).unwrap_or("");
    let end = start + rest.find(['\r', '\n']).unwrap_or(rest.len());
    Diagnostic {
        range: lines.range(start..end),
        severity: Some(DiagnosticSeverity::Error),
        source: Some(SOURCE.to_owned()),
        message: format!("{}\n{}", error.message, error.help).into(),
        ..Diagnostic::default()
    }
}
