//! The generations of Intel's GPUs, by device id.
//!
//! The device ids are those of Linux's `include/drm/intel/pciids.h`. The generations with GVT-g are
//! those that `is_supported_device()` in `drivers/gpu/drm/i915/intel_gvt.c` accepts: Broadwell,
//! Skylake, Broxton, Kaby Lake, Coffee Lake and Comet Lake.

/// A generation of GPUs, as far as GVT-g support differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// Before Broadwell.
    Older,
    /// The only generation with `V4` types.
    Broadwell,
    /// 6th generation.
    Skylake,
    /// Apollo Lake, a Pentium or Celeron.
    Broxton,
    /// 7th generation, and Amber Lake.
    KabyLake,
    /// 8th and 9th generation, and Whiskey Lake.
    CoffeeLake,
    /// 10th generation, the last one with GVT-g.
    CometLake,
    /// A generation without GVT-g that is not older than Broadwell, by name.
    Newer(&'static str),
    /// An Intel GPU whose id is not in the table.
    Unknown,
    /// A GPU of another vendor.
    Other,
}

impl Generation {
    /// The generation of a PCI device.
    pub fn from_ids(vendor: u16, device: u16) -> Self {
        if vendor != 0x8086 {
            return Generation::Other;
        }
        TABLE
            .iter()
            .find(|(_, ids)| ids.contains(&device))
            .map_or(Generation::Unknown, |(generation, _)| *generation)
    }

    /// The name of the generation.
    pub fn name(self) -> &'static str {
        match self {
            Generation::Older => "pre-Broadwell",
            Generation::Broadwell => "Broadwell",
            Generation::Skylake => "Skylake",
            Generation::Broxton => "Apollo Lake",
            Generation::KabyLake => "Kaby Lake",
            Generation::CoffeeLake => "Coffee Lake",
            Generation::CometLake => "Comet Lake",
            Generation::Newer(name) => name,
            Generation::Unknown => "unknown Intel",
            Generation::Other => "non-Intel",
        }
    }

    /// The prefix of its vGPU types, `i915-GVTg_V4` or `i915-GVTg_V5`; `None` without GVT-g.
    ///
    /// Linux's `drivers/gpu/drm/i915/gvt/vgpu.c` uses 4 for graphics version 8 (Broadwell) and 5
    /// for version 9.
    pub fn type_prefix(self) -> Option<&'static str> {
        match self {
            Generation::Broadwell => Some("i915-GVTg_V4"),
            Generation::Skylake
            | Generation::Broxton
            | Generation::KabyLake
            | Generation::CoffeeLake
            | Generation::CometLake => Some("i915-GVTg_V5"),
            _ => None,
        }
    }
}

