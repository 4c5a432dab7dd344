//! A VM gets one ramfb, wherever it comes from.

use super::*;

/// The number of devices that a text gives ramfb.
pub fn count_ramfbs(text: &str) -> usize {
    let spellings = [
        "ramfb='on'",
        "name='ramfb' type='bool' value='true'",
        ".ramfb=on",
        "type='ramfb'",
        "value='ramfb'",
        ",ramfb=on",
    ];
    spellings.iter().map(|spelling| text.matches(spelling).count()).sum()
}

/// A vGPU other than [`VGPU`], with ramfb.
fn other_vgpu_with_ramfb() -> String {
    VGPU.replace("<hostdev", "<hostdev display='off' ramfb='on'").replace("65849", "65850")
}

#[test]
fn a_vm_gets_only_one_ramfb() {
    let card = |attributes: &str| {
        let address = "<address domain='0x0000' bus='0x06' slot='0x12' function='0x5'/>";
        format!(
            "<graphics type='vnc'/><hostdev mode='subsystem' type='pci' managed='yes' {attributes}><source>{address}</source></hostdev>"
        )
    };
    let with_property = "vfio-pci-nohotplug,host=06:12.5,display=on,ramfb=on";
    let with_set = command_line(&["-device", "vfio-pci-nohotplug,host=06:12.5,id=gpu"])
        + &command_line(&["-set", "device.gpu.ramfb=on"]);
    let video = "<video><model type='ramfb'/></video>";
    for (devices, qemu) in [
        (card("display='on' ramfb='on'"), String::new()),
        (card(""), override_block("hostdev0", "ramfb", "bool", "true")),
        (card(""), command_line(&["-set", "device.hostdev0.ramfb=on"])),
        (String::new(), command_line(&["-device", "ramfb"])),
        (String::new(), command_line(&["-device", with_property])),
        (String::new(), with_set),
        (video.to_owned(), String::new()),
        (card("") + video, String::new()),
    ] {
        for vgpu in ["", WITHOUT_RAMFB] {
            for libvirt in LIBVIRTS {
                // libvirt before 10.3 drops a card's attribute.
                if libvirt != "newest" && devices.contains("ramfb='on'") {
                    continue;
                }
                let text = fixed(&format!("{devices}{vgpu}"), &qemu, &on_libvirt(libvirt));
                assert_eq!(count_ramfbs(&text), 1, "libvirt {libvirt}: {text}");
            }
        }
    }
}

#[test]
fn a_global_option_does_not_give_the_vgpu_a_second_ramfb() {
    let line = command_line(&[
        "-device",
        "vfio-pci-nohotplug,host=01:00.0",
        "-global",
        "vfio-pci-nohotplug.ramfb=on",
    ]);
    for libvirt in LIBVIRTS {
        let text = fixed(WITHOUT_RAMFB, &line, &on_libvirt(libvirt));
        assert_eq!(count_ramfbs(&text), 1, "libvirt {libvirt}: {text}");
        assert_eq!(text.matches("nohotplug").count(), 2, "libvirt {libvirt}: {text}");
    }
}

#[test]
fn ramfb_moves_to_the_requested_vgpu() {
    let devices = format!("{}{WITHOUT_RAMFB}", other_vgpu_with_ramfb());
    let text = fixed(&devices, "", &with_uuid(UUID));
    assert!(text.contains("ramfb='off'") && count_ramfbs(&text) == 1, "{text}");
}

#[test]
fn a_fix_names_the_ramfb_that_it_turns_off() {
    let first = WITHOUT_RAMFB.replace("display='off'", "display='on'");
    let other = other_vgpu_with_ramfb();
    let graphics = "<graphics type='spice'><listen type='none'/><gl enable='yes'/></graphics>";
    let text = format!("<domain type='kvm'><devices>{first}{other}{graphics}</devices></domain>");
    let place = text.find("ramfb='on'").unwrap();
    let fixed = fix(&text, &Settings::default());
    let missing = fixed.applied.iter().filter(|one| one.rule.id == "missing-ramfb");
    let is_named = missing.flat_map(|one| &one.related).any(|related| {
        related.is_removed
            && related.message.contains("ramfb='on'")
            && related.start.column == place + 1
    });
    assert!(is_named, "{:?}", fixed.applied);
    assert!(fixed.text.contains("ramfb='off'"), "{}", fixed.text);
}

#[test]
fn no_ramfb_is_added_next_to_an_option_rom_that_draws() {
    let with_rom = VGPU.replace("</hostdev>", "<rom file='/rom/I915OVMF-debug.rom'/></hostdev>");
    let requested = SettingOverrides {
        romfile: Some("/var/lib/libvirt/qemu/drivers/i915ovmf.rom".into()),
        ..SettingOverrides::default()
    };
    for (vgpu, explicit) in [
        (with_rom.as_str(), SettingOverrides::default()),
        (VGPU, requested.clone()),
        ("", requested),
    ] {
        for libvirt in ["newest", "7.0"] {
            let settings = Settings { explicit: explicit.clone(), ..on_libvirt(libvirt) };
            let text = fixed(vgpu, "", &settings);
            assert!(!text.contains("ramfb") && !text.contains("nohotplug"), "{text}");
            assert!(text.to_lowercase().contains("i915ovmf"), "{text}");
            assert!(text.contains("x-igd-opregion"), "{text}");
        }
    }
}
