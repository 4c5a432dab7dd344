//! Sets and maps of elements by their identity.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use super::ElementId;

/// A set of elements.
pub type ElementSet = HashSet<ElementId, BuildHasherDefault<IdHasher>>;

/// A map by elements.
pub type ElementMap<V> = HashMap<ElementId, V, BuildHasherDefault<IdHasher>>;

/// Hashes identities. They are numbers that the reader gives out one by one, so no document can
/// choose them to collide, and std's hasher, which is safe against that, takes ten times as long.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        // 2^64 divided by the golden ratio: numbers in a row are spread over all bits.
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
