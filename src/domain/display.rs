//! The displays of a domain, and whether they can show a vGPU.

use super::{Domain, can_have_gl, display_has_gl, display_parts, has_gl, shows_what_egl_draws};
use crate::domain::QemuOption;
use crate::qemu::{OptionList, Syntax, is_vnc_server};
use crate::xml::Element;

/// QEMU displays without a local window.
const REMOTE_DISPLAYS: &[&str] = &["egl-headless", "dbus", "spice-app", "curses"];

/// The operand of a `-display` that chooses QEMU's display; `None` for another option and for
/// `vnc=…`, which opens a VNC server in addition to the display.
fn display_operand<'d>(option: &QemuOption<'d>) -> Option<&'d str> {
    if option.name != "display" {
        return None;
    }
    let operand = option.operand?.value;
    if is_vnc_server(operand) { None } else { Some(operand) }
}

impl<'d> Domain<'d> {
    /// The `-display` options in order; the last one takes effect. `-display vnc=…` is not included
    /// because it opens a server in addition to the display.
    pub fn displays(&self) -> Vec<QemuOption<'d>> {
        self.options.iter().filter(|option| display_operand(option).is_some()).copied().collect()
    }

    /// The display that the arguments choose, in the form of a `-display` operand. A `-display` in
    /// one argument with its operand counts as if it were split already, `-sdl` counts as `-display
    /// sdl`, and `-nographic` as `-display none`.
    pub fn chosen_display(&self) -> Option<&'d str> {
        let start = |element: Element<'d>| element.start_tag().span.start;
        let split = self.options.iter().rev().find_map(|option| match option.name {
            "display" => display_operand(option).map(|operand| (start(option.element), operand)),
            "sdl" => Some((start(option.element), "sdl")),
            "nographic" => Some((start(option.element), "none")),
            _ => None,
        });
        let joined = self.joined_displays().filter(|(_, operand)| !is_vnc_server(operand)).last();
        let joined = joined.map(|(element, operand)| (start(element), operand));
        split.into_iter().chain(joined).max_by_key(|(start, _)| *start).map(|(_, operand)| operand)
    }

    /// The arguments that contain `-display` together with its operand, each with that operand.
    /// QEMU cannot read them; a fix splits them.
    pub fn joined_displays(&self) -> impl Iterator<Item = (Element<'d>, &'d str)> {
        self.arguments.iter().filter_map(|argument| {
            let name =
                argument.value.strip_prefix("--").or_else(|| argument.value.strip_prefix('-'))?;
            let operand = name.strip_prefix("display")?.strip_prefix([' ', '='])?.trim_start();
            if operand.is_empty() { None } else { Some((argument.element, operand)) }
        })
    }

    /// Whether the QEMU arguments open a screen without OpenGL besides the `-display`: VNC, SPICE
    /// or the terminal.
    fn has_screen_argument(&self) -> bool {
        let is_vnc = |option: &QemuOption<'d>| {
            option.name == "display"
                && option.operand.is_some_and(|operand| is_vnc_server(operand.value))
        };
        let is_screen = |option: &QemuOption<'d>| {
            matches!(option.name, "nographic" | "vnc" | "spice" | "curses") || is_vnc(option)
        };
        self.options.iter().any(is_screen)
            || self.joined_displays().any(|(_, operand)| is_vnc_server(operand))
    }

    /// Whether `-nographic` replaces every display, which it does if no `-display` follows it.
    pub fn is_nographic(&self) -> bool {
        let sets_display = |option: &&QemuOption<'d>| {
            option.name == "nographic" || display_operand(option).is_some()
        };
        self.options
            .iter()
            .rev()
            .find(sets_display)
            .is_some_and(|option| option.name == "nographic")
    }

    /// The type of the display that QEMU will open: the one from the command line, else the
    /// document's, else the default.
    pub fn display_kind(&self) -> &str {
        self.cache.display_kind.get_or_init(|| {
            match self.chosen_display().map(|operand| display_parts(operand).0) {
                Some(kind) if self.settings.explicit.display.is_none() && kind != "none" => kind,
                _ => display_parts(self.settings.display()).0,
            }
        })
    }

    /// Whether a `<graphics>` shows the vGPU, or will show it once the vGPU's display is on: it has
    /// OpenGL, and neither `--display` nor a window in the QEMU arguments replaces it.
    pub fn is_shown_by_graphics(&self) -> bool {
        *self.cache.graphics_shown.get_or_init(|| {
            if self.settings.explicit.display.is_some() {
                return false;
            }
            let graphics = self.devices_named("graphics");
            let chosen_kind = self.chosen_display().map(|operand| display_parts(operand).0);
            // The last `-display` takes effect, and libvirt writes its own first: a window in the
            // user's arguments replaces the one that a <graphics> opens.
            let is_display_on =
                || self.vgpu.is_some_and(|vgpu| vgpu.attribute("display") == Some("on"));
            match chosen_kind.as_deref() {
                // It provides OpenGL to VNC and SPICE, as <graphics type='egl-headless'> does.
                Some("egl-headless") => graphics.into_iter().any(shows_what_egl_draws),
                None => graphics.into_iter().any(has_gl),
                // It replaces libvirt's own `-display`, and with it OpenGL, which every type but
                // SPICE needs.
                Some("none") => graphics.into_iter().any(|graphics| {
                    graphics.attribute("type") == Some("spice") && has_gl(graphics)
                }),
                Some(_) => is_display_on() && graphics.into_iter().any(has_gl),
            }
        })
    }

    /// Whether QEMU shows the vGPU on this kind of display (`gtk`, `sdl`, …), which an argument or
    /// a `<graphics>` of that type opens.
    pub fn opens_display(&self, kind: &str) -> bool {
        if self.is_shown_by_graphics() {
            return self
                .devices_named("graphics")
                .into_iter()
                .any(|graphics| has_gl(graphics) && graphics.attribute("type") == Some(kind));
        }
        self.display_kind() == kind
    }

    /// Whether the last `-spice` option has OpenGL, so that it shows a vGPU.
    pub fn is_shown_by_spice(&self) -> bool {
        let spice = self
            .options
            .iter()
            .rfind(|option| option.name == "spice")
            .and_then(|option| option.operand);
        let list = spice.and_then(|operand| OptionList::parse(operand.value, Syntax::SPICE).ok());
        list.is_some_and(|list| list.get("gl") == Some("on"))
    }

    /// Whether QEMU opens a window on an X display.
    pub fn opens_window(&self) -> bool {
        let by_argument = self
            .chosen_display()
            .is_some_and(|operand| matches!(&*display_parts(operand).0, "gtk" | "sdl"));
        by_argument
            || self
                .devices_named("graphics")
                .iter()
                .any(|graphics| matches!(graphics.attribute("type"), Some("sdl" | "desktop")))
    }

    /// Whether SELinux may confine QEMU: no `<seclabel type='none'/>` turns it off. Whether the
    /// host uses SELinux is not known here.
    pub fn is_confined_by_selinux(&self) -> bool {
        let is_off = |label: &Element<'d>| {
            label.attribute("type") == Some("none")
                && matches!(label.attribute("model"), None | Some("selinux"))
        };
        !self.children_named(self.root, "seclabel").iter().any(is_off)
    }

    /// Whether a `<seclabel>` asks for SELinux, which confines the VM even if qemu.conf does not
    /// confine VMs by default.
    pub fn asks_for_selinux(&self) -> bool {
        let is_on = |label: &Element<'d>| {
            label.attribute("type") != Some("none")
                && matches!(label.attribute("model"), None | Some("selinux"))
        };
        self.children_named(self.root, "seclabel").iter().any(is_on)
    }

    /// Whether the user may watch the guest through a display that shows the emulated card or the
    /// `<graphics>`: another graphics card, Looking Glass, or a QEMU screen without a local window.
    pub fn has_other_display(&self) -> bool {
        let has_looking_glass_device = || {
            let shared = self.devices_named("shmem");
            shared.iter().any(|shmem| {
                shmem
                    .attribute("name")
                    .is_some_and(|name| name.contains("looking-glass") || name.contains("kvmfr"))
            })
        };
        let has_looking_glass_argument = || {
            self.arguments.iter().any(|argument| {
                ["kvmfr", "ivshmem"].iter().any(|word| argument.value.contains(word))
            })
        };
        let has_remote_display = || REMOTE_DISPLAYS.contains(&self.display_kind());
        let is_display_requested = self.settings.explicit.display.is_some();
        self.graphics_cards().next().is_some()
            || has_looking_glass_device()
            || has_looking_glass_argument()
            || !is_display_requested && (self.has_screen_argument() || has_remote_display())
    }

    /// Whether the QEMU arguments choose a screen that cannot show a vGPU. QEMU exits if the vGPU's
    /// display is on and its own display has no OpenGL, and only the user knows what the screen is
    /// for.
    pub fn has_screen_without_gl(&self) -> bool {
        if self.settings.explicit.display.is_some()
            || self.is_shown_by_graphics()
            || self.is_shown_by_spice()
        {
            return false;
        }
        match self.chosen_display() {
            _ if self.is_nographic() => true,
            Some(operand) => !can_have_gl(&display_parts(operand).0),
            None => self.has_screen_argument(),
        }
    }

    /// Whether the vGPU's `display` property is on and a display shows it.
    pub fn has_working_display(&self) -> bool {
        let is_display_on =
            self.effective_property("display").is_some_and(|property| property.value == "on");
        let is_shown_by_chosen_display = || {
            self.chosen_display().is_some_and(|operand| {
                let (kind, gl) = display_parts(operand);
                // egl-headless only draws; a <graphics> has to show the result.
                let is_visible =
                    kind != "egl-headless" || !self.devices_named("graphics").is_empty();
                display_has_gl(&kind, gl.as_deref()) && is_visible
            })
        };
        is_display_on
            && (self.is_shown_by_graphics()
                || self.is_shown_by_spice()
                || is_shown_by_chosen_display())
    }
}
