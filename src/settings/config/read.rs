//! Parses a configuration and collects all errors in it, each with its position. (serde's derived
//! readers would stop at the first one.)

use std::ops::Range;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::error::{ConfigError, LoadError, did_you_mean};
use super::file::{Config, Entry, GROUPS, LEVELS, Level, Override, Section};
use super::globs::Glob;
use super::keys::{keys, unknown_key};
use super::values::Value;
use crate::rules::schema::Check;
use crate::rules::{Rule, RuleRef, builtin, of_host};
use crate::settings::{Kind, Scope, Setting};

/// Parses a configuration. `load` loads the custom rules of the folder that it names; `other_rules`
/// are further rules that it can refer to, besides the built-in and custom ones.
///
/// # Errors
/// Returns all errors in the order of the file. If the text is not valid TOML, only the syntax
/// errors are reported.
pub fn read(
    text: &str,
    other_rules: &[RuleRef<'static>],
    load: impl FnOnce(&str) -> Result<Vec<RuleRef<'static>>, LoadError>,
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
    let mut reader = Reader { text, other_rules, custom_rules: Vec::new(), errors: Vec::new() };
    let config = reader.config(table.get_ref(), load);
    reader.errors.sort_by_key(|error| error.span.start);
    if reader.errors.is_empty() { Ok(config) } else { Err(reader.errors) }
}

struct Reader<'t> {
    text: &'t str,
    other_rules: &'t [RuleRef<'static>],
    custom_rules: Vec<RuleRef<'static>>,
    errors: Vec<ConfigError>,
}

