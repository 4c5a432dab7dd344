//! Checks of `<audio>`: the host's side of the guest's sound.

use crate::domain::{Audio, audio_backend};
use crate::fix::Change;
use crate::rules::Context;
use crate::rules::conditions::is_removed;
use crate::xml::Element;
use foldhash::HashSet;

mod backend;
mod ids;
mod request;

pub(super) use backend::{invalid_type, of_graphics, unknown};
pub(super) use ids::{dangling, duplicate_id, invalid_reference, without_id};
pub(super) use request::{other, unusable};

/// The attributes that every `<audio>` may have.
const COMMON: &[&str] = &["id", "type", "timerPeriod"];

/// Returns the changes that set an `<audio>`'s backend and remove attributes that only the old
/// backend has.
fn set_audio<'d>(audio: Element<'d>, wanted: &Audio) -> Vec<Change<'d>> {
    let backend_attributes =
        audio_backend(&wanted.backend).map_or(&[][..], |backend| backend.attributes);
    let is_known = |name: &str| {
        COMMON.contains(&name) || backend_attributes.iter().any(|attribute| attribute.name == name)
    };
    let mut changes = vec![Change::SetAttribute(audio, "type".into(), wanted.backend.clone())];
    changes.extend(
        wanted
            .attributes
            .iter()
            .map(|(name, value)| Change::SetAttribute(audio, name.clone(), value.clone())),
    );
    let stale = audio.attribute_names().filter(|name| !is_known(name));
    changes.extend(stale.map(|name| Change::RemoveAttribute(audio, name.to_owned())));
    changes
}

/// Returns the types of the `<graphics>` that no earlier fix removes.
fn staying_graphics<'d>(context: &Context<'_, 'd, '_>) -> HashSet<&'d str> {
    let graphics = context
        .domain
        .devices_named("graphics")
        .into_iter()
        .filter(|element| !is_removed(*element, context));
    graphics.filter_map(|element| element.attribute("type")).collect()
}

/// Returns the type of the `<graphics>` that an `<audio>` needs, if no such `<graphics>` stays.
fn lost_carrier<'d>(staying_types: &HashSet<&str>, audio: Element<'d>) -> Option<&'d str> {
    audio
        .attribute("type")
        .filter(|kind| matches!(*kind, "spice" | "dbus") && !staying_types.contains(kind))
}

/// Returns the requested backend, unless the domain cannot use it.
fn usable<'c>(context: &Context<'c, '_, '_>) -> Option<&'c Audio> {
    context.domain.settings.audio().filter(|wanted| why_unusable(context, wanted).is_none())
}

/// Returns why a domain cannot use a backend, or `None` if it can.
fn why_unusable(context: &Context<'_, '_, '_>, wanted: &Audio) -> Option<String> {
    let libvirt = context.domain.settings.libvirt;
    let since = audio_backend(&wanted.backend)?.since;
    if libvirt < since {
        return Some(format!(
            "libvirt {libvirt} does not have this backend, which was added in {since}"
        ));
    }
    let is_lost = wanted.backend == "dbus" && !staying_graphics(context).contains("dbus");
    if !is_lost {
        return None;
    }
    let has_dbus_graphics = context
        .domain
        .devices_named("graphics")
        .iter()
        .any(|graphics| graphics.attribute("type") == Some("dbus"));
    let what = if has_dbus_graphics {
        "which does not show the vGPU and will be removed"
    } else {
        "which is missing"
    };
    Some(format!("it needs a D-Bus display, <graphics type='dbus'>, {what}"))
}
