//! Reads the state of a machine from /sys, /proc and /etc below a root folder. No other module
//! reads these.

pub mod availability;
pub mod boot;
pub mod card;
pub mod checks;
pub mod confinement;
pub mod generation;
pub mod gpu;
pub mod hook;
pub mod installed;
pub mod kernel;
pub mod libvirt;
pub mod machine;
mod open_files;
pub mod owners;
mod probe;
mod root;
pub mod system;

pub use probe::Probe;
pub use root::Root;

use card::{Card, VgpuInstance};
use confinement::Confinement;
use kernel::Kernel;
use libvirt::Libvirt;
use machine::Machine;
use system::System;

/// The facts about a machine that the checks use.
#[derive(Clone, Debug)]
pub struct Host {
    /// The operating system, which decides how files and boot entries are written.
    pub system: System,
    /// Whether it is a guest or a container, and what its processor and kernel support.
    pub machine: Machine,
    /// The display devices.
    pub cards: Probe<Vec<Card>>,
    /// The existing mediated devices.
    pub vgpus: Probe<Vec<VgpuInstance>>,
    /// The kernel: command line, parameters and modules.
    pub kernel: Kernel,
    /// The installed libvirt and QEMU, and libvirt's hooks.
    pub libvirt: Libvirt,
    /// The rules of AppArmor and SELinux that affect hooks and QEMU.
    pub confinement: Confinement,
}

impl Host {
    /// Reads all facts about a machine.
    pub fn read(root: &Root) -> Self {
        Host {
            system: System::read(root),
            machine: Machine::read(root),
            cards: card::cards(root),
            vgpus: card::existing(root),
            kernel: Kernel::read(root),
            libvirt: Libvirt::read(root),
            confinement: Confinement::read(root),
        }
    }

    /// The GPU on which vGPUs are created, as [`card_of`] selects it.
    pub fn card(&self) -> Option<&Card> {
        card_of(&self.cards)
    }
}

/// Selects the GPU on which vGPUs are created: an Intel GPU that offers vGPU types, else a GPU of a
/// generation with GVT-g, else the first Intel GPU.
pub fn card_of(cards: &Probe<Vec<Card>>) -> Option<&Card> {
    let cards = cards.as_present()?;
    let is_intel = |card: &&Card| card.gpu.vendor == 0x8086;
    let offers_types =
        |card: &&Card| card.types.as_present().is_some_and(|types| !types.is_empty());
    let has_gvtg = |card: &&Card| card.type_prefix().is_some();
    cards
        .iter()
        .filter(is_intel)
        .find(offers_types)
        .or_else(|| cards.iter().find(has_gvtg))
        .or_else(|| cards.iter().find(is_intel))
}
