//! Options of a run over files that no configuration sets: flags, with defaults for those that are
//! not given.

use super::Status;
use super::flags::{ColorChoice, CommonArgs};
use crate::rules::schema::Severity;
use crate::settings::config::EffectiveConfig;
use crate::xml::MAX_INPUT_MIB;

/// Options of a run that are the same for all of its files.
pub(super) struct Options {
    /// Whether the exit code is 0 where it would be 1.
    pub(super) exit_zero: bool,
    /// Whether files that are not a domain, or show no sign of GVT-g, are skipped even if they are
    /// named.
    pub(super) skip_foreign: bool,
    /// Whether each skipped file is listed.
    pub(super) verbose: bool,
    /// The name that messages show for stdin.
    pub(super) stdin_filename: String,
    /// The largest input, in MiB; 0 for any size.
    pub(super) max_size: u64,
    /// Use of colors.
    pub(super) color: ColorChoice,
}

impl Options {
    /// Returns the options for these flags.
    pub(super) fn new(common: &CommonArgs) -> Self {
        Options {
            exit_zero: common.exit_zero,
            skip_foreign: common.skip_foreign,
            verbose: common.verbose,
            stdin_filename: common.stdin_filename.clone().unwrap_or_else(|| "<stdin>".into()),
            max_size: common.max_size.unwrap_or(MAX_INPUT_MIB),
            color: common.color.unwrap_or(ColorChoice::Auto),
        }
    }

    /// Returns the status of a file with findings of these severities.
    pub(super) fn status(
        &self,
        effective: &EffectiveConfig,
        severities: impl IntoIterator<Item = Severity>,
    ) -> Status {
        let fails = severities.into_iter().any(|severity| severity >= effective.fail_on);
        if fails && !self.exit_zero { Status::Findings } else { Status::Clean }
    }
}
