//! Parses a configuration and collects all errors in it, each with its position.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::globs::Glob;
use super::keys::{KEYS, Key, Kind, Scope, key};
use super::model::{Config, ConfigError, Entry, GROUPS, LEVELS, Level, Override, Section};
use super::partial::{PartialConfig, Value};
use crate::rules::schema::Check;
use crate::rules::{Rule, builtin, closest_match, of_host};

/// Parses a configuration. `load` loads the custom rules of the folder that it names; `other_rules`
/// are further rules that it can refer to, besides the built-in and custom ones.
///
/// # Errors
/// Returns all errors in the order of the file. If the text is not valid TOML, only the syntax
/// errors are reported.
pub fn read(
    text: &str,
    other_rules: &[Rule],
    load: impl FnMut(&str) -> Result<&'static [Rule], String>,
) -> Result<Config, Vec<ConfigError>> {
    let (table, syntax_errors) = DeTable::parse_recoverable(text);
    if !syntax_errors.is_empty() {
        let error = |error: toml::de::Error| ConfigError {
            message: format!("invalid TOML: {}", error.message()),
            help: None,
            span: error.span().unwrap_or(0..0),
        };
        return Err(syntax_errors.into_iter().map(error).collect());
    }
    let mut reader = Reader { text, other_rules, site_rules: &[], errors: Vec::new() };
    let config = reader.config(table.into_inner(), load);
    reader.errors.sort_by_key(|error| error.span.start);
    if reader.errors.is_empty() { Ok(config) } else { Err(reader.errors) }
}

struct Reader<'t> {
    text: &'t str,
    other_rules: &'t [Rule],
    site_rules: &'static [Rule],
    errors: Vec<ConfigError>,
}

