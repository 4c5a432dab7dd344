//! Reads a domain: parses its text, and collects its devices, arguments and overrides.

use super::aliases::number_host_devices;
use super::arguments::{parse_options, parse_set};
use super::vgpus::PrimaryVgpu;
use super::{Argument, Cache, Domain, Override, Settings, is_vgpu};
use crate::text::Source;
use crate::xml::{self, Children, Document, Element, ElementSet, XmlError, XmlErrorKind};

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
            qemu_overrides: parse_overrides(override_blocks),
            blocks,
            arguments,
            options,
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
}

/// The children of these elements with this name in libvirt's namespace for QEMU.
fn qemu_children<'d>(parents: &[Element<'d>], name: &str) -> Vec<Element<'d>> {
    parents
        .iter()
        .flat_map(|parent| parent.children())
        .filter(|child| child.is_qemu(name))
        .collect()
}

/// The `<qemu:property>` elements of these `<qemu:override>` blocks, each with the alias of its
/// device.
fn parse_overrides<'d>(blocks: &[Element<'d>]) -> Vec<Override<'d>> {
    let mut overrides = Vec::new();
    for device in qemu_children(blocks, "device") {
        let alias = device.attribute("alias").unwrap_or("");
        for element in qemu_children(&qemu_children(&[device], "frontend"), "property") {
            let attribute_or_empty = |name| element.attribute(name).unwrap_or("");
            overrides.push(Override {
                element,
                alias,
                property: attribute_or_empty("name"),
                kind: attribute_or_empty("type"),
                value: attribute_or_empty("value"),
            });
        }
    }
    overrides
}
