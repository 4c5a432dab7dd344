//! The conditions under which a rule applies.

use serde::Deserialize;

use crate::rules::path::{Selector, Text};
use crate::version::VersionRange;

/// The conditions under which a rule applies; all that are set must hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct When {
    /// The libvirt releases, for example `>=8.1 <8.5`.
    pub libvirt: Option<VersionRange>,
    /// The display that shows the vGPU.
    pub shown_by: Option<DisplayBackend>,
    /// Whether the domain has a vGPU.
    pub vgpu: Option<bool>,
    /// Whether the vGPU has ramfb.
    pub ramfb: Option<bool>,
    /// Whether the rule is for domains that cannot have a GVT-g vGPU. Only such rules run on these
    /// domains, and they run on no others.
    #[serde(default)]
    pub unsuitable: bool,
    /// No element matches, apart from those that earlier fixes remove.
    pub absent: Option<Selector>,
    /// An element matches that no earlier fix removes.
    pub present: Option<Selector>,
    /// A setting that must be set; with `!`, one that must not be.
    pub setting: Option<Text>,
}

/// The display that shows the vGPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DisplayBackend {
    /// QEMU's own display (`-display`), with or without a window.
    Qemu,
    /// A window that QEMU opens itself. Unlike `-display egl-headless`, it needs no `<graphics>`.
    Window,
    /// A `<graphics>` of the domain with OpenGL.
    Graphics,
}
