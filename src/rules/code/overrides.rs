//! Checks of `<qemu:override>` and `<qemu:capabilities>`.

use crate::change::{Change, assign_alias, deliver};
use crate::domain::{EffectiveProperty, PropertySource, PropertySyntax, global_property};
use crate::domain::{Override, is_pci_card, is_vgpu, json_capability};
use crate::property::{PropertyType, to_override, to_set, type_of};
use crate::rules::Context;
use crate::rules::finding::Finding;
use crate::rules::risk::Risk;
use crate::xml::Element;
use foldhash::HashMap;

/// Finds overrides in a domain whose libvirt drops them.
pub(super) fn unsupported<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let domain = context.domain;
    let last: HashMap<(&str, &str), Element<'d>> = domain
        .overrides
        .iter()
        .map(|found| ((found.alias, found.property), found.element))
        .collect();
    let finding = |found: &Override<'d>| {
        let finding = Finding::at(found.element)
            .with_value("device", found.alias)
            .with_value("property", found.property);
        let means_vgpu = domain.override_means_vgpu(found) && domain.vgpu.is_some();
        let is_card = domain
            .host_device(found.alias)
            .is_some_and(|device| is_pci_card(device) || is_vgpu(device));
        // This libvirt drops the override. As -set, a property that the device does not have would
        // make QEMU exit.
        let is_known = (means_vgpu || is_card) && type_of(found.property).is_some();
        // The removal of a property, and a comment inside the element, cannot be written as -set.
        if !is_known || found.kind == "remove" || !found.element.is_empty() {
            return finding;
        }
        let mut changes = vec![Change::Remove(found.element)];
        // The last of several takes effect.
        if last.get(&(found.alias, found.property)) == Some(&found.element) {
            changes.extend(if means_vgpu {
                deliver(domain, found.property, found.value)
            } else {
                as_set(context, found)
            });
        }
        finding.fixed_by(changes)
    };
    domain.overrides.iter().map(finding).collect()
}

/// Returns the changes that set a property with `-set` on a device other than the vGPU.
fn as_set<'d>(context: &Context<'_, 'd>, found: &Override<'d>) -> Vec<Change<'d>> {
    let (alias, property) = (found.alias.to_owned(), found.property.to_owned());
    let set = Change::Set { alias, property, value: to_set(found.kind, found.value) };
    let capability = match context.domain.form() {
        PropertySyntax::Set(Some(capability)) => Some(Change::DeleteCapability(capability.into())),
        _ => None,
    };
    std::iter::once(set).chain(capability).collect()
}

/// Finds overrides for a device that does not exist or is not the vGPU.
pub(super) fn dangling<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let domain = context.domain;
    let mut findings = Vec::new();
    let device_of = |found: &Override<'d>| found.element.parent().and_then(Element::parent);
    for of_device in domain.overrides.chunk_by(|left, right| device_of(left) == device_of(right)) {
        let Some(device) = of_device.first().and_then(device_of) else { continue };
        let alias = device.attribute("alias").unwrap_or("");
        if domain.is_vgpu_alias(alias) {
            continue;
        }
        let means_vgpu = of_device.iter().any(|found| domain.override_means_vgpu(found));
        let is_missing = domain.host_device(alias).is_none();
        let is_checkable = alias.starts_with("hostdev")
            || alias.starts_with("ua-") && !domain.is_alias_taken(alias);
        if !(means_vgpu || is_missing && is_checkable) {
            continue;
        }
        let what = if is_missing {
            "does not exist: libvirt silently ignores the override"
        } else {
            "is not the vGPU: its properties go to the wrong device"
        };
        let finding = Finding::at_attribute(device, "alias")
            .with_value("device", alias)
            .with_value("what", what);
        if !means_vgpu || domain.vgpu.is_none() {
            findings.push(finding);
            continue;
        }
        let (own, mut changes) = (domain.vgpu_alias().to_owned(), assign_alias(domain));
        if is_missing {
            changes.push(Change::SetAttribute(device, "alias".into(), own));
        } else {
            for found in of_device.iter().filter(|found| domain.override_means_vgpu(found)) {
                changes.push(Change::Remove(found.element));
                changes.extend(deliver(domain, found.property, found.value));
            }
        }
        findings.push(finding.fixed_by(changes));
    }
    findings
}

/// Finds elements in an override other than a device's frontend, the only one that libvirt reads.
pub(super) fn misplaced<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let domain = context.domain;
    let devices = domain
        .blocks("override")
        .iter()
        .flat_map(|block| block.children())
        .filter(|child| child.is_qemu("device"));
    let mut findings = Vec::new();
    for device in devices {
        let alias = device.attribute("alias").unwrap_or("");
        for child in device.children().filter(|child| !child.is_qemu("frontend")) {
            let finding = Finding::at(child).with_value("device", alias);
            let text = |name| child.attribute(name).unwrap_or("").to_owned();
            let kind = [
                PropertyType::Bool,
                PropertyType::String,
                PropertyType::Unsigned,
                PropertyType::Signed,
            ]
            .into_iter()
            .find(|kind| kind.name() == text("type"));
            findings.push(match kind.filter(|_| child.is_qemu("property") && child.is_empty()) {
                Some(kind) => {
                    let (alias, property, value) = (alias.to_owned(), text("name"), text("value"));
                    let moved = Change::Override { alias, property, kind, value };
                    finding.fixed_by(vec![Change::Remove(child), moved])
                }
                None if child.is_empty() => finding.fixed_by(vec![Change::Remove(child)]),
                None => finding,
            });
        }
    }
    findings
}

