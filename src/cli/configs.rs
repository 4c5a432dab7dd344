//! The effective configuration of each file of a run, and how configuration errors are reported.

use std::path::Path;
use std::sync::Arc;

use miette::Diagnostic;
use thiserror::Error;

use super::files::Input;
use super::flags::{ColorChoice, CommonArgs};
use super::summary::count_with_noun;
use super::terminal::TerminalStyle;
use super::{Status, error, io};
use crate::report::Full;
use crate::rules::RuleRef;
use crate::settings::config::{Configs, EffectiveConfig, LoadError, PartialConfig};
use crate::text::Source;
use crate::text::sanitize::clean_path;

/// The effective configurations of a run.
pub(super) struct RunConfigs {
    /// The configuration of each file.
    pub(super) files: Vec<Arc<EffectiveConfig>>,
    /// The configuration of the current folder if there are no files: a report lists rules anyway.
    fallback: Option<Arc<EffectiveConfig>>,
}

/// Information for reports about all files of a run.
pub(super) struct AllFiles {
    /// The rules that are active for at least one file.
    pub(super) rules: Vec<RuleRef<'static>>,
    /// Base URL of the rules' pages, from the first file that has one.
    pub(super) rule_pages: Option<String>,
}

/// Returns the effective configurations of these files; stdin has that of `stdin_filename`.
///
/// # Errors
/// Fails if a configuration or its custom rules can't be loaded.
pub(super) fn of_inputs(
    configs: &mut Configs,
    inputs: &[Input],
    stdin_filename: Option<&str>,
) -> Result<RunConfigs, LoadError> {
    let mut files = Vec::new();
    for input in inputs {
        let document = if input.path.as_os_str() == "-" {
            Path::new(stdin_filename.unwrap_or(""))
        } else {
            &input.path
        };
        files.push(configs.find(document)?.effective);
    }
    let fallback =
        if files.is_empty() { Some(configs.find(Path::new(""))?.effective) } else { None };
    print_skipped_configs(configs);
    Ok(RunConfigs { files, fallback })
}

/// Returns the effective configurations of a run, like [`of_inputs`]; `flags` are the settings that
/// override the configurations.
///
/// # Errors
/// Fails if a configuration or its custom rules can't be loaded.
pub(super) fn of_run(
    common: &CommonArgs,
    flags: PartialConfig,
    inputs: &[Input],
) -> Result<RunConfigs, LoadError> {
    let mut configs = Configs::new(common.choices.origin.origin(), flags)?;
    of_inputs(&mut configs, inputs, common.stdin_filename.as_deref())
}

impl RunConfigs {
    /// Returns what reports need to know about all files: the rules that are active in at least one
    /// of the configurations, each once.
    pub(super) fn all_files(&self) -> AllFiles {
        let mut rules: Vec<RuleRef<'static>> = Vec::new();
        let mut seen: Vec<&Arc<EffectiveConfig>> = Vec::new();
        for effective in self.files.iter().chain(&self.fallback) {
            if seen.iter().any(|seen| Arc::ptr_eq(seen, effective)) {
                continue;
            }
            seen.push(effective);
            for rule in effective.rules.active() {
                if rules.iter().all(|known| known.id != rule.id) {
                    rules.push(rule.clone());
                }
            }
        }
        let rule_pages = seen.iter().find_map(|effective| effective.rule_pages.clone());
        AllFiles { rules, rule_pages }
    }
}

/// Prints a note for each configuration that was skipped.
pub(super) fn print_skipped_configs(configs: &Configs) {
    configs.skipped.iter().for_each(|message| io::print_note(message));
}

/// A configuration error that ends a command.
#[derive(Debug, Error, Diagnostic)]
pub(super) enum ConfigurationError {
    /// The errors in the configuration are printed already.
    #[error(
        "{name}: {count} in the configuration; nothing was done (--isolated ignores the configuration)"
    )]
    Invalid {
        name: String,
        /// The number of errors, with the noun.
        count: String,
    },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Load(LoadError),
}

/// Prints a configuration error and returns [`Status::Failed`].
pub(super) fn fail(failure: LoadError, color: ColorChoice) -> Status {
    error::fail(&print_errors_in(failure, color))
}

/// Prints the errors in the text of a configuration, and returns the error that ends the command.
pub(super) fn print_errors_in(failure: LoadError, color: ColorChoice) -> ConfigurationError {
    let LoadError::Invalid { path, text, errors } = failure else {
        return ConfigurationError::Load(failure);
    };
    let name = clean_path(&path);
    let source = Source::new(&name, &text);
    let style = TerminalStyle::of_stderr(color);
    let report = Full::new(style.color, style.width);
    for error in &errors {
        io::eprint_all(&report.render_error(
            &source,
            error.span.clone(),
            &error.message,
            error.help.as_deref(),
        ));
    }
    let count = count_with_noun(errors.len(), "error");
    ConfigurationError::Invalid { name, count }
}
