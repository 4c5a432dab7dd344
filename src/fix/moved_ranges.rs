//! Moves ranges of the text and applies the edits inside them to the moved text.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use super::Change;
use crate::text::{Edit, Edits};
use crate::xml::{Element, ElementSet};
use foldhash::{HashMap, HashMapExt, HashSet};

/// The ranges that changes move: whole elements, or an element's whole content.
#[derive(Default)]
pub(super) struct MovedRanges {
    pieces: HashSet<Range<usize>>,
}

/// The sort key of an edit; the last part keeps the order of edits at the same place.
type EditSortKey = (usize, bool, Reverse<usize>, usize);

impl MovedRanges {
    pub(super) fn from_changes<'c, 'd: 'c>(changes: impl Iterator<Item = &'c Change<'d>>) -> Self {
        let pieces = changes.filter_map(|change| match change {
            Change::InsertSource(_, range) => Some(range.clone()),
            _ => None,
        });
        MovedRanges { pieces: pieces.collect() }
    }

    /// Whether an element is lost: it or an ancestor is removed, and no range that moves away from
    /// there contains it.
    pub(super) fn is_lost(&self, element: Element<'_>, removed: &ElementSet) -> bool {
        for ancestor in element.ancestors() {
            if !self.pieces.is_empty() && self.pieces.contains(&ancestor.span()) {
                return false;
            }
            if removed.contains(&ancestor.id()) {
                return ancestor == element
                    || self.pieces.is_empty()
                    || !self.pieces.contains(&ancestor.content());
            }
        }
        false
    }

    /// Whether this span is inside a moved range.
    pub(super) fn contains(&self, span: &Range<usize>) -> bool {
        self.pieces.iter().any(|piece| piece.start <= span.start && span.end <= piece.end)
    }

    /// Returns, for each moved range, the outermost of the sorted `spans` that are inside it.
    pub(super) fn spans_inside<'s>(
        &'s self,
        spans: &'s [Range<usize>],
    ) -> impl Iterator<Item = Vec<Range<usize>>> {
        self.pieces.iter().map(|piece| {
            let mut inside = Vec::new();
            let mut next = spans.partition_point(|span| span.start < piece.start);
            while let Some(span) = spans.get(next).filter(|span| span.start < piece.end) {
                if span != piece && span.end <= piece.end {
                    inside.push(span.clone());
                    next += spans[next..].partition_point(|other| other.start < span.end);
                } else {
                    next += 1;
                }
            }
            inside
        })
    }

    /// Removes the edits inside moved ranges from `edits`, and returns each range's text with these
    /// edits applied. Inner ranges come first, so that an edit is made once, in the innermost range
    /// that contains it.
    pub(super) fn take_texts(
        &self,
        text: &str,
        edits: &mut Vec<Edit>,
    ) -> HashMap<Range<usize>, String> {
        if self.pieces.is_empty() {
            return HashMap::new();
        }
        let with_key = |(index, edit): (usize, Edit)| {
            ((edit.range.start, !edit.range.is_empty(), Reverse(edit.range.end), index), edit)
        };
        let mut remaining: BTreeMap<EditSortKey, Edit> =
            edits.drain(..).enumerate().map(with_key).collect();
        let mut pieces: Vec<&Range<usize>> = self.pieces.iter().collect();
        pieces.sort_by_key(|piece| (piece.len(), piece.start));
        let mut texts = HashMap::new();
        for piece in pieces {
            let from: EditSortKey = (piece.start, false, Reverse(usize::MAX), 0);
            let to: EditSortKey = (piece.end, true, Reverse(0), usize::MAX);
            let keys: Vec<EditSortKey> = remaining
                .range(from..=to)
                .filter(|(_, edit)| is_inside(edit, piece))
                .map(|(key, _)| *key)
                .collect();
            let inside = keys.into_iter().filter_map(|key| remaining.remove(&key));
            let shifted = inside.map(|edit| Edit {
                range: edit.range.start - piece.start..edit.range.end - piece.start,
                text: edit.text,
            });
            texts.insert(
                piece.clone(),
                Edits::compatible(shifted.collect()).apply(&text[piece.clone()]),
            );
        }
        edits.extend(remaining.into_values());
        texts
    }
}

/// Whether an edit changes something inside a moved range, not around it.
fn is_inside(edit: &Edit, moved: &Range<usize>) -> bool {
    let contains = moved.start <= edit.range.start && edit.range.end <= moved.end;
    let is_within = moved.start < edit.range.start && edit.range.end < moved.end;
    contains && edit.range != *moved && (!edit.range.is_empty() || is_within)
}
