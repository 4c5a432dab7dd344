//! Symptoms: messages of libvirt, QEMU, the kernel and other programs that no rule alone explains.
//! The build script includes this file.

use serde::Deserialize;

use super::examples::MessageSource;
use super::file::{RuleError, TomlPathSegment, span_of};
use super::path::{List, Text};
use super::schema::Severity;

/// An error that users meet in a log or on the screen, with its meaning and remedies.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Symptom {
    /// The file's name without `.toml`.
    pub id: Text,
    /// One line on what has happened.
    pub summary: Text,
    /// The impact on the user; `info` is harmless.
    pub severity: Severity,
    /// The meaning and the origin of the messages, in Markdown.
    pub explanation: Text,
    /// The remedies, each an imperative sentence; the one most likely to help comes first.
    #[serde(default)]
    pub steps: List<Text>,
    /// The rules that find its causes.
    #[serde(default)]
    pub rules: List<Text>,
    /// Whether the message alone says little: it is only explained if nothing else in the same text
    /// is known.
    #[serde(default)]
    pub fallback: bool,
    /// The messages, in the wording of each program and release.
    pub known_message: List<SymptomMessage>,
    /// The sources of the facts.
    #[serde(default)]
    pub references: List<Text>,
}

/// A message of a program.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SymptomMessage {
    /// The program that prints it.
    pub at: MessageSource,
    /// The message; `{}` matches any text.
    pub text: Text,
}

/// Minimum number of fixed bytes in a message; shorter ones match too many messages that mean
/// something else.
const MIN_LITERAL_LEN: usize = 10;

/// Parses a symptom file.
///
/// # Errors
/// The first error of the TOML syntax or the schema; if there is none, all messages that are
/// missing or too short to be searched for.
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
    for (index, known_message) in symptom.known_message.iter().enumerate() {
        let fixed_len = known_message.text.split("{}").map(str::len).sum::<usize>();
        if fixed_len < MIN_LITERAL_LEN {
            let message = format!(
                "'{}' would match too many messages: it has {fixed_len} fixed letters, and needs {MIN_LITERAL_LEN}",
                known_message.text
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
    fn rejects_messages_that_cannot_be_searched_for() {
        assert!(parse(GOOD).is_ok());
        let error_texts = |text: &str| {
            parse(text)
                .map(|_| ())
                .unwrap_err()
                .into_iter()
                .map(|error| text[error.span].to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            error_texts(&GOOD.replace("gtk initialization failed", "{} failed {}")),
            ["'{} failed {}'"]
        );
        assert_eq!(error_texts(&GOOD.replace("explanation", "meaning")), ["meaning"]);
        assert_eq!(error_texts(&GOOD.replace("'qemu'", "'kernel'")), ["'kernel'"]);
        assert_eq!(
            parse(&GOOD[..GOOD.find("[[").unwrap()]).unwrap_err()[0].message,
            "missing field `known-message`"
        );
    }
}
