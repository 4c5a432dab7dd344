//! What can be done about findings: one by one, a rule at a time, or all that is safe.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices};

use super::catch_panic::catch_panic;
use super::diagnostics::{self, Style};
use super::document::{Document, is_virsh_edit, settings};
use super::protocol::{CodeAction, Range, TextEdit};
use super::text::{Encoding, Lines};
use crate::config::EffectiveConfig;
use crate::diagnostic::Diagnostic as Finding;
use crate::edit::{Applicability, Edits};
use crate::lint::{edits_for, fix, suppressing_edits};
use crate::rules::schema::Check;
use crate::suppress::SuppressionStyle;

/// Mends what the cursor is on.
pub const QUICK_FIX: &str = "quickfix";
/// Mends all that is safe; the editor may do it whenever a file is saved.
pub const FIX_ALL: &str = "source.fixAll.gvtg-xml";
/// Makes a domain with no sign of GVT-g one that has a vGPU; never done unasked.
pub const FIX_DOMAIN: &str = "source.gvtg-xml";

/// What the client of this session can do with edits, and how it counts characters.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Whether edits can name the version that they are for.
    pub has_versions: bool,
    /// How it counts characters.
    pub encoding: Encoding,
}

/// The actions for a range.
///
/// # Errors
/// What a fault of this program said.
pub fn all(
    document: &Document,
    range: Range,
    only: Option<&[String]>,
    configuration: &Arc<EffectiveConfig>,
    client: Client,
    style: Style<'_>,
) -> Result<Vec<CodeAction>, String> {
    let found = document.findings_with_edits(configuration)?;
    let lines = Lines::new(&document.text, client.encoding);
    let mut actions = Vec::new();
    if is_asked_for(QUICK_FIX, only) {
        let (start, end) = (lines.offset(range.start), lines.offset(range.end));
        let here: Vec<&Finding<'static>> = found
            .iter()
            .filter(|finding| finding.span.start <= end && start <= finding.span.end)
            .collect();
        actions.extend(
            here.iter().filter_map(|finding| of_finding(finding, document, &lines, client, style)),
        );
        let mut asked: Vec<&str> = Vec::new();
        for finding in &here {
            let rule = &*finding.rule.id;
            let fixable = || found.iter().filter(|other| other.rule.id == rule && is_safe(other));
            if !asked.contains(&rule) && fixable().count() > 1 {
                asked.push(rule);
                if let Some(edits) = of_rule(rule, document, configuration)? {
                    actions.push(CodeAction {
                        title: format!("Fix all {} findings of {rule}", fixable().count()),
                        kind: QUICK_FIX,
                        diagnostics: fixable()
                            .map(|finding| diagnostics::one(finding, &lines, style))
                            .collect(),
                        is_preferred: false,
                        edit: workspace_edit(document, to_edits(&edits, &lines), client),
                    });
                }
            }
        }
        actions.extend(of_ignoring(&here, document, configuration, client, style)?);
    }
    if is_asked_for(FIX_ALL, only)
        && found.iter().any(is_safe)
        && let Some(edits) = fixed(document, configuration, document.is_named)?
    {
        actions.push(CodeAction {
            title: "Fix all GVT-g findings (safe fixes only)".into(),
            kind: FIX_ALL,
            diagnostics: found
                .iter()
                .filter(|finding| is_safe(finding))
                .map(|finding| diagnostics::one(finding, &lines, style))
                .collect(),
            is_preferred: false,
            edit: workspace_edit(document, to_edits(&edits, &lines), client),
        });
    }
    Ok(actions)
}

/// The action for a domain with no sign of GVT-g: what the command line does to a file that is
/// named.
///
/// # Errors
/// What a fault of this program said.
pub fn of_foreign(
    document: &Document,
    only: Option<&[String]>,
    configuration: &Arc<EffectiveConfig>,
    client: Client,
) -> Result<Vec<CodeAction>, String> {
    if !is_asked_for(FIX_DOMAIN, only) {
        return Ok(Vec::new());
    }
    let action = |edit| CodeAction {
        title: "Fix this domain for GVT-g".into(),
        kind: FIX_DOMAIN,
        diagnostics: Vec::new(),
        is_preferred: false,
        edit,
    };
    Ok(of_named(document, configuration, client)?.map(action).into_iter().collect())
}

/// The edit that fixes a document as if it had been named on the command line; None where there is
/// nothing to do.
///
/// # Errors
/// What a fault of this program said.
pub fn of_named(
    document: &Document,
    configuration: &Arc<EffectiveConfig>,
    client: Client,
) -> Result<Option<Value>, String> {
    let edits = fixed(document, configuration, true)?;
    let lines = Lines::new(&document.text, client.encoding);
    Ok(edits.map(|edits| workspace_edit(document, to_edits(&edits, &lines), client)))
}

