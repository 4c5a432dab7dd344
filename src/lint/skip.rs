//! Which documents a run skips if the user did not name them.

use std::fmt;

use crate::domain::{Domain, Settings};
use crate::xml;

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

/// Returns why a document is not a domain, without parsing it; `None` if it is or should be one.
///
/// A domain that cannot be read still counts as one, whatever its encoding and with or without a
/// document type declaration, because its error is worth knowing.
pub fn skip_reason(bytes: &[u8]) -> Option<Foreign> {
    match xml::root_name(bytes).as_deref() {
        Some("domain") => {}
        Some(_) => return Some(Foreign::NotADomain),
        None => return Some(Foreign::NotXml),
    }
    let text = xml::decode(bytes).ok()?;
    if is_in_a_foreign_namespace(text) { Some(Foreign::NotADomain) } else { None }
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

/// Whether something in a domain shows that it uses GVT-g. The settings show nothing, although a
/// requested uuid decides which vGPU is the primary one.
pub(crate) fn uses_gvtg(domain: &Domain<'_>) -> bool {
    let has_sign = |domain: &Domain<'_>| {
        domain.vgpu.is_some_and(|vgpu| vgpu.attribute("model") == Some("vfio-pci"))
            || domain.raw_vgpu.is_some()
            || domain.has_gvtg_sign()
    };
    match domain.settings.uuid {
        None => has_sign(domain),
        Some(_) => has_sign(&Domain::new(domain.document, &Settings::default())),
    }
}
