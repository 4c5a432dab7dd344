//! Renders explanations: a full page, or a short one for below a line of a log.

use std::fmt::Write as _;

use super::catalog::Answer;
use crate::rules::docs::{Markup, page as page_of_rule, speaker};
use crate::rules::schema::{Group, Rule};
use crate::rules::symptom::Symptom;

/// Renders the full page of an answer. If it has several rules, it renders their summaries instead.
pub fn page(answer: &Answer<'_>) -> String {
    match answer {
        Answer::Symptom(symptom) => page_of(symptom),
        Answer::Rules(rules) => match rules[..] {
            [rule] => page_of_rule(rule, Markup::Plain),
            _ => summary(answer),
        },
    }
}

/// Renders a symptom's page.
pub fn page_of(symptom: &Symptom) -> String {
    let mut text = explanation(symptom);
    if !symptom.known_message.is_empty() {
        text.push('\n');
    }
    for message in symptom.known_message.iter() {
        let _ = writeln!(text, "{} says: {}", speaker(message.at), message.text.replace("{}", "…"));
    }
    for reference in symptom.references.iter() {
        let _ = writeln!(text, "See {reference}");
    }
    text
}

/// Renders the meaning of a message and what to do.
pub fn summary(answer: &Answer<'_>) -> String {
    match answer {
        Answer::Symptom(symptom) => explanation(symptom),
        Answer::Rules(rules) => {
            rules.iter().map(|rule| rule_summary(rule)).collect::<Vec<_>>().join("\n")
        }
    }
}

fn explanation(symptom: &Symptom) -> String {
    let severity = if symptom.severity == crate::rules::schema::Severity::Info {
        "harmless"
    } else {
        symptom.severity.name()
    };
    let mut text = format!(
        "{} ({severity})\n{}\n\n{}\n",
        symptom.id,
        symptom.summary,
        symptom.explanation.trim()
    );
    if !symptom.steps.is_empty() {
        text.push_str("\nWhat to do:\n");
    }
    for step in symptom.steps.iter() {
        let _ = writeln!(text, "- {step}");
    }
    if !symptom.rules.is_empty() {
        let _ = writeln!(
            text,
            "\nMore about the causes: `gvtg-xml explain {}`",
            symptom.rules.join(" ")
        );
    }
    text
}

fn rule_summary(rule: &Rule) -> String {
    let mut text = format!(
        "{} ({}, group {})\n{}\n",
        rule.id,
        rule.severity.name(),
        rule.group.name(),
        rule.summary
    );
    let is_host = rule.group == Group::Host;
    text.push_str("\nWhat to do:\n");
    if let Some(help) = rule.page_help() {
        let _ = writeln!(text, "- {help}");
    }
    let command = match (is_host, rule.fix.is_empty()) {
        (true, _) => "see what is wrong on this host: `gvtg-xml host`",
        (false, true) => {
            "see where it is in the domain: `virsh dumpxml --inactive win10 | gvtg-xml lint`"
        }
        (false, false) => {
            "let `gvtg-xml fix` correct it: `virsh dumpxml --inactive --security-info win10 | gvtg-xml fix --libvirt installed | virsh define --validate /dev/stdin`"
        }
    };
    let _ = writeln!(text, "- {command}\n\nMore about this rule: `gvtg-xml explain {}`", rule.id);
    text
}
