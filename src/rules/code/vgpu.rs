//! Checks of the vGPU itself: whether there is one, its UUID and its alias.

use super::requirements::{Requirements, requirements};
use crate::domain::{Domain, derived_uuid, is_template, is_template_name, is_user_alias, uuid_of};
use crate::fix::{Change, assign_alias};
use crate::rules::Context;
use crate::rules::finding::Finding;
use crate::rules::risk::Risk;
use crate::xml::Element;
use crate::xml::fragment::NewElement;

/// Finds a domain without a vGPU. The fix adds one that meets the requirements of all other rules.
pub(super) fn missing<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    if domain.has_vgpu() || domain.is_served_by_sriov() {
        return Vec::new();
    }
    let risk = if domain.has_igpu() {
        Some(Risk::LastGpu)
    } else if domain.has_screen_without_gl() {
        Some(Risk::Screen)
    } else if has_shared_uuid(domain) {
        Some(Risk::SharedVgpu)
    } else {
        None
    };
    // After an option without its operand, arguments cannot be added, so only the changes tell
    // whether there is a fix.
    if !context.wants_changes && domain.option_without_operand().is_none() {
        let finding = Finding {
            risk,
            ..Finding::at(context.rule, domain.devices.unwrap_or(domain.root)).fixed_by(Vec::new())
        };
        return vec![with_shared_uuid(domain, finding)];
    }
    let uuid =
        domain.settings.uuid.unwrap_or_else(|| derived_uuid(domain.identity(), 1)).to_string();
    let alias = domain.vgpu_alias();
    let Requirements { ramfb, display, mut changes } = requirements(context);
    let display = if display { "on" } else { "off" };
    let attributes = [
        ("mode", "subsystem"),
        ("type", "mdev"),
        ("managed", "no"),
        ("model", "vfio-pci"),
        ("display", display),
    ];
    let mut hostdev =
        attributes.into_iter().fold(NewElement::new("hostdev"), |hostdev, (name, value)| {
            hostdev.with_attribute(name, value)
        });
    if ramfb {
        hostdev = hostdev.with_attribute("ramfb", "on");
    }
    hostdev = hostdev.with_child(
        NewElement::new("source")
            .with_child(NewElement::new("address").with_attribute("uuid", &uuid)),
    );
    if is_user_alias(alias) {
        hostdev = hostdev.with_child(NewElement::new("alias").with_attribute("name", alias));
    }
    let (place, insertion) = match domain.devices {
        Some(devices) => (devices, Change::Insert(devices, hostdev)),
        None => (
            domain.root,
            Change::Insert(domain.root, NewElement::new("devices").with_child(hostdev)),
        ),
    };
    changes.insert(0, insertion);
    vec![with_shared_uuid(
        domain,
        Finding { risk, ..Finding::at(context.rule, place).fixed_by(changes) },
    )]
}

/// Finds UUIDs that are missing, invalid, or not the requested one.
pub(super) fn uuid<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let mut findings = Vec::new();
    for (index, vgpu) in domain.vgpus.iter().copied().enumerate() {
        let requested = domain.settings.uuid.filter(|_| domain.vgpu == Some(vgpu));
        let current = uuid_of(vgpu);
        if current.is_some() && (requested.is_none() || requested == current) {
            continue;
        }
        let source = vgpu.child("source");
        let address = source.and_then(|source| source.child("address"));
        let uuid = domain.new_uuid(index, vgpu).to_string();
        let value = address.and_then(|address| address.attribute("uuid"));
        let is_filled_in_later = value.is_some_and(is_template);
        let found = match value {
            Some(value) if current.is_some() => format!("'{value}', not the requested one"),
            Some(value) if is_filled_in_later => format!("'{value}', which is not a UUID yet"),
            Some(value) if is_placeholder(value) => {
                format!(
                    "'{value}', a placeholder that libvirt rejects; a script that fills it in must use the new UUID"
                )
            }
            Some(value) => format!("'{value}', which is not a UUID: libvirt rejects the domain"),
            None => "missing: libvirt rejects the domain".into(),
        };
        let new_address = NewElement::new("address").with_attribute("uuid", &uuid);
        let record_change = current
            .and_then(|current| domain.recorded_vgpu(current))
            .map(|element| Change::SetAttribute(element, "uuid".into(), uuid.clone()));
        let mut changes = match (source, address) {
            (_, Some(address)) => vec![Change::SetAttribute(address, "uuid".into(), uuid)],
            (Some(source), None) => vec![Change::Insert(source, new_address)],
            (None, None) => {
                vec![Change::Insert(vgpu, NewElement::new("source").with_child(new_address))]
            }
        };
        changes.extend(record_change);
        if let Some(source) = source.filter(|source| source.attribute("uuid").is_some()) {
            changes.push(Change::RemoveAttribute(source, "uuid".into()));
        }
        let finding = match address {
            Some(address) => Finding::at_attribute(context.rule, address, "uuid"),
            None => Finding::at(context.rule, source.unwrap_or(vgpu)),
        };
        let finding = finding.with_value("found", found).fixed_by(changes);
        let mut finding = if current.is_none() && !is_filled_in_later {
            with_shared_uuid(domain, finding)
        } else {
            finding
        };
        if current.is_none() && requested.is_none() {
            finding.risk = if value.is_some_and(may_be_an_expression) {
                Some(Risk::Template)
            } else if has_shared_uuid(domain) {
                Some(Risk::SharedVgpu)
            } else {
                None
            };
        }
        findings.push(finding);
    }
    findings
}

