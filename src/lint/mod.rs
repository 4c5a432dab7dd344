//! Linting and fixing: pure functions of a document, the rules and the settings. Commands, the
//! language server and the web page only present their results.

mod add_suppressions;
pub mod claims;
mod cross_file;
mod diagnostic;
mod findings;
mod fix;
mod fix_result;
mod linted_domain;
mod linter;
mod pass;
mod remap;
mod removals;
mod rendering;
pub(crate) mod skip;
pub mod suppress;
mod suppression_rules;

pub use crate::rules::finding::Related;
pub use add_suppressions::Suppressed;
pub use diagnostic::{Detail, Diagnostic, Fix};
pub use fix_result::{FixError, Fixed, Guest};
pub use linted_domain::LintedDomain;
pub use linter::{Findings, Linter};
pub use skip::{Foreign, skip_reason};

/// Bytes that the limits on edits and on growth allow in addition to a multiple of the text's size.
const SMALL_TEXT: usize = 256 << 10;
