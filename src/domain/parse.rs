//! Parsers for values as libvirt and QEMU read them: displays, uuids, PCI addresses; and predicates
//! on device elements.

use std::ops::Range;

use crate::qemu::{OptionList, Syntax};
use crate::xml::Element;

/// Parses the operand of a `-display` as QEMU does: its type and its `gl` option.
pub fn display_parts(value: &str) -> (String, Option<String>) {
    match OptionList::parse(value, Syntax::DISPLAY) {
        Ok(list) => (list.get("type").unwrap_or("").to_owned(), list.get("gl").map(str::to_owned)),
        // If QEMU rejects the operand, its type is the part before the first comma.
        Err(_) => (value.split(',').next().unwrap_or("").to_owned(), None),
    }
}

/// Whether a display with this type and `gl` value has OpenGL, which showing a vGPU needs:
/// `egl-headless` always has it, the others only if `gl` turns it on.
pub fn display_has_gl(kind: &str, gl: Option<&str>) -> bool {
    kind == "egl-headless" || matches!(gl, Some("on" | "es" | "core"))
}

/// Whether a `<graphics>` has OpenGL, or provides it to others as `egl-headless` does.
pub fn has_gl(graphics: Element<'_>) -> bool {
    let enabled = graphics.child("gl").is_some_and(|gl| gl.attribute("enable") == Some("yes"));
    match graphics.attribute("type") {
        Some("egl-headless") => true,
        Some("spice" | "sdl" | "dbus") => enabled,
        _ => false,
    }
}

/// Whether a `<graphics>` shows what `-display egl-headless` draws, or is `egl-headless` itself.
pub fn shows_what_egl_draws(graphics: Element<'_>) -> bool {
    matches!(graphics.attribute("type"), Some("vnc" | "spice" | "egl-headless"))
}

/// The uuid of a vGPU, if its document has a valid one.
pub fn uuid_of(vgpu: Element<'_>) -> Option<uuid::Uuid> {
    parse_uuid(vgpu.child("source")?.child("address")?.attribute("uuid")?)
}

/// Parses a uuid as libvirt does (`virUUIDParse`): 32 hex digits, with blanks around them and
/// dashes anywhere between.
pub fn parse_uuid(text: &str) -> Option<uuid::Uuid> {
    let mut digits = [0; 32];
    let mut count = 0;
    for byte in text.trim().bytes().filter(|byte| *byte != b'-') {
        if !byte.is_ascii_hexdigit() {
            return None;
        }
        *digits.get_mut(count)? = byte;
        count += 1;
    }
    if count == digits.len() { uuid::Uuid::try_parse_ascii(&digits).ok() } else { None }
}

/// A PCI address: domain, bus, slot, function.
pub type PciAddress = [u32; 4];

/// Parses a PCI address in the form `0000:00:02.0`: hex digits, and an octal function.
pub fn parse_pci(text: &str) -> Option<PciAddress> {
    let (rest, function) = text.rsplit_once('.')?;
    let mut parts = rest.split(':');
    let is_hex = |part: &&str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut hex = |digits: usize| {
        parts
            .next()
            .filter(|part| part.len() == digits)
            .filter(is_hex)
            .and_then(|part| u32::from_str_radix(part, 16).ok())
    };
    let address = [hex(4)?, hex(2)?, hex(2)?, u32::from_str_radix(function, 8).ok()?];
    if parts.next().is_none() && function.len() == 1 { Some(address) } else { None }
}

/// Parses the PCI address in an `<address>`, whose numbers are decimal, or hexadecimal with `0x`; a
/// missing one counts as 0.
pub(crate) fn pci_address(address: Element<'_>) -> Option<PciAddress> {
    let number = |name: &str, default: u32| match address.attribute(name) {
        None => Some(default),
        Some(text) => match text.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => text.parse().ok(),
        },
    };
    Some([number("domain", 0)?, number("bus", 0)?, number("slot", 0)?, number("function", 0)?])
}

/// Whether a host device is a mediated device that can be a GVT-g vGPU.
pub(crate) fn is_vgpu(hostdev: Element<'_>) -> bool {
    hostdev.attribute("type") == Some("mdev")
        && !matches!(hostdev.attribute("model"), Some("vfio-ccw" | "vfio-ap"))
}

/// Whether a device is a PCI device of the host, given as a hostdev or as an interface.
pub(crate) fn is_pci_card(device: Element<'_>) -> bool {
    device.attribute("type") == Some("pci")
        || device.is("interface") && device.attribute("type") == Some("hostdev")
}

/// Whether a host device can be a graphics card. Interfaces and hostdevs in a `<teaming>` pair are
/// network cards; what any other PCI device is, only the host knows.
pub(crate) fn is_graphics_card(device: Element<'_>) -> bool {
    is_pci_card(device) && !device.is("interface") && device.child("teaming").is_none()
}

/// Whether a QEMU display of this type can show a vGPU once it has OpenGL. `none` and an empty type
/// can, because they do not choose a display.
pub(crate) fn can_have_gl(kind: &str) -> bool {
    matches!(kind, "gtk" | "sdl" | "dbus" | "spice-app" | "egl-headless" | "none" | "")
}

/// The span of an attribute's value, or of the element's start tag if it does not have the
/// attribute.
pub fn attribute_span(element: Element<'_>, name: &str) -> Range<usize> {
    element.attribute_place(name).map_or_else(|| element.start_tag().span, |place| place.span())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_uuids_like_libvirt() {
        assert!(parse_uuid("AB54BABAea9a-4ce5-b7b4-51b376b65849").is_some());
        for wrong in [
            "",
            "your-gpu-uuid-here",
            "{ab54baba-ea9a-4ce5-b7b4-51b376b65849}",
            "ab54baba-ea9a-4ce5-b7b4-51b376b6584",
        ] {
            assert!(parse_uuid(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn parses_displays_as_list_and_json() {
        assert_eq!(display_parts("gtk,zoom-to-fit=off,gl=on"), ("gtk".into(), Some("on".into())));
        assert_eq!(
            display_parts("{\"type\":\"gtk\",\"gl\":\"es\"}"),
            ("gtk".into(), Some("es".into()))
        );
        assert_eq!(display_parts("none"), ("none".into(), None));
    }

    #[test]
    fn parses_pci_addresses() {
        assert_eq!(parse_pci("0000:00:02.0"), Some([0, 0, 2, 0]));
        assert_eq!(parse_pci("00a1:1f:1e.7"), Some([0xa1, 0x1f, 0x1e, 7]));
        for wrong in [
            "",
            "00:02.0",
            "0000:00:02",
            "0000:00:02.8",
            "0000:00:02.0.0",
            "x000:00:02.0",
            "+000:+0:+2.0",
        ] {
            assert_eq!(parse_pci(wrong), None, "{wrong}");
        }
    }
}
