//! GPUs as PCI devices, and their names in /dev/dri.

use super::generation::Generation;
use super::{Probe, Root};

/// The folder with PCI devices.
const DEVICES: &str = "/sys/bus/pci/devices";

/// A display device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// The PCI address, like `0000:00:02.0`.
    pub address: String,
    /// The PCI vendor id; 0x8086 is Intel.
    pub vendor: u16,
    /// The PCI device id.
    pub device: u16,
    /// The generation, by vendor and device id.
    pub generation: Generation,
}

impl Gpu {
    /// The vendor and device id as `lspci -nn` and `vfio-pci.ids` write them: `8086:5912`.
    pub fn id(&self) -> String {
        format!("{:04x}:{:04x}", self.vendor, self.device)
    }

    /// Describes the GPU for messages: generation, id and address.
    pub fn title(&self) -> String {
        format!("{} GPU ({}) at {}", self.generation.name(), self.id(), self.address)
    }
}

/// Reads the device at a PCI address; Absent if there is none.
pub fn read(root: &Root, address: &str) -> Probe<Gpu> {
    let number =
        |name: &str| root.line(&format!("{DEVICES}/{address}/{name}")).map(|text| hex(&text));
    let vendor = match number("vendor") {
        Probe::Present(vendor) => vendor,
        Probe::Absent => return Probe::Absent,
        Probe::Unreadable(why) => return Probe::Unreadable(why),
    };
    number("device").map(|device| Gpu {
        address: address.to_owned(),
        vendor,
        device,
        generation: Generation::from_ids(vendor, device),
    })
}

/// Lists all display devices, sorted by address.
pub fn all(root: &Root) -> Probe<Vec<Gpu>> {
    let is_display = |address: &String| {
        let class = root.line(&format!("{DEVICES}/{address}/class")).present();
        class.is_some_and(|class| class.starts_with("0x03"))
    };
    root.names(DEVICES).map(|names| {
        names
            .into_iter()
            .filter(is_display)
            .filter_map(|address| read(root, &address).present())
            .collect()
    })
}

/// The names in /dev/dri of the device at a PCI address, like `card0` and `renderD128`; empty if no
/// driver is bound to it.
pub fn render_devices(root: &Root, address: &str) -> Vec<String> {
    let names = root.names(&format!("{DEVICES}/{address}/drm")).present().unwrap_or_default();
    names
        .into_iter()
        .filter(|name| name.starts_with("card") || name.starts_with("renderD"))
        .collect()
}

/// Parses a number as /sys writes it, like `0x8086`; returns 0 for anything else.
fn hex(text: &str) -> u16 {
    u16::from_str_radix(text.trim_start_matches("0x"), 16).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_dri_devices_by_address() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        for name in ["card1", "renderD129", "controlD65"] {
            std::fs::create_dir_all(
                folder.path().join(&DEVICES[1..]).join("0000:00:02.0/drm").join(name),
            )
            .unwrap();
        }
        assert_eq!(render_devices(&root, "0000:00:02.0"), ["card1", "renderD129"]);
        assert_eq!(render_devices(&root, "0000:01:00.0"), [""; 0]);
    }
}
