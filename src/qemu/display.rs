//! The displays that QEMU opens by an argument and that can show a vGPU, with their options.
//!
//! The options were checked on QEMU 5.2, 7.2, 10.0 and 11.1 (qapi/ui.json `DisplayOptions`): one is
//! listed if any of them knows it. SDL of QEMU 5.2 has other names for two of its options, which
//! later releases do not have.

use super::{OptionList, Syntax};

/// A display.
#[derive(Debug, PartialEq, Eq)]
pub struct Display {
    /// Its type.
    pub kind: &'static str,
    /// Its options besides `type`.
    pub options: &'static [(&'static str, DisplayValue)],
}

/// The values that an option of a display takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisplayValue {
    /// `on` or `off`.
    Switch,
    /// A number, maybe with a fraction.
    Number,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A path.
    Path,
}

/// The values of `gl` with which a vGPU can be shown.
pub const GL_MODES: &[&str] = &["on", "core", "es"];

/// The displays that can show a vGPU and that a QEMU started by libvirt can open. There, `dbus`
/// finds no bus and `spice-app` no viewer.
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

/// Why QEMU, started by libvirt, can't show a vGPU on a display with this value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DisplayError {
    /// QEMU can't read it; QEMU's message.
    Unreadable(String),
    /// It is of a type that is not in [`DISPLAYS`].
    Kind(String),
    /// It has no OpenGL.
    WithoutGl,
    /// The display has no such option.
    UnknownOption(&'static Display, String),
    /// The option takes something else.
    WrongValue(&'static str, DisplayValue),
}

/// Whether the operand of a `-display` opens a VNC server, like `-vnc`. QEMU runs it next to the
/// display that another `-display` chooses.
pub fn is_vnc_server(operand: &str) -> bool {
    operand.starts_with("vnc=")
}

/// Checks the operand of a `-display`.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check_display(operand: &str) -> Result<(), DisplayError> {
    // QEMU looks for this word before it reads a list (system/vl.c `parse_display`).
    if operand.starts_with("vnc") {
        return Err(DisplayError::Kind("vnc".to_owned()));
    }
    let list = OptionList::parse(operand, Syntax::DISPLAY).map_err(DisplayError::Unreadable)?;
    let kind = list.get("type").unwrap_or("");
    let display = DISPLAYS
        .iter()
        .find(|display| display.kind == kind)
        .ok_or_else(|| DisplayError::Kind(kind.to_owned()))?;
    for (name, value, is_string) in list.typed() {
        if name == "type" {
            continue;
        }
        let known = display.options.iter().find(|(known, _)| *known == name);
        let (known, wanted) =
            known.ok_or_else(|| DisplayError::UnknownOption(display, name.to_owned()))?;
        if *known == "gl" && value == "off" {
            return Err(DisplayError::WithoutGl);
        }
        if !wanted.fits(value, is_string) {
            return Err(DisplayError::WrongValue(known, *wanted));
        }
    }
    let has_gl = display.kind == "egl-headless" || list.get("gl").is_some();
    if has_gl { Ok(()) } else { Err(DisplayError::WithoutGl) }
}

impl DisplayValue {
    /// Whether QEMU accepts a value; in JSON it accepts words only as strings, and switches and
    /// numbers only without quotes.
    fn fits(self, value: &str, is_string: Option<bool>) -> bool {
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
    fn displays_that_start_are_taken() {
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
    fn displays_that_do_not_start_are_refused_with_the_reason() {
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
