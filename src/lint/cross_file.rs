//! Findings about conflicts with other documents of the run.

use super::suppression_rules::applicable_rules;
use crate::domain::Domain;
use crate::lint::Related;
use crate::lint::claims::{Claims, Summary, claims};
use crate::lint::suppress::Suppressions;
use crate::rules::RuleSet;
use crate::rules::finding::{Finding, SuppressionState};
use crate::rules::schema::{Check, ConflictKind};
use crate::rules::template::clipped;

/// Returns the conflicts of a domain with other documents of the run, and the resources that the
/// domain claims; both are empty without `others`.
///
/// A conflict is suppressed if either of the two documents suppresses it, because the order of the
/// documents is arbitrary.
pub(super) fn cross_file_findings<'d, 'r>(
    domain: &Domain<'d>,
    rules: &RuleSet<'r>,
    others: Option<&Claims>,
    suppressions: &mut Suppressions<'_, 'd>,
) -> (Vec<Finding<'d, 'r>>, Summary) {
    let mut findings = Vec::new();
    let mut summary = Summary::new();
    let Some(others) = others else { return (findings, summary) };
    for rule in applicable_rules(domain, rules) {
        let Check::Across { same } = rule.check else { continue };
        for (mut finding, mut claim) in claims(rule, same, domain) {
            let own_state = suppressions.state_of(rule, claim.span.start);
            claim.suppression_reason = own_state.reason().map(str::to_owned);
            // One finding per place is enough, even if the place claims several resources.
            let is_reported = findings.last().is_some_and(|last: &Finding<'_, '_>| {
                last.rule.id == rule.id && last.span == claim.span
            });
            if !is_reported && let Some(rival) = others.rival(&claim) {
                finding.suppression_state = match (own_state, &rival.consent) {
                    (SuppressionState::Open, Some(reason)) => {
                        SuppressionState::Suppressed(reason.clone())
                    }
                    (own_state, _) => own_state,
                };
                let message = match same {
                    ConflictKind::Vgpu => {
                        format!("the same vGPU in domain {}", clipped(&rival.owner))
                    }
                    ConflictKind::Name => "the other domain with this name".to_owned(),
                };
                finding.conflict = Some(Related {
                    file: Some(rival.file.clone()),
                    span: rival.span.clone(),
                    start: rival.start,
                    message,
                    is_removed: false,
                });
                findings.push(finding.with_value("other", &*rival.owner));
            }
            summary.push(claim);
        }
    }
    (findings, summary)
}
