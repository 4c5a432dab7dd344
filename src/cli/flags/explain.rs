//! The flags of `gvtg-xml explain`.

use clap::{Args, ValueHint};

use super::{CONFIGURATION_FILE, OriginArgs, SettingsArgs};

/// Explain a rule, an error message or a log
///
/// Explains rules and groups of rules by name, and messages from libvirt, QEMU or the kernel: a
/// whole message, part of one, or a log. Without arguments it lists all rules and known messages,
/// or reads the log that is piped in.
#[derive(Args, Debug)]
#[command(
    after_help = "\
Examples:
  gvtg-xml explain stray-video  # explain a rule
  gvtg-xml explain \"Display 'gtk' is not available\"  # explain a message
  gvtg-xml explain win10.log  # find known problems in a log",
    after_long_help = format!("\
Exit codes:
  0  Everything was explained
  1  Something could not be explained
  2  The command failed, or a log can't be read

Files:
  /var/log/libvirt/qemu/NAME.log  QEMU's log for the VM NAME
{CONFIGURATION_FILE}

See also:
  virsh(1), journalctl(1), dmesg(1)")
)]
pub(in crate::cli) struct ExplainArgs {
    /// Rules, groups of rules, a message, or a log FILE
    #[arg(allow_hyphen_values = true, value_hint = ValueHint::FilePath)]
    #[arg(
        long_help = "Rules, groups of rules, a message or part of one, or a log FILE; stdin for \
            `-`, or if a log is piped in"
    )]
    pub(in crate::cli) what: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) settings: SettingsArgs,
    #[command(flatten)]
    pub(in crate::cli) origin: OriginArgs,
}
