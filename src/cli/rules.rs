//! The rules of a run: the built-in ones and a site's own.

use std::fs;
use std::path::Path;

use super::CommonArgs;
use crate::rules::schema::{Check, Group};
use crate::rules::{Rule, RuleSet, builtin, parse};
use crate::source::Source;

/// The built-in rules with those of a folder added; one with the id of a built-in rule stands in its place.
///
/// # Errors
/// A folder or file that can't be read, or a rule file that says what none can say: file:line:column and what is wrong.
pub(super) fn load(folder: Option<&Path>) -> Result<Vec<Rule>, String> {
    let Some(folder) = folder else { return Ok(Vec::new()) };
    let unreadable = |path: &Path, error: &std::io::Error| format!("{}: can't be read: {}", path.display(), super::io::describe(error));
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let mut rules = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        let name = path.display().to_string();
        let rule = parse(&text).map_err(|error| {
            let position = Source::new(&name, &text).position(error.span.start);
            format!("{name}:{}:{}: {}", position.line, position.column, error.message)
        })?;
        if path.file_stem().is_none_or(|stem| stem != &*rule.id) {
            return Err(format!("{name}:1:1: the file's name is not its id, {}", rule.id));
        }
        if rule.group == Group::Host {
            return Err(format!("{name}:1:1: a site's own rules are about domains, not about the host"));
        }
        if matches!(rule.check, Check::WellFormed | Check::Domain) {
            return Err(format!("{name}:1:1: this kind of check is for the program's own rules"));
        }
        rules.push(rule);
    }
    if rules.is_empty() {
        return Err(format!("{}: there is no rule file (*.toml) in it", folder.display()));
    }
    Ok(rules)
}

/// The rules that a run asks for, out of a site's own and the built-in ones.
///
/// # Errors
/// A name that no rule has.
pub(super) fn chosen<'r>(own: &'r [Rule], common: &CommonArgs) -> Result<RuleSet<'r>, String> {
    let mut rules = RuleSet::all(merged(own));
    rules.narrow(&common.only, &common.ignore)?;
    Ok(rules)
}

/// All rules: a site's own before the built-in ones that they don't replace.
pub(super) fn merged(own: &[Rule]) -> impl Iterator<Item = &Rule> {
    let replaced = |rule: &&Rule| !own.iter().any(|other| other.id == rule.id);
    own.iter().chain(builtin().iter().filter(replaced))
}
