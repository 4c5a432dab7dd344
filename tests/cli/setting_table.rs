//! The table of settings decides which commands have a setting's flag, and VS Code's settings and
//! the web page are generated from it. (tests/cli/config_schema.rs is about the configuration.)

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use crate::common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use clap::{Arg, Command};
use gvtg_xml::internals::manual::{Length, command};
use gvtg_xml::internals::settings::{Choices, Kind, PageField, SETTINGS, Setting, vgpu_type_names};

/// Flags with the name of a setting and another meaning, by command.
const OTHER_FLAGS: &[(&str, &str)] = &[("emit", "only"), ("host", "ignore")];

/// Compares the text between two markers of a file with the generated text.
fn check_generated(path: &str, begin: &str, end: &str, expected: &str) {
    let text = fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once(begin).unwrap_or_else(|| panic!("{path} has no {begin}"));
    let (found, after) = rest.split_once(end).unwrap_or_else(|| panic!("{path} has no {end}"));
    if common::is_updating() {
        fs::write(path, format!("{before}{begin}{expected}{end}{after}")).unwrap();
    } else {
        assert_eq!(found, expected, "{path}: run UPDATE_EXPECTED=1 cargo test --test cli setting");
    }
}

/// The visible flags of a command and of its subcommands.
fn flags(command: &Command) -> Vec<&Arg> {
    let own = command.get_arguments().filter(|flag| !flag.is_hide_set());
    own.chain(command.get_subcommands().flat_map(flags)).collect()
}

#[test]
fn commands_have_the_flags_of_the_table() {
    let program = command(Length::Long);
    for setting in SETTINGS {
        let has_flag = |command: &&Command| {
            flags(command).iter().any(|flag| flag.get_long() == Some(setting.name))
                && !OTHER_FLAGS.contains(&(command.get_name(), setting.name))
        };
        let commands: BTreeSet<&str> =
            program.get_subcommands().filter(has_flag).map(Command::get_name).collect();
        assert!(commands.into_iter().eq(setting.commands.iter().copied()), "{}", setting.name);
    }
}

#[test]
fn vs_code_has_the_settings_of_the_language_server() {
    let mut properties = String::new();
    for setting in SETTINGS {
        let Some(description) = setting.editor else { continue };
        assert!(setting.commands.contains(&"lsp"), "{}", setting.name);
        let kind = match setting.kind {
            Kind::Switch => "\"type\": \"boolean\",\n          \"default\": false",
            Kind::Names => {
                "\"type\": \"array\",\n          \"items\": { \"type\": \"string\" },\n          \"default\": []"
            }
            _ => "\"type\": \"string\",\n          \"default\": \"\"",
        };
        let key = if description.contains('`') { "markdownDescription" } else { "description" };
        let name = setting.name;
        let description = serde_json::Value::from(description);
        write!(
            properties,
            ",\n        \"gvtg-xml.{name}\": {{\n          {kind},\n          \"{key}\": {description}\n        }}"
        )
        .unwrap();
    }
    let missing: Vec<&str> = SETTINGS
        .iter()
        .filter(|setting| setting.commands.contains(&"lsp") && setting.editor.is_none())
        .map(|setting| setting.name)
        .collect();
    assert_eq!(missing, [""; 0]);
    check_generated(
        "editors/vscode/package.json",
        "\"Do not read any `gvtg-xml.toml`.\"\n        }",
        "\n      }\n    },\n    \"problemMatchers\"",
        &properties,
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn options(values: impl Iterator<Item = impl AsRef<str>>) -> String {
    values.map(|value| format!("<option>{}</option>", value.as_ref())).collect()
}

/// A field of the page's form.
fn field(setting: &Setting, page: PageField) -> String {
    let (name, label, hint) = (setting.name, escaped(page.label), escaped(page.hint));
    let placeholder = page.placeholder;
    let field = match (setting.kind, page.choices) {
        (Kind::Switch, _) => {
            format!(
                "<label class=\"switch\"><input type=\"checkbox\" name=\"{name}\" value=\"yes\"> {label}"
            )
        }
        (_, Choices::VgpuTypes) => {
            let types = vgpu_type_names();
            let lines: Vec<String> = types.chunks(4).map(|line| options(line.iter())).collect();
            let none = format!("<option value=\"\">{placeholder}</option>");
            format!(
                "<label>{label} <select name=\"{name}\">{none}\n            {}</select>",
                lines.join("\n            ")
            )
        }
        (_, choices) => {
            let list = match choices {
                Choices::Suggestions(_) => format!(" list=\"{name}s\""),
                _ => String::new(),
            };
            format!(
                "<label>{label} <input name=\"{name}\" placeholder=\"{placeholder}\"{list} autocomplete=\"off\" spellcheck=\"false\">"
            )
        }
    };
    format!("        {field}\n          <small>{hint}</small></label>\n")
}

#[test]
fn the_web_page_has_the_fields_of_the_table() {
    let mut fields = String::new();
    let mut lists = String::new();
    for setting in SETTINGS {
        let Some(page) = setting.page else { continue };
        fields.push_str(&field(setting, page));
        if let Choices::Suggestions(values) = page.choices {
            let values = options(values.iter());
            writeln!(lists, "      <datalist id=\"{}s\">{values}</datalist>", setting.name)
                .unwrap();
        }
    }
    let path = "web/pages/index.html";
    check_generated(path, "<div class=\"fields\">\n", "        <label>libvirt hook ", &fields);
    check_generated(path, "copy it to share them.</span></p>\n", "    </details>", &lists);
}

/// The files below a folder that contain one of these words.
fn files_with(folder: &Path, words: &[&str], files: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_with(&path, words, files);
        } else if fs::read_to_string(&path)
            .is_ok_and(|text| words.iter().any(|word| text.contains(word)))
        {
            files.insert(path.display().to_string());
        }
    }
}

#[test]
fn few_files_name_a_setting() {
    let mut files = BTreeSet::new();
    for folder in ["src", "web/engine/src", "editors/vscode/src", "web/src"] {
        files_with(Path::new(folder), &["\"gdk-scale\"", "gdk_scale"], &mut files);
    }
    let expected = [
        // `emit filter` takes this setting too, with a help text of its own.
        "src/cli/emit/filter.rs",
        // Its field, because documents can contain this setting.
        "src/domain/setting_overrides.rs",
        // Its parser.
        "src/settings/parsers.rs",
        "src/settings/table.rs",
    ];
    assert!(files.iter().eq(expected), "{files:?}");
}
