//! Checks of the user's own arguments to QEMU.

use crate::domain::{PropertySyntax, Set, is_host_device_number, is_pci_card, is_vgpu};
use crate::fix::{Change, assign_alias, deliver};
use crate::qemu::property::{PropertyType, to_override, type_of};
use crate::rules::Context;
use crate::rules::finding::Finding;
use crate::rules::template::clipped;
use crate::xml::fragment::NewElement;
use crate::xml::{Element, QEMU_NAMESPACE};

/// Finds `-set` for devices that libvirt writes as JSON.
pub(super) fn set_on_json_device<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    if domain.set_reaches() {
        return Vec::new();
    }
    let unreached = domain
        .sets
        .iter()
        .filter(|set| domain.raw_device(set.device).is_none() && !is_misdirected(context, set));
    unreached.map(|set| converted(context, set)).collect()
}

/// Finds `-set` of vGPU properties on a host device that is not a vGPU.
pub(super) fn set_wrong_alias<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let names_wrong_device =
        |set: &Set<'d>| is_misdirected(context, set) && domain.host_device(set.device).is_some();
    domain
        .sets
        .iter()
        .filter(|set| names_wrong_device(set))
        .map(|set| {
            let device_span = domain.host_device(set.device).map(|device| device.start_tag().span);
            let finding = redirected(context, set);
            device_span.into_iter().fold(finding, |finding, span| {
                finding.related_to(span, format!("{} is this device", clipped(set.device)))
            })
        })
        .collect()
}

/// Finds `-set` for a host device that the domain does not have, neither among libvirt's devices
/// nor among `-device` arguments.
pub(super) fn dangling_set<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let names_no_device = |set: &Set<'d>| {
        let is_free_user_alias =
            set.device.starts_with("ua-") && !domain.is_alias_taken(set.device);
        let is_missing =
            domain.host_device(set.device).is_none() && domain.raw_device(set.device).is_none();
        is_missing
            && (is_host_device_number(set.device)
                || is_free_user_alias
                || domain.set_means_vgpu(set))
    };
    // If `-set` reaches no device at all, another rule reports those that do not mean the vGPU.
    let no_device = domain.sets.iter().filter(|set| {
        names_no_device(set) && (domain.set_reaches() || is_misdirected(context, set))
    });
    let no_device = no_device.map(|set| redirected(context, set).with_value("what", ""));
    let is_unsettable =
        |set: &&Set<'d>| domain.raw_device(set.device).is_some_and(|device| !device.is_settable());
    let on_json_argument = domain.sets.iter().filter(is_unsettable);
    let on_json_argument = on_json_argument
        .map(|set| redirected(context, set).with_value("what", ", which -device defines as JSON"));
    no_device.chain(on_json_argument).collect()
}

/// Whether a `-set` means the vGPU but names another device, or one that does not exist.
fn is_misdirected<'d>(context: &Context<'_, 'd, '_>, set: &Set<'d>) -> bool {
    let domain = context.domain;
    domain.set_means_vgpu(set) && !domain.is_vgpu_alias(set.device)
}

/// Returns the finding for a `-set` that does not reach its device. The fix sets the property in a
/// form that does.
fn converted<'d, 'r>(context: &Context<'_, 'd, 'r>, set: &Set<'d>) -> Finding<'d, 'r> {
    let domain = context.domain;
    let finding = Finding::at_attribute(context.rule, set.operand, "value")
        .with_value("device", set.device)
        .with_value("property", set.property);
    if let PropertySyntax::Set(Some(capability)) = domain.property_syntax() {
        return finding.fixed_by(vec![Change::DeleteCapability(capability.into())]);
    }
    let value = type_of(set.property).and_then(|kind| to_override(kind, set.value));
    match value {
        Some(value) if domain.is_vgpu_alias(set.device) => {
            let last = domain.vgpu_properties().sets.get(set.property);
            let mut changes = vec![Change::Remove(set.option), Change::Remove(set.operand)];
            // The last of several takes effect; a property that QEMU would refuse is not carried
            // over.
            let is_refused = set.property == "x-vga" && value == "true";
            if !is_refused && last.is_some_and(|last| last.operand == set.operand) {
                changes.extend(deliver(domain, set.property, &value));
            }
            finding.fixed_by(changes)
        }
        // The device has the same QEMU driver as a vGPU, so its properties have the same types.
        Some(value)
            if domain
                .host_device(set.device)
                .is_some_and(|device| is_pci_card(device) || is_vgpu(device)) =>
        {
            let mut changes = vec![Change::Remove(set.option), Change::Remove(set.operand)];
            if domain
                .last_set(set.device, set.property)
                .is_some_and(|last| last.operand == set.operand)
            {
                changes.extend(overridden(context, set, value));
            }
            finding.fixed_by(changes)
        }
        _ => finding,
    }
}

