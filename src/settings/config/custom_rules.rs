//! Custom rules, and the built-in rules that they replace.

use std::fs;
use std::path::Path;

use crate::rules::schema::{Check, Group};
use crate::rules::{Rule, builtin, parse};
use crate::text::Source;
use crate::text::sanitize::{clean, clean_path, system_error};

/// Loads the custom rules (`*.toml`) of a folder. They are leaked, because findings borrow them for
/// the lifetime of the process.
///
/// # Errors
/// Returns an error for a folder or file that can't be read and for invalid rule files: one line
/// per error, with file:line:column and the cause.
pub fn load(folder: &Path) -> Result<&'static [Rule], String> {
    let unreadable = |path: &Path, error: &std::io::Error| {
        format!("{}: can't be read: {}", clean_path(path), system_error(error))
    };
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let mut rules = Vec::new();
    let mut errors = Vec::new();
    for path in paths {
        let name = clean_path(&path);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                errors.push(unreadable(&path, &error));
                continue;
            }
        };
        match parse(&text) {
            Ok(rule) if rule.group == Group::Host => {
                errors
                    .push(format!("{name}:1:1: custom rules can check domains only, not the host"));
            }
            Ok(rule) if matches!(rule.check, Check::WellFormed | Check::Domain) => {
                errors
                    .push(format!("{name}:1:1: this kind of check is reserved for built-in rules"));
            }
            Ok(rule) if path.file_stem().is_some_and(|stem| stem == &*rule.id) => rules.push(rule),
            Ok(rule) => errors.push(format!(
                "{name}:1:1: the file must be named after the rule's id: {}.toml",
                rule.id
            )),
            Err(rule_errors) => errors.extend(rule_errors.into_iter().map(|error| {
                let position = Source::new(&name, &text).position(error.span.start);
                format!("{name}:{}:{}: {}", position.line, position.column, clean(&error.message))
            })),
        }
    }
    if !errors.is_empty() {
        return Err(errors.join("\n"));
    }
    if rules.is_empty() {
        return Err(format!("{}: no rule files (*.toml) in this folder", clean_path(folder)));
    }
    Ok(rules.leak())
}

/// All rules: the custom ones, then the built-in ones that they don't replace.
pub fn merged(custom: &'static [Rule]) -> impl Iterator<Item = &'static Rule> {
    let is_not_replaced =
        |rule: &&'static Rule| !custom.iter().any(|custom_rule| custom_rule.id == rule.id);
    custom.iter().chain(builtin().iter().filter(is_not_replaced))
}
