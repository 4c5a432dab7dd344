//! Arguments for QEMU, and the aliases that they name.

use super::*;

/// The properties that are set with `-set`. Checks that each operand follows its own option.
fn set_properties(text: &str) -> Vec<&str> {
    let values = arguments(text);
    let operands = values.iter().enumerate().filter(|(_, value)| value.starts_with("device."));
    let properties = operands.map(|(index, value)| {
        assert_eq!(values[index - 1], "-set", "{text}");
        value.rsplit('.').next().unwrap()
    });
    properties.collect()
}

const VGPU_PROPERTIES: [&str; 4] =
    ["x-igd-opregion=on", "ramfb=on", "driver=vfio-pci-nohotplug", "display=on"];

#[test]
fn each_set_follows_its_own_option_next_to_a_variable() {
    let variable =
        "<qemu:commandline>\n    <qemu:env name='A' value='b'/>\n  </qemu:commandline>\n";
    let text = fixed("", variable, &on_libvirt("7.0"));
    assert_eq!(set_properties(&text), VGPU_PROPERTIES);
}

#[test]
fn each_set_follows_its_own_option_after_another_argument() {
    let text = fixed(VGPU, &command_line(&["-s"]), &on_libvirt("7.0.0"));
    assert_eq!(set_properties(&text), VGPU_PROPERTIES);
    assert_eq!(text.matches("value='-set'").count(), 4, "{text}");
}

#[test]
fn a_new_alias_renumbers_the_devices_after_the_vgpu() {
    let line =
        command_line(&["-set", "device.hostdev0.xres=800", "-set", "device.hostdev1.bootindex=1"]);
    let capability =
        "<qemu:capabilities><qemu:del capability='device.json+hotplug'/></qemu:capabilities>";
    let settings = Settings { explicit: with_alias("ua-own"), ..Settings::default() };
    let text =
        fixed(&format!("{VGPU}<hostdev type='usb'/>"), &format!("{line}{capability}"), &settings);
    assert!(text.contains("value='device.ua-own.xres=800'"), "{text}");
    assert!(text.contains("value='device.hostdev0.bootindex=1'"), "{text}");
}

#[test]
fn alias_and_value_change_in_the_same_argument() {
    let line = command_line(&["-set", "device.hostdev0.display=off"]);
    let settings = Settings { explicit: with_alias("ua-own"), ..on_libvirt("7.0.0") };
    // The USB device takes over the vGPU's number.
    let text = fixed(&format!("{VGPU}<hostdev type='usb'/>"), &line, &settings);
    assert!(text.contains("value='device.ua-own.display=on'"), "{text}");
    assert!(!text.contains("hostdev0"), "{text}");
}

#[test]
fn an_alias_that_is_taken_gets_a_number() {
    let other = VGPU
        .replace("</hostdev>", "<alias name='ua-own'/></hostdev>")
        .replace("ab54baba", "ab54babb");
    let line = command_line(&["-set", "device.hostdev0.display=on"]);
    let settings = Settings { explicit: with_alias("ua-own"), ..on_libvirt("7.0.0") };
    let text = fixed(&format!("{other}{VGPU}"), &line, &settings);
    assert!(text.contains("<alias name='ua-own-2'/>"), "{text}");
    assert!(text.contains("device.ua-own-2.display=on"), "{text}");
    let rules = RuleSet::all(builtin());
    let again = Linter::new(&rules, &settings).fix(text).unwrap();
    assert!(!again.changed, "{}", again.text);
}

#[test]
fn a_set_for_a_device_argument_stays() {
    for operand in ["ramfb=on", "romfile=/x/gpu.rom", "x-vga=on", "display=on", "x-igd-opregion=on"]
    {
        for id in ["gpu", "hostdev7", "ua-gpu"] {
            let device = format!("vfio-pci-nohotplug,host=01:00.0,id={id}");
            let set = format!("device.{id}.{operand}");
            let line = command_line(&["-device", &device, "-set", &set]);
            for libvirt in LIBVIRTS {
                let text = fixed(WITHOUT_RAMFB, &line, &on_libvirt(libvirt));
                let kept = format!("<qemu:arg value='-set'/><qemu:arg value='{set}'/>");
                assert!(text.contains(&kept), "libvirt {libvirt}: {text}");
            }
        }
    }
}

#[test]
fn a_set_moves_from_a_network_card_to_the_vgpu() {
    let nic = "<interface type='hostdev' managed='yes'>\
        <source><address type='pci' domain='0x0000' bus='0x07' slot='0x10' function='0x0'/></source></interface>";
    let line = command_line(&["-set", "device.hostdev0.x-igd-opregion=on"]);
    let text = fixed(&format!("{nic}{VGPU}"), &line, &on_libvirt("7.0.0"));
    assert!(text.contains("device.ua-gvtg.x-igd-opregion=on"), "{text}");
    assert!(!text.contains("device.hostdev0."), "{text}");
}

#[test]
fn many_findings_of_one_rule_are_fixed_in_one_run() {
    let line = command_line(&["-global", "vfio-pci.x-vga=on"].repeat(30));
    let text = fixed(VGPU, &line, &Settings::default());
    assert!(!text.contains("x-vga") && !text.contains("-global"), "{text}");
}

#[test]
fn a_device_argument_gets_all_properties_and_is_reported_once() {
    let device = "vfio-pci,sysfsdev=/sys/x,,y/ab54baba-ea9a-4ce5-b7b4-51b376b65849,x-vga=on";
    let text = domain("", &command_line(&["-device", device]));
    let fixed = fix(&text, &Settings::default());
    let argument = "'vfio-pci-nohotplug,sysfsdev=/sys/x,,y/ab54baba-ea9a-4ce5-b7b4-51b376b65849,\
        x-vga=off,display=on,x-igd-opregion=on,ramfb=on'";
    assert!(fixed.text.contains(argument), "{}", fixed.text);
    let reported = fixed.applied.iter().chain(&fixed.remaining);
    assert_eq!(reported.filter(|one| one.rule.id == "missing-ramfb").count(), 1);
}
