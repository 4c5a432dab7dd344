//! The host's files for a domain, as written by `gvtg-xml emit`.

use gvtg_xml::emit::guest::guest;
use gvtg_xml::emit::hook;
use gvtg_xml::emit::hook::Style;
use gvtg_xml::emit::{
    Destination, EmitOptions, File, FollowUp, cmdline, modprobe, modules, step, udev,
};
use gvtg_xml::internals::domain;
use gvtg_xml::{Source, XmlError};
use serde_json::{Value, json};

use crate::settings;

/// Returns `{"files": [{"name", "path", "what", "mode", "text"}], "steps": [text]}`. `path` is null
/// for text that the user must add to an existing file; then `what` says how. If there are no
/// files, the result is `{"error": {"message", "help", "line", "column"}}`, or `{"settings"}` as in
/// `check`.
///
/// The options are `style` (`qemu.d`, `qemu` or `session`) and `parameters` (`modprobe`, `grub`,
/// `systemd-boot` or `raw`), as for the flags of `gvtg-xml emit`.
pub fn files(text: &str, settings: &str, options: &str) -> Value {
    let settings = match settings::read(settings) {
        Ok(settings) => settings,
        Err(errors) => return json!({ "settings": errors }),
    };
    let source = Source::new("", text);
    let error = |offset: usize, message: &str, help: &str| {
        let position = source.position(offset);
        json!({ "error": { "message": message, "help": help, "line": position.line, "column": position.column } })
    };
    // The generation of the host's GPU is unknown here, so this default is a guess; the document or
    // the user can set the type.
    let emit_options = EmitOptions { settings: &settings, default_type: &|_| "i915-GVTg_V5_4" };
    let guest = match domain::read(text, &settings, |domain| guest(domain, emit_options)) {
        Ok(Ok(guest)) => guest,
        Ok(Err(guest_error)) => {
            return error(guest_error.offset, &guest_error.message, &guest_error.help);
        }
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
        "files": files.iter().map(file_json).collect::<Vec<_>>(),
        "steps": steps.iter().map(FollowUp::text).collect::<Vec<_>>(),
    })
}

fn file_json(file: &File) -> Value {
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
    fn returns_hook_modules_and_parameters() {
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
    fn returns_parameters_in_the_requested_form() {
        let files = files(FIXED, "{}", r#"{"style":"session","parameters":"raw"}"#);
        assert_eq!(files["files"].as_array().map(Vec::len), Some(4));
        assert!(files["files"][2]["path"].is_null() && files["files"][2]["what"].is_string());
        assert_eq!(files["files"][2]["text"], cmdline::raw().text);
    }

    #[test]
    fn rejects_domains_without_a_vgpu() {
        let result = files("<domain>\n  <name>a</name>\n</domain>", "{}", "{}");
        assert_eq!(result["error"]["message"], "the domain has no vGPU");
        assert_eq!(result["error"]["line"], 1);
        assert!(files("<domain", "{}", "{}")["error"]["message"].is_string());
    }
}
