//! Audio backends that do not work: those of an unknown type, and those without the display that
//! carries their sound.

use std::cell::LazyCell;

use super::{lost_carrier, set_audio, staying_graphics, usable};
use crate::domain::{Audio, attribute_span, audio_backend, is_template};
use crate::fix::Change;
use crate::rules::Context;
use crate::rules::finding::Finding;
use crate::version::Version;
use crate::xml::Element;
use foldhash::HashSet;

/// Finds an `<audio>` for a SPICE or D-Bus display that does not exist or will be removed.
pub(in crate::rules::code) fn of_graphics<'d, 'r>(
    context: &Context<'_, 'd, 'r>,
) -> Vec<Finding<'d, 'r>> {
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

/// Finds an `<audio>` of a type that only later releases of libvirt support.
pub(in crate::rules::code) fn unknown<'d, 'r>(
    context: &Context<'_, 'd, 'r>,
) -> Vec<Finding<'d, 'r>> {
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
pub(in crate::rules::code) fn invalid_type<'d, 'r>(
    context: &Context<'_, 'd, 'r>,
) -> Vec<Finding<'d, 'r>> {
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
