//! The GPU itself: its vGPUs, what they take of it, and what the kernel answers to a create and a
//! remove.

use std::time::{Duration, Instant};

/// What kind of GPU it is, and where it misbehaves.
pub struct Model {
    pub pci: String,
    /// In MiB.
    pub aperture: u32,
    pub generation: String,
    /// The sizes it has, or none for all.
    pub sizes: Vec<u32>,
    /// How long after a create the vGPU appears.
    pub late: Duration,
    pub refuses: bool,
    /// No vGPU can be removed.
    pub keeps: bool,
    /// A vGPU in use can't be removed; else it is left half dead.
    pub keeps_busy: bool,
    /// Each vGPU has a device of its own, beside its group's.
    pub iommufd: bool,
}

/// A type of vGPU, and what one of them takes.
pub struct Size {
    /// The number that ends the type's name.
    pub number: u32,
    /// Memory that the CPU reaches through the aperture, in MiB.
    pub low: u32,
    /// The other graphics memory, in MiB.
    pub high: u32,
    pub fences: u32,
    pub resolution: &'static str,
}

/// vgpu.c, `intel_vgpu_configs`.
const SIZES: [Size; 4] = [
    Size { number: 8, low: 64, high: 384, fences: 4, resolution: "1024x768" },
    Size { number: 4, low: 128, high: 512, fences: 4, resolution: "1920x1200" },
    Size { number: 2, low: 256, high: 1024, fences: 4, resolution: "1920x1200" },
    Size { number: 1, low: 512, high: 2048, fences: 4, resolution: "1920x1200" },
];
/// What the host keeps: gvt.h, `HOST_LOW_GM_SIZE`, `HOST_HIGH_GM_SIZE` and `HOST_FENCE`.
const HOST_LOW: u32 = 128;
const HOST_HIGH: u32 = 384;
const HOST_FENCES: u32 = 4;
/// All graphics memory, in MiB, and all fences.
const MEMORY: u32 = 4096;
const FENCES: u32 = 32;

/// A vGPU that was created.
pub struct Vgpu {
    pub uuid: String,
    pub size: &'static Size,
    /// The number of its IOMMU group.
    pub group: u32,
    appears: Instant,
}

/// Why the kernel refused.
#[derive(Clone, Copy, Debug)]
pub enum Refusal {
    Invalid,
    Exists,
    NoSpace,
    Busy,
    InputOutput,
}

/// How a removal ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Removal {
    Gone,
    /// The node is gone, and what it took stays taken.
    HalfDead,
}

pub struct Gpu {
    pub model: Model,
    vgpus: Vec<Vgpu>,
    half_dead: Vec<Vgpu>,
}

impl Gpu {
    pub fn new(model: Model) -> Self {
        Self { model, vgpus: Vec::new(), half_dead: Vec::new() }
    }

    /// The types that this GPU lists: those of which it could hold one when it was empty.
    pub fn sizes(&self) -> impl Iterator<Item = &'static Size> {
        let room = self.model.aperture.saturating_sub(HOST_LOW);
        SIZES.iter().filter(move |size| {
            size.low <= room
                && (self.model.sizes.is_empty() || self.model.sizes.contains(&size.number))
        })
    }

    /// A type's name, as its folder has it.
    pub fn name(&self, size: &Size) -> String {
        format!("i915-GVTg_{}_{}", self.model.generation, size.number)
    }

    /// How many more of a type there is room for.
    pub fn available(&self, size: &Size) -> u32 {
        let taken = |of: fn(&Size) -> u32| {
            self.vgpus.iter().chain(&self.half_dead).map(|vgpu| of(vgpu.size)).sum::<u32>()
        };
        let low = self.model.aperture.saturating_sub(HOST_LOW + taken(|size| size.low));
        let high = MEMORY.saturating_sub(self.model.aperture + HOST_HIGH + taken(|size| size.high));
        let fences = (FENCES - HOST_FENCES).saturating_sub(taken(|size| size.fences));
        (low / size.low).min(high / size.high).min(fences / size.fences)
    }

    /// The vGPUs that can be seen.
    pub fn vgpus(&self) -> impl Iterator<Item = &Vgpu> {
        let now = Instant::now();
        self.vgpus.iter().filter(move |vgpu| vgpu.appears <= now)
    }

    pub fn vgpu(&self, uuid: &str) -> Option<&Vgpu> {
        self.vgpus().find(|vgpu| vgpu.uuid == uuid)
    }

    /// What was written to a type's `create`; gives the new vGPU's IOMMU group.
    pub fn create(&mut self, size: &'static Size, written: &[u8]) -> Result<u32, Refusal> {
        let uuid = uuid(written).ok_or(Refusal::Invalid)?;
        if self.vgpus.iter().any(|vgpu| vgpu.uuid == uuid) {
            return Err(Refusal::Exists);
        }
        if self.available(size) == 0 {
            return Err(Refusal::NoSpace);
        }
        if self.model.refuses {
            return Err(Refusal::InputOutput);
        }
        let taken =
            |group| self.vgpus.iter().chain(&self.half_dead).any(|vgpu| vgpu.group == group);
        let group = (0..).find(|&group| !taken(group)).ok_or(Refusal::NoSpace)?;
        self.vgpus.push(Vgpu { uuid, size, group, appears: Instant::now() + self.model.late });
        Ok(group)
    }

    /// What was written to a vGPU's `remove`: anything but a number is refused, and 0 does nothing.
    pub fn remove(
        &mut self,
        uuid: &str,
        written: &[u8],
        in_use: bool,
    ) -> Result<Option<Removal>, Refusal> {
        let text = str::from_utf8(written).map_err(|_| Refusal::Invalid)?;
        let number: u64 = text.trim_end_matches('\n').parse().map_err(|_| Refusal::Invalid)?;
        let Some(place) =
            self.vgpus.iter().position(|vgpu| vgpu.uuid == uuid).filter(|_| number != 0)
        else {
            return Ok(None);
        };
        if self.model.keeps {
            return Err(Refusal::Busy);
        }
        match (in_use, self.model.keeps_busy) {
            (true, true) => Err(Refusal::Busy),
            (true, false) => {
                self.half_dead.push(self.vgpus.remove(place));
                Ok(Some(Removal::HalfDead))
            }
            (false, _) => {
                self.vgpus.remove(place);
                Ok(Some(Removal::Gone))
            }
        }
    }
}

/// The uuid as the kernel names the device: lower case. mdev_sysfs.c, `create_store`: 36
/// characters, and one more at most.
fn uuid(written: &[u8]) -> Option<String> {
    let text = str::from_utf8(written.strip_suffix(b"\n").unwrap_or(written)).ok()?;
    let dashes = |(place, character): (usize, char)| match place {
        8 | 13 | 18 | 23 => character == '-',
        _ => character.is_ascii_hexdigit(),
    };
    (text.len() == 36 && text.char_indices().all(dashes)).then(|| text.to_ascii_lowercase())
}
