//! `gvtg-xml host`.

use std::path::PathBuf;

use clap::Args;

use super::emit::guests::guests;
use super::flags::OriginArgs;
use super::lint::fail;
use super::terminal::for_stdout;
use super::{DataFormat, Status, io};
use crate::host::checks::{self, CheckContext};
use crate::host::{Host, Root};
use crate::report::host::{Amount, json, text};
use crate::rules::schema::Severity;
use crate::rules::{RuleSet, of_host};

/// The flags of `gvtg-xml host`.
#[derive(Args, Debug)]
pub(super) struct HostArgs {
    /// Domain XML files or folders: also check these VMs
    files: Vec<PathBuf>,
    /// Folder with another machine's /sys, /proc and /etc
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// Disable these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    ignore: Vec<String>,
    #[command(flatten)]
    origin: OriginArgs,
    /// Print only the problems
    #[arg(long, short)]
    quiet: bool,
    /// Also list the checks that passed
    #[arg(long, short, conflicts_with = "quiet")]
    verbose: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = DataFormat::Text)]
    format: DataFormat,
}

pub(super) fn run(args: &HostArgs) -> Status {
    if !args.root.is_dir() {
        return fail(&format!("{}: no such folder", args.root.display()));
    }
    let root = Root::new(&args.root);
    let mut rules = RuleSet::all(of_host());
    if let Err(error) = rules.narrow(&[], &args.ignore) {
        return fail(&error.to_string());
    }
    let guests = if args.files.is_empty() {
        Ok(Vec::new())
    } else {
        guests(&args.files, &args.origin, &root)
    };
    let guests = match guests {
        Ok(guests) => guests,
        Err(message) => return fail(&message),
    };
    let host = Host::read(&root);
    let items = checks::look(CheckContext { host: &host, guests: &guests }, &rules.active);
    let amount = match (args.quiet, args.verbose) {
        (true, _) => Amount::Quiet,
        (false, true) => Amount::Verbose,
        (false, false) => Amount::Normal,
    };
    let report = match args.format {
        DataFormat::Text => for_stdout(&text(&items, amount)),
        DataFormat::Json => json(&items),
    };
    if let Err(message) = io::print(&report) {
        return fail(&message);
    }
    let has_error = items.iter().any(|item| item.status == checks::Status::Wrong(Severity::Error));
    if has_error { Status::Findings } else { Status::Clean }
}
