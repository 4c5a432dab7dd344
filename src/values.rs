//! How the value of a setting must look, whoever says it; each function gives the value, or what to give instead.

use uuid::Uuid;

use crate::host::{Root, installed};
use crate::rules::schema::Severity;
use crate::settings::Audio;
use crate::version::Version;

/// A severity: `info`, `warning` or `error`.
///
/// # Errors
/// What to give instead.
pub fn severity(text: &str) -> Result<Severity, String> {
    match text {
        "info" => Ok(Severity::Info),
        "warning" => Ok(Severity::Warning),
        "error" => Ok(Severity::Error),
        _ => Err("give info, warning or error".into()),
    }
}

/// The words that stand for a libvirt release.
pub const LIBVIRTS: &[&str] = &["newest", "installed"];

/// The types of `<audio>` that sound can go to.
pub const AUDIO: &[&str] = &["none", "alsa", "coreaudio", "dbus", "file", "jack", "oss", "pipewire", "pulseaudio", "sdl"];

/// A libvirt release; `installed` is that of this machine.
///
/// # Errors
/// What to give instead.
pub fn libvirt(text: &str) -> Result<Version, String> {
    match text {
        "installed" => {
            installed::libvirt(&Root::default()).ok_or_else(|| "no libvirt.so.0 was found on this machine: give its version".into())
        }
        text => text.parse(),
    }
}

/// A uuid, with dashes or without.
///
/// # Errors
/// What to give instead.
pub fn uuid(text: &str) -> Result<Uuid, String> {
    crate::domain::parse_uuid(text).ok_or_else(|| "give 32 hex digits, with dashes or without".into())
}

/// A type of vGPU, like `i915-GVTg_V5_4`.
///
/// # Errors
/// What to give instead.
pub fn vgpu_type(text: &str) -> Result<String, String> {
    let message = "give i915-GVTg_V5_1, _2, _4 or _8 (V4 on Broadwell); `gvtg-xml types` lists those of this GPU";
    crate::types::is_type(text).then(|| text.to_owned()).ok_or_else(|| message.into())
}

/// A PCI address, in lower case.
///
/// # Errors
/// What to give instead.
pub fn pci(text: &str) -> Result<String, String> {
    crate::domain::parse_pci(text).map(|_| text.to_ascii_lowercase()).ok_or_else(|| "give an address like 0000:00:02.0".into())
}

/// QEMU's `-display`, one that can show a vGPU.
///
/// # Errors
/// What to give instead.
pub fn display(text: &str) -> Result<String, String> {
    let (kind, gl) = crate::domain::display_parts(text);
    let fits = crate::domain::display_has_gl(&kind, gl.as_deref()) && plain(text).is_ok();
    fits.then(|| text.to_owned()).ok_or_else(|| "a vGPU is shown with OpenGL only: give gl=on, gl=es or gl=core too, like gtk,gl=on".into())
}

/// An X display, like `:0`.
///
/// # Errors
/// What to give instead.
pub fn display_env(text: &str) -> Result<String, String> {
    crate::rules::schema::Format::Display.fits(text).then(|| text.to_owned()).ok_or_else(|| "give a display like :0".into())
}

/// A scale, like `1.0`.
///
/// # Errors
/// What to give instead.
pub fn gdk_scale(text: &str) -> Result<String, String> {
    crate::rules::schema::Format::Number.fits(text).then(|| text.to_owned()).ok_or_else(|| "give a number like 1.0".into())
}

/// An alias that libvirt keeps.
///
/// # Errors
/// What to give instead.
pub fn alias(text: &str) -> Result<String, String> {
    let message = "give ua- and letters, digits, - or _: libvirt drops anything else";
    crate::domain::is_user_alias(text).then(|| text.to_owned()).ok_or_else(|| message.into())
}

/// The absolute path of an option ROM.
///
/// # Errors
/// What to give instead.
pub fn romfile(text: &str) -> Result<String, String> {
    if text.starts_with('/') { plain(text) } else { Err("give an absolute path: QEMU runs in another folder".into()) }
}

/// A type of `<audio>`, and attributes of it: `pulseaudio,serverName=/p`.
///
/// # Errors
/// What to give instead.
pub fn audio(text: &str) -> Result<Audio, String> {
    let mut parts = text.split(',');
    let backend = parts.next().unwrap_or("").to_owned();
    if !AUDIO.contains(&backend.as_str()) {
        return Err(format!("give one of {}", AUDIO.join(", ")));
    }
    let attribute = |part: &str| match part.split_once('=') {
        Some((name, value)) if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            Ok((name.to_owned(), plain(value)?))
        }
        _ => Err(format!("'{part}' is not NAME=VALUE")),
    };
    Ok(Audio { backend, attributes: parts.map(attribute).collect::<Result<_, _>>()? })
}

/// The beginning of an address in the web.
///
/// # Errors
/// What to give instead.
pub fn rule_pages(text: &str) -> Result<String, String> {
    let has_scheme = text.strip_prefix("https://").or(text.strip_prefix("http://")).is_some_and(|rest| !rest.is_empty());
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&byte));
    (has_scheme && is_plain).then(|| text.to_owned()).ok_or_else(|| "give an address like https://example.org/rules/".into())
}

/// A value that XML can hold on one line.
fn plain(text: &str) -> Result<String, String> {
    let fits = text.chars().all(|c| crate::xml::is_character(c) && !c.is_control());
    fits.then(|| text.to_owned()).ok_or_else(|| "control characters can't be in XML".into())
}
