//! What a domain says: its vGPUs, what its own arguments mean to QEMU, and which of that reaches
//! the vGPU on the libvirt at hand.

use std::cell::OnceCell;
use std::ops::Range;

use uuid::Uuid;

use crate::qemu::known;
use crate::settings::Settings;
use crate::source::Source;
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
mod suppression_comments;
mod templates;
mod vendor;
mod vgpus;

pub use alias_assignment::Renaming;
use aliases::number_host_devices;
pub use aliases::{is_host_device_number, is_user_alias, user_alias};
pub use arguments::{Argument, Override, QemuOption, Set};
use arguments::{options, set};
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
use property_source::{LastByDeviceProperty, VgpuProperties, typed};
pub use property_syntax::{PropertySyntax, json_capability, override_works, property_syntax_for};
use raw::Globals;
pub use raw::RawDevice;
pub use references::{Kind, Reference, ReferenceSite, References};
use suppression_comments::Ignores;
pub use suppression_comments::{Ignore, IgnoreForm};
pub use templates::{is_template, is_template_name, templates};
use vendor::{is_raw_vgpu, raw_vgpu_uuid};
use vgpus::Primary;
pub use vgpus::Vgpu;

/// A domain as the rules see it.
pub struct Domain<'d> {
    /// The document it was read from.
    pub document: &'d Document<'d>,
    /// `<domain>`.
    pub root: Element<'d>,
    /// `<devices>`.
    pub devices: Option<Element<'d>>,
    /// What the user wants.
    pub settings: &'d Settings,
    /// Children by name.
    pub children: Children<'d>,
    /// The mediated devices that can be a GVT-g vGPU, in document order.
    pub vgpus: Vec<Element<'d>>,
    /// Mediated devices that say that they are another maker's, and what says so.
    pub non_intel_mdevs: Vec<(Element<'d>, String)>,
    /// The vGPU that properties, alias and display speak about; None where that is
    /// [`Domain::raw_vgpu`].
    pub vgpu: Option<Element<'d>>,
    /// The vGPU that properties and display speak about where it is not a hostdev but an argument
    /// `-device vfio-pci…,sysfsdev=…`: the argument's element.
    pub raw_vgpu: Option<Element<'d>>,
    /// `<qemu:arg>` elements with a value, in order, of all command lines.
    pub arguments: Vec<Argument<'d>>,
    /// The options among them.
    pub options: Vec<QemuOption<'d>>,
    /// `<qemu:env>` elements.
    pub environment: Vec<Element<'d>>,
    /// `<qemu:property>` elements of all overrides.
    pub overrides: Vec<Override<'d>>,
    /// `<qemu:del>` elements.
    pub deleted_capabilities: Vec<Element<'d>>,
    /// libvirt's ids of `<hostdev>` and `<interface type='hostdev'>`.
    pub host_devices: Vec<(Element<'d>, String)>,
    /// All `-set device.…` in order.
    pub sets: Vec<Set<'d>>,
    blocks: [(&'static str, Vec<Element<'d>>); 3],
    answers: Cache<'d>,
}

/// What is asked once a finding and would be looked for in the whole domain each time.
#[derive(Default)]
struct Cache<'d> {
    graphics_shown: OnceCell<bool>,
    display_kind: OnceCell<String>,
    set_reaches: OnceCell<bool>,
    /// Places in `host_devices`.
    by_device: OnceCell<ElementMap<usize>>,
    by_alias: OnceCell<HashMap<String, usize>>,
    aliases: OnceCell<HashSet<&'d str>>,
    metadata: OnceCell<Option<Metadata<'d>>>,
    recorded_vgpus: OnceCell<HashMap<Uuid, Element<'d>>>,
    last_sets: OnceCell<LastByDeviceProperty<'d, Set<'d>>>,
    last_overrides: OnceCell<LastByDeviceProperty<'d, Override<'d>>>,
    /// By device, where the first of its properties stands that only an integrated GPU of Intel's
    /// has.
    igd_properties: OnceCell<HashMap<&'d str, Range<usize>>>,
    override_devices: OnceCell<ElementMap<HashMap<&'d str, Vec<Element<'d>>>>>,
    identity: OnceCell<String>,
    references: OnceCell<References<'d>>,
    audio_ids: OnceCell<AudioIds<'d>>,
    host_references: OnceCell<HashMap<&'d str, Vec<Element<'d>>>>,
    /// Indices in `options`, by option and by operand.
    options_by_argument: OnceCell<ElementMap<usize>>,
    addressed: OnceCell<VgpuProperties<'d>>,
    /// By driver and property.
    globals: OnceCell<Globals<'d>>,
    raw_devices: OnceCell<Vec<RawDevice<'d>>>,
    /// Places in `raw_devices`.
    raw_ids: OnceCell<HashMap<String, usize>>,
    vgpu_alias: OnceCell<(String, bool)>,
    renaming: OnceCell<Renaming<'d>>,
    ignores: OnceCell<Ignores<'d>>,
    may_have_templates: OnceCell<bool>,
    cards: OnceCell<Vec<Card<'d>>>,
    other_ramfbs: OnceCell<Vec<Ramfb<'d>>>,
}

