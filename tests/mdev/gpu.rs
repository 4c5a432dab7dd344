//! The GPU: its vGPUs, the resources that they take, and the kernel's answers to `create` and
//! `remove`.

use std::time::{Duration, Instant};

/// The properties of the GPU, and its faults.
pub struct Model {
    pub pci: String,
    /// The size of the aperture in MiB.
    pub aperture: u32,
    pub generation: String,
    /// The sizes of vGPU that it supports; empty for all.
    pub sizes: Vec<u32>,
    /// The time from a create until the vGPU appears.
    pub late: Duration,
    /// Every create fails.
    pub refuses_create: bool,
    /// Every remove fails.
    pub refuses_remove: bool,
    /// Removing a vGPU in use fails; otherwise it is left half dead.
    pub refuses_remove_in_use: bool,
    /// Each vGPU has a device of its own next to its group's.
    pub iommufd: bool,
}

/// A type of vGPU, and the resources that one of them takes.
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
/// The resources that the host keeps: gvt.h, `HOST_LOW_GM_SIZE`, `HOST_HIGH_GM_SIZE` and `HOST_FENCE`.
const HOST_LOW: u32 = 128;
const HOST_HIGH: u32 = 384;
const HOST_FENCES: u32 = 4;
/// All graphics memory, in MiB, and all fences.
const MEMORY: u32 = 4096;
const FENCES: u32 = 32;

/// A created vGPU.
pub struct Vgpu {
    pub uuid: String,
    pub size: &'static Size,
    /// The number of its IOMMU group.
    pub group: u32,
    appears: Instant,
}

/// The kernel's reason to refuse a command.
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
    /// The device is gone, but its resources stay taken.
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

    /// The listed types: those of which one fits into the GPU without vGPUs.
    pub fn sizes(&self) -> impl Iterator<Item = &'static Size> {
        let room = self.model.aperture.saturating_sub(HOST_LOW);
        SIZES.iter().filter(move |size| {
            size.low <= room
                && (self.model.sizes.is_empty() || self.model.sizes.contains(&size.number))
        })
    }

    /// A type's name, which is that of its folder.
    pub fn name(&self, size: &Size) -> String {
        format!("i915-GVTg_{}_{}", self.model.generation, size.number)
    }

    /// The number of vGPUs of a type that still fit.
    pub fn available(&self, size: &Size) -> u32 {
        let taken = |resource: fn(&Size) -> u32| {
            self.vgpus.iter().chain(&self.half_dead).map(|vgpu| resource(vgpu.size)).sum::<u32>()
        };
        let low = self.model.aperture.saturating_sub(HOST_LOW + taken(|size| size.low));
        let high = MEMORY.saturating_sub(self.model.aperture + HOST_HIGH + taken(|size| size.high));
        let fences = (FENCES - HOST_FENCES).saturating_sub(taken(|size| size.fences));
        (low / size.low).min(high / size.high).min(fences / size.fences)
    }

    /// The vGPUs that have appeared.
    pub fn vgpus(&self) -> impl Iterator<Item = &Vgpu> {
        let now = Instant::now();
        self.vgpus.iter().filter(move |vgpu| vgpu.appears <= now)
    }

    pub fn vgpu(&self, uuid: &str) -> Option<&Vgpu> {
        self.vgpus().find(|vgpu| vgpu.uuid == uuid)
    }

    /// Handles a write to a type's `create`; returns the new vGPU's IOMMU group.
    pub fn create(&mut self, size: &'static Size, written: &[u8]) -> Result<u32, Refusal> {
        let uuid = uuid(written).ok_or(Refusal::Invalid)?;
        if self.vgpus.iter().any(|vgpu| vgpu.uuid == uuid) {
            return Err(Refusal::Exists);
        }
        if self.available(size) == 0 {
            return Err(Refusal::NoSpace);
        }
        if self.model.refuses_create {
            return Err(Refusal::InputOutput);
        }
        let taken =
            |group| self.vgpus.iter().chain(&self.half_dead).any(|vgpu| vgpu.group == group);
        let group = (0..).find(|&group| !taken(group)).ok_or(Refusal::NoSpace)?;
        self.vgpus.push(Vgpu { uuid, size, group, appears: Instant::now() + self.model.late });
        Ok(group)
    }

    /// Handles a write to a vGPU's `remove`: anything but a number is refused, and 0 does nothing.
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
        if self.model.refuses_remove {
            return Err(Refusal::Busy);
        }
        match (in_use, self.model.refuses_remove_in_use) {
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

/// The UUID in lower case, as the kernel names the device. mdev_sysfs.c, `create_store`: 36
/// characters and at most one more.
fn uuid(written: &[u8]) -> Option<String> {
    let text = str::from_utf8(written.strip_suffix(b"\n").unwrap_or(written)).ok()?;
    let dashes = |(place, character): (usize, char)| match place {
        8 | 13 | 18 | 23 => character == '-',
        _ => character.is_ascii_hexdigit(),
    };
    (text.len() == 36 && text.char_indices().all(dashes)).then(|| text.to_ascii_lowercase())
}
