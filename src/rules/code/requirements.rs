//! Collects what the rules require of a vGPU that a fix is about to add.

use super::IS_REQUIREMENT;
use crate::domain::PropertySyntax;
use crate::fix::{Change, deliver, overwritten};
use crate::rules::Context;
use crate::rules::conditions::applies_to_vgpu;
use crate::rules::environment::{RequiredEnv, environment};
use crate::rules::other_sources::is_provided_elsewhere;
use crate::rules::schema::{Check, When};

/// The requirements for a new vGPU: attributes of its `<hostdev>` where libvirt has them, and
/// changes for the rest.
#[derive(Default)]
pub(super) struct Requirements<'d> {
    pub(super) ramfb: bool,
    pub(super) display: bool,
    pub(super) changes: Vec<Change<'d>>,
}

/// Collects the requirements of all enabled rules for a new vGPU.
pub(super) fn requirements<'d>(context: &Context<'_, 'd, '_>) -> Requirements<'d> {
    let domain = context.domain;
    let is_override = domain.property_syntax() == PropertySyntax::Override;
    let Requirements { mut ramfb, mut display, mut changes } = Requirements::default();
    let applies = |when: &When| applies_to_vgpu(when, context);
    for rule in context
        .rules
        .wanted
        .iter()
        .copied()
        .filter(|rule| is_requirement(&rule.check) && applies(&rule.when))
    {
        match &rule.check {
            Check::Property { name, .. } if is_provided_elsewhere(name, domain) => {}
            Check::Property { name, .. } if is_override && name == "ramfb" => ramfb = true,
            Check::Property { name, .. } if name == "display" && domain.is_shown_by_graphics() => {
                display = true
            }
            // libvirt picks the driver that supports ramfb.
            Check::Property { name, .. } if is_override && name == "driver" => {}
            Check::Property { name, value } => changes.extend(deliver(domain, name, value)),
            Check::Environment { name, value, format, setting, displays } => {
                let wanted = RequiredEnv {
                    name,
                    value,
                    format: *format,
                    setting: setting.as_deref(),
                    displays,
                };
                changes.extend(
                    environment(&wanted, &Context { rule, ..*context })
                        .into_iter()
                        .filter_map(|finding| finding.changes)
                        .flatten(),
                );
            }
            Check::Code { function } => {
                let wanted = super::run_check(function, &Context { rule, ..*context })
                    .into_iter()
                    .filter(|finding| finding.risk.is_none() || domain.settings.unsafe_fixes);
                changes.extend(wanted.filter_map(|finding| finding.changes).flatten());
            }
            _ => {}
        }
    }
    // Values that a template fills in are separate findings, and do not prevent the new vGPU.
    changes.retain(|change| overwritten(domain, std::slice::from_ref(change)).is_none());
    Requirements { ramfb, display, changes }
}

/// Whether the fix that adds a vGPU also fixes what this check finds.
fn is_requirement(check: &Check) -> bool {
    match check {
        Check::Property { .. } | Check::Environment { .. } => true,
        Check::Code { function } => IS_REQUIREMENT.contains(&&*function.name),
        _ => false,
    }
}
