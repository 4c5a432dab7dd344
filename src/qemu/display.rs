//! The QEMU displays that an argument opens and that can show a vGPU, with their options.
//!
//! The options were checked on QEMU 5.2, 7.2, 10.0 and 11.1 (qapi/ui.json `DisplayOptions`): an
//! option is listed if any of these releases has it. Two SDL options have other names in QEMU 5.2
//! that later releases do not have.

use super::{OptionList, Syntax};

/// A display type of QEMU.
#[derive(Debug, PartialEq, Eq)]
pub struct Display {
    /// The value of `type`.
    pub kind: &'static str,
    /// The options besides `type`.
    pub options: &'static [(&'static str, DisplayValue)],
}

/// The values that an option of a display accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisplayValue {
    /// `on` or `off`.
    Switch,
    /// A positive number, possibly with a fraction.
    Number,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// An absolute path.
    Path,
}

/// The values of `gl` with which a display can show a vGPU.
pub const GL_MODES: &[&str] = &["on", "core", "es"];

/// The displays that can show a vGPU and that QEMU can open when libvirt starts it. `dbus` and
/// `spice-app` are missing because QEMU then finds no bus and no viewer.
pub const DISPLAYS: &[Display] = &[
    Display {
        kind: "gtk",
        options: &[
            ("gl", DisplayValue::OneOf(GL_MODES)),
            ("full-screen", DisplayValue::Switch),
            ("window-close", DisplayValue::Switch),
            ("show-cursor", DisplayValue::Switch),
            ("grab-on-hover", DisplayValue::Switch),
            ("zoom-to-fit", DisplayValue::Switch),
            ("show-tabs", DisplayValue::Switch),
            ("show-menubar", DisplayValue::Switch),
            ("clipboard", DisplayValue::Switch),
            ("keep-aspect-ratio", DisplayValue::Switch),
            ("scale", DisplayValue::Number),
        ],
    },
    Display {
        kind: "sdl",
        options: &[
            ("gl", DisplayValue::OneOf(GL_MODES)),
            ("full-screen", DisplayValue::Switch),
            ("window-close", DisplayValue::Switch),
            ("show-cursor", DisplayValue::Switch),
            ("grab-mod", DisplayValue::OneOf(&["lshift-lctrl-lalt", "rctrl"])),
        ],
    },
    Display {
        kind: "egl-headless",
        options: &[
            ("gl", DisplayValue::OneOf(GL_MODES)),
            ("rendernode", DisplayValue::Path),
            ("full-screen", DisplayValue::Switch),
            ("window-close", DisplayValue::Switch),
            ("show-cursor", DisplayValue::Switch),
        ],
    },
];

