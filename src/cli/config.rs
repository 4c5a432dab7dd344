//! `gvtg-xml config`.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::error::fail;
use super::{ColorChoice, ConfigArgs, DataFormat, Status, configs, io};
use crate::settings::config::effective::{KeyWithOrigin, RuleWithOrigin, ValueOrigin};
use crate::settings::config::{LoadError, ResolvedConfig, Value};
use crate::text::sanitize::{clean, clean_path};

pub(super) fn run(args: &ConfigArgs) -> Status {
    let text = match render(args) {
        Ok(text) => text,
        Err(failure) => return configs::fail(failure, args.color.unwrap_or(ColorChoice::Auto)),
    };
    match io::print(&text) {
        Ok(()) => Status::Clean,
        Err(message) => fail(&message),
    }
}

fn render(args: &ConfigArgs) -> Result<String, LoadError> {
    let mut configs = args.choices.configs()?;
    let path = args.file.as_deref().unwrap_or(Path::new(""));
    let is_folder = path.as_os_str().is_empty() || path.is_dir();
    let resolved = if is_folder { configs.find_in(path, None)? } else { configs.find(path)? };
    configs::print_skipped_configs(&configs);
    let sources = configs.sources(&resolved);
    let keys = sources.keys();
    let rules = sources.rules_with_severity(&configs.rules(resolved.loaded.as_deref()));
    Ok(match args.format {
        DataFormat::Text => text(&resolved, &keys, &rules),
        DataFormat::Json => json(&resolved, &keys, &rules),
    })
}

/// Renders a line for each key and rule: its name, its value, and where the value is set.
fn text(
    resolved: &ResolvedConfig,
    keys: &[KeyWithOrigin<'_>],
    rules: &[RuleWithOrigin<'_>],
) -> String {
    let mut text = match &resolved.loaded {
        Some(loaded) => format!("{}\n\n", clean_path(&loaded.path)),
        None => "no configuration file\n\n".to_owned(),
    };
    let key_line = |item: &KeyWithOrigin<'_>| {
        let value = item
            .value
            .map_or(item.key.default.to_owned(), |value| clean(&value.to_string()).into_owned());
        (item.key.name.to_owned(), value, origin(&item.origin))
    };
    let rule_line = |item: &RuleWithOrigin<'_>| {
        (
            format!("rules.{}", item.rule.id),
            format!("\"{}\"", item.level.word()),
            origin(&item.origin),
        )
    };
    let lines: Vec<_> = keys.iter().map(key_line).chain(rules.iter().map(rule_line)).collect();
    let width = |column: fn(&(String, String, String)) -> &String| {
        lines.iter().map(|line| column(line).chars().count()).max().unwrap_or(0)
    };
    let (names, values) = (width(|line| &line.0), width(|line| &line.1));
    for (name, value, origin) in &lines {
        let _ = writeln!(text, "{name:names$}  {value:values$}  {origin}");
    }
    text
}

fn origin(origin: &ValueOrigin<'_>) -> String {
    match origin {
        ValueOrigin::Default => "default".to_owned(),
        ValueOrigin::Flag => "flag".to_owned(),
        ValueOrigin::Line(line, files) if files.is_empty() => format!("line {line}"),
        ValueOrigin::Line(line, files) => format!("line {line}, for {}", clean(&files.join(", "))),
    }
}

fn json(
    resolved: &ResolvedConfig,
    keys: &[KeyWithOrigin<'_>],
    rules: &[RuleWithOrigin<'_>],
) -> String {
    let origin = |origin: &ValueOrigin<'_>| match origin {
        ValueOrigin::Default => json!({ "kind": "default" }),
        ValueOrigin::Flag => json!({ "kind": "flag" }),
        ValueOrigin::Line(line, files) if files.is_empty() => {
            json!({ "kind": "configuration", "line": line })
        }
        ValueOrigin::Line(line, files) => {
            json!({ "kind": "override", "line": line, "files": files })
        }
    };
    let key = |item: &KeyWithOrigin<'_>| json!({ "name": item.key.name, "value": item.value.map(Value::json), "default": item.key.default, "from": origin(&item.origin) });
    let rule = |item: &RuleWithOrigin<'_>| json!({ "id": item.rule.id, "severity": item.level.word(), "from": origin(&item.origin) });
    let all = json!({
        "configuration": resolved.loaded.as_ref().map(|loaded| loaded.path.display().to_string()),
        "keys": keys.iter().map(key).collect::<Vec<Json>>(),
        "rules": rules.iter().map(rule).collect::<Vec<Json>>(),
    });
    format!("{all:#}\n")
}