impl Reader<'_> {
    fn config(
        &mut self,
        mut table: DeTable<'_>,
        mut load: impl FnMut(&str) -> Result<&'static [Rule], String>,
    ) -> Config {
        // The rest of the file can refer to custom rules, wherever `site-rules` is.
        if let Some((key, value)) = table.get_key_value("site-rules")
            && let DeValue::String(folder) = value.get_ref()
        {
            match load(folder) {
                Ok(rules) => self.site_rules = rules,
                Err(message) => self.add(key.span().start..value.span().end, message, None),
            }
        }
        let overrides = table
            .remove("overrides")
            .map_or(Vec::new(), |value| self.overrides(value.span(), value.into_inner()));
        Config { section: self.section(table, false), overrides, site_rules: self.site_rules }
    }

    /// Reads a table, except for the overrides in it. The table of an override (`is_override`) does
    /// not allow all keys.
    fn section(&mut self, table: DeTable<'_>, is_override: bool) -> Section {
        let mut section = Section::default();
        // The parser sorts keys alphabetically; restore the order of the file.
        let mut pairs: Vec<_> = table.into_iter().collect();
        pairs.sort_by_key(|(key, _)| key.span().start);
        for (name, value) in pairs {
            let (span, name) = (name.span(), name.into_inner());
            match key(&name) {
                _ if name == "rules" => {
                    section.levels = self.levels(value.span(), value.into_inner())
                }
                Some(key) if is_override && key.scope == Scope::All => {
                    self.add(
                        span,
                        format!("{name} applies to all files and can't be overridden"),
                        Some("move it above the first [[overrides]]".into()),
                    );
                }
                Some(key) => {
                    if let Some(value) = self.value(key, value.span(), value.into_inner()) {
                        section.entries.push(Entry { key, value, span });
                    }
                }
                None => self.unknown_key(&name, span, is_override),
            }
        }
        section
    }

    /// Reads the tables `[[overrides]]`.
    fn overrides(&mut self, span: Range<usize>, value: DeValue<'_>) -> Vec<Override> {
        let help = || {
            Some(
                "start each one with a line [[overrides]], followed by files = [\"vms/*.xml\"]"
                    .to_owned(),
            )
        };
        let DeValue::Array(items) = value else {
            self.add(
                span,
                format!("overrides must be an array of tables, not {}", type_name(&value)),
                help(),
            );
            return Vec::new();
        };
        let mut overrides = Vec::new();
        for item in items {
            let span = item.span();
            match item.into_inner() {
                DeValue::Table(mut table) => {
                    let files = match table.remove("files") {
                        Some(files) => self.files(files.span(), files.into_inner()),
                        None => {
                            self.add(
                                span.clone(),
                                "this [[overrides]] does not name any files",
                                Some("add files = [\"vms/*.xml\"]".into()),
                            );
                            Vec::new()
                        }
                    };
                    overrides.push(Override { files, section: self.section(table, true) });
                }
                other => self.add(
                    span,
                    format!("each override must be a table, not {}", type_name(&other)),
                    help(),
                ),
            }
        }
        overrides
    }

    /// Reads the patterns of an override.
    fn files(&mut self, span: Range<usize>, value: DeValue<'_>) -> Vec<Glob> {
        let example = || Some("for example files = [\"vms/*.xml\"]".to_owned());
        let DeValue::Array(items) = value else {
            self.add(
                span,
                format!("files must be an array of strings, not {}", type_name(&value)),
                example(),
            );
            return Vec::new();
        };
        if items.is_empty() {
            self.add(span, "the list of files is empty", example());
        }
        let mut globs = Vec::new();
        for item in items {
            let DeValue::String(written) = item.get_ref() else {
                self.add(
                    item.span(),
                    format!("a pattern must be a string, not {}", type_name(item.get_ref())),
                    example(),
                );
                continue;
            };
            match Glob::parse(written) {
                Ok(glob) => globs.push(glob),
                Err(help) => self.add(item.span(), "invalid file pattern", Some(help)),
            }
        }
        globs
    }

    fn add(&mut self, span: Range<usize>, message: impl Into<String>, help: Option<String>) {
        self.errors.push(ConfigError { message: message.into(), help, span });
    }

    fn unknown_key(&mut self, name: &str, span: Range<usize>, is_override: bool) {
        let (message, help) = match name {
            "uuid" => (
                "uuid can't be set in a configuration: several domains would share one vGPU, and only one of them could run at a time"
                    .to_owned(),
                "remove it: each domain gets its own UUID; to choose one for a single domain, use `--uuid`".to_owned(),
            ),
            _ => {
                let table_keys = if is_override { ["files", "rules"] } else { ["rules", "overrides"] };
                let keys = || KEYS.iter().map(|key| key.name).chain(table_keys);
                let all = || format!("the keys are {}", keys().collect::<Vec<_>>().join(", "));
                let help = closest_match(name, keys()).map_or_else(all, |closest| format!("did you mean '{closest}'?"));
                (format!("unknown key '{name}'"), help)
            }
        };
        self.add(span, message, Some(help));
    }

    /// Reads a key's value; returns `None` if it is invalid.
    fn value(
        &mut self,
        key: &'static Key,
        span: Range<usize>,
        value: DeValue<'_>,
    ) -> Option<Value> {
        let value = match (&key.kind, value) {
            (Kind::Text(_), DeValue::String(text)) => Value::Text(text.into_owned()),
            (Kind::Switch(_), DeValue::Boolean(on)) => Value::Switch(on),
            (Kind::Names(_), DeValue::Array(items)) => {
                let mut names = Vec::new();
                for item in items {
                    match item.get_ref() {
                        DeValue::String(name) => {
                            self.check_name(name, item.span());
                            names.push(name.clone().into_owned());
                        }
                        other => self.add(
                            item.span(),
                            format!("a name must be a string, not {}", type_name(other)),
                            None,
                        ),
                    }
                }
                Value::Names(names)
            }
            (_, other) => {
                let message =
                    format!("{} must be {}, not {}", key.name, key.expected(), type_name(&other));
                let written = &self.text[span.clone()];
                let is_plain =
                    matches!(other, DeValue::Float(_) | DeValue::Integer(_) | DeValue::Boolean(_));
                let help = match (&key.kind, &other) {
                    (Kind::Text(_), _) if is_plain => format!("write {} = \"{written}\"", key.name),
                    (Kind::Names(_), DeValue::String(_)) => {
                        format!("write {} = [{written}]", key.name)
                    }
                    _ => format!("for example {} = {}", key.name, key.example),
                };
                self.add(span, message, Some(help));
                return None;
            }
        };
        match key.apply(&value, &mut PartialConfig::default()) {
            Ok(()) => Some(value),
            Err(help) => {
                self.add(span, format!("invalid value for {}", key.name), Some(help));
                None
            }
        }
    }

    /// Reads the table `[rules]`.
    fn levels(&mut self, span: Range<usize>, value: DeValue<'_>) -> Vec<Level> {
        let DeValue::Table(table) = value else {
            let help = "set a rule's severity with rules.ID = \"warning\"; to name a folder of rule files, use site-rules".to_owned();
            self.add(
                span,
                format!(
                    "rules must be a table of rules and their severities, not {}",
                    type_name(&value)
                ),
                Some(help),
            );
            return Vec::new();
        };
        let mut levels = Vec::new();
        for (name, value) in table {
            self.check_name(name.get_ref(), name.span());
            self.check_severity_is_configurable(name.get_ref(), name.span());
            let level = match value.get_ref() {
                DeValue::String(word) => LEVELS.iter().find(|(level, _)| level == word),
                _ => None,
            };
            let words = || LEVELS.iter().map(|(word, _)| *word);
            match (level, value.get_ref()) {
                (Some((_, severity)), _) => levels.push(Level {
                    name: name.get_ref().to_string(),
                    severity: *severity,
                    span: name.span(),
                }),
                (None, DeValue::String(word)) => {
                    let closest = closest_match(word, words())
                        .map(|closest| format!("did you mean '{closest}'?"));
                    let help = closest.unwrap_or_else(|| {
                        format!("use one of {}", words().collect::<Vec<_>>().join(", "))
                    });
                    self.add(value.span(), format!("unknown severity '{word}'"), Some(help));
                }
                (None, other) => {
                    let help = format!(
                        "use one of {}",
                        words().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
                    );
                    self.add(
                        value.span(),
                        format!("a severity must be a string, not {}", type_name(other)),
                        Some(help),
                    );
                }
            }
        }
        levels.sort_by_key(|level| level.span.start);
        levels
    }

    /// Checks that a name is that of a rule for domains, or of a group of such rules.
    fn check_name(&mut self, name: &str, span: Range<usize>) {
        let custom_rules = || self.site_rules.iter().chain(self.other_rules);
        if custom_rules().chain(builtin()).any(|rule| rule.matches_name(name)) {
            return;
        }
        let (message, help) = if of_host().iter().any(|rule| rule.matches_name(name)) {
            (
                format!("'{name}' is a rule about the host"),
                format!("disable it with `gvtg-xml host --ignore {name}`"),
            )
        } else {
            let ids = custom_rules()
                .chain(builtin())
                .map(|rule| &*rule.id)
                .chain(GROUPS.iter().map(|group| group.name()));
            let closest =
                closest_match(name, ids).map(|closest| format!("did you mean '{closest}'?"));
            (
                format!("there is no rule '{name}'"),
                closest.unwrap_or_else(|| "`gvtg-xml explain` lists the rules".to_owned()),
            )
        };
        self.add(span, message, Some(help));
    }

    /// Rejects the rules that report unreadable files: their severity is always error.
    fn check_severity_is_configurable(&mut self, name: &str, span: Range<usize>) {
        let reports_unreadable_files = |rule: &Rule| {
            rule.id == name && matches!(rule.check, Check::WellFormed | Check::Domain)
        };
        if builtin().iter().any(reports_unreadable_files) {
            self.add(
                span,
                format!("the severity of '{name}' can't be changed: a file that can't be read is always an error"),
                Some("remove this line".into()),
            );
        }
    }
}

