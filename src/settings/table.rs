//! The table of settings: what flags, configurations, editors and the web page know about each.
//! Settings that documents can also contain have a field in
//! [`SettingOverrides`](crate::domain::SettingOverrides) too.

use super::setting::{Choices, Completion, Key, Kind, PageField, Scope, Setting};
use super::{SettingError, parsers};
use crate::domain::AUDIO_BACKENDS;
use crate::vgpu_types;

/// The commands that lint or fix domains, and `config`, which shows their settings.
const DOMAIN_COMMANDS: &[&str] = &["config", "fix", "lint", "lsp"];
/// These, `emit` and `kubevirt`, whose files or fixes depend on the setting.
const DOMAIN_COMMANDS_EMIT_AND_KUBEVIRT: &[&str] =
    &["config", "emit", "fix", "kubevirt", "lint", "lsp"];
/// These and `emit`, whose files depend on the setting.
const DOMAIN_COMMANDS_AND_EMIT: &[&str] = &["config", "emit", "fix", "lint", "lsp"];

/// All settings, in the order of the documentation.
pub static SETTINGS: &[Setting] = &[
    Setting {
        name: "libvirt",
        kind: text(
            |text| parsers::libvirt(text).map(|version| version.to_string()),
            "^(newest|current|installed|[0-9]+(\\.[0-9]+){0,2})$",
        ),
        commands: DOMAIN_COMMANDS_EMIT_AND_KUBEVIRT,
        heading: "Settings",
        value_name: "VERSION",
        completion: Completion::Words(libvirt_words),
        help: "Target libvirt: 9.0, installed or newest (8.5+)",
        long_help: Some(
            "The libvirt that will read the domain: a version such as 9.0, `installed` (the one on this machine), or `newest` (the syntax for 8.5 and later) [default: newest]",
        ),
        key: Some(Key {
            summary: "The libvirt version that will read the domains: a number, `installed` (the version on this machine), or `newest` (8.5 and later)",
            default: "newest",
            example: "\"9.0\"",
            ..file_key("libvirt")
        }),
        editor: Some(
            "The libvirt version that will read the domains: a number such as `9.0`, `installed` (the version on this machine), or `newest` (8.5 and later; the default).",
        ),
        page: Some(PageField {
            label: "libvirt",
            placeholder: "newest",
            hint: "version that will read the XML, for example 9.0",
            choices: Choices::Suggestions(&["newest", "11.3", "10.0", "9.0", "8.0", "7.0"]),
        }),
    },
    Setting {
        name: "type",
        kind: text(parsers::vgpu_type, "^i915-GVTg_V[45]_[1248]$"),
        commands: DOMAIN_COMMANDS_AND_EMIT,
        heading: "Settings",
        value_name: "TYPE",
        completion: Completion::Words(vgpu_type_names),
        help: "The vGPU's type, to record in the metadata",
        long_help: Some(
            "The vGPU's type, such as i915-GVTg_V5_4, which is recorded in the domain's metadata; `gvtg-xml types` lists the types",
        ),
        key: Some(Key {
            summary: "The vGPU type, recorded in the metadata of domains that do not record one",
            default: "not recorded",
            example: "\"i915-GVTg_V5_4\"",
            ..file_key("type")
        }),
        editor: Some(
            "The vGPU type to record in the domain's metadata, for example `i915-GVTg_V5_4`.",
        ),
        page: Some(PageField {
            label: "vGPU type",
            placeholder: "not recorded",
            hint: "V4 is for Broadwell; the smaller the last number, the larger the vGPU",
            choices: Choices::VgpuTypes,
        }),
    },
    Setting {
        name: "pci",
        kind: text(parsers::pci, "^[0-9a-fA-F]{4}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7]$"),
        commands: DOMAIN_COMMANDS_AND_EMIT,
        heading: "Settings",
        value_name: "ADDRESS",
        completion: Completion::None,
        help: "The Intel GPU's PCI address [default: 0000:00:02.0]",
        long_help: Some(
            "The Intel GPU's PCI address; if given, it is recorded in the domain's metadata [default: 0000:00:02.0]",
        ),
        key: Some(Key {
            summary: "The PCI address of the Intel GPU, recorded in the metadata of domains that do not record one",
            default: "0000:00:02.0, not recorded",
            example: "\"0000:00:02.0\"",
            ..file_key("pci")
        }),
        editor: Some(
            "The PCI address of the Intel GPU, for example `0000:00:02.0`; recorded in the domain's metadata if set.",
        ),
        page: Some(PageField {
            label: "PCI address",
            placeholder: "0000:00:02.0",
            hint: "of the host’s Intel GPU",
            choices: Choices::None,
        }),
    },
    Setting {
        name: "uuid",
        kind: Kind::Text {
            parse: |text| parsers::uuid(text).map(|uuid| uuid.to_string()),
            pattern: None,
        },
        commands: &["config", "emit", "fix", "lint"],
        heading: "Settings",
        value_name: "UUID",
        completion: Completion::None,
        help: "The vGPU's UUID",
        long_help: Some(
            "The vGPU's UUID [default: the one in the domain, or else one derived from the domain's own UUID or name]",
        ),
        // One UUID for several domains would be wrong.
        key: None,
        editor: None,
        page: Some(PageField {
            label: "UUID",
            placeholder: "derived from the VM’s",
            hint: "of the vGPU",
            choices: Choices::None,
        }),
    },
    Setting {
        name: "display",
        kind: Kind::Text { parse: parsers::display, pattern: None },
        commands: DOMAIN_COMMANDS_EMIT_AND_KUBEVIRT,
        heading: "Settings",
        value_name: "DISPLAY",
        completion: Completion::None,
        help: "Value of QEMU's -display [default: gtk,gl=on]",
        long_help: Some(
            "Value of QEMU's -display: gtk or sdl with gl=on, gl=es or gl=core, or egl-headless [default: gtk,gl=on]",
        ),
        key: Some(Key {
            summary: "QEMU's -display option: gtk or sdl, with gl=on, gl=es or gl=core; or egl-headless",
            default: "gtk,gl=on",
            example: "\"sdl,gl=on\"",
            ..file_key("display")
        }),
        editor: Some(
            "QEMU's `-display` option: `gtk` or `sdl`, with `gl=on`, `gl=es` or `gl=core`; or `egl-headless`. For example `gtk,gl=on`.",
        ),
        page: Some(PageField {
            label: "Display",
            placeholder: "gtk,gl=on",
            hint: "QEMU’s -display option",
            choices: Choices::None,
        }),
    },
    Setting {
        name: "display-env",
        kind: text(parsers::display_env, "^\\S*:[0-9]+(\\.[0-9]+)?$"),
        commands: DOMAIN_COMMANDS_AND_EMIT,
        heading: "Settings",
        value_name: "DISPLAY",
        completion: Completion::None,
        help: "X display for the QEMU window",
        long_help: Some("X display for the QEMU window [default: :0]"),
        key: Some(Key {
            summary: "The X display (DISPLAY) on which QEMU opens its window",
            default: "$DISPLAY (for piped input, if it is a local display such as :0), otherwise :0",
            example: "\":1\"",
            ..file_key("display-env")
        }),
        editor: Some("The X display (`DISPLAY`) on which QEMU opens its window, for example `:0`."),
        page: Some(PageField {
            label: "X display",
            placeholder: ":0",
            hint: "where the QEMU window opens (DISPLAY)",
            choices: Choices::None,
        }),
    },
    Setting {
        name: "gdk-scale",
        kind: text(parsers::gdk_scale, "^([0-9]+\\.?[0-9]*|\\.[0-9]+)$"),
        commands: DOMAIN_COMMANDS_AND_EMIT,
        heading: "Settings",
        value_name: "SCALE",
        completion: Completion::None,
        help: "GTK scale of the QEMU window [default: 1.0]",
        long_help: Some("GTK scale of the QEMU window (GDK_SCALE) [default: 1.0]"),
        key: Some(Key {
            summary: "The GTK scale of the QEMU window (GDK_SCALE)",
            default: "1.0",
            example: "\"2.0\"",
            ..file_key("gdk-scale")
        }),
        editor: Some("The GTK scale of the QEMU window (`GDK_SCALE`), for example `1.0`."),
        page: Some(PageField {
            label: "Scale",
            placeholder: "1.0",
            hint: "GTK scale of the QEMU window (GDK_SCALE)",
            choices: Choices::None,
        }),
    },
    Setting {
        name: "alias",
        kind: text(parsers::alias, "^ua-[A-Za-z0-9_-]+$"),
        commands: DOMAIN_COMMANDS,
        heading: "Settings",
        value_name: "ALIAS",
        completion: Completion::None,
        help: "The vGPU's alias [default: ua-gvtg]",
        long_help: Some("The vGPU's alias, a device name that starts with ua- [default: ua-gvtg]"),
        key: Some(Key {
            summary: "The alias (device ID) for a vGPU that has none of its own",
            default: "ua-gvtg",
            example: "\"ua-vgpu\"",
            ..file_key("alias")
        }),
        editor: Some("The vGPU's alias (device ID), for example `ua-gvtg`."),
        page: Some(PageField {
            label: "Alias",
            placeholder: "ua-gvtg",
            hint: "the vGPU’s device ID, which starts with ua-",
            choices: Choices::None,
        }),
    },
    Setting {
        name: "romfile",
        kind: text(parsers::romfile, "^/"),
        commands: DOMAIN_COMMANDS_EMIT_AND_KUBEVIRT,
        heading: "Settings",
        value_name: "FILE",
        completion: Completion::Files,
        help: "Option ROM for the vGPU of a UEFI guest",
        long_help: Some(
            "Absolute path of an option ROM (GPU firmware) for the vGPU; some UEFI guests show no picture without one",
        ),
        key: Some(Key {
            summary: "The path of an option ROM (GPU firmware) for vGPUs of UEFI guests that have none",
            default: "none",
            example: "\"/usr/share/qemu/vbios_gvt_uefi.rom\"",
            ..file_key("romfile")
        }),
        editor: Some("The path of an option ROM (GPU firmware) for the vGPU of a UEFI guest."),
        page: Some(PageField {
            label: "Option ROM",
            placeholder: "none",
            hint: "GPU firmware for UEFI guests: a path on the host",
            choices: Choices::None,
        }),
    },
    Setting {
        name: "audio",
        kind: text(|text| parsers::audio(text).map(|audio| audio.to_string()), AUDIO_PATTERN),
        commands: DOMAIN_COMMANDS,
        heading: "Settings",
        value_name: "TYPE[,NAME=VALUE]…",
        completion: Completion::Words(audio_backend_names),
        help: "Audio backend instead of SPICE audio [default: none]",
        long_help: Some(
            "Audio backend that replaces SPICE audio: a type of <audio> such as pulseaudio, and attributes for it [default: none]",
        ),
        key: Some(Key {
            summary: "The audio backend for sound that used SPICE or that has no <audio>: a type of <audio>, optionally with attributes",
            default: "none",
            example: "\"pulseaudio,serverName=/run/user/1000/pulse/native\"",
            ..file_key("audio")
        }),
        editor: Some(
            "The audio backend that replaces SPICE audio: a type of <audio>, optionally with attributes.",
        ),
        page: Some(PageField {
            label: "Audio",
            placeholder: "none",
            hint: "backend that replaces SPICE audio, for example pulseaudio",
            choices: Choices::Suggestions(&["pulseaudio", "pipewire", "alsa", "none"]),
        }),
    },
    Setting {
        name: "keep-video",
        kind: Kind::Switch,
        commands: &["config", "fix", "kubevirt", "lint", "lsp"],
        heading: "Settings",
        value_name: "BOOL",
        completion: Completion::None,
        help: "Keep <video>, if the guest has no vGPU driver",
        long_help: None,
        key: Some(Key {
            summary: "Keep <video>, for example while the guest is being installed",
            default: "false",
            example: "true",
            ..file_key("keep-video")
        }),
        editor: Some("Keep <video>, for example while the guest is being installed."),
        page: Some(PageField {
            label: "Keep <video>",
            placeholder: "",
            hint: "until the guest has a driver for the vGPU",
            choices: Choices::None,
        }),
    },
    Setting {
        name: "only",
        kind: Kind::Names,
        commands: DOMAIN_COMMANDS,
        heading: "Rules",
        value_name: "RULE",
        completion: Completion::None,
        help: "Check only these rules or groups",
        long_help: Some(
            "Check only these rules or groups of rules (display, vgpu, namespace, qemu, domain); `gvtg-xml explain` lists the rules",
        ),
        key: Some(Key {
            summary: "Check only these rules or groups of rules",
            default: "all",
            example: "[\"display\", \"vgpu-uuid\"]",
            ..file_key("only")
        }),
        editor: Some(
            "Check only these rules or groups of rules (the groups are display, vgpu, namespace, qemu and domain).",
        ),
        page: None,
    },
    Setting {
        name: "ignore",
        kind: Kind::Names,
        commands: &["config", "fix", "kubevirt", "lint", "lsp"],
        heading: "Rules",
        value_name: "RULE",
        completion: Completion::None,
        help: "Disable these rules or groups",
        long_help: Some("Disable these rules or groups of rules; `gvtg-xml explain` lists them"),
        key: Some(Key {
            summary: "Do not check these rules or groups of rules",
            default: "none",
            example: "[\"silent-sound\"]",
            ..file_key("ignore")
        }),
        editor: Some("Do not check these rules or groups of rules."),
        page: None,
    },
    Setting {
        name: "fail-on",
        kind: Kind::Word(&[
            ("info", "Worth knowing; the VM works"),
            ("warning", "The VM runs, but not as well as it could"),
            ("error", "libvirt rejects the domain, QEMU exits, or the screen stays dark"),
        ]),
        commands: &["config", "fix", "lint"],
        heading: "Rules",
        value_name: "SEVERITY",
        completion: Completion::None,
        help: "Lowest severity for exit code 1 [default: warning]",
        long_help: Some(
            "Exit with 1 if there are findings of this severity or higher [default: warning]",
        ),
        key: Some(Key {
            summary: "The lowest severity that makes the exit code 1: info, warning or error",
            default: "warning",
            example: "\"error\"",
            ..file_key("fail-on")
        }),
        editor: None,
        page: None,
    },
    Setting {
        name: "unsafe-fixes",
        kind: Kind::Switch,
        commands: &["config", "fix"],
        heading: "Rules",
        value_name: "BOOL",
        completion: Completion::None,
        help: "Also apply fixes that may lose something you want",
        long_help: None,
        key: Some(Key {
            summary: "Let `fix` also apply unsafe fixes, which may remove something you want to keep",
            default: "false",
            example: "true",
            ..file_key("unsafe-fixes")
        }),
        editor: None,
        page: Some(PageField {
            label: "Apply unsafe fixes",
            placeholder: "",
            hint: "they may remove something you want to keep",
            choices: Choices::None,
        }),
    },
    Setting {
        name: "all",
        kind: Kind::Switch,
        commands: DOMAIN_COMMANDS,
        heading: "Input",
        value_name: "BOOL",
        completion: Completion::None,
        help: "In folders, also check domains without GVT-g",
        long_help: Some("In folders, also check domains that do not use GVT-g"),
        key: Some(Key {
            summary: "In folders, also check domains that do not use GVT-g",
            default: "false",
            example: "true",
            ..file_key("all")
        }),
        editor: Some("In folders, also check domains that do not use GVT-g."),
        page: None,
    },
    Setting {
        name: "named",
        kind: Kind::Switch,
        // A user who names a file needs no flag for it.
        commands: &[],
        heading: "Input",
        value_name: "BOOL",
        completion: Completion::None,
        help: "",
        long_help: None,
        key: Some(Key {
            summary: "Treat domains in folders as if you had named each file: check them even if they do not use GVT-g, and do not hold back any fixes",
            default: "false",
            example: "true",
            ..file_key("named")
        }),
        editor: None,
        page: None,
    },
    Setting {
        name: "rule-pages",
        kind: text(parsers::rule_pages, "^https?://[^\\s]+$"),
        commands: DOMAIN_COMMANDS,
        heading: "Rules",
        value_name: "URL",
        completion: Completion::None,
        help: "Base URL of the rules' pages",
        long_help: Some(
            "Base URL of the rules' pages: SARIF reports and editors link to this URL followed by the rule's ID",
        ),
        key: Some(Key {
            scope: Scope::All,
            summary: "The URL of the rules' pages, to which the rule's ID is appended; findings in editors and SARIF reports link to it",
            default: "none",
            example: "\"https://example.org/rules/\"",
            ..file_key("rule-pages")
        }),
        editor: Some(
            "The URL of the rules' pages, to which the rule's ID is appended; findings link to it.",
        ),
        page: None,
    },
    Setting {
        name: "rules",
        kind: Kind::Folder,
        commands: &["config", "explain", "fix", "lint", "lsp"],
        heading: "Rules",
        value_name: "DIR",
        completion: Completion::None,
        help: "Folder of custom rules",
        long_help: Some(
            "Folder of custom rules (*.toml). A rule with the ID of a built-in rule replaces it",
        ),
        key: Some(Key {
            // `[rules]` is the table of severities.
            name: "site-rules",
            scope: Scope::All,
            summary: "A folder of custom rules (like `--rules`), relative to the configuration's folder; a rule with the ID of a built-in one replaces it",
            default: "none",
            example: "\"rules\"",
        }),
        editor: Some("A folder of custom rules; a rule with the ID of a built-in one replaces it."),
        page: None,
    },
];

