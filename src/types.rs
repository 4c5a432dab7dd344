//! The types of vGPUs: what each has, and how many fit a GPU.
//!
//! Sizes, fences and resolutions are those of `vgpu_types` in Linux'
//! `drivers/gpu/drm/i915/gvt/vgpu.c`, what the host keeps for itself is in `gvt.h` beside it.
//! Guides give the weights the wrong way round: a type `_N` weighs 16/N, and more weight is more
//! time.

/// Fence registers of each vGPU.
pub const FENCES: u32 = 4;

/// What the host keeps, and what there is (MB, fences).
const HOST_LOW: u64 = 128;
const HOST_HIGH: u64 = 384;
const GRAPHICS_MEMORY: u64 = 4096;
const FREE_FENCES: u32 = 32 - 4;

/// A kind of vGPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VgpuType {
    /// The number at the name's end: the GPU is divided into so many.
    pub divisor: u32,
    /// Graphics memory that the processor sees, in the aperture (MB).
    pub low: u64,
    /// Graphics memory beyond (MB).
    pub high: u64,
    /// The largest picture: width and height.
    pub resolution: (u32, u32),
}

/// All of them, the largest first.
pub const TYPES: &[VgpuType] = &[
    VgpuType { divisor: 1, low: 512, high: 2048, resolution: (1920, 1200) },
    VgpuType { divisor: 2, low: 256, high: 1024, resolution: (1920, 1200) },
    VgpuType { divisor: 4, low: 128, high: 512, resolution: (1920, 1200) },
    VgpuType { divisor: 8, low: 64, high: 384, resolution: (1024, 768) },
];

impl VgpuType {
    /// The share of the GPU's time that it gets where vGPUs compete, against others'.
    pub fn weight(&self) -> u32 {
        16 / self.divisor
    }

    /// How many of them fit a GPU with this aperture (MB), if there are no others.
    pub fn possible(&self, aperture: u64) -> u64 {
        let low = aperture.saturating_sub(HOST_LOW) / self.low;
        let high = GRAPHICS_MEMORY.saturating_sub(aperture + HOST_HIGH) / self.high;
        low.min(high).min(u64::from(FREE_FENCES / FENCES))
    }
}

/// The names that a GVT-g type can have.
pub fn names() -> impl Iterator<Item = String> {
    ["i915-GVTg_V5_", "i915-GVTg_V4_"]
        .into_iter()
        .flat_map(|prefix| TYPES.iter().map(move |kind| format!("{prefix}{}", kind.divisor)))
}

/// Whether a name is one that a GVT-g type can have: the driver's, the generation's, and how many
/// of it share a GPU (Linux: drivers/gpu/drm/i915/gvt/vgpu.c, `GVTg_V%u_%s`).
pub fn is_type(name: &str) -> bool {
    let generation =
        ["i915-GVTg_V4_", "i915-GVTg_V5_"].iter().find_map(|prefix| name.strip_prefix(prefix));
    generation.is_some_and(|share| matches!(share, "1" | "2" | "4" | "8"))
}

/// The kind that a type's name means; None for what no GVT-g has.
pub fn named(name: &str) -> Option<&'static VgpuType> {
    let (_, divisor) = name.strip_prefix("i915-GVTg_V")?.split_once('_')?;
    TYPES.iter().find(|kind| kind.divisor.to_string() == divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_what_the_kernels_formula_gives() {
        let fits =
            |aperture| TYPES.iter().rev().map(|kind| kind.possible(aperture)).collect::<Vec<_>>();
        // _8, _4, _2, _1
        assert_eq!(fits(128), [0, 0, 0, 0]);
        assert_eq!(fits(256), [2, 1, 0, 0]);
        assert_eq!(fits(512), [6, 3, 1, 0]);
        assert_eq!(fits(1024), [7, 5, 2, 1]);
        assert_eq!(fits(8192), [0, 0, 0, 0]);
    }

    #[test]
    fn a_smaller_type_weighs_less() {
        let weights: Vec<u32> = TYPES.iter().map(VgpuType::weight).collect();
        assert_eq!(weights, [16, 8, 4, 2]);
    }

    #[test]
    fn a_name_means_its_kind() {
        assert_eq!(named("i915-GVTg_V5_4").map(|kind| kind.low), Some(128));
        assert_eq!(named("i915-GVTg_V4_8").map(|kind| kind.resolution), Some((1024, 768)));
        for wrong in ["i915-GVTg_V5_3", "i915-GVTg_V5", "nvidia-63", ""] {
            assert_eq!(named(wrong), None, "{wrong}");
        }
    }
}
