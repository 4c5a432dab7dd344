//! What an editor's user wants: the settings of the command line under the same names.

use serde_json::{Map, Value};

use crate::config::ConfigWatcher;

/// The name of the section that editors keep this server's settings in.
pub const SECTION: &str = "gvtg-xml";

/// Makes a session's configurations out of the editor's settings, each under the name of its flag.
///
/// # Errors
/// A setting that there is none of, or a value that doesn't fit, in words for the user.
pub type Configure<'c> = dyn Fn(&Map<String, Value>) -> Result<ConfigWatcher, String> + 'c;

/// This server's settings among what an editor sends: the section of its name, or the settings
/// themselves; none where there are only other sections.
pub fn section(sent: &Value) -> Option<&Map<String, Value>> {
    let sent = sent.as_object()?;
    match sent.get(SECTION) {
        Some(section) => section.as_object(),
        // No setting has an object for its value, other servers' sections are objects.
        None => (!sent.values().any(Value::is_object)).then_some(sent),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_are_found_in_their_section_or_bare_and_never_in_others() {
        let found =
            |sent: Value| section(&sent).map(|section| section.keys().cloned().collect::<Vec<_>>());
        assert_eq!(
            found(json!({ "gvtg-xml": { "libvirt": "9.0" }, "pylsp": { "x": 1 } })),
            Some(vec!["libvirt".to_owned()])
        );
        assert_eq!(found(json!({ "libvirt": "9.0" })), Some(vec!["libvirt".to_owned()]));
        assert_eq!(found(json!({ "pylsp": { "x": 1 } })), None);
        assert_eq!(found(json!({})), Some(vec![]));
        assert_eq!(found(Value::Null), None);
    }
}
