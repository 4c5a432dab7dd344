//! Text edits. Invariant of all fixes: bytes that no edit covers stay unchanged.

use std::ops::Range;

/// A replacement of a byte range of a document. An empty range inserts, an empty `text` deletes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Edit {
    /// The byte range in the text before the edit.
    pub range: Range<usize>,
    /// The new text.
    pub text: String,
}

/// The safety of a fix, from least to most; a requested level includes the safer ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Applicability {
    /// Only the user can make the fix; the help text says how.
    Manual,
    /// The fix may lose something that the user wants; applied only on request.
    Unsafe,
    /// The fix is what the guide tells every user to do; applied by default.
    Safe,
}

impl Applicability {
    /// The name used in rule files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Applicability::Manual => "manual",
            Applicability::Unsafe => "unsafe",
            Applicability::Safe => "safe",
        }
    }
}

/// The edits of one document. Invariant: sorted by position and disjoint; of edits at one point,
/// insertions come first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits(Vec<Edit>);

impl Edits {
    /// Sorts the edits, drops repeated ones and those inside a deletion, and joins deletions that
    /// overlap. Insertions at one point keep the order in which they came.
    ///
    /// Returns the first conflicting edit (a different replacement of the same bytes) as the error.
    pub fn new(edits: Vec<Edit>) -> Result<Self, Edit> {
        let (edits, mut conflicts) = Edits::join(edits);
        if conflicts.is_empty() { Ok(edits) } else { Err(conflicts.swap_remove(0)) }
    }

    /// Like [`Edits::new`], but drops conflicting edits.
    pub fn compatible(edits: Vec<Edit>) -> Self {
        Edits::join(edits).0
    }

    fn join(mut edits: Vec<Edit>) -> (Self, Vec<Edit>) {
        let mut conflicts = Vec::new();
        // An insertion sorts before an edit that begins at its point; `sort_by_key` is stable.
        edits.sort_by_key(|edit| {
            (edit.range.start, !edit.range.is_empty(), std::cmp::Reverse(edit.range.end))
        });
        let mut joined: Vec<Edit> = Vec::with_capacity(edits.len());
        for edit in edits {
            let Some(last) = joined.last_mut() else {
                joined.push(edit);
                continue;
            };
            if *last == edit && !edit.range.is_empty() {
                continue;
            }
            if edit.range.start >= last.range.end {
                joined.push(edit);
            } else if last.text.is_empty() && edit.range.end <= last.range.end {
                // An edit inside deleted text has no effect.
            } else if last.text.is_empty() && edit.text.is_empty() {
                last.range.end = edit.range.end;
            } else {
                conflicts.push(edit);
            }
        }
        (Edits(joined), conflicts)
    }

    /// Whether there are no edits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The edits in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Edit> {
        self.0.iter()
    }

    /// The number of bytes of new text.
    pub fn inserted_len(&self) -> usize {
        self.0.iter().map(|edit| edit.text.len()).sum()
    }

    /// The length in bytes of `text` after the edits.
    pub fn length_of(&self, text: &str) -> usize {
        let deleted: usize = self.0.iter().map(|edit| edit.range.len()).sum();
        text.len() + self.inserted_len() - deleted
    }

    /// Returns the edits that restore `text` from the result of applying these edits to it.
    pub fn inverse(&self, text: &str) -> Edits {
        let mut shift = 0isize;
        let mut inverse = Vec::with_capacity(self.0.len());
        for Edit { range, text: new } in &self.0 {
            let start = range.start.saturating_add_signed(shift);
            inverse.push(Edit {
                range: start..start + new.len(),
                text: text[range.clone()].to_owned(),
            });
            shift += new.len() as isize - range.len() as isize;
        }
        // Sorted and disjoint, because the edits themselves are.
        Edits(inverse)
    }

    /// Returns `text` with all edits applied.
    pub fn apply(&self, text: &str) -> String {
        let mut result = String::with_capacity(self.length_of(text));
        let mut copied = 0;
        for Edit { range, text: replacement } in &self.0 {
            result.push_str(&text[copied..range.start]);
            result.push_str(replacement);
            copied = range.end;
        }
        result.push_str(&text[copied..]);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(range: Range<usize>, text: &str) -> Edit {
        Edit { range, text: text.into() }
    }

    fn apply(text: &str, edits: Vec<Edit>) -> String {
        Edits::new(edits).unwrap().apply(text)
    }

    #[test]
    fn applies_edits_in_order_of_position() {
        assert_eq!(
            apply("abcdef", vec![edit(4..5, "E"), edit(0..1, ""), edit(2..2, "--")]),
            "b--cdEf"
        );
    }

    #[test]
    fn keeps_the_order_of_insertions_at_one_point_before_a_deletion() {
        assert_eq!(apply("ab", vec![edit(1..2, ""), edit(1..1, "1"), edit(1..1, "2")]), "a12");
    }

    #[test]
    fn joins_overlapping_deletions_and_drops_edits_inside() {
        assert_eq!(
            apply("abcdef", vec![edit(1..4, ""), edit(3..5, ""), edit(2..3, "X"), edit(2..2, "Y")]),
            "af"
        );
    }

    #[test]
    fn drops_duplicate_replacements() {
        assert_eq!(apply("abc", vec![edit(1..2, "X"), edit(1..2, "X")]), "aXc");
    }

    #[test]
    fn rejects_different_replacements_of_the_same_bytes() {
        assert_eq!(Edits::new(vec![edit(1..2, "X"), edit(1..2, "Y")]), Err(edit(1..2, "Y")));
        assert_eq!(Edits::new(vec![edit(0..2, "X"), edit(1..3, "")]), Err(edit(1..3, "")));
    }
}
