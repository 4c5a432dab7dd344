//! Checks QEMU's environment variables.

use super::Context;
use super::finding::Finding;
use super::path::Text;
use super::schema::Format;
use super::template;
use crate::domain::Domain;
use crate::fix::Change;

/// An environment variable that a rule requires.
pub(super) struct RequiredEnv<'w> {
    pub(super) name: &'w str,
    pub(super) value: &'w str,
    pub(super) format: Option<Format>,
    pub(super) setting: Option<&'w str>,
    pub(super) displays: &'w [Text],
}

/// Returns the finding if the variable is missing or has a wrong value. Empty if the display that
/// QEMU opens does not need the variable.
pub(super) fn environment<'d, 'r>(
    required: &RequiredEnv<'_>,
    context: &Context<'_, 'd, 'r>,
) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    if !display_needs(required.displays, domain) {
        return Vec::new();
    }
    let value = template::fill(required.value, domain, None, &[]);
    let requested = required.setting.and_then(|name| domain.settings.explicit_value(name));
    match domain
        .environment
        .iter()
        .rev()
        .find(|variable| variable.attribute("name") == Some(required.name))
    {
        None => {
            let place = domain
                .blocks("commandline")
                .first()
                .copied()
                .or(domain.vgpu)
                .unwrap_or(domain.root);
            vec![
                Finding::at(context.rule, place)
                    .with_value("found", "not set")
                    .fixed_by(vec![Change::Environment(required.name.to_owned(), value)]),
            ]
        }
        Some(variable) => {
            let current = variable.attribute("value").unwrap_or("");
            let is_valid = required.format.is_none_or(|format| format.fits(current))
                && requested.is_none_or(|requested| requested == current);
            if is_valid {
                return Vec::new();
            }
            let change = Change::SetAttribute(*variable, "value".into(), value);
            vec![
                Finding::at_attribute(context.rule, *variable, "value")
                    .with_value("found", format!("'{current}'"))
                    .fixed_by(vec![change]),
            ]
        }
    }
}

/// Whether QEMU will open one of these displays, or `displays` is empty.
fn display_needs(displays: &[Text], domain: &Domain<'_>) -> bool {
    displays.is_empty() || displays.iter().any(|display| domain.opens_display(display))
}
