//! A linted domain that computes edits on request. Editors ask for a few of them at a time, at the
//! cursor.

use std::ops::Range;

use super::findings::{DisplayFixes, find};
use super::linter::Linter;
use super::rendering::{EditBudget, sort};
use super::suppress::{self, SuppressionStyle};
use super::suppression_rules::unused;
use super::{Detail, Diagnostic};
use crate::domain::{self, Domain};
use crate::fix;
use crate::rules::finding::Finding;
use crate::text::{Applicability, Edits};
use crate::xml::XmlError;
use crate::xml::fragment::Style;

/// A linted domain.
pub struct LintedDomain<'l, 'd, 'r> {
    domain: &'l Domain<'d>,
    findings: Vec<Finding<'d, 'r>>,
    style: Style,
}

impl<'r> Linter<'_, 'r> {
    /// Lints a document once and calls `use_linted` with the result, which computes edits on
    /// request.
    ///
    /// ```
    /// use gvtg_xml::{Linter, RuleSet, Settings, builtin};
    ///
    /// let text = "<domain type='kvm'>\n  <devices>\n    <graphics type='vnc'/>\n  </devices>\n</domain>\n";
    /// let at = text.find("<graphics").ok_or("not found")?;
    /// let (rules, settings) = (RuleSet::all(builtin()), Settings::default());
    /// let fixes = Linter::new(&rules, &settings)
    ///     .with_linted(text, |linted| linted.diagnostics_in(&(at..at)))?;
    /// assert_eq!(fixes.len(), 1);
    /// assert!(fixes[0].fix.as_ref().is_some_and(|fix| !fix.edits.is_empty()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As for [`Linter::lint`].
    pub fn with_linted<T>(
        &self,
        text: &str,
        use_linted: impl FnOnce(&LintedDomain<'_, '_, 'r>) -> T,
    ) -> Result<T, XmlError> {
        domain::read(text, self.settings, |domain| {
            let (mut findings, mut suppressions) =
                find(domain, self.rules, Detail::Edits, DisplayFixes::Allowed);
            let unused = unused(domain, self.rules, &findings, &mut suppressions);
            findings.extend(unused);
            let style = fix::style(domain.document);
            use_linted(&LintedDomain { domain, findings, style })
        })
    }
}

impl<'r> LintedDomain<'_, '_, 'r> {
    /// Returns the findings that touch a range and are not suppressed, in the order of the text,
    /// with the edits that fix them alone.
    pub fn diagnostics_in(&self, range: &Range<usize>) -> Vec<Diagnostic<'r>> {
        let open: Vec<_> =
            self.findings.iter().filter(|finding| !finding.is_suppressed()).collect();
        let mut budget = EditBudget::new(self.domain, &open);
        let touches_range = |finding: &&Finding<'_, '_>| {
            finding.span.start <= range.end && range.start <= finding.span.end
        };
        let mut diagnostics: Vec<_> = open
            .into_iter()
            .filter(touches_range)
            .map(|finding| budget.diagnostic(finding, self.domain, Detail::Edits, &self.style))
            .collect();
        sort(&mut diagnostics);
        diagnostics
    }

    /// Returns the edits that together fix all findings of a rule that are safe to fix.
    pub fn edits_for(&self, rule: &str) -> Edits {
        let fixable = self
            .findings
            .iter()
            .filter(|finding| finding.rule.id == rule && finding.is_fixable(Applicability::Safe));
        fix::edits(self.domain, &self.style, fixable.flat_map(|finding| finding.changes()))
    }

    /// Returns the edits that suppress a rule's finding that starts at this byte offset. The reason
    /// must be one that the style [accepts](SuppressionStyle::validate_reason).
    pub fn suppressing_edits(
        &self,
        rule: &str,
        offset: usize,
        reason: &str,
        style: SuppressionStyle,
    ) -> Edits {
        suppress::edits(self.domain, &[(offset, rule)], reason, style)
    }
}
