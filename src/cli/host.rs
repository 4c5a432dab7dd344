//! `gvtg-xml host`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::emit::guests::guests;
use super::error::{NoSuchFolder, fail};
use super::flags::{CONFIGURATION_FILE, OriginArgs};
use super::terminal::for_stdout;
use super::{DataFormat, Status, io};
use crate::host::checks::{self, CheckContext};
use crate::host::{Host, Root};
use crate::report::host::{Verbosity, json, text};
use crate::rules::schema::Severity;
use crate::rules::{RuleSet, of_host};

/// Check if this host can run GVT-g, and say what to fix first
///
/// Checks whether this machine can run VMs with vGPUs: kernel, modules, parameters, libvirt and its
/// hook. If it cannot, it says what to do first. If you name domains, it also checks that they
/// match the hook and the GPU. It changes nothing and starts no programs.
///
/// To prepare a host, run `virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /`,
/// follow the steps that it prints (initramfs, reboot), then run `sudo gvtg-xml host`. Until you
/// reboot, it tells you to do that first.
#[derive(Args, Debug)]
#[command(
    after_help = "\
Examples:
  sudo gvtg-xml host  # check this host
  sudo gvtg-xml host vms  # check it for these domains
  virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /  # prepare it",
    after_long_help = format!("\
Exit codes:
  0  There are no errors
  1  There are errors
  2  The command failed

Files:
  /sys, /proc, /etc  Below --root: the files that it reads
{CONFIGURATION_FILE}

See also:
  virt-host-validate(1), mdevctl(8)")
)]
pub(super) struct HostArgs {
    /// Domain XML files or folders: also check these VMs
    files: Vec<PathBuf>,
    /// Folder with another machine's /sys, /proc and /etc
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = "/")]
    root: PathBuf,
    /// Disable these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "Rules")]
    #[arg(long_help = "Disable these rules; `gvtg-xml explain host` lists them")]
    ignore: Vec<String>,
    #[command(flatten)]
    origin: OriginArgs,
    /// Print only the problems
    #[arg(long, short, help_heading = "Output")]
    quiet: bool,
    /// Also list the checks that passed
    #[arg(long, short, conflicts_with = "quiet", help_heading = "Output")]
    verbose: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = DataFormat::Text, help_heading = "Output")]
    format: DataFormat,
}

pub(super) fn run(args: &HostArgs) -> Status {
    if !args.root.is_dir() {
        return fail(&NoSuchFolder(args.root.clone()));
    }
    let root = Root::new(&args.root);
    let mut rules = RuleSet::all(of_host());
    if let Err(error) = rules.narrow(&[], &args.ignore) {
        return fail(&error);
    }
    let guests = if args.files.is_empty() {
        Ok(Vec::new())
    } else {
        guests(&args.files, &args.origin, &root)
    };
    let guests = match guests {
        Ok(guests) => guests,
        Err(error) => return fail(&error),
    };
    let host = Host::read(&root);
    let items = checks::run(CheckContext { host: &host, guests: &guests }, &rules.active);
    let verbosity = match (args.quiet, args.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, true) => Verbosity::Verbose,
        (false, false) => Verbosity::Normal,
    };
    let report = match args.format {
        DataFormat::Text => for_stdout(&text(&items, verbosity)),
        DataFormat::Json => json(&items),
    };
    if let Err(error) = io::print(&report) {
        return fail(&error);
    }
    let has_error = items.iter().any(|item| item.status == checks::Status::Failed(Severity::Error));
    if has_error { Status::Findings } else { Status::Clean }
}
