//! The flags that set settings.

use clap::{Args, ValueHint};
use uuid::Uuid;

use super::offering::Offering;
use crate::domain::{AUDIO_BACKENDS, Audio};
use crate::settings::config::PartialConfig;
use crate::settings::parsers::{
    LIBVIRTS, alias, audio, display, display_env, gdk_scale, libvirt, pci, romfile, uuid, vgpu_type,
};
use crate::version::Version;
use crate::vgpu_types;

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Settings")]
pub(in crate::cli) struct SettingsArgs {
    /// Target libvirt: 9.0, installed or newest (8.5+)
    #[arg(long, value_name = "VERSION")]
    #[arg(value_parser = Offering::new(libvirt, libvirts), hide_possible_values = true)]
    #[arg(
        long_help = "The libvirt that will read the domain: a version such as 9.0, `installed` \
            (the one on this machine), or `newest` (the syntax for 8.5 and later) [default: \
            newest]"
    )]
    pub(in crate::cli) libvirt: Option<Version>,
    /// The vGPU's UUID
    #[arg(long, value_parser = uuid)]
    #[arg(
        long_help = "The vGPU's UUID [default: the one in the domain, or else one derived from the \
            domain's own UUID or name]"
    )]
    pub(in crate::cli) uuid: Option<Uuid>,
    /// The vGPU's type, to record in the metadata
    #[arg(long = "type", value_name = "TYPE")]
    #[arg(value_parser = Offering::new(vgpu_type, vgpu_type_names), hide_possible_values = true)]
    #[arg(
        long_help = "The vGPU's type, such as i915-GVTg_V5_4, which is recorded in the domain's \
            metadata; `gvtg-xml types` lists the types"
    )]
    pub(in crate::cli) vgpu_type: Option<String>,
    /// The Intel GPU's PCI address [default: 0000:00:02.0]
    #[arg(long, value_name = "ADDRESS", value_parser = pci)]
    #[arg(long_help = "The Intel GPU's PCI address; if given, it is recorded in the domain's \
            metadata [default: 0000:00:02.0]")]
    pub(in crate::cli) pci: Option<String>,
    /// Value of QEMU's -display [default: gtk,gl=on]
    #[arg(long, value_parser = display)]
    #[arg(long_help = "Value of QEMU's -display: gtk or sdl with gl=on, gl=es or gl=core, or \
            egl-headless [default: gtk,gl=on]")]
    pub(in crate::cli) display: Option<String>,
    /// X display for the QEMU window
    #[arg(long, value_name = "DISPLAY", value_parser = display_env)]
    #[arg(long_help = "X display for the QEMU window [default: :0]")]
    pub(in crate::cli) display_env: Option<String>,
    /// GTK scale of the QEMU window [default: 1.0]
    #[arg(long, value_name = "SCALE", value_parser = gdk_scale)]
    #[arg(long_help = "GTK scale of the QEMU window (GDK_SCALE) [default: 1.0]")]
    pub(in crate::cli) gdk_scale: Option<String>,
    /// The vGPU's alias [default: ua-gvtg]
    #[arg(long, value_parser = alias)]
    #[arg(long_help = "The vGPU's alias, a device name that starts with ua- [default: ua-gvtg]")]
    pub(in crate::cli) alias: Option<String>,
    /// Option ROM for the vGPU of a UEFI guest
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = romfile)]
    #[arg(
        long_help = "Absolute path of an option ROM (GPU firmware) for the vGPU; some UEFI guests \
            show no picture without one"
    )]
    pub(in crate::cli) romfile: Option<String>,
    /// Audio backend instead of SPICE audio [default: none]
    #[arg(long, value_name = "TYPE[,NAME=VALUE]…")]
    #[arg(value_parser = Offering::new(audio, audio_backends), hide_possible_values = true)]
    #[arg(long_help = "Audio backend that replaces SPICE audio: a type of <audio> such as \
            pulseaudio, and attributes for it [default: none]")]
    pub(in crate::cli) audio: Option<Audio>,
    /// Keep <video>, if the guest has no vGPU driver
    #[arg(long, value_name = "BOOL", num_args = 0..=1)]
    #[arg(require_equals = true, default_missing_value = "true")]
    pub(in crate::cli) keep_video: Option<bool>,
}

/// Returns the keywords for a libvirt release, besides version numbers.
pub(in crate::cli) fn libvirts() -> Vec<&'static str> {
    LIBVIRTS.to_vec()
}

/// Returns the names of all vGPU types.
pub(in crate::cli) fn vgpu_type_names() -> Vec<String> {
    vgpu_types::names().collect()
}

fn audio_backends() -> Vec<&'static str> {
    AUDIO_BACKENDS.iter().map(|backend| backend.name).collect()
}

impl SettingsArgs {
    /// Returns the values of these flags.
    pub(in crate::cli) fn choices(&self) -> PartialConfig {
        PartialConfig::default()
            .with("libvirt", self.libvirt.map(|version| version.to_string()))
            .with("uuid", self.uuid.map(|uuid| uuid.to_string()))
            .with("type", self.vgpu_type.clone())
            .with("pci", self.pci.clone())
            .with("display", self.display.clone())
            .with("display-env", self.display_env.clone())
            .with("gdk-scale", self.gdk_scale.clone())
            .with("alias", self.alias.clone())
            .with("romfile", self.romfile.clone())
            .with("audio", self.audio.as_ref().map(Audio::to_string))
            .with("keep-video", self.keep_video)
    }
}
