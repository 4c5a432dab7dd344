//! The keys that a configuration may have.

use std::ops::Range;

use super::error::{ConfigError, did_you_mean};
use crate::settings::{Key, SETTINGS, Setting};

/// All keys with a value, with their settings, in the order of the documentation. (`[rules]` and
/// `[[overrides]]` are tables.)
pub fn keys() -> impl Iterator<Item = (&'static Key, &'static Setting)> {
    SETTINGS.iter().filter_map(|setting| Some((setting.key.as_ref()?, setting)))
}

/// Returns the error for an unknown key at the top level, or in an override.
pub(super) fn unknown_key(name: &str, is_in_override: bool, span: Range<usize>) -> ConfigError {
    if name == "uuid" {
        return ConfigError {
            message: "uuid can't be set in a configuration: several domains would share one vGPU, and only one of them could run at a time".to_owned(),
            help: Some("remove it: each domain gets its own UUID; to choose one for a single domain, use `--uuid`".to_owned()),
            span,
        };
    }
    let tables = if is_in_override { ["files", "rules"] } else { ["rules", "overrides"] };
    let names = || keys().map(|(key, _)| key.name).chain(tables);
    let all = || format!("the keys are {}", names().collect::<Vec<_>>().join(", "));
    ConfigError {
        message: format!("unknown key '{name}'"),
        help: Some(did_you_mean(name, names()).unwrap_or_else(all)),
        span,
    }
}