/// Finds properties whose type or value libvirt or QEMU refuses.
pub(super) fn untyped<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    context.domain.overrides.iter().filter_map(|found| mistyped(found)).collect()
}

fn mistyped<'d>(found: &Override<'d>) -> Option<Finding<'d>> {
    let finding = |attribute: &str, what: &str| {
        Finding::at_attribute(found.element, attribute)
            .with_value("property", found.property)
            .with_value("found", found.value)
            .with_value("what", what)
    };
    if found.kind == "remove" {
        let has_value = found.element.attribute("value").is_some();
        let change = Change::RemoveAttribute(found.element, "value".into());
        return has_value.then(|| {
            finding("value", "type='remove' does not allow a value").fixed_by(vec![change])
        });
    }
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
    let wanted = type_of(found.property);
    let value_fits = match found.kind {
        // libvirt accepts a negative value here, but QEMU refuses it.
        "signed" if wanted == Some(PropertyType::Unsigned) => number(found.value),
        "bool" => matches!(found.value, "true" | "false"),
        "unsigned" => number(found.value),
        "signed" => number(found.value.strip_prefix('-').unwrap_or(found.value)),
        "string" => true,
        _ => false,
    };
    let type_fits = match wanted {
        None => matches!(found.kind, "bool" | "unsigned" | "signed" | "string"),
        Some(PropertyType::Unsigned | PropertyType::Signed) => {
            matches!(found.kind, "unsigned" | "signed")
        }
        Some(kind) => kind.name() == found.kind,
    };
    if value_fits && type_fits {
        return None;
    }
    let (attribute, what) = match (type_fits, wanted) {
        (true, _) => ("value", "the value does not fit the type"),
        (false, Some(kind)) => (
            "type",
            [
                "the type must be bool",
                "the type must be string",
                "the type must be unsigned",
                "the type must be signed",
            ][kind as usize],
        ),
        (false, None) => ("type", "the type must be string, bool, signed or unsigned"),
    };
    // A string property with a bool value is an enumeration with the words on and off.
    let value = if wanted == Some(PropertyType::String) {
        to_set(found.kind, found.value)
    } else {
        found.value.to_owned()
    };
    let typed = wanted.and_then(|kind| to_override(kind, &value).map(|value| (kind, value)));
    Some(match typed {
        Some((kind, value)) => finding(attribute, what).fixed_by(vec![
            Change::SetAttribute(found.element, "type".into(), kind.name().into()),
            Change::SetAttribute(found.element, "value".into(), value),
        ]),
        None => finding(attribute, what),
    })
}

/// Finds deleted capabilities that this libvirt does not know, or that have no effect there.
pub(super) fn retired_capability<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let domain = context.domain;
    let current = json_capability(domain.settings.libvirt);
    let retired = |del: &&Element<'d>| {
        let name = del.attribute("capability");
        matches!(name, Some("device.json" | "device.json+hotplug")) && name != current
    };
    let finding = |del: &Element<'d>| {
        Finding::at_attribute(*del, "capability").fixed_by(vec![Change::Remove(*del)])
    };
    domain.deleted_capabilities.iter().filter(retired).map(finding).collect()
}

/// Finds every `x-vga=on` for a vGPU, a property that vGPUs do not have. Reports all of them,
/// because removing the last one would put the previous one into effect.
pub(super) fn x_vga<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    const NAME: &str = "x-vga";
    let domain = context.domain;
    if let Some(EffectiveProperty { carrier: PropertySource::Device(argument), .. }) =
        domain.effective_property(NAME).filter(|delivered| delivered.value == "true")
    {
        return vec![
            Finding::at_attribute(argument.element, "value")
                .fixed_by(deliver(domain, NAME, "false")),
        ];
    }
    // Real graphics cards have VGA registers. An alias that matches no device is meant for the
    // vGPU.
    let is_vgpu = |alias: &str| match domain.raw_device(alias) {
        Some(device) => domain.raw_vgpu == Some(device.argument.element),
        None => {
            domain.vgpu.is_some()
                && (domain.is_vgpu_alias(alias) || domain.host_device(alias).is_none())
        }
    };
    let is_on = |value: &str| to_override(PropertyType::Bool, value).as_deref() == Some("true");
    let removed = |elements: &[Element<'d>], place: Element<'d>| {
        Finding::at_attribute(place, "value")
            .fixed_by(elements.iter().map(|element| Change::Remove(*element)).collect())
    };
    let sets = domain.sets.iter().filter(|set| set.property == NAME && is_vgpu(set.device));
    let sets = sets
        .filter(|set| is_on(set.value))
        .map(|set| removed(&[set.option, set.operand], set.operand));
    let own = |found: &&Override<'d>| {
        found.property == NAME && is_on(found.value) && is_vgpu(found.alias)
    };
    let overrides = domain.overrides.iter().filter(own);
    let globals =
        domain.options.iter().filter(|option| option.name == "global").filter_map(|option| {
            let operand = option.operand?;
            let value = global_property(operand.value, NAME)?;
            let mut finding = is_on(&value)
                .then(|| removed(&[option.element, operand.element], operand.element))?;
            // -global applies to passed-through graphics cards, too.
            finding.risk = domain.graphics_cards().next().map(|_| Risk::OtherCards);
            Some(finding)
        });
    sets.chain(overrides.map(|found| removed(&[found.element], found.element)))
        .chain(globals)
        .collect()
}
