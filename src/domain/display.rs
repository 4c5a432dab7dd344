//! What shows the guest, and whether a vGPU can be seen there.

use super::{Domain, can_have_gl, display_has_gl, display_parts, has_gl, shows_what_egl_draws};
use crate::domain::QemuOption;
use crate::qemu::{OptionList, Syntax, is_vnc_server};
use crate::xml::Element;

/// Displays that show the picture to whoever comes for it, and not in a window of their own.
const REMOTE_DISPLAYS: &[&str] = &["egl-headless", "dbus", "spice-app", "curses"];

/// The operand of a `-display` that chooses QEMU's display; None for another option and for
/// `vnc=…`, which opens a server next to it.
fn display_operand<'d>(option: &QemuOption<'d>) -> Option<&'d str> {
    let operand = option.operand.filter(|_| option.name == "display")?.value;
    (!is_vnc_server(operand)).then_some(operand)
}

impl<'d> Domain<'d> {
    /// The options that choose QEMU's display, in order; the last one counts. `-display vnc=…` is
    /// not among them: it chooses no display.
    pub fn displays(&self) -> Vec<QemuOption<'d>> {
        self.options.iter().filter(|option| display_operand(option).is_some()).copied().collect()
    }

    /// The display that the arguments choose, as the operand of a `-display`. A `-display` in one
    /// argument with its operand counts as the two that it is split into, `-sdl` as `-display sdl`,
    /// and `-nographic` as `-display none`.
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

    /// The arguments that are a `-display` and its operand in one, with these operands. QEMU can't
    /// read them; a fix splits them.
    pub fn joined_displays(&self) -> impl Iterator<Item = (Element<'d>, &'d str)> {
        self.arguments.iter().filter_map(|argument| {
            let name =
                argument.value.strip_prefix("--").or_else(|| argument.value.strip_prefix('-'))?;
            let operand = name.strip_prefix("display")?.strip_prefix([' ', '='])?.trim_start();
            (!operand.is_empty()).then_some((argument.element, operand))
        })
    }

    /// Whether QEMU's own arguments open a screen without OpenGL next to its display: VNC, SPICE,
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

    /// Whether `-nographic` takes the place of every display: none follows it.
    pub fn is_nographic(&self) -> bool {
        let chooses = |option: &&QemuOption<'d>| {
            option.name == "nographic" || display_operand(option).is_some()
        };
        self.options.iter().rev().find(chooses).is_some_and(|option| option.name == "nographic")
    }

    /// The kind of display that QEMU will have: the one asked for, else the document's own, else
    /// the default.
    pub fn display_kind(&self) -> &str {
        self.answers.display_kind.get_or_init(|| {
            match self.chosen_display().map(|operand| display_parts(operand).0) {
                Some(kind) if self.settings.explicit.display.is_none() && kind != "none" => kind,
                _ => display_parts(self.settings.display()).0,
            }
        })
    }

    /// Whether a `<graphics>` shows the vGPU, or will show it once the vGPU's display is on: it has
    /// OpenGL, and neither `--display` nor a window among QEMU's own arguments asks for another
    /// way.
    pub fn is_shown_by_graphics(&self) -> bool {
        *self.answers.graphics_shown.get_or_init(|| {
            if self.settings.explicit.display.is_some() {
                return false;
            }
            let graphics = self.devices_named("graphics");
            let own = self.chosen_display().map(|operand| display_parts(operand).0);
            // Of two `-display` the last one counts, and libvirt writes its own first: a window
            // here replaces what a <graphics> opens.
            let is_on = || self.vgpu.is_some_and(|vgpu| vgpu.attribute("display") == Some("on"));
            match own.as_deref() {
                // It gives OpenGL to VNC and SPICE, as <graphics type='egl-headless'> does.
                Some("egl-headless") => graphics.into_iter().any(shows_what_egl_draws),
                None => graphics.into_iter().any(has_gl),
                // It takes the place of libvirt's own `-display`, with OpenGL. Only SPICE does not
                // need that.
                Some("none") => graphics.into_iter().any(|graphics| {
                    graphics.attribute("type") == Some("spice") && has_gl(graphics)
                }),
                Some(_) => is_on() && graphics.into_iter().any(has_gl),
            }
        })
    }

    /// Whether QEMU opens this kind of display for the vGPU (`gtk`, `sdl`, …), as an argument or as
    /// a `<graphics>` of that type.
    pub fn opens(&self, kind: &str) -> bool {
        if self.is_shown_by_graphics() {
            return self
                .devices_named("graphics")
                .into_iter()
                .any(|graphics| has_gl(graphics) && graphics.attribute("type") == Some(kind));
        }
        self.display_kind() == kind
    }

    /// Whether SPICE among QEMU's own arguments shows a vGPU: with OpenGL.
    pub fn is_shown_by_spice(&self) -> bool {
        let spice = self
            .options
            .iter()
            .rfind(|option| option.name == "spice")
            .and_then(|option| option.operand);
        let list = spice.and_then(|operand| OptionList::parse(operand.value, Syntax::SPICE).ok());
        list.is_some_and(|list| list.get("gl") == Some("on"))
    }

    /// Whether QEMU opens a window of its own on an X display.
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

    /// Whether SELinux confines QEMU, as far as the domain says: `<seclabel type='none'/>` turns
    /// that off.
    pub fn is_confined_by_selinux(&self) -> bool {
        let is_off = |label: &Element<'d>| {
            label.attribute("type") == Some("none")
                && matches!(label.attribute("model"), None | Some("selinux"))
        };
        !self.named(self.root, "seclabel").iter().any(is_off)
    }

    /// Whether a `<seclabel>` asks for SELinux, which confines the VM even where qemu.conf leaves
    /// others alone.
    pub fn asks_for_selinux(&self) -> bool {
        let is_on = |label: &Element<'d>| {
            label.attribute("type") != Some("none")
                && matches!(label.attribute("model"), None | Some("selinux"))
        };
        self.named(self.root, "seclabel").iter().any(is_on)
    }

    /// Whether somebody may watch the guest through something that shows what its emulated card or
    /// its `<graphics>` shows: another graphics card, Looking Glass, a screen of QEMU's that is no
    /// window.
    pub fn has_other_display(&self) -> bool {
        let has_shared_memory = || {
            let shared = self.devices_named("shmem");
            shared.iter().any(|shmem| {
                shmem
                    .attribute("name")
                    .is_some_and(|name| name.contains("looking-glass") || name.contains("kvmfr"))
            })
        };
        let has_screen = || {
            self.arguments.iter().any(|argument| {
                ["kvmfr", "ivshmem"].iter().any(|word| argument.value.contains(word))
            })
        };
        let has_display = || REMOTE_DISPLAYS.contains(&self.display_kind());
        let is_asked = self.settings.explicit.display.is_some();
        self.graphics_cards().next().is_some()
            || has_shared_memory()
            || has_screen()
            || !is_asked && (self.has_screen_argument() || has_display())
    }

    /// Whether the user's own arguments choose a screen that can't show a vGPU: a display without
    /// OpenGL stops QEMU where the vGPU has its display on, and only the user knows what the screen
    /// is for.
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

    /// Whether the vGPU has its display property and something shows it.
    pub fn has_working_display(&self) -> bool {
        let has_property =
            self.effective_property("display").is_some_and(|delivered| delivered.value == "on");
        let is_shown = || {
            self.chosen_display().is_some_and(|operand| {
                let (kind, gl) = display_parts(operand);
                // egl-headless draws, and a <graphics> shows what it draws.
                let is_seen = kind != "egl-headless" || !self.devices_named("graphics").is_empty();
                display_has_gl(&kind, gl.as_deref()) && is_seen
            })
        };
        has_property && (self.is_shown_by_graphics() || self.is_shown_by_spice() || is_shown())
    }
}