/// Reads a text and hands the domain that it is to `use_domain`.
///
/// # Errors
/// A text that is no XML, or the XML of something else than a domain: where, why, and what to do.
pub fn read<R>(
    text: &str,
    settings: &Settings,
    use_domain: impl FnOnce(&Domain<'_>) -> R,
) -> Result<R, XmlError> {
    read_source(&Source::new("", text), settings, use_domain)
}

/// The same for a text whose places are asked for before or behind too.
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
    /// Reads a domain off its document.
    pub fn new(document: &'d Document<'d>, settings: &'d Settings) -> Self {
        let root = document.root();
        let children = Children::new(document);
        let devices = children.named(root, "devices").find(|element| element.is("devices"));
        let named = |parent: Option<Element<'d>>, name: &str| {
            parent.map_or(Vec::new(), |parent| children.named(parent, name).collect())
        };
        let hostdevs: Vec<Element<'d>> =
            named(devices, "hostdev").into_iter().filter(|element| element.is("hostdev")).collect();
        let interfaces = named(devices, "interface");
        let host_devices = number_host_devices(&interfaces, &hostdevs);
        let vgpus: Vec<Element<'d>> =
            hostdevs.into_iter().filter(|hostdev| is_vgpu(*hostdev)).collect();
        let qemu = |name: &str| -> Vec<Element<'d>> {
            children.named(root, name).filter(|element| element.is_qemu(name)).collect()
        };
        let inside = |parents: &[Element<'d>], name: &str| -> Vec<Element<'d>> {
            parents
                .iter()
                .flat_map(|parent| parent.children())
                .filter(|child| child.is_qemu(name))
                .collect()
        };
        let blocks = ["commandline", "capabilities", "override"].map(|name| (name, qemu(name)));
        let [(_, lines), (_, capabilities), (_, override_blocks)] = &blocks;
        let arguments: Vec<Argument<'d>> = inside(lines, "arg")
            .into_iter()
            .filter_map(|element| {
                element.attribute("value").map(|value| Argument { element, value })
            })
            .collect();
        let options = options(&arguments);
        let mut overrides = Vec::new();
        for device in inside(override_blocks, "device") {
            for element in inside(&inside(&[device], "frontend"), "property") {
                let text = |name| element.attribute(name).unwrap_or("");
                let alias = device.attribute("alias").unwrap_or("");
                overrides.push(Override {
                    element,
                    alias,
                    property: text("name"),
                    kind: text("type"),
                    value: text("value"),
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
            environment: inside(lines, "env"),
            deleted_capabilities: inside(capabilities, "del"),
            sets: options.iter().filter_map(set).collect(),
            blocks,
            arguments,
            options,
            overrides,
            host_devices,
            children,
            answers: Cache::default(),
        };
        let other = |vgpu: &Element<'d>| domain.other_maker(*vgpu).map(|what| (*vgpu, what));
        domain.non_intel_mdevs = domain.vgpus.iter().filter_map(other).collect();
        let others: ElementSet = domain.non_intel_mdevs.iter().map(|(vgpu, _)| vgpu.id()).collect();
        domain.vgpus.retain(|vgpu| !others.contains(&vgpu.id()));
        match domain.primary() {
            Primary::None => {}
            Primary::Hostdev(vgpu) => domain.vgpu = Some(vgpu),
            Primary::Argument(argument) => domain.raw_vgpu = Some(argument),
        }
        domain
    }

    /// The domain's name, as libvirt hands it to its hooks: blanks at its ends are part of it.
    pub fn name(&self) -> Option<String> {
        self.child("name").map(Element::deep_text).filter(|name| !name.is_empty())
    }

    /// The first of libvirt's own elements directly in the domain with this name.
    pub fn child(&self, name: &str) -> Option<Element<'d>> {
        self.children.named(self.root, name).find(|element| element.is(name))
    }

    /// Child elements of an element by name, in libvirt's own namespace.
    pub fn named(&self, parent: Element<'d>, name: &str) -> Vec<Element<'d>> {
        self.children.named(parent, name).filter(|element| element.is(name)).collect()
    }

    /// Children of `<devices>` by name.
    pub fn devices_named(&self, name: &str) -> Vec<Element<'d>> {
        self.devices.map_or(Vec::new(), |devices| self.named(devices, name))
    }

    /// The `<qemu:NAME>` blocks of the domain.
    pub fn blocks(&self, name: &str) -> &[Element<'d>] {
        self.blocks.iter().find(|(known, _)| *known == name).map_or(&[], |(_, blocks)| blocks)
    }

    /// The `<qemu:device>` elements of one override block that name this device.
    pub fn override_devices(&self, block: Element<'d>, alias: &str) -> &[Element<'d>] {
        let by_block = self.answers.override_devices.get_or_init(|| {
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

    /// Who speaks of which device.
    pub fn references(&self) -> &References<'d> {
        self.answers.references.get_or_init(|| References::of(self))
    }

    /// The ids of `<audio>`.
    pub fn audio_ids(&self) -> &AudioIds<'d> {
        self.answers.audio_ids.get_or_init(|| AudioIds::of(self))
    }

    /// The arguments of `-set` and the overrides that name a host device; none for one whose id an
    /// earlier device has.
    pub fn host_references(&self, device: Element<'d>) -> &[Element<'d>] {
        let Some(alias) =
            self.alias_of(device).filter(|alias| self.host_device(alias) == Some(device))
        else {
            return &[];
        };
        let by_alias = self.answers.host_references.get_or_init(|| {
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

    /// The option that an argument is or belongs to as its operand.
    pub fn option_of(&self, argument: Element<'d>) -> Option<&QemuOption<'d>> {
        let places = || {
            let options = self.options.iter().enumerate();
            let elements = options.flat_map(|(index, option)| {
                std::iter::once(option.element)
                    .chain(option.operand.map(|operand| operand.element))
                    .map(move |element| (element.id(), index))
            });
            elements.collect()
        };
        self.options.get(*self.answers.options_by_argument.get_or_init(places).get(&argument.id())?)
    }

    /// The id that libvirt gives a host device.
    pub fn alias_of(&self, device: Element<'d>) -> Option<&str> {
        let places = || {
            self.host_devices
                .iter()
                .enumerate()
                .map(|(index, (element, _))| (element.id(), index))
                .collect()
        };
        let index = *self.answers.by_device.get_or_init(places).get(&device.id())?;
        Some(&self.host_devices[index].1)
    }

    /// The host device that an id means.
    pub fn host_device(&self, alias: &str) -> Option<Element<'d>> {
        // Of several the first counts, so it is put in last.
        let places = || {
            self.host_devices
                .iter()
                .enumerate()
                .rev()
                .map(|(index, (_, own))| (own.clone(), index))
                .collect()
        };
        let index = *self.answers.by_alias.get_or_init(places).get(alias)?;
        Some(self.host_devices[index].0)
    }

    /// The last option, where it lacks its operand: QEMU takes whatever libvirt or a fix adds
    /// behind it for that.
    pub fn option_without_operand(&self) -> Option<QemuOption<'d>> {
        let last = self.options.last().filter(|option| option.operand.is_none())?;
        let is_last =
            self.arguments.last().is_some_and(|argument| argument.element == last.element);
        (is_last && known(last.name).is_some_and(|known| known.has_operand)).then_some(*last)
    }

    /// What stands for the domain where names are made: its uuid, else its name.
    pub fn identity(&self) -> &str {
        self.answers.identity.get_or_init(|| {
            let text = |name| {
                self.child(name)
                    .map(|element| element.deep_text().trim().to_owned())
                    .filter(|text| !text.is_empty())
            };
            text("uuid")
                .filter(|uuid| Uuid::parse_str(uuid).is_ok())
                .or_else(|| text("name"))
                .unwrap_or_default()
        })
    }

    /// Whether an id of a user's own is taken by any device.
    pub fn is_alias_taken(&self, alias: &str) -> bool {
        let aliases = || {
            let devices = self.devices.into_iter().flat_map(|devices| devices.children());
            devices.filter_map(|device| device.child("alias")?.attribute("name")).collect()
        };
        self.answers.aliases.get_or_init(aliases).contains(alias)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::QEMU_NAMESPACE;

    fn with<R>(devices: &str, qemu: &str, libvirt: &str, ask: impl FnOnce(&Domain<'_>) -> R) -> R {
        let text = format!(
            "<domain xmlns:qemu='{QEMU_NAMESPACE}'><devices>{devices}</devices>{qemu}</domain>"
        );
        let settings = Settings { libvirt: libvirt.parse().unwrap(), ..Settings::default() };
        read(&text, &settings, ask).unwrap()
    }

    #[test]
    fn host_devices_are_numbered_as_libvirt_does() {
        let devices = "<hostdev type='usb'/><hostdev type='pci'><alias name='ua-nic'/></hostdev><interface type='hostdev'/>\
            <hostdev type='mdev'><alias name='ua-x.1'/></hostdev>";
        let aliases = with(devices, "", "9.0", |domain| {
            domain
                .host_devices
                .iter()
                .map(|(element, alias)| format!("{} {alias}", element.attribute("type").unwrap()))
                .collect::<Vec<_>>()
        });
        assert_eq!(aliases, ["hostdev hostdev0", "usb hostdev1", "pci ua-nic", "mdev hostdev2"]);
    }

    #[test]
    fn options_and_their_operands_are_paired() {
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
        with("", &format!("<qemu:commandline>{qemu}</qemu:commandline>"), "9.0", |domain| {
            let sets: Vec<_> =
                domain.sets.iter().map(|set| (set.device, set.property, set.value)).collect();
            assert_eq!(sets, [("hostdev0", "display", "on")]);
            assert_eq!(domain.displays().len(), 1);
            assert_eq!(domain.options.len(), 5);
        });
    }

    #[test]
    fn what_reaches_a_device_depends_on_libvirt() {
        let deleted =
            "<qemu:capabilities><qemu:del capability='device.json+hotplug'/></qemu:capabilities>";
        for (libvirt, set, set_with_deletion, by_override) in [
            ("7.8", true, true, false),
            ("7.9", false, false, false),
            ("8.0", true, true, false),
            ("8.1", false, true, false),
            ("8.4.0", false, true, false),
            ("8.5", false, true, true),
            ("newest", false, true, true),
        ] {
            assert_eq!(
                with("", "", libvirt, |domain| (domain.set_reaches(), domain.override_reaches())),
                (set, by_override),
                "{libvirt}"
            );
            assert_eq!(
                with("", deleted, libvirt, |domain| domain.set_reaches()),
                set_with_deletion,
                "{libvirt}"
            );
        }
    }

    #[test]
    fn the_primary_vgpu_is_the_same_before_and_after_fixing() {
        let vgpus = |display: &str| {
            format!(
                "<hostdev type='mdev'/><hostdev type='mdev' id='2' display='{display}'><alias name='ua-x'/></hostdev>"
            )
        };
        let set = |operand: &str| {
            format!(
                "<qemu:commandline><qemu:arg value='-set'/><qemu:arg value='device.{operand}'/></qemu:commandline>"
            )
        };
        for (devices, qemu, second) in [
            (vgpus("off"), String::new(), false),
            (vgpus("on"), String::new(), true),
            (vgpus("on"), set("hostdev0.x-igd-opregion=on"), true),
            (vgpus("off"), set("ua-x.display=on") + &set("hostdev0.x-igd-opregion=on"), true),
            (vgpus("off"), set("ua-x.x-igd-opregion=on"), true),
        ] {
            let is_second = with(&devices, &qemu, "9.0", |domain| {
                domain.vgpu.and_then(|vgpu| vgpu.attribute("id")).is_some()
            });
            assert_eq!(is_second, second, "{devices}{qemu}");
        }
    }
}
