//! How the value of a flag must look; each function gives the value, or what to give instead.

use uuid::Uuid;

use crate::host::{Root, installed};
use crate::rules::schema::Severity;
use crate::settings::Audio;
use crate::version::Version;

pub(super) fn severity(text: &str) -> Result<Severity, String> {
    match text {
        "info" => Ok(Severity::Info),
        "warning" => Ok(Severity::Warning),
        "error" => Ok(Severity::Error),
        _ => Err("give info, warning or error".into()),
    }
}

pub(super) fn libvirt(text: &str) -> Result<Version, String> {
    match text {
        "installed" => {
            installed::libvirt(&Root::default()).ok_or_else(|| "no libvirt.so.0 was found on this machine: give its version".into())
        }
        text => text.parse(),
    }
}

pub(super) fn uuid(text: &str) -> Result<Uuid, String> {
    crate::domain::parse_uuid(text).ok_or_else(|| "give 32 hex digits, with dashes or without".into())
}

pub(super) fn vgpu_type(text: &str) -> Result<String, String> {
    let message = "give i915-GVTg_V5_1, _2, _4 or _8 (V4 on Broadwell); `gvtg-xml types` lists those of this GPU";
    crate::types::is_type(text).then(|| text.to_owned()).ok_or_else(|| message.into())
}

pub(super) fn pci(text: &str) -> Result<String, String> {
    crate::domain::parse_pci(text).map(|_| text.to_ascii_lowercase()).ok_or_else(|| "give an address like 0000:00:02.0".into())
}

pub(super) fn display(text: &str) -> Result<String, String> {
    let (kind, gl) = crate::domain::display_parts(text);
    let fits = crate::domain::display_has_gl(&kind, gl.as_deref()) && plain(text).is_ok();
    fits.then(|| text.to_owned()).ok_or_else(|| "a vGPU is shown with OpenGL only: give gl=on, gl=es or gl=core too, like gtk,gl=on".into())
}

pub(super) fn display_env(text: &str) -> Result<String, String> {
    crate::rules::schema::Format::Display.fits(text).then(|| text.to_owned()).ok_or_else(|| "give a display like :0".into())
}

pub(super) fn gdk_scale(text: &str) -> Result<String, String> {
    crate::rules::schema::Format::Number.fits(text).then(|| text.to_owned()).ok_or_else(|| "give a number like 1.0".into())
}

pub(super) fn alias(text: &str) -> Result<String, String> {
    let message = "give ua- and letters, digits, - or _: libvirt drops anything else";
    crate::domain::is_user_alias(text).then(|| text.to_owned()).ok_or_else(|| message.into())
}

pub(super) fn romfile(text: &str) -> Result<String, String> {
    if text.starts_with('/') { plain(text) } else { Err("give an absolute path: QEMU runs in another folder".into()) }
}

pub(super) fn audio(text: &str) -> Result<Audio, String> {
    let mut parts = text.split(',');
    let backend = parts.next().unwrap_or("").to_owned();
    const KNOWN: &[&str] = &["none", "alsa", "coreaudio", "dbus", "file", "jack", "oss", "pipewire", "pulseaudio", "sdl"];
    if !KNOWN.contains(&backend.as_str()) {
        return Err(format!("give one of {}", KNOWN.join(", ")));
    }
    let attribute = |part: &str| match part.split_once('=') {
        Some((name, value)) if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            Ok((name.to_owned(), plain(value)?))
        }
        _ => Err(format!("'{part}' is not NAME=VALUE")),
    };
    Ok(Audio { backend, attributes: parts.map(attribute).collect::<Result<_, _>>()? })
}

/// A value that XML can hold on one line.
fn plain(text: &str) -> Result<String, String> {
    let fits = text.chars().all(|c| crate::xml::is_character(c) && !c.is_control());
    fits.then(|| text.to_owned()).ok_or_else(|| "control characters can't be in XML".into())
}
