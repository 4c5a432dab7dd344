//! A rule as JSON, for the page of rules.

use gvtg_xml::rules::docs::speaker;
use gvtg_xml::rules::schema::{Group, Rule};
use gvtg_xml::rules::{builtin, of_host};
use serde_json::{Value, json};

/// All rules by id, those about the host behind those about the XML.
pub fn all() -> Value {
    let mut rules: Vec<&Rule> = builtin().iter().chain(of_host()).collect();
    rules.sort_by_key(|rule| (rule.group == Group::Host, &rule.id));
    rules.into_iter().map(told).collect()
}

/// A rule by its id or one that it had before; null where there is none.
pub fn one(id: &str) -> Value {
    builtin().iter().chain(of_host()).find(|rule| rule.is_named(id)).map_or(Value::Null, told)
}

/// One rule. `why` is Markdown with code and links; `help` and the fix's title are those of the
/// rule's page. Examples are not built in.
fn told(rule: &Rule) -> Value {
    let says = rule
        .known_message
        .iter()
        .map(|says| json!({ "who": speaker(says.at), "text": says.text.replace("{}", "…") }));
    json!({
        "id": rule.id,
        "summary": rule.summary,
        "severity": rule.severity.name(),
        "group": rule.group.name(),
        "since": rule.since,
        "why": rule.why.trim(),
        "help": rule.page_help(),
        "fix": rule.page_fix().map(|(title, fix)| json!({ "title": title, "applicability": fix.applicability.name() })),
        "says": says.collect::<Vec<_>>(),
        "references": rule.references.iter().collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_there_once() {
        let rules = all();
        let rules = rules.as_array().unwrap();
        assert_eq!(rules.len(), builtin().len() + of_host().len());
        assert_eq!(one("stray-video")["summary"], "A <video> card next to the vGPU");
        assert!(one("no-such-rule").is_null());
    }
}
