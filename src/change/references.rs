//! What speaks of a device that goes, goes with it, and what speaks of one behind it says its new number: QEMU does not start where an
//! argument names a device that is not there.

use std::collections::HashSet;

use super::Change;
use crate::domain::{Domain, Place, Reference};
use crate::qemu::{OptionList, Syntax, Value};
use crate::xml::ElementId;

/// The changes that keep every reference to a device right where these elements go.
pub(super) fn following<'d>(domain: &Domain<'d>, removed: &HashSet<ElementId>) -> Vec<Change<'d>> {
    if removed.is_empty() {
        return Vec::new();
    }
    let references = domain.references();
    let gone = removed.iter().filter_map(|id| domain.document.element(*id)).flat_map(|device| references.to(device));
    let mut changes: Vec<Change<'d>> = gone.flat_map(|reference| reference.elements.iter().copied()).map(Change::Remove).collect();
    for kind in &references.kinds {
        let mut left = 0;
        for (index, (device, is_own)) in kind.devices.iter().enumerate() {
            if removed.contains(&device.id()) {
                continue;
            }
            if left != index && !is_own {
                changes.extend(
                    references.to(*device).map(|reference| renamed(reference, &format!("{}{}{left}", reference.backend, kind.name))),
                );
            }
            left += 1;
        }
    }
    changes
}

fn renamed<'d>(reference: &Reference<'d>, id: &str) -> Change<'d> {
    match reference.place {
        Place::Attribute(element, name) => Change::SetAttribute(element, name.into(), id.into()),
        Place::Set(operand) => {
            let value = operand.attribute("value").unwrap_or("");
            Change::SetAttribute(operand, "value".into(), value.replacen(&format!(".{}.", reference.id), &format!(".{id}."), 1))
        }
        Place::List(operand, name) => {
            let value = operand.attribute("value").unwrap_or("");
            let list = OptionList::parse(value, Syntax::DEVICE);
            Change::SetAttribute(operand, "value".into(), list.map_or_else(|_| value.to_owned(), |list| list.with(name, Value::Text(id))))
        }
    }
}
