//! Whole domains with all rules: `fixtures/NAME.xml` becomes `fixtures/NAME.fixed.xml`.

use std::path::{Path, PathBuf};

use gvtg_xml::internals::xml::{QEMU_NAMESPACE, read};
use gvtg_xml::{Fixed, Linter, RuleSet, builtin, parse_settings};

use crate::common;

fn read_fixture(name: &str) -> String {
    std::fs::read_to_string(Path::new("fixtures").join(name)).expect("the fixture exists")
}

fn fixed(text: &str, flags: &str) -> Fixed<'static> {
    Linter::new(&RuleSet::all(builtin()), &parse_settings(flags).unwrap())
        .fix(text.to_owned())
        .unwrap()
}

/// The values of all `<qemu:arg>`, in order.
fn arguments(text: &str) -> Vec<String> {
    read(text, |document| {
        let arguments = document.elements().filter(|element| element.is_qemu("arg"));
        arguments.map(|element| element.attribute("value").unwrap_or("").to_owned()).collect()
    })
    .unwrap()
}

/// The properties of all overrides: alias, name, type, value.
fn overrides(text: &str) -> Vec<String> {
    read(text, |document| {
        let properties = document.elements().filter(|element| element.is_qemu("property"));
        let line = |property: gvtg_xml::internals::xml::Element<'_>| {
            let alias = property
                .parent()
                .and_then(|frontend| frontend.parent())
                .and_then(|device| device.attribute("alias"));
            let value = |name| property.attribute(name).unwrap_or("");
            format!(
                "{} {} {} {}",
                alias.unwrap_or(""),
                value("name"),
                value("type"),
                value("value")
            )
        };
        properties.map(line).collect()
    })
    .unwrap()
}

const VGPU: &str = "<hostdev mode='subsystem' type='mdev' model='vfio-pci'>\
    <source><address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></source></hostdev>";

/// The arguments that set these properties of devices.
fn set_arguments(properties: &[&str]) -> String {
    let set =
        |property: &&str| format!("<qemu:arg value='-set'/><qemu:arg value='device.{property}'/>");
    properties.iter().map(set).collect()
}

/// The messages about other places that the applied fixes change.
fn related_messages<'f>(fixed: &'f Fixed<'_>) -> Vec<&'f str> {
    let related = fixed.applied.iter().flat_map(|applied| &applied.related);
    related.map(|related| &*related.message).collect()
}

#[test]
fn each_fixture_becomes_its_fixed_file() {
    let mut pairs = 0;
    let mut names: Vec<PathBuf> =
        std::fs::read_dir("fixtures").unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    for path in names.iter().filter(|path| {
        path.extension().is_some_and(|end| end == "xml")
            && !path.to_string_lossy().ends_with(".fixed.xml")
    }) {
        let before = std::fs::read_to_string(path).unwrap();
        let fixed_path = path.with_extension("fixed.xml");
        let result = fixed(&before, "");
        if common::is_updating() {
            std::fs::write(&fixed_path, &result.text).unwrap();
        }
        let after = std::fs::read_to_string(&fixed_path).unwrap_or_default();
        assert!(
            result.text == after,
            "{}:\n{}",
            path.display(),
            similar::TextDiff::from_lines(&after, &result.text).unified_diff()
        );
        assert_eq!(fixed(&after, "").text, after, "{}: fixing it again changes it", path.display());
        pairs += 1;
    }
    assert!(pairs >= 9, "{pairs} pairs");
}

/// The guide's arguments, word for word.
const GUIDE: [&str; 10] = [
    "-set",
    "device.hostdev0.x-igd-opregion=on",
    "-set",
    "device.hostdev0.ramfb=on",
    "-set",
    "device.hostdev0.driver=vfio-pci-nohotplug",
    "-set",
    "device.hostdev0.display=on",
    "-display",
    "gtk,gl=on",
];

#[test]
fn libvirt_7_adds_one_variable_to_the_guide() {
    let guide = read_fixture("guide.xml");
    let scale = "    <qemu:env name=\"GDK_SCALE\" value=\"1.0\"/>\n";
    let with_bridge_off = guide
        .replace(scale, &format!("{scale}    <qemu:env name=\"NO_AT_BRIDGE\" value=\"1\"/>\n"));
    assert_eq!(
        fixed(&guide, "--libvirt 7.0").text,
        with_bridge_off,
        "the guide lacks one variable on libvirt 7.0"
    );
}

