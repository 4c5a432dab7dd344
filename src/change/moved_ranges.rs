//! Pieces of the text that move to another place, and take along what changes in them.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use super::Change;
use crate::edit::{Edit, Edits};
use crate::xml::{Element, ElementSet};
use foldhash::{HashMap, HashMapExt, HashSet};

/// The pieces that changes move: whole elements, or all that is in one.
#[derive(Default)]
pub(super) struct Moved {
    pieces: HashSet<Range<usize>>,
}

/// Where an edit stands among others; the last part keeps the order of those at one place.
type EditSortKey = (usize, bool, Reverse<usize>, usize);

impl Moved {
    pub(super) fn of<'c, 'd: 'c>(changes: impl Iterator<Item = &'c Change<'d>>) -> Self {
        let pieces = changes.filter_map(|change| match change {
            Change::InsertSource(_, range) => Some(range.clone()),
            _ => None,
        });
        Moved { pieces: pieces.collect() }
    }

    /// Whether an element is gone: removed itself, or inside one that is, unless a piece that moves
    /// away from there holds it.
    pub(super) fn is_lost(&self, element: Element<'_>, removed: &ElementSet) -> bool {
        for around in element.ancestors() {
            if !self.pieces.is_empty() && self.pieces.contains(&around.span()) {
                return false;
            }
            if removed.contains(&around.id()) {
                return around == element
                    || self.pieces.is_empty()
                    || !self.pieces.contains(&around.content());
            }
        }
        false
    }

    /// Whether a piece takes what stands here along.
    pub(super) fn holds(&self, span: &Range<usize>) -> bool {
        self.pieces.iter().any(|piece| piece.start <= span.start && span.end <= piece.end)
    }

    /// The spans among these, sorted, that are in each piece, without those in others of them.
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

    /// Takes what changes in the pieces out of the edits; returns the pieces with it done. The
    /// inner ones come first, so that an edit is made once, in the innermost piece that it is in.
    pub(super) fn written(
        &self,
        text: &str,
        edits: &mut Vec<Edit>,
    ) -> HashMap<Range<usize>, String> {
        if self.pieces.is_empty() {
            return HashMap::new();
        }
        let place = |(index, edit): (usize, Edit)| {
            ((edit.range.start, !edit.range.is_empty(), Reverse(edit.range.end), index), edit)
        };
        let mut left: BTreeMap<EditSortKey, Edit> =
            edits.drain(..).enumerate().map(place).collect();
        let mut pieces: Vec<&Range<usize>> = self.pieces.iter().collect();
        pieces.sort_by_key(|piece| (piece.len(), piece.start));
        let mut written = HashMap::new();
        for piece in pieces {
            let from: EditSortKey = (piece.start, false, Reverse(usize::MAX), 0);
            let to: EditSortKey = (piece.end, true, Reverse(0), usize::MAX);
            let places: Vec<EditSortKey> = left
                .range(from..=to)
                .filter(|(_, edit)| is_inside(edit, piece))
                .map(|(place, _)| *place)
                .collect();
            let inside = places.into_iter().filter_map(|place| left.remove(&place));
            let shifted = inside.map(|edit| Edit {
                range: edit.range.start - piece.start..edit.range.end - piece.start,
                text: edit.text,
            });
            written.insert(
                piece.clone(),
                Edits::compatible(shifted.collect()).apply(&text[piece.clone()]),
            );
        }
        edits.extend(left.into_values());
        written
    }
}

/// Whether an edit changes something in a piece that moves, and not what is around it.
fn is_inside(edit: &Edit, moved: &Range<usize>) -> bool {
    let holds = moved.start <= edit.range.start && edit.range.end <= moved.end;
    let is_within = moved.start < edit.range.start && edit.range.end < moved.end;
    holds && edit.range != *moved && (!edit.range.is_empty() || is_within)
}