impl Reader<'_> {
    fn config(
        &mut self,
        table: &DeTable<'_>,
        load: impl FnOnce(&str) -> Result<Vec<RuleRef<'static>>, LoadError>,
    ) -> Config {
        // The rest of the file can refer to custom rules, wherever `site-rules` is.
        if let Some((key, value)) = table.get_key_value("site-rules")
            && let DeValue::String(folder) = value.get_ref()
        {
            match load(folder) {
                Ok(rules) => self.custom_rules = rules,
                Err(error) => self.add(key.span().start..value.span().end, error.to_string(), None),
            }
        }
        let overrides = table.get("overrides").map_or(Vec::new(), |value| self.overrides(value));
        let section = self.section(table, "overrides");
        Config { section, overrides, custom_rules: std::mem::take(&mut self.custom_rules) }
    }

    /// Reads the settings of a table, which can have another key besides them: `files` is that of
    /// an override, where some settings are not allowed.
    fn section(&mut self, table: &DeTable<'_>, other_key: &str) -> Section {
        let mut section = Section::default();
        // The parser sorts keys alphabetically; restore the order of the file.
        let mut pairs: Vec<_> = table.iter().collect();
        pairs.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in pairs {
            let name: &str = key.get_ref();
            let setting = keys().find(|(key, _)| key.name == name);
            match setting {
                _ if name == other_key => {}
                _ if name == "rules" => section.levels = self.levels(value),
                Some((key_info, _)) if other_key == "files" && key_info.scope == Scope::All => {
                    self.add(
                        key.span(),
                        format!("{name} applies to all files and can't be overridden"),
                        Some("move it above the first [[overrides]]".into()),
                    );
                }
                Some((_, setting)) => {
                    if let Some(value) = self.value(setting, name, value) {
                        section.entries.push(Entry { setting, value, span: key.span() });
                    }
                }
                None => self.errors.push(unknown_key(name, other_key == "files", key.span())),
            }
        }
        section
    }

    /// Reads the tables `[[overrides]]`.
    fn overrides(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<Override> {
        let help = "start each one with a line [[overrides]], followed by files = [\"vms/*.xml\"]";
        let Some(items) = self.array(value, "overrides", "an array of tables", help) else {
            return Vec::new();
        };
        let mut overrides = Vec::new();
        for item in items {
            let DeValue::Table(table) = item.get_ref() else {
                self.wrong_type(item, "each override", "a table", Some(help.into()));
                continue;
            };
            let files = match table.get("files") {
                Some(files) => self.files(files),
                None => {
                    self.add(
                        item.span(),
                        "this [[overrides]] does not name any files",
                        Some("add files = [\"vms/*.xml\"]".into()),
                    );
                    Vec::new()
                }
            };
            overrides.push(Override { files, section: self.section(table, "files") });
        }
        overrides
    }

    /// Reads the patterns of an override.
    fn files(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<Glob> {
        let example = "for example files = [\"vms/*.xml\"]";
        let Some(items) = self.array(value, "files", "an array of strings", example) else {
            return Vec::new();
        };
        if items.is_empty() {
            self.add(value.span(), "the list of files is empty", Some(example.into()));
        }
        let mut globs = Vec::new();
        for item in items {
            let DeValue::String(pattern) = item.get_ref() else {
                self.wrong_type(item, "a pattern", "a string", Some(example.into()));
                continue;
            };
            match Glob::parse(pattern) {
                Ok(glob) => globs.push(glob),
                Err(error) => {
                    self.add(item.span(), "invalid file pattern", Some(error.to_string()))
                }
            }
        }
        globs
    }

    /// Reads a setting's value; returns `None` if it is invalid.
    fn value(
        &mut self,
        setting: &Setting,
        name: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<Value> {
        match (setting.kind, value.get_ref()) {
            (Kind::Switch, DeValue::Boolean(is_on)) => Some(Value::Switch(*is_on)),
            (Kind::Names, DeValue::Array(items)) => Some(Value::Names(self.names(items))),
            (Kind::Text { .. } | Kind::Word(_) | Kind::Folder, DeValue::String(text)) => {
                if let Err(error) = setting.parse(text) {
                    let message = format!("invalid value for {name}");
                    self.add(value.span(), message, Some(error.to_string()));
                    return None;
                }
                // As written: `installed` is resolved when it is used.
                Some(match setting.kind {
                    Kind::Folder => Value::Folder(PathBuf::from(&**text)),
                    _ => Value::from(&**text),
                })
            }
            (kind, other) => {
                let written = &self.text[value.span()];
                let help = match (kind, other) {
                    (Kind::Names, DeValue::String(_)) => format!("write {name} = [{written}]"),
                    (
                        Kind::Text { .. } | Kind::Word(_) | Kind::Folder,
                        DeValue::Float(_) | DeValue::Integer(_) | DeValue::Boolean(_),
                    ) => format!("write {name} = \"{written}\""),
                    _ => {
                        let example = setting.key.map_or("", |key| key.example);
                        format!("for example {name} = {example}")
                    }
                };
                self.wrong_type(value, name, kind.expected(), Some(help));
                None
            }
        }
    }

    /// Reads the names of rules and groups.
    fn names(&mut self, items: &DeArray<'_>) -> Vec<String> {
        let mut names = Vec::new();
        for item in items {
            match item.get_ref() {
                DeValue::String(name) => {
                    self.check_name(name, item.span());
                    names.push(name.clone().into_owned());
                }
                _ => self.wrong_type(item, "a name", "a string", None),
            }
        }
        names
    }

    /// Reads the table `[rules]`.
    fn levels(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<Level> {
        let DeValue::Table(table) = value.get_ref() else {
            let help = "set a rule's severity with rules.ID = \"warning\"; to name a folder of rule files, use site-rules";
            let expected = "a table of rules and their severities";
            self.wrong_type(value, "rules", expected, Some(help.into()));
            return Vec::new();
        };
        let words: Vec<&str> = LEVELS.iter().map(|(word, _)| *word).collect();
        let mut levels = Vec::new();
        for (name, value) in table {
            self.check_name(name.get_ref(), name.span());
            self.check_severity_is_configurable(name.get_ref(), name.span());
            let DeValue::String(word) = value.get_ref() else {
                let help = format!("use one of \"{}\"", words.join("\", \""));
                self.wrong_type(value, "a severity", "a string", Some(help));
                continue;
            };
            match LEVELS.iter().find(|(level, _)| level == word) {
                Some((_, severity)) => levels.push(Level {
                    name: name.get_ref().to_string(),
                    severity: *severity,
                    span: name.span(),
                }),
                None => {
                    let all = || format!("use one of {}", words.join(", "));
                    let help = did_you_mean(word, words.iter().copied()).unwrap_or_else(all);
                    self.add(value.span(), format!("unknown severity '{word}'"), Some(help));
                }
            }
        }
        levels.sort_by_key(|level| level.span.start);
        levels
    }

    /// Checks that a name is that of a rule for domains, or of a group of such rules.
    fn check_name(&mut self, name: &str, span: Range<usize>) {
        let custom_rules = self.custom_rules.iter().chain(self.other_rules).map(|rule| &**rule);
        let known: Vec<&Rule> = custom_rules.chain(builtin()).collect();
        if known.iter().any(|rule| rule.matches_name(name)) {
            return;
        }
        let (message, help) = if of_host().iter().any(|rule| rule.matches_name(name)) {
            (
                format!("'{name}' is a rule about the host"),
                format!("disable it with `gvtg-xml host --ignore {name}`"),
            )
        } else {
            let ids = known.iter().map(|rule| &*rule.id);
            let names = ids.chain(GROUPS.iter().map(|group| group.name()));
            let list = || "`gvtg-xml explain` lists the rules".to_owned();
            (format!("there is no rule '{name}'"), did_you_mean(name, names).unwrap_or_else(list))
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

    /// Returns the items of an array, or reports that the value is not one.
    fn array<'v, 'd>(
        &mut self,
        value: &'v Spanned<DeValue<'d>>,
        what: &str,
        expected: &str,
        help: &str,
    ) -> Option<&'v DeArray<'d>> {
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type(value, what, expected, Some(help.to_owned()));
            return None;
        };
        Some(items)
    }

    fn wrong_type(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        what: &str,
        expected: &str,
        help: Option<String>,
    ) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        self.add(value.span(), format!("{what} must be {expected}, not {found}"), help);
    }

    fn add(&mut self, span: Range<usize>, message: impl Into<String>, help: Option<String>) {
        self.errors.push(ConfigError { message: message.into(), help, span });
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
                let Err(errors) = read(&text, &[], |_| Ok(Vec::new())) else { continue };
                assert!(!errors.is_empty());
                let source = Source::new("gvtg-xml.toml", &text);
                for error in errors {
                    assert!(text.get(error.span.clone()).is_some(), "{text:?}: {error:?}");
                    let shown = Full::new(false, 100).render_error(
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
