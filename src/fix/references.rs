//! Removes or renumbers the references to devices when devices are removed: QEMU exits if an
//! argument names a device that does not exist.

use super::Change;
use crate::domain::{Domain, Reference, ReferenceSite, is_host_device_number};
use crate::qemu::{OptionList, Syntax, Value};
use crate::xml::ElementSet;
use foldhash::{HashMap, HashMapExt};

/// Returns the changes that keep all references to devices correct when these elements are removed.
///
/// `names_vgpu` means that the vGPU gets its alias at the same time and so no longer has a number.
pub(super) fn update_references<'d>(
    domain: &Domain<'d>,
    removed: &ElementSet,
    names_vgpu: bool,
) -> Vec<Change<'d>> {
    if removed.is_empty() {
        return Vec::new();
    }
    let mut changes = update_host_device_references(domain, removed, names_vgpu);
    let references = domain.references();
    for device in removed.iter().filter_map(|id| domain.document.element(*id)) {
        let arguments = references.to(device).flat_map(|reference| &reference.elements);
        let users = if device.is("audio") {
            domain.audio_ids().users_removed_with(device, removed)
        } else {
            &[]
        };
        changes.extend(arguments.chain(users).copied().map(Change::Remove));
    }
    for kind in &references.kinds {
        let mut new_number = 0;
        for (index, (device, is_own)) in kind.devices.iter().enumerate() {
            if removed.contains(&device.id()) {
                continue;
            }
            if new_number != index && !is_own {
                changes.extend(references.to(*device).map(|reference| {
                    rename_reference(
                        reference,
                        &format!("{}{}{new_number}", reference.backend, kind.name),
                    )
                }));
            }
            new_number += 1;
        }
    }
    changes
}

/// Like [`update_references`], for host devices, whose numbers `-set` and overrides use.
fn update_host_device_references<'d>(
    domain: &Domain<'d>,
    removed: &ElementSet,
    names_vgpu: bool,
) -> Vec<Change<'d>> {
    // Looks at the removed elements instead of all host devices: a finding removes one device of
    // thousands.
    if !removed
        .iter()
        .filter_map(|id| domain.document.element(*id))
        .any(|device| domain.alias_of(device).is_some())
    {
        return Vec::new();
    }
    let mut new_ids: HashMap<&str, Option<String>> = HashMap::new();
    let mut number = 0;
    for (device, id) in &domain.host_devices {
        let is_vgpu = names_vgpu && Some(*device) == domain.vgpu;
        let new = if removed.contains(&device.id()) {
            None
        } else if is_vgpu {
            Some(domain.vgpu_alias().to_owned())
        } else if is_host_device_number(id) {
            number += 1;
            Some(format!("hostdev{}", number - 1))
        } else {
            Some(id.clone())
        };
        // If two devices have the same id, arguments refer to the first.
        new_ids.entry(id).or_insert(new);
    }
    let mut changes = Vec::new();
    for set in &domain.sets {
        match new_ids.get(set.device) {
            Some(None) => changes.extend([set.option, set.operand].map(Change::Remove)),
            Some(Some(new)) if new != set.device => {
                changes.push(Change::SetDevice(*set, new.clone()));
            }
            _ => {}
        }
    }
    let devices = domain
        .blocks("override")
        .iter()
        .flat_map(|block| block.children())
        .filter(|child| child.is_qemu("device"));
    for device in devices {
        match device.attribute("alias").and_then(|alias| Some((alias, new_ids.get(alias)?))) {
            Some((_, None)) => changes.push(Change::Remove(device)),
            Some((alias, Some(new))) if new != alias => {
                changes.push(Change::SetAttribute(device, "alias".into(), new.clone()))
            }
            _ => {}
        }
    }
    changes
}

/// Returns the change that makes a reference use another id.
fn rename_reference<'d>(reference: &Reference<'d>, id: &str) -> Change<'d> {
    match reference.place {
        ReferenceSite::Attribute(element, name) => {
            Change::SetAttribute(element, name.into(), id.into())
        }
        ReferenceSite::Set(operand) => {
            let value = operand.attribute("value").unwrap_or("");
            Change::SetAttribute(
                operand,
                "value".into(),
                value.replacen(&format!(".{}.", reference.id), &format!(".{id}."), 1),
            )
        }
        ReferenceSite::List(operand, name) => {
            let value = operand.attribute("value").unwrap_or("");
            let list = OptionList::parse(value, Syntax::DEVICE);
            Change::SetAttribute(
                operand,
                "value".into(),
                list.map_or_else(
                    |_| value.to_owned(),
                    |list| list.with_option(name, Value::Text(id)),
                ),
            )
        }
    }
}
