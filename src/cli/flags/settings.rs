//! The flags of the table of settings.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, ValueHint};

use super::offering::Offering;
use crate::settings::config::{PartialConfig, Value};
use crate::settings::{Completion, Kind, SETTINGS, Setting};

/// The flags of all settings that a command takes, and their values.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct SettingsArgs {
    /// The values of the flags that are given.
    pub(in crate::cli) values: PartialConfig,
}

impl Args for SettingsArgs {
    fn augment_args(command: Command) -> Command {
        let name = command.get_name().to_owned();
        let settings = SETTINGS.iter().filter(|setting| setting.commands.contains(&&*name));
        settings.fold(command, |command, setting| command.arg(flag(setting)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingsArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut arguments = SettingsArgs::default();
        arguments.update_from_arg_matches(matches)?;
        Ok(arguments)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        for setting in SETTINGS {
            // Not every command has the flag.
            if matches.try_contains_id(setting.name).unwrap_or(false) {
                let values = std::mem::take(&mut self.values);
                self.values = values.with(setting.name, value(setting, matches));
            }
        }
        Ok(())
    }
}

/// Returns the flag of a setting.
fn flag(setting: &'static Setting) -> Arg {
    let flag = Arg::new(setting.name)
        .long(setting.name)
        .help(setting.help)
        .long_help(setting.long_help)
        .help_heading(setting.heading)
        .value_name(setting.value_name);
    let flag = match setting.kind {
        Kind::Text { parse, .. } => match setting.completion {
            Completion::Words(words) => {
                flag.value_parser(Offering::new(parse, words)).hide_possible_values(true)
            }
            _ => flag.value_parser(parse),
        },
        Kind::Word(words) => {
            let values = words.iter().map(|(word, help)| PossibleValue::new(*word).help(*help));
            flag.value_parser(PossibleValuesParser::new(values))
        }
        Kind::Switch => flag
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(clap::value_parser!(bool)),
        Kind::Names => flag.action(ArgAction::Append).value_delimiter(','),
        Kind::Folder => flag.value_parser(clap::value_parser!(PathBuf)),
    };
    match (setting.kind, setting.completion) {
        (Kind::Folder, _) => flag.value_hint(ValueHint::DirPath),
        (_, Completion::Files) => flag.value_hint(ValueHint::FilePath),
        _ => flag,
    }
}

/// Returns the value of a setting's flag; `None` if it is not given.
fn value(setting: &Setting, matches: &ArgMatches) -> Option<Value> {
    let name = setting.name;
    match setting.kind {
        Kind::Text { .. } | Kind::Word(_) => {
            matches.get_one::<String>(name).map(|text| Value::Text(text.clone()))
        }
        Kind::Switch => matches.get_one::<bool>(name).map(|is_on| Value::Switch(*is_on)),
        Kind::Names => {
            matches.get_many::<String>(name).map(|names| Value::Names(names.cloned().collect()))
        }
        Kind::Folder => {
            matches.get_one::<PathBuf>(name).map(|folder| Value::Folder(folder.clone()))
        }
    }
}
