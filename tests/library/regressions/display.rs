//! What shows the guest: `<graphics>`, or a display of QEMU's.

use super::*;

const SPICE_WITH_OPENGL: &str =
    "<graphics type='spice'><listen type='none'/><gl enable='yes'/></graphics>";
const SDL_WITH_OPENGL: &str = "<graphics type='sdl'><gl enable='yes'/></graphics>";
const VNC_WITH_OPENGL: &str = "<graphics type='vnc'/><graphics type='egl-headless'/>";

/// A vGPU with this `display`.
fn vgpu_with_display(value: &str) -> String {
    VGPU.replace("'vfio-pci'", &format!("'vfio-pci' display='{value}'"))
}

#[test]
fn a_window_replaces_graphics_if_the_vgpus_display_is_off() {
    let devices = format!("{SPICE_WITH_OPENGL}{}", vgpu_with_display("off"));
    let text = fixed(&devices, &command_line(&["-display", "gtk,gl=on"]), &Settings::default());
    assert!(!text.contains("<graphics") && text.contains("gtk,gl=on"), "{text}");
}

#[test]
fn graphics_stay_next_to_a_window_if_the_vgpus_display_is_on() {
    let devices = format!("{SPICE_WITH_OPENGL}{}", vgpu_with_display("on"));
    let text = fixed(&devices, &command_line(&["-display", "gtk,gl=on"]), &Settings::default());
    assert!(text.contains(SPICE_WITH_OPENGL) && text.contains("display='on'"), "{text}");
}

#[test]
fn graphics_with_opengl_stay_with_or_without_a_vgpu() {
    let spice_with_channel = format!("{SPICE_WITH_OPENGL}<channel type='spicevmc'/>");
    for graphics in [
        &spice_with_channel,
        SDL_WITH_OPENGL,
        "<graphics type='dbus'><gl enable='yes'/></graphics>",
        VNC_WITH_OPENGL,
        "<graphics type='spice' autoport='yes'/><graphics type='egl-headless'/>",
    ] {
        for vgpu in [String::new(), VGPU.to_owned(), vgpu_with_display("off")] {
            for libvirt in ["7.0.0", "9.0.0"] {
                let text = fixed(&format!("{graphics}{vgpu}"), "", &on_libvirt(libvirt));
                assert!(text.contains(graphics) && text.contains("display='on'"), "{text}");
                let opens_window = text.contains("-display") || text.contains("display=on");
                assert!(!opens_window, "{text}");
            }
        }
    }
}

/// The ways to tell QEMU not to open a display.
fn without_display() -> [String; 2] {
    [command_line(&["-display", "none"]), command_line(&["-nographic"])]
}

#[test]
fn spice_shows_the_vgpu_without_a_display() {
    for line in without_display() {
        let text = fixed(&format!("{SPICE_WITH_OPENGL}{VGPU}"), &line, &Settings::default());
        assert!(text.contains("display='on'"), "{text}");
    }
}

#[test]
fn sdl_and_egl_headless_cannot_show_the_vgpu_without_a_display() {
    for line in without_display() {
        for graphics in [SDL_WITH_OPENGL, VNC_WITH_OPENGL] {
            let text = fixed(&format!("{graphics}{VGPU}"), &line, &Settings::default());
            assert!(!text.contains("model='vfio-pci' display='on'"), "{text}");
        }
    }
}

#[test]
fn nographic_after_a_window_is_reported() {
    let line = command_line(&["-display", "gtk,gl=on", "-nographic"]);
    let found = lint(&domain(VGPU, &line), &Settings::default());
    assert!(found.iter().any(|found| found.message.contains("-nographic turns off")), "{found:?}");
}

#[test]
fn an_egl_headless_argument_gives_vnc_opengl() {
    let line = command_line(&["-display", "egl-headless"]);
    let text = fixed(&format!("<graphics type='vnc'/>{VGPU}"), &line, &Settings::default());
    assert!(text.contains("<graphics type='vnc'/>"), "{text}");
    assert!(text.contains("display='on'") && text.contains("'egl-headless'"), "{text}");
}

