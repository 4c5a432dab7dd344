//! Rules as JSON, for the page of rules.

use gvtg_xml::internals::docs::speaker;
use gvtg_xml::{Group, Rule, builtin, of_host};
use serde_json::{Value, json};

/// Returns all rules sorted by ID: first those for domains, then those for the host.
pub fn all() -> Value {
    let mut rules: Vec<&Rule> = builtin().iter().chain(of_host()).collect();
    rules.sort_by_key(|rule| (rule.group == Group::Host, &rule.id));
    rules.into_iter().map(rule_json).collect()
}

/// Returns the rule with this current or former ID; null if there is none.
pub fn by_id(id: &str) -> Value {
    builtin().iter().chain(of_host()).find(|rule| rule.is_named(id)).map_or(Value::Null, rule_json)
}

/// Converts a rule. `why` is Markdown with code and links; `help` and the fix's title are those of
/// the rule's page. Examples are not included.
fn rule_json(rule: &Rule) -> Value {
    let messages = rule.known_message.iter().map(
        |message| json!({ "who": speaker(message.at), "text": message.text.replace("{}", "…") }),
    );
    json!({
        "id": rule.id,
        "summary": rule.summary,
        "severity": rule.severity.name(),
        "group": rule.group.name(),
        "since": rule.since,
        "why": rule.why.trim(),
        "help": rule.page_help(),
        "fix": rule.page_fix().map(|(title, fix)| json!({ "title": title, "applicability": fix.applicability.name() })),
        "says": messages.collect::<Vec<_>>(),
        "references": rule.references.iter().collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_each_rule_once() {
        let rules = all();
        let rules = rules.as_array().unwrap();
        assert_eq!(rules.len(), builtin().len() + of_host().len());
        assert_eq!(by_id("stray-video")["summary"], "A <video> card next to the vGPU");
        assert!(by_id("no-such-rule").is_null());
    }
}
