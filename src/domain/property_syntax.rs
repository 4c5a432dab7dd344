//! What a libvirt release reads: it has no element for most of what GVT-g needs, and the means to
//! say it changed three times.

use super::Domain;
use crate::version::Version;

/// What to write a missing property as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertySyntax {
    /// `-set device.ALIAS.PROPERTY=VALUE`, and the capability to delete so that it reaches the
    /// device.
    Set(Option<&'static str>),
    /// `<qemu:override>`, or an attribute of the hostdev where libvirt has one.
    Override,
}

/// What a libvirt release reads (measured on 7.0, 9.0, 11.3 and 12.8; libvirt NEWS of 7.9, 8.0,
/// 8.1, 8.2 and 8.5 for the rest).
pub fn property_syntax_for(libvirt: Version) -> PropertySyntax {
    if override_works(libvirt) {
        PropertySyntax::Override
    } else {
        PropertySyntax::Set(json_capability(libvirt))
    }
}

/// Which capability makes this libvirt write `-device` as JSON; None where it doesn't (libvirt NEWS
/// of 7.9, 8.0, 8.1).
pub fn json_capability(libvirt: Version) -> Option<&'static str> {
    match libvirt {
        version if version < Version::new(7, 9, 0) => None,
        version if version < Version::new(8, 0, 0) => Some("device.json"),
        version if version < Version::new(8, 1, 0) => None,
        _ => Some("device.json+hotplug"),
    }
}

/// libvirt has `<qemu:override>` since 8.2.0; an override that adds a property crashes it up to 8.4
/// (NEWS 8.5.0).
pub fn override_works(libvirt: Version) -> bool {
    libvirt >= Version::new(8, 5, 0)
}

impl Domain<'_> {
    /// Whether `-set` reaches host devices: libvirt writes them as JSON, which it can't reach,
    /// unless a capability is deleted.
    pub fn set_reaches(&self) -> bool {
        *self.answers.set_reaches.get_or_init(|| match json_capability(self.settings.libvirt) {
            None => true,
            Some(capability) => self
                .deleted_capabilities
                .iter()
                .any(|del| del.attribute("capability") == Some(capability)),
        })
    }

    /// Whether `<qemu:override>` reaches devices.
    pub fn override_reaches(&self) -> bool {
        override_works(self.settings.libvirt)
    }

    /// The form in which this document's vGPU gets what it lacks: the libvirt's, but `-set` where
    /// the document has made it work.
    pub fn form(&self) -> PropertySyntax {
        match property_syntax_for(self.settings.libvirt) {
            PropertySyntax::Override if self.set_reaches() && !self.addressed().sets.is_empty() => {
                PropertySyntax::Set(None)
            }
            PropertySyntax::Set(_) if self.set_reaches() => PropertySyntax::Set(None),
            form => form,
        }
    }
}
