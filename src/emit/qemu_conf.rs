//! Lines for /etc/libvirt/qemu.conf that give QEMU access to the GPU that renders its window.

use super::{Destination, File, FollowUp, origin_comment, shell};

/// The devices that libvirt allows if qemu.conf does not set them (`defaultDeviceACL` in libvirt's
/// src/qemu/qemu_cgroup.c). Versions from 7.0 to 12.8 lack some of them; libvirt skips devices that
/// do not exist.
const DEFAULT_DEVICES: &[&str] = &[
    "/dev/null",
    "/dev/full",
    "/dev/zero",
    "/dev/random",
    "/dev/urandom",
    "/dev/ptmx",
    "/dev/kvm",
    "/dev/userfaultfd",
];

/// The names of the GPU's devices on most machines.
const USUAL_NAMES: &[&str] = &["card0", "renderD128"];

const NOTES: &str = "This list replaces libvirt's default list, so it repeats the devices in it. If qemu.conf already sets cgroup_device_acl, do not add a\n\
    second one (only one takes effect): add the /dev/dri devices to the existing list.\n\
    \n\
    QEMU runs under its own user (`user` in qemu.conf: libvirt-qemu, or qemu on Fedora), who must be in the groups that own these devices:\n\
    `sudo usermod --append --groups render,video libvirt-qemu`\n\
    QEMU opens its window on your display. From your session, before the VM starts, let in this user and no other:\n\
    `xhost +si:localuser:libvirt-qemu`\n\
    Guides use a bare `xhost +`, which opens your display to everyone.\n\
    \n\
    If QEMU exits with \"Bad system call\" when its window opens, GTK tried to start a D-Bus session, which QEMU's sandbox forbids. Add\n\
    <qemu:env name='DBUS_SESSION_BUS_ADDRESS' value='disabled:'/> to the domain or, less strict, set seccomp_sandbox = 0 here.";

const UNKNOWN: &str = "\n\n\
    The GPU was not found: these are its names on most machines. See yours with `ls -l /dev/dri/by-path`.";

/// The lines with their comments. `devices` are the names of the GPU's devices in /dev/dri; if
/// empty, the usual names are used.
pub fn file(devices: &[String], command: &str) -> File {
    let notes = if devices.is_empty() { format!("{NOTES}{UNKNOWN}") } else { NOTES.to_owned() };
    let what = shell::comment("Gives QEMU access to the GPU, for a window with OpenGL.");
    let text =
        format!("{what}{}#\n{}{}", origin_comment(command), shell::comment(&notes), list(devices));
    File {
        place: Destination::Elsewhere(
            "append these lines to /etc/libvirt/qemu.conf, unless it already sets cgroup_device_acl",
        ),
        mode: 0o644,
        text,
        follow_ups: vec![FollowUp::RestartLibvirt],
    }
}

/// The list alone. `devices` are names in /dev/dri; if empty, the usual names are used.
pub fn list(devices: &[String]) -> String {
    let usual: Vec<String> = USUAL_NAMES.iter().map(|name| (*name).to_owned()).collect();
    let devices = if devices.is_empty() { &usual[..] } else { devices };
    let line = |device: &dyn std::fmt::Display| format!("    \"{device}\",\n");
    let defaults: String = DEFAULT_DEVICES.iter().map(|device| line(device)).collect();
    let gpu_lines: String =
        devices.iter().map(|device| line(&format!("/dev/dri/{device}"))).collect();
    format!("cgroup_device_acl = [\n{defaults}{}\n]\n", gpu_lines.trim_end().trim_end_matches(','))
}