#[test]
fn libvirt_7_gets_the_guides_elements_in_an_empty_domain() {
    let bare = "<domain type='kvm'>\n  <name>bare</name>\n  <devices>\n  </devices>\n</domain>\n";
    let result = fixed(bare, "--libvirt 7.0 --uuid ab54baba-ea9a-4ce5-b7b4-51b376b65849").text;
    assert_eq!(arguments(&result), GUIDE);
    let hostdev = "<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci' display='off'>\n      <source>\n        \
        <address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/>\n      </source>\n    </hostdev>";
    assert!(result.contains(hostdev), "{result}");
    for other in ["<alias", "<qemu:override", "<qemu:capabilities", "ramfb='"] {
        assert!(!result.contains(other), "the guide has no {other}:\n{result}");
    }
    assert!(result.contains(&format!("xmlns:qemu='{QEMU_NAMESPACE}'")));
}

#[test]
fn sets_become_overrides_and_back_without_loss() {
    let own = "<qemu:arg value='-set'/><qemu:arg value='device.hostdev0.xres=0x780'/>\
        <qemu:arg value='-set'/><qemu:arg value='device.hostdev0.romfile=/rom with blanks'/><qemu:arg value='-name'/><qemu:arg value='guest=mine'/>";
    let bridge_off = "<qemu:env name='NO_AT_BRIDGE' value='1'/>";
    let set_form = read_fixture("guide.xml")
        .replace("  <qemu:commandline>\n", &format!("  <qemu:commandline>{own}{bridge_off}\n"));
    assert!(!fixed(&set_form, "--libvirt 7.0").changed, "it works already");

    let override_form = fixed(&set_form, "--libvirt 9.0").text;
    assert_eq!(
        overrides(&override_form),
        [
            "ua-gvtg x-igd-opregion bool true",
            "ua-gvtg display string on",
            "ua-gvtg xres unsigned 1920",
            "ua-gvtg romfile string /rom with blanks",
        ]
    );
    assert_eq!(arguments(&override_form), ["-name", "guest=mine", "-display", "gtk,gl=on"]);
    assert!(
        override_form.contains("ramfb=\"on\""),
        "libvirt has an attribute for ramfb and its driver:\n{override_form}"
    );

    let back = fixed(&override_form, "--libvirt 7.0").text;
    assert_eq!(
        arguments(&back),
        [
            "-name",
            "guest=mine",
            "-display",
            "gtk,gl=on",
            "-set",
            "device.ua-gvtg.x-igd-opregion=on",
            "-set",
            "device.ua-gvtg.display=on",
            "-set",
            "device.ua-gvtg.xres=1920",
            "-set",
            "device.ua-gvtg.romfile=/rom with blanks",
        ]
    );
    assert_eq!(overrides(&back), [""; 0]);
    assert_eq!(overrides(&fixed(&back, "--libvirt 9.0").text), overrides(&override_form));
}

#[test]
fn removing_devices_removes_references_and_renumbers_the_rest() {
    let channel = |kind: &str| {
        format!("<channel type='{kind}'><target type='virtio' name='{kind}'/></channel>")
    };
    let devices = [
        channel("spicevmc"),
        channel("unix"),
        "<channel type='spiceport'><target type='virtio'/><alias name='ua-port'/></channel>".into(),
        channel("pty"),
        "<graphics type='spice'/><video><model type='qxl'/></video><video><model type='vga' primary='yes'/></video>".into(),
        "<redirdev bus='usb' type='spicevmc'/><redirdev bus='usb' type='tcp'/>".into(),
    ];
    let sets = set_arguments(&[
        "channel0.nr=1",
        "channel1.nr=2",
        "ua-port.nr=3",
        "channel3.nr=4",
        "video0.xres=5",
        "video1.xres=6",
        "redir1.debug=7",
        "sata0.x=8",
    ]);
    let others = [
        "-device",
        "virtserialport,chardev=charchannel0,name=a,,b",
        "-mon",
        "name=a,,b,chardev=charchannel3",
    ];
    let others: String = others.map(|argument| format!("<qemu:arg value='{argument}'/>")).concat();
    let text = format!(
        "<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}'><name>x</name><devices>{}{VGPU}</devices><qemu:commandline>{sets}{others}\
         </qemu:commandline></domain>",
        devices.concat()
    );
    let result = fixed(&text, "--libvirt 7.0");
    let values = arguments(&result.text);
    let own: Vec<&str> = values
        .iter()
        .map(String::as_str)
        .filter(|value| *value != "-set" && !value.contains("hostdev0"))
        .collect();
    let expected = [
        "device.channel0.nr=2",
        "device.channel1.nr=4",
        "device.redir0.debug=7",
        "device.sata0.x=8",
        "-mon",
        "name=a,,b,chardev=charchannel1",
        "-display",
        "gtk,gl=on",
    ];
    assert_eq!(own, expected, "{}", result.text);
    let mut named = related_messages(&result);
    named.sort_unstable();
    let expected = [
        "also removed, because it refers to channel0: -set device.channel0.nr=1",
        "also removed, because it refers to charchannel0: -device virtserialport,chardev=charchannel0,name=a,,b",
        "also removed, because it refers to ua-port: -set device.ua-port.nr=3",
        "also removed, because it refers to video0: -set device.video0.xres=5",
        "also removed, because it refers to video1: -set device.video1.xres=6",
    ];
    assert_eq!(named, expected);
}

