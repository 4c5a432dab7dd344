//! Message patterns, and an index that searches a line for all of them at once.
//!
//! For each message, four consecutive bytes of its longest piece are indexed; where they occur in a
//! line, the whole message is compared. The time is linear in the length of the line, regardless of
//! the number of messages, plus some hundred bytes of comparison for each candidate.

use std::ops::Range;

use foldhash::{HashMap, HashMapExt};
use memchr::memmem;

/// A message pattern: pieces in order, with gaps that match anything.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The pieces in lower case; none is empty.
    pieces: Vec<Vec<u8>>,
    /// The index of the longest piece.
    anchor: usize,
}

/// Maximum length of a gap in bytes; paths and JSON descriptions of devices fit.
const MAX_GAP_BYTES: usize = 600;

/// Number of consecutive bytes that are indexed.
const GRAM: usize = 4;

impl Pattern {
    /// Parses a message in which `{}` stands for variable text; returns `None` if no piece is long
    /// enough to be indexed.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let pieces: Vec<Vec<u8>> = lower
            .split("{}")
            .filter(|piece| !piece.is_empty())
            .map(|piece| piece.as_bytes().to_vec())
            .collect();
        let (anchor, longest) = pieces.iter().enumerate().max_by_key(|(_, piece)| piece.len())?;
        (longest.len() >= GRAM).then_some(Pattern { anchor, pieces })
    }

    /// The number of fixed bytes, as a measure of how specific the message is.
    pub fn weight(&self) -> usize {
        self.pieces.iter().map(Vec::len).sum()
    }

    /// Returns the byte range of the message if its anchor (the longest piece) is at `start`.
    fn matches(&self, line: &[u8], start: usize) -> Option<Range<usize>> {
        let anchor = &self.pieces[self.anchor];
        if !line[start..].starts_with(anchor) {
            return None;
        }
        let mut span = start..start + anchor.len();
        for piece in self.pieces[..self.anchor].iter().rev() {
            let from = span.start.saturating_sub(MAX_GAP_BYTES + piece.len());
            span.start = from + memmem::rfind(&line[from..span.start], piece)?;
        }
        for piece in &self.pieces[self.anchor + 1..] {
            let to = line.len().min(span.end + MAX_GAP_BYTES + piece.len());
            span.end += memmem::find(&line[span.end..to], piece)? + piece.len();
        }
        Some(span)
    }
}

/// Four consecutive bytes as a number.
type Gram = u32;

/// An index of messages for searching.
#[derive(Clone, Debug)]
pub struct Index {
    patterns: Vec<Pattern>,
    /// For each gram, the indices of the messages whose anchor contains it, and its offset in the
    /// anchor.
    places: HashMap<Gram, Vec<(usize, usize)>>,
    /// A bit for each hash of a gram in `places`; for most bytes of a log, checking it suffices.
    filter: Vec<u64>,
}

impl Index {
    /// Builds the index.
    pub fn new(patterns: Vec<Pattern>) -> Self {
        let mut counts: HashMap<Gram, usize> = HashMap::new();
        for gram in patterns.iter().flat_map(|pattern| grams(&pattern.pieces[pattern.anchor])) {
            *counts.entry(gram).or_default() += 1;
        }
        let mut index = Index {
            patterns: Vec::new(),
            places: HashMap::new(),
            filter: vec![0; 1 << (HASH_BITS - 6)],
        };
        for (number, pattern) in patterns.iter().enumerate() {
            // The rarest gram needs the fewest comparisons.
            let rarest = grams(&pattern.pieces[pattern.anchor])
                .enumerate()
                .min_by_key(|(_, gram)| counts.get(gram).copied());
            if let Some((offset, gram)) = rarest {
                index.places.entry(gram).or_default().push((number, offset));
                index.filter[hash(gram) >> 6] |= 1 << (hash(gram) & 63);
            }
        }
        Index { patterns, ..index }
    }

    /// Finds the messages in a line, which must be in lower case. Returns the index of each message
    /// once, with the byte range of its first occurrence.
    pub fn find(&self, line: &[u8]) -> Vec<(usize, Range<usize>)> {
        let mut matches: Vec<(usize, Range<usize>)> = Vec::new();
        let mut gram: Gram = 0;
        for (at, byte) in line.iter().enumerate() {
            gram = gram << 8 | Gram::from(*byte);
            if self.filter[hash(gram) >> 6] >> (hash(gram) & 63) & 1 == 0 || at + 1 < GRAM {
                continue;
            }
            for (number, offset) in self.places.get(&gram).into_iter().flatten() {
                let Some(start) = (at + 1 - GRAM).checked_sub(*offset) else { continue };
                if matches.iter().all(|(other, _)| other != number) {
                    matches.extend(
                        self.patterns[*number].matches(line, start).map(|span| (*number, span)),
                    );
                }
            }
        }
        matches
    }

    /// The message with this index.
    pub fn pattern(&self, number: usize) -> &Pattern {
        &self.patterns[number]
    }
}

const HASH_BITS: usize = 16;

/// Multiplicative hashing (Knuth, TAOCP 6.4): the upper bits depend on the whole gram.
fn hash(gram: Gram) -> usize {
    (gram.wrapping_mul(0x9e37_79b1) >> (Gram::BITS as usize - HASH_BITS)) as usize
}

fn grams(piece: &[u8]) -> impl Iterator<Item = Gram> {
    piece
        .windows(GRAM)
        .map(|bytes| bytes.iter().fold(0, |gram, byte| gram << 8 | Gram::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(texts: &[&str]) -> Index {
        Index::new(texts.iter().map(|text| Pattern::parse(text).unwrap()).collect())
    }

    #[test]
    fn finds_messages_with_any_variable_text() {
        let index = index(&[
            "mediated device '{}' not found",
            "there is no device \"{}\" defined",
            "{}: invalid option",
            "device {} of {} gone",
        ]);
        let matches_in = |line: &'static str| {
            index
                .find(line.as_bytes())
                .into_iter()
                .map(|(number, span)| (number, &line[span]))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            matches_in("x: mediated device 'a-b' not found."),
            [(0, "mediated device 'a-b' not found")]
        );
        assert_eq!(
            matches_in("there is no device \"\" defined"),
            [(1, "there is no device \"\" defined")]
        );
        assert_eq!(matches_in("device a of b gone"), [(3, "device a of b gone")]);
        assert_eq!(
            matches_in(
                "mediated device 'a' not found; mediated device 'b' not found; -x: invalid option"
            )
            .len(),
            2,
            "each once"
        );
        for other in [
            "",
            "a",
            "mediated device 'a' is found",
            "not found mediated device '",
            "there is no device",
            "device a of b",
        ] {
            assert_eq!(matches_in(other), [], "{other}");
        }
    }

    #[test]
    fn gaps_have_a_maximum_length() {
        let index = index(&["mediated device '{}' not found"]);
        for (length, count) in [(MAX_GAP_BYTES, 1), (MAX_GAP_BYTES + 1, 0)] {
            assert_eq!(
                index
                    .find(format!("mediated device '{}' not found", "a".repeat(length)).as_bytes())
                    .len(),
                count
            );
        }
    }

    #[test]
    fn rejects_messages_without_a_long_piece() {
        for text in ["", "{}", "abc{}", "{}ab{}cd"] {
            assert!(Pattern::parse(text).is_none(), "{text}");
        }
    }
}
