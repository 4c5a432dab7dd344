//! Checks of the vGPU itself.

use uuid::Uuid;

use super::requirements::{Requirements, requirements};
use crate::domain::{
    Domain, EffectiveProperty, PropertySource, Ramfb, derived_uuid, is_template, is_template_name,
    is_user_alias, uuid_of,
};
use crate::fix::{Change, assign_alias, deliver, new_metadata};
use crate::qemu::property::PropertyType::Unsigned;
use crate::qemu::property::to_override;
use crate::rules::Context;
use crate::rules::finding::Finding;
use crate::rules::other_sources::{self, RamfbElsewhere, without_ramfb};
use crate::rules::risk::Risk;
use crate::xml::Element;
use crate::xml::fragment::NewElement;

/// Finds a domain without a vGPU. The fix adds one that meets the requirements of all other rules.
pub(super) fn missing<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    if domain.has_vgpu() || domain.is_served_by_sriov() {
        return Vec::new();
    }
    let risk = if domain.has_igpu() {
        Some(Risk::LastGpu)
    } else if domain.has_screen_without_gl() {
        Some(Risk::Screen)
    } else if has_shared_uuid(domain) {
        Some(Risk::SharedVgpu)
    } else {
        None
    };
    // After an option without its operand, arguments cannot be added, so only the changes tell
    // whether there is a fix.
    if !context.wants_changes && domain.option_without_operand().is_none() {
        let finding = Finding {
            risk,
            ..Finding::at(context.rule, domain.devices.unwrap_or(domain.root)).fixed_by(Vec::new())
        };
        return vec![with_shared_uuid(domain, finding)];
    }
    let uuid =
        domain.settings.uuid.unwrap_or_else(|| derived_uuid(domain.identity(), 1)).to_string();
    let alias = domain.vgpu_alias();
    let Requirements { ramfb, display, mut changes } = requirements(context);
    let display = if display { "on" } else { "off" };
    let attributes = [
        ("mode", "subsystem"),
        ("type", "mdev"),
        ("managed", "no"),
        ("model", "vfio-pci"),
        ("display", display),
    ];
    let mut hostdev =
        attributes.into_iter().fold(NewElement::new("hostdev"), |hostdev, (name, value)| {
            hostdev.with_attribute(name, value)
        });
    if ramfb {
        hostdev = hostdev.with_attribute("ramfb", "on");
    }
    hostdev = hostdev.with_child(
        NewElement::new("source")
            .with_child(NewElement::new("address").with_attribute("uuid", &uuid)),
    );
    if is_user_alias(alias) {
        hostdev = hostdev.with_child(NewElement::new("alias").with_attribute("name", alias));
    }
    let (place, insertion) = match domain.devices {
        Some(devices) => (devices, Change::Insert(devices, hostdev)),
        None => (
            domain.root,
            Change::Insert(domain.root, NewElement::new("devices").with_child(hostdev)),
        ),
    };
    changes.insert(0, insertion);
    vec![with_shared_uuid(
        domain,
        Finding { risk, ..Finding::at(context.rule, place).fixed_by(changes) },
    )]
}

/// Finds UUIDs that are missing, invalid, or not the requested one.
pub(super) fn uuid<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let mut findings = Vec::new();
    for (index, vgpu) in domain.vgpus.iter().copied().enumerate() {
        let requested = domain.settings.uuid.filter(|_| domain.vgpu == Some(vgpu));
        let current = uuid_of(vgpu);
        if current.is_some() && (requested.is_none() || requested == current) {
            continue;
        }
        let source = vgpu.child("source");
        let address = source.and_then(|source| source.child("address"));
        let uuid = domain.new_uuid(index, vgpu).to_string();
        let value = address.and_then(|address| address.attribute("uuid"));
        let is_filled_in_later = value.is_some_and(is_template);
        let found = match value {
            Some(value) if current.is_some() => format!("'{value}', not the requested one"),
            Some(value) if is_filled_in_later => format!("'{value}', which is not a UUID yet"),
            Some(value) if is_placeholder(value) => {
                format!(
                    "'{value}', a placeholder that libvirt rejects; a script that fills it in must use the new UUID"
                )
            }
            Some(value) => format!("'{value}', which is not a UUID: libvirt rejects the domain"),
            None => "missing: libvirt rejects the domain".into(),
        };
        let new_address = NewElement::new("address").with_attribute("uuid", &uuid);
        let record_change = current
            .and_then(|current| domain.recorded_vgpu(current))
            .map(|element| Change::SetAttribute(element, "uuid".into(), uuid.clone()));
        let mut changes = match (source, address) {
            (_, Some(address)) => vec![Change::SetAttribute(address, "uuid".into(), uuid)],
            (Some(source), None) => vec![Change::Insert(source, new_address)],
            (None, None) => {
                vec![Change::Insert(vgpu, NewElement::new("source").with_child(new_address))]
            }
        };
        changes.extend(record_change);
        if let Some(source) = source.filter(|source| source.attribute("uuid").is_some()) {
            changes.push(Change::RemoveAttribute(source, "uuid".into()));
        }
        let finding = match address {
            Some(address) => Finding::at_attribute(context.rule, address, "uuid"),
            None => Finding::at(context.rule, source.unwrap_or(vgpu)),
        };
        let finding = finding.with_value("found", found).fixed_by(changes);
        let mut finding = if current.is_none() && !is_filled_in_later {
            with_shared_uuid(domain, finding)
        } else {
            finding
        };
        if current.is_none() && requested.is_none() {
            finding.risk = if value.is_some_and(may_be_an_expression) {
                Some(Risk::Template)
            } else if has_shared_uuid(domain) {
                Some(Risk::SharedVgpu)
            } else {
                None
            };
        }
        findings.push(finding);
    }
    findings
}

