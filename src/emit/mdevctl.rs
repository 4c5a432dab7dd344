//! A vGPU for mdevctl: its definition file, or the commands that define it.

use super::{Destination, File, FollowUp, Guest, Vgpu, names, origin_comment, shell};

/// The definition file of a vGPU. It does not record how it was made: JSON has no comments, and
/// mdevctl drops unknown keys.
pub fn file(vgpu: &Vgpu, autostart: bool) -> File {
    let start = if autostart { "auto" } else { "manual" };
    let text = format!(
        "{{\n  \"mdev_type\": \"{}\",\n  \"start\": \"{start}\",\n  \"attrs\": []\n}}\n",
        vgpu.vgpu_type
    );
    let follow_ups =
        if autostart { Vec::new() } else { vec![FollowUp::StartDevice(vgpu.uuid.to_string())] };
    File::at(format!("/etc/mdevctl.d/{}/{}", vgpu.pci, vgpu.uuid), text, follow_ups)
}

/// The script that defines the vGPUs of these guests.
pub fn commands(guests: &[Guest], autostart: bool, command: &str) -> File {
    let mut text = String::from("#!/bin/sh\n");
    text.push_str(&shell::comment(&format!("Defines the vGPUs of {} in mdevctl.", names(guests))));
    text.push_str(&origin_comment(command));
    text.push_str("set -e\n");
    let mut follow_ups = Vec::new();
    for vgpu in guests.iter().flat_map(|guest| &guest.vgpus) {
        let auto = if autostart { " --auto" } else { "" };
        text.push_str(&format!(
            "mdevctl define --uuid {} --parent {} --type {}{auto}\n",
            vgpu.uuid, vgpu.pci, vgpu.vgpu_type
        ));
        follow_ups.push(FollowUp::StartDevice(vgpu.uuid.to_string()));
    }
    File {
        place: Destination::Elsewhere("run this script as root"),
        mode: 0o755,
        text,
        follow_ups: if autostart { Vec::new() } else { follow_ups },
    }
}

/// The warning about vGPUs that exist from boot on.
pub const AUTOSTART: &str = "these vGPUs exist from boot on: a host that is suspended while one exists may hang, even if no VM runs. The hook \
    creates a vGPU only while its VM runs; it uses one that already exists, and does not remove it";
