//! The domain as the rules see it: its vGPUs, the meaning of its QEMU arguments, and the properties
//! that reach the vGPU with the target libvirt release.

use std::cell::OnceCell;
use std::ops::Range;

use uuid::Uuid;

use crate::xml::{Children, Document, Element, ElementMap};
use foldhash::{HashMap, HashSet};

mod alias_assignment;
mod aliases;
mod arguments;
mod audio;
mod cards;
mod display;
mod elements;
mod firmware;
pub mod managed_file;
mod metadata;
mod parse;
mod property_source;
mod property_syntax;
mod raw_devices;
mod read;
mod references;
pub(crate) mod setting_overrides;
mod settings;
mod suppressions;
mod templates;
#[cfg(test)]
mod testing;
mod vendor;
mod vgpus;

pub use alias_assignment::Renaming;
pub use aliases::{is_host_device_number, is_user_alias, user_alias};
pub use arguments::{Argument, Override, QemuOption, Set};
pub use audio::{
    AUDIO_BACKENDS, AUDIO_STREAM_ATTRIBUTES, AudioAttribute, AudioBackend, AudioIds, AudioValue,
    audio_backend, audio_id,
};
pub use cards::Card;
pub use firmware::Ramfb;
pub use metadata::Metadata;
pub use parse::{
    PciAddress, attribute_span, display_has_gl, display_parts, has_gl, parse_pci, parse_uuid,
    shows_what_egl_draws, uuid_of,
};
pub(crate) use parse::{can_have_gl, is_graphics_card, is_pci_card, is_vgpu, pci_address};
pub use property_source::{EffectiveProperty, PropertySource, global_property};
use property_source::{LastByDeviceProperty, VgpuProperties, to_effective_value};
pub use property_syntax::{PropertySyntax, json_capability, property_syntax_for};
use raw_devices::Globals;
pub use raw_devices::RawDevice;
pub use read::{read, read_source};
pub use references::{Reference, ReferenceSite, References};
pub use setting_overrides::{Audio, SettingOverrides};
pub use settings::{METADATA_NAMESPACE, Settings, UUID_NAMESPACE, derived_uuid};
use suppressions::SuppressionIndex;
pub use suppressions::{Suppression, SuppressionForm};
pub use templates::{is_template, is_template_name, templates};
use vendor::{is_raw_vgpu, raw_vgpu_uuid};

/// A libvirt domain as the rules see it.
pub struct Domain<'d> {
    /// The parsed document.
    pub document: &'d Document<'d>,
    /// The `<domain>` element.
    pub root: Element<'d>,
    /// The first `<devices>` element, if any.
    pub devices: Option<Element<'d>>,
    /// The settings that the domain is checked against.
    pub settings: &'d Settings,
    /// An index of child elements by name.
    pub children: Children<'d>,
    /// The `<hostdev>` elements of mediated devices that can be GVT-g vGPUs, in document order.
    pub vgpus: Vec<Element<'d>>,
    /// Mediated devices of other vendors, each with the fact that shows it (see
    /// `other_vendor_evidence`).
    pub non_intel_mdevs: Vec<(Element<'d>, String)>,
    /// The primary vGPU, to which properties, the alias and the display apply; `None` if it is
    /// [`Domain::raw_vgpu`] or there is no vGPU.
    pub vgpu: Option<Element<'d>>,
    /// The primary vGPU if it is not a hostdev but the operand of a `-device vfio-pci…,sysfsdev=…`:
    /// the `<qemu:arg>` element.
    pub raw_vgpu: Option<Element<'d>>,
    /// The `<qemu:arg>` elements with a value, in document order, from all `<qemu:commandline>`
    /// blocks.
    pub arguments: Vec<Argument<'d>>,
    /// The options among the arguments, each with its operand.
    pub options: Vec<QemuOption<'d>>,
    /// The `<qemu:env>` elements.
    pub environment: Vec<Element<'d>>,
    /// The `<qemu:property>` elements of all `<qemu:override>` blocks.
    pub qemu_overrides: Vec<Override<'d>>,
    /// The `<qemu:del>` elements, which delete QEMU capabilities.
    pub deleted_capabilities: Vec<Element<'d>>,
    /// The `<hostdev>` and `<interface type='hostdev'>` elements with the ids that libvirt gives
    /// them.
    pub host_devices: Vec<(Element<'d>, String)>,
    /// The `-set device.…` options, in document order.
    pub sets: Vec<Set<'d>>,
    /// The `<qemu:NAME>` blocks by name.
    blocks: [(&'static str, Vec<Element<'d>>); 3],
    cache: Cache<'d>,
}

/// Memoized queries; without them, each finding would scan the whole domain.
#[derive(Default)]
struct Cache<'d> {
    graphics_shown: OnceCell<bool>,
    display_kind: OnceCell<String>,
    set_reaches: OnceCell<bool>,
    /// Indices in `host_devices`.
    by_device: OnceCell<ElementMap<usize>>,
    by_alias: OnceCell<HashMap<String, usize>>,
    aliases: OnceCell<HashSet<&'d str>>,
    metadata: OnceCell<Option<Metadata<'d>>>,
    recorded_vgpus: OnceCell<HashMap<Uuid, Element<'d>>>,
    last_sets: OnceCell<LastByDeviceProperty<'d, Set<'d>>>,
    last_overrides: OnceCell<LastByDeviceProperty<'d, Override<'d>>>,
    /// The span of the first `x-igd-` property of each device, by alias; only integrated Intel GPUs
    /// have these properties.
    igd_properties: OnceCell<HashMap<&'d str, Range<usize>>>,
    override_devices: OnceCell<ElementMap<HashMap<&'d str, Vec<Element<'d>>>>>,
    identity: OnceCell<String>,
    references: OnceCell<References<'d>>,
    audio_ids: OnceCell<AudioIds<'d>>,
    host_references: OnceCell<HashMap<&'d str, Vec<Element<'d>>>>,
    /// Indices in `options`, by option element and by operand element.
    options_by_argument: OnceCell<ElementMap<usize>>,
    vgpu_properties: OnceCell<VgpuProperties<'d>>,
    /// By driver, then by property.
    globals: OnceCell<Globals<'d>>,
    raw_devices: OnceCell<Vec<RawDevice<'d>>>,
    /// Indices in `raw_devices`, by id.
    raw_ids: OnceCell<HashMap<String, usize>>,
    vgpu_alias: OnceCell<(String, bool)>,
    renaming: OnceCell<Renaming<'d>>,
    suppressions: OnceCell<SuppressionIndex<'d>>,
    may_have_templates: OnceCell<bool>,
    cards: OnceCell<Vec<Card<'d>>>,
    other_ramfbs: OnceCell<Vec<Ramfb<'d>>>,
}
