//! What the configuration of the current folder says of rules.

use std::fmt::Write as _;

use crate::config::provenance::{self, RuleWithOrigin};
use crate::config::{ResolvedConfig, custom_rules};
use crate::explain::{Catalog, Entry};
use crate::rules::docs::{Markup, page};
use crate::rules::schema::Rule;

/// A configuration, or none, with what it says of each rule.
pub(super) struct LocalRules<'f> {
    found: &'f ResolvedConfig,
    told: Vec<RuleWithOrigin<'f>>,
}

impl<'f> LocalRules<'f> {
    /// What this configuration says of the built-in rules and a site's own.
    pub(super) fn new(found: &'f ResolvedConfig, own: &'static [Rule]) -> Self {
        LocalRules { found, told: provenance::rules(found, custom_rules::merged(own)) }
    }

    fn told(&self, rule: &Rule) -> Option<&RuleWithOrigin<'_>> {
        self.told.iter().find(|told| told.rule.id == rule.id)
    }

    /// The rule's page, and what is said of it here.
    pub(super) fn page(&self, rule: &Rule) -> String {
        let mut text = page(rule, Markup::Plain);
        if let (Some(told), Some(loaded)) = (self.told(rule), &self.found.loaded) {
            let (path, line) = (loaded.path.display(), loaded.line(&told.level.span));
            let _ = writeln!(
                text,
                "\nIn this folder, this rule is set to {}: {path}, line {line}",
                told.level.word()
            );
        }
        text
    }

    /// All rules and symptoms.
    pub(super) fn list(&self, known: &Catalog<'_>) -> String {
        let (rules, symptoms): (Vec<Entry<'_>>, Vec<Entry<'_>>) =
            known.entries().partition(|entry| matches!(entry, Entry::Rule(_)));
        let mut text = String::from("Rules:\n");
        text.push_str(&self.lines(rules.into_iter()));
        text.push_str("\nMessages from libvirt, QEMU and the kernel:\n");
        text.push_str(&self.lines(symptoms.into_iter()));
        text.push_str(
            "\n* `gvtg-xml fix` can fix it.\n\n\
             `gvtg-xml explain NAME` explains one of these, `gvtg-xml explain MESSAGE` an error message, and `gvtg-xml explain FILE` the errors in a log.\n",
        );
        text
    }

    /// One line for each entry: its name, severity and summary.
    pub(super) fn lines<'r>(&self, entries: impl Iterator<Item = Entry<'r>> + Clone) -> String {
        let width = entries.clone().map(|entry| entry.id().len()).max().unwrap_or(0);
        let mut text = String::new();
        for entry in entries {
            let (severity, mark) = match entry {
                Entry::Rule(rule) => {
                    let severity =
                        self.told(rule).map_or(rule.severity.name(), |told| told.level.word());
                    (severity, if rule.fix.is_empty() { ' ' } else { '*' })
                }
                Entry::Symptom(symptom) => (symptom.severity.name(), ' '),
            };
            let _ =
                writeln!(text, "{:width$}  {severity:7} {mark} {}", entry.id(), entry.summary());
        }
        text
    }
}
