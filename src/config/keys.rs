//! The keys of `gvtg-xml.toml`: one table that reading, merging, `gvtg-xml config`, the schema and
//! docs/settings.md go by. A key has the name of its flag, where there is one.

use std::path::PathBuf;

use super::partial::{PartialConfig, Value};
use crate::setting_parsers;

/// What a key takes, and where it goes.
#[derive(Debug)]
pub enum Kind {
    /// A string that this takes in.
    Text(fn(&mut PartialConfig, &str) -> Result<(), String>),
    /// true or false.
    Switch(fn(&mut PartialConfig, bool)),
    /// An array of rules and groups of rules.
    Names(fn(&mut PartialConfig, Vec<String>)),
}

/// What a schema can say of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Nothing.
    Any,
    /// A regular expression that it matches, as far as one can tell.
    Pattern(&'static str),
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// What a key is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A file: `[[overrides]]` can say it too.
    File,
    /// All files of the configuration.
    All,
}

/// A key of the configuration.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What a source says of it.
    pub get: fn(&PartialConfig) -> Option<Value>,
    /// What it is about.
    pub scope: Scope,
    /// How a string looks.
    pub shape: Shape,
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
        kind: Kind::Text(|choices, text| put(&mut choices.libvirt, setting_parsers::libvirt(text))),
        get: |choices| text(&choices.libvirt),
        scope: Scope::File,
        shape: Shape::Pattern("^(newest|current|installed|[0-9]+(\\.[0-9]+){0,2})$"),
        summary: "The libvirt version that will read the domains: a number, `installed` (the version on this machine), or `newest` (8.5 and later)",
        default: "newest",
        example: "\"9.0\"",
    },
    Key {
        name: "type",
        kind: Kind::Text(|choices, text| {
            put(&mut choices.wishes.vgpu_type, setting_parsers::vgpu_type(text))
        }),
        get: |choices| text(&choices.wishes.vgpu_type),
        scope: Scope::File,
        shape: Shape::Pattern("^i915-GVTg_V[45]_[1248]$"),
        summary: "The vGPU type, recorded in the metadata of domains that do not record one",
        default: "not recorded",
        example: "\"i915-GVTg_V5_4\"",
    },
    Key {
        name: "pci",
        kind: Kind::Text(|choices, text| put(&mut choices.wishes.pci, setting_parsers::pci(text))),
        get: |choices| text(&choices.wishes.pci),
        scope: Scope::File,
        shape: Shape::Pattern("^[0-9a-fA-F]{4}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7]$"),
        summary: "The PCI address of the Intel GPU, recorded in the metadata of domains that do not record one",
        default: "0000:00:02.0, not recorded",
        example: "\"0000:00:02.0\"",
    },
    Key {
        name: "display",
        kind: Kind::Text(|choices, text| {
            put(&mut choices.wishes.display, setting_parsers::display(text))
        }),
        get: |choices| text(&choices.wishes.display),
        scope: Scope::File,
        shape: Shape::Any,
        summary: "QEMU's -display option: gtk or sdl, with gl=on, gl=es or gl=core; or egl-headless",
        default: "gtk,gl=on",
        example: "\"sdl,gl=on\"",
    },
    Key {
        name: "display-env",
        kind: Kind::Text(|choices, text| {
            put(&mut choices.wishes.display_env, setting_parsers::display_env(text))
        }),
        get: |choices| text(&choices.wishes.display_env),
        scope: Scope::File,
        shape: Shape::Pattern("^\\S*:[0-9]+(\\.[0-9]+)?$"),
        summary: "The X display (DISPLAY) on which QEMU opens its window",
        default: "$DISPLAY (for piped input, if it is a local display such as :0), otherwise :0",
        example: "\":1\"",
    },
    Key {
        name: "gdk-scale",
        kind: Kind::Text(|choices, text| {
            put(&mut choices.wishes.gdk_scale, setting_parsers::gdk_scale(text))
        }),
        get: |choices| text(&choices.wishes.gdk_scale),
        scope: Scope::File,
        shape: Shape::Pattern("^([0-9]+\\.?[0-9]*|\\.[0-9]+)$"),
        summary: "The GTK scale of the QEMU window (GDK_SCALE)",
        default: "1.0",
        example: "\"2.0\"",
    },
    Key {
        name: "alias",
        kind: Kind::Text(|choices, text| {
            put(&mut choices.wishes.alias, setting_parsers::alias(text))
        }),
        get: |choices| text(&choices.wishes.alias),
        scope: Scope::File,
        shape: Shape::Pattern("^ua-[A-Za-z0-9_-]+$"),
        summary: "The alias (device ID) for a vGPU that has none of its own",
        default: "ua-gvtg",
        example: "\"ua-vgpu\"",
    },
    Key {
        name: "romfile",
        kind: Kind::Text(|choices, text| {
            put(&mut choices.wishes.romfile, setting_parsers::romfile(text))
        }),
        get: |choices| text(&choices.wishes.romfile),
        scope: Scope::File,
        shape: Shape::Pattern("^/"),
        summary: "The path of an option ROM (GPU firmware) for vGPUs of UEFI guests that have none",
        default: "none",
        example: "\"/usr/share/qemu/vbios_gvt_uefi.rom\"",
    },
    Key {
        name: "audio",
        kind: Kind::Text(|choices, text| {
            put(&mut choices.wishes.audio, setting_parsers::audio(text))
        }),
        get: |choices| text(&choices.wishes.audio),
        scope: Scope::File,
        shape: Shape::Pattern(AUDIO),
        summary: "The audio backend for sound that used SPICE or that has no <audio>: a type of <audio>, optionally with attributes",
        default: "none",
        example: "\"pulseaudio,serverName=/run/user/1000/pulse/native\"",
    },
    Key {
        name: "keep-video",
        kind: Kind::Switch(|choices, on| choices.keep_video = Some(on)),
        get: |choices| choices.keep_video.map(Value::Switch),
        scope: Scope::File,
        shape: Shape::Any,
        summary: "Keep <video>, for example while the guest is being installed",
        default: "false",
        example: "true",
    },
    Key {
        name: "only",
        kind: Kind::Names(|choices, names| choices.only = Some(names)),
        get: |choices| choices.only.clone().map(Value::Names),
        scope: Scope::File,
        shape: Shape::Any,
        summary: "Check only these rules or groups of rules",
        default: "all",
        example: "[\"display\", \"vgpu-uuid\"]",
    },
    Key {
        name: "ignore",
        kind: Kind::Names(|choices, names| choices.ignore = Some(names)),
        get: |choices| choices.ignore.clone().map(Value::Names),
        scope: Scope::File,
        shape: Shape::Any,
        summary: "Do not check these rules or groups of rules",
        default: "none",
        example: "[\"silent-sound\"]",
    },
    Key {
        name: "fail-on",
        kind: Kind::Text(|choices, text| {
            put(&mut choices.fail_on, setting_parsers::severity(text))
        }),
        get: |choices| choices.fail_on.map(|severity| Value::Text(severity.name().to_owned())),
        scope: Scope::File,
        shape: Shape::OneOf(&["info", "warning", "error"]),
        summary: "The lowest severity that makes the exit code 1: info, warning or error",
        default: "warning",
        example: "\"error\"",
    },
    Key {
        name: "unsafe-fixes",
        kind: Kind::Switch(|choices, on| choices.unsafe_fixes = Some(on)),
        get: |choices| choices.unsafe_fixes.map(Value::Switch),
        scope: Scope::File,
        shape: Shape::Any,
        summary: "Let `fix` also apply unsafe fixes, which may remove something you want to keep",
        default: "false",
        example: "true",
    },
    Key {
        name: "all",
        kind: Kind::Switch(|choices, on| choices.all = Some(on)),
        get: |choices| choices.all.map(Value::Switch),
        scope: Scope::File,
        shape: Shape::Any,
        summary: "In folders, also check domains that do not use GVT-g",
        default: "false",
        example: "true",
    },
    Key {
        name: "named",
        kind: Kind::Switch(|choices, on| choices.named = Some(on)),
        get: |choices| choices.named.map(Value::Switch),
        scope: Scope::File,
        shape: Shape::Any,
        summary: "Treat domains in folders as if you had named each file: check them even if they do not use GVT-g, and do not hold back any fixes",
        default: "false",
        example: "true",
    },
    Key {
        name: "rule-pages",
        kind: Kind::Text(|choices, text| {
            put(&mut choices.rule_pages, setting_parsers::rule_pages(text))
        }),
        get: |choices| text(&choices.rule_pages),
        scope: Scope::All,
        shape: Shape::Pattern("^https?://[^\\s]+$"),
        summary: "The URL of the rules' pages, to which the rule's ID is appended; findings in editors and SARIF reports link to it",
        default: "none",
        example: "\"https://example.org/rules/\"",
    },
    Key {
        name: "site-rules",
        kind: Kind::Text(|choices, text| {
            choices.site_rules = Some(PathBuf::from(text));
            Ok(())
        }),
        get: |choices| text(&choices.site_rules.as_ref().map(|folder| folder.display())),
        scope: Scope::All,
        shape: Shape::Pattern("^."),
        summary: "A folder of custom rules (like `--rules`), relative to the configuration's folder; a rule with the ID of a built-in one replaces it",
        default: "none",
        example: "\"rules\"",
    },
];