/// Adds a note to a finding if the fix derives the new UUID from a name that a template fills in
/// later.
fn with_shared_uuid<'d, 'r>(domain: &Domain<'d>, finding: Finding<'d, 'r>) -> Finding<'d, 'r> {
    match domain.child("name") {
        Some(name) if has_shared_uuid(domain) => finding.related_to(
            name.span(),
            "all VMs of this template get the same vGPU: make the UUID a template expression too",
        ),
        _ => finding,
    }
}

/// Whether the vGPU's new UUID is derived from a name that a template fills in later.
fn has_shared_uuid(domain: &Domain<'_>) -> bool {
    domain.settings.uuid.is_none() && is_template_name(domain.identity())
}

/// Whether an invalid UUID may be an expression of an unknown template engine: it has characters
/// that neither a UUID nor a guide's placeholder has. A word in angle brackets is a guide's
/// placeholder.
fn may_be_an_expression(value: &str) -> bool {
    let word = value.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(value);
    value.contains("{{")
        || value.contains("}}")
        || !word.chars().all(|c| {
            c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ' | '{' | '}' | '(' | ')')
        })
}

/// Whether a value is a placeholder that the user should have replaced: `GPU_UUID`,
/// `your-gpu-uuid-here`.
fn is_placeholder(value: &str) -> bool {
    value.to_ascii_lowercase().contains("uuid")
}

/// Finds an invalid user alias, which libvirt drops, and one that is not the requested one.
pub(super) fn alias<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let Some(vgpu) = domain.vgpu else { return Vec::new() };
    let Some(element) = vgpu.child("alias") else {
        return finding_for_missing_alias(context, vgpu).into_iter().collect();
    };
    let name = element.attribute("name").unwrap_or("");
    let is_dropped = name.starts_with("ua-") && !is_user_alias(name);
    let correct_alias = domain.vgpu_alias();
    let mut changes = assign_alias(domain);
    // If another device has the requested alias, the vGPU's alias has a number appended.
    if !is_dropped && (domain.settings.explicit.alias.is_none() || correct_alias == name) {
        return Vec::new();
    }
    let what = if is_dropped { "which libvirt silently drops" } else { "not the requested one" };
    if changes.is_empty() {
        // libvirt's own alias suffices.
        changes.push(Change::Remove(element));
    }
    vec![
        Finding::at_attribute(context.rule, element, "name")
            .with_value("found", format!("'{name}'"))
            .with_value("what", what)
            .fixed_by(changes),
    ]
}

fn finding_for_missing_alias<'d, 'r>(
    context: &Context<'_, 'd, 'r>,
    vgpu: Element<'d>,
) -> Option<Finding<'d, 'r>> {
    let domain = context.domain;
    domain.settings.explicit.alias.as_ref()?;
    Some(
        Finding::at(context.rule, vgpu)
            .with_value("found", "missing")
            .with_value("what", "but one was requested")
            .fixed_by(assign_alias(domain)),
    )
}

