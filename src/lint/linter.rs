//! [`Linter`]: the rules, the settings and the options of a run, and how to lint with them.
//!
//! `fix` and `suppress` are in files of their own.

use super::cross_file::cross_file_findings;
use super::findings::{DisplayFixes, find};
use super::rendering::diagnostics;
use super::skip::uses_gvtg;
use super::suppression_rules::unused;
use crate::domain::{self, Domain, Settings};
use crate::fix;
use crate::lint::claims::{Claims, Summary};
use crate::lint::{Detail, Diagnostic};
use crate::rules::RuleSet;
use crate::rules::finding::Finding;
use crate::text::Source;
use crate::xml::XmlError;
use crate::xml::fragment::Style;

/// Lints and fixes domains with one set of rules and one set of settings.
///
/// ```
/// use gvtg_xml::Linter;
/// use gvtg_xml::{RuleSet, builtin};
/// use gvtg_xml::Settings;
///
/// let text = "<domain type='kvm'>\n  <name>win10</name>\n  <devices>\n    <video/>\n  </devices>\n</domain>\n";
/// let (rules, settings) = (RuleSet::all(builtin()), Settings::default());
/// let linter = Linter::new(&rules, &settings);
/// let findings = linter.lint(text)?;
/// let video = findings.open.iter().find(|finding| finding.rule.id == "stray-video").ok_or("not found")?;
/// assert_eq!(&text[video.span.clone()], "<video/>");
///
/// let fixed = linter.fix(text.to_owned())?;
/// assert!(!fixed.text.contains("<video/>"));
/// assert!(fixed.text.contains("<alias name='ua-gvtg'/>"));
/// assert!(fixed.remaining.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Linter<'c, 'r> {
    pub(super) rules: &'c RuleSet<'r>,
    pub(super) settings: &'c Settings,
    pub(super) detail: Detail,
    pub(super) others: Option<&'c Claims>,
    pub(super) skips_unrelated: bool,
}

/// The findings of a document, in the order of its text.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Findings<'r> {
    /// Findings that are not suppressed.
    pub open: Vec<Diagnostic<'r>>,
    /// Findings that the document suppresses; without edits.
    pub suppressed: Vec<Diagnostic<'r>>,
    /// The resources that the domain claims; empty if it is not compared with other documents.
    pub summary: Summary,
    /// Whether the domain was skipped ([`Linter::skip_unrelated`]).
    pub is_skipped: bool,
}

impl<'c, 'r> Linter<'c, 'r> {
    /// Creates a linter for single documents. Its findings have no edits, which take most of the
    /// time of a finding.
    pub fn new(rules: &'c RuleSet<'r>, settings: &'c Settings) -> Self {
        Linter { rules, settings, detail: Detail::Words, others: None, skips_unrelated: false }
    }

    /// Sets which parts of findings are computed. With [`Detail::Edits`], each fixable finding gets
    /// the edits that fix it alone.
    #[must_use]
    pub fn detail(self, detail: Detail) -> Self {
        Linter { detail, ..self }
    }

    /// Also finds conflicts with other documents, given as their claims. The caller adds the
    /// summary of each result to the claims.
    ///
    /// ```
    /// use gvtg_xml::Linter;
    /// use gvtg_xml::Claims;
    /// use gvtg_xml::{RuleSet, builtin};
    /// use gvtg_xml::Settings;
    ///
    /// let domain = |name: &str| {
    ///     let vgpu = "<source><address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></source>";
    ///     format!("<domain><name>{name}</name><devices><hostdev type='mdev' model='vfio-pci'>{vgpu}</hostdev></devices></domain>")
    /// };
    /// let (rules, settings) = (RuleSet::all(builtin()), Settings::default());
    /// let mut others = Claims::default();
    /// for (name, is_found) in [("win10", false), ("win11", true)] {
    ///     let findings = Linter::new(&rules, &settings).others(Some(&others)).lint(&domain(name))?;
    ///     assert_eq!(findings.open.iter().any(|finding| finding.rule.id == "shared-vgpu"), is_found);
    ///     others.add(name, findings.summary);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn others(self, others: Option<&'c Claims>) -> Self {
        Linter { others, ..self }
    }

    /// Sets whether domains without a sign of GVT-g are skipped: they have no findings and stay
    /// unchanged. For files that the user did not name.
    #[must_use]
    pub fn skip_unrelated(self, skips_unrelated: bool) -> Self {
        Linter { skips_unrelated, ..self }
    }

    /// Lints a document.
    ///
    /// # Errors
    /// Returns where, why and what to do if the text is not domain XML.
    pub fn lint(&self, text: &str) -> Result<Findings<'r>, XmlError> {
        self.lint_source(&Source::new("", text))
    }

    /// Like [`Linter::lint`], for a source whose positions the caller needs too.
    ///
    /// # Errors
    /// As for [`Linter::lint`].
    pub fn lint_source(&self, source: &Source<'_>) -> Result<Findings<'r>, XmlError> {
        domain::read_source(source, self.settings, |domain| {
            if self.skips(domain) {
                return Findings { is_skipped: true, ..Findings::default() };
            }
            let (mut findings, mut suppressions) =
                find(domain, self.rules, self.detail, DisplayFixes::Allowed);
            let (conflicts, summary) =
                cross_file_findings(domain, self.rules, self.others, &mut suppressions);
            findings.extend(conflicts);
            let unused = unused(domain, self.rules, &findings, &mut suppressions);
            findings.extend(unused);
            let style = if self.detail == Detail::Edits && !findings.is_empty() {
                Some(fix::style(domain.document))
            } else {
                None
            };
            to_findings(domain, &findings, self.detail, style.as_ref(), summary)
        })
    }

    /// Whether a domain is skipped because it has no sign of GVT-g.
    pub(super) fn skips(&self, domain: &Domain<'_>) -> bool {
        self.skips_unrelated && !uses_gvtg(domain)
    }
}

/// Converts findings to diagnostics, split into open and suppressed ones.
pub(super) fn to_findings<'d, 'r>(
    domain: &Domain<'d>,
    findings: &[Finding<'d, 'r>],
    detail: Detail,
    style: Option<&Style>,
    summary: Summary,
) -> Findings<'r> {
    let with_suppressed = |is_suppressed: bool| {
        findings.iter().filter(move |finding| finding.is_suppressed() == is_suppressed)
    };
    Findings {
        open: diagnostics(domain, with_suppressed(false), detail, style),
        suppressed: diagnostics(domain, with_suppressed(true), detail, None),
        summary,
        is_skipped: false,
    }
}
