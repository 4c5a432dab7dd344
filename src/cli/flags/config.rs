//! The flags of `gvtg-xml config`.

use std::path::PathBuf;

use clap::Args;

use super::{CONFIGURATION_FILE, ChoiceArgs, ColorChoice, DataFormat, common_flags};

/// Show the settings for a file, and where they come from
///
/// Shows the settings that apply to a file, and where each one comes from: a flag, a line of
/// gvtg-xml.toml, or the default. The flags that change settings are those of gvtg-xml-lint(1) and
/// gvtg-xml-fix(1).
#[derive(Args, Debug)]
#[command(
    after_help = "\
Examples:
  gvtg-xml config  # for this folder
  gvtg-xml config vms/win10.xml  # for a file, even a missing one
  gvtg-xml config --libvirt 9.0 --format json  # with a flag, as JSON",
    after_long_help = format!("\
Exit codes:
  0  The settings were printed
  2  The configuration is invalid or can't be read

Files:
{CONFIGURATION_FILE}"),
    mut_args(common_flags(&["format", "config", "isolated", "unsafe-fixes", "libvirt"])),
)]
pub(in crate::cli) struct ConfigArgs {
    /// File or folder; it does not have to exist
    pub(in crate::cli) file: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = DataFormat::Text, help_heading = "Output")]
    pub(in crate::cli) format: DataFormat,
    /// When to use colors [default: auto]
    #[arg(long, value_enum, help_heading = "Output")]
    pub(in crate::cli) color: Option<ColorChoice>,
    #[command(flatten)]
    pub(in crate::cli) choices: ChoiceArgs,
}
