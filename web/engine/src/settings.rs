//! Settings from names and values, named like the flags of the command line. Only the fields that
//! the user filled in are set; all others are left to the document.

use gvtg_xml::Settings;
use gvtg_xml::internals::settings::{Kind, SettingError, setting};
use serde_json::{Value, json};

/// Reads settings from a JSON object of names and values; a switch is on regardless of its value.
///
/// # Errors
/// Returns `{"name", "message"}` for each invalid setting; the message says what to use instead.
pub fn read(text: &str) -> Result<Settings, Vec<Value>> {
    let (settings, errors) = read_valid(text);
    if errors.is_empty() { Ok(settings) } else { Err(errors) }
}

/// Reads settings like [`read`], but ignores invalid ones and returns them separately.
pub fn read_valid(text: &str) -> (Settings, Vec<Value>) {
    let mut settings = Settings::default();
    let values = match serde_json::from_str(text) {
        Ok(Value::Object(values)) => values,
        _ => {
            return (
                settings,
                vec![json!({ "name": "", "message": "the settings are not a JSON object" })],
            );
        }
    };
    let mut errors = Vec::new();
    for (name, value) in &values {
        if let Err(error) = set(&mut settings, name, value.as_str().unwrap_or("")) {
            errors.push(json!({ "name": name, "message": error.to_string() }));
        }
    }
    (settings, errors)
}

fn set(settings: &mut Settings, name: &str, text: &str) -> Result<(), SettingError> {
    // The browser's machine is not the host.
    if (name, text) == ("libvirt", "installed") {
        return Err("use a version such as 9.0".into());
    }
    let setting = setting(name)
        .filter(|setting| setting.page.is_some())
        .ok_or_else(|| format!("unknown setting '{name}'"))?;
    match setting.kind {
        Kind::Switch => settings.set(name, "true"),
        _ => settings.set(name, &setting.parse(text)?),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_settings_as_explicit() {
        let settings =
            read(r#"{"libvirt":"9.0","type":"i915-GVTg_V5_4","keep-video":"yes"}"#).unwrap();
        assert_eq!(settings.libvirt.to_string(), "9.0.0");
        assert_eq!(settings.explicit.vgpu_type.as_deref(), Some("i915-GVTg_V5_4"));
        assert!(settings.keep_video && !settings.unsafe_fixes);
        assert_eq!(read("{}").unwrap().explicit, Settings::default().explicit);
    }

    #[test]
    fn reports_invalid_settings_and_keeps_the_rest() {
        let (settings, errors) = read_valid(r#"{"pci":"2","libvirt":"8.0","colour":"red"}"#);
        let names: Vec<&str> = errors.iter().filter_map(|error| error["name"].as_str()).collect();
        assert_eq!(names, ["colour", "pci"]);
        assert_eq!(errors[1]["message"], "use a PCI address such as 0000:00:02.0");
        assert_eq!(
            (settings.libvirt.to_string(), settings.explicit.pci),
            ("8.0.0".to_owned(), None)
        );
        assert!(read("[]").is_err() && read("").is_err());
        assert!(
            read(r#"{"libvirt":"installed"}"#).is_err(),
            "the browser's machine is not the one that is meant"
        );
    }
}
