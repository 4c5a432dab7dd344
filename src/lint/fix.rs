//! The rounds of a fix: what is found is mended together, until nothing is left to mend.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::findings::{Picture, sort};
use super::fix_result::{FixError, Fixed};
use super::pass::{PassOptions, PassOutcome, round};
use super::remap::trace_back;
use super::{Findings, SMALL_TEXT};
use crate::cross_file::Claims;
use crate::diagnostic::Diagnostic;
use crate::rules::RuleSet;
use crate::settings::Settings;
use crate::source::Source;
use crate::source_map::SourceMap;
use crate::xml::XmlError;
use foldhash::{HashSet, HashSetExt};

/// So many rounds that only rules at odds with each other need more.
const MAX_PASSES: usize = 20;

/// So many times the size of the text that came in may come out, and [`SMALL_TEXT`] more: no real
/// domain needs half of that.
const MAX_GROWTH: usize = 4;

/// The text with everything mended that the settings allow, and a second look at the result.
///
/// Takes the text to let go of it as soon as it is edited: a big one is in memory once.
///
/// ```
/// use gvtg_xml::lint::fix;
/// use gvtg_xml::rules::{RuleSet, builtin};
/// use gvtg_xml::settings::Settings;
///
/// let text = "<domain type='kvm'>\n  <name>win10</name>\n  <devices>\n    <video/>\n  </devices>\n</domain>\n".to_owned();
/// let fixed = fix(text, &RuleSet::all(builtin()), &Settings::default())?;
/// assert!(!fixed.text.contains("<video/>"));
/// assert!(fixed.text.contains("<alias name='ua-gvtg'/>"));
/// assert!(fixed.remaining.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A text that is no domain XML, or rules at odds with each other.
pub fn fix<'r>(
    text: String,
    rules: &RuleSet<'r>,
    settings: &Settings,
) -> Result<Fixed<'r>, FixError> {
    fix_with_others(text, rules, settings, false, None)
}

/// The same for a document that is one of several: what is left has what it has in common with
/// `others`, those that were mended before, and must not. Whoever goes on to the next adds the
/// summary to them. With edits, what was mended has those that mend it alone, and so has what is
/// left and could be mended.
///
/// # Errors
/// Those of [`fix`].
pub fn fix_with_others<'r>(
    text: String,
    rules: &RuleSet<'r>,
    settings: &Settings,
    with_edits: bool,
    others: Option<&Claims>,
) -> Result<Fixed<'r>, FixError> {
    let mut how =
        PassOptions { rules, settings, with_edits, others, picture: Picture::Replaceable };
    // What was mended, each in which round; and the way back of each round.
    let (mut applied, mut undo): (Vec<(usize, Diagnostic<'r>)>, Vec<SourceMap>) =
        Default::default();
    let most = text.len().saturating_mul(MAX_GROWTH).saturating_add(SMALL_TEXT);
    let mut text = text;
    let mut seen = HashSet::new();
    let mut refused: Option<Diagnostic<'r>> = None;
    loop {
        let unreadable = |error: XmlError| {
            let position = Source::new("", &text).position(error.offset);
            FixError::Xml(error, position)
        };
        match round(&text, &how).map_err(unreadable)? {
            PassOutcome::Edited { edits, moved, applied: now, refused: setting } => {
                refused = refused.or(setting);
                if edits.length_of(&text) > most {
                    return Err(FixError::Growth(most_frequent(&now)));
                }
                applied.extend(now.into_iter().map(|diagnostic| (undo.len(), diagnostic)));
                undo.push(SourceMap::of(&edits, &text, &moved));
                text = edits.apply(&text);
                // Rules at odds come round to what the second round made too; nearly every document
                // needs one round and no hash.
                let is_repeated = undo.len() > 1 && !seen.insert(hash(&text));
                if is_repeated || undo.len() >= MAX_PASSES {
                    let mut names: Vec<String> = applied
                        .iter()
                        .map(|(_, diagnostic)| diagnostic.rule.id.to_string())
                        .collect();
                    names.sort();
                    names.dedup();
                    return Err(FixError::Loop(names));
                }
            }
            PassOutcome::Quiet { is_sure_to_show, .. }
                if !is_sure_to_show
                    && how.picture == Picture::Replaceable
                    && removed_display(&applied) =>
            {
                // Nothing is sure to show the guest: all back, and once more without touching what
                // shows it now.
                for back in std::mem::take(&mut undo).into_iter().rev() {
                    text = back.apply(&text);
                }
                applied.clear();
                refused = None;
                how.picture = Picture::Kept;
                seen.clear();
            }
            PassOutcome::Quiet {
                refused: setting,
                findings,
                ignores_errors,
                is_guess,
                guest,
                ..
            } => {
                if let Some(Diagnostic { message, help, .. }) = refused.or(setting) {
                    return Err(FixError::Setting { message, help: help.unwrap_or_default() });
                }
                let rounds = undo.len();
                let Findings { open: mut remaining, mut suppressed, mut summary } = findings;
                trace_back(
                    &text,
                    &undo,
                    &mut applied,
                    remaining.iter_mut().chain(&mut suppressed),
                    &mut summary,
                );
                let mut applied: Vec<_> =
                    applied.into_iter().map(|(_, diagnostic)| diagnostic).collect();
                sort(&mut applied);
                sort(&mut remaining);
                sort(&mut suppressed);
                let held_back = is_guess
                    && !settings.unsafe_fixes
                    && remaining.iter().any(|left| left.fix.is_some());
                return Ok(Fixed {
                    changed: rounds > 0,
                    text,
                    applied,
                    remaining,
                    suppressed,
                    summary,
                    rounds,
                    display_fixes_skipped: how.picture == Picture::Kept,
                    ignores_errors,
                    fixes_skipped_unknown_vendor: held_back,
                    guest,
                });
            }
        }
    }
}

/// Whether anything that could show the guest was removed.
fn removed_display(applied: &[(usize, Diagnostic<'_>)]) -> bool {
    applied.iter().any(|(_, diagnostic)| diagnostic.rule.touches_picture())
}

/// The rule that made most of these.
fn most_frequent(diagnostics: &[Diagnostic<'_>]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    diagnostics.iter().for_each(|diagnostic| *counts.entry(&diagnostic.rule.id).or_default() += 1);
    counts
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .map_or_else(String::new, |(id, _)| id.to_owned())
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
