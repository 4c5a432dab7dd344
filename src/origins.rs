//! Where bytes of an edited text were before, those included that were moved from one place to another.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::edit::{Edit, Edits};

/// The way back from the text that edits made to the one that they were made for.
#[derive(Clone, Debug)]
pub struct Origins {
    replacements: Vec<Replacement>,
    /// By place in the edited text.
    moved: Vec<Moved>,
}

/// A replacement in the edited text.
#[derive(Clone, Debug)]
struct Replacement {
    start: usize,
    end: usize,
    /// Where what it replaced began.
    before: usize,
    /// By how much bytes behind it have moved.
    shift: isize,
}

/// A tag in what was inserted that was also in what was deleted.
#[derive(Clone, Debug)]
struct Moved {
    start: usize,
    length: usize,
    before: usize,
}

impl Origins {
    /// The origins after these edits of `text`, the text that they are for. A tag in which one of the places `mended` begins is gone: what
    /// is like it afterwards is another.
    pub fn new(edits: &Edits, text: &str, mended: &[usize]) -> Self {
        let mended: HashSet<usize> = mended.iter().filter_map(|place| memchr::memrchr(b'<', text.as_bytes().get(..=*place)?)).collect();
        let (mut replacements, mut shift) = (Vec::new(), 0isize);
        let (mut deleted, mut inserted) = (Vec::new(), Vec::new());
        for Edit { range, text: new } in edits.iter() {
            let start = range.start.saturating_add_signed(shift);
            shift += new.len() as isize - range.len() as isize;
            replacements.push(Replacement { start, end: start + new.len(), before: range.start, shift });
            let old = tags(&text[range.clone()]).map(|(at, tag)| (range.start + at, tag));
            deleted.extend(old.filter(|(at, _)| !mended.contains(at)));
            inserted.push((start, new.as_str()));
        }
        // A moved block is longer than an element that happens to be like one of its.
        inserted.sort_by_key(|(_, new)| std::cmp::Reverse(new.len()));
        Origins { moved: moved(&deleted, &inserted), replacements }
    }

    /// Where a byte offset of the edited text was before. In what is new that is where it was put: the start of what it replaced.
    pub fn original(&self, offset: usize) -> usize {
        let behind = self.moved.partition_point(|moved| moved.start <= offset);
        if let Some(moved) = behind.checked_sub(1).map(|last| &self.moved[last])
            && offset <= moved.start + moved.length
        {
            return moved.before + (offset - moved.start);
        }
        let behind = self.replacements.partition_point(|replacement| replacement.end <= offset);
        match self.replacements.get(behind) {
            Some(replacement) if replacement.start <= offset => replacement.before,
            _ => behind.checked_sub(1).map_or(offset, |last| offset.saturating_add_signed(-self.replacements[last].shift)),
        }
    }
}

/// Which of the deleted tags went where: behind one that was moved comes the one that was behind it before, else the first alike.
fn moved(deleted: &[(usize, &str)], inserted: &[(usize, &str)]) -> Vec<Moved> {
    let mut alike: HashMap<&str, VecDeque<usize>> = HashMap::new();
    for (index, (_, tag)) in deleted.iter().enumerate() {
        alike.entry(tag).or_default().push_back(index);
    }
    let (mut is_taken, mut moved) = (vec![false; deleted.len()], Vec::new());
    for (start, new) in inserted {
        let mut next = usize::MAX;
        for (at, tag) in tags(new) {
            let is_free = |index: &usize| deleted.get(*index).is_some_and(|(_, other)| *other == tag && !is_taken[*index]);
            let index = Some(next).filter(is_free).or_else(|| {
                let candidates = alike.get_mut(tag)?;
                std::iter::from_fn(|| candidates.pop_front()).find(|index| !is_taken[*index])
            });
            next = index.map_or(usize::MAX, |index| index + 1);
            if let Some(index) = index {
                is_taken[index] = true;
                moved.push(Moved { start: start + at, length: tag.len(), before: deleted[index].0 });
            }
        }
    }
    moved.sort_by_key(|moved| moved.start);
    moved
}

/// The tags of a piece of XML with their places; a `<` in a comment begins one too, which does no harm here.
fn tags(text: &str) -> impl Iterator<Item = (usize, &str)> {
    memchr::memchr_iter(b'<', text.as_bytes()).filter_map(|at| {
        let end = memchr::memchr(b'>', &text.as_bytes()[at..])?;
        Some((at, &text[at..=at + end]))
    })
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;

    fn edit(range: Range<usize>, text: &str) -> Edit {
        Edit { range, text: text.into() }
    }

    fn back(text: &str, edits: Vec<Edit>) -> (String, Origins) {
        let edits = Edits::new(edits).unwrap();
        (edits.apply(text), Origins::new(&edits, text, &[]))
    }

    #[test]
    fn offsets_map_back() {
        let (after, origins) = back("abcdef", vec![edit(1..3, "XYZ"), edit(4..4, "ins")]);
        assert_eq!(after, "aXYZdinsef");
        let offsets: Vec<usize> = (0..=after.len()).map(|offset| origins.original(offset)).collect();
        assert_eq!(offsets, [0, 1, 1, 1, 3, 4, 4, 4, 4, 5, 6]);
    }

    #[test]
    fn what_was_moved_is_found_where_it_was() {
        let text = "<a>|<x/><y v='1'/><y v='1'/></a>";
        let moved = &text[4..28];
        let (after, origins) = back(text, vec![edit(3..3, &format!("<new/>\n{}", moved.replace("/><", "/>\n<"))), edit(4..28, "")]);
        assert_eq!(after, "<a><new/>\n<x/>\n<y v='1'/>\n<y v='1'/>|</a>");
        let place = |piece: &str| origins.original(after.find(piece).unwrap());
        assert_eq!(place("<new/>"), 3, "what is new is where it was put");
        assert_eq!(place("<x/>"), 4);
        assert_eq!(place("v='1'"), text.find("v='1'").unwrap());
        assert_eq!(origins.original(after.rfind("<y").unwrap()), text.rfind("<y").unwrap(), "the second of two that are alike");
        assert_eq!(place("</a>"), 28);
    }
}
