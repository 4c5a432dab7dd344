//! Deletes what changes remove, together with its comments and the blocks that become empty.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use super::edit_builder::EditBuilder;
use super::layout;
use crate::domain::Domain;
use crate::text::Edit;
use crate::xml::{Element, ElementMap, ElementSet, QEMU_NAMESPACE};
use foldhash::HashSet;

impl EditBuilder<'_, '_> {
    /// Adds the deletions of all removed elements and comments. Elements that insertions go into
    /// are kept.
    pub(super) fn write_deletions(&mut self) {
        let kept: ElementSet = self.insertions.iter().map(|(parent, _)| parent.id()).collect();
        let mut comments: HashSet<Range<usize>> =
            std::mem::take(&mut self.removed_comments).into_iter().collect();
        let comments_for = |removed: &ElementSet| -> Vec<Range<usize>> {
            removed.iter().flat_map(|element| self.domain.comments_for(*element)).cloned().collect()
        };
        comments.extend(comments_for(&self.removed));
        let removed = with_emptied_blocks(self.domain, self.removed.clone(), &kept, &comments);
        comments.extend(comments_for(&removed));
        let elements = removed
            .iter()
            .filter_map(|id| self.domain.document.element(*id))
            .map(|element| element.span());
        let mut spans: Vec<Range<usize>> = elements.chain(comments.iter().cloned()).collect();
        spans.sort_by_key(|span| (span.start, Reverse(span.end)));
        let deletions = self.moved.spans_inside(&spans).chain([spans.clone()]);
        let text = self.text();
        let deletions = deletions.flat_map(|spans| layout::removals(text, spans));
        // Comments that apply to the whole file stay, even if everything around them is removed.
        let file_comments = self.domain.comments_for_file();
        let is_kept =
            |comment: &Range<usize>| !comments.contains(comment) && !self.moved.contains(comment);
        let deletions: Vec<Edit> =
            deletions.map(|range| layout::deletion(text, range, file_comments, is_kept)).collect();
        self.edits.extend(deletions);
        self.removed = removed;
    }
}

/// Adds QEMU's blocks that become empty once the removed elements and comments are gone.
fn with_emptied_blocks(
    domain: &Domain<'_>,
    mut removed: ElementSet,
    kept: &ElementSet,
    comments: &HashSet<Range<usize>>,
) -> ElementSet {
    let mut parents: BTreeMap<usize, Element<'_>> = BTreeMap::new();
    for id in &removed {
        let element = domain.document.element(*id).and_then(Element::parent);
        for parent in element
            .into_iter()
            .flat_map(Element::ancestors)
            .take_while(|parent| parent.is_in_namespace(QEMU_NAMESPACE))
        {
            parents.insert(parent.span().start, parent);
        }
    }
    let mut is_emptied: ElementMap<bool> = Default::default();
    // Inner elements first.
    for parent in parents.into_values().rev() {
        let emptied = *is_emptied.entry(parent.id()).or_insert_with(|| {
            // Children before comments: with many children, the first one that stays ends the
            // search.
            !kept.contains(&parent.id())
                && parent.children().all(|child| removed.contains(&child.id()))
                && parent.comments().all(|comment| comments.contains(&comment))
        });
        if emptied {
            removed.insert(parent.id());
        }
    }
    removed
}
