//! Which arguments to QEMU, `-set` and overrides refer to which device. References to `<audio>` are
//! in `audio.rs`.
//!
//! libvirt numbers devices of a kind in their order (src/qemu/qemu_alias.c
//! `qemuAssignDeviceAliases`), and names what is behind a device after it. Host devices are
//! numbered by `aliases.rs`.

use super::{Domain, user_alias};
use crate::qemu::{OptionList, Syntax, set_parts};
use crate::xml::{Element, ElementMap};
use foldhash::{HashMap, HashMapExt};

/// The elements that QEMU's arguments can name, and how libvirt calls the devices.
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

/// A place that names a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference<'d> {
    /// The id that it names.
    pub id: String,
    /// What of the id stands before the device's own.
    pub backend: &'static str,
    /// The device.
    pub device: Element<'d>,
    /// What means nothing once the device is gone.
    pub elements: Vec<Element<'d>>,
    /// Where the id stands.
    pub place: ReferenceSite<'d>,
}

/// Where an id stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReferenceSite<'d> {
    /// The attribute of this name has it and nothing else.
    Attribute(Element<'d>, &'static str),
    /// `GROUP.ID.NAME=VALUE`, in an argument.
    Set(Element<'d>),
    /// A list in an argument, in which this name has it.
    List(Element<'d>, &'static str),
}

/// All references of a domain.
#[derive(Default)]
pub struct References<'d> {
    all: Vec<Reference<'d>>,
    /// Places in `all`.
    by_device: ElementMap<Vec<usize>>,
    /// Devices of the kinds that anything speaks of, kind by kind as libvirt numbers them.
    pub kinds: Vec<Kind<'d>>,
}

/// The devices of a kind in libvirt's order, each with its id.
pub struct Kind<'d> {
    /// What stands before their numbers.
    pub name: &'static str,
    /// The devices, and whether a device's id is its user's own and stays.
    pub devices: Vec<(Element<'d>, bool)>,
}

impl<'d> References<'d> {
    /// Whatever names this device.
    pub fn to(&self, device: Element<'d>) -> impl Iterator<Item = &Reference<'d>> {
        self.by_device.get(&device.id()).into_iter().flatten().map(|index| &self.all[*index])
    }

    pub(super) fn of(domain: &Domain<'d>) -> Self {
        let mut references = References::default();
        let mut by_id: HashMap<String, Element<'d>> = HashMap::new();
        let mut kinds = Vec::new();
        for (element, name) in KINDS {
            let mut devices = domain.devices_named(element);
            // libvirt puts the primary card first.
            let is_primary = |device: &Element<'_>| {
                device.child("model").is_some_and(|model| model.attribute("primary") == Some("yes"))
            };
            devices.sort_by_key(|device| *element != "video" || !is_primary(device));
            for (index, device) in devices.iter().enumerate() {
                by_id.insert(
                    user_alias(*device).map_or_else(|| format!("{name}{index}"), str::to_owned),
                    *device,
                );
            }
            kinds.push(Kind {
                name,
                devices: devices
                    .into_iter()
                    .map(|device| (device, user_alias(device).is_some()))
                    .collect(),
            });
        }
        for (id, elements, place) in places(domain) {
            let found = BACKENDS
                .iter()
                .find_map(|backend| Some((*backend, *by_id.get(id.strip_prefix(backend)?)?)));
            if let Some((backend, device)) = found {
                references.add(Reference { id, backend, device, elements, place });
            }
        }
        kinds.retain(|kind| {
            kind.devices.iter().any(|(device, _)| references.by_device.contains_key(&device.id()))
        });
        references.kinds = kinds;
        references
    }

    fn add(&mut self, reference: Reference<'d>) {
        self.by_device.entry(reference.device.id()).or_default().push(self.all.len());
        self.all.push(reference);
    }
}

/// Every id that arguments and overrides name.
fn places<'d>(domain: &Domain<'d>) -> Vec<(String, Vec<Element<'d>>, ReferenceSite<'d>)> {
    let mut places = Vec::new();
    for option in &domain.options {
        let Some(operand) = option.operand else { continue };
        let elements = vec![option.element, operand.element];
        match option.name {
            "set" => {
                if let Some([_, id, ..]) = set_parts(operand.value) {
                    places.push((id.to_owned(), elements, ReferenceSite::Set(operand.element)));
                }
            }
            "device" | "mon" => {
                let Ok(list) = OptionList::parse(operand.value, Syntax::DEVICE) else { continue };
                for name in ["chardev", "rng"] {
                    if let Some(id) = list.get(name) {
                        places.push((
                            id.to_owned(),
                            elements.clone(),
                            ReferenceSite::List(operand.element, name),
                        ));
                    }
                }
            }
            _ => {}
        }
    }
    let devices = domain
        .blocks("override")
        .iter()
        .flat_map(|block| block.children())
        .filter(|child| child.is_qemu("device"));
    places.extend(devices.filter_map(|device| {
        Some((
            device.attribute("alias")?.to_owned(),
            vec![device],
            ReferenceSite::Attribute(device, "alias"),
        ))
    }));
    places
}
