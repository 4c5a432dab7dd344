//! Writing down that findings are to be ignored, and nothing else.

use super::cross_file::beside;
use super::findings::{Picture, find};
use crate::cross_file::{Claims, Summary};
use crate::diagnostic::Detail;
use crate::domain;
use crate::edit::Edits;
use crate::rules::{Rule, RuleSet};
use crate::settings::Settings;
use crate::suppress::{SuppressionStyle, edits};
use crate::xml::XmlError;

/// The edits of a text by which each of these findings, the places where they begin and their
/// rules' ids, is to be ignored for a reason that the form
/// [accepts](SuppressionStyle::validate_reason).
///
/// # Errors
/// A text that is no domain XML.
pub fn suppressing_edits(
    text: &str,
    findings: &[(usize, &str)],
    reason: &str,
    form: SuppressionStyle,
    settings: &Settings,
) -> Result<Vec<Edits>, XmlError> {
    domain::read(text, settings, |domain| {
        findings
            .iter()
            .map(|finding| edits(domain, std::slice::from_ref(finding), reason, form))
            .collect()
    })
}

/// What writing it down made of a text.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Suppressed {
    /// The whole document.
    pub text: String,
    /// How many findings are to be ignored that counted before.
    pub count: usize,
    /// What the domain claims, where it is one of several.
    pub summary: Summary,
}

/// So many times more is found, with rules that look at what others remove.
const MAX_PASSES: usize = 10;

/// The text that says of all that rules of these names, or of groups of these, find in it that it
/// is to be ignored, for a reason that the form [accepts](SuppressionStyle::validate_reason). Done
/// again it adds nothing.
///
/// ```
/// use gvtg_xml::lint::{lint, suppress};
/// use gvtg_xml::rules::{RuleSet, builtin};
/// use gvtg_xml::settings::Settings;
/// use gvtg_xml::suppress::SuppressionStyle;
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
/// A text that is no domain XML.
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

/// The same for a document that is one of several: of what it has in common with `others`, those
/// that were looked at before, too. Whoever goes on to the next adds the summary to them.
///
/// # Errors
/// A text that is no domain XML.
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
            let (mut found, mut suppressions) =
                find(domain, rules, Detail::Words, Picture::Replaceable);
            let (shared, summary) = beside(domain, rules, others, &mut suppressions);
            found.extend(shared);
            let is_meant = |rule: &Rule| names.iter().any(|name| rule.matches_name(name));
            let open: Vec<_> = found
                .iter()
                .filter(|found| !found.is_suppressed() && is_meant(found.rule))
                .collect();
            // Those that remove something first: what others find without that may be there no
            // more.
            let first = open.iter().map(|found| found.rule.phase()).min();
            let picked: Vec<(usize, &str)> = open
                .iter()
                .filter(|found| Some(found.rule.phase()) == first)
                .map(|found| (found.finding.span.start, &*found.rule.id))
                .collect();
            let edits = if picked.is_empty() {
                Edits::default()
            } else {
                edits(domain, &picked, reason, form)
            };
            (edits, picked.len(), summary)
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
