//! The editor's settings. They have the names and values of command-line flags.

use std::error::Error;

use serde_json::{Map, Value};

use crate::settings::config::ConfigWatcher;

/// The name of the section with this server's settings.
pub const SECTION: &str = "gvtg-xml";

/// Creates a session's configurations from the editor's settings, which are named like flags.
///
/// # Errors
/// Returns an error for an unknown setting or an invalid value, as a message for the user.
pub type Configure<'c> =
    dyn Fn(&Map<String, Value>) -> Result<ConfigWatcher, Box<dyn Error + Send + Sync>> + 'c;

/// Finds this server's settings in the settings that an editor sends: the section `gvtg-xml`, or
/// the top level; `None` if there are only sections of other servers.
pub fn section(settings: &Value) -> Option<&Map<String, Value>> {
    let settings = settings.as_object()?;
    match settings.get(SECTION) {
        Some(section) => section.as_object(),
        // No setting of this server is an object, but sections of other servers are.
        None if settings.values().any(Value::is_object) => None,
        None => Some(settings),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_settings_in_their_section_or_at_the_top_level() {
        let section_keys = |settings: Value| {
            section(&settings).map(|section| section.keys().cloned().collect::<Vec<_>>())
        };
        assert_eq!(
            section_keys(json!({ "gvtg-xml": { "libvirt": "9.0" }, "pylsp": { "x": 1 } })),
            Some(vec!["libvirt".to_owned()])
        );
        assert_eq!(section_keys(json!({ "libvirt": "9.0" })), Some(vec!["libvirt".to_owned()]));
        assert_eq!(section_keys(json!({ "pylsp": { "x": 1 } })), None);
        assert_eq!(section_keys(json!({})), Some(vec![]));
        assert_eq!(section_keys(Value::Null), None);
    }
}
