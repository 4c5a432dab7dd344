//! One pass of a fix: either all fixes that can be made together, or the final findings.

use std::ops::Range;

use super::cross_file::cross_file_findings;
use super::findings::{DisplayFixes, find, needs_explicit_name};
use super::fix_result::Guest;
use super::linter::{Findings, Linter, to_findings};
use super::rendering::diagnostics;
use super::suppression_rules::{is_suppressed_error, unused};
use crate::domain;
use crate::fix::{self, Change};
use crate::lint::{Detail, Diagnostic};
use crate::rules::finding::Finding;
use crate::text::Edits;
use crate::xml::XmlError;

/// The result of a pass.
pub(super) enum PassResult<'r> {
    /// The domain is skipped ([`Linter::skip_unrelated`]).
    Skipped,
    Edited {
        edits: Edits,
        /// Byte ranges of the text that the edits move to another place.
        moved: Vec<Range<usize>>,
        applied: Vec<Diagnostic<'r>>,
        /// The finding about a setting that is wrong for this domain.
        refused: Option<Diagnostic<'r>>,
    },
    Finished {
        refused: Option<Diagnostic<'r>>,
        findings: Findings<'r>,
        /// Whether something will show the guest, and no suppressed error contradicts that.
        is_sure_to_show: bool,
        ignores_errors: bool,
        /// Whether fixes are unsafe because the user has not named the file.
        needs_explicit_name: bool,
        guest: Guest,
    },
}

/// Lints a document and plans all fixes that can be made together.
pub(super) fn run_pass<'r>(
    text: &str,
    linter: &Linter<'_, 'r>,
    display_fixes: DisplayFixes,
) -> Result<PassResult<'r>, XmlError> {
    let Linter { rules, settings, others, .. } = *linter;
    let with_edits = linter.detail == Detail::Edits;
    let level = settings.applicability();
    domain::read(text, settings, |domain| {
        if linter.skips(domain) {
            return PassResult::Skipped;
        }
        let (mut findings, mut suppressions) = find(domain, rules, Detail::Edits, display_fixes);
        let about_settings =
            findings.iter().filter(|finding| finding.is_about_setting && !finding.is_suppressed());
        let refused = diagnostics(domain, about_settings, Detail::Words, None).into_iter().next();
        let mut to_fix: Vec<&Finding<'_, 'r>> = findings
            .iter()
            .filter(|finding| finding.is_fixable(level) && display_fixes.allow(finding.rule))
            .collect();
        if to_fix.iter().any(|finding| finding.is_first(domain)) {
            to_fix.retain(|finding| finding.may_be_first(domain));
        }
        let style = fix::style(domain.document);
        let own_style = if with_edits { Some(&style) } else { None };
        let edits = fix::edits(domain, &style, to_fix.iter().flat_map(|finding| finding.changes()));
        if !edits.is_empty() {
            let moved =
                to_fix.iter().flat_map(|finding| finding.changes()).filter_map(
                    |change| match change {
                        Change::InsertSource(_, range) => Some(range.clone()),
                        _ => None,
                    },
                );
            let applied = diagnostics(domain, to_fix.iter().copied(), Detail::Words, own_style);
            return PassResult::Edited { edits, moved: moved.collect(), applied, refused };
        }
        let (conflicts, summary) = cross_file_findings(domain, rules, others, &mut suppressions);
        // Whether a suppression is used only shows once everything else is fixed.
        let unused = unused(domain, rules, &findings, &mut suppressions);
        let to_fix: Vec<&Finding<'_, 'r>> =
            unused.iter().filter(|finding| finding.is_fixable(level)).collect();
        let edits = fix::edits(domain, &style, to_fix.iter().flat_map(|finding| finding.changes()));
        if !edits.is_empty() {
            let applied = diagnostics(domain, to_fix.into_iter(), Detail::Words, own_style);
            return PassResult::Edited { edits, moved: Vec::new(), applied, refused };
        }
        findings.extend(unused);
        let ignores_errors = findings.iter().any(is_suppressed_error);
        // Added last, because conflicts with other documents do not affect the display.
        findings.extend(conflicts);
        PassResult::Finished {
            refused,
            findings: to_findings(domain, &findings, Detail::Words, own_style, summary),
            is_sure_to_show: domain.has_working_display() && !ignores_errors,
            ignores_errors,
            needs_explicit_name: needs_explicit_name(domain),
            guest: Guest::of(domain),
        }
    })
}
