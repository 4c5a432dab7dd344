//! `gvtg-xml lsp`.

use std::ffi::OsString;
use std::io::{BufReader, stdin, stdout};

use clap::{Args, Parser};
use miette::Diagnostic;
use serde_json::{Map, Value};
use thiserror::Error;

use super::error::fail;
use super::flags::{CONFIGURATION_FILE, OriginArgs, SettingsArgs, common_flags};
use super::{Status, io};
use crate::lsp::{SessionEnd, SessionError, serve};
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

/// An error of `lsp`.
#[derive(Debug, Error, Diagnostic)]
enum LspError {
    #[error(
        "this is a language server, which your editor starts: docs/editors.md describes how to set it up"
    )]
    Terminal,
    #[error(transparent)]
    #[diagnostic(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Session(#[from] SessionError),
}

pub(super) fn run(args: &LspArgs) -> Status {
    match serve_editor(args) {
        Ok(SessionEnd::Orderly) => Status::Clean,
        // The exit code that the protocol prescribes.
        Ok(SessionEnd::Abrupt) => Status::Findings,
        Err(error) => fail(&error),
    }
}

fn serve_editor(args: &LspArgs) -> Result<SessionEnd, LspError> {
    if io::stdin_is_terminal() {
        return Err(LspError::Terminal);
    }
    // Skips the names of the program and the subcommand.
    let session_flags: Vec<OsString> = std::env::args_os().skip(2).collect();
    let configure = |settings: &Map<String, Value>| {
        configuration(&session_flags, settings).map_err(|error| error.full_text().into())
    };
    // The flags are valid by now, but the files that they name may not be.
    args.configuration()?;
    Ok(serve(BufReader::new(stdin()), stdout().lock(), &configure)?)
}

/// The reason why flags or the editor's settings are invalid.
#[derive(Debug, Error, Diagnostic)]
enum SettingsError {
    #[error("{setting}: use a list of names")]
    NotNames { setting: String },
    #[error("{setting}: use a single value, not an object")]
    NotAValue { setting: String },
    /// A flag is unknown, or has an invalid value.
    #[error("{}", first_line(.0))]
    Flag(clap::Error),
    #[error(
        "uuid can't be set here: all documents would share one vGPU, and only one VM could run at a time"
    )]
    Uuid,
    #[error(transparent)]
    #[diagnostic(transparent)]
    Configuration(#[from] LoadError),
}

impl SettingsError {
    /// Returns the message for an editor, which shows all lines.
    fn full_text(&self) -> String {
        match self {
            SettingsError::Configuration(error) => error.lines().join("\n"),
            other => other.to_string(),
        }
    }
}

/// Returns the first line of clap's message, without `error: `.
fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or("").trim_start_matches("error: ").to_owned()
}

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
                .ok_or_else(|| SettingsError::NotNames { setting: name.to_owned() })
        }
        Value::Object(_) => Err(SettingsError::NotAValue { setting: name.to_owned() }),
    }
}

impl LspArgs {
    fn configuration(&self) -> Result<ConfigWatcher, SettingsError> {
        if self.uuid.is_some() {
            return Err(SettingsError::Uuid);
        }
        Ok(ConfigWatcher::new(self.origin.origin(), self.settings.values.clone())?)
    }
}
