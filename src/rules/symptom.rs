//! Symptoms: messages of libvirt, QEMU, the kernel and others that no rule can explain alone. The
//! build script reads them too.

use serde::Deserialize;

use super::examples::MessageSource;
use super::file::{RuleError, TomlPathSegment, span_of};
use super::path::{List, Text};
use super::schema::Severity;

/// What somebody meets in a log or on the screen, what it means, and what to do.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Symptom {
    /// The file's name without `.toml`.
    pub id: Text,
    /// What has happened, in a line.
    pub summary: Text,
    /// What it does to the user; info is harmless.
    pub severity: Severity,
    /// What it means and where it comes from, in Markdown.
    pub explanation: Text,
    /// What to do, each step an order; the first is the likeliest to help.
    #[serde(default)]
    pub steps: List<Text>,
    /// The rules that find its causes.
    #[serde(default)]
    pub rules: List<Text>,
    /// Whether it tells nothing by itself: it is shown only where nothing else in the same text is
    /// known.
    #[serde(default)]
    pub fallback: bool,
    /// The messages, in the words of each program and release.
    pub known_message: List<SymptomMessage>,
    /// Where the facts come from.
    #[serde(default)]
    pub references: List<Text>,
}

/// A message in its program's words.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SymptomMessage {
    /// When it is said, and so by whom.
    pub at: MessageSource,
    /// The words; `{}` stands for what varies.
    pub text: Text,
}

/// Fewer letters than these are in too many messages that mean something else.
const MIN_LITERAL_LEN: usize = 10;

/// Reads a symptom's file.
///
/// # Errors
/// What the file says that a symptom can't say, else all that can't be looked for.
pub fn parse(text: &str) -> Result<Symptom, Vec<RuleError>> {
    let symptom: Symptom = toml::from_str(text).map_err(|error| {
        vec![RuleError { message: error.message().to_owned(), span: error.span().unwrap_or(0..0) }]
    })?;
    let mut errors = Vec::new();
    if symptom.known_message.is_empty() {
        errors.push(RuleError {
            message: "a symptom needs at least one message".into(),
            span: span_of(text, &[TomlPathSegment::Key("known-message")]),
        });
    }
    for (index, words) in symptom.known_message.iter().enumerate() {
        let letters = words.text.split("{}").map(str::len).sum::<usize>();
        if letters < MIN_LITERAL_LEN {
            let message = format!(
                "'{}' would match too many messages: it has {letters} fixed letters, and needs {MIN_LITERAL_LEN}",
                words.text
            );
            errors.push(RuleError {
                message,
                span: span_of(
                    text,
                    &[
                        TomlPathSegment::Key("known-message"),
                        TomlPathSegment::Index(index),
                        TomlPathSegment::Key("text"),
                    ],
                ),
            });
        }
    }
    if errors.is_empty() { Ok(symptom) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::parse;

    const GOOD: &str = "id = 'a'\nsummary = 'b'\nseverity = 'info'\nexplanation = 'c'\n[[known-message]]\nat = 'qemu'\ntext = 'gtk initialization failed'\n";

    #[test]
    fn what_can_not_be_looked_for_is_an_error_with_its_place() {
        assert!(parse(GOOD).is_ok());
        let place = |text: &str| {
            parse(text)
                .map(|_| ())
                .unwrap_err()
                .into_iter()
                .map(|error| text[error.span].to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            place(&GOOD.replace("gtk initialization failed", "{} failed {}")),
            ["'{} failed {}'"]
        );
        assert_eq!(place(&GOOD.replace("explanation", "meaning")), ["meaning"]);
        assert_eq!(place(&GOOD.replace("'qemu'", "'kernel'")), ["'kernel'"]);
        assert_eq!(
            parse(&GOOD[..GOOD.find("[[").unwrap()]).unwrap_err()[0].message,
            "missing field `known-message`"
        );
    }
}
