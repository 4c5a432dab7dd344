//! Command-line arguments, each described where it is declared: the doc comment is its line in
//! `-h`, `long_help` its text in `--help` and in the manual, `help_heading` its section. A flag
//! that is not given is `None`, or `false` if it is a switch; `options.rs` and the configuration
//! supply the defaults.
//!
//! The struct of a command's flags describes the command: a summary and a description (its doc
//! comment), examples (`after_help`), exit codes and files (`after_long_help`).

use clap::Arg;

mod choices;
mod common;
mod config;
mod explain;
mod fix;
mod lint;
mod offering;
mod settings;
mod values;

pub(super) use choices::{ChoiceArgs, OriginArgs};
pub(super) use common::CommonArgs;
pub(super) use config::ConfigArgs;
pub(super) use explain::ExplainArgs;
pub(super) use fix::FixArgs;
pub(super) use lint::LintArgs;
pub(super) use offering::Offering;
pub(super) use settings::SettingsArgs;
pub(super) use values::{ColorChoice, DataFormat, Format, SuppressIn};

/// The configuration, among the files of a command's `after_long_help`.
pub(super) const CONFIGURATION_FILE: &str = "\
  gvtg-xml.toml  Settings for all domains in its folder and below; \
      `gvtg-xml config FILE` shows which ones apply to a file";

/// Returns a change to a command's arguments that gives one of them another long help.
fn long_help(id: &'static str, text: &'static str) -> impl FnMut(Arg) -> Arg {
    move |argument| {
        if argument.get_id() == id { argument.long_help(text) } else { argument }
    }
}

/// Returns a change to a command's arguments that leaves only these in `-h`, next to the files;
/// `--help` lists all.
pub(super) fn common_flags(ids: &'static [&str]) -> impl FnMut(Arg) -> Arg {
    |argument| {
        let is_common = argument.is_positional() || ids.contains(&argument.get_id().as_str());
        if is_common { argument } else { argument.hide_short_help(true) }
    }
}
