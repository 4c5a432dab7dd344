//! Devices beside the vGPU.

use crate::change::Change;
use crate::domain::{Domain, PciAddress, attribute_span, parse_pci};
use crate::fragment::NewElement;
use crate::rules::Context;
use crate::rules::finding::Finding;
use crate::settings::Audio;
use crate::version::Version;
use crate::xml::Element;
use foldhash::HashSet;

fn pci_address(address: Element<'_>) -> Option<PciAddress> {
    let number = |name: &str, default: u32| match address.attribute(name) {
        None => Some(default),
        Some(text) => match text.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => text.parse().ok(),
        },
    };
    Some([number("domain", 0)?, number("bus", 0)?, number("slot", 0)?, number("function", 0)?])
}

/// The vGPU at a PCI address that another device has.
pub(super) fn forced_slot<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let domain = context.domain;
    let Some(vgpu) = domain.vgpu else { return Vec::new() };
    let is_pci = |address: &Element<'d>| address.attribute("type") == Some("pci");
    let Some(own) = vgpu.child("address").filter(is_pci) else { return Vec::new() };
    // 0000:00:00 is no address to libvirt, which finds one.
    let Some(wanted) = pci_address(own).filter(|wanted| wanted[..3] != [0, 0, 0]) else { return Vec::new() };
    let others = domain.devices.into_iter().flat_map(|devices| devices.children()).filter(|device| *device != vgpu);
    let finding = |what: &str| Finding::at(own).with_value("what", what).fixed_by(vec![Change::Remove(own)]);
    if let Some(what) = impossible_slot(domain, wanted) {
        return vec![finding(what)];
    }
    let taken = others.filter_map(|device| device.child("address")).filter(is_pci).find(|address| pci_address(*address) == Some(wanted));
    taken
        .filter(|address| address.parent().is_none_or(|device| !context.removed.contains(&device.id())))
        .map(|address| finding("another device has this PCI address").related_to(address.start_tag().span, "taken here"))
        .into_iter()
        .collect()
}

/// Why a device can't be in this slot (libvirt: src/conf/domain_addr.c `virDomainPCIAddressValidate`).
fn impossible_slot(domain: &Domain<'_>, [_, bus, slot, _]: PciAddress) -> Option<&'static str> {
    let controllers = domain.devices_named("controller").into_iter().filter(|controller| controller.attribute("type") == Some("pci"));
    let mut owners = controllers.filter(|controller| controller.attribute("index").and_then(|index| index.parse().ok()) == Some(bus));
    let is_port = matches!(owners.next()?.attribute("model"), Some("pcie-root-port" | "pcie-switch-downstream-port"));
    (is_port && slot != 0).then_some("behind this port is slot 0 and no other")
}

/// The integrated GPU itself handed to the guest: the host can make no vGPUs of it then.
pub(super) fn igpu_passthrough<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let domain = context.domain;
    let finding = |card: Element<'d>| {
        let place = source_address(card)?;
        let address = pci_address(place)?;
        let [bus_domain, bus, slot, function] = address;
        // An integrated GPU is on the first bus. What is behind the first function is a part of it, which the host's driver has made.
        let is_meant = || (bus_domain, bus, function) == (0, 0, 0) && domain.igd_property(card).is_some();
        let is_whole = parse_pci(domain.settings.pci()) == Some(address) || is_meant();
        let found = format!("{bus_domain:04x}:{bus:02x}:{slot:02x}.{function}");
        is_whole.then(|| Finding::at(place).with_value("found", found))
    };
    domain.pci_cards().filter_map(finding).collect()
}

/// Whether a PCI card is Intel's integrated GPU or a part of it.
pub(super) fn is_igpu<'d>(domain: &Domain<'d>, card: Element<'d>) -> bool {
    let [igpu, own] = [parse_pci(domain.settings.pci()), source_address(card).and_then(pci_address)]
        .map(|address| address.map(|at| [at[0], at[1], at[2]]));
    igpu.is_some() && igpu == own || domain.igd_property(card).is_some()
}

fn source_address(card: Element<'_>) -> Option<Element<'_>> {
    card.child("source")?.child("address")
}

/// The changes that give an `<audio>` this backend.
fn set_audio<'d>(audio: Element<'d>, wanted: &Audio) -> Vec<Change<'d>> {
    let attributes = wanted.attributes.iter().map(|(name, value)| Change::SetAttribute(audio, name.clone(), value.clone()));
    std::iter::once(Change::SetAttribute(audio, "type".into(), wanted.backend.clone())).chain(attributes).collect()
}

