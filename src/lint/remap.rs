//! Where things were in the text that came in.

use crate::cross_file::Summary;
use crate::diagnostic::Diagnostic;
use crate::edit::{Edit, Edits};
use crate::source::Source;
use crate::source_map::{OriginalOffset, SourceMap};

/// Gives what was found in an edited text its places in the text that came in.
///
/// `undo` has the way back of each round, `text` is what came out of the last, `applied` what each
/// mended; `left` and `summary` are of that text.
pub(super) fn trace_back<'f, 'r: 'f>(
    text: &str,
    undo: &[SourceMap],
    applied: &'f mut [(usize, Diagnostic<'r>)],
    left: impl Iterator<Item = &'f mut Diagnostic<'r>>,
    summary: &mut Summary,
) {
    let rounds = undo.len();
    let later = applied
        .iter_mut()
        .filter(|(round, _)| *round > 0)
        .map(|(round, diagnostic)| (*round, diagnostic));
    let later: Vec<_> = later.chain(left.map(|diagnostic| (rounds, diagnostic))).collect();
    if rounds == 0 || later.is_empty() && summary.is_empty() {
        return;
    }
    let (last, earlier) =
        undo.split_last().map_or((None, &[][..]), |(last, earlier)| (Some(last), earlier));
    let edited = last.map_or_else(String::new, |last| last.apply(text));
    let input = earlier.iter().rev().fold(edited, |text, undo| undo.apply(&text));
    let source = Source::new("", &input);
    // A place in a text that so many rounds have edited; whether it was there before them all.
    let before = |round: usize, offset: usize| {
        undo[..round].iter().rev().fold((offset, true), |(offset, is_old), undo| {
            match undo.before(offset) {
                OriginalOffset::At(offset) => (offset, is_old),
                OriginalOffset::New(offset) => (offset, false),
            }
        })
    };
    for claim in summary {
        let (start, _) = before(rounds, claim.span.start);
        (claim.span, claim.start) = (start..start, source.position(start));
    }
    for (round, diagnostic) in later {
        let (start, is_old) = before(round, diagnostic.span.start);
        // The last byte of it, as what is put in behind it is no part of it.
        let last = diagnostic.span.end.saturating_sub(1).max(diagnostic.span.start);
        let end = if is_old && last > diagnostic.span.start {
            (before(round, last).0 + 1).max(start)
        } else {
            start
        };
        diagnostic.span = start..end;
        (diagnostic.start, diagnostic.end) = source.positions(start..end);
        diagnostic.in_inserted_text = !is_old;
        if let Some(fix) = &mut diagnostic.fix {
            let place = |offset: usize| {
                Some(before(round, offset)).filter(|(_, is_old)| *is_old).map(|(offset, _)| offset)
            };
            let moved = |edit: &Edit| {
                let range = place(edit.range.start)?..place(edit.range.end)?;
                (range.start <= range.end).then(|| Edit { range, text: edit.text.clone() })
            };
            // What changes text that fix has put in can't be said of the text that came in.
            let edits: Option<Vec<Edit>> = fix.edits.iter().map(moved).collect();
            fix.edits = edits.map_or_else(Edits::default, Edits::compatible);
        }
        for related in diagnostic.related.iter_mut().filter(|related| related.file.is_none()) {
            let (start, _) = before(round, related.span.start);
            related.span = start..start;
            related.start = source.position(start);
        }
    }
}