/// Returns the changes that set a device's property with an override of its own.
fn overridden<'d>(context: &Context<'_, 'd, '_>, set: &Set<'d>, value: String) -> Vec<Change<'d>> {
    let kind = type_of(set.property).unwrap_or(PropertyType::String);
    match context.domain.last_override(set.device, set.property) {
        Some(existing) => vec![
            Change::SetAttribute(existing.element, "type".into(), kind.name().into()),
            Change::SetAttribute(existing.element, "value".into(), value),
        ],
        None => {
            let alias = set.device.to_owned();
            let property = set.property.to_owned();
            vec![Change::Override { alias, property, kind, value }]
        }
    }
}

/// Returns the finding for a `-set` that names the wrong device. The fix gives the property to the
/// vGPU.
fn redirected<'d, 'r>(context: &Context<'_, 'd, 'r>, set: &Set<'d>) -> Finding<'d, 'r> {
    let domain = context.domain;
    let finding = Finding::at_attribute(context.rule, set.operand, "value")
        .with_value("device", set.device)
        .with_value("property", set.property);
    let value = type_of(set.property).and_then(|kind| to_override(kind, set.value));
    let Some(value) = value.filter(|_| domain.vgpu.is_some() && domain.set_means_vgpu(set)) else {
        return finding;
    };
    let is_delivered =
        domain.effective_property(set.property).is_some_and(|delivered| delivered.value == value);
    if let (PropertySyntax::Set(capability), false) = (domain.property_syntax(), is_delivered) {
        let alias = domain.vgpu_alias().to_owned();
        let mut changes = assign_alias(domain);
        changes.push(Change::SetDevice(*set, alias));
        changes.extend(capability.map(|name| Change::DeleteCapability(name.into())));
        return finding.fixed_by(changes);
    }
    let mut changes = vec![Change::Remove(set.option), Change::Remove(set.operand)];
    changes.extend(deliver(domain, set.property, &value));
    finding.fixed_by(changes)
}

fn prefix_of(written: &str) -> Option<&str> {
    Some(written.trim_end_matches(':')).filter(|prefix| !prefix.is_empty())
}

/// Finds an option and its operand in one argument, which QEMU takes for one unknown option.
pub(super) fn joined<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let mut findings = Vec::new();
    for argument in &context.domain.arguments {
        if !argument.value.starts_with('-') {
            continue;
        }
        let Some(separator) = argument.value.find([' ', '=']) else { continue };
        let option = &argument.value[..separator];
        let operand = argument.value[separator + 1..].trim_start();
        let is_option = option
            .trim_start_matches('-')
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_option || option.trim_start_matches('-').is_empty() || operand.is_empty() {
            continue;
        }
        // A prefix declared on the argument itself does not apply to its siblings.
        let own_prefix = argument.element.written_prefix();
        let block = argument
            .element
            .parent()
            .filter(|block| block.resolve_prefix(prefix_of(own_prefix)) != Some(QEMU_NAMESPACE));
        let prefix = block.map_or(own_prefix, Element::written_prefix);
        let changes = vec![
            Change::SetAttribute(argument.element, "value".into(), option.into()),
            Change::InsertAfter(
                argument.element,
                NewElement::new(format!("{prefix}arg")).with_attribute("value", operand),
            ),
        ];
        findings.push(
            Finding::at_attribute(context.rule, argument.element, "value")
                .with_value("found", argument.value)
                .fixed_by(changes),
        );
    }
    findings
}