/// The device ids of each generation.
const TABLE: &[(Generation, &[u16])] = &[
    (
        Generation::Older,
        &[
            0x0042, 0x0046, 0x0102, 0x0106, 0x010a, 0x0112, 0x0116, 0x0122, 0x0126, 0x0152, 0x0156,
            0x015a, 0x0162, 0x0166, 0x016a, 0x0402, 0x0406, 0x040a, 0x040b, 0x040e, 0x0412, 0x0416,
            0x041a, 0x041b, 0x041e, 0x0422, 0x0426, 0x042a, 0x042b, 0x042e, 0x0a02, 0x0a06, 0x0a0a,
            0x0a0b, 0x0a0e, 0x0a12, 0x0a16, 0x0a1a, 0x0a1b, 0x0a1e, 0x0a22, 0x0a26, 0x0a2a, 0x0a2b,
            0x0a2e, 0x0d02, 0x0d06, 0x0d0a, 0x0d12, 0x0d16, 0x0d1a, 0x0d22, 0x0d26, 0x0d2a, 0x0f30,
            0x0f31, 0x0f32, 0x0f33,
        ],
    ),
    (
        Generation::Broadwell,
        &[
            0x1602, 0x1606, 0x160a, 0x160b, 0x160d, 0x160e, 0x1612, 0x1616, 0x161a, 0x161b, 0x161d,
            0x161e, 0x1622, 0x1626, 0x162a, 0x162b, 0x162d, 0x162e, 0x1632, 0x1636, 0x163a, 0x163b,
            0x163d, 0x163e,
        ],
    ),
    (
        Generation::Skylake,
        &[
            0x1902, 0x1906, 0x190a, 0x190b, 0x190e, 0x1912, 0x1913, 0x1915, 0x1916, 0x1917, 0x191a,
            0x191b, 0x191d, 0x191e, 0x1921, 0x1923, 0x1926, 0x1927, 0x192a, 0x192b, 0x192d, 0x1932,
            0x193a, 0x193b, 0x193d,
        ],
    ),
    (Generation::Broxton, &[0x0a84, 0x1a84, 0x1a85, 0x5a84, 0x5a85]),
    (
        Generation::KabyLake,
        &[
            0x5902, 0x5906, 0x5908, 0x590a, 0x590b, 0x590e, 0x5912, 0x5913, 0x5915, 0x5916, 0x5917,
            0x591a, 0x591b, 0x591c, 0x591d, 0x591e, 0x5921, 0x5923, 0x5926, 0x5927, 0x593b, 0x87c0,
        ],
    ),
    (
        Generation::CoffeeLake,
        &[
            0x3e90, 0x3e91, 0x3e92, 0x3e93, 0x3e94, 0x3e96, 0x3e98, 0x3e99, 0x3e9a, 0x3e9b, 0x3e9c,
            0x3ea0, 0x3ea1, 0x3ea2, 0x3ea3, 0x3ea4, 0x3ea5, 0x3ea6, 0x3ea7, 0x3ea8, 0x3ea9, 0x87ca,
        ],
    ),
    (
        Generation::CometLake,
        &[
            0x9b21, 0x9b41, 0x9ba2, 0x9ba4, 0x9ba5, 0x9ba8, 0x9baa, 0x9bac, 0x9bc2, 0x9bc4, 0x9bc5,
            0x9bc6, 0x9bc8, 0x9bca, 0x9bcc, 0x9be6, 0x9bf6,
        ],
    ),
    (Generation::Newer("Cherry Trail"), &[0x22b0, 0x22b1, 0x22b2, 0x22b3]),
    (Generation::Newer("Gemini Lake"), &[0x3184, 0x3185]),
    (
        Generation::Newer("Ice Lake"),
        &[
            0x8a50, 0x8a51, 0x8a52, 0x8a53, 0x8a54, 0x8a56, 0x8a57, 0x8a58, 0x8a59, 0x8a5a, 0x8a5b,
            0x8a5c, 0x8a5d, 0x8a70, 0x8a71,
        ],
    ),
    (
        Generation::Newer("Elkhart Lake or Jasper Lake"),
        &[0x4541, 0x4551, 0x4555, 0x4557, 0x4570, 0x4571, 0x4e51, 0x4e55, 0x4e57, 0x4e61, 0x4e71],
    ),
    (
        Generation::Newer("Tiger Lake"),
        &[0x9a40, 0x9a49, 0x9a59, 0x9a60, 0x9a68, 0x9a70, 0x9a78, 0x9ac0, 0x9ac9, 0x9ad9, 0x9af8],
    ),
    (Generation::Newer("Rocket Lake"), &[0x4c80, 0x4c8a, 0x4c8b, 0x4c8c, 0x4c90, 0x4c9a]),
    (
        Generation::Newer("Alder Lake"),
        &[
            0x4626, 0x4628, 0x462a, 0x4680, 0x4682, 0x4688, 0x468a, 0x468b, 0x4690, 0x4692, 0x4693,
            0x46a0, 0x46a1, 0x46a2, 0x46a3, 0x46a6, 0x46a8, 0x46aa, 0x46b0, 0x46b1, 0x46b2, 0x46b3,
            0x46c0, 0x46c1, 0x46c2, 0x46c3, 0x46d0, 0x46d1, 0x46d2, 0x46d3, 0x46d4,
        ],
    ),
    (
        Generation::Newer("Raptor Lake"),
        &[
            0xa720, 0xa721, 0xa780, 0xa781, 0xa782, 0xa783, 0xa788, 0xa789, 0xa78a, 0xa78b, 0xa7a0,
            0xa7a1, 0xa7a8, 0xa7a9, 0xa7aa, 0xa7ab, 0xa7ac, 0xa7ad,
        ],
    ),
    (Generation::Newer("Meteor Lake"), &[0x7d40, 0x7d45, 0x7d55, 0x7d60, 0x7dd5]),
    (Generation::Newer("Arrow Lake"), &[0x7d41, 0x7d51, 0x7d67, 0x7dd1, 0xb640]),
    (Generation::Newer("Lunar Lake"), &[0x6420, 0x64a0, 0x64b0]),
    (
        Generation::Newer("Panther Lake"),
        &[
            0xb080, 0xb081, 0xb082, 0xb083, 0xb084, 0xb085, 0xb086, 0xb087, 0xb08f, 0xb090, 0xb0a0,
            0xb0b0,
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_device_ids_to_generations() {
        let generation = |device| Generation::from_ids(0x8086, device);
        // HD 5500 of a 5300U, HD 530 of a 6700K, HD 630 of a 7700K, UHD 630 of an 8700K, UHD 620 of
        // an 8565U, UHD 630 of a 10700K.
        assert_eq!(generation(0x1616), Generation::Broadwell);
        assert_eq!(generation(0x1912), Generation::Skylake);
        assert_eq!(generation(0x5912), Generation::KabyLake);
        assert_eq!(generation(0x3e92), Generation::CoffeeLake);
        assert_eq!(generation(0x3ea0), Generation::CoffeeLake);
        assert_eq!(generation(0x9bc5), Generation::CometLake);
        assert_eq!(generation(0x5a85), Generation::Broxton);
        // Haswell, Gemini Lake, Xe graphics of an 1165G7, an Arc A770, a Radeon.
        assert_eq!(generation(0x0412), Generation::Older);
        assert_eq!(generation(0x3185).type_prefix(), None);
        assert_eq!(generation(0x9a49).name(), "Tiger Lake");
        assert_eq!(generation(0x56a0), Generation::Unknown);
        assert_eq!(Generation::from_ids(0x1002, 0x1616), Generation::Other);
    }

    #[test]
    fn uses_v4_types_on_broadwell_only() {
        assert_eq!(Generation::Broadwell.type_prefix(), Some("i915-GVTg_V4"));
        assert_eq!(Generation::Broxton.type_prefix(), Some("i915-GVTg_V5"));
        assert_eq!(Generation::Older.type_prefix(), None);
    }

    #[test]
    fn lists_each_id_once() {
        let mut ids: Vec<u16> = TABLE.iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }
}
