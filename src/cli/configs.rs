//! What is in force for each file of a run, and what is said where that can't be told.

use std::path::Path;
use std::sync::Arc;

use super::files::Input;
use super::flags::{ColorChoice, CommonArgs};
use super::terminal::TerminalStyle;
use super::{io, lint};
use crate::config::{Configs, EffectiveConfig, LoadError};
use crate::report::Full;
use crate::rules::{Rule, RuleSet};
use crate::sanitize::clean_path;
use crate::source::Source;

/// What reports know of all files of a run.
pub(super) struct AllFiles {
    /// The rules that are asked of any of them.
    pub(super) rules: RuleSet<'static>,
    /// The address of the rules' pages, that of the first file that has one.
    pub(super) rule_pages: Option<String>,
}

/// What is in force for each of these files, and what that comes to; stdin has the configuration of
/// the file that it is named for.
///
/// # Errors
/// Those of [`Configs`].
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
    // Where a folder has no files, reports have rules all the same.
    let here =
        if all.is_empty() { vec![configs.find(Path::new(""))?.in_force] } else { Vec::new() };
    let known = if all.is_empty() { &here } else { &all };
    let all_files = AllFiles {
        rules: asked(known),
        rule_pages: known.iter().find_map(|in_force| in_force.rule_pages.clone()),
    };
    print_skipped_configs(configs);
    Ok((all, all_files))
}

/// The same for a run with these flags.
///
/// # Errors
/// Those of [`Configs`].
pub(super) fn of_run(
    common: &CommonArgs,
    unsafe_fixes: Option<bool>,
    inputs: &[Input],
) -> Result<(Vec<Arc<EffectiveConfig>>, AllFiles), LoadError> {
    of_inputs(&mut common.choices.configs(unsafe_fixes)?, inputs, common.stdin_filename.as_deref())
}

/// Says which configurations were passed over.
pub(super) fn print_skipped_configs(configs: &Configs) {
    configs.passed_over.iter().for_each(|message| io::print_note(message));
}

/// Says why it can't be told what is in force.
pub(super) fn fail(failure: &LoadError, color: ColorChoice) -> super::Status {
    lint::fail(&say(failure, color))
}

/// Says what is wrong in a configuration, and gives the last words about it.
pub(super) fn say(failure: &LoadError, color: ColorChoice) -> String {
    let (path, text, errors) = match failure {
        LoadError::Message(message) => return message.clone(),
        LoadError::Wrong { path, text, errors } => (path, text, errors),
    };
    let name = clean_path(path);
    let source = Source::new(&name, text);
    let look = TerminalStyle::of_stderr(color);
    let report = Full::new(look.color, look.width);
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

/// The rules that are asked of any of these.
fn asked(all: &[Arc<EffectiveConfig>]) -> RuleSet<'static> {
    let mut rules: Vec<&'static Rule> = Vec::new();
    let mut seen: Vec<&Arc<EffectiveConfig>> = Vec::new();
    for in_force in all {
        if seen.iter().any(|seen| Arc::ptr_eq(seen, in_force)) {
            continue;
        }
        seen.push(in_force);
        let new = in_force
            .rules
            .active
            .iter()
            .filter(|rule| !rules.iter().any(|known| known.id == rule.id));
        let new: Vec<_> = new.copied().collect();
        rules.extend(new);
    }
    RuleSet::all(rules)
}
