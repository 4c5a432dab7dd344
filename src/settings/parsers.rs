//! Parsers for the values of settings, shared by flags, configurations, documents and the web page.
//! Errors say what to use instead.

use uuid::Uuid;

use super::SettingError;
use crate::domain::{
    AUDIO_BACKENDS, AUDIO_STREAM_ATTRIBUTES, Audio, AudioAttribute, AudioBackend, AudioValue,
    audio_backend,
};
use crate::host::{Root, installed};
use crate::qemu::{DISPLAYS, DisplayError, DisplayValue, check_display};
use crate::rules::closest_match;
use crate::rules::schema::Severity;
use crate::version::Version;

/// Parses a severity: `info`, `warning` or `error`.
///
/// # Errors
/// Returns what to use instead.
pub fn severity(text: &str) -> Result<Severity, SettingError> {
    match text {
        "info" => Ok(Severity::Info),
        "warning" => Ok(Severity::Warning),
        "error" => Ok(Severity::Error),
        _ => Err("use info, warning or error".into()),
    }
}

/// The keywords accepted for a libvirt release, besides version numbers.
pub const LIBVIRTS: &[&str] = &["newest", "installed"];

/// Parses a libvirt release; `installed` is the release on this machine.
///
/// # Errors
/// Returns what to use instead.
pub fn libvirt(text: &str) -> Result<Version, SettingError> {
    match text {
        "installed" => installed::libvirt(&Root::default())
            .ok_or_else(|| "libvirt is not installed on this machine (there is no libvirt.so.0): use a version such as 9.0".into()),
        text => text.parse().map_err(|_| {
            format!("'{text}' is not a libvirt version: use one such as 9.0, `installed` (this machine's libvirt) or `newest`").into()
        }),
    }
}

/// Parses a UUID, with or without dashes.
///
/// # Errors
/// Returns what to use instead.
pub fn uuid(text: &str) -> Result<Uuid, SettingError> {
    crate::domain::parse_uuid(text)
        .ok_or_else(|| "use a UUID: 32 hexadecimal digits, with or without dashes".into())
}

/// Parses a vGPU type, such as `i915-GVTg_V5_4`.
///
/// # Errors
/// Returns what to use instead.
pub fn vgpu_type(text: &str) -> Result<String, SettingError> {
    let message = "use i915-GVTg_V5_1, _2, _4 or _8 (V4 instead of V5 on Broadwell); `gvtg-xml types` lists the types that this GPU offers";
    if crate::vgpu_types::is_type(text) { Ok(text.to_owned()) } else { Err(message.into()) }
}

/// Parses a PCI address and converts it to lower case.
///
/// # Errors
/// Returns what to use instead.
pub fn pci(text: &str) -> Result<String, SettingError> {
    crate::domain::parse_pci(text)
        .map(|_| text.to_ascii_lowercase())
        .ok_or_else(|| "use a PCI address such as 0000:00:02.0".into())
}

/// Parses a value for QEMU's `-display`; it must be able to show a vGPU when libvirt starts QEMU.
///
/// # Errors
/// Returns why QEMU would not start with it, and what to use instead.
pub fn display(text: &str) -> Result<String, SettingError> {
    let text = single_line_text(text)?;
    match check_display(&text) {
        Ok(()) => Ok(text),
        Err(error) => Err(display_error_help(&error).into()),
    }
}

fn display_error_help(error: &DisplayError) -> String {
    const WINDOWS: &str = "use gtk,gl=on or sdl,gl=on";
    match error {
        DisplayError::Unreadable(message) => format!("QEMU rejects it (\"{message}\"): {WINDOWS}"),
        DisplayError::WithoutGl => {
            "QEMU shows a vGPU only with OpenGL: add gl=on, gl=es or gl=core, as in gtk,gl=on"
                .to_owned()
        }
        DisplayError::Kind(kind) if kind == "dbus" => format!(
            "QEMU can't reach the D-Bus session when libvirt starts it (\"failed to connect to DBus\"): {WINDOWS}; without --display, fix \
             keeps a <graphics type='dbus'> with <gl enable='yes'/> if the domain has one"
        ),
        DisplayError::Kind(kind) if kind == "spice-app" => format!(
            "QEMU would have to start a viewer, which fails when libvirt starts QEMU (\"Failed to launch spice+unix\"): {WINDOWS}; without \
             --display, fix keeps a <graphics type='spice'> with <gl enable='yes'/> if the domain has one"
        ),
        DisplayError::Kind(kind) => {
            let kinds: Vec<&str> = DISPLAYS.iter().map(|display| display.kind).collect();
            format!(
                "QEMU can't show a vGPU on '{kind}', only on {}: {WINDOWS}, or egl-headless for a <graphics>",
                kinds.join(", ")
            )
        }
        DisplayError::UnknownOption(display, name) => {
            let names = || display.options.iter().map(|(name, _)| *name);
            let help = closest_match(name, names()).map_or_else(
                || format!("it has {}", names().collect::<Vec<_>>().join(", ")),
                |closest| format!("did you mean {closest}?"),
            );
            format!(
                "QEMU's {} display has no '{name}' (\"Parameter '{name}' is unexpected\"): {help}",
                display.kind
            )
        }
        DisplayError::WrongValue(name, DisplayValue::Switch) => format!("{name} must be on or off"),
        DisplayError::WrongValue(name, DisplayValue::Number) => {
            format!("{name} must be a number, like 1.5")
        }
        DisplayError::WrongValue(name, DisplayValue::Path) => {
            format!("{name} must be an absolute path")
        }
        DisplayError::WrongValue(name, DisplayValue::OneOf(words)) => {
            format!("{name} must be one of {}", words.join(", "))
        }
    }
}

