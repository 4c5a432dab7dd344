//! The claims of one domain: its vGPUs, and its name on each of their GPUs.

use uuid::Uuid;

use super::{Claim, Resource};
use crate::domain::{
    Domain, PciAddress, attribute_span, is_template, is_template_name, parse_pci, parse_uuid,
    uuid_of,
};
use crate::rules::finding::Finding;
use crate::rules::schema::{ConflictKind, Rule};
use crate::xml::Element;
use foldhash::{HashSet, HashSetExt};

/// Returns a domain's claims of this kind without duplicates, each with the finding to report if
/// another domain has the resource too. The caller fills in the suppression reason.
pub fn claims<'d, 'r>(
    rule: &'r Rule,
    same: ConflictKind,
    domain: &Domain<'d>,
) -> Vec<(Finding<'d, 'r>, Claim)> {
    // Each domain created from a template gets its own name.
    let Some(name) = domain.name().filter(|name| !is_template_name(name)) else {
        return Vec::new();
    };
    let mut claims = Vec::new();
    let mut claimed = HashSet::new();
    let mut add = |thing: Resource, owner: &str, finding: Finding<'d, 'r>| {
        if claimed.insert(thing.clone()) {
            let (span, start) =
                (finding.span.clone(), domain.document.source().position(finding.span.start));
            claims.push((
                finding,
                Claim {
                    rule: rule.id.to_string(),
                    thing,
                    owner: owner.to_owned(),
                    span,
                    start,
                    suppression_reason: None,
                },
            ));
        }
    };
    match same {
        ConflictKind::Vgpu => vgpus(rule, domain)
            .for_each(|(uuid, finding)| add(Resource::Vgpu(uuid), &name, finding)),
        ConflictKind::Name => {
            let Some((uuid, element)) = written_uuid(domain).zip(domain.child("name")) else {
                return claims;
            };
            for pci in gpus(domain) {
                let finding =
                    Finding::within(rule, element, element.content()).with_value("found", &*name);
                add(Resource::Name(name.clone(), pci), &uuid.to_string(), finding);
            }
        }
    }
    claims
}

/// Returns the uuid written in the domain.
fn written_uuid(domain: &Domain<'_>) -> Option<Uuid> {
    domain.child("uuid").and_then(|element| parse_uuid(&element.deep_text()))
}

/// Returns the uuids of the domain's vGPUs, including those that `fix` would set, each with the
/// finding to report if another domain has it.
fn vgpus<'c, 'd, 'r: 'c>(
    rule: &'r Rule,
    domain: &'c Domain<'d>,
) -> impl Iterator<Item = (Uuid, Finding<'d, 'r>)> + 'c {
    let with_values = |finding: Finding<'d, 'r>, uuid: Uuid, what: &str| {
        (uuid, finding.with_value("found", uuid.to_string()).with_value("what", what))
    };
    let hostdev_claim = move |(index, vgpu): (usize, &Element<'d>)| {
        let address = vgpu.child("source").and_then(|source| source.child("address"));
        if address.and_then(|address| address.attribute("uuid")).is_some_and(is_template) {
            return None;
        }
        let place = address.map_or_else(
            || Finding::at(rule, *vgpu),
            |address| Finding::within(rule, *vgpu, attribute_span(address, "uuid")),
        );
        Some(match uuid_of(*vgpu) {
            Some(uuid) => with_values(place, uuid, ""),
            None => with_values(
                place,
                domain.new_uuid(index, *vgpu),
                ", which `fix` gives this <hostdev>,",
            ),
        })
    };
    let raw = domain.raw_vgpu.zip(domain.raw_uuid());
    let argument_claim = raw.map(move |(argument, uuid)| {
        with_values(Finding::at_attribute(rule, argument, "value"), uuid, "")
    });
    domain.vgpus.iter().enumerate().filter_map(hostdev_claim).chain(argument_claim)
}

