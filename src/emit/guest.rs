//! What the host has to know of a guest: its name, and of each vGPU the uuid, the type and the GPU.

use std::collections::HashMap;

use uuid::Uuid;

use super::shell;
use crate::domain::{Domain, is_template, is_template_name, parse_pci};
use crate::settings::Settings;
use crate::types::is_type;
use crate::xml::Element;

/// A domain with vGPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// The name by which libvirt calls its hooks.
    pub name: String,
    /// Its vGPUs, in the order of the document; one at least.
    pub vgpus: Vec<Vgpu>,
    /// Whether QEMU opens a window on an X display and is confined by SELinux on hosts where that
    /// confines VMs.
    pub opens_confined_window: bool,
    /// Whether it asks for SELinux itself.
    pub asks_for_selinux: bool,
}

/// A vGPU that the host makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vgpu {
    /// Its uuid.
    pub uuid: Uuid,
    /// Its type, like `i915-GVTg_V5_4`.
    pub vgpu_type: String,
    /// Whether nobody said the type.
    pub is_default_type: bool,
    /// The PCI address of the GPU, like `0000:00:02.0`.
    pub pci: String,
}

/// What the user says; it stands before what the domain says.
#[derive(Clone, Copy)]
pub struct EmitOptions<'s> {
    /// The vGPU's uuid, its type and the GPU.
    pub settings: &'s Settings,
    /// The type of a vGPU on the GPU with this PCI address where nobody says one.
    pub default_type: &'s dyn Fn(&str) -> &'static str,
}

/// Why the host can't be prepared for a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestError {
    /// Where in the document, in bytes.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl std::fmt::Display for GuestError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} (byte {})", self.message, self.offset)
    }
}

impl std::error::Error for GuestError {}

impl GuestError {
    fn at(element: Element<'_>, message: impl Into<String>, help: impl Into<String>) -> Self {
        GuestError { offset: element.span().start, message: message.into(), help: help.into() }
    }
}

/// Says to run `fix` first.
const FIX_FIRST: &str = "run `gvtg-xml fix` on the domain first, and define the result";

/// Says where to get the domain that is made from a template.
const FILL_IN_FIRST: &str = "use the domain made from the template instead: define it, then take the output of `virsh dumpxml --inactive win10`";

/// What the host has to know of a domain.
///
/// # Errors
/// A template, a domain without a name or a vGPU, or one whose vGPU has no uuid, or an invalid type
/// or GPU.
pub fn guest(domain: &Domain<'_>, wanted: EmitOptions<'_>) -> Result<Guest, GuestError> {
    let place = domain.child("name").unwrap_or(domain.root);
    let name = domain.name().ok_or_else(|| {
        GuestError::at(
            place,
            "the domain has no name",
            "add a <name>: libvirt passes it to its hooks",
        )
    })?;
    if is_template_name(&name) {
        return Err(GuestError::at(
            place,
            format!("the domain's name is '{name}', a placeholder that a template fills in later"),
            FILL_IN_FIRST,
        ));
    }
    if name.contains(['\n', '/']) {
        return Err(GuestError::at(
            place,
            "libvirt does not accept the domain's name",
            "remove line breaks and slashes from <name>",
        ));
    }
    let vgpus = &domain.vgpus;
    if vgpus.is_empty() {
        return Err(match domain.raw_vgpu {
            Some(argument) => GuestError::at(
                argument,
                "the vGPU is a QEMU argument, which libvirt does not know about",
                "replace the -device argument with a <hostdev type='mdev'>",
            ),
            None => GuestError::at(domain.root, "the domain has no vGPU", FIX_FIRST),
        });
    }
    if let Some(uuid) = wanted.settings.uuid.filter(|_| vgpus.len() > 1) {
        let message =
            format!("the domain has {} vGPUs, so --uuid {uuid} is ambiguous", vgpus.len());
        return Err(GuestError::at(
            vgpus[1],
            message,
            "omit --uuid: each vGPU already has its own in the domain",
        ));
    }
    let vgpus =
        vgpus.iter().map(|vgpu| self::vgpu(domain, *vgpu, wanted)).collect::<Result<_, _>>()?;
    let opens_confined_window = domain.opens_window() && domain.is_confined_by_selinux();
    Ok(Guest { name, vgpus, opens_confined_window, asks_for_selinux: domain.asks_for_selinux() })
}

