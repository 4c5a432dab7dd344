//! The ranges of a document in which one name is suppressed: nested elements, or the whole
//! document.

use std::cmp::Reverse;
use std::ops::Range;

use super::NamePlace;
use foldhash::HashSet;

/// A range of a document.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    range: Range<usize>,
    /// The index of the first valid suppression of this range; `None` if all are faulty.
    pub(super) valid_suppression: Option<usize>,
    /// The names that suppress findings in this range.
    names: Vec<NamePlace>,
    /// The index of the smallest range around this one.
    parent: Option<usize>,
    is_used: bool,
}

impl Scope {
    /// Creates a scope for a name; `valid_suppression` is its suppression's index if that is not
    /// faulty.
    pub(super) fn new(
        range: Range<usize>,
        valid_suppression: Option<usize>,
        name: NamePlace,
    ) -> Self {
        Scope { range, valid_suppression, names: vec![name], parent: None, is_used: false }
    }
}

/// All ranges in which one name is suppressed, without duplicates. Invariant: of two that overlap,
/// one contains the other.
#[derive(Clone, Debug)]
pub(super) struct Scopes(Vec<Scope>);

impl Scopes {
    pub(super) fn new(mut scopes: Vec<Scope>) -> Self {
        scopes.sort_by_key(|scope| (scope.range.start, Reverse(scope.range.end)));
        let mut list: Vec<Scope> = Vec::new();
        // The ranges that may contain the next one, the largest first.
        let mut open: Vec<usize> = Vec::new();
        for mut scope in scopes {
            if let Some(last) = list.last_mut().filter(|last| last.range == scope.range) {
                last.valid_suppression = last.valid_suppression.or(scope.valid_suppression);
                last.names.append(&mut scope.names);
                continue;
            }
            while open.pop_if(|index| list[*index].range.end <= scope.range.start).is_some() {}
            scope.parent = open.last().copied();
            open.push(list.len());
            list.push(scope);
        }
        Scopes(list)
    }

    /// Returns the ranges around a byte, the smallest first, and marks them as used.
    pub(super) fn containing(&mut self, at: usize) -> impl Iterator<Item = &Scope> {
        let mut next = self.0.partition_point(|scope| scope.range.start <= at).checked_sub(1);
        let mut containing = Vec::new();
        while let Some(index) = next {
            next = self.0[index].parent;
            if self.0[index].range.contains(&at) {
                self.0[index].is_used = true;
                containing.push(index);
            }
        }
        containing.into_iter().map(|index| &self.0[index])
    }

    /// Returns the names of ranges in which nothing was suppressed, except those of faulty
    /// suppressions.
    pub(super) fn unused(&self) -> HashSet<NamePlace> {
        let unused =
            self.0.iter().filter(|scope| !scope.is_used && scope.valid_suppression.is_some());
        unused.flat_map(|scope| &scope.names).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_and_uses_the_ranges_around_a_byte() {
        let ranges = [0..usize::MAX, 10..50, 10..50, 10..20, 12..14, 30..40, 60..70, 0..0];
        let scopes = ranges
            .iter()
            .enumerate()
            .map(|(index, range)| Scope::new(range.clone(), Some(index), (index, 0)));
        let all_scopes = Scopes::new(scopes.collect());
        let containing = |at: usize| {
            all_scopes.clone().containing(at).map(|scope| scope.range.end).collect::<Vec<_>>()
        };
        assert_eq!(containing(13), [14, 20, 50, usize::MAX]);
        assert_eq!(containing(14), [20, 50, usize::MAX]);
        assert_eq!(containing(25), [50, usize::MAX]);
        assert_eq!(containing(50), [usize::MAX]);
        assert_eq!(containing(60), [70, usize::MAX]);
        let mut used = all_scopes.clone();
        used.containing(15).for_each(drop);
        let mut unused: Vec<usize> = used.unused().into_iter().map(|(index, _)| index).collect();
        unused.sort();
        assert_eq!(unused, [4, 5, 6, 7], "both names of 10..50 are used");
    }

    #[test]
    fn prefers_a_valid_suppression() {
        let mut scopes =
            Scopes::new(vec![Scope::new(1..5, None, (0, 0)), Scope::new(1..5, Some(1), (1, 0))]);
        assert_eq!(
            scopes.containing(1).map(|scope| scope.valid_suppression).collect::<Vec<_>>(),
            [Some(1)]
        );
    }
}
