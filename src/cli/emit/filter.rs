//! The flags for the hook that converts VMs.

use clap::{Args, ValueHint};

use super::super::flags::Offering;
use crate::settings::SettingError;
use crate::settings::parsers::{display, display_env, gdk_scale, libvirt, romfile};
use crate::settings::table::libvirt_words;

/// The settings for VMs that come from other hosts.
#[derive(Args, Debug)]
pub(super) struct FilterArgs {
    /// Target libvirt: 9.0, installed or newest (8.5+)
    #[arg(long, value_name = "VERSION")]
    #[arg(value_parser = Offering::new(target_libvirt, libvirt_words), hide_possible_values = true)]
    #[arg(long_help = "The libvirt that will read the domains: a version such as 9.0, or \
            `installed`, which is detected each time the hook runs [default: installed]")]
    libvirt: Option<String>,
    /// Value of QEMU's -display [default: gtk,gl=on]
    #[arg(long, value_parser = display, hide_short_help = true)]
    #[arg(long_help = "Value of QEMU's -display: gtk or sdl with gl=on, gl=es or gl=core, or \
            egl-headless [default: gtk,gl=on]")]
    display: Option<String>,
    /// X display for the QEMU window
    #[arg(long, value_name = "DISPLAY", value_parser = display_env)]
    #[arg(
        long_help = "X display for the QEMU window in domains that do not set one [default: :0]"
    )]
    display_env: Option<String>,
    /// GTK scale of the QEMU window [default: 1.0]
    #[arg(long, value_name = "SCALE", value_parser = gdk_scale, hide_short_help = true)]
    #[arg(long_help = "GTK scale of the QEMU window (GDK_SCALE) [default: 1.0]")]
    gdk_scale: Option<String>,
    /// Option ROM for the vGPU of a UEFI guest
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = romfile)]
    #[arg(hide_short_help = true)]
    #[arg(
        long_help = "Absolute path of an option ROM (GPU firmware) for the vGPU; some UEFI guests \
            show no picture without one"
    )]
    romfile: Option<String>,
}

impl FilterArgs {
    /// Returns the equivalent flags of `fix`.
    pub(super) fn flags(&self) -> Vec<String> {
        let libvirt = self.libvirt.as_deref().unwrap_or("installed").to_owned();
        let others = [
            ("--display", &self.display),
            ("--display-env", &self.display_env),
            ("--gdk-scale", &self.gdk_scale),
            ("--romfile", &self.romfile),
        ];
        let others =
            others.into_iter().filter_map(|(flag, value)| Some([flag.to_owned(), value.clone()?]));
        ["--libvirt".to_owned(), libvirt].into_iter().chain(others.flatten()).collect()
    }
}

/// Parses a libvirt version. `installed` stays as it is and is resolved at each call of the hook,
/// because the hook may be on another machine, where libvirt may be updated.
fn target_libvirt(text: &str) -> Result<String, SettingError> {
    if text == "installed" {
        Ok(text.to_owned())
    } else {
        libvirt(text).map(|version| version.to_string())
    }
}
