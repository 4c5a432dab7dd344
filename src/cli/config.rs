//! `gvtg-xml config`.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::lint::fail;
use super::{ColorChoice, ConfigArgs, DataFormat, Status, configs, io};
use crate::config::partial::Value;
use crate::config::provenance::{KeyWithOrigin, RuleWithOrigin, ValueOrigin, keys, rules};
use crate::config::{LoadError, ResolvedConfig, custom_rules};
use crate::sanitize::{clean, clean_path};

pub(super) fn run(args: &ConfigArgs) -> Status {
    let text = match told(args) {
        Ok(text) => text,
        Err(failure) => return configs::fail(&failure, args.color.unwrap_or(ColorChoice::Auto)),
    };
    match io::print(&text) {
        Ok(()) => Status::Clean,
        Err(message) => fail(&message),
    }
}

fn told(args: &ConfigArgs) -> Result<String, LoadError> {
    let mut configs = args.choices.configs(args.unsafe_fixes)?;
    let path = args.file.as_deref().unwrap_or(Path::new(""));
    let is_folder = path.as_os_str().is_empty() || path.is_dir();
    let found = if is_folder { configs.find_in(path, None)? } else { configs.find(path)? };
    configs::print_skipped_configs(&configs);
    let keys = keys(&args.choices.choices(args.unsafe_fixes), &found);
    let rules = rules(&found, custom_rules::merged(configs.rules(found.loaded.as_deref())));
    Ok(match args.format {
        DataFormat::Text => text(&found, &keys, &rules),
        DataFormat::Json => json(&found, &keys, &rules),
    })
}

/// A line for each key and rule: its name, what is in force, and who says so.
fn text(
    found: &ResolvedConfig,
    keys: &[KeyWithOrigin<'_>],
    rules: &[RuleWithOrigin<'_>],
) -> String {
    let mut text = match &found.loaded {
        Some(loaded) => format!("{}\n\n", clean_path(&loaded.path)),
        None => "no configuration file\n\n".to_owned(),
    };
    let of_key = |told: &KeyWithOrigin<'_>| {
        let value = told
            .value
            .as_ref()
            .map_or(told.key.default.to_owned(), |value| clean(&value.to_string()).into_owned());
        (told.key.name.to_owned(), value, from(&told.from))
    };
    let of_rule = |told: &RuleWithOrigin<'_>| {
        (format!("rules.{}", told.rule.id), format!("\"{}\"", told.level.word()), from(&told.from))
    };
    let lines: Vec<_> = keys.iter().map(of_key).chain(rules.iter().map(of_rule)).collect();
    let width = |of: fn(&(String, String, String)) -> &String| {
        lines.iter().map(|line| of(line).chars().count()).max().unwrap_or(0)
    };
    let (names, values) = (width(|line| &line.0), width(|line| &line.1));
    for (name, value, from) in &lines {
        let _ = writeln!(text, "{name:names$}  {value:values$}  {from}");
    }
    text
}

fn from(from: &ValueOrigin<'_>) -> String {
    match from {
        ValueOrigin::Default => "default".to_owned(),
        ValueOrigin::Flag => "flag".to_owned(),
        ValueOrigin::Line(line, files) if files.is_empty() => format!("line {line}"),
        ValueOrigin::Line(line, files) => format!("line {line}, for {}", clean(&files.join(", "))),
    }
}

fn json(
    found: &ResolvedConfig,
    keys: &[KeyWithOrigin<'_>],
    rules: &[RuleWithOrigin<'_>],
) -> String {
    let from = |from: &ValueOrigin<'_>| match from {
        ValueOrigin::Default => json!({ "kind": "default" }),
        ValueOrigin::Flag => json!({ "kind": "flag" }),
        ValueOrigin::Line(line, files) if files.is_empty() => {
            json!({ "kind": "configuration", "line": line })
        }
        ValueOrigin::Line(line, files) => {
            json!({ "kind": "override", "line": line, "files": files })
        }
    };
    let value = |value: &Value| match value {
        Value::Text(text) => json!(text),
        Value::Switch(on) => json!(on),
        Value::Names(names) => json!(names),
    };
    let key = |told: &KeyWithOrigin<'_>| json!({ "name": told.key.name, "value": told.value.as_ref().map(value), "default": told.key.default, "from": from(&told.from) });
    let rule = |told: &RuleWithOrigin<'_>| json!({ "id": told.rule.id, "severity": told.level.word(), "from": from(&told.from) });
    let all = json!({
        "configuration": found.loaded.as_ref().map(|loaded| loaded.path.display().to_string()),
        "keys": keys.iter().map(key).collect::<Vec<Json>>(),
        "rules": rules.iter().map(rule).collect::<Vec<Json>>(),
    });
    format!("{all:#}\n")
}