/// Finds the `<rom>` of a mediated device, which libvirt does not pass on to QEMU.
pub(super) fn rom_element<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let mut findings = Vec::new();
    for vgpu in &domain.vgpus {
        let mut roms = vgpu.children().filter(|child| child.is("rom"));
        let Some(rom) = roms.next() else { continue };
        // libvirt reads the first <rom>.
        findings.extend(
            roms.map(|other| {
                Finding::at(context.rule, other).fixed_by(vec![Change::Remove(other)])
            }),
        );
        let finding = Finding::at(context.rule, rom);
        if domain.vgpu != Some(*vgpu) {
            findings.push(finding);
            continue;
        }
        let mut changes = vec![Change::Remove(rom)];
        if let Some(file) = rom.attribute("file")
            && domain.effective_property("romfile").is_none()
        {
            changes.extend(deliver(domain, "romfile", file));
        }
        let bar = rom
            .attribute("bar")
            .and_then(|bar| to_override(Unsigned, if bar == "off" { "0" } else { "1" }));
        if let Some(bar) = bar
            && domain.effective_property("rombar").is_none()
        {
            changes.extend(deliver(domain, "rombar", &bar));
        }
        let is_convertible = rom.attribute_names().all(|name| matches!(name, "file" | "bar"));
        findings.push(if is_convertible { finding.fixed_by(changes) } else { finding });
    }
    findings
}

/// Finds a UEFI guest whose vGPU has no option ROM, or a vGPU without the requested one.
pub(super) fn option_rom<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let requested = domain.settings.explicit.romfile.as_deref();
    let delivered = domain.effective_property("romfile");
    let os = domain.child("os");
    let is_uefi = os.is_some_and(|os| {
        os.attribute("firmware") == Some("efi")
            || os.child("loader").is_some_and(|loader| loader.attribute("type") == Some("pflash"))
    });
    if !is_uefi && requested.is_none() {
        return Vec::new();
    }
    let is_right = delivered
        .as_ref()
        .is_some_and(|delivered| requested.is_none_or(|requested| requested == delivered.value));
    // A <rom file> is a separate finding, whose fix sets the file.
    let is_named_by_rom_element = domain
        .vgpu
        .is_some_and(|vgpu| vgpu.child("rom").is_some_and(|rom| rom.attribute("file").is_some()));
    if is_right
        || domain.is_handled_by_other_rule("romfile")
        || (is_named_by_rom_element && requested.is_none())
    {
        return Vec::new();
    }
    let place = domain.vgpu.or(domain.raw_vgpu).unwrap_or(domain.root);
    let finding = Finding::within(context.rule, place, domain.property_span(delivered.as_ref()));
    vec![match domain.settings.wish(|wishes| wishes.romfile.as_deref()) {
        Some(file) => finding.fixed_by(deliver(domain, "romfile", file)),
        None => finding,
    }]
}

/// Finds further devices with ramfb; libvirt and QEMU accept only one.
pub(super) fn second_ramfb<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let has_ramfb = domain.has_ramfb();
    let first_ramfb =
        || domain.other_ramfbs().first().map(|ramfb| (ramfb.place.clone(), "the first ramfb"));
    let displayed_vgpu = domain
        .vgpu
        .or(domain.raw_vgpu)
        .filter(|_| has_ramfb)
        .map(|vgpu| (vgpu.start_tag().span, "the vGPU that shows the picture"));
    let Some((place, note)) = displayed_vgpu.or_else(first_ramfb) else { return Vec::new() };
    // Another rule reports a <video> next to a vGPU with ramfb.
    let others = domain
        .other_ramfbs()
        .iter()
        .skip(usize::from(!has_ramfb))
        .filter(|ramfb| !(has_ramfb && ramfb.device.is("video")));
    let finding = |ramfb: &Ramfb<'d>| {
        let finding = Finding::within(context.rule, ramfb.device, ramfb.place.clone())
            .related_to(place.clone(), note);
        // With ramfb only on two other devices, the user must decide which one keeps it.
        let changes = if has_ramfb { without_ramfb(domain, ramfb) } else { Vec::new() };
        if changes.is_empty() {
            return finding;
        }
        // A ramfb device or another vGPU's ramfb only shows the firmware, which the displayed vGPU
        // does as well.
        let is_replaced = ramfb.is_vgpu || matches!(changes[..], [Change::Remove(_), ..]);
        Finding {
            risk: (!is_replaced).then_some(Risk::FirmwareScreen),
            ..finding.fixed_by(changes)
        }
    };
    others.map(finding).collect()
}

