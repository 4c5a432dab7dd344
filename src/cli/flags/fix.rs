//! The flags of `gvtg-xml fix`.

use std::path::PathBuf;

use clap::Args;

use super::super::output::OutputArgs;
use super::{CONFIGURATION_FILE, CommonArgs, SuppressIn, common_flags, long_help};

/// Fix the domain, leaving everything else unchanged
///
/// Writes the domain with every problem fixed that can be fixed safely. Everything else stays as it
/// is, byte for byte: comments, quotes, order and spacing. A report on stderr lists what was fixed
/// and what is left.
///
/// A setting given as a flag replaces what the document has. A setting from gvtg-xml.toml, or else
/// a default, only fills in what is missing.
///
/// With one file or stdin, the document goes to stdout. With --in-place, files are replaced, each
/// one completely or not at all.
///
/// Do not edit the files that libvirt keeps below /etc/libvirt/qemu: libvirt overwrites them. Use
/// the pipe in the examples, or virsh edit.
#[derive(Args, Debug)]
#[command(
    after_help = "\
Examples:
  virsh dumpxml --inactive --security-info win10 | gvtg-xml fix --libvirt installed | virsh \
      define --validate /dev/stdin  # fix a VM's domain
  gvtg-xml fix --libvirt installed --diff win10.xml  # show what would change
  gvtg-xml fix --libvirt installed --in-place win10.xml vms  # fix files",
    after_long_help = format!("\
Exit codes:
  0  No findings are left; with --diff or --check: nothing would change
  1  Findings that need your attention are left, and the document was written; with --diff or \
      --check: something would change
  2  The command failed, and stdout is empty

Files:
{CONFIGURATION_FILE}

See also:
  virsh(1), virt-xml-validate(1)"),
    mut_args(common_flags(&[
        "in_place", "diff", "check", "unsafe-fixes", "ignore", "libvirt", "type", "keep-video",
    ])),
    mut_args(long_help(
        "format",
        "Report format. Repeatable: each --format but one needs an --output-file after it \
            [default: concise, on stderr]",
    )),
    mut_args(long_help(
        "all",
        "In folders, also fix domains that do not use GVT-g",
    )),
    mut_args(long_help(
        "display-env",
        "X display for the QEMU window [default: $DISPLAY if it is a local display such as :0 and \
            the domain is piped in; otherwise :0]",
    )),
)]
pub(in crate::cli) struct FixArgs {
    /// Domain XML file; stdin if there is none
    #[arg(
        long_help = "Domain XML file; stdin if there is none, or for `-`. Several files or folders \
            need --in-place, --diff or --check"
    )]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Change the files instead of writing to stdout
    #[arg(long, short, conflicts_with_all = ["diff", "check"])]
    pub(in crate::cli) in_place: bool,
    /// Show the changes as a diff; write nothing
    #[arg(long, conflicts_with = "check")]
    #[arg(
        long_help = "Show the changes as a diff and write nothing; exit with 1 if there are any"
    )]
    pub(in crate::cli) diff: bool,
    /// List the files that would change; write nothing
    #[arg(long)]
    #[arg(
        long_help = "List the files that would change and write nothing; exit with 1 if there are \
            any"
    )]
    pub(in crate::cli) check: bool,
    /// Add suppressions for these rules (requires --reason)
    #[arg(long, value_name = "RULE", value_delimiter = ',', requires = "reason")]
    #[arg(conflicts_with_all = ["format", "output_file", "statistics"], help_heading = "Rules")]
    #[arg(
        long_help = "Fix nothing, but record in the domain that the findings of these rules or \
            groups are suppressed from now on (requires --reason)"
    )]
    pub(in crate::cli) suppress: Vec<String>,
    /// Why these rules are suppressed
    #[arg(long, value_name = "TEXT", requires = "suppress", help_heading = "Rules")]
    pub(in crate::cli) reason: Option<String>,
    /// Where --suppress writes [default: metadata]
    #[arg(long, value_name = "PLACE", value_enum, requires = "suppress", help_heading = "Rules")]
    #[arg(long_help = "Where --suppress writes: to the domain's metadata, which `virsh define` \
            keeps, or to comments, which it drops [default: metadata]")]
    pub(in crate::cli) suppress_in: Option<SuppressIn>,
    /// Print no report on stderr
    #[arg(long, short, help_heading = "Output")]
    pub(in crate::cli) quiet: bool,
    #[command(flatten)]
    pub(in crate::cli) output: OutputArgs,
    #[command(flatten)]
    pub(in crate::cli) common: CommonArgs,
}
