//! `gvtg-xml host`.

use std::path::PathBuf;

use clap::Args;
use miette::Diagnostic;
use thiserror::Error;

use super::emit::guests::guests;
use super::error::{fail, from_message};
use super::flags::OriginArgs;
use super::terminal::for_stdout;
use super::{DataFormat, Status, io};
use crate::host::checks::{self, CheckContext};
use crate::host::{Host, Root};
use crate::report::host::{Verbosity, json, text};
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

/// An error of `host`.
#[derive(Debug, Error, Diagnostic)]
enum HostError {
    #[error("{}: no such folder", root.display())]
    NoFolder { root: PathBuf },
}

pub(super) fn run(args: &HostArgs) -> Status {
    if !args.root.is_dir() {
        return fail(&HostError::NoFolder { root: args.root.clone() });
    }
    let root = Root::new(&args.root);
    let mut rules = RuleSet::all(of_host());
    if let Err(message) = rules.narrow(&[], &args.ignore) {
        return fail(&from_message(&message));
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
