//! What users can set: the syntax of the values, and `gvtg-xml.toml`. The result, the settings for
//! one document, is [`Settings`](crate::domain::Settings).

#[cfg(feature = "cli")]
pub mod config;
pub mod parsers;
