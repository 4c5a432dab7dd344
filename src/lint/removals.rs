//! Lists what a fix removes or turns off apart from what its finding points at, so that nothing the
//! user wrote is removed silently.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::domain::{Domain, attribute_span};
use crate::fix::Change;
use crate::rules::finding::Related;
use crate::rules::template::clipped;
use crate::xml::{Element, ElementSet};

/// Lists the user's arguments, overrides and other elements that a fix removes outside
/// `finding_span`: those that refer to removed elements, and the removed elements themselves.
/// Properties that the fix converts to another form are not listed. A ramfb that it turns off on
/// another device is.
pub(super) fn other_removals<'d>(
    domain: &Domain<'d>,
    changes: &[Change<'d>],
    finding_span: &Range<usize>,
) -> Vec<Related> {
    let turned_off = ramfb_turned_off(domain, changes, finding_span);
    let removed = changes.iter().filter_map(|change| match change {
        Change::Remove(element) => Some(*element),
        _ => None,
    });
    let removed: Vec<Element<'d>> = removed.collect();
    if removed.is_empty() {
        return turned_off;
    }
    let is_converted =
        changes.iter().any(|change| matches!(change, Change::Override { .. } | Change::Set { .. }));
    let removed_ids: ElementSet = removed.iter().map(|element| element.id()).collect();
    // Keyed by start offset; each with the id that it refers to.
    let mut units: BTreeMap<usize, (Unit, Option<String>)> = BTreeMap::new();
    let mut add = |element: Element<'d>, id: Option<&str>| {
        let is_inside_removed =
            element.ancestors().skip(1).any(|ancestor| removed_ids.contains(&ancestor.id()));
        let unit = Unit::of(domain, element);
        let is_in_finding =
            unit.span.start < finding_span.end && finding_span.start < unit.span.end;
        if !is_inside_removed && !is_in_finding {
            units.entry(unit.span.start).or_insert((unit, id.map(str::to_owned)));
        }
    };
    for device in &removed {
        for reference in domain.references().to(*device) {
            reference.elements.iter().for_each(|element| add(*element, Some(&reference.id)));
        }
        if device.is("audio") {
            let users = domain.audio_ids().users_removed_with(*device, &removed_ids);
            users.iter().for_each(|user| {
                add(*user, user.attribute("id").map(|id| format!("audio {id}")).as_deref())
            });
        }
        domain
            .host_references(*device)
            .iter()
            .for_each(|element| add(*element, domain.alias_of(*device)));
    }
    if !is_converted {
        removed.iter().for_each(|element| add(*element, None));
    }
    let related = units.into_values().map(|(Unit { shown, words, .. }, id)| Related {
        file: None,
        start: domain.document.source().position(shown.start),
        span: shown,
        message: match id {
            Some(id) => format!("also removed, because it refers to {id}: {words}"),
            None => format!("also removed: {words}"),
        },
        is_removed: true,
    });
    related.chain(turned_off).collect()
}

/// The `ramfb='on'` attributes that a fix turns off outside `finding_span`.
fn ramfb_turned_off<'d>(
    domain: &Domain<'d>,
    changes: &[Change<'d>],
    finding_span: &Range<usize>,
) -> Vec<Related> {
    const NAME: &str = "ramfb";
    let attributes = changes.iter().filter_map(|change| match change {
        Change::SetAttribute(device, name, value)
            if name == NAME && value == "off" && device.attribute(NAME) == Some("on") =>
        {
            Some((*device, attribute_span(*device, NAME)))
        }
        _ => None,
    });
    let others = attributes
        .filter(|(_, span)| span.start >= finding_span.end || finding_span.start >= span.end);
    let related = others.map(|(device, span)| Related {
        file: None,
        start: domain.document.source().position(span.start),
        span,
        message: format!("also turned off: ramfb='on' of this <{}>", device.name()),
        is_removed: true,
    });
    related.collect()
}

/// A unit that reports name as one: an option with its operand, an override, a property, or any
/// other element.
struct Unit {
    /// The whole unit.
    span: Range<usize>,
    /// The tag that the report points at.
    shown: Range<usize>,
    words: String,
}

impl Unit {
    fn of<'d>(domain: &Domain<'d>, element: Element<'d>) -> Self {
        let tag = element.start_tag().span;
        if element.is_qemu("arg") {
            let value = |element: Element<'d>| element.attribute("value").unwrap_or("");
            return match domain
                .option_of(element)
                .and_then(|option| Some((option.element, option.operand?.element)))
            {
                Some((option, operand)) => Unit {
                    span: option.span().start..operand.span().end,
                    shown: operand.start_tag().span,
                    words: clipped(&format!("{} {}", value(option), value(operand))),
                },
                None => Unit { span: element.span(), shown: tag, words: clipped(value(element)) },
            };
        }
        let words = if element.is_qemu("device") {
            let properties: Vec<String> =
                element.children().flat_map(Element::children).map(property).collect();
            format!(
                "the override for {}: {}",
                element.attribute("alias").unwrap_or(""),
                properties.join(", ")
            )
        } else if element.is_qemu("property") {
            let device = element.parent().and_then(Element::parent);
            format!(
                "the override for {}: {}",
                device.and_then(|device| device.attribute("alias")).unwrap_or(""),
                property(element)
            )
        } else {
            let text = &domain.document.text()[tag.clone()];
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        Unit { span: element.span(), shown: tag, words: clipped(&words) }
    }
}

/// Formats a property of an override as `name=value`.
fn property(element: Element<'_>) -> String {
    let text = |name| element.attribute(name).unwrap_or("");
    match element.attribute("value") {
        Some(value) => format!("{}={value}", text("name")),
        None => format!("{} ({})", text("name"), text("type")),
    }
}
