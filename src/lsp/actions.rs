//! Code actions for findings: fix one, fix all of a rule, fix all that is safe, or suppress.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices};

use super::catch_panic::catch_panic;
use super::diagnostics::{self, Style};
use super::document::{Document, is_virsh_edit, settings};
use super::protocol::{CodeAction, Range, TextEdit};
use super::text::{Encoding, Lines};
use crate::lint::suppress::SuppressionStyle;
use crate::lint::{Diagnostic as Finding, Linter};
use crate::rules::schema::Check;
use crate::settings::config::EffectiveConfig;
use crate::text::{Applicability, Edits};

/// The kind of actions that fix or suppress the findings at the cursor.
pub const QUICK_FIX: &str = "quickfix";
/// The kind of the action that applies all safe fixes; editors can run it whenever a file is saved.
pub const FIX_ALL: &str = "source.fixAll.gvtg-xml";
/// The kind of the action that adds a vGPU to a domain without signs of GVT-g; it only runs when
/// the user chooses it.
pub const FIX_DOMAIN: &str = "source.gvtg-xml";

/// The capabilities of the client for edits, and its position encoding.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Whether edits can name the document version that they apply to.
    pub has_versions: bool,
    /// The unit in which it counts characters.
    pub encoding: Encoding,
}

/// Builds the actions for a range of a domain.
///
/// # Errors
/// Returns the message of a panic.
pub fn all(
    document: &Document,
    range: Range,
    only: Option<&[String]>,
    configuration: &Arc<EffectiveConfig>,
    client: Client,
    style: Style<'_>,
) -> Result<Vec<CodeAction>, String> {
    let findings = document.findings_with_edits(configuration)?;
    let lines = Lines::new(&document.text, client.encoding);
    let mut actions = Vec::new();
    if is_requested(QUICK_FIX, only) {
        let (start, end) = (lines.offset(range.start), lines.offset(range.end));
        let findings_in_range: Vec<&Finding<'static>> = findings
            .iter()
            .filter(|finding| finding.span.start <= end && start <= finding.span.end)
            .collect();
        actions.extend(
            findings_in_range
                .iter()
                .filter_map(|finding| quick_fix(finding, document, &lines, client, style)),
        );
        let mut handled_rules: Vec<&str> = Vec::new();
        for finding in &findings_in_range {
            let rule = &*finding.rule.id;
            let fixable =
                || findings.iter().filter(|other| other.rule.id == rule && is_safe(other));
            if !handled_rules.contains(&rule) && fixable().count() > 1 {
                handled_rules.push(rule);
                if let Some(edits) = rule_edits(rule, document, configuration)? {
                    actions.push(CodeAction {
                        title: format!("Fix all {} findings of {rule}", fixable().count()),
                        kind: QUICK_FIX,
                        diagnostics: fixable()
                            .map(|finding| diagnostics::for_finding(finding, &lines, style))
                            .collect(),
                        is_preferred: false,
                        edit: workspace_edit(document, to_edits(&edits, &lines), client),
                    });
                }
            }
        }
        actions.extend(suppress_actions(
            &findings_in_range,
            document,
            configuration,
            client,
            style,
        )?);
    }
    if is_requested(FIX_ALL, only)
        && findings.iter().any(is_safe)
        && let Some(edits) = fix_edits(document, configuration, document.is_named)?
    {
        actions.push(CodeAction {
            title: "Fix all GVT-g findings (safe fixes only)".into(),
            kind: FIX_ALL,
            diagnostics: findings
                .iter()
                .filter(|finding| is_safe(finding))
                .map(|finding| diagnostics::for_finding(finding, &lines, style))
                .collect(),
            is_preferred: false,
            edit: workspace_edit(document, to_edits(&edits, &lines), client),
        });
    }
    Ok(actions)
}

