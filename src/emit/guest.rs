//! The facts about a guest that the host needs: its name, and the UUID, type and GPU of each vGPU.

use uuid::Uuid;

use super::shell;
use crate::domain::{Domain, Settings, is_template, is_template_name, parse_pci};
use crate::vgpu_types::is_type;
use crate::xml::Element;
use foldhash::{HashMap, HashMapExt};

/// A domain with vGPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// The name that libvirt passes to hooks.
    pub name: String,
    /// The vGPUs in document order; at least one.
    pub vgpus: Vec<Vgpu>,
    /// Whether QEMU opens a window on an X display and is confined by SELinux, on hosts where
    /// SELinux confines VMs.
    pub opens_confined_window: bool,
    /// Whether the domain requests SELinux confinement itself.
    pub requests_selinux: bool,
}

/// A vGPU that the host creates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vgpu {
    /// The UUID.
    pub uuid: Uuid,
    /// The type, like `i915-GVTg_V5_4`.
    pub vgpu_type: String,
    /// Whether the type is a default because neither the user nor the domain sets one.
    pub is_default_type: bool,
    /// The PCI address of the GPU, like `0000:00:02.0`.
    pub pci: String,
}

/// The user's settings, which override what the domain records.
#[derive(Clone, Copy)]
pub struct EmitOptions<'s> {
    /// The settings for the vGPU's UUID, its type and the GPU.
    pub settings: &'s Settings,
    /// The default type of a vGPU on the GPU with this PCI address.
    pub default_type: &'s dyn Fn(&str) -> &'static str,
}

/// The reason why the host cannot be prepared for a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestError {
    /// The position in the document, in bytes.
    pub offset: usize,
    /// The problem.
    pub message: String,
    /// The advice to the user.
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

/// The advice to run `fix` first.
const FIX_FIRST: &str = "run `gvtg-xml fix` on the domain first, and define the result";

/// The advice to use the domain made from a template.
const FILL_IN_FIRST: &str = "use the domain made from the template instead: define it, then take the output of `virsh dumpxml --inactive win10`";

