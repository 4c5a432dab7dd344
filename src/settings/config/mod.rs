//! `gvtg-xml.toml`: settings for all domains in a folder and its subfolders.
//!
//! ```text
//! a domain's path ─ search ─▶ text ─ read ─▶ model
//!     ─ globs, merge, with the flags ─▶ effective configuration
//! ```
//!
//! - [`partial`]: the settings of one source, which is the flags or a configuration;
//!   [`setting_parsers`](crate::settings::parsers) has the syntax of their values. [`keys`]: the
//!   table of keys.
//! - [`search`]: finds the nearest file and checks whether it can be trusted. [`read`](mod@read):
//!   parses it into a [`model`] and reports all errors in it.
//! - [`custom_rules`]: custom rules. [`globs`]: the files that an override applies to.
//! - [`merge`](mod@merge): merges flags, configuration and defaults, and selects the rules.
//! - [`resolver`]: does this for each document of a run; the result is in [`resolved`], errors are
//!   in [`error`]. [`watch`]: reloads configurations that change.
//! - [`provenance`]: effective values with their origins. [`schema`](mod@schema): the JSON schema
//!   for editors.

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
