//! The flags that `lint` and `fix` share.

use clap::Args;

use super::{ChoiceArgs, ColorChoice};

#[derive(Args, Debug)]
pub(in crate::cli) struct CommonArgs {
    /// Exit with 0 even if there are findings
    #[arg(long, help_heading = "Output")]
    pub(in crate::cli) exit_zero: bool,
    /// Skip files that are not GVT-g domains
    #[arg(long, help_heading = "Input")]
    #[arg(long_help = "Skip files that are not domain XML, and domains that do not use GVT-g")]
    pub(in crate::cli) skip_foreign: bool,
    /// List the skipped files, and why they are skipped
    #[arg(long, short, alias = "list-skipped", help_heading = "Output")]
    pub(in crate::cli) verbose: bool,
    /// File name to assume for stdin
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    #[arg(
        long_help = "File name to assume for stdin: messages show it, and the configuration for \
            that file applies"
    )]
    pub(in crate::cli) stdin_filename: Option<String>,
    /// Largest input in MiB; 0 for no limit [default: 16]
    #[arg(long, value_name = "MIB", help_heading = "Input")]
    pub(in crate::cli) max_size: Option<u64>,
    /// When to use colors [default: auto]
    #[arg(long, value_enum, help_heading = "Output")]
    pub(in crate::cli) color: Option<ColorChoice>,
    #[command(flatten)]
    pub(in crate::cli) choices: ChoiceArgs,
}
