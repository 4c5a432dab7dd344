//! Properties that the user set by hand stay on the device that they were meant for, in whichever
//! syntax the installed libvirt reads.

use std::collections::BTreeMap;

use gvtg_xml::internals::domain::{PropertySyntax, property_syntax_for};
use gvtg_xml::{Linter, RuleSet, builtin, parse_settings};

use crate::lab;
use lab::{Answer, Device, Suite, complaints, devices, fault, say, vgpus};

const UUID: &str = "ab54baba-ea9a-4ce5-b7b4-51b376b65849";

const USB_STICK: &str = "    <hostdev mode='subsystem' type='usb'>
      <source><vendor id='0x1234'/><product id='0xbeef'/></source>
    </hostdev>
";
const PCI_CARD: &str = "    <hostdev mode='subsystem' type='pci' managed='yes'>
      <source><address domain='0x0000' bus='0x03' slot='0x00' function='0x0'/></source>
    </hostdev>
";

/// The user's properties besides the guide's four, and their values as libvirt passes them to QEMU
/// in either syntax.
const OWN: [(&str, &str, &[&str]); 4] = [
    ("xres", "1280", &["1280"]),
    ("yres", "0x2d0", &["0x2d0", "720"]),
    ("x-no-mmap", "on", &["on", "true"]),
    ("romfile", "/usr/share/qemu/vgabios.bin", &["/usr/share/qemu/vgabios.bin"]),
];

/// The guide's domain with these devices before the vGPU, which therefore is hostdevNUMBER, and
/// with the user's own properties.
fn guide(before: &str, number: usize) -> String {
    let set = |property: &str, value: &str| {
        format!(
            "    <qemu:arg value=\"-set\"/>\n    <qemu:arg value=\"device.hostdev{number}.{property}={value}\"/>\n"
        )
    };
    let guides = [
        ("x-igd-opregion", "on"),
        ("ramfb", "on"),
        ("driver", "vfio-pci-nohotplug"),
        ("display", "on"),
    ];
    let sets: String = guides
        .iter()
        .map(|(name, value)| set(name, value))
        .chain(OWN.iter().map(|(name, value, _)| set(name, value)))
        .collect();
    format!(
        "<domain xmlns:qemu=\"http://libvirt.org/schemas/domain/qemu/1.0\" type=\"kvm\">
  <name>guide</name>
  <uuid>c1b2e3d4-0000-4000-8000-000000000002</uuid>
  <memory unit='MiB'>1024</memory>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
  </os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
{before}    <hostdev mode=\"subsystem\" type=\"mdev\" managed=\"no\" model=\"vfio-pci\" display=\"off\">
      <source>
        <address uuid=\"{UUID}\"/>
      </source>
    </hostdev>
  </devices>
  <qemu:commandline>
{sets}    <qemu:arg value=\"-display\"/>
    <qemu:arg value=\"gtk,gl=on\"/>
    <qemu:env name=\"DISPLAY\" value=\":0\"/>
    <qemu:env name=\"GDK_SCALE\" value=\"1.0\"/>
  </qemu:commandline>
</domain>
"
    )
}

/// The guide's domain converted once and back again, each time for a libvirt that reads the syntax:
/// (for old ones, for new ones).
fn documents() -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let rules = RuleSet::all(builtin());
    let convert = |text: &str, flags: &str| {
        let settings = parse_settings(flags).expect("flags");
        Linter::new(&rules, &settings)
            .fix(text.to_owned())
            .unwrap_or_else(|error| panic!("{flags}: {error:?}\n{text}"))
            .text
    };
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    let both = format!("{USB_STICK}{PCI_CARD}");
    for (name, before, number) in
        [("alone", "", 0), ("usb", USB_STICK, 1), ("pci", PCI_CARD, 1), ("both", &both, 2)]
    {
        let guide = guide(before, number);
        let overrides = convert(&guide, "--libvirt newest");
        let back = convert(&overrides, "--libvirt 7.0.0");
        new.insert(format!("{name}-again"), convert(&back, "--libvirt newest"));
        new.insert(format!("{name}-without-json"), convert(&overrides, "--libvirt 8.3"));
        new.insert(name.to_owned(), overrides);
        old.insert(format!("{name}-back"), back);
        old.insert(name.to_owned(), convert(&guide, "--libvirt 7.0.0"));
    }
    (old, new)
}

#[test]
fn converted_properties_reach_the_vgpu_and_no_other_device() {
    let Some(suites) = lab::suites() else { return };
    let (old, new) = documents();
    let reads = |suite: &Suite| {
        if property_syntax_for(suite.libvirt) == PropertySyntax::Override { &new } else { &old }
    };
    let answers =
        lab::ask_all("conversion", suites.iter().map(|suite| (*suite, reads(suite))), &["--qemu"]);
    let mut faults = Vec::new();
    for (suite, answers) in &answers {
        for (name, answer) in answers {
            faults.extend(
                wrong(answer).into_iter().map(|what| format!("{name} on {}: {what}", suite.name)),
            );
        }
    }
    let asked: usize = answers.iter().map(|(_, answers)| answers.len()).sum();
    say(&format!("conversion: {asked} converted domains asked about, {} faults", faults.len()));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn wrong(answer: &Answer) -> Vec<String> {
    let Some(argv) = &answer.argv else {
        return vec![format!("define: {}; argv: {}", answer.define, answer.argv_error)];
    };
    let mut wrong: Vec<String> = fault(argv).into_iter().collect();
    if answer.validate != "ok" {
        wrong.push(answer.validate.clone());
    }
    let (mine, others): (Vec<Device>, Vec<Device>) =
        devices(argv).into_iter().partition(|device| device.get("sysfsdev").ends_with(UUID));
    if mine.len() != 1 || vgpus(argv).len() != 1 {
        wrong.push(format!("{} vGPUs of this uuid, {} in all", mine.len(), vgpus(argv).len()));
    }
    for (property, _, values) in OWN {
        if !mine.iter().all(|device| values.contains(&device.get(property))) {
            wrong.push(format!("{property} does not reach the vGPU: {mine:?}"));
        }
    }
    let names = OWN.iter().map(|(name, _, _)| *name).chain(["x-igd-opregion", "ramfb", "display"]);
    for name in names {
        wrong.extend(
            others
                .iter()
                .filter(|other| other.properties.contains_key(name))
                .map(|other| format!("{name} reaches {other:?}")),
        );
    }
    if !complaints(&answer.qemu).is_empty() {
        wrong.push(format!("QEMU: {}", answer.qemu));
    }
    wrong
}
