//! The command-line interface: arguments and exit codes.

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::domain::Settings;
use crate::settings::config::merge::merge;
use crate::text::sanitize::clean;

mod atomic_write;
mod complete;
mod config;
mod configs;
mod diff;
mod emit;
mod error;
mod explain;
mod files;
mod fix;
mod flags;
mod generate;
mod host;
mod io;
mod kubevirt;
mod lazy_args;
mod lint;
#[cfg(feature = "lsp")]
mod lsp;
pub mod manual;
mod next_steps;
mod options;
mod output;
mod parse;
mod signals;
mod suggestions;
mod summary;
mod suppress;
mod terminal;
mod types;
mod wrap;

use crate::settings::parsers::{pci, uuid, vgpu_type};
use flags::{ColorChoice, ConfigArgs, DataFormat, ExplainArgs, FixArgs, GenerateArgs, LintArgs};
use lazy_args::Deferred;
use options::Options;

/// Makes a libvirt VM run on an Intel GVT-g vGPU.
#[derive(Parser, Debug)]
#[command(name = "gvtg-xml", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Check domains and report problems
    Lint(Deferred<LintArgs>),
    /// Fix the domain, leaving everything else unchanged
    Fix(Deferred<FixArgs>),
    /// Write the files that the host needs (emit all --root /)
    Emit(Deferred<emit::EmitArgs>),
    /// Check if this host can run GVT-g, and say what to fix first
    Host(Deferred<host::HostArgs>),
    /// Show the settings for a file, and where they come from
    Config(Deferred<ConfigArgs>),
    /// Explain a rule, an error message or a log
    Explain(Deferred<ExplainArgs>),
    /// Run the language server for editors, on stdin and stdout
    #[cfg(feature = "lsp")]
    Lsp(lsp::Deferred),
    /// List the vGPU types, and how many of each fit
    Types(Deferred<types::TypesArgs>),
    /// Fix the domain of a KubeVirt VM, as KubeVirt's hook
    Kubevirt(Deferred<kubevirt::KubevirtArgs>),
    /// Print manual pages, shell completions and schemas
    Generate(Deferred<GenerateArgs>),
}

/// The outcome of a run; its number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    /// No finding is at or above `--fail-on`.
    Clean = 0,
    /// At least one finding is at or above `--fail-on`.
    Findings = 1,
    /// The command failed.
    Failed = 2,
}

/// Runs the program with the process's arguments and returns its exit code.
pub fn run() -> ExitCode {
    let arguments = parse::arguments();
    let cli = match parse::command_line(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are printed to stdout and count as success.
            let print = |text: &str| {
                io::print(text).map_or_else(|message| error::fail(&message), |()| Status::Clean)
            };
            let shown_arguments: Vec<String> = arguments
                .iter()
                .map(|argument| clean(&argument.to_string_lossy()).into_owned())
                .collect();
            let status = match error.kind() {
                ErrorKind::DisplayHelp => print(&manual::help(&shown_arguments)),
                ErrorKind::DisplayVersion => print(&error.render().to_string()),
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                    io::eprint_all(&manual::help(&shown_arguments));
                    Status::Failed
                }
                _ => {
                    io::eprint_all(&suggestions::render_usage_error(error, &shown_arguments));
                    Status::Failed
                }
            };
            return ExitCode::from(status as u8);
        }
    };
    let status = match cli.command {
        Command::Lint(args) => lint::run(&args),
        Command::Fix(args) => fix::run(&args),
        Command::Emit(args) => emit::run(&args),
        Command::Host(args) => host::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Explain(args) => explain::run(&args),
        #[cfg(feature = "lsp")]
        Command::Lsp(args) => lsp::run(&args),
        Command::Types(args) => types::run(&args),
        Command::Kubevirt(args) => kubevirt::run(&args),
        Command::Generate(args) => generate::run(&args),
    };
    ExitCode::from(status as u8)
}

/// Parses the flags of `gvtg-xml fix` into settings.
///
/// # Errors
/// Returns clap's message for unknown flags and invalid values.
pub fn parse_settings(flags: &str) -> Result<Settings, String> {
    let arguments = ["gvtg-xml", "fix"].into_iter().chain(flags.split_whitespace());
    match Cli::try_parse_from(arguments).map_err(|error| error.to_string())?.command {
        Command::Fix(args) => {
            let choices = &args.common.choices;
            let merged = merge(&choices.choices(args.unsafe_fixes), &[], std::iter::empty())?;
            Ok(Settings { uuid: choices.settings.uuid, ..merged.settings })
        }
        _ => Err("not a fix".into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn accepts_its_own_clap_definition() {
        Cli::command().debug_assert();
    }

    #[test]
    fn names_configuration_keys_after_flags() {
        let mut command = Cli::command();
        command.build();
        let config = command.find_subcommand("config").unwrap();
        let is_flag = |name: &str| config.get_arguments().any(|flag| flag.get_long() == Some(name));
        let others: Vec<&str> = crate::settings::config::keys::KEYS
            .iter()
            .map(|key| key.name)
            .filter(|name| !is_flag(name))
            .collect();
        assert_eq!(
            others,
            ["named", "site-rules"],
            "who names a file needs no flag, and [rules] is a table where --rules is a folder"
        );
    }

    #[test]
    fn rejects_invalid_settings() {
        for flags in [
            "--uuid x",
            "--display gtk",
            "--display gtk,gl=off",
            "--display dbus,gl=on",
            "--display spice-app,gl=on",
            "--display gtk,gl=on,nonsense=1",
            "--alias gvtg",
            "--alias ua-a.b",
            "--pci 00:02.0",
            "--display-env 0",
            "--gdk-scale x",
            "--libvirt nine",
            "--audio spice",
            "--audio none,x",
            "--audio pulseaudio,server=/p",
            "--romfile x.rom",
            "--type a/b",
            "--type V5_4",
            "--type i915-GVTg_V5_3",
        ] {
            assert!(parse_settings(flags).is_err(), "{flags}");
        }
        let settings =
            parse_settings("--display egl-headless --audio pulseaudio,serverName=/p --uuid AB54BABAEA9A4CE5B7B451B376B65849").unwrap();
        assert_eq!(
            settings.explicit.audio.unwrap().attributes,
            [("serverName".to_owned(), "/p".to_owned())]
        );
        assert_eq!(settings.uuid.unwrap().to_string(), "ab54baba-ea9a-4ce5-b7b4-51b376b65849");
    }
}
