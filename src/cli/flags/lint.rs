//! The flags of `gvtg-xml lint`.

use std::path::PathBuf;

use clap::Args;

use super::super::output::OutputArgs;
use super::{CONFIGURATION_FILE, CommonArgs, common_flags, long_help};

/// Check domains and report problems
///
/// Reports what keeps domains from running on a vGPU: where the problem is, what happens because of
/// it, and what to do. It changes nothing; gvtg-xml-fix(1) makes the changes.
///
/// In folders, only .xml files are checked, and of these only domains that use GVT-g, which means
/// that they have a vGPU or settings for one.
#[derive(Args, Debug)]
#[command(
    after_help = "\
Examples:
  gvtg-xml lint win10.xml  # check a file
  virsh dumpxml --inactive --security-info win10 | gvtg-xml lint  # check a VM's domain
  gvtg-xml lint --format sarif --output-file gvtg.sarif vms  # check a folder, for code scanning",
    after_long_help = format!("\
Exit codes:
  0  There are no findings of the --fail-on severity or higher
  1  There are such findings
  2  The command failed, or a file is not a domain

Files:
{CONFIGURATION_FILE}

See also:
  virsh(1), virt-xml-validate(1)"),
    mut_args(common_flags(&[
        "quiet", "format", "only", "ignore", "fail-on", "all", "libvirt", "statistics",
    ])),
    mut_args(long_help(
        "format",
        "Report format. Repeatable: each --format but one needs an --output-file after it \
            [default: full]",
    )),
)]
pub(in crate::cli) struct LintArgs {
    /// Domain XML files or folders; stdin if there are none
    #[arg(
        long_help = "Domain XML files, or folders that are searched for .xml files; stdin if there \
            are none, or for `-`"
    )]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Print only the findings
    #[arg(long, short, help_heading = "Output")]
    pub(in crate::cli) quiet: bool,
    #[command(flatten)]
    pub(in crate::cli) output: OutputArgs,
    #[command(flatten)]
    pub(in crate::cli) common: CommonArgs,
}
