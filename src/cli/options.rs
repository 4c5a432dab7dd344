//! What a run over files does apart from what is in force for each: flags where they were given,
//! else defaults.

use super::Status;
use super::flags::{ColorChoice, CommonArgs};
use crate::config::merge::EffectiveConfig;
use crate::rules::schema::Severity;

/// What a run over files does, whatever they say and whatever their configuration.
pub(super) struct Options {
    /// Whether the exit code is 0 where it would be 1.
    pub(super) exit_zero: bool,
    /// Whether files that are no domain with a sign of GVT-g are passed over.
    pub(super) skip_foreign: bool,
    /// Whether the files that are passed over are named.
    pub(super) verbose: bool,
    /// The name that messages show for stdin.
    pub(super) stdin_filename: String,
    /// The largest input, in MiB; 0 for any size.
    pub(super) max_size: u64,
    /// When to use colours.
    pub(super) color: ColorChoice,
}

impl Options {
    /// The options that these flags mean.
    pub(super) fn new(common: &CommonArgs) -> Self {
        Options {
            exit_zero: common.exit_zero,
            skip_foreign: common.skip_foreign,
            verbose: common.verbose,
            stdin_filename: common.stdin_filename.clone().unwrap_or_else(|| "<stdin>".into()),
            max_size: common.max_size.unwrap_or(16),
            color: common.color.unwrap_or(ColorChoice::Auto),
        }
    }

    /// The exit status that findings of these severities mean for a file.
    pub(super) fn status(
        &self,
        in_force: &EffectiveConfig,
        severities: impl IntoIterator<Item = Severity>,
    ) -> Status {
        let fails = severities.into_iter().any(|severity| severity >= in_force.fail_on);
        if fails && !self.exit_zero { Status::Findings } else { Status::Clean }
    }
}