fn vgpu<'d>(
    domain: &Domain<'d>,
    element: Element<'d>,
    wanted: EmitOptions<'_>,
) -> Result<Vgpu, GuestError> {
    let said = domain.describe(element);
    let recorded_at = domain.metadata().map_or(element, |metadata| metadata.element);
    let uuid = wanted.settings.uuid.or(said.uuid).ok_or_else(|| without_uuid(element))?;
    let pci = wanted
        .settings
        .explicit
        .pci
        .as_deref()
        .or(said.recorded_pci)
        .unwrap_or(wanted.settings.pci())
        .to_ascii_lowercase();
    let later = |value: &str| {
        let message = format!(
            "'{value}', recorded in <metadata>, is a placeholder that a template fills in later"
        );
        is_template(value).then(|| GuestError::at(recorded_at, message, FILL_IN_FIRST))
    };
    if let Some(error) = later(&pci) {
        return Err(error);
    }
    if parse_pci(&pci).is_none() {
        let help =
            "record the GPU's address: `gvtg-xml fix --libvirt installed --pci 0000:00:02.0`";
        return Err(GuestError::at(
            recorded_at,
            format!("'{pci}', recorded in <metadata>, is not a PCI address"),
            help,
        ));
    }
    let wishes = (&wanted.settings.explicit.vgpu_type, &wanted.settings.fallback.vgpu_type);
    let vgpu_type = wishes.0.as_deref().or(said.recorded_type).or(wishes.1.as_deref());
    if let Some(error) = vgpu_type.and_then(later) {
        return Err(error);
    }
    if let Some(other) = vgpu_type.filter(|vgpu_type| !is_type(vgpu_type)) {
        let help = "record a type: `gvtg-xml fix --libvirt installed --type i915-GVTg_V5_4`";
        return Err(GuestError::at(
            recorded_at,
            format!("'{other}' is not a GVT-g vGPU type"),
            help,
        ));
    }
    let is_default_type = vgpu_type.is_none();
    let vgpu_type = vgpu_type.unwrap_or_else(|| (wanted.default_type)(&pci)).to_owned();
    Ok(Vgpu { uuid, vgpu_type, is_default_type, pci })
}

fn without_uuid(vgpu: Element<'_>) -> GuestError {
    let address = vgpu.child("source").and_then(|source| source.child("address"));
    match address.and_then(|address| address.attribute("uuid")).filter(|uuid| is_template(uuid)) {
        Some(uuid) => GuestError::at(
            vgpu,
            format!("the vGPU's UUID is '{uuid}', a placeholder that a template fills in later"),
            FILL_IN_FIRST,
        ),
        None => GuestError::at(vgpu, "the vGPU has no UUID", FIX_FIRST),
    }
}

/// Whether these guests can be on one host.
///
/// # Errors
/// Two guests of one name, or two vGPUs of one uuid: both named. `sources` says where each guest is
/// from.
pub fn check(guests: &[Guest], sources: &[String]) -> Result<(), String> {
    let (mut names, mut uuids): (HashMap<&str, usize>, HashMap<Uuid, usize>) =
        (HashMap::new(), HashMap::new());
    let called =
        |index: usize| format!("{} ({})", shell::word(&guests[index].name), sources[index]);
    for (index, guest) in guests.iter().enumerate() {
        if let Some(other) = names.insert(&guest.name, index) {
            return Err(format!("{} and {} have the same name", called(other), called(index)));
        }
        for vgpu in &guest.vgpus {
            match uuids.insert(vgpu.uuid, index) {
                Some(other) if other == index => {
                    return Err(format!(
                        "{} has the vGPU {} twice: {FIX_FIRST}",
                        called(index),
                        vgpu.uuid
                    ));
                }
                Some(other) => {
                    let why = "each domain needs its own vGPU; give one of them a new UUID: `gvtg-xml fix --libvirt installed --uuid $(uuidgen)`";
                    return Err(format!(
                        "{} and {} have the same vGPU, {}: {why}",
                        called(other),
                        called(index),
                        vgpu.uuid
                    ));
                }
                None => {}
            }
        }
    }
    Ok(())
}
