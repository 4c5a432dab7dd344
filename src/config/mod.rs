//! `gvtg-xml.toml`: what is wanted of all domains in a folder and those below it.
//!
//! ```text
//! a domain's path ─ search ─▶ text ─ read ─▶ what is said ─ globs, merge, with the flags' choices ─▶ what is in force
//! ```
//!
//! - [`choices`]: what a source says, flags or a configuration; how that must look is said in [`values`](crate::values). [`keys`]: the table of the keys for it.
//! - [`search`]: the nearest file, and whether it may be trusted. [`read`](mod@read): what is [`said`] in it, and all that is wrong in it.
//! - [`site`]: a site's own rules. [`globs`]: which files an override is about.
//! - [`merge`](mod@merge): flags before configuration before defaults, and the rules that follow from it.
//! - [`configs`]: that for each document of a run, with what was [`loaded`], or the [`failure`]. [`live`]: the same while files change.
//! - [`told`]: what is in force with where it comes from. [`schema`](mod@schema): for editors.

pub mod choices;
pub mod configs;
pub mod failure;
pub mod globs;
pub mod keys;
pub mod live;
pub mod loaded;
pub mod merge;
pub mod read;
pub mod said;
pub mod schema;
pub mod search;
pub mod site;
pub mod told;

pub use choices::PartialConfig;
pub use configs::{Configs, Origin};
pub use failure::LoadError;
pub use live::ConfigWatcher;
pub use loaded::ResolvedConfig;
pub use merge::EffectiveConfig;
