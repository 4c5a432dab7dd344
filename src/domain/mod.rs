//! The domain as the rules see it: its vGPUs, the meaning of its QEMU arguments, and the properties
//! that reach the vGPU with the target libvirt release.

use std::cell::OnceCell;
use std::ops::Range;

use uuid::Uuid;

use crate::qemu::known;
use crate::text::Source;
use crate::xml::{
    self, Children, Document, Element, ElementMap, ElementSet, XmlError, XmlErrorKind,
};
use foldhash::{HashMap, HashSet};

mod alias_assignment;
mod aliases;
mod arguments;
mod audio;
mod cards;
mod display;
mod firmware;
pub mod managed_file;
mod metadata;
mod parse;
mod property_source;
mod property_syntax;
mod raw;
mod references;
mod settings;
mod suppression_comments;
mod templates;
mod vendor;
mod vgpus;

pub use alias_assignment::Renaming;
use aliases::number_host_devices;
pub use aliases::{is_host_device_number, is_user_alias, user_alias};
pub use arguments::{Argument, Override, QemuOption, Set};
use arguments::{parse_options, parse_set};
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
use raw::Globals;
pub use raw::RawDevice;
pub use references::{Reference, ReferenceSite, References};
pub use settings::{
    Audio, METADATA_NAMESPACE, SettingOverrides, Settings, UUID_NAMESPACE, derived_uuid,
};
use suppression_comments::Suppressions;
pub use suppression_comments::{Ignore, IgnoreForm};
pub use templates::{is_template, is_template_name, templates};
use vendor::{is_raw_vgpu, raw_vgpu_uuid};
use vgpus::PrimaryVgpu;

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
    pub overrides: Vec<Override<'d>>,
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
    suppressions: OnceCell<Suppressions<'d>>,
    may_have_templates: OnceCell<bool>,
    cards: OnceCell<Vec<Card<'d>>>,
    other_ramfbs: OnceCell<Vec<Ramfb<'d>>>,
}

