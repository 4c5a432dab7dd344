//! References to devices in QEMU arguments, `-set` and overrides. References to `<audio>` are in
//! `audio.rs`.
//!
//! libvirt numbers the devices of a kind in order (src/qemu/qemu_alias.c
//! `qemuAssignDeviceAliases`), and derives the ids of their backends from theirs. Host devices are
//! numbered in `aliases.rs`.

use super::{Domain, user_alias};
use crate::qemu::{OptionList, Syntax, set_parts};
use crate::xml::{Element, ElementMap};
use foldhash::{HashMap, HashMapExt};

/// The element names of devices that QEMU arguments can name, each with the prefix that libvirt
/// puts before the number.
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

/// The prefixes that turn a device's id into the id of one of its backends.
const BACKENDS: &[&str] = &["", "char", "obj"];

/// A reference to a device by its id.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference<'d> {
    /// The id in the reference, including the backend prefix.
    pub id: String,
    /// The backend prefix of the id; empty for the device itself.
    pub backend: &'static str,
    /// The device that is referred to.
    pub device: Element<'d>,
    /// The elements that become meaningless when the device is removed.
    pub elements: Vec<Element<'d>>,
    /// The location of the id.
    pub place: ReferenceSite<'d>,
}

/// The location of an id.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReferenceSite<'d> {
    /// The whole value of the attribute with this name.
    Attribute(Element<'d>, &'static str),
    /// The `ID` in `GROUP.ID.NAME=VALUE`, the operand of a `-set`.
    Set(Element<'d>),
    /// The value of the option with this name, in an argument that is an option list.
    List(Element<'d>, &'static str),
}

/// The references to devices in a domain.
#[derive(Default)]
pub struct References<'d> {
    all: Vec<Reference<'d>>,
    /// Indices in `all`.
    by_device: ElementMap<Vec<usize>>,
    /// The kinds of devices that have at least one reference, each in libvirt's numbering order.
    pub kinds: Vec<DeviceKind<'d>>,
}

/// The devices of one kind in libvirt's numbering order.
pub struct DeviceKind<'d> {
    /// The prefix before their numbers.
    pub name: &'static str,
    /// The devices, each with whether its alias is user-defined and thus never renumbered.
    pub devices: Vec<(Element<'d>, bool)>,
}

impl<'d> References<'d> {
    /// The references to this device.
    pub fn to(&self, device: Element<'d>) -> impl Iterator<Item = &Reference<'d>> {
        self.by_device.get(&device.id()).into_iter().flatten().map(|index| &self.all[*index])
    }

    /// Collects the references in a domain.
    pub(super) fn new(domain: &Domain<'d>) -> Self {
        let mut references = References::default();
        let mut by_id: HashMap<String, Element<'d>> = HashMap::new();
        let mut kinds = Vec::new();
        for (element, name) in KINDS {
            let mut devices = domain.devices_named(element);
            // libvirt numbers the primary card first.
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
            kinds.push(DeviceKind {
                name,
                devices: devices
                    .into_iter()
                    .map(|device| (device, user_alias(device).is_some()))
                    .collect(),
            });
        }
        for (id, elements, place) in named_ids(domain) {
            let backend_and_device = BACKENDS
                .iter()
                .find_map(|backend| Some((*backend, *by_id.get(id.strip_prefix(backend)?)?)));
            if let Some((backend, device)) = backend_and_device {
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

impl<'d> Domain<'d> {
    /// References to devices in arguments, `-set` and overrides.
    pub fn references(&self) -> &References<'d> {
        self.cache.references.get_or_init(|| References::new(self))
    }

    /// The elements that refer to a host device: the arguments of `-set`, and `<qemu:device>`
    /// elements of overrides. Empty if an earlier device has the same id.
    pub fn host_references(&self, device: Element<'d>) -> &[Element<'d>] {
        let Some(alias) = self.alias_of(device) else { return &[] };
        if self.host_device(alias) != Some(device) {
            return &[];
        }
        let by_alias = self.cache.host_references.get_or_init(|| {
            let mut by_alias: HashMap<&str, Vec<Element<'d>>> = HashMap::default();
            for set in &self.sets {
                by_alias.entry(set.device).or_default().extend([set.option, set.operand]);
            }
            let devices = self
                .blocks("override")
                .iter()
                .flat_map(|block| block.children())
                .filter(|child| child.is_qemu("device"));
            for device in devices {
                if let Some(alias) = device.attribute("alias") {
                    by_alias.entry(alias).or_default().push(device);
                }
            }
            by_alias
        });
        by_alias.get(alias).map_or(&[], Vec::as_slice)
    }
}

/// Lists every id that arguments and overrides name, with the elements that name it and the
/// location of the id.
fn named_ids<'d>(domain: &Domain<'d>) -> Vec<(String, Vec<Element<'d>>, ReferenceSite<'d>)> {
    let mut named_ids = Vec::new();
    for option in &domain.options {
        let Some(operand) = option.operand else { continue };
        let elements = vec![option.element, operand.element];
        match option.name {
            "set" => {
                if let Some([_, id, ..]) = set_parts(operand.value) {
                    named_ids.push((id.to_owned(), elements, ReferenceSite::Set(operand.element)));
                }
            }
            "device" | "mon" => {
                let Ok(list) = OptionList::parse(operand.value, Syntax::DEVICE) else { continue };
                for name in ["chardev", "rng"] {
                    if let Some(id) = list.get(name) {
                        named_ids.push((
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
    named_ids.extend(devices.filter_map(|device| {
        Some((
            device.attribute("alias")?.to_owned(),
            vec![device],
            ReferenceSite::Attribute(device, "alias"),
        ))
    }));
    named_ids
}
