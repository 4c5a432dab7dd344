//! Checks of the audio backends.

use std::cell::LazyCell;

use crate::domain::{Audio, attribute_span, audio_backend, audio_id, is_template};
use crate::fix::Change;
use crate::rules::Context;
use crate::rules::conditions::is_removed;
use crate::rules::finding::Finding;
use crate::rules::risk::Risk;
use crate::version::Version;
use crate::xml::Element;
use crate::xml::fragment::NewElement;
use foldhash::HashSet;

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

/// Finds sound that does not go to the requested backend: it goes nowhere, or to libvirt's default.
pub(super) fn other<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let (Some(wanted), Some(devices)) = (usable(context), domain.devices) else {
        return Vec::new();
    };
    let Some(sound) = domain.devices_named("sound").into_iter().next() else {
        return Vec::new();
    };
    let audios = domain.devices_named("audio");
    if audios.is_empty() {
        let new_audio = |id: u32| {
            let new_audio = NewElement::new("audio")
                .with_attribute("id", id.to_string())
                .with_attribute("type", &wanted.backend);
            wanted
                .attributes
                .iter()
                .fold(new_audio, |new_audio, (name, value)| new_audio.with_attribute(name, value))
        };
        // libvirt refuses a sound card that names an <audio> that does not exist.
        let missing_ids = &domain.audio_ids().missing;
        let ids = if missing_ids.is_empty() { &[1][..] } else { missing_ids };
        let changes = ids.iter().map(|id| Change::Insert(devices, new_audio(*id))).collect();
        let finding = Finding::at(context.rule, sound)
            .with_value("found", "the domain has no <audio>")
            .with_value("what", wanted.to_string());
        return vec![finding.fixed_by(changes)];
    }
    if domain.settings.explicit.audio.is_none() {
        return Vec::new();
    }
    // Another rule reports SPICE or D-Bus sound that does not work.
    let has_other_backend = |audio: &Element<'d>| match audio.attribute("type") {
        Some("spice" | "dbus") => false,
        Some(kind) if kind == wanted.backend => wanted
            .attributes
            .iter()
            .any(|(name, value)| audio.attribute(name).is_none_or(|current| current != value)),
        _ => true,
    };
    let finding = |audio: Element<'d>| {
        let found = format!(
            "the audio backend is {}",
            audio.attribute("type").unwrap_or("libvirt's choice")
        );
        let finding = Finding::within(context.rule, audio, attribute_span(audio, "type"))
            .with_value("found", found);
        finding.with_value("what", wanted.to_string()).fixed_by(set_audio(audio, wanted))
    };
    audios.into_iter().filter(has_other_backend).map(finding).collect()
}

/// Finds an `<audio>` for a SPICE or D-Bus display that does not exist or will be removed.
pub(super) fn of_graphics<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    // Before 7.2, libvirt supports no <audio> for QEMU, not even type 'none'.
    let has_backends = domain.settings.libvirt >= Version::new(7, 2, 0);
    let staying_types = staying_graphics(context);
    // Only a domain with such an <audio> needs them.
    let all_types: LazyCell<HashSet<&str>, _> = LazyCell::new(|| {
        let graphics = domain.devices_named("graphics").into_iter();
        graphics.filter_map(|graphics| graphics.attribute("type")).collect()
    });
    let none = Audio { backend: "none".into(), attributes: Vec::new() };
    let wanted = usable(context).unwrap_or(&none);
    let finding = |audio: Element<'d>| {
        let kind = lost_carrier(&staying_types, audio)?;
        let changes =
            if has_backends { set_audio(audio, wanted) } else { vec![Change::Remove(audio)] };
        let finding = Finding::within(context.rule, audio, attribute_span(audio, "type"))
            .with_value("found", kind);
        // Seen with libvirt 9.0 to 12.8 and QEMU 7.2 to 11.1.
        let consequence = if kind == "dbus" {
            "the guest has no sound, and QEMU 11.1 exits"
        } else {
            "the VM does not start"
        };
        let finding = finding.with_value("what", consequence).fixed_by(changes);
        // Other fixes of this run remove the graphics.
        let is_pending = all_types.contains(kind);
        Some(Finding { is_pending, ..finding })
    };
    domain.devices_named("audio").into_iter().filter_map(finding).collect()
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

