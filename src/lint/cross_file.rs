//! What is found in a document because of the others of its run.

use super::findings::RuleFinding;
use super::suppression_lints::asked;
use crate::cross_file::{Claims, Summary, claims};
use crate::diagnostic::Related;
use crate::domain::Domain;
use crate::rules::RuleSet;
use crate::rules::schema::{Check, ConflictKind};
use crate::rules::template::clipped;
use crate::suppress::{SuppressionState, Suppressions};

/// What a domain has in common with others of the run and must not, and what it claims itself;
/// nothing where it is alone.
///
/// What one of the two documents says is to be ignored is: which of them comes first is nobody's
/// choice.
pub(super) fn beside<'d, 'r>(
    domain: &Domain<'d>,
    rules: &RuleSet<'r>,
    others: Option<&Claims>,
    suppressions: &mut Suppressions<'_, 'd>,
) -> (Vec<RuleFinding<'d, 'r>>, Summary) {
    let (mut found, mut summary) = (Vec::new(), Summary::new());
    let Some(others) = others else { return (found, summary) };
    for rule in asked(domain, rules) {
        let Check::Across { same } = rule.check else { continue };
        for (finding, mut claim) in claims(same, domain) {
            let own = suppressions.verdict(rule, claim.span.start);
            claim.rule = rule.id.to_string();
            claim.suppression_reason = own.reason().map(str::to_owned);
            // What is wrong with one place is said once, whatever it claims.
            let is_said = found.last().is_some_and(|last: &RuleFinding<'_, '_>| {
                last.rule.id == rule.id && last.finding.span == claim.span
            });
            if let Some(rival) = others.rival(&claim).filter(|_| !is_said) {
                let verdict = match (own, &rival.consent) {
                    (SuppressionState::Open, Some(reason)) => {
                        SuppressionState::Suppressed(reason.clone())
                    }
                    (own, _) => own,
                };
                let message = match same {
                    ConflictKind::Vgpu => {
                        format!("the same vGPU in domain {}", clipped(&rival.owner))
                    }
                    ConflictKind::Name => "the other domain with this name".to_owned(),
                };
                let elsewhere = Related {
                    file: Some(rival.file.clone()),
                    span: rival.span.clone(),
                    start: rival.start,
                    message,
                    is_removed: false,
                };
                let finding = finding.with_value("other", &*rival.owner);
                found.push(RuleFinding {
                    rule,
                    finding,
                    applicability: None,
                    verdict,
                    elsewhere: Some(elsewhere),
                    template: None,
                });
            }
            summary.push(claim);
        }
    }
    (found, summary)
}
