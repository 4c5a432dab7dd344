//! What libvirt keeps of a domain before and after `fix`: the user loses nothing that no finding
//! names.

use gvtg_xml::internals::domain::Domain;
use gvtg_xml::internals::xml::{Element, read};
use gvtg_xml::{Diagnostic, Settings};

/// Something that the user configured: its kind and identity.
type Item = (String, String);

/// The user's devices, arguments, environment, overrides and metadata in libvirt's own XML.
fn items(xml: &str) -> Vec<Item> {
    let attributes = |element: Element<'_>| -> String {
        // Overrides can say the same as a vGPU's attributes.
        let own =
            element.attribute_names().filter(|name| !matches!(*name, "display" | "ramfb" | "port"));
        own.map(|name| format!(" {name}={}", element.attribute(name).unwrap_or(""))).collect()
    };
    let of_device = |device: Element<'_>| {
        let parts =
            device.children().filter(|part| matches!(part.name(), "source" | "target" | "mac"));
        (device.name().to_owned(), attributes(device) + &parts.map(attributes).collect::<String>())
    };
    let settings = Settings::default();
    read(xml, |document| {
        let domain = Domain::new(document, &settings);
        // libvirt adds and removes controllers with the devices on them.
        let devices = domain
            .devices
            .into_iter()
            .flat_map(|devices| devices.children())
            .filter(|device| device.name() != "controller");
        let mut items: Vec<Item> = devices.map(of_device).collect();
        items.extend(
            domain
                .arguments
                .iter()
                .map(|argument| ("argument".to_owned(), argument.value.to_owned())),
        );
        items.extend(
            domain
                .environment
                .iter()
                .map(|variable| ("environment".to_owned(), attributes(*variable))),
        );
        items.extend(
            domain
                .qemu_overrides
                .iter()
                .map(|found| ("property".to_owned(), format!("name='{}'", found.property))),
        );
        let metadata =
            domain.root.child("metadata").into_iter().flat_map(|metadata| metadata.children());
        items.extend(metadata.map(|element| ("metadata".to_owned(), element.name().to_owned())));
        items
    })
    .unwrap_or_default()
}

/// What libvirt has lost and no finding names. `text` is the original document, `findings` are
/// those in it, with edits, and those that `fix` fixed.
pub fn lost(before: &str, after: &str, text: &str, findings: &[&Diagnostic<'_>]) -> Vec<String> {
    let mut kept = items(after);
    let gone = items(before).into_iter().filter(|item| {
        match kept.iter().position(|other| other == item) {
            Some(index) => {
                kept.swap_remove(index);
                false
            }
            None => true,
        }
    });
    let edits = findings
        .iter()
        .filter_map(|found| found.fix.as_ref())
        .flat_map(|fix| fix.edits.iter().map(|edit| edit.range.clone()));
    let ranges = edits.chain(findings.iter().map(|found| found.span.clone()));
    let named: String = ranges.filter_map(|range| text.get(range)).collect::<Vec<_>>().join("\n");
    let named = named.replace("&quot;", "\"").replace("&amp;", "&").replace("&gt;", ">");
    let is_named = |(kind, what): &Item| match kind.as_str() {
        // Half of a pair, which the finding about the other half names.
        "argument" if matches!(what.as_str(), "-set" | "-display" | "-global") => true,
        "argument" => named.contains(what.as_str()),
        "property" => named.contains(what.as_str()) || named.contains(&what.replace('\'', "\"")),
        "environment" | "metadata" => false,
        // libvirt added this itself, and the document never had it: a card for <graphics>, sound
        // for SPICE.
        device if !text.contains(&format!("<{device}")) => true,
        "audio" => findings.iter().any(|found| found.rule.id.ends_with("-audio")),
        device => named.contains(&format!("<{device}")),
    };
    gone.filter(|item| !is_named(item)).map(|(kind, what)| format!("{kind} {what}")).collect()
}
