//! Maps positions of findings back to the input of a fix.

use crate::lint::Diagnostic;
use crate::lint::claims::Summary;
use crate::text::{Edit, Edits, OriginalOffset, Source, SourceMap};

/// Changes the positions of findings from an edited text to the input.
///
/// `source_maps` has one map per pass and `text` is the result of the last pass. `applied` are the
/// fixed findings with their pass; `remaining` and `summary` refer to `text`.
pub(super) fn trace_back<'f, 'r: 'f>(
    text: &str,
    source_maps: &[SourceMap],
    applied: &'f mut [(usize, Diagnostic<'r>)],
    remaining: impl Iterator<Item = &'f mut Diagnostic<'r>>,
    summary: &mut Summary,
) {
    let passes = source_maps.len();
    let applied_later = applied
        .iter_mut()
        .filter(|(pass, _)| *pass > 0)
        .map(|(pass, diagnostic)| (*pass, diagnostic));
    let to_remap: Vec<_> =
        applied_later.chain(remaining.map(|diagnostic| (passes, diagnostic))).collect();
    if passes == 0 || to_remap.is_empty() && summary.is_empty() {
        return;
    }
    let (last, earlier) =
        source_maps.split_last().map_or((None, &[][..]), |(last, earlier)| (Some(last), earlier));
    let before_last = last.map_or_else(String::new, |last| last.undo(text));
    let input = earlier.iter().rev().fold(before_last, |text, source_map| source_map.undo(&text));
    let source = Source::new("", &input);
    // Maps an offset of the text before pass `pass` to the input; the flag is false for inserted
    // text.
    let to_input = |pass: usize, offset: usize| {
        source_maps[..pass].iter().rev().fold((offset, true), |(offset, is_old), source_map| {
            match source_map.original_offset(offset) {
                OriginalOffset::At(offset) => (offset, is_old),
                OriginalOffset::InsertedAt(offset) => (offset, false),
            }
        })
    };
    for claim in summary {
        let (start, _) = to_input(passes, claim.span.start);
        (claim.span, claim.start) = (start..start, source.position(start));
    }
    for (pass, diagnostic) in to_remap {
        let (start, is_old) = to_input(pass, diagnostic.span.start);
        // The last byte is mapped, not the end, because text inserted after it is not part of the
        // finding.
        let last = diagnostic.span.end.saturating_sub(1).max(diagnostic.span.start);
        let end = if is_old && last > diagnostic.span.start {
            (to_input(pass, last).0 + 1).max(start)
        } else {
            start
        };
        diagnostic.span = start..end;
        (diagnostic.start, diagnostic.end) = source.positions(start..end);
        diagnostic.in_inserted_text = !is_old;
        if let Some(fix) = &mut diagnostic.fix {
            let old_offset = |offset: usize| match to_input(pass, offset) {
                (offset, true) => Some(offset),
                (_, false) => None,
            };
            let remapped = |edit: &Edit| {
                let range = old_offset(edit.range.start)?..old_offset(edit.range.end)?;
                if range.start > range.end {
                    return None;
                }
                Some(Edit { range, text: edit.text.clone() })
            };
            // Edits of text that the fix inserted have no place in the input.
            let edits: Option<Vec<Edit>> = fix.edits.iter().map(remapped).collect();
            fix.edits = edits.map_or_else(Edits::default, Edits::compatible);
        }
        for related in diagnostic.related.iter_mut().filter(|related| related.file.is_none()) {
            let (start, _) = to_input(pass, related.span.start);
            related.span = start..start;
            related.start = source.position(start);
        }
    }
}