/// Finds a `<video>` that provides the VM's only ramfb. The fix gives ramfb to the vGPU.
pub(super) fn stray_ramfb<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let others = domain.other_ramfbs();
    let gets_ramfb = domain.has_vgpu() && others.len() == 1 && domain.drawing_rom().is_none();
    let finding = |video: Element<'d>| {
        let mut changes = vec![Change::Remove(video)];
        if gets_ramfb {
            changes.extend(deliver(domain, "ramfb", "true"));
        }
        let what = if changes.len() > 1 { " and give ramfb to the vGPU" } else { "" };
        Finding::at(context.rule, video).with_value("what", what).fixed_by(changes)
    };
    others
        .iter()
        .filter(|ramfb| ramfb.device.is("video"))
        .map(|ramfb| finding(ramfb.device))
        .collect()
}

/// Finds a vGPU that cannot have ramfb because another device has it, or because its option ROM
/// draws the firmware's screen.
pub(super) fn ramfb_elsewhere<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    if domain.has_ramfb()
        || !domain.has_vgpu() && (domain.has_igpu() || domain.is_served_by_sriov())
    {
        return Vec::new();
    }
    let vgpu = domain.vgpu.or(domain.raw_vgpu);
    let finding = match other_sources::ramfb_elsewhere(domain) {
        None => return Vec::new(),
        // A <video> that a fix removes is a separate finding.
        Some(RamfbElsewhere::Device(ramfb))
            if ramfb.device.is("video")
                && !domain.settings.keep_video
                && !domain.is_shown_by_graphics() =>
        {
            return Vec::new();
        }
        Some(RamfbElsewhere::Device(ramfb)) => {
            let (device, instead) = match ramfb.device.name() {
                "video" => ("this <video> already provides it", "remove this <video>"),
                "arg" => ("this argument already provides it", "remove this QEMU argument"),
                _ => ("this device already has it", "set ramfb='off' here"),
            };
            Finding::within(context.rule, ramfb.device, ramfb.place)
                .with_value("what", format!("{device}, and a VM can have only one"))
                .with_value(
                    "other",
                    format!(
                        "{instead} to see the firmware and the boot loader on the vGPU instead"
                    ),
                )
        }
        Some(RamfbElsewhere::Rom(file)) => {
            let place = vgpu.or(domain.devices).unwrap_or(domain.root);
            Finding::within(context.rule, place, place.start_tag().span)
                .with_value(
                    "what",
                    format!("its option ROM {file} already draws the firmware's screen, and does not work together with ramfb"),
                )
                .with_value("other", "leave ramfb off as long as the vGPU has this option ROM")
        }
    };
    let place =
        vgpu.filter(|vgpu| Some(*vgpu) != finding.element).map(|vgpu| vgpu.start_tag().span);
    vec![
        place
            .into_iter()
            .fold(finding, |finding, place| finding.related_to(place, "the vGPU without ramfb")),
    ]
}

/// Finds a vGPU with both ramfb and an option ROM that draws the firmware's screen.
pub(super) fn two_firmware_screens<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let (true, Some(vgpu), Some(file)) =
        (domain.has_ramfb(), domain.vgpu.or(domain.raw_vgpu), domain.drawing_rom())
    else {
        return Vec::new();
    };
    vec![Finding::at_attribute(context.rule, vgpu, "ramfb").with_value("found", file)]
}

/// Finds a second OpRegion next to the vGPU's `x-igd-opregion`: from a file or from another device.
pub(super) fn duplicate_opregion<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    const NAME: &str = "x-igd-opregion";
    let domain = context.domain;
    let Some(delivered) =
        domain.effective_property(NAME).filter(|delivered| delivered.value == "true")
    else {
        return Vec::new();
    };
    let place = domain.property_span(Some(&delivered));
    if let Some(argument) = domain.opregion_argument() {
        let finding = Finding::at_attribute(context.rule, argument, "value")
            .with_value("what", "from this argument");
        return vec![
            finding
                .related_to(place, "the displayed vGPU's OpRegion")
                .fixed_by(deliver(domain, NAME, "false")),
        ];
    }
    let Some((device, carrier)) = domain.other_opregion() else { return Vec::new() };
    let change = match carrier {
        PropertySource::Set(set) => Some(Change::SetValue(set, "off".into())),
        PropertySource::Override(qemu_override) => {
            Some(Change::SetAttribute(qemu_override.element, "value".into(), "false".into()))
        }
        // A -global applies to all devices and cannot be changed for one.
        _ => device
            .is_qemu("arg")
            .then(|| Change::DeviceProperty(device, NAME.into(), "false".into())),
    };
    let what = if domain.vgpus.contains(&device) {
        "from this other vGPU"
    } else {
        "from this other device"
    };
    let other_span =
        domain.property_span(Some(&EffectiveProperty { value: "true".into(), carrier }));
    let finding = Finding::within(context.rule, device, other_span)
        .with_value("what", what)
        .related_to(place, "the displayed vGPU's OpRegion");
    vec![Finding { changes: change.map(|change| vec![change]), ..finding }]
}

