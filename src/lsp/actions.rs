//! Code actions for findings: fix one, fix all of a rule, fix all that is safe, or suppress.

use std::ops::Range;

use gen_lsp_types::{CodeAction, CodeActionKind, Diagnostic, WorkspaceEdit};

use super::diagnostics::{DiagnosticOptions, for_finding, for_findings};
use super::document::{Document, is_virsh_edit};
use super::edits::{Replacement, replacements, workspace_edit};
use super::positions::Lines;
use crate::lint::suppress::SuppressionStyle;
use crate::lint::{Diagnostic as Finding, Fix, LintedDomain, Linter};
use crate::rules::schema::Check;
use crate::settings::config::EffectiveConfig;
use crate::text::Applicability;

/// The kind of actions that fix or suppress the findings at the cursor.
pub const QUICK_FIX: CodeActionKind = CodeActionKind::QuickFix;
/// The kind of the action that applies all safe fixes; editors can run it whenever a file is saved.
pub const FIX_ALL: CodeActionKind = CodeActionKind::new("source.fixAll.gvtg-xml");
/// The kind of the action that adds a vGPU to a domain without signs of GVT-g; it only runs when
/// the user chooses it.
pub const FIX_DOMAIN: CodeActionKind = CodeActionKind::new("source.gvtg-xml");

/// Maximum number of rules that can be suppressed at once; with a large selection, such as the
/// whole document, there would be too many actions.
const MAX_SUPPRESSED: usize = 5;

/// Placeholder for the reason, because a suppression without a reason has no effect.
const REASON: &str = "TODO: why";

/// The document that actions are for, and how the client wants them.
pub struct ActionBuilder<'b> {
    /// The document.
    pub document: &'b Document,
    /// Its lines.
    pub lines: &'b Lines<'b>,
    /// Its configuration.
    pub configuration: &'b EffectiveConfig,
    /// The options of diagnostics.
    pub diagnostic_options: DiagnosticOptions<'b>,
    /// Whether edits name the version of the document.
    pub is_versioned: bool,
    /// The kinds of actions that the client requests; `None` for all.
    pub only: Option<&'b [CodeActionKind]>,
}

