//! Lint and fix: pure functions of a text, the rules and the settings. Everything else is a face on
//! these two.

use std::fmt;

use crate::change::EditPlanner;
use crate::cross_file::{Claims, Summary};
use crate::diagnostic::{Detail, Diagnostic};
use crate::domain::{self, Domain};
use crate::edit::{Applicability, Edits};
use crate::rules::RuleSet;
use crate::settings::Settings;
use crate::source::Source;
use crate::xml::{self, XmlError};

mod add_suppressions;
mod cross_file;
mod findings;
mod fix;
mod fix_result;
mod pass;
mod remap;
mod removals;
mod suppression_lints;

pub use add_suppressions::{Suppressed, suppress, suppress_with_others, suppressing_edits};
use cross_file::beside;
use findings::{Picture, RuleFinding, diagnostics, find};
pub use fix::{fix, fix_with_others};
pub use fix_result::{FixError, Fixed, Guest};
use suppression_lints::unused;

/// What a small text may get whatever its size.
const SMALL_TEXT: usize = 256 << 10;

/// What the rules find in a text, in its order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Findings<'r> {
    /// What counts.
    pub open: Vec<Diagnostic<'r>>,
    /// What the text says is to be ignored, without edits.
    pub suppressed: Vec<Diagnostic<'r>>,
    /// What the domain claims, where it is one of several.
    pub summary: Summary,
}

/// Everything that the rules find, but what the text says is to be ignored, in the order of the
/// text.
///
/// ```
/// use gvtg_xml::lint::lint;
/// use gvtg_xml::rules::{RuleSet, builtin};
/// use gvtg_xml::settings::Settings;
///
/// let text = "<domain type='kvm'>\n  <devices>\n    <graphics type='vnc'/>\n  </devices>\n</domain>\n";
/// let findings = lint(text, &RuleSet::all(builtin()), &Settings::default())?;
/// let graphics = findings.iter().find(|finding| finding.rule.id == "stray-graphics").ok_or("not found")?;
/// assert_eq!(&text[graphics.span.clone()], "<graphics type='vnc'/>");
/// assert_eq!(graphics.message, "<graphics type='vnc'> does not show the vGPU");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A text that is no domain XML: where, why, and what to do.
pub fn lint<'r>(
    text: &str,
    rules: &RuleSet<'r>,
    settings: &Settings,
) -> Result<Vec<Diagnostic<'r>>, XmlError> {
    lint_all(text, rules, settings, Detail::Edits).map(|findings| findings.open)
}

/// The same for whoever shows no edits: working them out is most of the time of a finding.
///
/// # Errors
/// Those of [`lint`].
pub fn lint_without_edits<'r>(
    text: &str,
    rules: &RuleSet<'r>,
    settings: &Settings,
) -> Result<Vec<Diagnostic<'r>>, XmlError> {
    lint_all(text, rules, settings, Detail::Words).map(|findings| findings.open)
}

/// Everything that the rules find, what is to be ignored too, in as much detail as somebody looks
/// at.
///
/// # Errors
/// Those of [`lint`].
pub fn lint_all<'r>(
    text: &str,
    rules: &RuleSet<'r>,
    settings: &Settings,
    detail: Detail,
) -> Result<Findings<'r>, XmlError> {
    lint_with_others(&Source::new("", text), rules, settings, detail, None)
}

/// The same for a document that is one of several: what it has in common with `others`, those that
/// were looked at before, and must not. Whoever goes on to the next adds the summary to them.
///
/// ```
/// use gvtg_xml::across::Claims;
/// use gvtg_xml::diagnostic::Detail;
/// use gvtg_xml::lint::lint_with_others;
/// use gvtg_xml::rules::{RuleSet, builtin};
/// use gvtg_xml::settings::Settings;
/// use gvtg_xml::source::Source;
///
/// let domain = |name: &str| {
///     let vgpu = "<source><address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></source>";
///     format!("<domain><name>{name}</name><devices><hostdev type='mdev' model='vfio-pci'>{vgpu}</hostdev></devices></domain>")
/// };
/// let (rules, settings) = (RuleSet::all(builtin()), Settings::default());
/// let mut others = Claims::default();
/// for (name, is_found) in [("win10", false), ("win11", true)] {
///     let findings = lint_with_others(&Source::new(name, &domain(name)), &rules, &settings, Detail::Words, Some(&others))?;
///     assert_eq!(findings.open.iter().any(|finding| finding.rule.id == "shared-vgpu"), is_found);
///     others.add(name, findings.summary);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Those of [`lint`].
pub fn lint_with_others<'r>(
    source: &Source<'_>,
    rules: &RuleSet<'r>,
    settings: &Settings,
    detail: Detail,
    others: Option<&Claims>,
) -> Result<Findings<'r>, XmlError> {
    domain::read_source(source, settings, |domain| {
        let (mut found, mut suppressions) = find(domain, rules, detail, Picture::Replaceable);
        let (shared, summary) = beside(domain, rules, others, &mut suppressions);
        found.extend(shared);
        let unused = unused(domain, rules, &found, &mut suppressions);
        found.extend(unused);
        let composer = (detail == Detail::Edits).then(|| EditPlanner::new(domain));
        to_findings(domain, &found, detail, composer.as_ref(), summary)
    })
}

