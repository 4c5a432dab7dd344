//! Maps an edited text, and the offsets in it, back to the text before the edits.

use std::ops::Range;

use crate::text::Edits;

/// Maximum number of bytes searched for moved tags in a set of edits. If it takes more, none is
/// found, and offsets in moved text map to where it was inserted.
const MAX_SEARCH_BYTES: usize = 64 << 20;

/// The place of an offset in the text before the edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginalOffset {
    /// At this offset; for replaced text, at the start of the replaced range.
    At(usize),
    /// In new text, which was inserted at this offset.
    InsertedAt(usize),
}

/// A set of edits, in the form that undoes them and maps offsets back.
#[derive(Clone, Debug)]
pub struct SourceMap {
    /// Edits of the edited text that restore the text before the edits.
    inverse: Edits,
    /// The byte ranges of each edit before and after, in order.
    spans: Vec<EditSpan>,
    /// The moved tags, in the order of the new text.
    moved: Vec<MovedTag>,
}

#[derive(Clone, Debug)]
struct EditSpan {
    old: Range<usize>,
    new: Range<usize>,
}

/// A tag that was moved and whose whitespace may have changed: the offsets of its non-whitespace
/// bytes before and after.
#[derive(Clone, Debug)]
struct MovedTag {
    old: Vec<usize>,
    new: Vec<usize>,
    /// Whether this is the last tag of its moved range, so that text after it was not moved.
    is_last: bool,
}

impl SourceMap {
    /// Creates the map for these edits of `text`. `moved_ranges` are the ranges of `text` that the
    /// edits delete and insert elsewhere, possibly with other whitespace and new attributes.
    pub fn new(edits: &Edits, text: &str, moved_ranges: &[Range<usize>]) -> Self {
        let inverse = edits.inverse(text);
        let spans: Vec<EditSpan> = edits
            .iter()
            .zip(inverse.iter())
            .map(|(edit, undo)| EditSpan { old: edit.range.clone(), new: undo.range.clone() })
            .collect();
        let moved = find_moved_tags(edits, &spans, text, moved_ranges);
        SourceMap { inverse, spans, moved }
    }

    /// Returns the text before the edits, given the text after them.
    pub fn undo(&self, edited: &str) -> String {
        self.inverse.apply(edited)
    }

    /// Maps an offset of the edited text to the text before the edits.
    pub fn original_offset(&self, offset: usize) -> OriginalOffset {
        let index = self.spans.partition_point(|span| span.new.start <= offset);
        let Some(span) = index.checked_sub(1).map(|last| &self.spans[last]) else {
            return OriginalOffset::At(offset);
        };
        if offset >= span.new.end {
            return OriginalOffset::At(offset - span.new.end + span.old.end);
        }
        match self.offset_before_move(offset, &span.new) {
            Some(old_offset) => OriginalOffset::At(old_offset),
            None if span.old.is_empty() => OriginalOffset::InsertedAt(span.old.start),
            None => OriginalOffset::At(span.old.start),
        }
    }

    /// Returns the old offset of a place in inserted text if it was moved there. Text that was
    /// added to a moved tag maps to the next byte of the tag, or to its last one.
    fn offset_before_move(&self, offset: usize, within: &Range<usize>) -> Option<usize> {
        let index = self.moved.partition_point(|moved| moved.new[0] <= offset);
        let moved = &self.moved[index.checked_sub(1)?];
        if moved.new[0] < within.start || moved.is_last && moved.new.last() < Some(&offset) {
            return None;
        }
        let place = moved.new.partition_point(|new| *new < offset);
        moved.old.get(place).or(moved.old.last()).copied()
    }
}

