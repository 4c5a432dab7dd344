//! The ids of `<audio>`, and the devices that refer to them.

use super::{lost_carrier, staying_graphics, usable};
use crate::domain::{audio_id, is_template};
use crate::fix::Change;
use crate::rules::Context;
use crate::rules::conditions::is_removed;
use crate::rules::finding::Finding;
use crate::rules::risk::Risk;
use crate::xml::Element;

/// Finds an `<audio>` without an id, or with one that libvirt cannot read.
pub(in crate::rules::code) fn without_id<'d, 'r>(
    context: &Context<'_, 'd, 'r>,
) -> Vec<Finding<'d, 'r>> {
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

/// Finds devices that refer to an `<audio>` without a valid id.
pub(in crate::rules::code) fn invalid_reference<'d, 'r>(
    context: &Context<'_, 'd, 'r>,
) -> Vec<Finding<'d, 'r>> {
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

/// Finds a sound or graphics device that refers to an `<audio>` that does not exist. Ids that
/// `<audio>` elements without one will get count as existing.
pub(in crate::rules::code) fn dangling<'d, 'r>(
    context: &Context<'_, 'd, 'r>,
) -> Vec<Finding<'d, 'r>> {
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
pub(in crate::rules::code) fn duplicate_id<'d, 'r>(
    context: &Context<'_, 'd, 'r>,
) -> Vec<Finding<'d, 'r>> {
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