/// The action that mends one finding.
fn of_finding(
    finding: &Finding<'static>,
    document: &Document,
    lines: &Lines<'_>,
    client: Client,
    style: Style<'_>,
) -> Option<CodeAction> {
    let fix = finding
        .fix
        .as_ref()
        .filter(|fix| fix.applicability != Applicability::Manual && !fix.edits.is_empty())?;
    let is_safe = fix.applicability == Applicability::Safe;
    Some(CodeAction {
        title: if is_safe {
            fix.title.clone()
        } else {
            format!("{} (unsafe: may lose something you want)", fix.title)
        },
        kind: QUICK_FIX,
        diagnostics: vec![diagnostics::one(finding, lines, style)],
        is_preferred: is_safe,
        edit: workspace_edit(document, to_edits(&replacements(&fix.edits), lines), client),
    })
}

/// So many rules can be ignored from one place: a whole document is no place.
const MAX_SUPPRESSED: usize = 5;

/// What stands where the user is to say why: an ignore without a reason suppresses nothing.
const REASON: &str = "TODO: why";

/// The actions by which the findings here are ignored. What `virsh edit` hands out is defined
/// without its comments.
fn of_ignoring(
    here: &[&Finding<'static>],
    document: &Document,
    configuration: &Arc<EffectiveConfig>,
    client: Client,
    style: Style<'_>,
) -> Result<Vec<CodeAction>, String> {
    let mut first_of_rule: Vec<&Finding<'static>> = Vec::new();
    for finding in here.iter().filter(|finding| !matches!(finding.rule.check, Check::Ignore { .. }))
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
    let forms = [(SuppressionStyle::Comment, "here"), (SuppressionStyle::Metadata, "in this file")];
    let mut actions = Vec::new();
    for (form, place) in forms
        .into_iter()
        .filter(|(form, _)| *form == SuppressionStyle::Metadata || !is_virsh_edit(&document.uri))
    {
        let (text, configuration, is_named) =
            (document.text.clone(), configuration.clone(), document.is_named);
        let places: Vec<(usize, &'static str)> =
            first_of_rule.iter().map(|finding| (finding.span.start, &*finding.rule.id)).collect();
        // What can't be read has no findings.
        let edits = catch_panic(move || {
            suppressing_edits(&text, &places, REASON, form, &settings(&configuration, is_named))
                .unwrap_or_default()
        })?;
        actions.extend(first_of_rule.iter().zip(edits).map(|(finding, edits)| CodeAction {
            title: format!("Suppress {} {place}", finding.rule.id),
            kind: QUICK_FIX,
            diagnostics: vec![diagnostics::one(finding, &lines, style)],
            is_preferred: false,
            edit: workspace_edit(document, to_edits(&replacements(&edits), &lines), client),
        }));
    }
    Ok(actions)
}

/// Whether a kind of actions is wanted. Kinds are a tree: `source` asks for
/// `source.fixAll.gvtg-xml` too.
fn is_asked_for(kind: &str, only: Option<&[String]>) -> bool {
    let is_above = |asked: &String| {
        kind.strip_prefix(asked.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    only.is_none_or(|only| only.iter().any(|asked| asked.is_empty() || is_above(asked)))
}

/// What mends all that a rule finds; None where that is nothing.
fn of_rule(
    rule: &str,
    document: &Document,
    configuration: &Arc<EffectiveConfig>,
) -> Result<Option<Vec<Replacement>>, String> {
    let (rule, text, configuration, is_named) =
        (rule.to_owned(), document.text.clone(), configuration.clone(), document.is_named);
    let edits = catch_panic(move || {
        edits_for(&rule, &text, &configuration.rules, &settings(&configuration, is_named))
    })?;
    // What can't be read has nothing to mend.
    Ok(edits.ok().filter(|edits| !edits.is_empty()).map(|edits| replacements(&edits)))
}

fn is_safe(finding: &Finding<'static>) -> bool {
    finding.fix.as_ref().is_some_and(|fix| fix.applicability == Applicability::Safe)
}

/// Bytes of a text, and what comes in their place.
type Replacement = (std::ops::Range<usize>, String);

fn replacements(edits: &Edits) -> Vec<Replacement> {
    edits.iter().map(|edit| (edit.range.clone(), edit.text.clone())).collect()
}

/// What `fix` does to a document; None where it does nothing. An editor keeps its marks and folds
/// where only the lines are replaced that change.
fn fixed(
    document: &Document,
    configuration: &Arc<EffectiveConfig>,
    is_named: bool,
) -> Result<Option<Vec<Replacement>>, String> {
    let (text, configuration) = (document.text.clone(), configuration.clone());
    catch_panic(move || {
        // A text that can't be read has no findings, and rules at odds no fix.
        let fixed =
            fix(text.to_string(), &configuration.rules, &settings(&configuration, is_named))
                .ok()
                .filter(|fixed| fixed.changed)?;
        let (old, new): (Vec<&str>, Vec<&str>) =
            (text.split_inclusive('\n').collect(), fixed.text.split_inclusive('\n').collect());
        let (old_starts, new_starts) = (starts(&old), starts(&new));
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

/// Where each line begins, and where the last one ends.
fn starts(lines: &[&str]) -> Vec<usize> {
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
        let named = json!({ "uri": document.uri, "version": document.version });
        return json!({ "documentChanges": [{ "textDocument": named, "edits": edits }] });
    }
    json!({ "changes": Map::from_iter([(document.uri.clone(), json!(edits))]) })
}
