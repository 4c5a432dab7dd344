//! Sets and maps keyed by [`ElementId`].

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use super::ElementId;

/// A set of elements.
pub type ElementSet = HashSet<ElementId, BuildHasherDefault<IdHasher>>;

/// A map keyed by elements.
pub type ElementMap<V> = HashMap<ElementId, V, BuildHasherDefault<IdHasher>>;

/// A hasher for element ids. roxmltree assigns them in sequence, so a document cannot choose them
/// to collide, and std's collision-resistant hasher takes ten times as long.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        // 2^64 divided by the golden ratio spreads consecutive numbers over all bits.
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
