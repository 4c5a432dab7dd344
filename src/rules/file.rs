//! Parses rule files and reports all errors in one at once, each with its span. The build script
//! parses the built-in rules with the same code.

use std::error::Error;
use std::fmt;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::path::Text;
use super::registry::{FUNCTIONS, OF_CHECKS, OF_HOST, is_setting_placeholder, setting_names};
use super::schema::{Check, Group, Operation, Rule};
use crate::qemu::property::{to_override, type_of};
use crate::xml::fragment::NewElement;

/// An error in a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleError {
    /// The message.
    pub message: String,
    /// The span in the file, in bytes.
    pub span: Range<usize>,
}

impl fmt::Display for RuleError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (byte {})", self.message, self.span.start)
    }
}

impl Error for RuleError {}

/// Parses a rule file.
///
/// # Errors
/// The first error of the TOML syntax or the schema; if there is none, all values that contradict
/// each other and all unknown names, in the order of the file.
pub fn parse(text: &str) -> Result<Rule, Vec<RuleError>> {
    let rule: Rule = toml::from_str(text).map_err(|error| {
        vec![RuleError { message: error.message().to_owned(), span: error.span().unwrap_or(0..0) }]
    })?;
    let mut checker = Checker { text, errors: Vec::new() };
    checker.check_structure(&rule);
    checker.check_names(&rule);
    checker.check_texts(&rule);
    checker.errors.sort_by_key(|error| error.span.start);
    if checker.errors.is_empty() { Ok(rule) } else { Err(checker.errors) }
}

/// One step on the path to a TOML value: a table key, or an index into an array.
#[derive(Clone, Copy)]
pub(super) enum TomlPathSegment {
    Key(&'static str),
    Index(usize),
}
use TomlPathSegment::{Index, Key};

/// Returns the span of a value in bytes. If the value is missing, returns the span of the innermost
/// part of its path that exists, or `0..0`.
pub(super) fn span_of(text: &str, place: &[TomlPathSegment]) -> Range<usize> {
    let Ok(table) = DeTable::parse(text) else { return 0..0 };
    let mut value = DeValue::Table(table.into_inner());
    let mut span = 0..0;
    for step in place {
        let next = match (value, step) {
            (DeValue::Table(mut table), Key(key)) => table.remove(*key),
            (DeValue::Array(array), Index(index)) => array.into_iter().nth(*index),
            _ => None,
        };
        let Some(next) = next else { break };
        span = next.span();
        value = next.into_inner();
    }
    span
}

struct Checker<'t> {
    text: &'t str,
    errors: Vec<RuleError>,
}

