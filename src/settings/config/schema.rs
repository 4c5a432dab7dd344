//! The JSON schema with which editors complete and check the configuration. Checks that a schema
//! can't express, such as whether a folder exists, are made when the file is read.

use serde_json::{Map, Value as Json, json};

use super::file::{GROUPS, LEVELS};
use super::keys::keys;
use crate::rules::builtin;
use crate::rules::schema::Check;
use crate::settings::{Key, Kind, Scope};

/// Builds the schema. It uses draft 7, which most editors support.
pub fn schema() -> Json {
    let mut root = properties(|_| true);
    let mut of_files = properties(|key| key.scope == Scope::File);
    for keys in [&mut root, &mut of_files] {
        keys.insert("rules".into(), json!({ "$ref": "#/definitions/rules" }));
    }
    of_files.insert(
        "files".into(),
        json!({
            "description": "The files: patterns relative to the configuration's folder, or absolute ones that start with /",
            "type": "array",
            "minItems": 1,
            "items": { "type": "string", "minLength": 1 },
        }),
    );
    root.insert(
        "overrides".into(),
        json!({
            "description": "Settings for some of the files; where several match a file, the last one wins, key by key",
            "type": "array",
            "items": { "type": "object", "required": ["files"], "additionalProperties": false, "properties": of_files },
        }),
    );
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "gvtg-xml.toml",
        "description": "gvtg-xml settings for all libvirt domains in a folder and its subfolders",
        "type": "object",
        "additionalProperties": false,
        "properties": root,
        "definitions": { "name": name(), "level": level(), "rules": levels() },
    })
}

fn properties(is_wanted: impl Fn(&Key) -> bool) -> Map<String, Json> {
    keys()
        .filter(|(key, _)| is_wanted(key))
        .map(|(key, setting)| (key.name.to_owned(), property(key, setting.kind)))
        .collect()
}

fn property(key: &Key, kind: Kind) -> Json {
    let mut property = match kind {
        Kind::Text { pattern: Some(pattern), .. } => {
            json!({ "type": "string", "pattern": pattern })
        }
        Kind::Text { pattern: None, .. } => json!({ "type": "string" }),
        Kind::Word(words) => {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            json!({ "type": "string", "enum": words })
        }
        Kind::Folder => json!({ "type": "string", "pattern": "^." }),
        Kind::Switch => json!({ "type": "boolean" }),
        Kind::Names => json!({ "type": "array", "items": { "$ref": "#/definitions/name" } }),
    };
    property["description"] = format!("{}. Default: {}.", key.summary, key.default).into();
    property
}

/// The schema for the name of a rule or group: existing names for completion, or any name of a
/// custom rule.
fn name() -> Json {
    let groups = GROUPS.iter().map(|group| group.name());
    let known: Vec<&str> = builtin().iter().map(|rule| &*rule.id).chain(groups).collect();
    json!({ "anyOf": [{ "enum": known }, { "type": "string", "pattern": "^[a-z0-9-]+$" }] })
}

fn level() -> Json {
    json!({ "enum": LEVELS.iter().map(|(word, _)| *word).collect::<Vec<_>>() })
}

/// The schema for the table `[rules]`.
fn levels() -> Json {
    let level = |description: &str| json!({ "description": description, "allOf": [{ "$ref": "#/definitions/level" }] });
    let configurable_rules =
        builtin().iter().filter(|rule| !matches!(rule.check, Check::WellFormed | Check::Domain));
    let rules = configurable_rules.map(|rule| (rule.id.to_string(), level(&rule.summary)));
    let groups =
        GROUPS.iter().map(|group| (group.name().to_owned(), level("All rules in this group")));
    json!({
        "description": "The severity of rules and groups of rules",
        "type": "object",
        "properties": groups.chain(rules).collect::<Map<String, Json>>(),
        "additionalProperties": { "$ref": "#/definitions/level" },
        "propertyNames": { "pattern": "^[a-z0-9-]+$" },
    })
}