/// Builds the action for a domain without signs of GVT-g. It applies the fixes that the command
/// line applies to a file that the user names.
///
/// # Errors
/// Returns the message of a panic.
pub fn for_foreign_document(
    document: &Document,
    only: Option<&[String]>,
    configuration: &Arc<EffectiveConfig>,
    client: Client,
) -> Result<Vec<CodeAction>, String> {
    if !is_requested(FIX_DOMAIN, only) {
        return Ok(Vec::new());
    }
    let action = |edit| CodeAction {
        title: "Fix this domain for GVT-g".into(),
        kind: FIX_DOMAIN,
        diagnostics: Vec::new(),
        is_preferred: false,
        edit,
    };
    Ok(fix_as_named(document, configuration, client)?.map(action).into_iter().collect())
}

/// Computes the edit that fixes a document as if the user had named it on the command line; `None`
/// if there is nothing to fix.
///
/// # Errors
/// Returns the message of a panic.
pub fn fix_as_named(
    document: &Document,
    configuration: &Arc<EffectiveConfig>,
    client: Client,
) -> Result<Option<Value>, String> {
    let edits = fix_edits(document, configuration, true)?;
    let lines = Lines::new(&document.text, client.encoding);
    Ok(edits.map(|edits| workspace_edit(document, to_edits(&edits, &lines), client)))
}

/// Builds the action that fixes a single finding.
fn quick_fix(
    finding: &Finding<'static>,
    document: &Document,
    lines: &Lines<'_>,
    client: Client,
    style: Style<'_>,
) -> Option<CodeAction> {
    let fix = finding.fix.as_ref()?;
    if fix.applicability == Applicability::Manual || fix.edits.is_empty() {
        return None;
    }
    let is_safe = fix.applicability == Applicability::Safe;
    Some(CodeAction {
        title: if is_safe {
            fix.title.clone()
        } else {
            format!("{} (unsafe: may lose something you want)", fix.title)
        },
        kind: QUICK_FIX,
        diagnostics: vec![diagnostics::for_finding(finding, lines, style)],
        is_preferred: is_safe,
        edit: workspace_edit(document, to_edits(&replacements(&fix.edits), lines), client),
    })
}

/// Maximum number of rules that can be suppressed at once; with a large selection, such as the
/// whole document, there would be too many actions.
const MAX_SUPPRESSED: usize = 5;

/// Placeholder for the reason, because a suppression without a reason has no effect.
const REASON: &str = "TODO: why";