/// The reason why QEMU, started by libvirt, cannot show a vGPU on a display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DisplayError {
    /// QEMU cannot parse the operand; QEMU's message.
    Unreadable(String),
    /// The type is not in [`DISPLAYS`].
    Kind(String),
    /// The display has no OpenGL.
    WithoutGl,
    /// The display has no such option.
    UnknownOption(&'static Display, String),
    /// The option with this name does not accept its value, but only values of this kind.
    WrongValue(&'static str, DisplayValue),
}

/// Whether the operand of a `-display` opens a VNC server, like `-vnc`. QEMU runs the server in
/// addition to the display that another `-display` chooses.
pub fn is_vnc_server(operand: &str) -> bool {
    operand.starts_with("vnc=")
}

/// Checks that a display with this `-display` operand can show a vGPU.
///
/// # Errors
/// The first reason why it cannot.
pub fn check_display(operand: &str) -> Result<(), DisplayError> {
    // QEMU checks this prefix before it parses the list (system/vl.c `parse_display`).
    if operand.starts_with("vnc") {
        return Err(DisplayError::Kind("vnc".to_owned()));
    }
    let list = OptionList::parse(operand, Syntax::DISPLAY).map_err(DisplayError::Unreadable)?;
    let kind = list.get("type").unwrap_or("");
    let display = DISPLAYS
        .iter()
        .find(|display| display.kind == kind)
        .ok_or_else(|| DisplayError::Kind(kind.to_owned()))?;
    for (name, value, is_string) in list.iter_with_string_flag() {
        if name == "type" {
            continue;
        }
        let option = display.options.iter().find(|(option_name, _)| *option_name == name);
        let (option_name, accepted) =
            option.ok_or_else(|| DisplayError::UnknownOption(display, name.to_owned()))?;
        if *option_name == "gl" && value == "off" {
            return Err(DisplayError::WithoutGl);
        }
        if !accepted.accepts(value, is_string) {
            return Err(DisplayError::WrongValue(option_name, *accepted));
        }
    }
    let has_gl = display.kind == "egl-headless" || list.get("gl").is_some();
    if has_gl { Ok(()) } else { Err(DisplayError::WithoutGl) }
}

impl DisplayValue {
    /// Whether QEMU accepts a value. In JSON, words must be strings, and switches and numbers must
    /// not be; `is_string` is `None` for a plain list.
    fn accepts(self, value: &str, is_string: Option<bool>) -> bool {
        match self {
            DisplayValue::Switch => {
                let is_word =
                    matches!(value, "on" | "yes" | "true" | "y" | "off" | "no" | "false" | "n");
                is_string != Some(true) && is_word
            }
            DisplayValue::Number => {
                is_string != Some(true)
                    && value.parse::<f64>().is_ok_and(|number| number.is_finite() && number > 0.0)
            }
            DisplayValue::OneOf(words) => is_string != Some(false) && words.contains(&value),
            DisplayValue::Path => is_string != Some(false) && value.starts_with('/'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_displays_that_qemu_can_open() {
        for operand in [
            "gtk,gl=on",
            "gtk,gl=es,zoom-to-fit=off,show-menubar=on,full-screen=yes",
            "gtk,gl=on,clipboard=on,keep-aspect-ratio=off,scale=1.5",
            "sdl,gl=core,grab-mod=rctrl,window-close=off",
            "egl-headless",
            "egl-headless,rendernode=/dev/dri/renderD128,gl=on",
            "type=gtk,gl=on",
            "gtk,gl=on,",
            r#"{"type":"gtk","gl":"on"}"#,
            r#"{"type":"gtk","gl":"es","full-screen":true,"scale":1.5}"#,
        ] {
            assert_eq!(check_display(operand), Ok(()), "{operand}");
        }
    }

    #[test]
    fn rejects_other_displays_with_the_reason() {
        let kind = |kind: &str| DisplayError::Kind(kind.to_owned());
        for (operand, error) in [
            ("gtk", DisplayError::WithoutGl),
            ("gtk,gl=off", DisplayError::WithoutGl),
            ("egl-headless,gl=off", DisplayError::WithoutGl),
            ("gtk,gl=yes", DisplayError::WrongValue("gl", DisplayValue::OneOf(GL_MODES))),
            (
                r#"{"type":"gtk","gl":true}"#,
                DisplayError::WrongValue("gl", DisplayValue::OneOf(GL_MODES)),
            ),
            (
                r#"{"type":"gtk","gl":"on","full-screen":"on"}"#,
                DisplayError::WrongValue("full-screen", DisplayValue::Switch),
            ),
            (
                "gtk,gl=on,full-screen=1",
                DisplayError::WrongValue("full-screen", DisplayValue::Switch),
            ),
            ("gtk,gl=on,scale=x", DisplayError::WrongValue("scale", DisplayValue::Number)),
            ("gtk,gl=on,nonsense=1", DisplayError::UnknownOption(&DISPLAYS[0], "nonsense".into())),
            (
                "sdl,gl=on,zoom-to-fit=on",
                DisplayError::UnknownOption(&DISPLAYS[1], "zoom-to-fit".into()),
            ),
            ("gtk,gl", DisplayError::Unreadable("Expected '=' after parameter 'gl'".into())),
            ("dbus,gl=on", kind("dbus")),
            ("spice-app,gl=on", kind("spice-app")),
            ("curses,gl=on", kind("curses")),
            ("GTK,gl=on", kind("GTK")),
            ("vnc=:0", kind("vnc")),
            ("vnc=127.0.0.1:5,password", kind("vnc")),
            ("vnc", kind("vnc")),
            ("", kind("")),
        ] {
            assert_eq!(check_display(operand), Err(error), "{operand}");
        }
    }
}