/// Returns the offsets of all non-whitespace bytes, and the text that they form.
fn without_whitespace(text: &str, start: usize) -> (Vec<usize>, String) {
    let mut offsets = Vec::new();
    let mut compact = String::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let at = start + text.len() - rest.len();
        let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
        offsets.extend(at..at + length);
        compact.push_str(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    (offsets, compact)
}

/// Finds the tags of moved ranges in the inserted text; sorts them by their new offsets.
fn find_moved_tags(
    edits: &Edits,
    spans: &[EditSpan],
    text: &str,
    moved_ranges: &[Range<usize>],
) -> Vec<MovedTag> {
    if moved_ranges.is_empty() {
        return Vec::new();
    }
    let written = edits.iter().zip(spans).filter(|(edit, _)| edit.text.contains('<'));
    // Moved ranges keep their order, so each tag is searched after the previous one.
    let mut written: Vec<(Vec<usize>, String, usize)> = written
        .map(|(edit, span)| {
            let (offsets, compact) = without_whitespace(&edit.text, span.new.start);
            (offsets, compact, 0)
        })
        .collect();
    let mut moved = Vec::new();
    let mut searched_bytes = 0;
    for range in moved_ranges {
        let tags = split_at_tags(text, range);
        for (index, tag) in tags.iter().enumerate() {
            let (old, compact) = without_whitespace(&text[tag.clone()], tag.start);
            let new_offsets = written.iter_mut().find_map(|(offsets, written, cursor)| {
                searched_bytes += written.len() - *cursor;
                let at = *cursor + written[*cursor..].find(&compact)?;
                *cursor = at + compact.len();
                Some(offsets[at..at + compact.len()].to_vec())
            });
            let is_last = index + 1 == tags.len();
            moved.extend(new_offsets.map(|new| MovedTag { old, new, is_last }));
            if searched_bytes > MAX_SEARCH_BYTES {
                moved.clear();
                return moved;
            }
        }
    }
    moved.sort_by_key(|moved| moved.new[0]);
    moved
}

/// Splits a range at its tags; each part includes the text after the tag.
fn split_at_tags(text: &str, range: &Range<usize>) -> Vec<Range<usize>> {
    let starts =
        memchr::memchr_iter(b'<', &text.as_bytes()[range.clone()]).map(|at| range.start + at);
    let mut starts: Vec<usize> = starts.collect();
    starts.push(range.end);
    starts.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Edit;

    fn apply_and_map(text: &str, edits: Vec<Edit>, moved: &[Range<usize>]) -> (SourceMap, String) {
        let edits = Edits::new(edits).unwrap();
        let after = edits.apply(text);
        (SourceMap::new(&edits, text, moved), after)
    }

    fn edit(range: Range<usize>, text: &str) -> Edit {
        Edit { range, text: text.into() }
    }

    #[test]
    fn restores_the_text_and_its_offsets() {
        let (source_map, after) = apply_and_map(
            "abcdef",
            vec![edit(1..3, "XYZ"), edit(4..4, "ins"), edit(5..6, "")],
            &[],
        );
        assert_eq!(after, "aXYZdinse");
        assert_eq!(source_map.undo(&after), "abcdef");
        use OriginalOffset::{At, InsertedAt};
        let before: Vec<OriginalOffset> =
            (0..=after.len()).map(|offset| source_map.original_offset(offset)).collect();
        assert_eq!(
            before,
            [
                At(0),
                At(1),
                At(1),
                At(1),
                At(3),
                InsertedAt(4),
                InsertedAt(4),
                InsertedAt(4),
                At(4),
                At(6)
            ]
        );
    }

    #[test]
    fn maps_moved_tags_to_their_old_offsets() {
        let text = "<a>\n  <é x='1'/>\n</a>|";
        let piece = 6..17;
        assert_eq!(&text[piece.clone()], "<é x='1'/>");
        let (source_map, after) =
            apply_and_map(text, vec![edit(4..18, ""), edit(22..22, "[\n<é\n\tx='1'/>]")], &[piece]);
        assert_eq!(after, "<a>\n</a>[\n<é\n\tx='1'/>]|");
        let at = |word: &str, text: &str| text.find(word).unwrap();
        for word in ["<é", "x='1'", "/>"] {
            assert_eq!(
                source_map.original_offset(at(word, &after)),
                OriginalOffset::At(at(word, text)),
                "{word}"
            );
        }
        assert_eq!(source_map.original_offset(at("[", &after)), OriginalOffset::InsertedAt(22));
    }

    #[test]
    fn maps_text_added_to_a_moved_range_to_the_next_old_byte() {
        let text = "<a><b x='1'/><c/></a>|";
        let piece = 3..17;
        let edits = vec![edit(piece.clone(), ""), edit(21..21, "[<b x='2'/><new/><c/>]")];
        let (source_map, after) = apply_and_map(text, edits, std::slice::from_ref(&piece));
        assert_eq!(after, "<a></a>[<b x='2'/><new/><c/>]|");
        let at = |word: &str, text: &str| text.find(word).unwrap();
        assert_eq!(
            source_map.original_offset(at("<c/>", &after)),
            OriginalOffset::At(at("<c/>", text))
        );
        assert_eq!(
            source_map.original_offset(at("]", &after)),
            OriginalOffset::InsertedAt(21),
            "after the moved range"
        );
        assert_eq!(
            source_map.original_offset(at("<b", &after)),
            OriginalOffset::InsertedAt(21),
            "a changed tag with no unchanged one before it"
        );
    }
}