/// Sound that goes elsewhere than asked: nowhere, or where libvirt chooses.
pub(super) fn other_audio<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let domain = context.domain;
    let (Some(wanted), Some(devices)) = (domain.settings.audio(), domain.devices) else { return Vec::new() };
    let Some(sound) = domain.devices_named("sound").into_iter().next() else { return Vec::new() };
    let audios = domain.devices_named("audio");
    if audios.is_empty() {
        let new = NewElement::new("audio").with_attribute("id", "1").with_attribute("type", &wanted.backend);
        let new = wanted.attributes.iter().fold(new, |new, (name, value)| new.with_attribute(name, value));
        return vec![Finding::at(sound).with_value("found", "has no <audio>").fixed_by(vec![Change::Insert(devices, new)])];
    }
    if domain.settings.asked.audio.is_none() {
        return Vec::new();
    }
    // What SPICE or D-Bus carries is another rule's finding, or works.
    let others = audios
        .into_iter()
        .filter(|audio| !matches!(audio.attribute("type"), Some(kind) if kind == "spice" || kind == "dbus" || kind == wanted.backend));
    let finding = |audio: Element<'d>| {
        let found = format!("goes to {}", audio.attribute("type").unwrap_or("libvirt's choice"));
        Finding::within(audio, attribute_span(audio, "type")).with_value("found", found).fixed_by(set_audio(audio, wanted))
    };
    others.map(finding).collect()
}

/// Audio of a spice or D-Bus graphics that is not there, or goes.
pub(super) fn graphics_audio<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let domain = context.domain;
    // libvirt before 7.2 knows neither none nor a backend to choose: it has no <audio> for QEMU at all.
    let has_backends = domain.settings.libvirt >= Version::new(7, 2, 0);
    let staying = staying_graphics(context);
    let finding = |audio: Element<'d>| {
        let kind = lost_carrier(&staying, audio)?;
        let changes = match domain.settings.audio() {
            _ if !has_backends => vec![Change::Remove(audio)],
            Some(wanted) => set_audio(audio, wanted),
            None => vec![Change::SetAttribute(audio, "type".into(), "none".into())],
        };
        Some(Finding::within(audio, attribute_span(audio, "type")).with_value("found", kind).fixed_by(changes))
    };
    domain.devices_named("audio").into_iter().filter_map(finding).collect()
}

/// The types of the `<graphics>` that stay.
fn staying_graphics<'d>(context: &Context<'_, 'd>) -> HashSet<&'d str> {
    let graphics = context.domain.devices_named("graphics").into_iter().filter(|one| !context.removed.contains(&one.id()));
    graphics.filter_map(|one| one.attribute("type")).collect()
}

/// The type of the graphics that an `<audio>` goes over, where none of it stays.
fn lost_carrier<'d>(staying: &HashSet<&str>, audio: Element<'d>) -> Option<&'d str> {
    audio.attribute("type").filter(|kind| matches!(*kind, "spice" | "dbus") && !staying.contains(kind))
}

/// A kind of `<audio>` that this libvirt doesn't know: it came with a later one.
pub(super) fn unknown_audio<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let domain = context.domain;
    let is_known = |audio: &Element<'d>| match audio.attribute("type") {
        // Before 7.2 it was for bhyve, and wanted both directions.
        Some("oss") => {
            domain.settings.libvirt >= Version::new(7, 2, 0) || audio.child("input").is_some() && audio.child("output").is_some()
        }
        Some("dbus") => domain.settings.libvirt >= Version::new(8, 4, 0),
        Some("pipewire") => domain.settings.libvirt >= Version::new(9, 10, 0),
        _ => domain.settings.libvirt >= Version::new(7, 2, 0),
    };
    let audios = domain.devices_named("audio").into_iter();
    let staying = staying_graphics(context);
    let unknown = audios.filter(|audio| !is_known(audio) && lost_carrier(&staying, *audio).is_none());
    let finding = |audio: Element<'d>| {
        let found = audio.attribute("type").unwrap_or("");
        Finding::within(audio, attribute_span(audio, "type")).with_value("found", found).fixed_by(vec![Change::Remove(audio)])
    };
    unknown.map(finding).collect()
}