#[test]
fn an_egl_headless_argument_alone_shows_nothing() {
    let line = command_line(&["-display", "egl-headless"]);
    let text = fixed(VGPU, &line, &Settings::default());
    // libvirt refuses display='on' without a <graphics>.
    assert!(!text.contains("model='vfio-pci' display='on'"), "{text}");
}

#[test]
fn a_display_joined_with_its_operand_is_split_and_counts() {
    for argument in [
        "-display=egl-headless",
        "-display egl-headless,rendernode=/dev/dri/renderD128",
        "--display=egl-headless",
    ] {
        let devices =
            format!("<graphics type='vnc'/>{}", VGPU.replace("model=", "display='on' model="));
        let text = fixed(&devices, &command_line(&[argument]), &Settings::default());
        assert!(text.contains("display='on'") && text.contains("<graphics type='vnc'/>"), "{text}");
        assert!(text.contains("value='egl-headless") && !text.contains("qemu:env"), "{text}");
    }
}

#[test]
fn the_option_sdl_becomes_a_display_with_opengl() {
    for settings in [Settings::default(), on_libvirt("7.0.0")] {
        let text = fixed(VGPU, &command_line(&["-sdl"]), &settings);
        let display = "<qemu:arg value='-display'/><qemu:arg value='sdl,gl=on'/>";
        assert!(text.contains(display) && !text.contains("gtk"), "{text}");
    }
}

#[test]
fn a_requested_display_replaces_the_option_sdl() {
    let explicit =
        SettingOverrides { display: Some("gtk,gl=es".into()), ..SettingOverrides::default() };
    let settings = Settings { explicit, ..Settings::default() };
    let text = fixed(VGPU, &command_line(&["-sdl"]), &settings);
    let display = "<qemu:arg value='-display'/><qemu:arg value='gtk,gl=es'/>";
    assert!(text.contains(display) && !text.contains("sdl"), "{text}");
}

/// Displays that QEMU cannot open when libvirt starts it.
const UNUSABLE: [&str; 3] = ["dbus,gl=on", "spice-app,gl=on", "nonsense,gl=on"];

fn is_unusable(line: &str) -> bool {
    has_rule(&lint(&domain(VGPU, line), &Settings::default()), "unusable-display")
}

#[test]
fn an_unusable_display_is_reported_and_kept() {
    for display in UNUSABLE {
        let line = command_line(&["-display", display]);
        assert!(is_unusable(&line), "{display}");
        assert!(fixed(VGPU, &line, &Settings::default()).contains(display), "{display}");
    }
}

#[test]
fn unsafe_fixes_replace_an_unusable_display() {
    let settings = Settings { unsafe_fixes: true, ..Settings::default() };
    for display in UNUSABLE {
        let text = fixed(VGPU, &command_line(&["-display", display]), &settings);
        assert!(!text.contains(display) && text.contains("value='gtk,gl=on'"), "{text}");
    }
}

#[test]
fn a_dbus_display_is_usable_if_the_domain_names_a_bus() {
    let with_bus = |bus: &str| {
        let variable =
            format!("<qemu:env name='DBUS_SESSION_BUS_ADDRESS' value='{bus}'/></qemu:commandline>");
        command_line(&["-display", "dbus,gl=on"]).replace("</qemu:commandline>", &variable)
    };
    assert!(!is_unusable(&with_bus("unix:path=/run/user/1000/bus")));
    assert!(is_unusable(&with_bus("disabled:")));
}

