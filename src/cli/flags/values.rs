//! The values that flags can have.

use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::rules::schema::Severity;
use crate::settings::parsers::severity;

/// Parses the severities of `--fail-on`, each with its help text.
pub(super) fn severities() -> impl TypedValueParser<Value = Severity> {
    let meanings = [
        ("info", "Worth knowing; the VM works"),
        ("warning", "The VM runs, but not as well as it could"),
        ("error", "libvirt rejects the domain, QEMU exits, or the screen stays dark"),
    ];
    let values = meanings.map(|(name, meaning)| PossibleValue::new(name).help(meaning));
    PossibleValuesParser::new(values).try_map(|name| severity(&name))
}

/// Format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    /// Each finding with its lines and its fix as a diff
    Full,
    /// file:line:column: severity[rule] message
    Concise,
    /// One JSON document
    Json,
    /// One JSON document per line
    JsonLines,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// GitHub workflow commands: annotations in pull requests
    Github,
    /// GitLab code quality report
    Gitlab,
    /// JUnit XML: one test case per finding
    Junit,
}

/// Where suppressions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SuppressIn {
    /// As a comment before the element, for that element only
    Comment,
    /// In the domain's metadata, for the whole domain
    Metadata,
}

/// Format of other output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DataFormat {
    /// Plain text
    Text,
    /// One JSON document
    Json,
}

/// Use of colors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ColorChoice {
    /// On a terminal unless NO_COLOR is set; elsewhere if FORCE_COLOR is set
    Auto,
    /// Always, also in files and pipes
    Always,
    /// Never
    Never,
}