impl ActionBuilder<'_> {
    /// Builds the actions for a range of a domain with these findings.
    pub fn for_domain(&self, findings: &[Finding<'_>], range: &Range<usize>) -> Vec<CodeAction> {
        let mut actions = Vec::new();
        if self.is_requested(&QUICK_FIX) {
            actions.extend(self.quick_fixes(findings, range));
        }
        if self.is_requested(&FIX_ALL)
            && findings.iter().any(is_safe)
            && let Some(edits) = self.document.fix_edits(self.configuration)
        {
            actions.push(CodeAction {
                title: "Fix all GVT-g findings (safe fixes only)".into(),
                kind: Some(FIX_ALL),
                diagnostics: Some(self.diagnostics(findings.iter().filter(|found| is_safe(found)))),
                edit: Some(self.edit(edits)),
                ..CodeAction::default()
            });
        }
        actions
    }

    /// Builds the action for a domain without signs of GVT-g. It applies the fixes that the command
    /// line applies to a file that the user names.
    pub fn for_foreign_document(&self) -> Vec<CodeAction> {
        if !self.is_requested(&FIX_DOMAIN) {
            return Vec::new();
        }
        let Some(edits) = self.document.fix_edits_as_named(self.configuration) else {
            return Vec::new();
        };
        vec![CodeAction {
            title: "Fix this domain for GVT-g".into(),
            kind: Some(FIX_DOMAIN),
            edit: Some(self.edit(edits)),
            ..CodeAction::default()
        }]
    }

    /// Builds the actions that fix or suppress the findings in a range. The domain is linted once
    /// for all of them, and only edits for this range are computed.
    fn quick_fixes(&self, findings: &[Finding<'_>], range: &Range<usize>) -> Vec<CodeAction> {
        let is_in_range = |finding: &Finding<'_>| {
            finding.span.start <= range.end && range.start <= finding.span.end
        };
        if !findings.iter().any(is_in_range) {
            return Vec::new();
        }
        let settings = self.document.settings(self.configuration);
        let build = |linted: &LintedDomain<'_, '_, '_>| {
            let findings_in_range = linted.diagnostics_in(range);
            let mut actions: Vec<CodeAction> = findings_in_range
                .iter()
                .filter_map(|finding| self.fix_one(finding, finding.fix.as_ref()?))
                .collect();
            let rules = first_of_each_rule(&findings_in_range);
            actions.extend(rules.iter().filter_map(|first| self.fix_rule(first, findings, linted)));
            actions.extend(self.suppressions(rules, linted));
            actions
        };
        // Unreadable text has no findings.
        Linter::new(&self.configuration.rules.set(), &settings)
            .with_linted(&self.document.text, build)
            .unwrap_or_default()
    }

    /// Builds the action that fixes a single finding; `None` if that is up to the user.
    fn fix_one(&self, finding: &Finding<'_>, fix: &Fix) -> Option<CodeAction> {
        if fix.applicability == Applicability::Manual || fix.edits.is_empty() {
            return None;
        }
        let title = if is_safe(finding) {
            fix.title.clone()
        } else {
            format!("{} (unsafe: may lose something you want)", fix.title)
        };
        let mut action = self.quick_fix(title, finding, &replacements(&fix.edits));
        action.is_preferred = if is_safe(finding) { Some(true) } else { None };
        Some(action)
    }

    /// Builds the action that fixes all findings of a rule; `None` if there is only one.
    fn fix_rule(
        &self,
        first: &Finding<'_>,
        findings: &[Finding<'_>],
        linted: &LintedDomain<'_, '_, '_>,
    ) -> Option<CodeAction> {
        let rule = &first.rule.id;
        let fixable: Vec<&Finding<'_>> =
            findings.iter().filter(|found| found.rule.id == *rule && is_safe(found)).collect();
        if fixable.len() < 2 {
            return None;
        }
        let edits = linted.edits_for(rule);
        if edits.is_empty() {
            return None;
        }
        Some(CodeAction {
            title: format!("Fix all {} findings of {rule}", fixable.len()),
            kind: Some(QUICK_FIX),
            diagnostics: Some(self.diagnostics(fixable)),
            edit: Some(self.edit(&replacements(&edits))),
            ..CodeAction::default()
        })
    }

    /// Builds the actions that suppress findings of different rules. Comments are not offered in
    /// `virsh edit`, because libvirt drops them when it defines the domain.
    fn suppressions(
        &self,
        mut findings: Vec<&Finding<'_>>,
        linted: &LintedDomain<'_, '_, '_>,
    ) -> Vec<CodeAction> {
        findings.retain(|finding| !matches!(finding.rule.check, Check::Suppression { .. }));
        findings.truncate(MAX_SUPPRESSED);
        let mut scopes = vec![(SuppressionStyle::Metadata, "in this file")];
        if !is_virsh_edit(&self.document.uri) {
            scopes.insert(0, (SuppressionStyle::Comment, "here"));
        }
        let mut actions = Vec::new();
        for (style, scope) in scopes {
            for finding in &findings {
                let rule = &finding.rule.id;
                let edits = linted.suppressing_edits(rule, finding.span.start, REASON, style);
                let title = format!("Suppress {rule} {scope}");
                actions.push(self.quick_fix(title, finding, &replacements(&edits)));
            }
        }
        actions
    }

    /// Builds a quick fix for a finding.
    fn quick_fix(&self, title: String, finding: &Finding<'_>, edits: &[Replacement]) -> CodeAction {
        CodeAction {
            title,
            kind: Some(QUICK_FIX),
            diagnostics: Some(vec![for_finding(finding, self.lines, self.diagnostic_options)]),
            edit: Some(self.edit(edits)),
            ..CodeAction::default()
        }
    }

    fn diagnostics<'f, 'r: 'f>(
        &self,
        findings: impl IntoIterator<Item = &'f Finding<'r>>,
    ) -> Vec<Diagnostic> {
        for_findings(findings, self.lines, self.diagnostic_options)
    }

    fn edit(&self, edits: &[Replacement]) -> WorkspaceEdit {
        workspace_edit(self.document, edits, self.lines, self.is_versioned)
    }

    /// Whether the client requests a kind of actions. Kinds are hierarchical: `source` includes
    /// `source.fixAll.gvtg-xml`.
    fn is_requested(&self, kind: &CodeActionKind) -> bool {
        let kind = String::from(kind.clone());
        let includes_kind = |requested: &CodeActionKind| {
            let requested = String::from(requested.clone());
            let rest = kind.strip_prefix(&requested);
            requested.is_empty()
                || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.only.is_none_or(|only| only.iter().any(includes_kind))
    }
}

fn is_safe(finding: &Finding<'_>) -> bool {
    finding.fix.as_ref().is_some_and(|fix| fix.applicability == Applicability::Safe)
}

/// The first finding of each rule.
fn first_of_each_rule<'f, 'r>(findings: &'f [Finding<'r>]) -> Vec<&'f Finding<'r>> {
    let mut first: Vec<&Finding<'_>> = Vec::new();
    for finding in findings {
        if !first.iter().any(|known| known.rule.id == finding.rule.id) {
            first.push(finding);
        }
    }
    first
}
