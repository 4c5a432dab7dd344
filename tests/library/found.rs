//! Domains that once went wrong, with what is right about them now.

use crate::common;

use common::program::run;

const HEAD: &str = "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n  <name>a</name>\n";

fn fixed(flags: &str, rest: &str) -> (String, String) {
    let (code, stdout, stderr) = run(&format!("fix {flags}"), &format!("{HEAD}{rest}</domain>\n"));
    assert!(code < 2, "{stderr}");
    assert_eq!(run(&format!("fix -q {flags}"), &stdout).1, stdout, "twice is once");
    (stdout, stderr)
}

/// The values of all arguments, a line each.
fn arguments(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("<qemu:arg value='")?.strip_suffix("'/>"))
        .collect()
}

#[test]
fn each_set_has_its_option_in_a_command_line_that_was_there() {
    let (text, _) = fixed(
        "--libvirt 7.0",
        "  <devices/>\n  <qemu:commandline>\n    <qemu:env name='A' value='b'/>\n  </qemu:commandline>\n",
    );
    let values = arguments(&text);
    let sets = values.iter().enumerate().filter(|(_, value)| value.starts_with("device."));
    let properties: Vec<&str> = sets
        .map(|(index, value)| {
            assert_eq!(values[index - 1], "-set", "{text}");
            value.rsplit('.').next().unwrap_or_default()
        })
        .collect();
    assert_eq!(
        properties,
        ["x-igd-opregion=on", "ramfb=on", "driver=vfio-pci-nohotplug", "display=on"]
    );
}

#[test]
fn only_one_of_two_vgpus_gets_what_a_vgpu_needs() {
    let rest = "  <devices>\n    <hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>\
        <address uuid='11111111-2222-4333-8444-555555555550'/></source></hostdev>\n    <hostdev mode='subsystem' type='mdev' model='vfio-pci' \
        display='on'><source><address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/></source></hostdev>\n  </devices>\n  <qemu:commandline>\n    \
        <qemu:arg value='-set'/>\n    <qemu:arg value='device.hostdev0.x-igd-opregion=on'/>\n  </qemu:commandline>\n";
    for flags in
        ["--libvirt 8.2 --alias ua-mine", "--libvirt 8.2", "--libvirt 7.0", "", "--alias ua-mine"]
    {
        let (text, _) = fixed(flags, rest);
        let displays = text.matches(".display=on").count() + text.matches("name='display'").count();
        assert_eq!(displays, 1, "{flags}: {text}");
        assert!(
            text.contains("555555555550'/></source></hostdev>"),
            "{flags}: the other one is left alone\n{text}"
        );
    }
}

#[test]
fn a_fix_is_reported_once() {
    let raw = "  <devices/>\n  <qemu:commandline>\n    <qemu:arg value='-device'/>\n    <qemu:arg value='vfio-pci,sysfsdev=/sys/x,,y/ab54baba-ea9a-4ce5-b7b4-51b376b65849,x-vga=on'/>\n  \
        </qemu:commandline>\n";
    let (text, report) = fixed("", raw);
    assert!(
        text.contains(
            "'vfio-pci-nohotplug,sysfsdev=/sys/x,,y/ab54baba-ea9a-4ce5-b7b4-51b376b65849,x-vga=off,display=on,x-igd-opregion=on,ramfb=on'"
        ),
        "{text}"
    );
    assert_eq!(report.matches("[missing-ramfb]").count(), 1, "{report}");
}

#[test]
fn many_faults_of_one_kind_are_mended_at_once() {
    let many =
        "    <qemu:arg value='-global'/>\n    <qemu:arg value='vfio-pci.x-vga=on'/>\n".repeat(30);
    let vgpu = "  <devices>\n    <hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='ab54baba-ea9a-4ce5-b7b4-51b376b65849'/>\
        </source></hostdev>\n  </devices>\n";
    let (text, _) =
        fixed("", &format!("{vgpu}  <qemu:commandline>\n{many}  </qemu:commandline>\n"));
    assert!(!text.contains("x-vga") && !text.contains("-global"), "{text}");
}

#[test]
fn an_attribute_of_another_namespace_is_not_libvirts() {
    let rest = "  <devices>\n    <graphics xmlns:o='urn:o' o:type='x' type='vnc'/>\n  </devices>\n";
    let (code, stdout, _) =
        run("lint --format concise --only stray-graphics", &format!("{HEAD}{rest}</domain>"));
    assert_eq!(code, 1);
    assert!(stdout.contains("<graphics type='vnc'>"), "{stdout}");
}
