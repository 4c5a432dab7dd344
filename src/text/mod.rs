//! Text: lines and columns, byte edits, and what makes text safe to print.

mod edit;
pub mod sanitize;
mod source;
mod source_map;
pub mod uri;
#[cfg(feature = "cli")]
pub(crate) mod wrap;

pub use edit::{Applicability, Edit, Edits};
pub use source::{BOM, Position, Source};
pub use source_map::{OriginalOffset, SourceMap};