/// Regular expression for the backends of `<audio>` and their attributes.
const AUDIO_PATTERN: &str = concat!(
    "^((none|alsa|coreaudio|dbus|jack)(,timerPeriod=[0-9]+)?",
    "|file(,(path=/[^,]*|timerPeriod=[0-9]+))*",
    "|oss(,((tryMMap|exclusive)=(yes|no)|dspPolicy=-?[0-9]+|timerPeriod=[0-9]+))*",
    "|pipewire(,(runtimeDir=/[^,]*|timerPeriod=[0-9]+))*",
    "|pulseaudio(,(serverName=[^,]+|timerPeriod=[0-9]+))*",
    "|sdl(,(driver=(esd|alsa|arts|pulseaudio)|timerPeriod=[0-9]+))*)$",
);

const fn text(parse: fn(&str) -> Result<String, SettingError>, pattern: &'static str) -> Kind {
    Kind::Text { parse, pattern: Some(pattern) }
}

/// A key that overrides can set.
const fn file_key(name: &'static str) -> Key {
    Key { name, scope: Scope::File, summary: "", default: "", example: "" }
}

/// Finds a setting by name.
pub fn setting(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// Returns the keywords for a libvirt release, besides version numbers.
pub fn libvirt_words() -> Vec<String> {
    parsers::LIBVIRTS.iter().map(|&word| word.to_owned()).collect()
}

/// Returns the names of all vGPU types.
pub fn vgpu_type_names() -> Vec<String> {
    vgpu_types::names().collect()
}

fn audio_backend_names() -> Vec<String> {
    AUDIO_BACKENDS.iter().map(|backend| backend.name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::setting_overrides::OVERRIDE_FIELDS;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        assert_eq!(names.len(), SETTINGS.len());
    }

    #[test]
    fn settings_of_documents_accept_their_values() {
        for field in OVERRIDE_FIELDS {
            let setting = setting(field.name).unwrap();
            for value in [field.default, Some(field.unusual)].into_iter().flatten() {
                assert_eq!(setting.parse(value).as_deref(), Ok(value), "{}", field.name);
            }
        }
    }

    #[test]
    fn stored_values_are_accepted_again() {
        for setting in SETTINGS {
            let Some(key) = setting.key else { continue };
            let example = key.example.trim_matches('"');
            let stored = setting.parse(example).unwrap();
            assert_eq!(setting.parse(&stored), Ok(stored), "{}", setting.name);
        }
    }
}
