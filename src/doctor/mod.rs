//! What `explain` knows: which known errors are in a log, and what a message or a word means.
//!
//! ```text
//! bytes of a log ─ plain ─▶ lines as somebody reads them ─ pattern ─▶ messages in them ─ known ─▶ the rule or symptom of each
//! ```
//!
//! Nothing here reads a file: an [`Examination`] is fed with pieces of a log, whatever their size, and keeps no more of it than it shows.

mod asked;
mod examination;
mod known;
mod page;
mod pattern;
mod plain;
mod topic;

pub use asked::QueryResult;
pub use examination::{LogMatch, LogScanner, Occurrences, Report, Unknown};
pub use known::{Answer, Catalog};
pub use page::{page, page_of, summary};
pub use topic::{Entry, Topic};
