//! What speaks of a device that goes: it goes with it, and what speaks of one behind it says its new number.
//!
//! libvirt numbers devices of a kind in their order (src/qemu/qemu_alias.c `qemuAssignDeviceAliases`), and QEMU's own arguments, `-set` and
//! overrides name them by that number. QEMU does not start where one names a device that is not there.

use std::collections::{HashMap, HashSet};

use super::Change;
use crate::domain::{Domain, user_alias};
use crate::qemu::{OptionList, Syntax, set_parts};
use crate::xml::{Element, ElementId};

/// The elements that fixes remove and QEMU's arguments can name, and how libvirt calls the devices.
const KINDS: &[(&str, &str)] = &[
    ("channel", "channel"),
    ("console", "console"),
    ("parallel", "parallel"),
    ("redirdev", "redir"),
    ("rng", "rng"),
    ("serial", "serial"),
    ("smartcard", "smartcard"),
    ("sound", "sound"),
    ("video", "video"),
];

/// What libvirt puts before a device's id for what stands behind the device.
const BACKENDS: &[&str] = &["", "char", "obj"];

/// The ids that change, and what becomes of them: None for those that are gone.
type Renamed = HashMap<String, Option<String>>;

/// The changes that keep every reference to a device right where these elements go.
pub(super) fn following<'d>(domain: &Domain<'d>, removed: &HashSet<ElementId>) -> Vec<Change<'d>> {
    let renamed = renamed(domain, removed);
    let mut changes: Vec<Change<'d>> = audio_users(domain, removed).into_iter().map(Change::Remove).collect();
    if renamed.is_empty() {
        return changes;
    }
    for Reference { id, elements, rename } in references(domain) {
        match renamed.get(&id) {
            Some(None) => changes.extend(elements.into_iter().map(Change::Remove)),
            Some(Some(new)) => changes.push(rename.to(&id, new)),
            None => {}
        }
    }
    changes
}

/// What speaks of a device, and goes where that goes: the places, and the id that each names.
pub fn speaks_of<'d>(domain: &Domain<'d>, device: Element<'d>) -> Vec<(Element<'d>, String)> {
    let only = HashSet::from([device.id()]);
    let gone: Renamed = renamed(domain, &only).into_iter().filter(|(_, new)| new.is_none()).collect();
    let of_arguments = if gone.is_empty() { Vec::new() } else { references(domain) };
    let of_arguments = of_arguments.into_iter().filter(|reference| gone.contains_key(&reference.id));
    let of_arguments = of_arguments.filter_map(|reference| Some((*reference.elements.last()?, reference.id)));
    let of_audio = audio_users(domain, &only).into_iter().map(|user| (user, format!("audio {}", user.attribute("id").unwrap_or(""))));
    of_arguments.chain(of_audio).collect()
}

fn renamed(domain: &Domain<'_>, removed: &HashSet<ElementId>) -> Renamed {
    let mut renamed = Renamed::new();
    if removed.is_empty() {
        return renamed;
    }
    for (name, kind) in KINDS {
        let mut devices = domain.devices_named(name);
        if !devices.iter().any(|device| removed.contains(&device.id())) {
            continue;
        }
        // libvirt puts the primary card first.
        let is_primary = |device: &Element<'_>| device.child("model").is_some_and(|model| model.attribute("primary") == Some("yes"));
        devices.sort_by_key(|device| *name != "video" || !is_primary(device));
        let mut left = 0;
        for (index, device) in devices.into_iter().enumerate() {
            let own = user_alias(device);
            let old = own.map_or_else(|| format!("{kind}{index}"), str::to_owned);
            let new = if removed.contains(&device.id()) {
                None
            } else {
                left += 1;
                Some(own.map_or_else(|| format!("{kind}{}", left - 1), str::to_owned))
            };
            if new.as_ref() != Some(&old) {
                let with_backend = |backend: &&str| (format!("{backend}{old}"), new.as_ref().map(|new| format!("{backend}{new}")));
                renamed.extend(BACKENDS.iter().map(with_backend));
            }
        }
    }
    renamed
}

/// A place that names a device by its id.
struct Reference<'d> {
    id: String,
    /// What goes where the device goes.
    elements: Vec<Element<'d>>,
    rename: Rename<'d>,
}

/// How a place says another id.
enum Rename<'d> {
    /// The attribute has the id and nothing else.
    Whole(Element<'d>, &'static str),
    /// `GROUP.ID.NAME=VALUE`.
    Set(Element<'d>),
    /// An option list in which this name has the id.
    Part(Element<'d>, &'static str),
}

impl<'d> Rename<'d> {
    fn to(&self, id: &str, new: &str) -> Change<'d> {
        let value = |element: &Element<'d>| element.attribute("value").unwrap_or("");
        match self {
            Rename::Whole(element, name) => Change::SetAttribute(*element, (*name).into(), new.into()),
            Rename::Set(operand) => {
                Change::SetAttribute(*operand, "value".into(), value(operand).replacen(&format!(".{id}."), &format!(".{new}."), 1))
            }
            Rename::Part(operand, name) => {
                let list = OptionList::parse(value(operand), Syntax::DEVICE);
                let written = list.map_or_else(|_| value(operand).to_owned(), |list| list.with(name, crate::qemu::Value::Text(new)));
                Change::SetAttribute(*operand, "value".into(), written)
            }
        }
    }
}

fn references<'d>(domain: &Domain<'d>) -> Vec<Reference<'d>> {
    let mut references = Vec::new();
    for option in &domain.options {
        let Some(operand) = option.operand else { continue };
        let elements = vec![option.element, operand.element];
        match option.name {
            "set" => {
                if let Some([_, id, ..]) = set_parts(operand.value) {
                    references.push(Reference { id: id.to_owned(), elements, rename: Rename::Set(operand.element) });
                }
            }
            "device" | "mon" => {
                let Ok(list) = OptionList::parse(operand.value, Syntax::DEVICE) else { continue };
                for name in ["chardev", "audiodev", "rng"] {
                    if let Some(id) = list.get(name) {
                        let rename = Rename::Part(operand.element, name);
                        references.push(Reference { id: id.to_owned(), elements: elements.clone(), rename });
                    }
                }
            }
            _ => {}
        }
    }
    let blocks = domain.blocks("override").iter().flat_map(|block| block.children());
    for device in blocks.filter(|device| device.is_qemu("device")) {
        if let Some(id) = device.attribute("alias") {
            references.push(Reference { id: id.to_owned(), elements: vec![device], rename: Rename::Whole(device, "alias") });
        }
    }
    references
}

/// The `<audio id='…'/>` in devices whose `<audio>` goes.
fn audio_users<'d>(domain: &Domain<'d>, removed: &HashSet<ElementId>) -> Vec<Element<'d>> {
    let audios = domain.devices_named("audio");
    let gone: HashSet<&str> =
        audios.into_iter().filter(|audio| removed.contains(&audio.id())).filter_map(|audio| audio.attribute("id")).collect();
    if gone.is_empty() {
        return Vec::new();
    }
    let users = domain.devices_named("sound").into_iter().chain(domain.devices_named("graphics"));
    let users = users.filter_map(|user| user.child("audio"));
    users.filter(|user| user.attribute("id").is_some_and(|id| gone.contains(id))).collect()
}
