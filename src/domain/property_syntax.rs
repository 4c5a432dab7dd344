//! The property syntax that each libvirt release supports. libvirt has no elements for most of what
//! GVT-g needs, and the ways to pass properties to QEMU changed three times.

use super::Domain;
use crate::version::Version;

/// The syntax in which a missing property is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertySyntax {
    /// `-set device.ALIAS.PROPERTY=VALUE`, with the capability to delete so that it reaches the
    /// device; `None` if no capability has to be deleted.
    Set(Option<&'static str>),
    /// A `<qemu:override>`, or an attribute of the hostdev if libvirt has one.
    Override,
}

/// The syntax that a libvirt release supports (measured on 7.0, 9.0, 11.3 and 12.8; libvirt NEWS of
/// 7.9, 8.0, 8.1, 8.2 and 8.5 for the rest).
pub fn property_syntax_for(libvirt: Version) -> PropertySyntax {
    if override_works(libvirt) {
        PropertySyntax::Override
    } else {
        PropertySyntax::Set(json_capability(libvirt))
    }
}

/// The capability that makes this libvirt release write `-device` as JSON; `None` if it does not
/// (libvirt NEWS of 7.9, 8.0, 8.1).
pub fn json_capability(libvirt: Version) -> Option<&'static str> {
    match libvirt {
        version if version < Version::new(7, 9, 0) => None,
        version if version < Version::new(8, 0, 0) => Some("device.json"),
        version if version < Version::new(8, 1, 0) => None,
        _ => Some("device.json+hotplug"),
    }
}

/// Whether `<qemu:override>` works: libvirt has had it since 8.2.0, but an override that adds a
/// property crashes libvirt up to 8.4 (NEWS 8.5.0).
pub fn override_works(libvirt: Version) -> bool {
    libvirt >= Version::new(8, 5, 0)
}

impl Domain<'_> {
    /// Whether `-set` reaches host devices. It does not reach devices that libvirt writes as JSON,
    /// unless the capability for that is deleted.
    pub fn set_reaches(&self) -> bool {
        *self.cache.set_reaches.get_or_init(|| match json_capability(self.settings.libvirt) {
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

    /// The syntax in which missing properties of the vGPU are added to this document: that of the
    /// libvirt release, but `-set` if the document uses it and it works.
    pub fn property_syntax(&self) -> PropertySyntax {
        match property_syntax_for(self.settings.libvirt) {
            PropertySyntax::Override
                if self.set_reaches() && !self.vgpu_properties().sets.is_empty() =>
            {
                PropertySyntax::Set(None)
            }
            PropertySyntax::Set(_) if self.set_reaches() => PropertySyntax::Set(None),
            syntax => syntax,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::testing::with_domain;

    #[test]
    fn set_and_override_reach_devices_by_libvirt_release() {
        let deleted =
            "<qemu:capabilities><qemu:del capability='device.json+hotplug'/></qemu:capabilities>";
        for (libvirt, set_reaches, set_reaches_with_deletion, override_reaches) in [
            ("7.8", true, true, false),
            ("7.9", false, false, false),
            ("8.0", true, true, false),
            ("8.1", false, true, false),
            ("8.4.0", false, true, false),
            ("8.5", false, true, true),
            ("newest", false, true, true),
        ] {
            assert_eq!(
                with_domain("", "", libvirt, |domain| (
                    domain.set_reaches(),
                    domain.override_reaches()
                )),
                (set_reaches, override_reaches),
                "{libvirt}"
            );
            assert_eq!(
                with_domain("", deleted, libvirt, |domain| domain.set_reaches()),
                set_reaches_with_deletion,
                "{libvirt}"
            );
        }
    }
}
