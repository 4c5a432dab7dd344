//! What the user wants. A flag replaces what the document says; a configuration and the defaults
//! only fill in what it does not say.

use std::fmt;

use uuid::Uuid;

use crate::edit::Applicability;
use crate::version::Version;

/// The namespace of all names that this program makes: v5 of the URL namespace over
/// `urn:gvtg-xml:1`.
pub const UUID_NAMESPACE: Uuid = Uuid::from_u128(0x7baf010d_5e6c_56bf_8e56_a3880d996173);

/// The namespace of the `<metadata>` element in which libvirt keeps what it has no place for.
pub const METADATA_NAMESPACE: &str = "urn:gvtg-xml:1";

/// What the user wants of a document.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The libvirt that will read the document.
    pub libvirt: Version,
    /// The vGPU's uuid.
    pub uuid: Option<Uuid>,
    /// What replaces what the document says.
    pub explicit: SettingOverrides,
    /// What fills in what neither `asked` nor the document says.
    pub fallback: SettingOverrides,
    /// Whether a `<video>` stays, for the guest's installation.
    pub keep_video: bool,
    /// Whether fixes that may lose something are applied.
    pub unsafe_fixes: bool,
    /// Whether somebody named the document, so that it is meant; one that a run met in a folder may
    /// have nothing to do with GVT-g.
    pub explicitly_named: bool,
}

/// What a document may say too; None where the user did not say.
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
    /// The audio backend for sound that spice carried: a type of `<audio>`, and attributes of it.
    pub audio: Option<Audio>,
}

/// An audio backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    /// The `type` of `<audio>`.
    pub backend: String,
    /// Further attributes of `<audio>`.
    pub attributes: Vec<(String, String)>,
}

impl fmt::Display for Audio {
    /// As the flag has it: the type, and each attribute behind a comma.
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
    /// The least sure fixes that are made.
    pub fn applicability(&self) -> Applicability {
        if self.unsafe_fixes { Applicability::Unsafe } else { Applicability::Safe }
    }

    /// What the user says of a wish, whether it replaces what the document says or only fills it
    /// in.
    pub fn wish<'s, T: ?Sized>(
        &'s self,
        of: impl Fn(&'s SettingOverrides) -> Option<&'s T>,
    ) -> Option<&'s T> {
        of(&self.explicit).or_else(|| of(&self.fallback))
    }

    /// QEMU's display: the one wished for, else the guide's.
    pub fn display(&self) -> &str {
        self.wish(|wishes| wishes.display.as_deref()).unwrap_or("gtk,gl=on")
    }

    /// DISPLAY: the one wished for, else a machine's first.
    pub fn display_env(&self) -> &str {
        self.wish(|wishes| wishes.display_env.as_deref()).unwrap_or(":0")
    }

    /// GDK_SCALE: the one wished for, else the guide's.
    pub fn gdk_scale(&self) -> &str {
        self.wish(|wishes| wishes.gdk_scale.as_deref()).unwrap_or("1.0")
    }

    /// The vGPU's alias: the one wished for, else our own.
    pub fn alias(&self) -> &str {
        self.wish(|wishes| wishes.alias.as_deref()).unwrap_or("ua-gvtg")
    }

    /// The GPU's PCI address: the one wished for, else where Intel's integrated GPUs are.
    pub fn pci(&self) -> &str {
        self.wish(|wishes| wishes.pci.as_deref()).unwrap_or("0000:00:02.0")
    }

    /// The audio backend wished for.
    pub fn audio(&self) -> Option<&Audio> {
        self.wish(|wishes| wishes.audio.as_ref())
    }

    /// The setting of this name, if it is to replace what the document says. `Some(None)` is one
    /// that nobody said so of, None a name that no setting has.
    pub fn asked(&self, name: &str) -> Option<Option<String>> {
        let flag = |on: bool| on.then(String::new);
        Some(match name {
            "uuid" => self.uuid.map(|uuid| uuid.to_string()),
            "keep-video" => flag(self.keep_video),
            name => return self.explicit.value(name),
        })
    }

    /// The setting of this name as the user said it, whether it replaces what the document says or
    /// only fills it in. `Some(None)` is one that the user did not say, None a name that no setting
    /// has.
    pub fn wished(&self, name: &str) -> Option<Option<String>> {
        let asked = self.asked(name)?;
        Some(asked.or_else(|| self.fallback.value(name).flatten()))
    }
}

impl SettingOverrides {
    /// The wish of this name; None for a name that no wish has.
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

/// The uuid that this program gives to a domain's vGPU where nobody says another: the same on any
/// machine and any day.
///
/// `domain` is the domain's uuid, or its name where it has none; `index` is 1 for the first vGPU.
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
    fn the_namespace_is_the_published_one() {
        assert_eq!(
            UUID_NAMESPACE,
            Uuid::new_v5(&Uuid::NAMESPACE_URL, METADATA_NAMESPACE.as_bytes())
        );
    }

    #[test]
    fn a_domain_has_one_uuid_however_it_is_written() {
        let uuid = derived_uuid("C1B2E3D4-0000-4000-8000-000000000001", 1);
        assert_eq!(uuid, derived_uuid("c1b2e3d4000040008000000000000001", 1));
        assert_ne!(uuid, derived_uuid("c1b2e3d4-0000-4000-8000-000000000001", 2));
        assert_ne!(derived_uuid("win10", 1), derived_uuid("win11", 1));
    }
}
