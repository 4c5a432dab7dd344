//! Checks of `<qemu:override>` and `<qemu:capabilities>`.

use crate::domain::{
    EffectiveProperty, Override, PropertySource, PropertySyntax, global_property, is_pci_card,
    is_vgpu, json_capability,
};
use crate::fix::{Change, assign_alias, deliver};
use crate::qemu::property::{PropertyType, to_override, to_set, type_of};
use crate::rules::Context;
use crate::rules::finding::Finding;
use crate::rules::risk::Risk;
use crate::xml::Element;
use foldhash::HashMap;

/// Finds overrides in a domain whose libvirt drops them.
pub(super) fn unsupported<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let last: HashMap<(&str, &str), Element<'d>> = domain
        .qemu_overrides
        .iter()
        .map(|qemu_override| ((qemu_override.alias, qemu_override.property), qemu_override.element))
        .collect();
    let finding = |qemu_override: &Override<'d>| {
        let finding = Finding::at(context.rule, qemu_override.element)
            .with_value("device", qemu_override.alias)
            .with_value("property", qemu_override.property);
        let means_vgpu = domain.override_means_vgpu(qemu_override) && domain.vgpu.is_some();
        let is_card = domain
            .host_device(qemu_override.alias)
            .is_some_and(|device| is_pci_card(device) || is_vgpu(device));
        // This libvirt drops the override. As -set, a property that the device does not have would
        // make QEMU exit.
        let is_known = (means_vgpu || is_card) && type_of(qemu_override.property).is_some();
        // The removal of a property, and a comment inside the element, cannot be written as -set.
        if !is_known || qemu_override.kind == "remove" || !qemu_override.element.is_empty() {
            return finding;
        }
        let mut changes = vec![Change::Remove(qemu_override.element)];
        // The last of several takes effect.
        if last.get(&(qemu_override.alias, qemu_override.property)) == Some(&qemu_override.element)
        {
            changes.extend(if means_vgpu {
                deliver(domain, qemu_override.property, qemu_override.value)
            } else {
                as_set(context, qemu_override)
            });
        }
        finding.fixed_by(changes)
    };
    domain.qemu_overrides.iter().map(finding).collect()
}

/// Returns the changes that set a property with `-set` on a device other than the vGPU.
fn as_set<'d>(context: &Context<'_, 'd, '_>, qemu_override: &Override<'d>) -> Vec<Change<'d>> {
    let alias = qemu_override.alias.to_owned();
    let property = qemu_override.property.to_owned();
    let set =
        Change::Set { alias, property, value: to_set(qemu_override.kind, qemu_override.value) };
    let capability = match context.domain.property_syntax() {
        PropertySyntax::Set(Some(capability)) => Some(Change::DeleteCapability(capability.into())),
        _ => None,
    };
    std::iter::once(set).chain(capability).collect()
}

/// Finds overrides for a device that does not exist or is not the vGPU.
pub(super) fn dangling<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let mut findings = Vec::new();
    let device_of =
        |qemu_override: &Override<'d>| qemu_override.element.parent().and_then(Element::parent);
    for device_overrides in
        domain.qemu_overrides.chunk_by(|left, right| device_of(left) == device_of(right))
    {
        let Some(device) = device_overrides.first().and_then(device_of) else { continue };
        let alias = device.attribute("alias").unwrap_or("");
        if domain.is_vgpu_alias(alias) {
            continue;
        }
        let means_vgpu =
            device_overrides.iter().any(|qemu_override| domain.override_means_vgpu(qemu_override));
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
        let finding = Finding::at_attribute(context.rule, device, "alias")
            .with_value("device", alias)
            .with_value("what", what);
        if !means_vgpu || domain.vgpu.is_none() {
            findings.push(finding);
            continue;
        }
        let vgpu_alias = domain.vgpu_alias().to_owned();
        let mut changes = assign_alias(domain);
        if is_missing {
            changes.push(Change::SetAttribute(device, "alias".into(), vgpu_alias));
        } else {
            for qemu_override in device_overrides
                .iter()
                .filter(|qemu_override| domain.override_means_vgpu(qemu_override))
            {
                changes.push(Change::Remove(qemu_override.element));
                changes.extend(deliver(domain, qemu_override.property, qemu_override.value));
            }
        }
        findings.push(finding.fixed_by(changes));
    }
    findings
}