/// Finds an OpRegion from a file or another device next to a vGPU without an explicit
/// `x-igd-opregion`, which newer QEMU releases give an OpRegion by default.
pub(super) fn default_opregion<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    if domain.effective_property("x-igd-opregion").is_some() {
        return Vec::new();
    }
    let from_file = domain.opregion_argument().map(|argument| {
        Finding::at_attribute(context.rule, argument, "value")
            .with_value("what", "this argument already provides an OpRegion")
    });
    let from_device = || {
        let (device, carrier) = domain.other_opregion()?;
        let place =
            domain.property_span(Some(&EffectiveProperty { value: "true".into(), carrier }));
        Some(
            Finding::within(context.rule, device, place)
                .with_value("what", "another device already provides an OpRegion"),
        )
    };
    let Some(finding) = from_file.or_else(from_device) else { return Vec::new() };
    let vgpu = domain.vgpu.or(domain.raw_vgpu).map(|vgpu| vgpu.start_tag().span);
    vec![vgpu.into_iter().fold(finding, |finding, place| finding.related_to(place, "the vGPU"))]
}

/// Finds further vGPUs, which the other rules do not change.
pub(super) fn second<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let others = domain.vgpus.iter().copied().filter(|vgpu| Some(*vgpu) != domain.vgpu);
    let first = domain.vgpu.or(domain.raw_vgpu).map(|vgpu| vgpu.start_tag().span);
    others
        .map(|vgpu| {
            first.iter().cloned().fold(Finding::at(context.rule, vgpu), |finding, span| {
                finding.related_to(span, "the vGPU that shows the picture")
            })
        })
        .collect()
}

/// Finds a requested type or PCI address that is not recorded in the metadata, from which the host
/// creates the vGPU.
pub(super) fn unrecorded_type<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let settings = domain.settings;
    let metadata = domain.metadata();
    // With several vGPUs, each has its own record, keyed by its UUID. A missing UUID is fixed
    // first.
    let uuid = domain.vgpu.and_then(uuid_of);
    let is_one_of_several = domain.vgpus.len() > 1;
    if is_one_of_several && uuid.is_none() {
        return Vec::new();
    }
    let explicit = &settings.explicit;
    let fallback = &settings.fallback;
    let wanted =
        [("type", &explicit.vgpu_type, &fallback.vgpu_type), ("pci", &explicit.pci, &fallback.pci)];
    let missing = wanted.into_iter().filter_map(|(name, explicit, fallback)| {
        match domain.recorded(name, uuid) {
            None => Some((name, explicit.as_deref().or(fallback.as_deref())?)),
            Some(recorded) => {
                Some((name, explicit.as_deref().filter(|explicit| *explicit != recorded)?))
            }
        }
    });
    let missing: Vec<(&str, &str)> = missing.collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let recorded = |element: NewElement| {
        missing.iter().fold(element, |element, (name, value)| element.with_attribute(*name, *value))
    };
    let vgpu_element = |prefix: &str, uuid: Uuid| {
        recorded(NewElement::new(format!("{prefix}vgpu")).with_attribute("uuid", uuid.to_string()))
    };
    let change = match (metadata, uuid) {
        (Some(metadata), Some(uuid))
            if domain.recorded_vgpu(uuid).is_some() || is_one_of_several =>
        {
            match domain.recorded_vgpu(uuid) {
                Some(element) => set_all(element, &missing),
                None => {
                    vec![Change::Insert(
                        metadata.element,
                        vgpu_element(metadata.element.written_prefix(), uuid),
                    )]
                }
            }
        }
        (Some(metadata), _) => set_all(metadata.element, &missing),
        (None, _) => vec![new_metadata(domain, |element| match uuid {
            Some(uuid) if is_one_of_several => element.with_child(vgpu_element("gvtg:", uuid)),
            _ => recorded(element),
        })],
    };
    let recorded_at = metadata.map(|metadata| {
        uuid.and_then(|uuid| domain.recorded_vgpu(uuid)).unwrap_or(metadata.element)
    });
    let place = recorded_at.or(domain.child("metadata")).unwrap_or(domain.root);
    vec![Finding::at(context.rule, place).fixed_by(change)]
}

fn set_all<'d>(element: Element<'d>, attributes: &[(&str, &str)]) -> Vec<Change<'d>> {
    attributes
        .iter()
        .map(|(name, value)| Change::SetAttribute(element, (*name).into(), (*value).into()))
        .collect()
}
