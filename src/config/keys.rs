//! The keys of `gvtg-xml.toml`: one table that reading, merging, `gvtg-xml config`, the schema and the README go by. A key has the name of
//! its flag, where there is one.

use std::path::PathBuf;

use super::values;
use crate::rules::schema::Severity;
use crate::settings::Wishes;
use crate::version::Version;

/// What one source says: the flags of a run, or the configuration of a file. None where it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// The libvirt that will read the documents.
    pub libvirt: Option<Version>,
    /// What the documents may say too.
    pub wishes: Wishes,
    /// Whether a `<video>` stays.
    pub keep_video: Option<bool>,
    /// Whether fixes that may lose something are applied.
    pub unsafe_fixes: Option<bool>,
    /// The rules or groups that are asked, and no others.
    pub only: Option<Vec<String>>,
    /// The rules or groups that are not asked.
    pub ignore: Option<Vec<String>>,
    /// The least severity that makes the exit code 1.
    pub fail_on: Option<Severity>,
    /// Whether domains with no sign of GVT-g are looked at too.
    pub all: Option<bool>,
    /// A folder of further rules, from the configuration's own folder if it is relative.
    pub site_rules: Option<PathBuf>,
}

/// A value as a configuration writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(String),
    /// true or false.
    Switch(bool),
    /// An array of strings.
    Names(Vec<String>),
}

/// What a key takes, and where it goes.
#[derive(Debug)]
pub enum Kind {
    /// A string that this takes in.
    Text(fn(&mut Choices, &str) -> Result<(), String>),
    /// true or false.
    Switch(fn(&mut Choices, bool)),
    /// An array of rules and groups of rules.
    Names(fn(&mut Choices, Vec<String>)),
}

/// A key of the configuration.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What it says, in one line.
    pub summary: &'static str,
    /// What holds where nobody says it, in words.
    pub default: &'static str,
    /// A value, as it is written.
    pub example: &'static str,
}

/// All keys that take one value, in the order in which they are told.
pub static KEYS: &[Key] = &[
    Key {
        name: "libvirt",
        kind: Kind::Text(|choices, text| put(&mut choices.libvirt, values::libvirt(text))),
        summary: "The libvirt that will read the domains: a version, `installed`, or `current`",
        default: "current",
        example: "\"9.0\"",
    },
    Key {
        name: "type",
        kind: Kind::Text(|choices, text| put(&mut choices.wishes.vgpu_type, values::vgpu_type(text))),
        summary: "The vGPU's type, recorded in the metadata of domains that record none",
        default: "none is recorded",
        example: "\"i915-GVTg_V5_4\"",
    },
    Key {
        name: "pci",
        kind: Kind::Text(|choices, text| put(&mut choices.wishes.pci, values::pci(text))),
        summary: "The Intel GPU's PCI address, recorded in the metadata of domains that record none",
        default: "0000:00:02.0, not recorded",
        example: "\"0000:00:02.0\"",
    },
    Key {
        name: "display",
        kind: Kind::Text(|choices, text| put(&mut choices.wishes.display, values::display(text))),
        summary: "QEMU's -display; any with gl=on, es or core",
        default: "gtk,gl=on",
        example: "\"sdl,gl=on\"",
    },
    Key {
        name: "display-env",
        kind: Kind::Text(|choices, text| put(&mut choices.wishes.display_env, values::display_env(text))),
        summary: "The X display that QEMU opens its window on",
        default: "$DISPLAY on a pipe if it is like :0, else :0",
        example: "\":1\"",
    },
    Key {
        name: "gdk-scale",
        kind: Kind::Text(|choices, text| put(&mut choices.wishes.gdk_scale, values::gdk_scale(text))),
        summary: "GTK's scale for that window",
        default: "1.0",
        example: "\"2.0\"",
    },
    Key {
        name: "alias",
        kind: Kind::Text(|choices, text| put(&mut choices.wishes.alias, values::alias(text))),
        summary: "The vGPU's alias where it has none of its own",
        default: "ua-gvtg",
        example: "\"ua-vgpu\"",
    },
    Key {
        name: "romfile",
        kind: Kind::Text(|choices, text| put(&mut choices.wishes.romfile, values::romfile(text))),
        summary: "An option ROM for the vGPUs of UEFI guests that have none",
        default: "none",
        example: "\"/usr/share/qemu/vbios_gvt_uefi.rom\"",
    },
    Key {
        name: "audio",
        kind: Kind::Text(|choices, text| put(&mut choices.wishes.audio, values::audio(text))),
        summary: "Where sound goes that SPICE carried, or that has no <audio>: a type of <audio>, and attributes of it",
        default: "nowhere",
        example: "\"pulseaudio,serverName=/run/user/1000/pulse/native\"",
    },
    Key {
        name: "keep-video",
        kind: Kind::Switch(|choices, on| choices.keep_video = Some(on)),
        summary: "Whether <video> stays, for the guest's installation",
        default: "false",
        example: "true",
    },
    Key {
        name: "only",
        kind: Kind::Names(|choices, names| choices.only = Some(names)),
        summary: "The rules or groups of rules that are asked, and no others",
        default: "all",
        example: "[\"display\", \"vgpu-uuid\"]",
    },
    Key {
        name: "ignore",
        kind: Kind::Names(|choices, names| choices.ignore = Some(names)),
        summary: "Rules or groups of rules that are not asked",
        default: "none",
        example: "[\"silent-sound\"]",
    },
    Key {
        name: "fail-on",
        kind: Kind::Text(|choices, text| put(&mut choices.fail_on, values::severity(text))),
        summary: "The least severity that makes the exit code 1: info, warning or error",
        default: "warning",
        example: "\"error\"",
    },
    Key {
        name: "unsafe-fixes",
        kind: Kind::Switch(|choices, on| choices.unsafe_fixes = Some(on)),
        summary: "Whether `fix` also makes fixes that may lose something you want",
        default: "false",
        example: "true",
    },
    Key {
        name: "all",
        kind: Kind::Switch(|choices, on| choices.all = Some(on)),
        summary: "Whether domains in folders are looked at that have no sign of GVT-g",
        default: "false",
        example: "true",
    },
    Key {
        name: "site-rules",
        kind: Kind::Text(|choices, text| {
            choices.site_rules = Some(PathBuf::from(text));
            Ok(())
        }),
        summary: "A folder of further rules, as `--rules` takes it, from the configuration's folder; one with a built-in rule's id replaces that",
        default: "none",
        example: "\"rules\"",
    },
];

/// Puts a value in its place, if it is one.
fn put<T>(place: &mut Option<T>, value: Result<T, String>) -> Result<(), String> {
    *place = Some(value?);
    Ok(())
}

/// The key of this name.
pub fn key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

impl Key {
    /// What it takes, in words.
    pub fn expected(&self) -> &'static str {
        match self.kind {
            Kind::Text(_) => "a string",
            Kind::Switch(_) => "true or false",
            Kind::Names(_) => "an array of strings",
        }
    }

    /// Takes a value in.
    ///
    /// # Errors
    /// What to give instead.
    pub fn apply(&self, value: &Value, choices: &mut Choices) -> Result<(), String> {
        match (&self.kind, value) {
            (Kind::Text(take), Value::Text(text)) => take(choices, text),
            (Kind::Switch(take), Value::Switch(on)) => {
                take(choices, *on);
                Ok(())
            }
            (Kind::Names(take), Value::Names(names)) => {
                take(choices, names.clone());
                Ok(())
            }
            _ => Err(format!("give {}", self.expected())),
        }
    }
}
