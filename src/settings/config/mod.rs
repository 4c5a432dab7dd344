//! `gvtg-xml.toml`: settings for all domains in a folder and its subfolders.
//!
//! ```text
//! a domain's path ─ search ─▶ text ─ read ─▶ sections ─ with the flags ─▶ effective configuration
//! ```
//!
//! - `values`: the values of one source, which is the flags or a section of a configuration.
//! - `search`: finds the nearest file and checks whether it can be trusted. `read` parses it into a
//!   [`file`] and reports all errors in it. [`keys`]: the keys that it may have. `globs`: the files
//!   that an override applies to.
//! - `rules`: custom rules, and which rules are active.
//! - [`effective`]: merges flags, configuration and defaults, and knows where each value comes from.
//! - `resolver`: does this for each document of a run. `watch`: reloads configurations that change.
//! - [`schema`](mod@schema): the JSON schema for editors.

pub mod effective;
mod error;
pub mod file;
mod globs;
pub mod keys;
mod read;
mod resolver;
mod rules;
pub mod schema;
mod search;
mod values;
mod watch;

pub use effective::EffectiveConfig;
pub use error::{ConfigError, LoadError};
pub use resolver::{Configs, Origin, ResolvedConfig};
pub use rules::all_rules;
pub use values::{PartialConfig, Value};
pub use watch::ConfigWatcher;
