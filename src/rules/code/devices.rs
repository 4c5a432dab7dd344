//! Checks of devices other than the vGPU, and of PCI addresses.

use crate::domain::{Card, Domain, PciAddress, PropertySource, RawDevice, pci_address, user_alias};
use crate::fix::{Change, deliver};
use crate::qemu::property::is_on;
use crate::rules::Context;
use crate::rules::finding::Finding;
use crate::rules::risk::Risk;
use crate::version::Version;
use crate::xml::Element;
use crate::xml::fragment::NewElement;

/// Finds a vGPU at a PCI address that another device has, or that no device can have.
pub(super) fn forced_slot<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let Some(vgpu) = domain.vgpu else { return Vec::new() };
    let is_pci = |address: &Element<'d>| address.attribute("type") == Some("pci");
    let Some(vgpu_address) = vgpu.child("address").filter(is_pci) else { return Vec::new() };
    // libvirt treats 0000:00:00 as unset and assigns an address.
    let Some(slot) = pci_address(vgpu_address).filter(|slot| slot[..3] != [0, 0, 0]) else {
        return Vec::new();
    };
    let others = domain
        .devices
        .into_iter()
        .flat_map(|devices| devices.children())
        .filter(|device| *device != vgpu);
    let finding_because = |what: &str| {
        Finding::at(context.rule, vgpu_address)
            .with_value("what", what)
            .fixed_by(vec![Change::Remove(vgpu_address)])
    };
    if let Some(what) = impossible_slot(domain, slot) {
        return vec![finding_because(what)];
    }
    let conflicting_address = others
        .filter_map(|device| device.child("address"))
        .filter(is_pci)
        .find(|address| pci_address(*address) == Some(slot));
    conflicting_address
        .filter(|address| {
            address.parent().is_none_or(|device| !context.removed.contains(&device.id()))
        })
        .map(|address| {
            finding_because("another device already has this PCI address")
                .related_to(address.start_tag().span, "used here")
        })
        .into_iter()
        .collect()
}

/// Returns why no device can be in this slot, or `None` if one can (libvirt: src/conf/domain_addr.c
/// `virDomainPCIAddressValidate`).
fn impossible_slot(domain: &Domain<'_>, [_, bus, slot, _]: PciAddress) -> Option<&'static str> {
    let controllers = domain
        .devices_named("controller")
        .into_iter()
        .filter(|controller| controller.attribute("type") == Some("pci"));
    let mut owners = controllers.filter(|controller| {
        controller.attribute("index").and_then(|index| index.parse().ok()) == Some(bus)
    });
    let is_port = matches!(
        owners.next()?.attribute("model"),
        Some("pcie-root-port" | "pcie-switch-downstream-port")
    );
    (is_port && slot != 0).then_some("this address is on a PCIe port, which has only slot 0")
}

/// Finds the integrated GPU itself passed through to the guest: the host then cannot create vGPUs
/// on it.
pub(super) fn igpu_passthrough<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    domain
        .cards()
        .iter()
        .filter(|card| domain.is_whole_igpu(card))
        .map(|card| at_address(context, card))
        .collect()
}

/// Finds a virtual function of the integrated GPU.
pub(super) fn igpu_function<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    domain
        .cards()
        .iter()
        .filter(|card| domain.is_igpu_function(card))
        .map(|card| at_address(context, card))
        .collect()
}

fn at_address<'d, 'r>(context: &Context<'_, 'd, 'r>, card: &Card<'d>) -> Finding<'d, 'r> {
    Finding::within(context.rule, card.device, card.place.clone())
        .with_value("found", card.shown_address())
}

/// Finds an emulated VT-d without caching mode. Without it, QEMU does not see the guest's mappings,
/// which vfio needs for every host device.
pub(super) fn caching_mode<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let iommus = domain.devices_named("iommu").into_iter().enumerate();
    let emulated = iommus.filter(|(_, iommu)| iommu.attribute("model") == Some("intel"));
    let raw = domain.raw_devices().iter().filter(|raw| raw.driver() == VT_D);
    let element_findings =
        emulated.filter_map(|(index, iommu)| caching_mode_of_element(context, index, iommu));
    element_findings.chain(raw.filter_map(|raw| caching_mode_of_argument(context, raw))).collect()
}

/// QEMU's driver of an emulated VT-d.
const VT_D: &str = "intel-iommu";
/// The property's name in QEMU; libvirt's attribute has an underscore.
const CACHING_MODE: &str = "caching-mode";