/// The type of a value, for messages.
fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Full;
    use crate::text::Source;

    const WHOLE: &str = "# é𝄞\nlibvirt = \"9.0\"\nonly = ['display', \"é\"]\nkeep-video = true\n[rules]\nstray-video = 'off'\n\
        [[overrides]]\nfiles = ['*.xml', '𝄞/**']\nalias = '''\nua-x'''\nrules.vgpu = \"info\"\n";

    #[test]
    fn reports_errors_at_valid_positions() {
        for (at, old) in WHOLE.char_indices() {
            let (before, after) = (&WHOLE[..at], &WHOLE[at + old.len_utf8()..]);
            let pieces =
                ["", "\"", "'", "[", "]", "=", "\n", "é", "\0", "[[", "{", "#", "9.", "\u{feff}"];
            let texts =
                pieces.iter().map(|new| format!("{before}{new}{after}")).chain([before.to_owned()]);
            for text in texts {
                let Err(errors) = read(&text, &[], |_| Ok(&[])) else { continue };
                assert!(!errors.is_empty());
                let source = Source::new("gvtg-xml.toml", &text);
                for error in errors {
                    assert!(text.get(error.span.clone()).is_some(), "{text:?}: {error:?}");
                    let shown = Full::new(false, 100).error(
                        &source,
                        error.span,
                        &error.message,
                        error.help.as_deref(),
                    );
                    assert!(shown.contains("gvtg-xml.toml:"), "{text:?}: {shown}");
                }
            }
        }
    }
}
