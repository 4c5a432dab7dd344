//! What the rules want of a vGPU that is not there yet.

use super::IS_REQUIREMENT;
use crate::change::{Change, deliver};
use crate::domain::Form;
use crate::rules::Context;
use crate::rules::environment::{Wanted, environment};
use crate::rules::schema::{Check, When};
use crate::rules::when::applies;

/// What a new vGPU brings along: whether ramfb is wanted, which libvirt has an attribute for, and the changes for the rest.
pub(super) fn requirements<'d>(context: &Context<'_, 'd>) -> (bool, Vec<Change<'d>>) {
    let domain = context.domain;
    let is_override = domain.form() == Form::Override;
    let (mut wants_ramfb, mut changes) = (false, Vec::new());
    for rule in &context.rules.wanted {
        let of_vgpu = When { vgpu: None, ..rule.when.clone() };
        if !applies(&of_vgpu, context) {
            continue;
        }
        match &rule.check {
            Check::Property { name, .. } if is_override && name == "ramfb" => wants_ramfb = true,
            // libvirt picks the driver that has it.
            Check::Property { name, .. } if is_override && name == "driver" => {}
            Check::Property { name, value } => changes.extend(deliver(domain, name, value)),
            Check::Environment { name, value, format, setting, displays } => {
                let wanted = Wanted { name, value, format: *format, setting: setting.as_deref(), displays };
                changes.extend(environment(&wanted, domain).into_iter().filter_map(|finding| finding.changes).flatten());
            }
            Check::Code { function } if IS_REQUIREMENT.contains(&&**function) => {
                let wanted = super::run(function, context).into_iter().filter(|finding| !finding.is_unsafe || domain.settings.unsafe_fixes);
                changes.extend(wanted.filter_map(|finding| finding.changes).flatten());
            }
            _ => {}
        }
    }
    (wants_ramfb, changes)
}