/// Checks an `<iommu>`. `-set` takes precedence over an override, an override over the attribute,
/// and the attribute over `-global`.
fn caching_mode_of_element<'d, 'r>(
    context: &Context<'_, 'd, 'r>,
    index: usize,
    iommu: Element<'d>,
) -> Option<Finding<'d, 'r>> {
    let domain = context.domain;
    let alias = user_alias(iommu).map_or_else(|| format!("iommu{index}"), str::to_owned);
    // libvirt 7.0 gives the device no id that -set could name.
    let set = || {
        domain
            .last_set(&alias, CACHING_MODE)
            .filter(|_| domain.set_reaches() && domain.override_reaches())
    };
    if let Some(set) = set() {
        let finding = || {
            Finding::at_attribute(context.rule, set.operand, "value").with_value("found", set.value)
        };
        return (!is_on(set.value))
            .then(|| finding().fixed_by(vec![Change::SetValue(set, "on".into())]));
    }
    if let Some(qemu_override) =
        domain.last_override(&alias, CACHING_MODE).filter(|_| domain.override_reaches())
    {
        let is_removed = qemu_override.kind == "remove";
        if !is_removed && is_on(qemu_override.value) {
            return None;
        }
        let finding = Finding::at_attribute(
            context.rule,
            qemu_override.element,
            if is_removed { "type" } else { "value" },
        );
        let changes = [("type", "bool"), ("value", "true")].map(|(name, value)| {
            Change::SetAttribute(qemu_override.element, name.into(), value.into())
        });
        return Some(
            finding
                .with_value(
                    "found",
                    if is_removed { "unset by this override" } else { qemu_override.value },
                )
                .fixed_by(changes.into()),
        );
    }
    let driver = iommu.child("driver");
    let value = driver.and_then(|driver| driver.attribute("caching_mode"));
    if value == Some("on")
        || value.is_none()
            && domain.global(VT_D, CACHING_MODE).is_some_and(|(value, _)| is_on(value))
    {
        return None;
    }
    let finding = match driver.filter(|_| value.is_some()) {
        Some(driver) => Finding::at_attribute(context.rule, driver, "caching_mode"),
        None => Finding::at(context.rule, driver.unwrap_or(iommu)),
    };
    let change = match driver {
        Some(driver) => Change::SetAttribute(driver, "caching_mode".into(), "on".into()),
        None => {
            Change::Insert(iommu, NewElement::new("driver").with_attribute("caching_mode", "on"))
        }
    };
    Some(finding.with_value("found", value.unwrap_or("not set")).fixed_by(vec![change]))
}

fn caching_mode_of_argument<'d, 'r>(
    context: &Context<'_, 'd, 'r>,
    raw: &RawDevice<'d>,
) -> Option<Finding<'d, 'r>> {
    let delivered = context.domain.raw_property(raw, CACHING_MODE);
    let current =
        delivered.as_ref().map_or("not set", |delivered| delivered.value.as_str()).to_owned();
    if is_on(&current) {
        return None;
    }
    let (place, change) = match delivered.map(|delivered| delivered.source) {
        Some(PropertySource::Set(set)) => (set.operand, Change::SetValue(set, "on".into())),
        _ => (
            raw.argument.element,
            Change::DeviceProperty(raw.argument.element, CACHING_MODE.into(), "true".into()),
        ),
    };
    Some(
        Finding::at_attribute(context.rule, place, "value")
            .with_value("found", current)
            .fixed_by(vec![change]),
    )
}

/// Finds host devices with `display='on'` in a domain without a `<graphics>` to show them.
pub(super) fn display_without_graphics<'d, 'r>(
    context: &Context<'_, 'd, 'r>,
) -> Vec<Finding<'d, 'r>> {
    const OF_VGPU: &str = "set display='off' here; for a QEMU window, turn on QEMU's own display property in <qemu:override> \
        (with -set before libvirt 8.5)";
    const OF_CARD: &str =
        "add a <graphics> that shows this card, or set display='off' and ramfb='off'";
    let domain = context.domain;
    if !domain.devices_named("graphics").is_empty() {
        return Vec::new();
    }
    // Older releases of libvirt drop the attribute on PCI devices.
    let has_cards = domain.settings.libvirt >= Version::new(10, 3, 0);
    let finding = |device: Element<'d>| {
        let value = device.attribute("display")?;
        let is_card = device.attribute("type") == Some("pci");
        let is_wrong = if is_card {
            has_cards && value == "on"
        } else {
            device.attribute("type") == Some("mdev") && value != "off"
        };
        if !is_wrong {
            return None;
        }
        let mut changes = vec![Change::SetAttribute(device, "display".into(), "off".into())];
        let property =
            if domain.vgpu == Some(device) { deliver(domain, "display", "on") } else { Vec::new() };
        let gives_property = !property.is_empty();
        changes.extend(property);
        // QEMU: "ramfb=on requires display=on".
        if is_card && device.attribute("ramfb") == Some("on") {
            changes.push(Change::SetAttribute(device, "ramfb".into(), "off".into()));
        }
        let finding =
            Finding::at_attribute(context.rule, device, "display").with_value("found", value);
        let finding =
            finding.with_value("other", if is_card { OF_CARD } else { OF_VGPU }).fixed_by(changes);
        Some(Finding { gives_property, risk: is_card.then_some(Risk::Card), ..finding })
    };
    domain.devices_named("hostdev").into_iter().filter_map(finding).collect()
}
