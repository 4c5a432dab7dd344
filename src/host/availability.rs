//! The vGPU types, and how many of each a GPU can have.

use super::card::Card;
use crate::vgpu_types::{TYPES, VgpuType};

/// A vGPU type as offered by a GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The properties of the type.
    pub kind: &'static VgpuType,
    /// The type's name on this GPU.
    pub name: String,
    /// The number of vGPUs that fit the GPU's aperture; `None` without a GPU, or if its aperture
    /// cannot be read.
    pub possible: Option<u64>,
    /// The number of vGPUs that can still be created; `None` if the kernel does not list the type.
    pub available: Option<u32>,
}

/// Lists all types with what this GPU offers. Without a GPU, they have the names used since
/// Skylake.
pub fn offers(card: Option<&Card>) -> Vec<Offer> {
    let prefix = card.and_then(Card::type_prefix).unwrap_or("i915-GVTg_V5");
    let offer = |kind: &'static VgpuType| {
        let name = format!("{prefix}_{}", kind.divisor);
        let type_offered = card
            .and_then(|card| card.types.as_present()?.iter().find(|offered| offered.name == name));
        Offer {
            possible: card.and_then(|card| card.aperture).map(|aperture| kind.possible(aperture)),
            available: type_offered.and_then(|offered| offered.available),
            kind,
            name,
        }
    };
    TYPES.iter().map(offer).collect()
}
