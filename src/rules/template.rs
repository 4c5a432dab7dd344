//! Fills in placeholders in messages and fixes: `{@type}` is an attribute of the finding's element,
//! `{uuid}` and others are settings, and some checks add values of their own.

use crate::domain::{Domain, derived_uuid};
use crate::version::Version;
use crate::xml::Element;

/// Fills in the placeholders of a string.
pub(crate) fn fill(
    text: &str,
    domain: &Domain<'_>,
    element: Option<Element<'_>>,
    values: &[(&'static str, String)],
) -> String {
    substitute(text, |name| value(name, domain, element, values))
}

/// Like [`fill`], but truncates long values, for messages that people read.
pub(crate) fn render_message(
    text: &str,
    domain: &Domain<'_>,
    element: Option<Element<'_>>,
    values: &[(&'static str, String)],
) -> String {
    substitute(text, |name| {
        value(name, domain, element, values).map(|value| match value.len() {
            // A string has at most as many characters as bytes.
            ..=MAX_VALUE_CHARS => value,
            _ => clipped(&value),
        })
    })
}

/// Maximum number of characters of a value in a message.
const MAX_VALUE_CHARS: usize = 200;

/// Truncates a string to the length that messages allow, and marks the cut with `…`.
pub(crate) fn clipped(text: &str) -> String {
    match text.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn value(
    name: &str,
    domain: &Domain<'_>,
    element: Option<Element<'_>>,
    values: &[(&'static str, String)],
) -> Option<String> {
    let from_check = |name: &str| {
        values.iter().find(|(placeholder, _)| *placeholder == name).map(|(_, value)| value.clone())
    };
    match name.strip_prefix('@') {
        Some(attribute) => {
            element.and_then(|element| element.attribute(attribute)).map(str::to_owned)
        }
        None => from_check(name)
            .or_else(|| match name {
                "element" => element.map(|element| element.name().to_owned()),
                _ => None,
            })
            .or_else(|| setting(domain, name)),
    }
}

/// Replaces each `{name}` with its value, or with nothing if it has none.
pub(crate) fn substitute(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut rest = text;
    // memchr is fast enough to run on every message.
    while let Some(brace) = memchr::memchr(b'{', rest.as_bytes()) {
        let after = &rest[brace + 1..];
        filled.push_str(&rest[..brace]);
        let Some((name, tail)) = after.split_once('}') else {
            filled.push('{');
            rest = after;
            continue;
        };
        filled.push_str(&value(name).unwrap_or_default());
        rest = tail;
    }
    filled.push_str(rest);
    filled
}

fn setting(domain: &Domain<'_>, name: &str) -> Option<String> {
    let settings = domain.settings;
    Some(match name {
        "uuid" => settings.uuid.unwrap_or_else(|| derived_uuid(domain.identity(), 1)).to_string(),
        "libvirt" if settings.libvirt == Version::NEWEST => "8.5 and later".to_owned(),
        "libvirt" => settings.libvirt.to_string(),
        name => settings.effective_value(name)?.to_owned(),
    })
}
