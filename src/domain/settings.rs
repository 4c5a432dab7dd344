//! The settings for one document. An explicit setting (a flag) overrides the document; a
//! configuration and the defaults only provide what the document does not set.

use std::fmt;

use uuid::Uuid;

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

/// Settings that the document can also contain; `None` if the user did not set one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingOverrides {
    /// The vGPU's type, like `i915-GVTg_V5_4`, recorded in the metadata.
    pub vgpu_type: Option<String>,
    /// The PCI address of the Intel GPU, recorded in the metadata.
    pub pci: Option<String>,
    /// The value of QEMU's `-display`.
    pub display: Option<String>,
    /// The environment variable DISPLAY.
    pub display_env: Option<String>,
    /// The environment variable GDK_SCALE.
    pub gdk_scale: Option<String>,
    /// The vGPU's alias.
    pub alias: Option<String>,
    /// The option ROM for UEFI guests.
    pub romfile: Option<String>,
    /// The audio backend for sound that SPICE carried: a type of `<audio>`, and its attributes.
    pub audio: Option<Audio>,
}

/// An audio backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    /// The `type` of `<audio>`.
    pub backend: String,
    /// Further attributes of `<audio>`, as names and values.
    pub attributes: Vec<(String, String)>,
}

impl fmt::Display for Audio {
    /// Writes it as the flag does: the type, then each attribute after a comma.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.backend)?;
        self.attributes.iter().try_for_each(|(name, value)| write!(formatter, ",{name}={value}"))
    }
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

    /// The user's setting: the explicit one, else the fallback.
    pub fn wish<'s, T: ?Sized>(
        &'s self,
        get: impl Fn(&'s SettingOverrides) -> Option<&'s T>,
    ) -> Option<&'s T> {
        get(&self.explicit).or_else(|| get(&self.fallback))
    }

    /// The value of QEMU's `-display`: the user's, else the guide's `gtk,gl=on`.
    pub fn display(&self) -> &str {
        self.wish(|overrides| overrides.display.as_deref()).unwrap_or("gtk,gl=on")
    }

    /// The value of DISPLAY: the user's, else `:0`, a machine's first X display.
    pub fn display_env(&self) -> &str {
        self.wish(|overrides| overrides.display_env.as_deref()).unwrap_or(":0")
    }

    /// The value of GDK_SCALE: the user's, else the guide's `1.0`.
    pub fn gdk_scale(&self) -> &str {
        self.wish(|overrides| overrides.gdk_scale.as_deref()).unwrap_or("1.0")
    }

    /// The vGPU's alias: the user's, else this program's default.
    pub fn alias(&self) -> &str {
        self.wish(|overrides| overrides.alias.as_deref()).unwrap_or("ua-gvtg")
    }

    /// The GPU's PCI address: the user's, else the address of Intel's integrated GPUs.
    pub fn pci(&self) -> &str {
        self.wish(|overrides| overrides.pci.as_deref()).unwrap_or("0000:00:02.0")
    }

    /// The user's audio backend.
    pub fn audio(&self) -> Option<&Audio> {
        self.wish(|overrides| overrides.audio.as_ref())
    }

    /// The value of the setting with this name that overrides the document's. Returns `None` for an
    /// unknown name and `Some(None)` for a setting that is not set explicitly.
    pub fn asked(&self, name: &str) -> Option<Option<String>> {
        let switch = |is_on: bool| is_on.then(String::new);
        Some(match name {
            "uuid" => self.uuid.map(|uuid| uuid.to_string()),
            "keep-video" => switch(self.keep_video),
            name => return self.explicit.value(name),
        })
    }

    /// The user's value of the setting with this name: the explicit one, else the fallback. Returns
    /// `None` for an unknown name and `Some(None)` for a setting that is not set.
    pub fn wished(&self, name: &str) -> Option<Option<String>> {
        let explicit = self.asked(name)?;
        Some(explicit.or_else(|| self.fallback.value(name).flatten()))
    }
}

impl SettingOverrides {
    /// The value of the setting with this name; `None` for an unknown name.
    fn value(&self, name: &str) -> Option<Option<String>> {
        Some(match name {
            "type" => self.vgpu_type.clone(),
            "pci" => self.pci.clone(),
            "display" => self.display.clone(),
            "display-env" => self.display_env.clone(),
            "gdk-scale" => self.gdk_scale.clone(),
            "alias" => self.alias.clone(),
            "romfile" => self.romfile.clone(),
            "audio" => self.audio.as_ref().map(|audio| audio.backend.clone()),
            _ => return None,
        })
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
