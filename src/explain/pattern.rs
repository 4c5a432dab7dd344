//! Messages with places that vary, and all of them looked for at once in a line.
//!
//! Of each message four bytes in a row are looked for, of its longest piece; where they stand, the
//! rest is compared. So the time is that of one look at each byte, however many messages are known,
//! and at most some hundred bytes around each place that looks like one.

use std::collections::HashMap;
use std::ops::Range;

use memchr::memmem;

/// A message: pieces that follow each other, with anything between them.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// In lower case; none is empty.
    pieces: Vec<Vec<u8>>,
    /// The longest of them.
    anchor: usize,
}

/// What may stand in a place that varies, in bytes: paths and JSON descriptions of devices fit.
const MAX_GAP_BYTES: usize = 600;

/// So many bytes are looked for first.
const GRAM: usize = 4;

impl Pattern {
    /// Reads a message in which `{}` stands for what varies; None where no piece of it is long
    /// enough to be looked for.
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

    /// How many letters of it do not vary: the more, the more it says.
    pub fn weight(&self) -> usize {
        self.pieces.iter().map(Vec::len).sum()
    }

    /// Where all of it stands, if its anchor begins here.
    fn matches(&self, line: &[u8], start: usize) -> Option<Range<usize>> {
        let anchor = &self.pieces[self.anchor];
        if !line[start..].starts_with(anchor) {
            return None;
        }
        let mut place = start..start + anchor.len();
        for piece in self.pieces[..self.anchor].iter().rev() {
            let from = place.start.saturating_sub(MAX_GAP_BYTES + piece.len());
            place.start = from + memmem::rfind(&line[from..place.start], piece)?;
        }
        for piece in &self.pieces[self.anchor + 1..] {
            let to = line.len().min(place.end + MAX_GAP_BYTES + piece.len());
            place.end += memmem::find(&line[place.end..to], piece)? + piece.len();
        }
        Some(place)
    }
}

/// Four bytes in a row, as a number.
type Gram = u32;

/// Messages, ready to be looked for.
#[derive(Clone, Debug)]
pub struct Index {
    patterns: Vec<Pattern>,
    /// The messages that have these bytes in their anchor, and how far from its beginning.
    places: HashMap<Gram, Vec<(usize, usize)>>,
    /// A bit for each hash of a gram that is in `places`: most bytes of a log need no more than a
    /// look at it.
    filter: Vec<u64>,
}

impl Index {
    /// Makes these messages ready.
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
            // What few messages have is compared least often.
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

    /// The messages in a line that is in lower case: their numbers, each once, and where the first
    /// of each stands.
    pub fn find(&self, line: &[u8]) -> Vec<(usize, Range<usize>)> {
        let mut found: Vec<(usize, Range<usize>)> = Vec::new();
        let mut gram: Gram = 0;
        for (at, byte) in line.iter().enumerate() {
            gram = gram << 8 | Gram::from(*byte);
            if self.filter[hash(gram) >> 6] >> (hash(gram) & 63) & 1 == 0 || at + 1 < GRAM {
                continue;
            }
            for (number, offset) in self.places.get(&gram).into_iter().flatten() {
                let Some(start) = (at + 1 - GRAM).checked_sub(*offset) else { continue };
                if found.iter().all(|(other, _)| other != number) {
                    found.extend(
                        self.patterns[*number].matches(line, start).map(|place| (*number, place)),
                    );
                }
            }
        }
        found
    }

    /// The message of a number.
    pub fn pattern(&self, number: usize) -> &Pattern {
        &self.patterns[number]
    }
}

const HASH_BITS: usize = 16;

/// Multiplicative hashing (Knuth, TAOCP 6.4): the upper bits depend on all of the gram.
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
    fn messages_are_found_whatever_varies() {
        let index = index(&[
            "mediated device '{}' not found",
            "there is no device \"{}\" defined",
            "{}: invalid option",
            "device {} of {} gone",
        ]);
        let found = |line: &'static str| {
            index
                .find(line.as_bytes())
                .into_iter()
                .map(|(number, place)| (number, &line[place]))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            found("x: mediated device 'a-b' not found."),
            [(0, "mediated device 'a-b' not found")]
        );
        assert_eq!(
            found("there is no device \"\" defined"),
            [(1, "there is no device \"\" defined")]
        );
        assert_eq!(found("device a of b gone"), [(3, "device a of b gone")]);
        assert_eq!(
            found(
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
            assert_eq!(found(other), [], "{other}");
        }
    }

    #[test]
    fn a_hole_is_not_longer_than_what_varies_can_be() {
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
    fn what_has_no_piece_to_look_for_is_no_pattern() {
        for text in ["", "{}", "abc{}", "{}ab{}cd"] {
            assert!(Pattern::parse(text).is_none(), "{text}");
        }
    }
}
