//! What users can set: the table of settings, the syntax of their values, and `gvtg-xml.toml`. The
//! result, the settings for one document, is [`Settings`](crate::domain::Settings).

#[cfg(feature = "cli")]
pub mod config;
mod error;
pub mod parsers;
mod setting;
pub mod table;

pub use error::SettingError;
pub use setting::{Choices, Completion, Key, Kind, PageField, Scope, Setting};
pub use table::{SETTINGS, setting};
