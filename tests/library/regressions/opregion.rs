//! A VM gets one OpRegion, wherever it comes from.

use super::*;

#[test]
fn an_opregion_from_a_file_is_enough() {
    for arguments in [
        &["-fw_cfg", "name=etc/igd-opregion,file=/o.bin"][..],
        &["--fw_cfg", "file=/o.bin,name=etc/igd-opregion"],
        &["-fw_cfg etc/igd-opregion,file=/o.bin"],
    ] {
        for (vgpu, libvirt) in [("", "newest"), (VGPU, "newest"), ("", "7.0"), (VGPU, "7.0")] {
            let text = fixed(vgpu, &command_line(arguments), &on_libvirt(libvirt));
            assert!(!text.contains("x-igd-opregion") && text.contains("ramfb"), "{text}");
        }
    }
}

#[test]
fn an_opregion_of_another_device_is_enough() {
    let other = "vfio-pci,sysfsdev=/sys/bus/mdev/devices/ab54baba-ea9a-4ce5-b7b4-51b376b65850";
    let with_property = format!("{other},x-igd-opregion=on");
    let with_id = format!("{other},id=a");
    let card = "<hostdev mode='subsystem' type='pci' managed='yes'>\
        <source><address domain='0x0000' bus='0x06' slot='0x00' function='0x0'/></source></hostdev>";
    for (device, qemu) in [
        ("", command_line(&["-device", &with_property])),
        ("", command_line(&["-device", &with_id, "-set", "device.a.x-igd-opregion=on"])),
        ("", command_line(&["-device", "vfio-pci,host=01:00.0,x-igd-opregion=yes"])),
        (card, command_line(&["-set", "device.hostdev0.x-igd-opregion=on"])),
        (card, command_line(&[]) + &override_block("hostdev0", "x-igd-opregion", "bool", "true")),
    ] {
        for libvirt in LIBVIRTS {
            let text = fixed(&format!("{device}{WITHOUT_RAMFB}"), &qemu, &on_libvirt(libvirt));
            assert_eq!(text.matches("x-igd-opregion").count(), 1, "libvirt {libvirt}: {text}");
        }
    }
}

#[test]
fn a_vgpus_opregion_may_be_off_next_to_one_from_a_file() {
    let qemu = command_line(&["-fw_cfg", "etc/igd-opregion,file=/o.bin"])
        + &override_block("ua-gvtg", "x-igd-opregion", "bool", "false");
    let found = lint(&domain(WITHOUT_RAMFB, &qemu), &Settings::default());
    assert!(!found.iter().any(|found| found.rule.id.contains("opregion")), "{found:?}");
}
