//! `gvtg-xml config`.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::lint::fail;
use super::{ColorChoice, ConfigArgs, DataFormat, Status, configs, io};
use crate::config::choices::Value;
use crate::config::told::{From, KeyTold, RuleTold, keys, rules};
use crate::config::{Failure, Found, site};
use crate::printable::{clean, clean_path};

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

fn told(args: &ConfigArgs) -> Result<String, Failure> {
    let mut configs = args.choices.configs(args.unsafe_fixes)?;
    let path = args.file.as_deref().unwrap_or(Path::new(""));
    let is_folder = path.as_os_str().is_empty() || path.is_dir();
    let found = if is_folder { configs.find_in(path, None)? } else { configs.find(path)? };
    configs::say_passed_over(&configs);
    let keys = keys(&args.choices.choices(args.unsafe_fixes), &found);
    let rules = rules(&found, site::merged(configs.rules(found.loaded.as_deref())));
    Ok(match args.format {
        DataFormat::Text => text(&found, &keys, &rules),
        DataFormat::Json => json(&found, &keys, &rules),
    })
}

/// A line for each key and rule: its name, what is in force, and who says so.
fn text(found: &Found, keys: &[KeyTold<'_>], rules: &[RuleTold<'_>]) -> String {
    let mut text = match &found.loaded {
        Some(loaded) => format!("{}\n\n", clean_path(&loaded.path)),
        None => "no configuration file\n\n".to_owned(),
    };
    let of_key = |told: &KeyTold<'_>| {
        let value = told.value.as_ref().map_or(told.key.default.to_owned(), |value| clean(&value.to_string()).into_owned());
        (told.key.name.to_owned(), value, from(&told.from))
    };
    let of_rule = |told: &RuleTold<'_>| (format!("rules.{}", told.rule.id), format!("\"{}\"", told.level.word()), from(&told.from));
    let lines: Vec<_> = keys.iter().map(of_key).chain(rules.iter().map(of_rule)).collect();
    let width = |of: fn(&(String, String, String)) -> &String| lines.iter().map(|line| of(line).chars().count()).max().unwrap_or(0);
    let (names, values) = (width(|line| &line.0), width(|line| &line.1));
    for (name, value, from) in &lines {
        let _ = writeln!(text, "{name:names$}  {value:values$}  {from}");
    }
    text
}

fn from(from: &From<'_>) -> String {
    match from {
        From::Default => "default".to_owned(),
        From::Flag => "flag".to_owned(),
        From::Line(line, files) if files.is_empty() => format!("line {line}"),
        From::Line(line, files) => format!("line {line}, for {}", clean(&files.join(", "))),
    }
}

fn json(found: &Found, keys: &[KeyTold<'_>], rules: &[RuleTold<'_>]) -> String {
    let from = |from: &From<'_>| match from {
        From::Default => json!({ "kind": "default" }),
        From::Flag => json!({ "kind": "flag" }),
        From::Line(line, files) if files.is_empty() => json!({ "kind": "configuration", "line": line }),
        From::Line(line, files) => json!({ "kind": "override", "line": line, "files": files }),
    };
    let value = |value: &Value| match value {
        Value::Text(text) => json!(text),
        Value::Switch(on) => json!(on),
        Value::Names(names) => json!(names),
    };
    let key = |told: &KeyTold<'_>| json!({ "name": told.key.name, "value": told.value.as_ref().map(value), "default": told.key.default, "from": from(&told.from) });
    let rule = |told: &RuleTold<'_>| json!({ "id": told.rule.id, "severity": told.level.word(), "from": from(&told.from) });
    let all = json!({
        "configuration": found.loaded.as_ref().map(|loaded| loaded.path.display().to_string()),
        "keys": keys.iter().map(key).collect::<Vec<Json>>(),
        "rules": rules.iter().map(rule).collect::<Vec<Json>>(),
    });
    format!("{all:#}\n")
}