/// Parses an X display, such as `:0`.
///
/// # Errors
/// Returns what to use instead.
pub fn display_env(text: &str) -> Result<String, SettingError> {
    if crate::rules::schema::Format::Display.fits(text) {
        Ok(text.to_owned())
    } else {
        Err("use an X display such as :0".into())
    }
}

/// Parses a scale, such as `1.0`.
///
/// # Errors
/// Returns what to use instead.
pub fn gdk_scale(text: &str) -> Result<String, SettingError> {
    if crate::rules::schema::Format::Number.fits(text) {
        Ok(text.to_owned())
    } else {
        Err("use a number such as 1.0".into())
    }
}

/// Parses an alias; it must be one that libvirt keeps.
///
/// # Errors
/// Returns what to use instead.
pub fn alias(text: &str) -> Result<String, SettingError> {
    let message = "use ua- followed by letters, digits, - or _: libvirt drops any other alias";
    if crate::domain::is_user_alias(text) { Ok(text.to_owned()) } else { Err(message.into()) }
}

/// Parses the absolute path of an option ROM.
///
/// # Errors
/// Returns what to use instead.
pub fn romfile(text: &str) -> Result<String, SettingError> {
    if text.starts_with('/') {
        single_line_text(text)
    } else {
        Err("use an absolute path: QEMU runs in a different folder".into())
    }
}

/// Parses a type of `<audio>` with optional attributes: `pulseaudio,serverName=/p`.
///
/// # Errors
/// Returns what to use instead.
pub fn audio(text: &str) -> Result<Audio, SettingError> {
    let mut parts = text.split(',');
    let backend = parts.next().unwrap_or("");
    let Some(backend) = audio_backend(backend) else {
        let names: Vec<&str> = AUDIO_BACKENDS.iter().map(|backend| backend.name).collect();
        return Err(format!("use one of {}", names.join(", ")).into());
    };
    let mut attributes: Vec<(String, String)> = Vec::new();
    for part in parts {
        let Some((name, value)) = part.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(format!("'{part}' is not NAME=VALUE").into());
        };
        let attribute = backend
            .attributes
            .iter()
            .find(|attribute| attribute.name == name)
            .ok_or_else(|| unknown_audio_attribute(backend, name))?;
        if attributes.iter().any(|(known_name, _)| known_name == name) {
            return Err(format!("{name} is given twice").into());
        }
        attributes.push((name.to_owned(), audio_value(attribute, value)?));
    }
    Ok(Audio { backend: backend.name.to_owned(), attributes })
}

fn audio_value(attribute: &AudioAttribute, value: &str) -> Result<String, SettingError> {
    let expected = match attribute.value {
        AudioValue::Text if value.is_empty() => "has no value".into(),
        AudioValue::Path if !value.starts_with('/') => {
            "must be an absolute path: QEMU runs in a different folder".into()
        }
        AudioValue::Count if value.parse::<u32>().is_err() => "must be a number".into(),
        AudioValue::Number if value.parse::<i32>().is_err() => "must be a number".into(),
        AudioValue::Switch if !matches!(value, "yes" | "no") => "must be yes or no".into(),
        AudioValue::OneOf(words) if !words.contains(&value) => {
            format!("must be one of {}", words.join(", "))
        }
        _ => return single_line_text(value),
    };
    Err(format!("{} {expected}", attribute.name).into())
}