#[test]
fn a_duplicate_hostdev_is_removed_with_its_references() {
    let sets = set_arguments(&["hostdev0.xres=1", "hostdev1.xres=2", "hostdev2.port=3"]);
    let text = format!(
        "<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}'><name>x</name><devices>{VGPU}{VGPU}<hostdev type='usb'/></devices>\
         <qemu:commandline>{sets}</qemu:commandline></domain>"
    );
    for (flags, expected) in [
        ("--libvirt 7.0 --unsafe-fixes", ["device.hostdev0.xres=1", "device.hostdev1.port=3"]),
        (
            "--libvirt 7.0 --unsafe-fixes --alias ua-v",
            ["device.ua-v.xres=1", "device.hostdev0.port=3"],
        ),
    ] {
        let result = fixed(&text, flags);
        let own: Vec<String> = arguments(&result.text)
            .into_iter()
            .filter(|value| value.contains("xres") || value.contains("port"))
            .collect();
        assert_eq!(own, expected, "{flags}\n{}", result.text);
        let named = related_messages(&result);
        assert!(
            named.contains(
                &"also removed, because it refers to hostdev1: -set device.hostdev1.xres=2"
            ),
            "{flags}: {named:?}"
        );
    }
}

#[test]
fn overrides_that_no_set_can_express_are_reported_and_kept() {
    let text = read_fixture("guide.fixed.xml").replace(
        "<qemu:property name=\"display\"",
        "<qemu:property name=\"rombar\" type=\"remove\"/><qemu:property name=\"x-req\" type=\"bool\" value=\"true\"><!-- why --></qemu:property><qemu:property name=\"display\"",
    );
    let result = fixed(&text, "--libvirt 7.0");
    let left: Vec<&str> = result
        .remaining
        .iter()
        .filter(|left| left.fix.is_none())
        .map(|left| &*left.rule.id)
        .collect();
    assert_eq!(left, ["unsupported-override", "unsupported-override"]);
    assert!(result.text.contains("type=\"remove\"") && result.text.contains("<!-- why -->"));
}

#[test]
fn a_set_of_a_property_with_unknown_type_is_reported_and_kept() {
    let unknown = read_fixture("guide.xml")
        .replace("device.hostdev0.ramfb=on", "device.hostdev0.x-guesswork=on");
    let result = fixed(&unknown, "");
    assert!(result.text.contains("device.ua-gvtg.x-guesswork=on"), "{}", result.text);
    assert!(result.remaining.iter().any(|left| left.rule.id == "set-on-json-device"));
}

#[test]
fn a_new_alias_keeps_other_properties_on_their_devices() {
    let sets = set_arguments(&["hostdev0.port=1", "hostdev1.xres=800", "hostdev2.port=2"]);
    let usb = |port: u8| {
        format!(
            "<hostdev mode='subsystem' type='usb'><source><vendor id='0x123{port}'/><product id='0xbeef'/></source></hostdev>"
        )
    };
    let text = format!(
        "<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}'><name>x</name><devices>{}{VGPU}{}</devices><qemu:commandline>{sets}</qemu:commandline></domain>",
        usb(1),
        usb(2)
    );
    let result = fixed(&text, "--libvirt 7.0 --alias ua-v");
    let values = arguments(&result.text);
    for expected in [
        "device.hostdev0.port=1",
        "device.ua-v.xres=800",
        "device.hostdev1.port=2",
        "device.ua-v.display=on",
    ] {
        assert!(values.iter().any(|value| value == expected), "{expected} in {values:?}");
    }
}