impl Checker<'_> {
    fn add_error(&mut self, place: &[TomlPathSegment], message: String) {
        let span = span_of(self.text, place);
        self.errors.push(RuleError { message, span });
    }

    /// Adds an error about a part of a string value. `part` is in bytes of `value`; the error
    /// covers the whole value if the file spells it differently (escapes).
    fn add_error_within(
        &mut self,
        place: &[TomlPathSegment],
        value: &str,
        part: Range<usize>,
        message: String,
    ) {
        let span = span_of(self.text, place);
        let start = self.text[span.clone()].find(value).map(|offset| span.start + offset);
        let span = start.map_or(span, |start| start + part.start..start + part.end);
        self.errors.push(RuleError { message, span });
    }

    /// Reports keys that contradict each other.
    fn check_structure(&mut self, rule: &Rule) {
        let selects = matches!(
            rule.check,
            Check::Forbid
                | Check::Require { .. }
                | Check::Attribute { .. }
                | Check::Text { .. }
                | Check::Unique { .. }
                | Check::Reference { .. }
        );
        let is_id = |id: &str| {
            id.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        if rule.id.is_empty() || !is_id(&rule.id) {
            self.add_error(
                &[Key("id")],
                format!(
                    "'{}' is not a valid id: use lower-case letters, digits and dashes",
                    rule.id
                ),
            );
        }
        let is_host = rule.group == Group::Host;
        if is_host
            && (rule.select.is_some()
                || !rule.fix.is_empty()
                || !matches!(rule.check, Check::Code { .. }))
        {
            self.add_error(
                &[Key("group")],
                "a rule about the host cannot have `select` or `fix`: its check is code".into(),
            );
        }
        if is_host != rule.ok_message.is_some() {
            self.add_error(
                &[Key("ok-message")],
                "rules about the host must have `ok-message`, and other rules cannot have it"
                    .into(),
            );
        }
        let removal_is_known =
            rule.when.absent.is_some() || matches!(rule.check, Check::Code { .. });
        if rule.message_once_removed.is_some() && !removal_is_known {
            self.add_error(
                &[Key("message-once-removed")],
                "only a rule with `when.absent` or a function can have `message-once-removed`"
                    .into(),
            );
        }
        if selects && rule.select.is_none() {
            self.add_error(
                &[Key("check"), Key("kind")],
                "this kind of check needs `select`".into(),
            );
        }
        for (index, fix) in rule.fix.iter().enumerate() {
            let fits = match fix.op {
                Operation::Remove | Operation::Insert(_) => selects,
                Operation::SetAttribute(_) | Operation::RemoveAttribute => {
                    matches!(rule.check, Check::Attribute { .. })
                }
                Operation::SetText(_) => matches!(rule.check, Check::Text { .. }),
                Operation::Deliver => {
                    matches!(rule.check, Check::Property { .. } | Check::Environment { .. })
                }
                Operation::Code => {
                    matches!(rule.check, Check::Code { .. } | Check::Suppression { .. })
                }
            };
            if !fits {
                self.add_error(
                    &[Key("fix"), Index(index), Key("op")],
                    format!("the fix '{}' does not fit this kind of check", fix.title),
                );
            }
        }
    }

    /// Reports names of settings, functions and properties that do not exist.
    fn check_names(&mut self, rule: &Rule) {
        let is_setting = |name: &str| setting_names().any(|known| known == name);
        let unknown_setting = |name: &str| {
            format!(
                "there is no setting '{name}'; the settings are {}",
                setting_names().collect::<Vec<_>>().join(", ")
            )
        };
        if let Some(name) = rule
            .when
            .setting
            .as_deref()
            .map(|name| name.trim_start_matches('!'))
            .filter(|name| !is_setting(name))
        {
            self.add_error(&[Key("when"), Key("setting")], unknown_setting(name));
        }
        match &rule.check {
            // Functions of host rules are not in this table: no user has such rules, and a test
            // checks the built-in ones.
            Check::Code { function } if rule.group != Group::Host && function.place.is_none() => {
                let message = format!(
                    "there is no function '{}'; the functions are {}",
                    function.name,
                    FUNCTIONS.join(", ")
                );
                self.add_error(&[Key("check"), Key("function")], message);
            }
            Check::Property { name, value } => self.check_property(&[Key("check")], name, value),
            Check::Environment { setting: Some(name), .. } if !is_setting(name) => {
                self.add_error(&[Key("check"), Key("setting")], unknown_setting(name));
            }
            _ => {}
        }
        for (index, fix) in rule.fix.iter().enumerate() {
            if let Some(property) = &fix.property {
                self.check_property(
                    &[Key("fix"), Index(index), Key("property")],
                    &property.name,
                    &property.value,
                );
            }
        }
    }

    fn check_property(&mut self, place: &[TomlPathSegment], name: &str, value: &str) {
        let within = |key| [place, &[Key(key)]].concat();
        match type_of(name) {
            None => {
                self.add_error(&within("name"), format!("QEMU's vGPU has no property '{name}'"))
            }
            Some(kind) if to_override(kind, value).as_deref() != Some(value) => {
                self.add_error(
                    &within("value"),
                    format!("'{value}' is not a value of type {}", kind.name()),
                );
            }
            Some(_) => {}
        }
    }

    /// Reports unknown placeholders, and text that cannot be inserted.
    fn check_texts(&mut self, rule: &Rule) {
        let is_host = rule.group == Group::Host;
        self.check_placeholders(&[Key("message")], &rule.message, is_host);
        if let Some(message) = &rule.message_once_removed {
            self.check_placeholders(&[Key("message-once-removed")], message, is_host);
        }
        self.check_page(rule);
        for (key, text) in [("help", &rule.help), ("ok-message", &rule.ok_message)] {
            if let Some(text) = text {
                self.check_placeholders(&[Key(key)], text, is_host);
            }
        }
        if let Check::Environment { value, .. } = &rule.check {
            self.check_placeholders(&[Key("check"), Key("value")], value, is_host);
        }
        for (index, fix) in rule.fix.iter().enumerate() {
            let within = |key| [Key("fix"), Index(index), Key(key)];
            self.check_placeholders(&within("title"), &fix.title, is_host);
            if let Some(title) = fix.property.as_ref().and_then(|property| property.title.as_ref())
            {
                self.check_placeholders(
                    &[Key("fix"), Index(index), Key("property"), Key("title")],
                    title,
                    is_host,
                );
            }
            let (key, value) = match &fix.op {
                Operation::Insert(text) => ("insert", text),
                Operation::SetAttribute(text) => ("set-attribute", text),
                Operation::SetText(text) => ("set-text", text),
                _ => continue,
            };
            let place = [Key("fix"), Index(index), Key("op"), Key(key)];
            self.check_placeholders(&place, value, is_host);
            if let (Operation::Insert(_), Err(error)) = (&fix.op, NewElement::parse(value)) {
                self.add_error_within(
                    &place,
                    value,
                    error.span,
                    format!("this can't be inserted: {}", error.message),
                );
            }
        }
    }

    /// Checks the strings of the rule's page, where no document can fill in placeholders.
    fn check_page(&mut self, rule: &Rule) {
        let title = rule.fix.first().map(|fix| &fix.title);
        self.check_page_text("help", &[Key("help")], rule.help.as_ref(), rule.page.help.as_ref());
        self.check_page_text(
            "fix",
            &[Key("fix"), Index(0), Key("title")],
            title,
            rule.page.fix.as_ref(),
        );
    }

    fn check_page_text(
        &mut self,
        key: &'static str,
        place: &[TomlPathSegment],
        text: Option<&Text>,
        on_page: Option<&Text>,
    ) {
        match (text, on_page) {
            (None, Some(_)) => self.add_error(
                &[Key("page"), Key(key)],
                format!("the rule has no {key} that this could replace"),
            ),
            (Some(text), None) if text.contains('{') => {
                self.add_error(place, format!("a rule's page can't fill in placeholders: add `{key}` without placeholders to [page]"));
            }
            (_, Some(on_page)) if on_page.contains('{') => {
                self.add_error(
                    &[Key("page"), Key(key)],
                    "a rule's page can't fill in placeholders".into(),
                );
            }
            _ => {}
        }
    }

    fn check_placeholders(&mut self, place: &[TomlPathSegment], value: &str, is_host: bool) {
        for (at, _) in value.match_indices('{') {
            let Some(length) = value[at + 1..].find('}') else { continue };
            let name = &value[at + 1..at + 1 + length];
            let is_domain_placeholder = |name: &str| {
                name.starts_with('@') || is_setting_placeholder(name) || OF_CHECKS.contains(&name)
            };
            let is_known =
                if is_host { OF_HOST.contains(&name) } else { is_domain_placeholder(name) };
            if !is_known {
                self.add_error_within(
                    place,
                    value,
                    at..at + length + 2,
                    format!("unknown placeholder {{{name}}}"),
                );
            }
        }
    }
}
