//! The fix loop: applies all fixes, lints again, and repeats until nothing is left to fix.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use super::SMALL_TEXT;
use super::findings::DisplayFixes;
use super::fix_result::{FixError, Fixed};
use super::linter::{Findings, Linter};
use super::pass::{PassResult, run_pass};
use super::remap::trace_back;
use super::rendering::sort;
use crate::lint::Diagnostic;
use crate::text::{Source, SourceMap};
use crate::xml::XmlError;
use foldhash::quality::FixedState;
use foldhash::{HashSet, HashSetExt};

/// Maximum number of passes; more means that rules conflict.
const MAX_PASSES: usize = 20;

/// Limit on the size of the result, as a multiple of the input's size, plus [`SMALL_TEXT`]; no real
/// domain needs half of it.
const MAX_GROWTH: usize = 4;

impl<'r> Linter<'_, 'r> {
    /// Applies all fixes that the settings allow, and lints the result. With
    /// [`Detail::Edits`](crate::lint::Detail::Edits), each applied finding has the edits that fix
    /// it alone, and so has each remaining one that can be fixed.
    ///
    /// Takes the text by value to free it after the first edit, so that a large text is in memory
    /// only once.
    ///
    /// # Errors
    /// Returns an error if the text is not domain XML, if rules conflict, or if a setting is wrong
    /// for the domain.
    pub fn fix(&self, text: String) -> Result<Fixed<'r>, FixError> {
        let mut linter = *self;
        let mut display_fixes = DisplayFixes::Allowed;
        // Applied findings, each with the index of its pass.
        let mut applied: Vec<(usize, Diagnostic<'r>)> = Vec::new();
        // One per pass.
        let mut source_maps: Vec<SourceMap> = Vec::new();
        let max_length = text.len().saturating_mul(MAX_GROWTH).saturating_add(SMALL_TEXT);
        let mut text = text;
        let mut seen = HashSet::new();
        let mut refused: Option<Diagnostic<'r>> = None;
        loop {
            let xml_error = |error: XmlError| {
                let position = Source::new("", &text).position(error.offset);
                FixError::Xml(error, position)
            };
            match run_pass(&text, &linter, display_fixes).map_err(xml_error)? {
                PassResult::Skipped => {
                    return Ok(Fixed { text, is_skipped: true, ..Fixed::default() });
                }
                PassResult::Edited { edits, moved, applied: applied_now, refused: setting } => {
                    refused = refused.or(setting);
                    if edits.length_of(&text) > max_length {
                        return Err(FixError::Growth(most_frequent(&applied_now)));
                    }
                    let pass = source_maps.len();
                    applied.extend(applied_now.into_iter().map(|diagnostic| (pass, diagnostic)));
                    source_maps.push(SourceMap::new(&edits, &text, &moved));
                    text = edits.apply(&text);
                    // A fix may remove the sign of GVT-g.
                    linter.skips_unrelated = false;
                    // Conflicting rules eventually repeat the text of the second pass or a later one.
                    // The first is not hashed: nearly every document needs only one.
                    let is_repeated = source_maps.len() > 1 && !seen.insert(hash(&text));
                    if is_repeated || source_maps.len() >= MAX_PASSES {
                        let mut names: Vec<String> = applied
                            .iter()
                            .map(|(_, diagnostic)| diagnostic.rule.id.to_string())
                            .collect();
                        names.sort();
                        names.dedup();
                        return Err(FixError::Loop(names));
                    }
                }
                PassResult::Finished { is_sure_to_show, .. }
                    if !is_sure_to_show
                        && display_fixes == DisplayFixes::Allowed
                        && removed_display(&applied) =>
                {
                    // Nothing is sure to show the guest: undo everything, and start again without
                    // changing the display.
                    for source_map in std::mem::take(&mut source_maps).into_iter().rev() {
                        text = source_map.undo(&text);
                    }
                    applied.clear();
                    refused = None;
                    display_fixes = DisplayFixes::Withheld;
                    seen.clear();
                }
                PassResult::Finished {
                    refused: setting,
                    findings,
                    ignores_errors,
                    needs_explicit_name,
                    guest,
                    ..
                } => {
                    if let Some(Diagnostic { message, help, .. }) = refused.or(setting) {
                        return Err(FixError::Setting { message, help: help.unwrap_or_default() });
                    }
                    let rounds = source_maps.len();
                    let Findings { open: mut remaining, mut suppressed, mut summary, .. } =
                        findings;
                    trace_back(
                        &text,
                        &source_maps,
                        &mut applied,
                        remaining.iter_mut().chain(&mut suppressed),
                        &mut summary,
                    );
                    let mut applied: Vec<_> =
                        applied.into_iter().map(|(_, diagnostic)| diagnostic).collect();
                    sort(&mut applied);
                    sort(&mut remaining);
                    sort(&mut suppressed);
                    let fixes_skipped_unknown_vendor = needs_explicit_name
                        && !self.settings.unsafe_fixes
                        && remaining.iter().any(|diagnostic| diagnostic.fix.is_some());
                    return Ok(Fixed {
                        changed: rounds > 0,
                        text,
                        applied,
                        remaining,
                        suppressed,
                        summary,
                        rounds,
                        display_fixes_skipped: display_fixes == DisplayFixes::Withheld,
                        ignores_errors,
                        fixes_skipped_unknown_vendor,
                        guest,
                        is_skipped: false,
                    });
                }
            }
        }
    }
}

/// Whether a fix changed something that could show the guest.
fn removed_display(applied: &[(usize, Diagnostic<'_>)]) -> bool {
    applied.iter().any(|(_, diagnostic)| diagnostic.rule.touches_picture())
}

/// The id of the rule with the most findings.
fn most_frequent(diagnostics: &[Diagnostic<'_>]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    diagnostics.iter().for_each(|diagnostic| *counts.entry(&diagnostic.rule.id).or_default() += 1);
    counts
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .map_or_else(String::new, |(id, _)| id.to_owned())
}

fn hash(text: &str) -> u64 {
    FixedState::default().hash_one(text)
}
