//! The settings that a document can also contain. The build script includes this file too, to check
//! the names of settings in rule files.

use std::fmt;

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

/// A field of [`SettingOverrides`].
#[derive(Clone, Copy, Debug)]
pub struct OverrideField {
    /// The setting's name.
    pub name: &'static str,
    /// The value that rules write if nothing sets another.
    pub default: Option<&'static str>,
    /// A valid value that hardly any document has.
    pub unusual: &'static str,
}

/// All fields of [`SettingOverrides`]. `alias` is this program's choice; `:0` is a machine's first
/// X display, and `0000:00:02.0` is the address of Intel's integrated GPUs.
pub const OVERRIDE_FIELDS: &[OverrideField] = &[
    OverrideField { name: "type", default: None, unusual: "i915-GVTg_V5_4" },
    OverrideField { name: "pci", default: Some("0000:00:02.0"), unusual: "0000:00:1f.7" },
    OverrideField { name: "display", default: Some("gtk,gl=on"), unusual: "sdl,gl=core" },
    OverrideField { name: "display-env", default: Some(":0"), unusual: ":99" },
    OverrideField { name: "gdk-scale", default: Some("1.0"), unusual: "9.5" },
    OverrideField { name: "alias", default: Some("ua-gvtg"), unusual: "ua-gvtg-other" },
    OverrideField { name: "romfile", default: None, unusual: "/other.rom" },
    OverrideField { name: "audio", default: Some("none"), unusual: "oss" },
];

impl SettingOverrides {
    /// Creates overrides in which every setting has an unusual value.
    pub fn all_unusual() -> Self {
        let mut overrides = SettingOverrides::default();
        OVERRIDE_FIELDS.iter().for_each(|field| overrides.set(field.name, field.unusual));
        overrides
    }

    /// The value of the setting with this name, as rules see it: of audio, the backend.
    pub fn value(&self, name: &str) -> Option<&str> {
        match name {
            "audio" => self.audio.as_ref().map(|audio| audio.backend.as_str()),
            name => self.text(name),
        }
    }

    /// The value of the setting with this name, if it is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        let field = match name {
            "type" => &self.vgpu_type,
            "pci" => &self.pci,
            "display" => &self.display,
            "display-env" => &self.display_env,
            "gdk-scale" => &self.gdk_scale,
            "alias" => &self.alias,
            "romfile" => &self.romfile,
            _ => return None,
        };
        field.as_deref()
    }

    /// Sets the setting with this name to a value that its parser accepts.
    pub fn set(&mut self, name: &str, value: &str) {
        let field = match name {
            "type" => &mut self.vgpu_type,
            "pci" => &mut self.pci,
            "display" => &mut self.display,
            "display-env" => &mut self.display_env,
            "gdk-scale" => &mut self.gdk_scale,
            "alias" => &mut self.alias,
            "romfile" => &mut self.romfile,
            "audio" => return self.audio = Some(Audio::from(value)),
            _ => return,
        };
        *field = Some(value.to_owned());
    }
}

/// The default of the setting with this name.
pub fn default_value(name: &str) -> Option<&'static str> {
    OVERRIDE_FIELDS.iter().find(|field| field.name == name)?.default
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

impl From<&str> for Audio {
    /// Splits a value of the flag, which is valid.
    fn from(text: &str) -> Self {
        let mut parts = text.split(',');
        let backend = parts.next().unwrap_or("").to_owned();
        let attributes = parts
            .filter_map(|part| part.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Audio { backend, attributes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_has_a_field_of_its_own() {
        for field in OVERRIDE_FIELDS {
            let mut overrides = SettingOverrides::default();
            overrides.set(field.name, field.unusual);
            let has_value = |other: &&OverrideField| overrides.value(other.name).is_some();
            let names: Vec<&str> =
                OVERRIDE_FIELDS.iter().filter(has_value).map(|other| other.name).collect();
            assert_eq!(names, [field.name]);
            assert_eq!(overrides.value(field.name), Some(field.unusual));
        }
    }

    #[test]
    fn audio_survives_a_round_trip() {
        for text in ["none", "pulseaudio,serverName=tcp:a=b,timerPeriod=40"] {
            assert_eq!(Audio::from(text).to_string(), text);
        }
    }
}