/// What was found, as the outside sees it.
fn to_findings<'d, 'r>(
    domain: &Domain<'d>,
    found: &[RuleFinding<'d, 'r>],
    detail: Detail,
    composer: Option<&EditPlanner<'_, 'd>>,
    summary: Summary,
) -> Findings<'r> {
    let part = |is_suppressed: bool| {
        found.iter().filter(move |found| found.is_suppressed() == is_suppressed)
    };
    Findings {
        open: diagnostics(domain, part(false), detail, composer),
        suppressed: diagnostics(domain, part(true), detail, None),
        summary,
    }
}

/// The edits that mend together all that one rule finds beside the others, as far as that is safe.
///
/// # Errors
/// Those of [`lint`].
pub fn edits_for(
    rule: &str,
    text: &str,
    rules: &RuleSet<'_>,
    settings: &Settings,
) -> Result<Edits, XmlError> {
    domain::read(text, settings, |domain| {
        let (found, mut suppressions) = find(domain, rules, Detail::Edits, Picture::Replaceable);
        let unused = unused(domain, rules, &found, &mut suppressions);
        let picked = found
            .iter()
            .chain(&unused)
            .filter(|found| found.rule.id == rule && found.is_fixable(Applicability::Safe));
        EditPlanner::new(domain).edits(picked.flat_map(|found| found.changes()))
    })
}

/// The reason why a document that a run found is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Foreign {
    /// It is not XML as far as can be told: plain text, or binary data. A file that should be XML
    /// may be damaged.
    NotXml,
    /// It is XML of another kind.
    NotADomain,
    /// It is a domain without a sign of GVT-g.
    NoSign,
}

impl fmt::Display for Foreign {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Foreign::NotXml | Foreign::NotADomain => "it is not a domain",
            Foreign::NoSign => "it is a domain that does not use GVT-g",
        })
    }
}

/// Returns why a document that the user did not name as a domain is skipped; None for one that is
/// looked at.
///
/// A domain is looked at if it has a sign of GVT-g, or with `all` in any case. So is one that can't
/// be read, whatever its encoding and whether or not it has a document type declaration: its error
/// is worth knowing.
pub fn skip_reason(bytes: &[u8], all: bool) -> Option<Foreign> {
    match xml::root_name(bytes).as_deref() {
        Some("domain") => {}
        Some(_) => return Some(Foreign::NotADomain),
        None => return Some(Foreign::NotXml),
    }
    let text = xml::decode(bytes).ok()?;
    if is_in_a_foreign_namespace(text) {
        return Some(Foreign::NotADomain);
    }
    let speaks_of_gvtg = |domain: &Domain<'_>| {
        domain.vgpu.is_some_and(|vgpu| vgpu.attribute("model") == Some("vfio-pci"))
            || domain.raw_vgpu.is_some()
            || domain.has_gvtg_sign()
    };
    let has_sign = || domain::read(text, &Settings::default(), speaks_of_gvtg).unwrap_or(true);
    (!all && !has_sign()).then_some(Foreign::NoSign)
}

/// Whether the root element belongs to another vocabulary that has a `<domain>` too. libvirt's own
/// namespaces in its place are a mistake.
fn is_in_a_foreign_namespace(text: &str) -> bool {
    let Some(root) = xml::root_tag(text) else { return false };
    let mut attributes = root.attributes(text);
    let namespace = attributes
        .find(|attribute| &text[attribute.name.clone()] == "xmlns")
        .map(|attribute| &text[attribute.value]);
    namespace.is_some_and(|uri| !uri.is_empty() && !uri.contains("libvirt"))
}