/// Finds an `<audio>` of a type that only later releases of libvirt support.
pub(super) fn unknown<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let is_known = |audio: &Element<'d>| match audio.attribute("type") {
        // Before 7.2, this type was for bhyve only, and both <input> and <output> were required.
        Some("oss") => {
            domain.settings.libvirt >= Version::new(7, 2, 0)
                || audio.child("input").is_some() && audio.child("output").is_some()
        }
        kind => {
            let since =
                kind.and_then(audio_backend).map_or(Version::new(7, 2, 0), |backend| backend.since);
            domain.settings.libvirt >= since
        }
    };
    let audios = domain.devices_named("audio").into_iter();
    let staying_types = staying_graphics(context);
    let unknown =
        audios.filter(|audio| !is_known(audio) && lost_carrier(&staying_types, *audio).is_none());
    let finding = |audio: Element<'d>| {
        let found = audio.attribute("type").unwrap_or("");
        Finding::within(context.rule, audio, attribute_span(audio, "type"))
            .with_value("found", found)
            .fixed_by(vec![Change::Remove(audio)])
    };
    unknown.map(finding).collect()
}

/// Finds an `<audio>` without a type, or of a type that no release of libvirt supports.
pub(super) fn invalid_type<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let finding = |audio: Element<'d>| {
        let what = match audio.attribute("type") {
            None => "no type".to_owned(),
            Some(kind) if kind == "spice" || audio_backend(kind).is_some() || is_template(kind) => {
                return None;
            }
            Some(kind) => format!("the type '{kind}', which libvirt does not know"),
        };
        Some(Finding::at_attribute(context.rule, audio, "type").with_value("what", what))
    };
    context.domain.devices_named("audio").into_iter().filter_map(finding).collect()
}

/// Finds devices that refer to an `<audio>` without a valid id.
pub(super) fn invalid_reference<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let devices = domain.devices_named("sound").into_iter().chain(domain.devices_named("graphics"));
    let finding = |device: Element<'d>| {
        let audio = device.child("audio").filter(|audio| !is_removed(*audio, context))?;
        let what = match audio.attribute("id") {
            None => "no id".to_owned(),
            Some(id) if audio_id(id).is_some() || is_template(id) => return None,
            Some(id) => format!("the id '{id}', which is not a positive number"),
        };
        Some(
            Finding::at_attribute(context.rule, audio, "id")
                .with_value("device", device.name())
                .with_value("what", what),
        )
    };
    devices.filter_map(finding).collect()
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

/// Finds a requested backend that the domain cannot use. One from a configuration only counts if it
/// would be used.
pub(super) fn unusable<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let Some(wanted) = domain.settings.audio() else { return Vec::new() };
    let Some(reason) = why_unusable(context, wanted) else { return Vec::new() };
    let audios = domain.devices_named("audio");
    let staying_types = staying_graphics(context);
    let is_used = || match audios.is_empty() {
        true => !domain.devices_named("sound").is_empty(),
        false => audios.iter().any(|audio| lost_carrier(&staying_types, *audio).is_some()),
    };
    if domain.settings.explicit.audio.is_none() && !is_used() {
        return Vec::new();
    }
    let place = domain
        .devices_named("sound")
        .first()
        .or(audios.first())
        .copied()
        .or(domain.devices)
        .unwrap_or(domain.root);
    vec![Finding {
        is_about_setting: true,
        ..Finding::at(context.rule, place).with_value("what", reason)
    }]
}

