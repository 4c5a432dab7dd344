//! What `explain` knows: which known errors are in a log, and what a message or a word means.
//!
//! ```text
//! bytes of a log ─ plain ─▶ lines as somebody reads them ─ pattern ─▶ messages in them ─ known ─▶ the rule or symptom of each
//! ```
//!
//! Nothing here reads a file: an [`LogScanner`] is fed with pieces of a log, whatever their size,
//! and keeps no more of it than it shows.

mod catalog;
mod log_scanner;
mod page;
mod pattern;
mod query;
mod search;
mod strip_ansi;

pub use catalog::{Answer, Catalog};
pub use log_scanner::{LogMatch, LogScanner, Occurrences, Report, Unknown};
pub use page::{page, page_of, summary};
pub use query::QueryResult;
pub use search::{Entry, Topic};
