//! What a GPU offers of the types that there are.

use super::card::Card;
use crate::types::{TYPES, VgpuType};

/// A type on a GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What it has.
    pub kind: &'static VgpuType,
    /// Its name there.
    pub name: String,
    /// How many fit this GPU's aperture; None without a GPU, or where its aperture can't be read.
    pub possible: Option<u64>,
    /// How many more can be made now; None where the kernel does not list it.
    pub available: Option<u32>,
}

/// All types, and what of them this GPU can make. Without one they have the names that they have
/// from Skylake on.
pub fn offers(card: Option<&Card>) -> Vec<Offer> {
    let prefix = card.and_then(Card::type_prefix).unwrap_or("i915-GVTg_V5");
    let offer = |kind: &'static VgpuType| {
        let name = format!("{prefix}_{}", kind.divisor);
        let offered = card
            .and_then(|card| card.types.as_found()?.iter().find(|offered| offered.name == name));
        Offer {
            possible: card.and_then(|card| card.aperture).map(|aperture| kind.possible(aperture)),
            available: offered.and_then(|offered| offered.available),
            kind,
            name,
        }
    };
    TYPES.iter().map(offer).collect()
}