/// Finds an `<audio>` without an id, or with one that libvirt cannot read.
pub(super) fn without_id<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let ids = context.domain.audio_ids();
    // If one id is missing and one <audio> has none, they belong together.
    let is_guess = !ids.missing.is_empty() && (ids.missing.len() > 1 || ids.without_id.len() > 1);
    let new_ids = ids.missing.iter().copied().chain(ids.free_ids());
    let finding = |(audio, id): (&Element<'d>, u32)| {
        let what = match audio.attribute("id") {
            None => "no id".to_owned(),
            Some(found) => format!("the id '{found}', which is not a positive number"),
        };
        let finding = Finding::at_attribute(context.rule, *audio, "id")
            .with_value("what", what)
            .with_value("other", id.to_string());
        Finding {
            risk: is_guess.then_some(Risk::Sound),
            ..finding.fixed_by(vec![Change::SetAttribute(*audio, "id".into(), id.to_string())])
        }
    };
    ids.without_id.iter().zip(new_ids).map(finding).collect()
}

/// Finds a sound or graphics device that refers to an `<audio>` that does not exist. Ids that
/// `<audio>` elements without one will get count as existing.
pub(super) fn dangling<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let ids = context.domain.audio_ids();
    let has_audio = !ids.owners.is_empty() || !ids.without_id.is_empty();
    // The <audio> elements that --audio adds get these ids.
    if !has_audio && usable(context).is_some() && !context.domain.devices_named("sound").is_empty()
    {
        return Vec::new();
    }
    let missing = ids.missing.iter().skip(ids.without_id.len());
    let users = missing
        .flat_map(|id| ids.users(*id).iter().map(|user| (*id, *user)))
        .filter(|(_, user)| !is_removed(*user, context));
    let finding = |(id, user): (u32, Element<'d>)| {
        Finding::at_attribute(context.rule, user, "id")
            .with_value("found", id.to_string())
            .fixed_by(vec![Change::Remove(user)])
    };
    users.map(finding).collect()
}

/// Finds several `<audio>` with the same id.
pub(super) fn duplicate_id<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let ids = context.domain.audio_ids();
    let staying_types = staying_graphics(context);
    let is_mute = |audio: Element<'d>| {
        audio.attribute("type") == Some("none") || lost_carrier(&staying_types, audio).is_some()
    };
    // The first free ids go to the <audio> elements without an id.
    let mut free = ids.free_ids().skip(ids.without_id.len());
    let mut findings = Vec::new();
    for (id, owners) in &ids.owners {
        let owners: Vec<Element<'d>> =
            owners.iter().copied().filter(|owner| !is_removed(*owner, context)).collect();
        // The first one that plays sound is kept.
        let Some(kept) =
            owners.iter().copied().find(|owner| !is_mute(*owner)).or(owners.first().copied())
        else {
            continue;
        };
        for owner in owners.into_iter().filter(|owner| *owner != kept) {
            let finding = Finding::at_attribute(context.rule, owner, "id")
                .with_value("found", id.to_string())
                .related_to(kept.start_tag().span, "the other <audio> with this id");
            let needless = match owner {
                _ if is_mute(owner) => Some("plays nothing"),
                _ if is_same(owner, kept) => Some("is identical to the other"),
                _ => None,
            };
            let finding = match needless {
                Some(reason) => finding
                    .with_value("what", format!("Remove this <audio>, which {reason}"))
                    .fixed_by(vec![Change::Remove(owner)]),
                None => {
                    let new_id = free.next().unwrap_or_default().to_string();
                    let change = Change::SetAttribute(owner, "id".into(), new_id.clone());
                    let finding = finding
                        .with_value("what", format!("Give this <audio> the id {new_id}"))
                        .fixed_by(vec![change]);
                    Finding { risk: Some(Risk::Sound), ..finding }
                }
            };
            findings.push(finding);
        }
    }
    findings
}

/// Whether two `<audio>` are identical except for their ids.
fn is_same(left: Element<'_>, right: Element<'_>) -> bool {
    let attributes = |element: Element<'_>| {
        let names = element.attribute_names().filter(|name| *name != "id");
        let mut all: Vec<(String, String)> = names
            .map(|name| (name.to_owned(), element.attribute(name).unwrap_or("").to_owned()))
            .collect();
        all.sort_unstable();
        all
    };
    let inside = |element: Element<'_>| {
        element.document().text()[element.content()].split_whitespace().collect::<String>()
    };
    attributes(left) == attributes(right) && inside(left) == inside(right)
}
