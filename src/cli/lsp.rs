//! `gvtg-xml lsp`.

use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::io::{BufReader, stdin, stdout};

use clap::{Args, Parser};
use serde_json::{Map, Value};

use super::error::{fail, from_message};
use super::flags::{CONFIGURATION_FILE, OriginArgs, SettingsArgs, common_flags};
use super::{Status, io};
use crate::lsp::{SessionEnd, serve};
use crate::settings::config::{ConfigWatcher, LoadError};

/// Run the language server for editors, on stdin and stdout
///
/// Runs the language server, which an editor starts and talks to on stdin and stdout. It shows
/// findings while you type, offers fixes, and explains rules. The editor's settings have the same
/// names as the flags.
#[derive(Args, Clone, Debug)]
#[command(
    args_override_self = true,
    after_help = "\
Examples:
  gvtg-xml lsp --libvirt 9.0  # for another libvirt
  gvtg-xml lsp --config vms/gvtg-xml.toml  # with one configuration for all files",
    after_long_help = format!("\
Exit codes:
  0  The editor ended the session
  1  The editor exited without ending the session
  2  The command failed

Files:
{CONFIGURATION_FILE}"),
    mut_args(common_flags(&["only", "ignore", "all", "config", "libvirt", "display"])),
)]
pub(super) struct LspArgs {
    /// Rejected with a reason: all documents would have it
    #[arg(long, hide = true)]
    uuid: Option<String>,
    /// Talk on stdin and stdout, as always; several editors add this
    #[arg(long, hide = true)]
    stdio: bool,
    #[command(flatten)]
    origin: OriginArgs,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// The flags on their own, to parse the editor's settings.
#[derive(Parser)]
#[command(name = "lsp", no_binary_name = true, disable_help_flag = true)]
struct Flags {
    #[command(flatten)]
    args: LspArgs,
}

pub(super) fn run(args: &LspArgs) -> Status {
    if io::stdin_is_terminal() {
        return fail(&from_message(
            "this is a language server, which your editor starts: docs/editors.md describes how to set it up",
        ));
    }
    // Skips the names of the program and the subcommand.
    let session_flags: Vec<OsString> = std::env::args_os().skip(2).collect();
    let configure =
        |settings: &Map<String, Value>| configuration(&session_flags, settings).map_err(Into::into);
    // The flags are valid by now, but the files that they name may not be.
    if let Err(error) = args.configuration() {
        return fail(&from_message(&error.to_string()));
    }
    match serve(BufReader::new(stdin()), stdout().lock(), &configure) {
        Ok(SessionEnd::Orderly) => Status::Clean,
        // The exit code that the protocol prescribes.
        Ok(SessionEnd::Abrupt) => Status::Findings,
        Err(error) => fail(&from_message(&error.to_string())),
    }
}

/// The reason why flags or the editor's settings are invalid.
#[derive(Debug)]
enum SettingsError {
    /// A setting's list contains something other than names.
    NotNames(String),
    /// A setting is an object.
    NotAValue(String),
    /// A flag is unknown, or has an invalid value.
    Flag(clap::Error),
    /// `uuid` is set.
    Uuid,
    /// The configuration is invalid.
    Configuration(LoadError),
}

impl fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SettingsError::NotNames(setting) => write!(formatter, "{setting}: use a list of names"),
            SettingsError::NotAValue(setting) => {
                write!(formatter, "{setting}: use a single value, not an object")
            }
            SettingsError::Flag(error) => {
                let text = error.to_string();
                let line = text.lines().next().unwrap_or("");
                formatter.write_str(line.trim_start_matches("error: "))
            }
            SettingsError::Uuid => formatter.write_str(
                "uuid can't be set here: all documents would share one vGPU, and only one VM could run at a time",
            ),
            SettingsError::Configuration(error) => error.fmt(formatter),
        }
    }
}

impl Error for SettingsError {}

/// Returns the session's configuration: its flags, overridden by the editor's settings.
fn configuration(
    session_flags: &[OsString],
    settings: &Map<String, Value>,
) -> Result<ConfigWatcher, SettingsError> {
    let mut arguments = session_flags.to_owned();
    for (name, value) in settings {
        arguments.extend(flag(name, value)?.map(OsString::from));
    }
    let flags = Flags::try_parse_from(arguments).map_err(SettingsError::Flag)?;
    flags.args.configuration()
}

/// Converts a setting to a flag; returns `None` for a setting that is off.
fn flag(name: &str, value: &Value) -> Result<Option<String>, SettingsError> {
    let flag_with_value = |value: &str| Some(format!("--{name}={value}"));
    match value {
        Value::Null | Value::Bool(false) => Ok(None),
        Value::Bool(true) => Ok(Some(format!("--{name}"))),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) => Ok(flag_with_value(text)),
        Value::Number(number) => Ok(flag_with_value(&number.to_string())),
        Value::Array(items) if items.is_empty() => Ok(None),
        Value::Array(items) => {
            let words: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            words
                .map(|words| flag_with_value(&words.join(",")))
                .ok_or_else(|| SettingsError::NotNames(name.to_owned()))
        }
        Value::Object(_) => Err(SettingsError::NotAValue(name.to_owned())),
    }
}

impl LspArgs {
    fn configuration(&self) -> Result<ConfigWatcher, SettingsError> {
        if self.uuid.is_some() {
            return Err(SettingsError::Uuid);
        }
        ConfigWatcher::new(self.origin.origin(), self.settings.values.clone())
            .map_err(SettingsError::Configuration)
    }
}
