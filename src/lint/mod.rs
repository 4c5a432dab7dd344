//! Linting and fixing: pure functions of a text, the rules and the settings. Commands, the language
//! server and the web page only present their results.

use std::fmt;

use crate::domain::{self, Domain, Settings};
use crate::fix::EditPlanner;
use crate::rules::RuleSet;
use crate::text::Source;
use crate::xml::{self, XmlError};

mod add_suppressions;
pub mod claims;
mod cross_file;
mod diagnostic;
mod findings;
mod fix;
mod fix_result;
mod linted_domain;
mod pass;
mod remap;
mod removals;
pub mod suppress;
mod suppression_lints;

pub use add_suppressions::{Suppressed, suppress, suppress_with_others};
use claims::{Claims, Summary};
use cross_file::cross_file_findings;
pub use diagnostic::{Detail, Diagnostic, Fix, Related};
use findings::{Picture, RuleFinding, diagnostics, find};
pub use fix::{fix, fix_with_others};
pub use fix_result::{FixError, Fixed, Guest};
pub use linted_domain::{LintedDomain, with_linted};
use suppression_lints::unused;

/// Bytes that the limits on edits and on growth allow in addition to a multiple of the text's size.
const SMALL_TEXT: usize = 256 << 10;

/// The findings of a document, in the order of its text.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Findings<'r> {
    /// Findings that are not suppressed.
    pub open: Vec<Diagnostic<'r>>,
    /// Findings that the document suppresses; without edits.
    pub suppressed: Vec<Diagnostic<'r>>,
    /// The resources that the domain claims; empty if it is not compared with other documents.
    pub summary: Summary,
}

/// Returns all findings that are not suppressed, in the order of the text.
///
/// ```
/// use gvtg_xml::lint::lint;
/// use gvtg_xml::rules::{RuleSet, builtin};
/// use gvtg_xml::domain::Settings;
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
/// Returns where, why and what to do if the text is not domain XML.
pub fn lint<'r>(
    text: &str,
    rules: &RuleSet<'r>,
    settings: &Settings,
) -> Result<Vec<Diagnostic<'r>>, XmlError> {
    lint_all(text, rules, settings, Detail::Edits).map(|findings| findings.open)
}

/// Like [`lint`], but without computing edits, which takes most of the time of a finding.
///
/// # Errors
/// As for [`lint`].
pub fn lint_without_edits<'r>(
    text: &str,
    rules: &RuleSet<'r>,
    settings: &Settings,
) -> Result<Vec<Diagnostic<'r>>, XmlError> {
    lint_all(text, rules, settings, Detail::Words).map(|findings| findings.open)
}

/// Returns all findings, suppressed ones too, in the given detail.
///
/// # Errors
/// As for [`lint`].
pub fn lint_all<'r>(
    text: &str,
    rules: &RuleSet<'r>,
    settings: &Settings,
    detail: Detail,
) -> Result<Findings<'r>, XmlError> {
    lint_with_others(&Source::new("", text), rules, settings, detail, None)
}

/// Like [`lint_all`], for one of several documents: also finds conflicts with `others`, the claims
/// of the documents before it. The caller adds the returned summary to them.
///
/// ```
/// use gvtg_xml::lint::claims::Claims;
/// use gvtg_xml::lint::Detail;
/// use gvtg_xml::lint::lint_with_others;
/// use gvtg_xml::rules::{RuleSet, builtin};
/// use gvtg_xml::domain::Settings;
/// use gvtg_xml::text::Source;
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
/// As for [`lint`].
pub fn lint_with_others<'r>(
    source: &Source<'_>,
    rules: &RuleSet<'r>,
    settings: &Settings,
    detail: Detail,
    others: Option<&Claims>,
) -> Result<Findings<'r>, XmlError> {
    domain::read_source(source, settings, |domain| {
        let (mut findings, mut suppressions) = find(domain, rules, detail, Picture::Replaceable);
        let (conflicts, summary) = cross_file_findings(domain, rules, others, &mut suppressions);
        findings.extend(conflicts);
        let unused = unused(domain, rules, &findings, &mut suppressions);
        findings.extend(unused);
        let planner = if detail == Detail::Edits { Some(EditPlanner::new(domain)) } else { None };
        to_findings(domain, &findings, detail, planner.as_ref(), summary)
    })
}

/// Converts findings to diagnostics, split into open and suppressed ones.
fn to_findings<'d, 'r>(
    domain: &Domain<'d>,
    findings: &[RuleFinding<'d, 'r>],
    detail: Detail,
    planner: Option<&EditPlanner<'_, 'd>>,
    summary: Summary,
) -> Findings<'r> {
    let with_suppressed = |is_suppressed: bool| {
        findings.iter().filter(move |finding| finding.is_suppressed() == is_suppressed)
    };
    Findings {
        open: diagnostics(domain, with_suppressed(false), detail, planner),
        suppressed: diagnostics(domain, with_suppressed(true), detail, None),
        summary,
    }
}

/// The reason for skipping a document that the user did not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Foreign {
    /// Not recognizable as XML: plain text or binary data. A file that should be XML may be
    /// damaged.
    NotXml,
    /// XML with another root element.
    NotADomain,
    /// A domain without a sign of GVT-g.
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

/// Returns why a document that the user did not name as a domain is skipped; `None` if it is
/// checked.
///
/// A domain is checked if it has a sign of GVT-g, or if `all` is set. A domain that cannot be read
/// is checked too, whatever its encoding and with or without a document type declaration, because
/// its error is worth knowing.
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
    let uses_gvtg = |domain: &Domain<'_>| {
        domain.vgpu.is_some_and(|vgpu| vgpu.attribute("model") == Some("vfio-pci"))
            || domain.raw_vgpu.is_some()
            || domain.has_gvtg_sign()
    };
    let has_sign = || domain::read(text, &Settings::default(), uses_gvtg).unwrap_or(true);
    if all || has_sign() { None } else { Some(Foreign::NoSign) }
}

/// Whether the root element belongs to another vocabulary that also has a `<domain>`. libvirt's own
/// namespaces on the root are mistakes, not another vocabulary.
fn is_in_a_foreign_namespace(text: &str) -> bool {
    let Some(root) = xml::root_tag(text) else { return false };
    let mut attributes = root.attributes(text);
    let namespace = attributes
        .find(|attribute| &text[attribute.name.clone()] == "xmlns")
        .map(|attribute| &text[attribute.value]);
    namespace.is_some_and(|uri| !uri.is_empty() && !uri.contains("libvirt"))
}