/// Returns the valid PCI addresses of the GPUs that the domain's vGPUs are on.
fn gpus(domain: &Domain<'_>) -> Vec<PciAddress> {
    let settings = domain.settings;
    let uuids = domain
        .vgpus
        .iter()
        .map(|vgpu| uuid_of(*vgpu))
        .chain(domain.raw_vgpu.map(|_| domain.raw_uuid()));
    let explicit_pci = settings.explicit.pci.as_deref();
    uuids
        .filter_map(|uuid| {
            parse_pci(
                explicit_pci
                    .or_else(|| domain.recorded_value("pci", uuid))
                    .unwrap_or(settings.pci()),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Settings;

    /// Returns the resource, owner and source text of each claim.
    fn claimed(text: &str, same: ConflictKind, settings: &Settings) -> Vec<String> {
        let show = |claim: &Claim| {
            let thing = match &claim.thing {
                Resource::Vgpu(uuid) => uuid.to_string(),
                Resource::Name(name, pci) => format!("{name} {pci:?}"),
            };
            format!("{thing} of {}: {}", claim.owner, &text[claim.span.clone()])
        };
        let rule = &crate::rules::builtin()[0];
        crate::domain::read(text, settings, |domain| {
            claims(rule, same, domain).iter().map(|(_, claim)| show(claim)).collect()
        })
        .unwrap()
    }

    const UUID: &str = "ab54baba-ea9a-4ce5-b7b4-51b376b65849";

    fn domain(inside: &str, devices: &str) -> String {
        let namespace = crate::xml::QEMU_NAMESPACE;
        format!(
            "<domain type='kvm' xmlns:qemu='{namespace}'>{inside}<devices>{devices}</devices></domain>"
        )
    }

    fn hostdev(inside: &str) -> String {
        format!("<hostdev type='mdev' model='vfio-pci'>{inside}</hostdev>")
    }

    fn vgpu(uuid: &str) -> String {
        hostdev(&format!("<source><address uuid='{uuid}'/></source>"))
    }

    #[test]
    fn claims_each_vgpu_of_a_named_domain_once() {
        let settings = Settings::default();
        let claims_of = |inside: &str, devices: &str| {
            claimed(&domain(inside, devices), ConflictKind::Vgpu, &settings)
        };
        let derived = |index: usize| crate::domain::derived_uuid("a", index).to_string();
        let name = "<name>a</name>";
        assert_eq!(claims_of(name, ""), [""; 0]);
        assert_eq!(claims_of("", &vgpu(UUID)), [""; 0], "a domain without a name is nobody's");
        assert_eq!(claims_of("<name></name>", &vgpu(UUID)), [""; 0]);
        assert_eq!(claims_of(name, &vgpu(UUID)), [format!("{UUID} of a: uuid='{UUID}'")]);
        assert_eq!(claims_of(name, &(vgpu(UUID) + &vgpu(&UUID.to_uppercase()))).len(), 1);
        let plain = UUID.replace('-', "");
        assert_eq!(claims_of(name, &vgpu(&plain)), [format!("{UUID} of a: uuid='{plain}'")]);
        // The uuids that `fix` would set.
        let two =
            format!("{}{}", hostdev(""), hostdev("<source><address uuid='GPU_UUID'/></source>"));
        let start = "<hostdev type='mdev' model='vfio-pci'>";
        assert_eq!(
            claims_of(name, &two),
            [
                format!("{} of a: {start}", derived(1)),
                format!("{} of a: uuid='GPU_UUID'", derived(2))
            ]
        );
        assert_eq!(
            claims_of(name, &hostdev(&format!("<source uuid='{UUID}'/>"))),
            [format!("{UUID} of a: {start}")],
            "one element too high"
        );
        // Another vendor's device, and a device that is not a vGPU.
        let nvidia =
            "<metadata><gvtg:domain xmlns:gvtg='urn:gvtg-xml:1' type='nvidia-11'/></metadata>";
        assert_eq!(claims_of(&format!("{name}{nvidia}"), &vgpu(UUID)), [""; 0]);
        assert_eq!(claims_of(name, &vgpu(UUID).replace("vfio-pci", "vfio-ap")), [""; 0]);
    }

    #[test]
    fn claims_a_vgpu_in_an_argument() {
        let path = format!("/sys/bus/mdev/devices/{UUID}");
        let arguments =
            format!("<qemu:arg value='-device'/><qemu:arg value='vfio-pci,sysfsdev={path}'/>");
        let text = domain("<name>a</name>", "").replace(
            "</domain>",
            &format!("<qemu:commandline>{arguments}</qemu:commandline></domain>"),
        );
        assert_eq!(
            claimed(&text, ConflictKind::Vgpu, &Settings::default()),
            [format!("{UUID} of a: value='vfio-pci,sysfsdev={path}'")]
        );
    }

    #[test]
    fn claims_the_name_of_a_domain_with_uuid_and_vgpu() {
        let claims_of = |inside: &str, devices: &str| {
            claimed(&domain(inside, devices), ConflictKind::Name, &Settings::default())
        };
        let (own_uuid, named) = ("c1b2e3d4-0000-4000-8000-000000000001", "<name> a&amp;b</name>");
        let both = format!("{named}<uuid>\n{}\n</uuid>", own_uuid.to_uppercase());
        assert_eq!(claims_of(&both, ""), [""; 0], "no vGPU");
        assert_eq!(claims_of(named, &vgpu(UUID)), [""; 0], "libvirt is to give it a uuid");
        assert_eq!(claims_of(&format!("{named}<uuid>x</uuid>"), &vgpu(UUID)), [""; 0]);
        assert_eq!(claims_of(&format!("<uuid>{own_uuid}</uuid>"), &vgpu(UUID)), [""; 0]);
        assert_eq!(
            claims_of(&both, &(vgpu(UUID) + &hostdev(""))),
            [format!(" a&b [0, 0, 2, 0] of {own_uuid}:  a&amp;b")]
        );
        let recorded = |pci: &str| {
            format!(
                "{both}<metadata><gvtg:domain xmlns:gvtg='urn:gvtg-xml:1' pci='{pci}'/></metadata>"
            )
        };
        assert_eq!(
            claims_of(&recorded("0000:00:1F.7"), &vgpu(UUID)),
            [format!(" a&b [0, 0, 31, 7] of {own_uuid}:  a&amp;b")]
        );
        assert_eq!(
            claims_of(&recorded("somewhere"), &vgpu(UUID)),
            [""; 0],
            "who knows which GPU that is"
        );
        let mut settings = Settings::default();
        settings.explicit.pci = Some("0001:00:02.0".into());
        let with_explicit_pci =
            claimed(&domain(&recorded("0000:00:1F.7"), &vgpu(UUID)), ConflictKind::Name, &settings);
        assert_eq!(with_explicit_pci, [format!(" a&b [1, 0, 2, 0] of {own_uuid}:  a&amp;b")]);
    }
}
