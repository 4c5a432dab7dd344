//! Lines for /etc/libvirt/qemu.conf: without them QEMU does not see the GPU that its window is drawn with.

use super::{File, Place, Step, made_by, shell};

/// What libvirt lets QEMU have where qemu.conf does not say (`defaultDeviceACL` in libvirt's src/qemu/qemu_cgroup.c: from 7.0 to 12.8 one
/// or the other is missing, and a device that is not there is passed over).
const DEFAULTS: &[&str] =
    &["/dev/null", "/dev/full", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/ptmx", "/dev/kvm", "/dev/userfaultfd"];

/// What the GPU is called on most machines.
const USUAL: &[&str] = &["card0", "renderD128"];

const NOTES: &str = "The list stands in place of libvirt's own, which is why that is here too. If qemu.conf has a cgroup_device_acl already, do not add\n\
    another one (only one of them counts): add the devices of /dev/dri to it.\n\
    \n\
    QEMU runs as a user of its own (`user` in qemu.conf; libvirt-qemu, or qemu on Fedora), which must be in the group of the devices:\n\
    usermod --append --groups render,video libvirt-qemu\n\
    It opens its window on your display, so let it in, and nobody else, in your session and before the VM starts:\n\
    xhost +si:localuser:libvirt-qemu\n\
    Guides say `xhost +`, which opens your display to everyone.\n\
    \n\
    If QEMU ends with `Bad system call` as its window opens, GTK has tried to start a D-Bus session, which QEMU's sandbox forbids. Give\n\
    the domain a <qemu:env name='DBUS_SESSION_BUS_ADDRESS' value='disabled:'/>, or, less strict, set seccomp_sandbox = 0 here.";

const UNKNOWN: &str = "\n\n\
    There was no GPU to look at: these are the names on most machines. ls -l /dev/dri/by-path tells yours.";

/// The lines, with the GPU's devices in /dev/dri; the usual ones where they are not known.
pub fn file(devices: &[String], command: &str) -> File {
    let notes = if devices.is_empty() { format!("{NOTES}{UNKNOWN}") } else { NOTES.to_owned() };
    let what = shell::comment("Lets QEMU see the GPU, for a window with OpenGL.");
    let text = format!("{what}{}#\n{}{}", made_by(command), shell::comment(&notes), list(devices));
    File {
        place: Place::Elsewhere("append it to /etc/libvirt/qemu.conf, if that sets no cgroup_device_acl yet"),
        mode: 0o644,
        text,
        then: vec![Step::RestartLibvirt],
    }
}

/// The list alone, with these devices in /dev/dri; the usual ones if they are not known.
pub fn list(devices: &[String]) -> String {
    let usual: Vec<String> = USUAL.iter().map(|name| (*name).to_owned()).collect();
    let devices = if devices.is_empty() { &usual[..] } else { devices };
    let line = |device: &dyn std::fmt::Display| format!("    \"{device}\",\n");
    let defaults: String = DEFAULTS.iter().map(|device| line(device)).collect();
    let own: String = devices.iter().map(|device| line(&format!("/dev/dri/{device}"))).collect();
    format!("cgroup_device_acl = [\n{defaults}{}\n]\n", own.trim_end().trim_end_matches(','))
}
