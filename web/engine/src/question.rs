//! What a message means: what `gvtg-xml explain` knows.

use gvtg_xml::explain::{Answer, Catalog, Entry, LogScanner};
use gvtg_xml::lint::skip_reason;
use gvtg_xml::rules::docs::speaker;
use gvtg_xml::rules::schema::{Rule, Severity};
use gvtg_xml::rules::symptom::Symptom;
use gvtg_xml::rules::{builtin, of_host, symptoms};
use serde_json::{Value, json};

/// `{"answers", "about", "beside", "nearest", "unknown"}`, or `{"isDomain": true}`.
///
/// An answer is `{"rules": [entry]}` or `{"symptom"}`, in a log with `seen`: `{"line", "count",
/// "last", "text"}`. `about` has the entries that have the words in their name or line, `beside`
/// those that have them elsewhere. An entry is `{"kind", "id", "summary", "severity"}`. Of what
/// nothing is known, `nearest` names what comes close; `unknown` is the last error of a log that is
/// not known.
pub fn explain(question: &str) -> Value {
    let question = question.trim();
    if question.starts_with('<') && skip_reason(question.as_bytes(), true).is_none() {
        return json!({ "isDomain": true });
    }
    let mut all: Vec<&Rule> = builtin().iter().chain(of_host()).collect();
    all.sort_by_key(|rule| &rule.id);
    let known = Catalog::new(all, symptoms());
    if let Some(rule) = known.rules.iter().find(|rule| rule.is_named(question)) {
        return json!({ "answers": [{ "rules": [entry(Entry::Rule(rule))] }] });
    }
    if let Some(symptom) = known.symptoms.iter().find(|symptom| symptom.id == question) {
        return json!({ "answers": [{ "symptom": told(symptom) }] });
    }
    let of_log = if question.contains('\n') { log(question, &known) } else { Value::Null };
    if !of_log.is_null() {
        return of_log;
    }
    let asked = known.asked(question);
    json!({
        "answers": asked.answers.iter().map(|found| answer(found)).collect::<Vec<_>>(),
        "about": asked.topic.about.iter().map(|one| entry(*one)).collect::<Vec<_>>(),
        "beside": asked.topic.beside.iter().map(|one| entry(*one)).collect::<Vec<_>>(),
        "nearest": if asked.is_nothing() { known.nearest(question) } else { Vec::new() },
    })
}

/// What several lines say; null where nothing in them is known.
fn log(text: &str, known: &Catalog<'_>) -> Value {
    let mut examination = LogScanner::new(known);
    examination.feed(text.as_bytes());
    let report = examination.finish();
    if report.complaints.is_empty() {
        return Value::Null;
    }
    let answers = report.complaints.iter().map(|complaint| {
        let mut answer = answer(complaint.answer);
        let seen = &complaint.seen;
        answer["seen"] = json!({ "line": seen.first, "count": seen.count, "last": seen.last, "text": seen.text });
        answer
    });
    json!({
        "answers": answers.collect::<Vec<_>>(),
        "unknown": report.unknown.last.as_ref().map(|(line, text)| json!({ "line": line, "text": text })),
    })
}

fn answer(answer: &Answer<'_>) -> Value {
    match answer {
        Answer::Symptom(symptom) => json!({ "symptom": told(symptom) }),
        Answer::Rules(rules) => {
            json!({ "rules": rules.iter().map(|rule| entry(Entry::Rule(rule))).collect::<Vec<_>>() })
        }
    }
}

fn entry(entry: Entry<'_>) -> Value {
    let (kind, severity) = match entry {
        Entry::Rule(rule) => ("rule", rule.severity),
        Entry::Symptom(symptom) => ("symptom", symptom.severity),
    };
    json!({ "kind": kind, "id": entry.id(), "summary": entry.summary(), "severity": word(kind, severity) })
}

/// A symptom that is only good to know is harmless.
fn word(kind: &str, severity: Severity) -> &'static str {
    if kind == "symptom" && severity == Severity::Info { "harmless" } else { severity.name() }
}

/// `means` and `steps` are Markdown with code in it.
fn told(symptom: &Symptom) -> Value {
    let says = symptom
        .known_message
        .iter()
        .map(|words| json!({ "who": speaker(words.at), "text": words.text.replace("{}", "…") }));
    json!({
        "id": symptom.id,
        "summary": symptom.summary,
        "severity": word("symptom", symptom.severity),
        "means": symptom.explanation.trim(),
        "steps": symptom.steps.iter().collect::<Vec<_>>(),
        "rules": symptom.rules.iter().collect::<Vec<_>>(),
        "says": says.collect::<Vec<_>>(),
        "references": symptom.references.iter().collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_its_answer() {
        let found = explain(
            "qemu-system-x86_64: -set device.hostdev0.x-igd-opregion=on: there is no device \"hostdev0\" defined",
        );
        assert_eq!(found["answers"][0]["symptom"]["id"], "set-finds-no-device");
    }

    #[test]
    fn a_log_has_one_answer_for_each_error() {
        let found = explain(include_str!("../../../fixtures/win10.log"));
        assert_eq!(found["answers"][0]["seen"]["line"], 11);
    }

    #[test]
    fn words_find_what_is_about_them_and_nonsense_finds_nothing() {
        assert!(explain("opregion")["about"].as_array().is_some_and(|about| !about.is_empty()));
        let nothing = explain("xyzzy plugh");
        assert_eq!((&nothing["answers"], &nothing["about"]), (&json!([]), &json!([])));
        assert_eq!(explain("stray-video")["answers"][0]["rules"][0]["id"], "stray-video");
        assert_eq!(explain("<domain/>")["isDomain"], true);
    }
}
