//! Explains errors: finds known messages in logs, and looks up messages and search terms.
//!
//! ```text
//! bytes of a log ─ strip_ansi ─▶ plain lines ─ pattern ─▶ messages in them
//!     ─ catalog ─▶ the rule or symptom of each
//! ```
//!
//! Nothing here reads files: a [`LogScanner`] accepts a log in chunks of any size and only keeps
//! what it reports.

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
