//! `gvtg-xml lsp`.

use std::ffi::OsString;
use std::io::{BufReader, stdin, stdout};
use std::path::PathBuf;

use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Parser};
use serde_json::{Map, Value};

use super::flags::{OriginArgs, SettingsArgs};
use super::lazy_args::augment;
use super::lint::fail;
use super::{Status, io};
use crate::config::{ConfigWatcher, PartialConfig};
use crate::lsp::{Ended, serve};
use crate::setting_parsers::rule_pages;

// What holds for the session; the editor's settings have the same names. (A doc comment would stand
// in the help.)
#[derive(Args, Clone, Debug)]
#[command(args_override_self = true)]
pub(super) struct LspArgs {
    /// Check only these rules or groups
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    only: Vec<String>,
    /// Disable these rules or groups
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Folder of custom rules
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Also check domains without GVT-g
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    all: Option<bool>,
    /// Base URL of the rules' pages
    #[arg(long, value_name = "URL", value_parser = rule_pages)]
    rule_pages: Option<String>,
    /// Talk on stdin and stdout, as always; several editors add this
    #[arg(long, hide = true)]
    stdio: bool,
    #[command(flatten)]
    origin: OriginArgs,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// The same, made only where they are asked for: the filter need not wait for them.
#[derive(Debug)]
pub(super) struct Deferred(LspArgs);

impl Args for Deferred {
    fn augment_args(command: Command) -> Command {
        // One uuid for all documents is refused, so that nobody is to be offered it.
        command.defer(|command| augment::<LspArgs>(command).mut_arg("uuid", |uuid| uuid.hide(true)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(LspArgs::augment_args_for_update)
    }
}

impl FromArgMatches for Deferred {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        LspArgs::from_arg_matches(matches).map(Deferred)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

/// The same flags alone, for the editor's settings.
#[derive(Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Flags {
    #[command(flatten)]
    args: LspArgs,
}

pub(super) fn run(Deferred(args): &Deferred) -> Status {
    if io::stdin_is_terminal() {
        return fail(
            "this is a language server, which your editor starts: docs/editors.md describes how to set it up",
        );
    }
    // Behind the program's name and the subcommand's.
    let own: Vec<OsString> = std::env::args_os().skip(2).collect();
    let configure = |settings: &Map<String, Value>| configuration(&own, settings);
    // The flags were read before; what is left to go wrong is what they name.
    if let Err(message) = args.configuration() {
        return fail(&message);
    }
    match serve(BufReader::new(stdin()), stdout().lock(), &configure) {
        Ok(Ended::Orderly) => Status::Clean,
        // The protocol's own number for it.
        Ok(Ended::Abruptly) => Status::Findings,
        Err(message) => fail(&message),
    }
}

/// The session's flags with the editor's settings over them.
fn configuration(own: &[OsString], settings: &Map<String, Value>) -> Result<ConfigWatcher, String> {
    let mut words = own.to_owned();
    for (name, value) in settings {
        words.extend(flag(name, value)?.map(OsString::from));
    }
    let flags = Flags::try_parse_from(words).map_err(|error| {
        let text = error.to_string();
        text.lines().next().unwrap_or("").trim_start_matches("error: ").to_owned()
    })?;
    flags.args.configuration()
}

/// A setting as a flag; None for one that is off.
fn flag(name: &str, value: &Value) -> Result<Option<String>, String> {
    let with = |value: &str| Some(format!("--{name}={value}"));
    match value {
        Value::Null | Value::Bool(false) => Ok(None),
        Value::Bool(true) => Ok(Some(format!("--{name}"))),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) => Ok(with(text)),
        Value::Number(number) => Ok(with(&number.to_string())),
        Value::Array(items) if items.is_empty() => Ok(None),
        Value::Array(items) => {
            let words: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            words
                .map(|words| with(&words.join(",")))
                .ok_or_else(|| format!("{name}: use a list of names"))
        }
        Value::Object(_) => Err(format!("{name}: use a single value, not an object")),
    }
}

impl LspArgs {
    fn configuration(&self) -> Result<ConfigWatcher, String> {
        if self.settings.uuid.is_some() {
            return Err("uuid can't be set here: all documents would share one vGPU, and only one VM could run at a time".into());
        }
        let names = |names: &[String]| (!names.is_empty()).then(|| names.to_vec());
        let choices = PartialConfig {
            only: names(&self.only),
            ignore: names(&self.ignore),
            site_rules: self.rules.clone(),
            all: self.all,
            rule_pages: self.rule_pages.clone(),
            ..self.settings.choices()
        };
        ConfigWatcher::new(self.origin.origin(), choices)
    }
}