/// The backends of `<audio>`, each with its attributes.
const AUDIO: &str = concat!(
    "^((none|alsa|coreaudio|dbus|jack)(,timerPeriod=[0-9]+)?",
    "|file(,(path=/[^,]*|timerPeriod=[0-9]+))*",
    "|oss(,((tryMMap|exclusive)=(yes|no)|dspPolicy=-?[0-9]+|timerPeriod=[0-9]+))*",
    "|pipewire(,(runtimeDir=/[^,]*|timerPeriod=[0-9]+))*",
    "|pulseaudio(,(serverName=[^,]+|timerPeriod=[0-9]+))*",
    "|sdl(,(driver=(esd|alsa|arts|pulseaudio)|timerPeriod=[0-9]+))*)$",
);

/// Puts a value in its place, if it is one.
fn put<T>(place: &mut Option<T>, value: Result<T, String>) -> Result<(), String> {
    *place = Some(value?);
    Ok(())
}

/// A value by its words.
fn text(value: &Option<impl ToString>) -> Option<Value> {
    value.as_ref().map(|value| Value::Text(value.to_string()))
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
    pub fn apply(&self, value: &Value, choices: &mut PartialConfig) -> Result<(), String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_takes_in_it_gives_back() {
        for key in KEYS {
            let value = match (&key.kind, key.example) {
                (Kind::Text(_), example) => Value::Text(example.trim_matches('"').to_owned()),
                (Kind::Switch(_), example) => Value::Switch(example == "true"),
                (Kind::Names(_), _) => Value::Names(vec!["display".to_owned()]),
            };
            let (mut choices, mut again) = (PartialConfig::default(), PartialConfig::default());
            assert_eq!((key.get)(&choices), None, "{}", key.name);
            key.apply(&value, &mut choices).unwrap();
            assert_ne!(choices, PartialConfig::default(), "{}", key.name);
            key.apply(&(key.get)(&choices).unwrap(), &mut again).unwrap();
            assert_eq!(again, choices, "{}", key.name);
            let told = KEYS.iter().filter(|other| (other.get)(&choices).is_some()).count();
            assert_eq!(told, 1, "{} goes where another key goes", key.name);
        }
    }
}