/// Reads the facts about a domain that the host needs.
///
/// # Errors
/// The domain is a template, has no name or no vGPU, or has a vGPU without a UUID or with an
/// invalid type or GPU.
pub fn guest(domain: &Domain<'_>, options: EmitOptions<'_>) -> Result<Guest, GuestError> {
    let name_element = domain.child("name").unwrap_or(domain.root);
    let name = domain.name().ok_or_else(|| {
        GuestError::at(
            name_element,
            "the domain has no name",
            "add a <name>: libvirt passes it to its hooks",
        )
    })?;
    if is_template_name(&name) {
        return Err(GuestError::at(
            name_element,
            format!("the domain's name is '{name}', a placeholder that a template fills in later"),
            FILL_IN_FIRST,
        ));
    }
    if name.contains(['\n', '/']) {
        return Err(GuestError::at(
            name_element,
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
    if let Some(uuid) = options.settings.uuid.filter(|_| vgpus.len() > 1) {
        let message =
            format!("the domain has {} vGPUs, so --uuid {uuid} is ambiguous", vgpus.len());
        return Err(GuestError::at(
            vgpus[1],
            message,
            "omit --uuid: each vGPU already has its own in the domain",
        ));
    }
    let vgpus =
        vgpus.iter().map(|vgpu| self::vgpu(domain, *vgpu, options)).collect::<Result<_, _>>()?;
    let opens_confined_window = domain.opens_window() && domain.is_confined_by_selinux();
    Ok(Guest { name, vgpus, opens_confined_window, requests_selinux: domain.asks_for_selinux() })
}

fn vgpu<'d>(
    domain: &Domain<'d>,
    element: Element<'d>,
    options: EmitOptions<'_>,
) -> Result<Vgpu, GuestError> {
    let description = domain.describe(element);
    let metadata_element = domain.metadata().map_or(element, |metadata| metadata.element);
    let uuid =
        options.settings.uuid.or(description.uuid).ok_or_else(|| missing_uuid_error(element))?;
    let pci = options
        .settings
        .explicit
        .pci
        .as_deref()
        .or(description.recorded_pci)
        .unwrap_or(options.settings.pci())
        .to_ascii_lowercase();
    let template_error = |value: &str| {
        let message = format!(
            "'{value}', recorded in <metadata>, is a placeholder that a template fills in later"
        );
        if is_template(value) {
            Some(GuestError::at(metadata_element, message, FILL_IN_FIRST))
        } else {
            None
        }
    };
    if let Some(error) = template_error(&pci) {
        return Err(error);
    }
    if parse_pci(&pci).is_none() {
        let help =
            "record the GPU's address: `gvtg-xml fix --libvirt installed --pci 0000:00:02.0`";
        return Err(GuestError::at(
            metadata_element,
            format!("'{pci}', recorded in <metadata>, is not a PCI address"),
            help,
        ));
    }
    let explicit_type = options.settings.explicit.vgpu_type.as_deref();
    let fallback_type = options.settings.fallback.vgpu_type.as_deref();
    let vgpu_type = explicit_type.or(description.recorded_type).or(fallback_type);
    if let Some(error) = vgpu_type.and_then(template_error) {
        return Err(error);
    }
    if let Some(invalid_type) = vgpu_type.filter(|vgpu_type| !is_type(vgpu_type)) {
        let help = "record a type: `gvtg-xml fix --libvirt installed --type i915-GVTg_V5_4`";
        return Err(GuestError::at(
            metadata_element,
            format!("'{invalid_type}' is not a GVT-g vGPU type"),
            help,
        ));
    }
    let is_default_type = vgpu_type.is_none();
    let vgpu_type = vgpu_type.unwrap_or_else(|| (options.default_type)(&pci)).to_owned();
    Ok(Vgpu { uuid, vgpu_type, is_default_type, pci })
}

fn missing_uuid_error(vgpu: Element<'_>) -> GuestError {
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

/// The reason why guests cannot be on one host. Guests are described by name and source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestConflict {
    /// Two guests have the same name.
    Name {
        /// The first guest.
        first: String,
        /// The second guest.
        second: String,
    },
    /// A guest has the same vGPU twice.
    RepeatedVgpu {
        /// The guest.
        guest: String,
        /// The vGPU's UUID.
        uuid: Uuid,
    },
    /// Two guests have the same vGPU.
    SharedVgpu {
        /// The first guest.
        first: String,
        /// The second guest.
        second: String,
        /// The vGPU's UUID.
        uuid: Uuid,
    },
}

impl std::fmt::Display for GuestConflict {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            GuestConflict::Name { first, second } => {
                write!(formatter, "{first} and {second} have the same name")
            }
            GuestConflict::RepeatedVgpu { guest, uuid } => {
                write!(formatter, "{guest} has the vGPU {uuid} twice: {FIX_FIRST}")
            }
            GuestConflict::SharedVgpu { first, second, uuid } => write!(
                formatter,
                "{first} and {second} have the same vGPU, {uuid}: each domain needs its own vGPU; give one of them a new UUID: \
                 `gvtg-xml fix --libvirt installed --uuid $(uuidgen)`"
            ),
        }
    }
}

impl std::error::Error for GuestConflict {}

/// Checks that these guests can be on one host.
///
/// # Errors
/// Two guests have the same name or two vGPUs the same UUID. `sources` holds the origin of each guest, such as a file name.
pub fn check(guests: &[Guest], sources: &[String]) -> Result<(), GuestConflict> {
    let mut names: HashMap<&str, usize> = HashMap::new();
    let mut uuids: HashMap<Uuid, usize> = HashMap::new();
    let guest_with_source =
        |index: usize| format!("{} ({})", shell::word(&guests[index].name), sources[index]);
    for (index, guest) in guests.iter().enumerate() {
        if let Some(other) = names.insert(&guest.name, index) {
            return Err(GuestConflict::Name {
                first: guest_with_source(other),
                second: guest_with_source(index),
            });
        }
        for vgpu in &guest.vgpus {
            match uuids.insert(vgpu.uuid, index) {
                Some(other) if other == index => {
                    return Err(GuestConflict::RepeatedVgpu {
                        guest: guest_with_source(index),
                        uuid: vgpu.uuid,
                    });
                }
                Some(other) => {
                    return Err(GuestConflict::SharedVgpu {
                        first: guest_with_source(other),
                        second: guest_with_source(index),
                        uuid: vgpu.uuid,
                    });
                }
                None => {}
            }
        }
    }
    Ok(())
}
