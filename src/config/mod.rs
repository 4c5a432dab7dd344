//! `gvtg-xml.toml`: what is wanted of all domains in a folder and those below it.
//!
//! ```text
//! a domain's folder ─ search ─▶ text ─ read ─▶ Config ─ merge, with the flags' Choices ─▶ settings and rules
//! ```
//!
//! - [`keys`]: which keys there are. [`values`]: how their values must look; flags have the same.
//! - [`search`]: the nearest file, and whether it may be trusted. [`read`]: what it says, and all that is wrong in it.
//! - [`merge`]: flags before configuration before defaults, and the rules that follow from it.

pub mod keys;
pub mod merge;
pub mod read;
pub mod search;
pub mod values;

pub use keys::Choices;
pub use read::{Config, ConfigError, read};
