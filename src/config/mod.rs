//! `gvtg-xml.toml`: what is wanted of all domains in a folder and those below it.
//!
//! ```text
//! a domain's path ─ search ─▶ text ─ read ─▶ what is said ─ globs, merge, with the flags' choices ─▶ what is in force
//! ```
//!
//! - [`partial`]: what a source says, flags or a configuration; how that must look is said in
//!   [`values`](crate::setting_parsers). [`keys`]: the table of the keys for it.
//! - [`search`]: the nearest file, and whether it may be trusted. [`read`](mod@read): what is
//!   [`model`] in it, and all that is wrong in it.
//! - [`custom_rules`]: a site's own rules. [`globs`]: which files an override is about.
//! - [`merge`](mod@merge): flags before configuration before defaults, and the rules that follow
//!   from it.
//! - [`resolver`]: that for each document of a run, with what was [`resolved`], or the [`error`].
//!   [`watch`]: the same while files change.
//! - [`provenance`]: what is in force with where it comes from. [`schema`](mod@schema): for
//!   editors.

pub mod custom_rules;
pub mod error;
pub mod globs;
pub mod keys;
pub mod merge;
pub mod model;
pub mod partial;
pub mod provenance;
pub mod read;
pub mod resolved;
pub mod resolver;
pub mod schema;
pub mod search;
pub mod watch;

pub use error::LoadError;
pub use merge::EffectiveConfig;
pub use partial::PartialConfig;
pub use resolved::ResolvedConfig;
pub use resolver::{Configs, Origin};
pub use watch::ConfigWatcher;
