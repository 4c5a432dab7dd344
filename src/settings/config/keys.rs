//! The keys of `gvtg-xml.toml`: one table that reading, merging, `gvtg-xml config`, the schema and
//! docs/settings.md use. A key has the name of its flag if there is one.

use std::path::PathBuf;

use super::partial::{PartialConfig, Value};
use crate::settings::parsers;

/// The type of a key's value, and the function that stores it.
#[derive(Debug)]
pub enum Kind {
    /// A string, which the function parses.
    Text(fn(&mut PartialConfig, &str) -> Result<(), String>),
    /// A boolean.
    Switch(fn(&mut PartialConfig, bool)),
    /// An array of names of rules and groups.
    Names(fn(&mut PartialConfig, Vec<String>)),
}

/// The constraint on a string in the JSON schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// No constraint.
    Any,
    /// A regular expression that approximates the parser.
    Pattern(&'static str),
    /// One of these values.
    OneOf(&'static [&'static str]),
}

/// The files that a key can apply to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Single files: the key is allowed in `[[overrides]]`.
    File,
    /// All files: the key is not allowed in `[[overrides]]`.
    All,
}

/// A key of the configuration.
#[derive(Debug)]
pub struct Key {
    /// The name in the configuration.
    pub name: &'static str,
    /// The type of the value.
    pub kind: Kind,
    /// Returns the value that a source sets, if any.
    pub get: fn(&PartialConfig) -> Option<Value>,
    /// Whether overrides can set it.
    pub scope: Scope,
    /// The constraint on a string.
    pub shape: Shape,
    /// A one-line description.
    pub summary: &'static str,
    /// The default value, in words.
    pub default: &'static str,
    /// An example value in TOML syntax.
    pub example: &'static str,
}

/// All keys with a value, in the order of the documentation. (`[rules]` and `[[overrides]]` are
/// tables.)
pub static KEYS: &[Key] = &[
    Key {
        name: "libvirt",
        kind: Kind::Text(|choices, text| store(&mut choices.libvirt, parsers::libvirt(text))),
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
            store(&mut choices.wishes.vgpu_type, parsers::vgpu_type(text))
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
        kind: Kind::Text(|choices, text| store(&mut choices.wishes.pci, parsers::pci(text))),
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
            store(&mut choices.wishes.display, parsers::display(text))
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
            store(&mut choices.wishes.display_env, parsers::display_env(text))
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
            store(&mut choices.wishes.gdk_scale, parsers::gdk_scale(text))
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
        kind: Kind::Text(|choices, text| store(&mut choices.wishes.alias, parsers::alias(text))),
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
            store(&mut choices.wishes.romfile, parsers::romfile(text))
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
        kind: Kind::Text(|choices, text| store(&mut choices.wishes.audio, parsers::audio(text))),
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
        kind: Kind::Text(|choices, text| store(&mut choices.fail_on, parsers::severity(text))),
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
        kind: Kind::Text(|choices, text| store(&mut choices.rule_pages, parsers::rule_pages(text))),
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

/// Regular expression for the backends of `<audio>` and their attributes.
const AUDIO: &str = concat!(
    "^((none|alsa|coreaudio|dbus|jack)(,timerPeriod=[0-9]+)?",
    "|file(,(path=/[^,]*|timerPeriod=[0-9]+))*",
    "|oss(,((tryMMap|exclusive)=(yes|no)|dspPolicy=-?[0-9]+|timerPeriod=[0-9]+))*",
    "|pipewire(,(runtimeDir=/[^,]*|timerPeriod=[0-9]+))*",
    "|pulseaudio(,(serverName=[^,]+|timerPeriod=[0-9]+))*",
    "|sdl(,(driver=(esd|alsa|arts|pulseaudio)|timerPeriod=[0-9]+))*)$",
);

/// Stores a value unless it is an error.
fn store<T>(target: &mut Option<T>, value: Result<T, String>) -> Result<(), String> {
    *target = Some(value?);
    Ok(())
}

/// The text of a value, if there is one.
fn text(value: &Option<impl ToString>) -> Option<Value> {
    value.as_ref().map(|value| Value::Text(value.to_string()))
}

/// Finds a key by name.
pub fn key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

impl Key {
    /// The type of its value, for messages.
    pub fn expected(&self) -> &'static str {
        match self.kind {
            Kind::Text(_) => "a string",
            Kind::Switch(_) => "true or false",
            Kind::Names(_) => "an array of strings",
        }
    }

    /// Parses a value and stores it in `choices`.
    ///
    /// # Errors
    /// Returns what to use instead.
    pub fn apply(&self, value: &Value, choices: &mut PartialConfig) -> Result<(), String> {
        match (&self.kind, value) {
            (Kind::Text(parse), Value::Text(text)) => parse(choices, text),
            (Kind::Switch(set), Value::Switch(on)) => {
                set(choices, *on);
                Ok(())
            }
            (Kind::Names(set), Value::Names(names)) => {
                set(choices, names.clone());
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
    fn each_key_returns_the_value_that_it_stores() {
        for key in KEYS {
            let value = match (&key.kind, key.example) {
                (Kind::Text(_), example) => Value::Text(example.trim_matches('"').to_owned()),
                (Kind::Switch(_), example) => Value::Switch(example == "true"),
                (Kind::Names(_), _) => Value::Names(vec!["display".to_owned()]),
            };
            let mut choices = PartialConfig::default();
            let mut copy = PartialConfig::default();
            assert_eq!((key.get)(&choices), None, "{}", key.name);
            key.apply(&value, &mut choices).unwrap();
            assert_ne!(choices, PartialConfig::default(), "{}", key.name);
            key.apply(&(key.get)(&choices).unwrap(), &mut copy).unwrap();
            assert_eq!(copy, choices, "{}", key.name);
            let set_count = KEYS.iter().filter(|other| (other.get)(&choices).is_some()).count();
            assert_eq!(set_count, 1, "{} goes where another key goes", key.name);
        }
    }
}