/// Finds elements in an override other than a device's frontend, the only one that libvirt reads.
pub(super) fn misplaced<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
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
            let finding = Finding::at(context.rule, child).with_value("device", alias);
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
                    let new_override = Change::Override {
                        alias: alias.to_owned(),
                        property: text("name"),
                        kind,
                        value: text("value"),
                    };
                    finding.fixed_by(vec![Change::Remove(child), new_override])
                }
                None if child.is_empty() => finding.fixed_by(vec![Change::Remove(child)]),
                None => finding,
            });
        }
    }
    findings
}

/// Finds properties whose type or value libvirt or QEMU refuses.
pub(super) fn untyped<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    context
        .domain
        .qemu_overrides
        .iter()
        .filter_map(|qemu_override| mistyped(context, qemu_override))
        .collect()
}

fn mistyped<'d, 'r>(
    context: &Context<'_, 'd, 'r>,
    qemu_override: &Override<'d>,
) -> Option<Finding<'d, 'r>> {
    let finding = |attribute: &str, what: &str| {
        Finding::at_attribute(context.rule, qemu_override.element, attribute)
            .with_value("property", qemu_override.property)
            .with_value("found", qemu_override.value)
            .with_value("what", what)
    };
    if qemu_override.kind == "remove" {
        let has_value = qemu_override.element.attribute("value").is_some();
        let change = Change::RemoveAttribute(qemu_override.element, "value".into());
        return has_value.then(|| {
            finding("value", "type='remove' does not allow a value").fixed_by(vec![change])
        });
    }
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
    let wanted = type_of(qemu_override.property);
    let value_fits = match qemu_override.kind {
        // libvirt accepts a negative value here, but QEMU refuses it.
        "signed" if wanted == Some(PropertyType::Unsigned) => is_number(qemu_override.value),
        "bool" => matches!(qemu_override.value, "true" | "false"),
        "unsigned" => is_number(qemu_override.value),
        "signed" => is_number(qemu_override.value.strip_prefix('-').unwrap_or(qemu_override.value)),
        "string" => true,
        _ => false,
    };
    let type_fits = match wanted {
        None => matches!(qemu_override.kind, "bool" | "unsigned" | "signed" | "string"),
        Some(PropertyType::Unsigned | PropertyType::Signed) => {
            matches!(qemu_override.kind, "unsigned" | "signed")
        }
        Some(kind) => kind.name() == qemu_override.kind,
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
        to_set(qemu_override.kind, qemu_override.value)
    } else {
        qemu_override.value.to_owned()
    };
    let typed = wanted.and_then(|kind| to_override(kind, &value).map(|value| (kind, value)));
    Some(match typed {
        Some((kind, value)) => finding(attribute, what).fixed_by(vec![
            Change::SetAttribute(qemu_override.element, "type".into(), kind.name().into()),
            Change::SetAttribute(qemu_override.element, "value".into(), value),
        ]),
        None => finding(attribute, what),
    })
}

/// Finds deleted capabilities that this libvirt does not know, or that have no effect there.
pub(super) fn retired_capability<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let current = json_capability(domain.settings.libvirt);
    let retired = |del: &&Element<'d>| {
        let name = del.attribute("capability");
        matches!(name, Some("device.json" | "device.json+hotplug")) && name != current
    };
    let finding = |del: &Element<'d>| {
        Finding::at_attribute(context.rule, *del, "capability").fixed_by(vec![Change::Remove(*del)])
    };
    domain.deleted_capabilities.iter().filter(retired).map(finding).collect()
}

/// Finds every `x-vga=on` for a vGPU, a property that vGPUs do not have. Reports all of them,
/// because removing the last one would put the previous one into effect.
pub(super) fn x_vga<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    const NAME: &str = "x-vga";
    let domain = context.domain;
    if let Some(EffectiveProperty { source: PropertySource::Device(argument), .. }) =
        domain.effective_property(NAME).filter(|delivered| delivered.value == "true")
    {
        return vec![
            Finding::at_attribute(context.rule, argument.element, "value")
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
        Finding::at_attribute(context.rule, place, "value")
            .fixed_by(elements.iter().map(|element| Change::Remove(*element)).collect())
    };
    let sets = domain.sets.iter().filter(|set| set.property == NAME && is_vgpu(set.device));
    let sets = sets
        .filter(|set| is_on(set.value))
        .map(|set| removed(&[set.option, set.operand], set.operand));
    let is_vgpu_override = |qemu_override: &&Override<'d>| {
        qemu_override.property == NAME && is_on(qemu_override.value) && is_vgpu(qemu_override.alias)
    };
    let overrides = domain.qemu_overrides.iter().filter(is_vgpu_override);
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
    sets.chain(
        overrides.map(|qemu_override| removed(&[qemu_override.element], qemu_override.element)),
    )
    .chain(globals)
    .collect()
}
