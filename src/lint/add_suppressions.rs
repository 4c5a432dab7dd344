//! Adds suppressions to a document without changing anything else.

use super::cross_file::cross_file_findings;
use super::findings::{DisplayFixes, find};
use super::linter::Linter;
use crate::domain;
use crate::lint::Detail;
use crate::lint::claims::Summary;
use crate::lint::suppress::{SuppressionStyle, edits};
use crate::rules::Rule;
use crate::text::Edits;
use crate::xml::XmlError;

/// The result of adding suppressions to a document.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Suppressed {
    /// The complete text of the document.
    pub text: String,
    /// The number of findings that are newly suppressed.
    pub count: usize,
    /// The resources that the domain claims; empty if it is not compared with other documents.
    pub summary: Summary,
    /// Whether the domain was skipped ([`Linter::skip_unrelated`]).
    pub is_skipped: bool,
}

/// Maximum number of passes: once a removal is suppressed, other rules may find more.
const MAX_PASSES: usize = 10;

/// The suppressions to add in one pass.
struct NewSuppressions {
    edits: Edits,
    count: usize,
    summary: Summary,
}

impl Linter<'_, '_> {
    /// Suppresses all findings of the rules and groups with these names. The reason must be one
    /// that the style [accepts](SuppressionStyle::validate_reason). Running it again adds nothing.
    ///
    /// ```
    /// use gvtg_xml::Linter;
    /// use gvtg_xml::{RuleSet, builtin};
    /// use gvtg_xml::Settings;
    /// use gvtg_xml::SuppressionStyle;
    ///
    /// let text = "<domain type='kvm'>\n  <devices>\n    <video/>\n  </devices>\n</domain>\n".to_owned();
    /// let (rules, settings) = (RuleSet::all(builtin()), Settings::default());
    /// let linter = Linter::new(&rules, &settings);
    /// let suppressed = linter.suppress(text, &["stray-video".into()], "it is needed", SuppressionStyle::Comment)?;
    /// assert!(suppressed.text.contains("    <!-- gvtg-xml: ignore[stray-video] it is needed -->\n    <video/>\n"));
    /// assert!(linter.lint(&suppressed.text)?.open.iter().all(|found| found.rule.id != "stray-video"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error if the text is not domain XML.
    pub fn suppress(
        &self,
        text: String,
        names: &[String],
        reason: &str,
        style: SuppressionStyle,
    ) -> Result<Suppressed, XmlError> {
        let mut suppressed = Suppressed { text, ..Suppressed::default() };
        let mut linter = *self;
        for _ in 0..MAX_PASSES {
            let pass = linter.new_suppressions(&suppressed.text, names, reason, style)?;
            let Some(NewSuppressions { edits, count, summary }) = pass else {
                suppressed.is_skipped = true;
                break;
            };
            linter.skips_unrelated = false;
            suppressed.summary = summary;
            if edits.is_empty() {
                break;
            }
            suppressed.text = edits.apply(&suppressed.text);
            suppressed.count += count;
        }
        Ok(suppressed)
    }

    /// Returns the suppressions for the findings of one pass; `None` if the domain is skipped.
    fn new_suppressions(
        &self,
        text: &str,
        names: &[String],
        reason: &str,
        style: SuppressionStyle,
    ) -> Result<Option<NewSuppressions>, XmlError> {
        domain::read(text, self.settings, |domain| {
            if self.skips(domain) {
                return None;
            }
            let (mut findings, mut suppressions) =
                find(domain, self.rules, Detail::Words, DisplayFixes::Allowed);
            let (conflicts, summary) =
                cross_file_findings(domain, self.rules, self.others, &mut suppressions);
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
                .map(|finding| (finding.span.start, &*finding.rule.id))
                .collect();
            let edits = if to_suppress.is_empty() {
                Edits::default()
            } else {
                edits(domain, &to_suppress, reason, style)
            };
            Some(NewSuppressions { edits, count: to_suppress.len(), summary })
        })
    }
}
