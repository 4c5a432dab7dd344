//! The host's files for a domain, those of `gvtg-xml emit`.

use gvtg_xml::emit::guest::guest;
use gvtg_xml::emit::hook::{self, Style};
use gvtg_xml::emit::{
    Destination, EmitOptions, File, FollowUp, cmdline, modprobe, modules, step, udev,
};
use gvtg_xml::source::Source;
use gvtg_xml::{domain, xml::XmlError};
use serde_json::{Value, json};

use crate::wishes;

/// `{"files": [{"name", "path", "what", "mode", "text"}], "steps": [text]}`; `path` is null for
/// what goes into a file of the user's, and then `what` says how. Where there are none, `{"error":
/// {"message", "help", "line", "column"}}`, or `{"settings"}` as for a check.
///
/// The options are `style` (`qemu.d`, `qemu` or `session`) and `parameters` (`modprobe`, `grub`,
/// `systemd-boot` or `raw`), by the names that flags have.
pub fn files(text: &str, settings: &str, options: &str) -> Value {
    let settings = match wishes::read(settings) {
        Ok(settings) => settings,
        Err(wrong) => return json!({ "settings": wrong }),
    };
    let source = Source::new("", text);
    let error = |offset: usize, message: &str, help: &str| {
        let position = source.position(offset);
        json!({ "error": { "message": message, "help": help, "line": position.line, "column": position.column } })
    };
    // Which generation the host's GPU is of is not known here; the document says the type, or the
    // user does.
    let wanted = EmitOptions { settings: &settings, default_type: &|_| "i915-GVTg_V5_4" };
    let guest = match domain::read(text, &settings, |domain| guest(domain, wanted)) {
        Ok(Ok(guest)) => guest,
        Ok(Err(wrong)) => return error(wrong.offset, &wrong.message, &wrong.help),
        Err(XmlError { offset, message, help, .. }) => return error(offset, &message, &help),
    };
    let options: Value = serde_json::from_str(options).unwrap_or_default();
    let (style, command) = match options["style"].as_str() {
        Some("qemu") => (Style::Whole, "gvtg-xml emit hook --style qemu"),
        Some("session") => (Style::Session, "gvtg-xml emit hook --style session"),
        _ => (Style::DropIn, "gvtg-xml emit hook"),
    };
    let mut hook = hook::file(&[guest], style, command);
    if style != Style::Session {
        hook.follow_ups.push(FollowUp::LetWindowIn);
    }
    let parameters = match options["parameters"].as_str() {
        Some("grub") => cmdline::grub(),
        Some("systemd-boot") => cmdline::systemd_boot(),
        Some("raw") => cmdline::raw(),
        _ => modprobe::file(),
    };
    let mut files = vec![hook, modules::file(), parameters];
    if style == Style::Session {
        files.push(udev::file());
    }
    let steps = step::merge(files.iter().flat_map(|file| file.follow_ups.clone()));
    json!({
        "files": files.iter().map(shown).collect::<Vec<_>>(),
        "steps": steps.iter().map(FollowUp::text).collect::<Vec<_>>(),
    })
}

fn shown(file: &File) -> Value {
    let what = match &file.place {
        Destination::At(_) => None,
        Destination::Elsewhere(what) => Some(*what),
    };
    let name = file.path().and_then(|path| path.rsplit('/').next()).unwrap_or("cmdline");
    json!({ "name": name, "path": file.path(), "what": what, "mode": format!("{:o}", file.mode), "text": file.text })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIXED: &str = include_str!("../../../fixtures/win10-virt-manager.fixed.xml");

    #[test]
    fn a_host_gets_a_hook_modules_and_parameters() {
        let files = files(FIXED, "{}", "{}");
        let paths: Vec<&str> = files["files"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|file| file["path"].as_str())
            .collect();
        assert_eq!(
            paths,
            [
                "/etc/libvirt/hooks/qemu.d/gvtg",
                "/etc/modules-load.d/gvt.conf",
                "/etc/modprobe.d/gvtg.conf"
            ]
        );
        assert_eq!(files["files"][0]["mode"], "755");
        assert!(files["files"][0]["text"].as_str().unwrap().contains("\nsetup_gpu win10 "));
        assert!(
            files["steps"]
                .as_array()
                .unwrap()
                .iter()
                .any(|step| step.as_str().unwrap().starts_with("reboot"))
        );
    }

    #[test]
    fn parameters_come_in_the_form_that_is_asked_for() {
        let files = files(FIXED, "{}", r#"{"style":"session","parameters":"raw"}"#);
        assert_eq!(files["files"].as_array().map(Vec::len), Some(4));
        assert!(files["files"][2]["path"].is_null() && files["files"][2]["what"].is_string());
        assert_eq!(files["files"][2]["text"], cmdline::raw().text);
    }

    #[test]
    fn a_domain_without_a_vgpu_has_no_files() {
        let found = files("<domain>\n  <name>a</name>\n</domain>", "{}", "{}");
        assert_eq!(found["error"]["message"], "the domain has no vGPU");
        assert_eq!(found["error"]["line"], 1);
        assert!(files("<domain", "{}", "{}")["error"]["message"].is_string());
    }
}