fn unknown_audio_attribute(backend: &AudioBackend, name: &str) -> String {
    let names = || backend.attributes.iter().map(|attribute| attribute.name);
    let all_names = || format!("it has {}", names().collect::<Vec<_>>().join(" and "));
    if AUDIO_STREAM_ATTRIBUTES.contains(&name) {
        return format!(
            "'{name}' is an attribute of the <input> and <output> of {}, which --audio does not write: {}",
            backend.name,
            all_names()
        );
    }
    let has_prefix =
        |attribute: &str| attribute.to_ascii_lowercase().starts_with(&name.to_ascii_lowercase());
    let closest =
        names().find(|attribute| has_prefix(attribute)).or_else(|| closest_match(name, names()));
    let help = closest.map_or_else(all_names, |closest| format!("did you mean {closest}?"));
    format!("{} has no '{name}': {help}", backend.name)
}

/// Parses a URL to which a rule's ID can be appended.
///
/// # Errors
/// Returns what to use instead.
pub fn rule_pages(text: &str) -> Result<String, SettingError> {
    let has_scheme = text
        .strip_prefix("https://")
        .or(text.strip_prefix("http://"))
        .is_some_and(|rest| !rest.is_empty());
    let has_url_characters =
        text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&byte));
    if has_scheme && has_url_characters {
        Ok(text.to_owned())
    } else {
        Err("use a URL such as https://example.org/rules/".into())
    }
}

/// Checks that a value fits into XML and on one line.
fn single_line_text(text: &str) -> Result<String, SettingError> {
    if text.chars().all(|c| crate::xml::is_character(c) && !c.is_control()) {
        Ok(text.to_owned())
    } else {
        Err("XML can't contain control characters".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_accepts_the_attributes_of_each_backend() {
        for text in [
            "none",
            "alsa,timerPeriod=40",
            "file,path=/tmp/a.wav",
            "oss,tryMMap=yes,exclusive=no,dspPolicy=-1",
            "pipewire,runtimeDir=/run/user/1000",
            "pulseaudio,serverName=/run/user/1000/pulse/native,timerPeriod=40",
            "pulseaudio,serverName=tcp:localhost:4713",
            "sdl,driver=alsa",
        ] {
            assert_eq!(audio(text).map(|audio| audio.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn audio_errors_suggest_a_valid_value() {
        for (text, expected) in [
            ("pulseaudio,server=/x", "pulseaudio has no 'server': did you mean serverName?"),
            (
                "pulseaudio,servername=/x",
                "pulseaudio has no 'servername': did you mean serverName?",
            ),
            ("pulseaudio,path=/x", "pulseaudio has no 'path': it has serverName and timerPeriod"),
            ("pipewire,runtimedir=/x", "pipewire has no 'runtimedir': did you mean runtimeDir?"),
            (
                "jack,serverName=x",
                "'serverName' is an attribute of the <input> and <output> of jack, which --audio does not write: it has timerPeriod",
            ),
            (
                "alsa,dev=x",
                "'dev' is an attribute of the <input> and <output> of alsa, which --audio does not write: it has timerPeriod",
            ),
            ("none,id=2", "none has no 'id': it has timerPeriod"),
            ("pulseaudio,serverName=", "serverName has no value"),
            ("pulseaudio,serverName=/a,serverName=/b", "serverName is given twice"),
            ("sdl,driver=pipewire", "driver must be one of esd, alsa, arts, pulseaudio"),
            ("oss,tryMMap=on", "tryMMap must be yes or no"),
            ("file,path=a.wav", "path must be an absolute path: QEMU runs in a different folder"),
            ("alsa,timerPeriod=-1", "timerPeriod must be a number"),
            ("alsa,x", "'x' is not NAME=VALUE"),
            (
                "pulse",
                "use one of none, alsa, coreaudio, dbus, file, jack, oss, pipewire, pulseaudio, sdl",
            ),
        ] {
            assert_eq!(
                audio(text).map(|audio| audio.to_string()),
                Err(SettingError::from(expected)),
                "{text}"
            );
        }
    }

    #[test]
    fn display_errors_suggest_a_display_that_starts() {
        for text in ["dbus,gl=on", "spice-app,gl=on", "curses,gl=on", "foo", "gtk", "gtk,gl"] {
            let message = display(text).unwrap_err().to_string();
            assert!(message.contains("gtk,gl=on"), "{text}: {message}");
        }
        assert!(
            display("dbus,gl=on")
                .unwrap_err()
                .to_string()
                .contains("fix keeps a <graphics type='dbus'> with <gl enable='yes'/>")
        );
        let message = display("gtk,gl=on,nonsense=1").unwrap_err().to_string();
        assert!(
            message.starts_with("QEMU's gtk display has no 'nonsense' (\"Parameter 'nonsense' is unexpected\"): it has gl, full-screen")
        );
        let message = display("gtk,gl=on,grab_on_hover=on").unwrap_err().to_string();
        assert!(message.ends_with("did you mean grab-on-hover?"), "{message}");
    }
}
