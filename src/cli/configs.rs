//! The effective configuration of each file of a run, and how configuration errors are reported.

use std::path::Path;
use std::sync::Arc;

use super::files::Input;
use super::flags::{ColorChoice, CommonArgs};
use super::terminal::TerminalStyle;
use super::{io, lint};
use crate::report::Full;
use crate::rules::{Rule, RuleSet};
use crate::settings::config::{Configs, EffectiveConfig, LoadError};
use crate::text::Source;
use crate::text::sanitize::clean_path;

/// Information for reports about all files of a run.
pub(super) struct AllFiles {
    /// The rules that are active for at least one file.
    pub(super) rules: RuleSet<'static>,
    /// Base URL of the rules' pages, from the first file that has one.
    pub(super) rule_pages: Option<String>,
}

/// Returns the effective configuration of each file, and their combination; stdin has that of
/// `stdin_filename`.
///
/// # Errors
/// Fails if a configuration or its custom rules can't be loaded.
pub(super) fn of_inputs(
    configs: &mut Configs,
    inputs: &[Input],
    stdin_filename: Option<&str>,
) -> Result<(Vec<Arc<EffectiveConfig>>, AllFiles), LoadError> {
    let mut all = Vec::new();
    for input in inputs {
        let document = if input.path.as_os_str() == "-" {
            Path::new(stdin_filename.unwrap_or(""))
        } else {
            &input.path
        };
        all.push(configs.find(document)?.in_force);
    }
    // A report lists rules even if there are no files.
    let fallback =
        if all.is_empty() { vec![configs.find(Path::new(""))?.in_force] } else { Vec::new() };
    let configs_or_fallback = if all.is_empty() { &fallback } else { &all };
    let all_files = AllFiles {
        rules: active_rules(configs_or_fallback),
        rule_pages: configs_or_fallback.iter().find_map(|effective| effective.rule_pages.clone()),
    };
    print_skipped_configs(configs);
    Ok((all, all_files))
}

/// Returns the effective configurations of a run with these flags, like [`of_inputs`].
///
/// # Errors
/// Fails if a configuration or its custom rules can't be loaded.
pub(super) fn of_run(
    common: &CommonArgs,
    unsafe_fixes: Option<bool>,
    inputs: &[Input],
) -> Result<(Vec<Arc<EffectiveConfig>>, AllFiles), LoadError> {
    of_inputs(&mut common.choices.configs(unsafe_fixes)?, inputs, common.stdin_filename.as_deref())
}

/// Prints a note for each configuration that was skipped.
pub(super) fn print_skipped_configs(configs: &Configs) {
    configs.passed_over.iter().for_each(|message| io::print_note(message));
}

/// Prints a configuration error and returns [`super::Status::Failed`].
pub(super) fn fail(failure: &LoadError, color: ColorChoice) -> super::Status {
    lint::fail(&say(failure, color))
}

/// Prints the errors in a configuration, and returns the message that ends the output.
pub(super) fn say(failure: &LoadError, color: ColorChoice) -> String {
    let (path, text, errors) = match failure {
        LoadError::Message(message) => return message.clone(),
        LoadError::Wrong { path, text, errors } => (path, text, errors),
    };
    let name = clean_path(path);
    let source = Source::new(&name, text);
    let style = TerminalStyle::of_stderr(color);
    let report = Full::new(style.color, style.width);
    for error in errors {
        io::eprint_all(&report.error(
            &source,
            error.span.clone(),
            &error.message,
            error.help.as_deref(),
        ));
    }
    let count =
        if errors.len() == 1 { "1 error".to_owned() } else { format!("{} errors", errors.len()) };
    format!(
        "{name}: {count} in the configuration; nothing was done (--isolated ignores the configuration)"
    )
}

/// Returns the rules that are active in at least one of these configurations, each once.
fn active_rules(all: &[Arc<EffectiveConfig>]) -> RuleSet<'static> {
    let mut rules: Vec<&'static Rule> = Vec::new();
    let mut seen: Vec<&Arc<EffectiveConfig>> = Vec::new();
    for effective in all {
        if seen.iter().any(|seen| Arc::ptr_eq(seen, effective)) {
            continue;
        }
        seen.push(effective);
        let new_rules = effective
            .rules
            .active
            .iter()
            .filter(|rule| !rules.iter().any(|known| known.id == rule.id));
        let new_rules: Vec<_> = new_rules.copied().collect();
        rules.extend(new_rules);
    }
    RuleSet::all(rules)
}
