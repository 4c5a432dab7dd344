//! Findings of the last readable text that still apply while the text is being edited.

use std::ops::Range;

use crate::lint::Diagnostic;

/// Keeps the findings of an old version that still apply to the new one. The versions are assumed
/// to differ only in one region between a common beginning and a common end.
pub fn keep_findings(
    findings: &[Diagnostic<'static>],
    old: &str,
    new: &str,
) -> Vec<Diagnostic<'static>> {
    let is_equal = |(left, right): &(u8, u8)| left == right;
    // If the inserted text repeats its surroundings, the common beginning and end overlap; each is
    // used at its full length.
    let prefix_end = old.bytes().zip(new.bytes()).take_while(is_equal).count();
    let suffix_start =
        old.len() - old.bytes().rev().zip(new.bytes().rev()).take_while(is_equal).count();
    let kept_end = findings
        .iter()
        .map(|finding| finding.span.end)
        .filter(|end| *end <= prefix_end)
        .max()
        .unwrap_or(0);
    let move_span = |span: &Range<usize>| {
        let shift = |offset: usize| (offset + new.len()).checked_sub(old.len());
        if span.end <= prefix_end {
            Some(span.clone())
        } else if span.start >= suffix_start {
            // Of two identical pieces of text, one may have been deleted.
            shift(span.start)
                .filter(|start| *start >= kept_end)
                .map(|start| start..start + span.len())
        } else {
            None
        }
    };
    let keep = |finding: &Diagnostic<'static>| {
        let mut finding = Diagnostic { span: move_span(&finding.span)?, ..finding.clone() };
        finding.related.retain_mut(|related| {
            move_span(&related.span).map(|span| related.span = span).is_some()
        });
        Some(finding)
    };
    findings.iter().filter_map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Settings;
    use crate::lint::Linter;
    use crate::rules::{RuleSet, builtin};

    #[test]
    fn findings_move_with_their_text() {
        let text = "<domain type='kvm'><devices/></domain>";
        let (rules, settings) = (RuleSet::all(builtin()), Settings::default());
        let findings = &Linter::new(&rules, &settings).lint(text).unwrap().open;
        let span = |findings: Vec<Diagnostic<'static>>| {
            findings.first().map(|finding| finding.span.clone())
        };
        let place = findings[0].span.clone();
        assert_eq!(
            span(keep_findings(findings, text, &format!("\n\n{}", text))),
            Some(place.start + 2..place.end + 2)
        );
        assert_eq!(span(keep_findings(findings, text, "")), None);
        let doubled = text.replacen("<devices", "<<devices", 1);
        assert_eq!(
            span(keep_findings(findings, text, &doubled)),
            Some(place.start + 1..place.end + 1),
            "what is typed may look alike"
        );
        let changed = text.replacen("<devices", "<dev ices", 1);
        assert_eq!(span(keep_findings(findings, text, &changed)), None, "its own text changed");
        assert_eq!(span(keep_findings(findings, text, text)), Some(place));
    }
}
