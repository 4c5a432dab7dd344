//! The types of vGPUs: the resources of each, and how many fit a GPU.
//!
//! Sizes, fences and resolutions are those of `vgpu_types` in Linux'
//! `drivers/gpu/drm/i915/gvt/vgpu.c`; what the host reserves for itself is in `gvt.h` next to it.
//! Guides often have the weights the wrong way round: a type `_N` has weight 16/N, and a higher
//! weight means more time.

/// The number of fence registers of each vGPU.
pub const FENCES: u32 = 4;

/// Memory in the aperture that the host reserves for itself (MB).
const HOST_LOW: u64 = 128;
/// Memory beyond the aperture that the host reserves for itself (MB).
const HOST_HIGH: u64 = 384;
/// All graphics memory of the GPU (MB).
const GRAPHICS_MEMORY: u64 = 4096;
/// The fence registers of the GPU, without those that the host reserves for itself.
const FREE_FENCES: u32 = 32 - 4;

/// A type of vGPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VgpuType {
    /// The number at the end of the name: the number of parts that the GPU is divided into.
    pub divisor: u32,
    /// Graphics memory that the CPU can access, in the aperture (MB).
    pub low: u64,
    /// Graphics memory beyond the aperture (MB).
    pub high: u64,
    /// The maximum resolution: width and height in pixels.
    pub resolution: (u32, u32),
}

/// All types, the largest first.
pub const TYPES: &[VgpuType] = &[
    VgpuType { divisor: 1, low: 512, high: 2048, resolution: (1920, 1200) },
    VgpuType { divisor: 2, low: 256, high: 1024, resolution: (1920, 1200) },
    VgpuType { divisor: 4, low: 128, high: 512, resolution: (1920, 1200) },
    VgpuType { divisor: 8, low: 64, high: 384, resolution: (1024, 768) },
];

impl VgpuType {
    /// The weight of this type when vGPUs compete for the GPU's time, relative to the weights of
    /// the others.
    pub fn weight(&self) -> u32 {
        16 / self.divisor
    }

    /// The number of vGPUs of this type that fit a GPU with this aperture (MB) and no other vGPUs.
    pub fn possible(&self, aperture: u64) -> u64 {
        let fit_low = aperture.saturating_sub(HOST_LOW) / self.low;
        let fit_high = GRAPHICS_MEMORY.saturating_sub(aperture + HOST_HIGH) / self.high;
        fit_low.min(fit_high).min(u64::from(FREE_FENCES / FENCES))
    }
}

/// All names of GVT-g types.
pub fn names() -> impl Iterator<Item = String> {
    ["i915-GVTg_V5_", "i915-GVTg_V4_"]
        .into_iter()
        .flat_map(|prefix| TYPES.iter().map(move |kind| format!("{prefix}{}", kind.divisor)))
}

/// Whether this is the name of a GVT-g type: the driver, the generation of the hardware, and the
/// number of vGPUs that share a GPU (Linux: drivers/gpu/drm/i915/gvt/vgpu.c, `GVTg_V%u_%s`).
pub fn is_type(name: &str) -> bool {
    let generation =
        ["i915-GVTg_V4_", "i915-GVTg_V5_"].iter().find_map(|prefix| name.strip_prefix(prefix));
    generation.is_some_and(|divisor| matches!(divisor, "1" | "2" | "4" | "8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn possible_counts_match_the_kernels_formula() {
        let counts =
            |aperture| TYPES.iter().rev().map(|kind| kind.possible(aperture)).collect::<Vec<_>>();
        // In the order _8, _4, _2, _1.
        assert_eq!(counts(128), [0, 0, 0, 0]);
        assert_eq!(counts(256), [2, 1, 0, 0]);
        assert_eq!(counts(512), [6, 3, 1, 0]);
        assert_eq!(counts(1024), [7, 5, 2, 1]);
        assert_eq!(counts(8192), [0, 0, 0, 0]);
    }

    #[test]
    fn smaller_types_have_lower_weights() {
        let weights: Vec<u32> = TYPES.iter().map(VgpuType::weight).collect();
        assert_eq!(weights, [16, 8, 4, 2]);
    }
}