/// Adds a note to a finding if the fix derives the new UUID from a name that a template fills in
/// later.
fn with_shared_uuid<'d, 'r>(domain: &Domain<'d>, finding: Finding<'d, 'r>) -> Finding<'d, 'r> {
    match domain.child("name") {
        Some(name) if has_shared_uuid(domain) => finding.related_to(
            name.span(),
            "all VMs of this template get the same vGPU: make the UUID a template expression too",
        ),
        _ => finding,
    }
}

/// Whether the vGPU's new UUID is derived from a name that a template fills in later.
fn has_shared_uuid(domain: &Domain<'_>) -> bool {
    domain.settings.uuid.is_none() && is_template_name(domain.identity())
}

/// Whether an invalid UUID may be an expression of an unknown template engine: it has characters
/// that neither a UUID nor a guide's placeholder has. A word in angle brackets is a guide's
/// placeholder.
fn may_be_an_expression(value: &str) -> bool {
    let word = value.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(value);
    value.contains("{{")
        || value.contains("}}")
        || !word.chars().all(|c| {
            c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ' | '{' | '}' | '(' | ')')
        })
}

/// Whether a value is a placeholder that the user should have replaced: `GPU_UUID`,
/// `your-gpu-uuid-here`.
fn is_placeholder(value: &str) -> bool {
    value.to_ascii_lowercase().contains("uuid")
}

/// Finds an invalid user alias, which libvirt drops, and one that is not the requested one.
pub(super) fn alias<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let Some(vgpu) = domain.vgpu else { return Vec::new() };
    let Some(element) = vgpu.child("alias") else {
        return finding_for_missing_alias(context, vgpu).into_iter().collect();
    };
    let name = element.attribute("name").unwrap_or("");
    let is_dropped = name.starts_with("ua-") && !is_user_alias(name);
    let correct_alias = domain.vgpu_alias();
    let mut changes = assign_alias(domain);
    // If another device has the requested alias, the vGPU's alias has a number appended.
    if !is_dropped && (domain.settings.explicit.alias.is_none() || correct_alias == name) {
        return Vec::new();
    }
    let what = if is_dropped { "which libvirt silently drops" } else { "not the requested one" };
    if changes.is_empty() {
        // libvirt's own alias suffices.
        changes.push(Change::Remove(element));
    }
    vec![
        Finding::at_attribute(context.rule, element, "name")
            .with_value("found", format!("'{name}'"))
            .with_value("what", what)
            .fixed_by(changes),
    ]
}

fn finding_for_missing_alias<'d, 'r>(
    context: &Context<'_, 'd, 'r>,
    vgpu: Element<'d>,
) -> Option<Finding<'d, 'r>> {
    let domain = context.domain;
    domain.settings.explicit.alias.as_ref()?;
    Some(
        Finding::at(context.rule, vgpu)
            .with_value("found", "missing")
            .with_value("what", "but one was requested")
            .fixed_by(assign_alias(domain)),
    )
}

/// Finds further vGPUs, which the other rules do not change.
pub(super) fn second<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let others = domain.vgpus.iter().copied().filter(|vgpu| Some(*vgpu) != domain.vgpu);
    let first = domain.vgpu.or(domain.raw_vgpu).map(|vgpu| vgpu.start_tag().span);
    others
        .map(|vgpu| {
            first.iter().cloned().fold(Finding::at(context.rule, vgpu), |finding, span| {
                finding.related_to(span, "the vGPU that shows the picture")
            })
        })
        .collect()
}
