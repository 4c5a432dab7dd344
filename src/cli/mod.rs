//! The command-line interface: arguments and exit codes.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, FromArgMatches, Parser, Subcommand};

use crate::domain::Settings;
use crate::settings::config::EffectiveConfig;
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
mod signals;
mod suggestions;
mod summary;
mod suppress;
mod terminal;
mod tips;
mod types;

use crate::settings::parsers::{pci, uuid, vgpu_type};
use flags::{
    CONFIGURATION_FILE, ColorChoice, ConfigArgs, DataFormat, ExplainArgs, FixArgs, LintArgs,
};
use lazy_args::Deferred;
use options::Options;

/// The name by which KubeVirt calls its hook; called so, the program runs the command `kubevirt`.
const HOOK: &str = "onDefineDomain";

/// Makes a libvirt VM run on an Intel GVT-g vGPU
///
/// gvtg-xml makes a libvirt VM run on an Intel GVT-g vGPU, a share of the host's integrated GPU. It
/// finds what is wrong in the VM's XML (the domain), fixes it and leaves everything else unchanged,
/// and writes the files that the host needs.
///
/// To fix a VM, pipe its XML from `virsh dumpxml` through gvtg-xml-fix(1) and back into `virsh
/// define`, as the example shows. `--inactive` makes virsh print the stored domain instead of the
/// running one, `--security-info` keeps passwords that would otherwise be lost, and `--validate`
/// makes libvirt reject what it would otherwise drop silently. A running VM uses the new definition
/// only after it has been shut down and started again.
///
/// Prepare the host once: run `virsh dumpxml --inactive win10 | sudo gvtg-xml emit all --root /`,
/// follow the steps that it prints (initramfs, reboot), then check the host with `sudo gvtg-xml
/// host`.
#[derive(Parser, Debug)]
#[command(
    name = "gvtg-xml",
    version,
    after_help = "\
Examples:
  virsh dumpxml --inactive --security-info win10 | gvtg-xml fix --libvirt installed | virsh \
      define --validate /dev/stdin  # fix a VM's domain",
    after_long_help = format!("\
Exit codes:
  0  No findings; for fix: no findings are left
  1  There are findings; for fix: findings are left, but stdout holds the complete document
  2  The command failed; for fix: stdout is empty

Files:
{CONFIGURATION_FILE}

See also:
  virsh(1), virt-xml-validate(1)")
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Lint(Deferred<LintArgs>),
    Fix(Deferred<FixArgs>),
    Emit(Deferred<emit::EmitArgs>),
    Host(Deferred<host::HostArgs>),
    Config(Deferred<ConfigArgs>),
    Explain(Deferred<ExplainArgs>),
    #[cfg(feature = "lsp")]
    Lsp(Deferred<lsp::LspArgs>),
    Types(Deferred<types::TypesArgs>),
    Kubevirt(Deferred<kubevirt::KubevirtArgs>),
    Generate(Deferred<generate::GenerateArgs>),
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
    let arguments = arguments();
    let cli = match Cli::try_parse_from(&arguments) {
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

/// Returns the process's arguments, the program's name first.
fn arguments() -> Vec<OsString> {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    let program = arguments.first().map(Path::new).and_then(Path::file_name);
    if program.is_some_and(|name| name == HOOK) {
        arguments[0] = "gvtg-xml".into();
        arguments.insert(1, "kubevirt".into());
    }
    arguments
}

/// Parses the flags of `gvtg-xml fix` into settings.
///
/// # Errors
/// Returns clap's error for unknown flags and invalid values.
pub fn parse_settings(flags: &str) -> Result<Settings, clap::Error> {
    let command = FixArgs::augment_args(clap::Command::new("fix").no_binary_name(true));
    let matches = command.try_get_matches_from(flags.split_whitespace())?;
    let args = FixArgs::from_arg_matches(&matches)?;
    let choices = args.common.choices.settings.values;
    let effective = EffectiveConfig::of_flags(&choices, Vec::new())
        .map_err(|error| clap::Error::raw(ErrorKind::InvalidValue, error))?;
    Ok(effective.settings)
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
        let others: Vec<&str> = crate::settings::config::keys::keys()
            .map(|(key, _)| key.name)
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
