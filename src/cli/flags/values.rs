//! The values that flags can have.

use clap::ValueEnum;

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
