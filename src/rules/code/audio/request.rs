//! The audio backend that the settings request.

use super::{lost_carrier, set_audio, staying_graphics, usable, why_unusable};
use crate::domain::attribute_span;
use crate::fix::Change;
use crate::rules::Context;
use crate::rules::finding::Finding;
use crate::xml::Element;
use crate::xml::fragment::NewElement;

/// Finds sound that does not go to the requested backend: it goes nowhere, or to libvirt's default.
pub(in crate::rules::code) fn other<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
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

/// Finds a requested backend that the domain cannot use. One from a configuration only counts if it
/// would be used.
pub(in crate::rules::code) fn unusable<'d, 'r>(
    context: &Context<'_, 'd, 'r>,
) -> Vec<Finding<'d, 'r>> {
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
