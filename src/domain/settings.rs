//! The settings for one document. An explicit setting (a flag) overrides the document; a
//! configuration and the defaults only provide what the document does not set.

use uuid::Uuid;

use super::setting_overrides::{Audio, OVERRIDE_FIELDS, SettingOverrides, default_value};
use crate::text::Applicability;
use crate::version::Version;

/// UUID namespace for all names that this program generates: v5 of the URL namespace over
/// `urn:gvtg-xml:1`.
pub const UUID_NAMESPACE: Uuid = Uuid::from_u128(0x7baf010d_5e6c_56bf_8e56_a3880d996173);

/// XML namespace of this program's element in `<metadata>`, where libvirt keeps data of other
/// applications.
pub const METADATA_NAMESPACE: &str = "urn:gvtg-xml:1";

/// Settings for a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The libvirt release that will read the document.
    pub libvirt: Version,
    /// The vGPU's UUID.
    pub uuid: Option<Uuid>,
    /// Settings that override the document's.
    pub explicit: SettingOverrides,
    /// Settings used where neither `explicit` nor the document sets a value.
    pub fallback: SettingOverrides,
    /// Whether a `<video>` is kept, for installing the guest.
    pub keep_video: bool,
    /// Whether unsafe fixes, which may remove something the user wants, are applied.
    pub unsafe_fixes: bool,
    /// Whether the user named this document explicitly; one found in a folder may have nothing to
    /// do with GVT-g.
    pub explicitly_named: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            libvirt: Version::NEWEST,
            uuid: None,
            explicit: SettingOverrides::default(),
            fallback: SettingOverrides::default(),
            keep_video: false,
            unsafe_fixes: false,
            explicitly_named: true,
        }
    }
}

impl Settings {
    /// The least safe kind of fix that is applied.
    pub fn applicability(&self) -> Applicability {
        if self.unsafe_fixes { Applicability::Unsafe } else { Applicability::Safe }
    }

    /// The value of QEMU's `-display`: the user's, else the guide's `gtk,gl=on`.
    pub fn display(&self) -> &str {
        self.effective_value("display").unwrap_or("")
    }

    /// The vGPU's alias: the user's, else this program's default.
    pub fn alias(&self) -> &str {
        self.effective_value("alias").unwrap_or("")
    }

    /// The GPU's PCI address: the user's, else the address of Intel's integrated GPUs.
    pub fn pci(&self) -> &str {
        self.effective_value("pci").unwrap_or("")
    }

    /// The user's option ROM.
    pub fn romfile(&self) -> Option<&str> {
        self.effective_value("romfile")
    }

    /// The user's audio backend.
    pub fn audio(&self) -> Option<&Audio> {
        self.explicit.audio.as_ref().or(self.fallback.audio.as_ref())
    }

    /// The value of the setting with this name if it is explicit, so that it overrides the
    /// document's; empty for a switch that is on.
    pub fn explicit_value(&self, name: &str) -> Option<String> {
        match name {
            "uuid" => self.uuid.map(|uuid| uuid.to_string()),
            "keep-video" => self.keep_video.then(String::new),
            name => self.explicit.value(name).map(str::to_owned),
        }
    }

    /// The value of the setting with this name for a document that does not set it: the explicit
    /// value, the fallback or the default.
    pub fn effective_value(&self, name: &str) -> Option<&str> {
        let fallback = || self.fallback.value(name);
        self.explicit.value(name).or_else(fallback).or_else(|| default_value(name))
    }

    /// Whether the user set the setting with this name, explicitly or as a fallback.
    pub fn is_set(&self, name: &str) -> bool {
        self.explicit_value(name).is_some() || self.fallback.value(name).is_some()
    }

    /// Whether an explicit setting has this value.
    pub fn has_explicit_value(&self, value: &str) -> bool {
        OVERRIDE_FIELDS.iter().any(|field| self.explicit.text(field.name) == Some(value))
            || self.uuid.is_some_and(|uuid| uuid.to_string() == value)
    }

    /// Sets the setting with this name explicitly, to a value that its parser accepts; a switch is
    /// on unless the value is `false`.
    pub fn set(&mut self, name: &str, value: &str) {
        match name {
            "libvirt" => self.libvirt = value.parse().unwrap_or(self.libvirt),
            "uuid" => self.uuid = Uuid::parse_str(value).ok(),
            "keep-video" => self.keep_video = value != "false",
            "unsafe-fixes" => self.unsafe_fixes = value != "false",
            name => self.explicit.set(name, value),
        }
    }

    /// Sets the setting with this name like [`Settings::set`], but so that the document's value
    /// takes precedence, if it can have one.
    pub fn set_fallback(&mut self, name: &str, value: &str) {
        match name {
            "libvirt" | "uuid" | "keep-video" | "unsafe-fixes" => self.set(name, value),
            name => self.fallback.set(name, value),
        }
    }
}

/// The UUID of a domain's vGPU if nothing sets another. It depends only on the arguments, so it is
/// the same on every machine.
///
/// `domain` is the domain's UUID, or its name if it has no UUID; `index` is the 1-based number of
/// the vGPU.
pub fn derived_uuid(domain: &str, index: usize) -> Uuid {
    let domain =
        Uuid::parse_str(domain).map_or_else(|_| domain.to_owned(), |uuid| uuid.to_string());
    let name = if index > 1 { format!("{domain}/{index}") } else { domain };
    Uuid::new_v5(&UUID_NAMESPACE, name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuid_namespace_is_derived_from_the_metadata_namespace() {
        assert_eq!(
            UUID_NAMESPACE,
            Uuid::new_v5(&Uuid::NAMESPACE_URL, METADATA_NAMESPACE.as_bytes())
        );
    }

    #[test]
    fn derived_uuid_does_not_depend_on_notation() {
        let uuid = derived_uuid("C1B2E3D4-0000-4000-8000-000000000001", 1);
        assert_eq!(uuid, derived_uuid("c1b2e3d4000040008000000000000001", 1));
        assert_ne!(uuid, derived_uuid("c1b2e3d4-0000-4000-8000-000000000001", 2));
        assert_ne!(derived_uuid("win10", 1), derived_uuid("win11", 1));
    }
}