#[test]
fn a_vnc_display_is_unchanged() {
    for operand in ["vnc=:5", "vnc=127.0.0.1:5,password", "vnc=unix:/tmp/x"] {
        let devices = format!("<video><model type='qxl'/></video>{VGPU}");
        let line = command_line(&["-display", operand]);
        let text = fixed(&devices, &line, &Settings::default());
        assert!(text.contains(&line) && text.contains("qxl"), "{text}");
    }
}

#[test]
fn graphics_with_opengl_stay_next_to_a_vnc_display() {
    let line = command_line(&["-display", "vnc=:5"]);
    let text = fixed(&format!("{VNC_WITH_OPENGL}{VGPU}"), &line, &Settings::default());
    assert!(text.contains(&line) && text.contains("display='on'"), "{text}");
    assert!(text.contains("<graphics type='vnc'/>"), "{text}");
}

#[test]
fn a_window_stays_next_to_a_vnc_display() {
    let line = command_line(&["-display", "gtk,gl=on", "-display", "vnc=:5"]);
    let text = fixed(VGPU, &line, &Settings::default());
    let both = "value='gtk,gl=on'/><qemu:arg value='-display'/><qemu:arg value='vnc=:5'/>";
    assert!(text.contains(both), "{text}");
}

#[test]
fn a_vnc_server_after_nographic_is_unchanged() {
    for arguments in [&["-nographic", "-display", "vnc=:5"][..], &["-nographic", "-vnc", ":5"]] {
        let line = command_line(arguments);
        let text = fixed(VGPU, &line, &Settings::default());
        assert!(text.contains(&line), "{text}");
    }
}

/// The GPU itself or, with another number, one of its functions.
fn passed_through_gpu(function: &str) -> String {
    let address =
        format!("<address domain='0x0000' bus='0x00' slot='0x02' function='{function}'/>");
    format!(
        "<hostdev mode='subsystem' type='pci' managed='yes'><source>{address}</source></hostdev>"
    )
}

const USB_REDIRECTION: &str = "<redirdev bus='usb' type='spicevmc'/>";

#[test]
fn spice_leftovers_without_graphics_are_removed() {
    let devices = format!("{}{USB_REDIRECTION}", passed_through_gpu("0x0"));
    let text = fixed(&devices, "", &Settings::default());
    assert!(!text.contains("redirdev") && !text.contains("mdev"), "{text}");
}

#[test]
fn spice_audio_without_graphics_is_turned_off() {
    let devices = format!("{}<audio id='1' type='spice'/>", passed_through_gpu("0x0"));
    let text = fixed(&devices, "", &Settings::default());
    assert!(text.contains("<audio id='1' type='none'/>") && !text.contains("mdev"), "{text}");
}

#[test]
fn usb_redirection_stays_with_its_graphics() {
    let unsafe_with_video =
        Settings { unsafe_fixes: true, keep_video: true, ..Settings::default() };
    // With a function of the GPU, nothing shows the guest without its <graphics>.
    for (function, settings) in [("0x0", Settings::default()), ("0x3", unsafe_with_video)] {
        let gpu = passed_through_gpu(function);
        let devices = format!("<graphics type='spice'/><video/>{gpu}{USB_REDIRECTION}");
        let text = fixed(&devices, "", &settings);
        assert!(text.contains("redirdev") && text.contains("<graphics type='spice'/>"), "{text}");
    }
}

#[test]
fn a_passed_through_network_card_is_not_a_screen() {
    let address = "<address type='pci' domain='0x0000' bus='0x07' slot='0x10' function='0x0'/>";
    let interface =
        format!("<interface type='hostdev' managed='yes'><source>{address}</source></interface>");
    let teaming = format!(
        "<hostdev type='pci'><source>{address}</source><teaming type='transient' persistent='ua-nic'/></hostdev>"
    );
    for card in [interface, teaming] {
        let devices = format!("{card}<graphics type='spice'/><video><model type='qxl'/></video>");
        let text = fixed(&devices, "", &Settings::default());
        assert!(!text.contains("<graphics") && !text.contains("<video"), "{text}");
    }
}
