//! Settings out of names and values, as flags of the command line have them: what somebody filled
//! in is said, all else is left to the document.

use gvtg_xml::setting_parsers;
use gvtg_xml::settings::Settings;
use serde_json::{Value, json};

/// The settings that a JSON object of names and values says; a switch is on whatever its value.
///
/// # Errors
/// For each that can't be used `{"name", "message"}`: what to give instead.
pub fn read(text: &str) -> Result<Settings, Vec<Value>> {
    let (settings, wrong) = read_what_can_be(text);
    if wrong.is_empty() { Ok(settings) } else { Err(wrong) }
}

/// The same without those that can't be used.
pub fn read_what_can_be(text: &str) -> (Settings, Vec<Value>) {
    let mut settings = Settings::default();
    let said = match serde_json::from_str(text) {
        Ok(Value::Object(said)) => said,
        _ => {
            return (
                settings,
                vec![json!({ "name": "", "message": "the settings are not a JSON object" })],
            );
        }
    };
    let mut wrong = Vec::new();
    for (name, value) in &said {
        if let Err(message) = put(&mut settings, name, value.as_str().unwrap_or("")) {
            wrong.push(json!({ "name": name, "message": message }));
        }
    }
    (settings, wrong)
}

fn put(settings: &mut Settings, name: &str, text: &str) -> Result<(), String> {
    let asked = &mut settings.explicit;
    match name {
        // There is no machine to look at.
        "libvirt" if text == "installed" => return Err("use a version such as 9.0".into()),
        "libvirt" => settings.libvirt = setting_parsers::libvirt(text)?,
        "uuid" => settings.uuid = Some(setting_parsers::uuid(text)?),
        "type" => asked.vgpu_type = Some(setting_parsers::vgpu_type(text)?),
        "pci" => asked.pci = Some(setting_parsers::pci(text)?),
        "display" => asked.display = Some(setting_parsers::display(text)?),
        "display-env" => asked.display_env = Some(setting_parsers::display_env(text)?),
        "gdk-scale" => asked.gdk_scale = Some(setting_parsers::gdk_scale(text)?),
        "alias" => asked.alias = Some(setting_parsers::alias(text)?),
        "romfile" => asked.romfile = Some(setting_parsers::romfile(text)?),
        "audio" => asked.audio = Some(setting_parsers::audio(text)?),
        "keep-video" => settings.keep_video = true,
        "unsafe-fixes" => settings.unsafe_fixes = true,
        _ => return Err(format!("unknown setting '{name}'")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_asked_for() {
        let settings =
            read(r#"{"libvirt":"9.0","type":"i915-GVTg_V5_4","keep-video":"yes"}"#).unwrap();
        assert_eq!(settings.libvirt.to_string(), "9.0.0");
        assert_eq!(settings.explicit.vgpu_type.as_deref(), Some("i915-GVTg_V5_4"));
        assert!(settings.keep_video && !settings.unsafe_fixes);
        assert_eq!(read("{}").unwrap().explicit, Settings::default().explicit);
    }

    #[test]
    fn what_cannot_be_used_is_named_and_the_rest_is_kept() {
        let (settings, wrong) = read_what_can_be(r#"{"pci":"2","libvirt":"8.0","colour":"red"}"#);
        let names: Vec<&str> = wrong.iter().filter_map(|one| one["name"].as_str()).collect();
        assert_eq!(names, ["colour", "pci"]);
        assert_eq!(wrong[1]["message"], "use a PCI address such as 0000:00:02.0");
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