/// Parses `text` and calls `use_domain` with the domain.
///
/// # Errors
/// If the text is not well-formed XML or its root element is not `<domain>`: the position, the
/// reason and what to do.
pub fn read<R>(
    text: &str,
    settings: &Settings,
    use_domain: impl FnOnce(&Domain<'_>) -> R,
) -> Result<R, XmlError> {
    read_source(&Source::new("", text), settings, use_domain)
}

/// Like [`read`], for a [`Source`] that the caller also uses before or after the call.
///
/// # Errors
/// Those of [`read`].
pub fn read_source<R>(
    source: &Source<'_>,
    settings: &Settings,
    use_domain: impl FnOnce(&Domain<'_>) -> R,
) -> Result<R, XmlError> {
    xml::read_source(source, |document| {
        let root = document.root();
        if root.is("domain") {
            return Ok(use_domain(&Domain::new(document, settings)));
        }
        let message = match root.namespace() {
            Some(uri) if root.name() == "domain" => {
                format!(
                    "the root element <domain> is in the namespace {uri}, but a domain has no namespace"
                )
            }
            _ => format!("the root element is <{}>, not <domain>", root.name()),
        };
        let help =
            "use a domain's XML, as `virsh dumpxml --inactive --security-info win10` prints it";
        Err(XmlError {
            kind: XmlErrorKind::NotADomain,
            ..XmlError::new(root.span().start, message, help)
        })
    })?
}

impl<'d> Domain<'d> {
    /// Collects the devices, arguments and overrides of a document whose root is `<domain>`.
    pub fn new(document: &'d Document<'d>, settings: &'d Settings) -> Self {
        let root = document.root();
        let children = Children::new(document);
        let devices = children.named(root, "devices").find(|element| element.is("devices"));
        let devices_named = |name: &str| {
            devices.map_or(Vec::new(), |devices| children.named(devices, name).collect())
        };
        let hostdevs: Vec<Element<'d>> =
            devices_named("hostdev").into_iter().filter(|element| element.is("hostdev")).collect();
        let interfaces = devices_named("interface");
        let host_devices = number_host_devices(&interfaces, &hostdevs);
        let vgpus: Vec<Element<'d>> =
            hostdevs.into_iter().filter(|hostdev| is_vgpu(*hostdev)).collect();
        let qemu_blocks = |name: &str| -> Vec<Element<'d>> {
            children.named(root, name).filter(|element| element.is_qemu(name)).collect()
        };
        let qemu_children = |parents: &[Element<'d>], name: &str| -> Vec<Element<'d>> {
            parents
                .iter()
                .flat_map(|parent| parent.children())
                .filter(|child| child.is_qemu(name))
                .collect()
        };
        let blocks =
            ["commandline", "capabilities", "override"].map(|name| (name, qemu_blocks(name)));
        let [(_, command_lines), (_, capabilities), (_, override_blocks)] = &blocks;
        let arguments: Vec<Argument<'d>> = qemu_children(command_lines, "arg")
            .into_iter()
            .filter_map(|element| {
                element.attribute("value").map(|value| Argument { element, value })
            })
            .collect();
        let options = parse_options(&arguments);
        let mut overrides = Vec::new();
        for device in qemu_children(override_blocks, "device") {
            for element in qemu_children(&qemu_children(&[device], "frontend"), "property") {
                let attribute_or_empty = |name| element.attribute(name).unwrap_or("");
                let alias = device.attribute("alias").unwrap_or("");
                overrides.push(Override {
                    element,
                    alias,
                    property: attribute_or_empty("name"),
                    kind: attribute_or_empty("type"),
                    value: attribute_or_empty("value"),
                });
            }
        }
        let mut domain = Domain {
            document,
            root,
            devices,
            settings,
            vgpus,
            non_intel_mdevs: Vec::new(),
            vgpu: None,
            raw_vgpu: None,
            environment: qemu_children(command_lines, "env"),
            deleted_capabilities: qemu_children(capabilities, "del"),
            sets: options.iter().filter_map(parse_set).collect(),
            blocks,
            arguments,
            options,
            overrides,
            host_devices,
            children,
            cache: Cache::default(),
        };
        let with_evidence = |mdev: &Element<'d>| {
            domain.other_vendor_evidence(*mdev).map(|evidence| (*mdev, evidence))
        };
        domain.non_intel_mdevs = domain.vgpus.iter().filter_map(with_evidence).collect();
        let non_intel_ids: ElementSet =
            domain.non_intel_mdevs.iter().map(|(mdev, _)| mdev.id()).collect();
        domain.vgpus.retain(|vgpu| !non_intel_ids.contains(&vgpu.id()));
        match domain.primary_vgpu() {
            PrimaryVgpu::None => {}
            PrimaryVgpu::Hostdev(vgpu) => domain.vgpu = Some(vgpu),
            PrimaryVgpu::Argument(argument) => domain.raw_vgpu = Some(argument),
        }
        domain
    }

    /// The domain's name as libvirt passes it to its hooks, including leading and trailing blanks;
    /// `None` if it is missing or empty.
    pub fn name(&self) -> Option<String> {
        self.child("name").map(Element::deep_text).filter(|name| !name.is_empty())
    }

    /// The first child of `<domain>` with this name in libvirt's own namespace.
    pub fn child(&self, name: &str) -> Option<Element<'d>> {
        self.children.named(self.root, name).find(|element| element.is(name))
    }

    /// The children of `parent` with this name in libvirt's own namespace.
    pub fn named(&self, parent: Element<'d>, name: &str) -> Vec<Element<'d>> {
        self.children.named(parent, name).filter(|element| element.is(name)).collect()
    }

    /// The children of `<devices>` with this name.
    pub fn devices_named(&self, name: &str) -> Vec<Element<'d>> {
        self.devices.map_or(Vec::new(), |devices| self.named(devices, name))
    }

    /// The `<qemu:NAME>` blocks of the domain, for `commandline`, `capabilities` or `override`.
    pub fn blocks(&self, name: &str) -> &[Element<'d>] {
        self.blocks
            .iter()
            .find(|(block_name, _)| *block_name == name)
            .map_or(&[], |(_, blocks)| blocks)
    }

    /// The `<qemu:device>` elements for the device `alias` in one `<qemu:override>` block.
    pub fn override_devices(&self, block: Element<'d>, alias: &str) -> &[Element<'d>] {
        let by_block = self.cache.override_devices.get_or_init(|| {
            let mut by_block: ElementMap<HashMap<&str, Vec<Element<'d>>>> = Default::default();
            for block in self.blocks("override") {
                let by_alias = by_block.entry(block.id()).or_default();
                for device in block.children().filter(|child| child.is_qemu("device")) {
                    if let Some(alias) = device.attribute("alias") {
                        by_alias.entry(alias).or_default().push(device);
                    }
                }
            }
            by_block
        });
        by_block
            .get(&block.id())
            .and_then(|by_alias| by_alias.get(alias))
            .map_or(&[], Vec::as_slice)
    }

    /// References to devices in arguments, `-set` and overrides.
    pub fn references(&self) -> &References<'d> {
        self.cache.references.get_or_init(|| References::new(self))
    }

    /// The ids of the `<audio>` elements and the references to them.
    pub fn audio_ids(&self) -> &AudioIds<'d> {
        self.cache.audio_ids.get_or_init(|| AudioIds::new(self))
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

    /// The option that `argument` is, or whose operand it is.
    pub fn option_of(&self, argument: Element<'d>) -> Option<&QemuOption<'d>> {
        let indices = || {
            let options = self.options.iter().enumerate();
            let elements = options.flat_map(|(index, option)| {
                std::iter::once(option.element)
                    .chain(option.operand.map(|operand| operand.element))
                    .map(move |element| (element.id(), index))
            });
            elements.collect()
        };
        self.options.get(*self.cache.options_by_argument.get_or_init(indices).get(&argument.id())?)
    }

    /// The id that libvirt gives a host device.
    pub fn alias_of(&self, device: Element<'d>) -> Option<&str> {
        let indices = || {
            self.host_devices
                .iter()
                .enumerate()
                .map(|(index, (element, _))| (element.id(), index))
                .collect()
        };
        let index = *self.cache.by_device.get_or_init(indices).get(&device.id())?;
        Some(&self.host_devices[index].1)
    }

    /// The host device with this id; the first one if several share it.
    pub fn host_device(&self, alias: &str) -> Option<Element<'d>> {
        // Inserted in reverse order so that the first device with an id overwrites the others.
        let indices = || {
            self.host_devices
                .iter()
                .enumerate()
                .rev()
                .map(|(index, (_, alias))| (alias.clone(), index))
                .collect()
        };
        let index = *self.cache.by_alias.get_or_init(indices).get(alias)?;
        Some(self.host_devices[index].0)
    }

    /// The last option if its operand is missing: QEMU would take the argument that libvirt or a
    /// fix adds after it as the operand.
    pub fn option_without_operand(&self) -> Option<QemuOption<'d>> {
        let last = self.options.last().filter(|option| option.operand.is_none())?;
        let is_last_argument =
            self.arguments.last().is_some_and(|argument| argument.element == last.element);
        let needs_operand = known(last.name).is_some_and(|option| option.has_operand);
        if is_last_argument && needs_operand { Some(*last) } else { None }
    }

    /// The string that generated names derive from: the domain's uuid if it is valid, else its
    /// name, else an empty string.
    pub fn identity(&self) -> &str {
        self.cache.identity.get_or_init(|| {
            let child_text = |name| {
                self.child(name)
                    .map(|element| element.deep_text().trim().to_owned())
                    .filter(|text| !text.is_empty())
            };
            child_text("uuid")
                .filter(|uuid| Uuid::parse_str(uuid).is_ok())
                .or_else(|| child_text("name"))
                .unwrap_or_default()
        })
    }

    /// Whether any device has this user-defined alias.
    pub fn is_alias_taken(&self, alias: &str) -> bool {
        let aliases = || {
            let devices = self.devices.into_iter().flat_map(|devices| devices.children());
            devices.filter_map(|device| device.child("alias")?.attribute("name")).collect()
        };
        self.cache.aliases.get_or_init(aliases).contains(alias)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::QEMU_NAMESPACE;

    fn with_domain<R>(
        devices: &str,
        qemu: &str,
        libvirt: &str,
        query: impl FnOnce(&Domain<'_>) -> R,
    ) -> R {
        let text = format!(
            "<domain xmlns:qemu='{QEMU_NAMESPACE}'><devices>{devices}</devices>{qemu}</domain>"
        );
        let settings = Settings { libvirt: libvirt.parse().unwrap(), ..Settings::default() };
        read(&text, &settings, query).unwrap()
    }

    #[test]
    fn numbers_host_devices_like_libvirt() {
        let devices = "<hostdev type='usb'/><hostdev type='pci'><alias name='ua-nic'/></hostdev><interface type='hostdev'/>\
            <hostdev type='mdev'><alias name='ua-x.1'/></hostdev>";
        let aliases = with_domain(devices, "", "9.0", |domain| {
            domain
                .host_devices
                .iter()
                .map(|(element, alias)| format!("{} {alias}", element.attribute("type").unwrap()))
                .collect::<Vec<_>>()
        });
        assert_eq!(aliases, ["hostdev hostdev0", "usb hostdev1", "pci ua-nic", "mdev hostdev2"]);
    }

    #[test]
    fn pairs_options_with_operands() {
        let arguments = [
            "-set",
            "device.hostdev0.display=on",
            "-nodefaults",
            "--display",
            "gtk",
            "-set",
            "-s",
            "stray",
            "-s",
        ];
        let qemu: String =
            arguments.iter().map(|value| format!("<qemu:arg value='{value}'/>")).collect();
        with_domain("", &format!("<qemu:commandline>{qemu}</qemu:commandline>"), "9.0", |domain| {
            let sets: Vec<_> =
                domain.sets.iter().map(|set| (set.device, set.property, set.value)).collect();
            assert_eq!(sets, [("hostdev0", "display", "on")]);
            assert_eq!(domain.displays().len(), 1);
            assert_eq!(domain.options.len(), 5);
        });
    }

    #[test]
    fn set_and_override_reach_devices_by_libvirt_release() {
        let deleted =
            "<qemu:capabilities><qemu:del capability='device.json+hotplug'/></qemu:capabilities>";
        for (libvirt, set_reaches, set_reaches_with_deletion, override_reaches) in [
            ("7.8", true, true, false),
            ("7.9", false, false, false),
            ("8.0", true, true, false),
            ("8.1", false, true, false),
            ("8.4.0", false, true, false),
            ("8.5", false, true, true),
            ("newest", false, true, true),
        ] {
            assert_eq!(
                with_domain("", "", libvirt, |domain| (
                    domain.set_reaches(),
                    domain.override_reaches()
                )),
                (set_reaches, override_reaches),
                "{libvirt}"
            );
            assert_eq!(
                with_domain("", deleted, libvirt, |domain| domain.set_reaches()),
                set_reaches_with_deletion,
                "{libvirt}"
            );
        }
    }

    #[test]
    fn fixing_keeps_the_primary_vgpu() {
        let vgpus = |display: &str| {
            format!(
                "<hostdev type='mdev'/><hostdev type='mdev' id='2' display='{display}'><alias name='ua-x'/></hostdev>"
            )
        };
        let set_option = |operand: &str| {
            format!(
                "<qemu:commandline><qemu:arg value='-set'/><qemu:arg value='device.{operand}'/></qemu:commandline>"
            )
        };
        for (devices, qemu, expects_second) in [
            (vgpus("off"), String::new(), false),
            (vgpus("on"), String::new(), true),
            (vgpus("on"), set_option("hostdev0.x-igd-opregion=on"), true),
            (
                vgpus("off"),
                set_option("ua-x.display=on") + &set_option("hostdev0.x-igd-opregion=on"),
                true,
            ),
            (vgpus("off"), set_option("ua-x.x-igd-opregion=on"), true),
        ] {
            let is_second = with_domain(&devices, &qemu, "9.0", |domain| {
                domain.vgpu.and_then(|vgpu| vgpu.attribute("id")).is_some()
            });
            assert_eq!(is_second, expects_second, "{devices}{qemu}");
        }
    }
}
