//! Adds suppressions to a document without changing anything else.

use super::cross_file::cross_file_findings;
use super::findings::{Picture, find};
use crate::domain;
use crate::domain::Settings;
use crate::lint::Detail;
use crate::lint::claims::{Claims, Summary};
use crate::lint::suppress::{SuppressionStyle, edits};
use crate::rules::{Rule, RuleSet};
use crate::text::Edits;
use crate::xml::XmlError;

/// The result of adding suppressions to a document.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Suppressed {
    /// The complete text of the document.
    pub text: String,
    /// The number of findings that are newly suppressed.
    pub count: usize,
    /// The resources that the domain claims; empty if it is not compared with other documents.
    pub summary: Summary,
}

/// Maximum number of passes: once a removal is suppressed, other rules may find more.
const MAX_PASSES: usize = 10;

/// Suppresses all findings of the rules and groups with these names. The reason must be one that
/// the style [accepts](SuppressionStyle::validate_reason). Running it again adds nothing.
///
/// ```
/// use gvtg_xml::lint::{lint, suppress};
/// use gvtg_xml::rules::{RuleSet, builtin};
/// use gvtg_xml::domain::Settings;
/// use gvtg_xml::lint::suppress::SuppressionStyle;
///
/// let text = "<domain type='kvm'>\n  <devices>\n    <video/>\n  </devices>\n</domain>\n".to_owned();
/// let (rules, settings) = (RuleSet::all(builtin()), Settings::default());
/// let suppressed = suppress(text, &["stray-video".into()], "it is needed", SuppressionStyle::Comment, &rules, &settings)?;
/// assert!(suppressed.text.contains("    <!-- gvtg-xml: ignore[stray-video] it is needed -->\n    <video/>\n"));
/// assert!(lint(&suppressed.text, &rules, &settings)?.iter().all(|found| found.rule.id != "stray-video"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Returns an error if the text is not domain XML.
pub fn suppress(
    text: String,
    names: &[String],
    reason: &str,
    form: SuppressionStyle,
    rules: &RuleSet<'_>,
    settings: &Settings,
) -> Result<Suppressed, XmlError> {
    suppress_with_others(text, names, reason, form, rules, settings, None)
}

/// Like [`suppress`], for one of several documents: also suppresses conflicts with `others`, the
/// claims of the documents before it. The caller adds the returned summary to them.
///
/// # Errors
/// Returns an error if the text is not domain XML.
pub fn suppress_with_others(
    text: String,
    names: &[String],
    reason: &str,
    form: SuppressionStyle,
    rules: &RuleSet<'_>,
    settings: &Settings,
    others: Option<&Claims>,
) -> Result<Suppressed, XmlError> {
    let mut suppressed = Suppressed { text, count: 0, summary: Summary::new() };
    for _ in 0..MAX_PASSES {
        let (edits, count, summary) = domain::read(&suppressed.text, settings, |domain| {
            let (mut findings, mut suppressions) =
                find(domain, rules, Detail::Words, Picture::Replaceable);
            let (conflicts, summary) =
                cross_file_findings(domain, rules, others, &mut suppressions);
            findings.extend(conflicts);
            let is_named = |rule: &Rule| names.iter().any(|name| rule.matches_name(name));
            let open: Vec<_> = findings
                .iter()
                .filter(|finding| !finding.is_suppressed() && is_named(finding.rule))
                .collect();
            // Findings of the first phase (removals) first: once these are suppressed, other
            // findings may be gone.
            let first_phase = open.iter().map(|finding| finding.rule.phase()).min();
            let to_suppress: Vec<(usize, &str)> = open
                .iter()
                .filter(|finding| Some(finding.rule.phase()) == first_phase)
                .map(|finding| (finding.finding.span.start, &*finding.rule.id))
                .collect();
            let edits = if to_suppress.is_empty() {
                Edits::default()
            } else {
                edits(domain, &to_suppress, reason, form)
            };
            (edits, to_suppress.len(), summary)
        })?;
        suppressed.summary = summary;
        if edits.is_empty() {
            break;
        }
        suppressed.text = edits.apply(&suppressed.text);
        suppressed.count += count;
    }
    Ok(suppressed)
}
