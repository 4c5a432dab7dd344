//! What a run does: flags where they were given, else defaults. The only place that knows the defaults.

use super::Status;
use super::flags::{ColorChoice, CommonArgs, SettingsArgs};
use crate::rules::schema::Severity;
use crate::settings::Settings;

/// What a run over files does, apart from what the files say.
pub(super) struct Options {
    /// What the user wants of the domains.
    pub(super) settings: Settings,
    /// The least severity that makes the exit code 1.
    pub(super) fail_on: Severity,
    /// Whether the exit code is 0 where it would be 1.
    pub(super) exit_zero: bool,
    /// Whether files that are no domain with a sign of GVT-g are passed over.
    pub(super) skip_foreign: bool,
    /// Whether domains in folders need no sign of GVT-g.
    pub(super) all: bool,
    /// Whether the files that are passed over are named.
    pub(super) list_skipped: bool,
    /// The name that messages show for stdin.
    pub(super) stdin_filename: String,
    /// The largest input, in MiB; 0 for any size.
    pub(super) max_size: u64,
    /// When to use colours.
    pub(super) color: ColorChoice,
}

impl Options {
    /// The options that these flags mean.
    pub(super) fn merge(common: &CommonArgs, settings: &SettingsArgs, unsafe_fixes: bool) -> Self {
        Options {
            settings: settings.settings(unsafe_fixes),
            fail_on: common.fail_on.unwrap_or(Severity::Warning),
            exit_zero: common.exit_zero,
            skip_foreign: common.skip_foreign,
            all: common.all,
            list_skipped: common.list_skipped,
            stdin_filename: common.stdin_filename.clone().unwrap_or_else(|| "<stdin>".into()),
            max_size: common.max_size.unwrap_or(16),
            color: common.color.unwrap_or(ColorChoice::Auto),
        }
    }

    /// The exit status that findings of these severities mean.
    pub(super) fn status(&self, severities: impl IntoIterator<Item = Severity>) -> Status {
        let fails = severities.into_iter().any(|severity| severity >= self.fail_on);
        if fails && !self.exit_zero { Status::Findings } else { Status::Clean }
    }
}

impl SettingsArgs {
    /// What the user wants, by these flags.
    pub(super) fn settings(&self, unsafe_fixes: bool) -> Settings {
        let defaults = Settings::default();
        Settings {
            libvirt: self.libvirt.unwrap_or(defaults.libvirt),
            uuid: self.uuid,
            vgpu_type: self.vgpu_type.clone(),
            pci: self.pci.clone(),
            display: self.display.clone(),
            display_env: self.display_env.clone(),
            gdk_scale: self.gdk_scale.clone(),
            alias: self.alias.clone(),
            romfile: self.romfile.clone(),
            audio: self.audio.clone(),
            keep_video: self.keep_video,
            unsafe_fixes,
            ..defaults
        }
    }
}
