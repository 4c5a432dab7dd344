//! `gvtg-xml.toml`: what is wanted of all domains in a folder and those below it.
//!
//! ```text
//! a domain's path ─ search ─▶ text ─ read ─▶ Config ─ globs, merge, with the flags' Choices ─▶ what is in force
//! ```
//!
//! - [`keys`]: which keys there are. [`values`]: how their values must look; flags have the same.
//! - [`search`]: the nearest file, and whether it may be trusted. [`read`](mod@read): what it says, and all that is wrong in it.
//! - [`site`]: a site's own rules. [`globs`]: which files an override is about.
//! - [`merge`]: flags before configuration before defaults, and the rules that follow from it. [`configs`]: that for each document of a run.
//!   [`told`]: the same with where it comes from. [`live`]: the same while files change. [`schema`](mod@schema): for editors.

pub mod configs;
pub mod globs;
pub mod keys;
pub mod live;
pub mod merge;
pub mod read;
pub mod schema;
pub mod search;
pub mod site;
pub mod told;
pub mod values;

pub use configs::{Configs, Failure, Found, Origin};
pub use keys::Choices;
pub use live::Live;
pub use merge::InForce;

/// An error of the system in its own words, without Rust's number.
fn describe(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
