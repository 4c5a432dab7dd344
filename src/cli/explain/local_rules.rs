//! Rule severities from the configuration in the current folder.

use std::fmt::Write as _;

use crate::explain::{Catalog, Entry};
use crate::rules::docs::{Markup, page};
use crate::rules::schema::Rule;
use crate::settings::config::ResolvedConfig;
use crate::settings::config::effective::RuleWithOrigin;

/// The configuration of the current folder, if there is one, and the severity that it sets for each
/// rule.
pub(super) struct LocalRules<'f> {
    resolved: &'f ResolvedConfig,
    severities: Vec<RuleWithOrigin<'f>>,
}

impl<'f> LocalRules<'f> {
    /// Combines a configuration with the rules whose severity it sets.
    pub(super) fn new(resolved: &'f ResolvedConfig, severities: Vec<RuleWithOrigin<'f>>) -> Self {
        LocalRules { resolved, severities }
    }

    fn configured(&self, rule: &Rule) -> Option<&RuleWithOrigin<'_>> {
        self.severities.iter().find(|configured| configured.rule.id == rule.id)
    }

    /// Returns a rule's page, followed by its severity here if the configuration sets one.
    pub(super) fn page(&self, rule: &Rule) -> String {
        let mut text = page(rule, Markup::Plain);
        if let (Some(configured), Some(loaded)) = (self.configured(rule), &self.resolved.loaded) {
            let (path, line) = (loaded.path.display(), loaded.line(&configured.level.span));
            let _ = writeln!(
                text,
                "\nIn this folder, this rule is set to {}: {path}, line {line}",
                configured.level.word()
            );
        }
        text
    }

    /// Lists all rules and symptoms.
    pub(super) fn list(&self, catalog: &Catalog<'_>) -> String {
        let (rules, symptoms): (Vec<Entry<'_>>, Vec<Entry<'_>>) =
            catalog.entries().partition(|entry| matches!(entry, Entry::Rule(_)));
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

    /// Lists entries, one per line: name, severity and summary.
    pub(super) fn lines<'r>(&self, entries: impl Iterator<Item = Entry<'r>> + Clone) -> String {
        let width = entries.clone().map(|entry| entry.id().len()).max().unwrap_or(0);
        let mut text = String::new();
        for entry in entries {
            let (severity, mark) = match entry {
                Entry::Rule(rule) => {
                    let severity = self
                        .configured(rule)
                        .map_or(rule.severity.name(), |configured| configured.level.word());
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
