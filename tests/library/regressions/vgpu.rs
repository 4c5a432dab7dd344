//! Which of several devices is the vGPU, and what happens to the others.

use super::ramfb::count_ramfbs;
use super::*;

#[test]
fn only_one_of_two_vgpus_gets_the_display() {
    let other = "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>\
        <address uuid='11111111-2222-4333-8444-555555555550'/></source></hostdev>";
    let devices = format!("{other}{}", VGPU.replace("managed='no'", "display='on'"));
    let line = command_line(&["-set", "device.hostdev0.x-igd-opregion=on"]);
    let aliased = |settings: Settings| Settings { explicit: with_alias("ua-mine"), ..settings };
    for settings in [
        aliased(on_libvirt("8.2")),
        on_libvirt("8.2"),
        on_libvirt("7.0"),
        Settings::default(),
        aliased(Settings::default()),
    ] {
        let text = fixed(&devices, &line, &settings);
        let displays = text.matches(".display=on").count() + text.matches("name='display'").count();
        assert_eq!(displays, 1, "{text}");
        assert!(
            text.contains("555555555550'/></source></hostdev>"),
            "the other is left alone: {text}"
        );
    }
}

#[test]
fn the_hostdev_with_display_and_ramfb_is_the_vgpu() {
    let vgpu = |attributes: &str, digit: u8| {
        VGPU.replace("<hostdev", &format!("<hostdev {attributes}"))
            .replace("65849", &format!("6584{digit}"))
    };
    let (display, both) = ("display='on'", "display='on' ramfb='on'");
    for (first, second, graphics) in
        [(display, both, "<graphics type='vnc'/>"), (display, both, ""), ("ramfb='on'", both, "")]
    {
        let text = format!(
            "<domain type='kvm'><devices>{graphics}{}{}</devices></domain>",
            vgpu(first, 1),
            vgpu(second, 2)
        );
        let fixed = fix(&text, &Settings::default());
        let (_, second) = fixed.text.split_once("b65841").unwrap();
        assert!(second.contains("ramfb='on'"), "{}", fixed.text);
        assert!(second.contains("<alias name='ua-gvtg'/>"), "{}", fixed.text);
        let fixes = fixed.applied.iter().filter_map(|applied| applied.fix.as_ref());
        let of_display = fixes.filter(|fix| fix.title.contains("QEMU's display property"));
        assert_eq!(of_display.count(), 1, "one vGPU gets the property");
    }
}

/// A vGPU with this last digit, as the operand of `-device`.
fn device_argument(digit: u8, rest: &str) -> String {
    let path = "/sys/bus/mdev/devices/ab54baba-ea9a-4ce5-b7b4-51b376b6585";
    format!("vfio-pci-nohotplug,sysfsdev={path}{digit}{rest}")
}

/// A vGPU without alias, ramfb or display.
fn bare_hostdev() -> String {
    WITHOUT_RAMFB.replace("<alias name='ua-gvtg'/>", "")
}

#[test]
fn the_device_argument_with_display_and_ramfb_is_the_vgpu() {
    let both = device_argument(1, ",display=on,ramfb=on");
    let with_id = device_argument(1, ",id=a");
    let (first, hostdev) = (device_argument(0, ""), bare_hostdev());
    let sets = ["-set", "device.a.display=on", "-set", "device.a.ramfb=on"];
    for libvirt in ["7.0", "newest"] {
        for (devices, line) in [
            (hostdev.as_str(), command_line(&["-device", &both])),
            (&hostdev, command_line(&[&["-device", &with_id][..], &sets].concat())),
            ("", command_line(&["-device", &first, "-device", &both])),
        ] {
            let text = fixed(devices, &line, &on_libvirt(libvirt));
            let vgpu = text.split('<').find(|tag| tag.contains("6b65851")).unwrap();
            assert!(vgpu.contains(",x-igd-opregion=on"), "libvirt {libvirt}: {text}");
            let other = if devices.is_empty() {
                format!("<qemu:arg value='-device'/><qemu:arg value='{first}'/>")
            } else {
                hostdev.clone()
            };
            assert!(text.contains(&other), "the other device is unchanged: {text}");
            assert_eq!(count_ramfbs(&text), 1, "{text}");
        }
    }
}

#[test]
fn a_requested_uuid_is_the_vgpu() {
    let line = command_line(&["-device", &device_argument(1, ",display=on,ramfb=on")]);
    let text = fixed(&bare_hostdev(), &line, &with_uuid(UUID));
    assert!(text.contains("name='display' type='string' value='on'"), "{text}");
}

#[test]
fn the_first_of_two_vgpus_with_one_alias_keeps_the_properties() {
    let vgpu = WITHOUT_RAMFB.replace("display='off'", "display='off' ramfb='on'");
    let devices = format!("{vgpu}{}", vgpu.replace("65849", "65850"));
    let ramfb = override_block("ua-gvtg", "ramfb", "string", "on");
    let text = fixed(&devices, &ramfb, &Settings::default());
    assert!(text.contains("<qemu:property name='ramfb' type='bool' value='true'/>"), "{text}");
    assert!(text.contains("ramfb='off'"), "{text}");
}

// libvirt's schema refuses several <rom>, so no rule has them in an example.
#[test]
fn all_rom_elements_of_a_vgpu_become_one_property() {
    let roms: String = (0..20).map(|number| format!("<rom file='/{number}.rom'/>")).collect();
    let vgpu = VGPU.replace("</hostdev>", &format!("{roms}</hostdev>"));
    let text = fixed(&vgpu, "", &Settings::default());
    assert!(!text.contains("<rom"), "{text}");
    assert!(text.contains("name='romfile' type='string' value='/0.rom'"), "{text}");
}

#[test]
fn a_guest_with_a_function_of_the_gpu_is_unchanged() {
    let function = "<hostdev mode='subsystem' type='pci' managed='yes'>\
        <source><address domain='0' bus='0' slot='2' function='2'/></source></hostdev>";
    let devices = format!("<graphics type='vnc'/><video><model type='virtio'/></video>{function}");
    for unsafe_fixes in [false, true] {
        let settings = Settings { unsafe_fixes, ..Settings::default() };
        assert_eq!(fixed(&devices, "", &settings), domain(&devices, ""), "unsafe: {unsafe_fixes}");
    }
}

#[test]
fn a_pci_cards_display_and_ramfb_count_from_libvirt_10_3_on() {
    let card = "<hostdev mode='subsystem' type='pci' managed='yes' display='on' ramfb='on'>\
        <source><address domain='0x0000' bus='0x06' slot='0x12' function='0x5'/></source></hostdev>";
    let text = format!("<domain type='kvm'><devices>{card}{WITHOUT_RAMFB}</devices></domain>");
    let finds = |libvirt: &str| {
        let found = lint(&text, &on_libvirt(libvirt));
        ["display-without-graphics", "ramfb-elsewhere", "missing-ramfb"]
            .map(|rule| has_rule(&found, rule))
    };
    assert_eq!(finds("10.2"), [false, false, true]);
    assert_eq!(finds("10.3"), [true, true, false]);
}
