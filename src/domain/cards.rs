//! PCI devices of the host that are passed to the guest: which ones can be graphics cards, and
//! which one is the integrated GPU or one of its SR-IOV functions.

use std::ops::Range;

use super::{
    Argument, Domain, PciAddress, attribute_span, is_graphics_card, parse_pci, pci_address,
};
use crate::qemu::{OptionList, Syntax};
use crate::xml::Element;

/// A PCI device of the host that can be a graphics card.
#[derive(Clone, Debug, PartialEq)]
pub struct Card<'d> {
    /// The `<hostdev>`, or the `<qemu:arg>` with the operand of its `-device`.
    pub device: Element<'d>,
    /// The span that names the host's device.
    pub place: Range<usize>,
    /// The device's address on the host.
    pub address: PciAddress,
    /// Whether it gets an `x-igd-` property, which only integrated Intel GPUs have.
    pub has_igd_property: bool,
}

impl Card<'_> {
    /// Formats the address as the kernel does: `0000:00:02.0`.
    pub fn shown_address(&self) -> String {
        let [bus_domain, bus, slot, function] = self.address;
        format!("{bus_domain:04x}:{bus:02x}:{slot:02x}.{function}")
    }
}

impl<'d> Domain<'d> {
    /// The `<hostdev>` elements that can be graphics cards.
    pub fn graphics_cards(&self) -> impl Iterator<Item = Element<'d>> {
        self.host_devices
            .iter()
            .map(|(device, _)| *device)
            .filter(|device| is_graphics_card(*device))
    }

    /// The cards with a valid address: first hostdevs, then those in QEMU arguments.
    pub fn cards(&self) -> &[Card<'d>] {
        self.cache.cards.get_or_init(|| {
            let operands = self
                .options
                .iter()
                .filter(|option| option.name == "device")
                .filter_map(|option| option.operand);
            self.graphics_cards()
                .filter_map(|device| self.card_of(device))
                .chain(operands.filter_map(card_of_argument))
                .collect()
        })
    }

    /// Describes a hostdev as a card; `None` if it has no valid source address.
    fn card_of(&self, device: Element<'d>) -> Option<Card<'d>> {
        let source = device.child("source")?.child("address")?;
        let has_igd_property = self.igd_property(device).is_some();
        Some(Card {
            device,
            place: source.start_tag().span,
            address: pci_address(source)?,
            has_igd_property,
        })
    }

    /// Whether a card is the integrated GPU itself: it has the address from the settings, or it is
    /// on the first bus and has a property that no other GPU has.
    pub fn is_whole_igpu(&self, card: &Card<'d>) -> bool {
        let [bus_domain, bus, _, function] = card.address;
        parse_pci(self.settings.pci()) == Some(card.address)
            || (bus_domain, bus, function) == (0, 0, 0) && card.has_igd_property
    }

    /// Whether a card is a virtual function of the integrated GPU, which the host's driver creates
    /// with SR-IOV.
    pub fn is_igpu_function(&self, card: &Card<'d>) -> bool {
        let igpu = parse_pci(self.settings.pci());
        igpu.is_some_and(|igpu| {
            igpu[..3] == card.address[..3] && igpu[3] == 0 && card.address[3] > 0
        })
    }

    /// Whether the guest has the integrated GPU itself.
    pub fn has_igpu(&self) -> bool {
        self.cards().iter().any(|card| {
            !self.is_igpu_function(card) && (self.is_whole_igpu(card) || card.has_igd_property)
        })
    }

    /// Whether the guest has a virtual function of the integrated GPU and no vGPU. No chip supports
    /// both SR-IOV and GVT-g, so it neither needs a vGPU nor can have one.
    pub fn is_served_by_sriov(&self) -> bool {
        !self.has_vgpu() && self.cards().iter().any(|card| self.is_igpu_function(card))
    }
}

/// Describes the device of a `-device` operand as a card; `None` if it is not a PCI device of the
/// host.
fn card_of_argument(operand: Argument<'_>) -> Option<Card<'_>> {
    let list = OptionList::parse(operand.value, Syntax::DEVICE).ok()?;
    if !matches!(list.get("driver")?, "vfio-pci" | "vfio-pci-nohotplug") {
        return None;
    }
    let host = list.get("host").or_else(|| {
        list.get("sysfsdev").and_then(|path| path.trim_end_matches('/').rsplit('/').next())
    })?;
    // QEMU also accepts an address without the PCI domain.
    let address = parse_pci(host).or_else(|| parse_pci(&format!("0000:{host}")))?;
    let has_igd_property = list.iter().any(|(name, _)| name.starts_with("x-igd-"));
    Some(Card {
        device: operand.element,
        place: attribute_span(operand.element, "value"),
        address,
        has_igd_property,
    })
}
