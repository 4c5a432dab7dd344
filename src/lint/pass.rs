//! One round of a fix: what is found is mended together, or nothing is left to mend.

use std::ops::Range;

use super::cross_file::beside;
use super::findings::{Picture, RuleFinding, diagnostics, find, is_vendor_unknown};
use super::fix_result::Guest;
use super::suppression_lints::{is_left_error, unused};
use super::{Findings, to_findings};
use crate::change::{Change, EditPlanner};
use crate::cross_file::Claims;
use crate::diagnostic::{Detail, Diagnostic};
use crate::domain;
use crate::edit::Edits;
use crate::rules::RuleSet;
use crate::settings::Settings;
use crate::xml::XmlError;

/// How a text is looked at.
pub(super) struct PassOptions<'c, 'r> {
    pub(super) rules: &'c RuleSet<'r>,
    pub(super) settings: &'c Settings,
    /// Whether findings have their edits.
    pub(super) with_edits: bool,
    /// What other documents of the run claim.
    pub(super) others: Option<&'c Claims>,
    /// How far fixes may change the guest's screen.
    pub(super) picture: Picture,
}

/// What became of it.
pub(super) enum PassOutcome<'r> {
    Edited {
        edits: Edits,
        /// Pieces of the text that stand somewhere else then.
        moved: Vec<Range<usize>>,
        applied: Vec<Diagnostic<'r>>,
        /// A setting that is wrong for this domain.
        refused: Option<Diagnostic<'r>>,
    },
    Quiet {
        refused: Option<Diagnostic<'r>>,
        findings: Findings<'r>,
        /// Whether something will show the guest, and no error that is ignored speaks against that.
        is_sure_to_show: bool,
        ignores_errors: bool,
        is_guess: bool,
        guest: Guest,
    },
}

/// Looks at a text, and mends what there is to mend together.
pub(super) fn round<'r>(
    text: &str,
    how: &PassOptions<'_, 'r>,
) -> Result<PassOutcome<'r>, XmlError> {
    let PassOptions { rules, settings, with_edits, others, picture } = *how;
    let level = settings.applicability();
    domain::read(text, settings, |domain| {
        let (mut found, mut suppressions) = find(domain, rules, Detail::Edits, picture);
        let of_setting =
            found.iter().filter(|found| found.finding.is_of_setting && !found.is_suppressed());
        let refused = diagnostics(domain, of_setting, Detail::Words, None).into_iter().next();
        let mut picked: Vec<&RuleFinding<'_, 'r>> = found
            .iter()
            .filter(|found| found.is_fixable(level) && picture.allows(found.rule))
            .collect();
        if picked.iter().any(|found| found.is_first(domain)) {
            picked.retain(|found| found.may_be_first(domain));
        }
        let composer = EditPlanner::new(domain);
        let of_each = with_edits.then_some(&composer);
        let edits = composer.edits(picked.iter().flat_map(|found| found.changes()));
        if !edits.is_empty() {
            let moved =
                picked.iter().flat_map(|found| found.changes()).filter_map(|change| match change {
                    Change::InsertSource(_, range) => Some(range.clone()),
                    _ => None,
                });
            let applied = diagnostics(domain, picked.iter().copied(), Detail::Words, of_each);
            return PassOutcome::Edited { edits, moved: moved.collect(), applied, refused };
        }
        let (shared, summary) = beside(domain, rules, others, &mut suppressions);
        // What an ignore is good for shows when everything else is mended.
        let unused = unused(domain, rules, &found, &mut suppressions);
        let picked: Vec<&RuleFinding<'_, 'r>> =
            unused.iter().filter(|found| found.is_fixable(level)).collect();
        let edits = composer.edits(picked.iter().flat_map(|found| found.changes()));
        if !edits.is_empty() {
            let applied = diagnostics(domain, picked.into_iter(), Detail::Words, of_each);
            return PassOutcome::Edited { edits, moved: Vec::new(), applied, refused };
        }
        found.extend(unused);
        let ignores_errors = found.iter().any(is_left_error);
        // What others have says nothing about the picture.
        found.extend(shared);
        PassOutcome::Quiet {
            refused,
            findings: to_findings(domain, &found, Detail::Words, of_each, summary),
            is_sure_to_show: domain.has_working_display() && !ignores_errors,
            ignores_errors,
            is_guess: is_vendor_unknown(domain),
            guest: Guest::of(domain),
        }
    })
}