/// Builds the actions that suppress the findings at the cursor. Comments are not offered in `virsh
/// edit`, because libvirt drops them when it defines the domain.
fn suppress_actions(
    findings_in_range: &[&Finding<'static>],
    document: &Document,
    configuration: &Arc<EffectiveConfig>,
    client: Client,
    style: Style<'_>,
) -> Result<Vec<CodeAction>, String> {
    let mut first_of_rule: Vec<&Finding<'static>> = Vec::new();
    for finding in findings_in_range
        .iter()
        .filter(|finding| !matches!(finding.rule.check, Check::Ignore { .. }))
    {
        if !first_of_rule.iter().any(|known| known.rule.id == finding.rule.id) {
            first_of_rule.push(finding);
        }
    }
    first_of_rule.truncate(MAX_SUPPRESSED);
    if first_of_rule.is_empty() {
        return Ok(Vec::new());
    }
    let lines = Lines::new(&document.text, client.encoding);
    let suppression_styles =
        [(SuppressionStyle::Comment, "here"), (SuppressionStyle::Metadata, "in this file")];
    let mut actions = Vec::new();
    for (suppression_style, scope) in
        suppression_styles.into_iter().filter(|(suppression_style, _)| {
            *suppression_style == SuppressionStyle::Metadata || !is_virsh_edit(&document.uri)
        })
    {
        let (text, configuration, is_named) =
            (document.text.clone(), configuration.clone(), document.is_named);
        let targets: Vec<(usize, &'static str)> =
            first_of_rule.iter().map(|finding| (finding.span.start, &*finding.rule.id)).collect();
        // Unreadable text has no findings.
        let edits = catch_panic(move || {
            Linter::new(&configuration.rules, &settings(&configuration, is_named))
                .suppressing_edits(&text, &targets, REASON, suppression_style)
                .unwrap_or_default()
        })?;
        actions.extend(first_of_rule.iter().zip(edits).map(|(finding, edits)| CodeAction {
            title: format!("Suppress {} {scope}", finding.rule.id),
            kind: QUICK_FIX,
            diagnostics: vec![diagnostics::for_finding(finding, &lines, style)],
            is_preferred: false,
            edit: workspace_edit(document, to_edits(&replacements(&edits), &lines), client),
        }));
    }
    Ok(actions)
}

/// Whether the client requests a kind of actions. Kinds are hierarchical: `source` includes
/// `source.fixAll.gvtg-xml`.
fn is_requested(kind: &str, only: Option<&[String]>) -> bool {
    let includes_kind = |requested: &String| {
        kind.strip_prefix(requested.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    only.is_none_or(|only| {
        only.iter().any(|requested| requested.is_empty() || includes_kind(requested))
    })
}

/// Computes the edits that fix all findings of a rule; `None` if there are none.
fn rule_edits(
    rule: &str,
    document: &Document,
    configuration: &Arc<EffectiveConfig>,
) -> Result<Option<Vec<Replacement>>, String> {
    let (rule, text, configuration, is_named) =
        (rule.to_owned(), document.text.clone(), configuration.clone(), document.is_named);
    let edits = catch_panic(move || {
        Linter::new(&configuration.rules, &settings(&configuration, is_named))
            .edits_for(&rule, &text)
    })?;
    // Unreadable text has nothing to fix.
    Ok(edits.ok().filter(|edits| !edits.is_empty()).map(|edits| replacements(&edits)))
}

fn is_safe(finding: &Finding<'static>) -> bool {
    finding.fix.as_ref().is_some_and(|fix| fix.applicability == Applicability::Safe)
}

/// A byte range of a text and its replacement.
type Replacement = (std::ops::Range<usize>, String);

fn replacements(edits: &Edits) -> Vec<Replacement> {
    edits.iter().map(|edit| (edit.range.clone(), edit.text.clone())).collect()
}

/// Computes the edits that `fix` makes; `None` if it changes nothing. Only the lines that change
/// are replaced, so that the editor keeps marks and folds in all others.
fn fix_edits(
    document: &Document,
    configuration: &Arc<EffectiveConfig>,
    is_named: bool,
) -> Result<Option<Vec<Replacement>>, String> {
    let (text, configuration) = (document.text.clone(), configuration.clone());
    catch_panic(move || {
        // Unreadable text has no findings, and conflicting rules have no fix.
        let fixed = Linter::new(&configuration.rules, &settings(&configuration, is_named))
            .fix(text.to_string())
            .ok()
            .filter(|fixed| fixed.changed)?;
        let (old, new): (Vec<&str>, Vec<&str>) =
            (text.split_inclusive('\n').collect(), fixed.text.split_inclusive('\n').collect());
        let (old_starts, new_starts) = (line_starts(&old), line_starts(&new));
        let changed = capture_diff_slices(Algorithm::Myers, &old, &new)
            .into_iter()
            .filter(|op| op.tag() != DiffTag::Equal);
        let replacement = |op: DiffOp| {
            let (before, after) = (op.old_range(), op.new_range());
            let text = fixed.text[new_starts[after.start]..new_starts[after.end]].to_owned();
            (old_starts[before.start]..old_starts[before.end], text)
        };
        Some(changed.map(replacement).collect())
    })
}

/// The byte offset at which each line starts, followed by the end of the last line.
fn line_starts(lines: &[&str]) -> Vec<usize> {
    let ends = lines.iter().scan(0, |end, line| {
        *end += line.len();
        Some(*end)
    });
    std::iter::once(0).chain(ends).collect()
}

fn to_edits(replacements: &[Replacement], lines: &Lines<'_>) -> Vec<TextEdit> {
    replacements
        .iter()
        .map(|(span, text)| TextEdit { range: lines.range(span.clone()), new_text: text.clone() })
        .collect()
}

fn workspace_edit(document: &Document, edits: Vec<TextEdit>, client: Client) -> Value {
    if client.has_versions {
        let versioned_document = json!({ "uri": document.uri, "version": document.version });
        return json!({ "documentChanges": [{ "textDocument": versioned_document, "edits": edits }] });
    }
    json!({ "changes": Map::from_iter([(document.uri.clone(), json!(edits))]) })
}
