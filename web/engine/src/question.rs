//! Explanations of messages, as in `gvtg-xml explain`.

use gvtg_xml::explain::{Answer, Catalog, Entry, LogScanner};
use gvtg_xml::internals::docs::speaker;
use gvtg_xml::{Rule, Severity, Symptom, builtin, of_host, skip_reason, symptoms};
use serde_json::{Value, json};

/// Returns `{"answers", "about", "beside", "nearest", "unknown"}`, or `{"isDomain": true}`.
///
/// An answer is `{"rules": [entry]}` or `{"symptom"}`; in a log it also has `seen`: `{"line",
/// "count", "last", "text"}`. `about` has the entries with the words in their ID or summary,
/// `beside` those with the words elsewhere. An entry is `{"kind", "id", "summary", "severity"}`. If
/// nothing is found, `nearest` suggests IDs. `unknown` is the last unknown error of a log.
pub fn explain(question: &str) -> Value {
    let question = question.trim();
    if question.starts_with('<') && skip_reason(question.as_bytes()).is_none() {
        return json!({ "isDomain": true });
    }
    let mut all: Vec<&Rule> = builtin().iter().chain(of_host()).collect();
    all.sort_by_key(|rule| &rule.id);
    let catalog = Catalog::new(all, symptoms());
    if let Some(rule) = catalog.rules.iter().find(|rule| rule.is_named(question)) {
        return json!({ "answers": [{ "rules": [entry_json(Entry::Rule(rule))] }] });
    }
    if let Some(symptom) = catalog.symptoms.iter().find(|symptom| symptom.id == question) {
        return json!({ "answers": [{ "symptom": symptom_json(symptom) }] });
    }
    let log_result =
        if question.contains('\n') { explain_log(question, &catalog) } else { Value::Null };
    if !log_result.is_null() {
        return log_result;
    }
    let query_result = catalog.query(question);
    json!({
        "answers": query_result.answers.iter().map(|found_answer| answer_json(found_answer)).collect::<Vec<_>>(),
        "about": query_result.topic.about.iter().map(|topic_entry| entry_json(*topic_entry)).collect::<Vec<_>>(),
        "beside": query_result.topic.mentions.iter().map(|topic_entry| entry_json(*topic_entry)).collect::<Vec<_>>(),
        "nearest": if query_result.is_nothing() { catalog.nearest(question) } else { Vec::new() },
    })
}

/// Explains the errors in several lines; null if none is known.
fn explain_log(text: &str, catalog: &Catalog<'_>) -> Value {
    let mut scanner = LogScanner::new(catalog);
    scanner.feed(text.as_bytes());
    let report = scanner.finish();
    if report.complaints.is_empty() {
        return Value::Null;
    }
    let answers = report.complaints.iter().map(|complaint| {
        let mut answer = answer_json(complaint.answer);
        let seen = &complaint.seen;
        answer["seen"] = json!({ "line": seen.first, "count": seen.count, "last": seen.last, "text": seen.text });
        answer
    });
    json!({
        "answers": answers.collect::<Vec<_>>(),
        "unknown": report.unknown.last.as_ref().map(|(line, text)| json!({ "line": line, "text": text })),
    })
}

fn answer_json(answer: &Answer<'_>) -> Value {
    match answer {
        Answer::Symptom(symptom) => json!({ "symptom": symptom_json(symptom) }),
        Answer::Rules(rules) => {
            json!({ "rules": rules.iter().map(|rule| entry_json(Entry::Rule(rule))).collect::<Vec<_>>() })
        }
    }
}

fn entry_json(entry: Entry<'_>) -> Value {
    let (kind, severity) = match entry {
        Entry::Rule(rule) => ("rule", rule.severity),
        Entry::Symptom(symptom) => ("symptom", symptom.severity),
    };
    json!({ "kind": kind, "id": entry.id(), "summary": entry.summary(), "severity": severity_word(kind, severity) })
}

/// The severity as a word; a symptom with severity info is `harmless`.
fn severity_word(kind: &str, severity: Severity) -> &'static str {
    if kind == "symptom" && severity == Severity::Info { "harmless" } else { severity.name() }
}

/// Converts a symptom. `means` and `steps` are Markdown with code.
fn symptom_json(symptom: &Symptom) -> Value {
    let messages = symptom.known_message.iter().map(
        |message| json!({ "who": speaker(message.at), "text": message.text.replace("{}", "…") }),
    );
    json!({
        "id": symptom.id,
        "summary": symptom.summary,
        "severity": severity_word("symptom", symptom.severity),
        "means": symptom.explanation.trim(),
        "steps": symptom.steps.iter().collect::<Vec<_>>(),
        "rules": symptom.rules.iter().collect::<Vec<_>>(),
        "says": messages.collect::<Vec<_>>(),
        "references": symptom.references.iter().collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explains_a_message() {
        let result = explain(
            "qemu-system-x86_64: -set device.hostdev0.x-igd-opregion=on: there is no device \"hostdev0\" defined",
        );
        assert_eq!(result["answers"][0]["symptom"]["id"], "set-finds-no-device");
    }

    #[test]
    fn explains_the_errors_of_a_log() {
        let result = explain(include_str!("../../../fixtures/win10.log"));
        assert_eq!(result["answers"][0]["seen"]["line"], 11);
    }

    #[test]
    fn finds_topics_rules_and_domains() {
        assert!(explain("opregion")["about"].as_array().is_some_and(|about| !about.is_empty()));
        let nothing = explain("xyzzy plugh");
        assert_eq!((&nothing["answers"], &nothing["about"]), (&json!([]), &json!([])));
        assert_eq!(explain("stray-video")["answers"][0]["rules"][0]["id"], "stray-video");
        assert_eq!(explain("<domain/>")["isDomain"], true);
    }
}
