//! A vGPU for mdevctl: the file in which it keeps one, or the commands that make it.

use super::{Destination, File, FollowUp, Guest, Vgpu, made_by, names, shell};

/// The file of one vGPU. JSON has no comments, and mdevctl keeps no other names: who made it is not
/// in it.
pub fn file(vgpu: &Vgpu, autostart: bool) -> File {
    let start = if autostart { "auto" } else { "manual" };
    let text = format!(
        "{{\n  \"mdev_type\": \"{}\",\n  \"start\": \"{start}\",\n  \"attrs\": []\n}}\n",
        vgpu.vgpu_type
    );
    let then =
        if autostart { Vec::new() } else { vec![FollowUp::StartDevice(vgpu.uuid.to_string())] };
    File::at(format!("/etc/mdevctl.d/{}/{}", vgpu.pci, vgpu.uuid), text, then)
}

/// The commands that make all of them.
pub fn commands(guests: &[Guest], autostart: bool, command: &str) -> File {
    let mut text = String::from("#!/bin/sh\n");
    text.push_str(&shell::comment(&format!("Defines the vGPUs of {} in mdevctl.", names(guests))));
    text.push_str(&made_by(command));
    text.push_str("set -e\n");
    let mut then = Vec::new();
    for vgpu in guests.iter().flat_map(|guest| &guest.vgpus) {
        let auto = if autostart { " --auto" } else { "" };
        text.push_str(&format!(
            "mdevctl define --uuid {} --parent {} --type {}{auto}\n",
            vgpu.uuid, vgpu.pci, vgpu.vgpu_type
        ));
        then.push(FollowUp::StartDevice(vgpu.uuid.to_string()));
    }
    File {
        place: Destination::Elsewhere("run this script as root"),
        mode: 0o755,
        text,
        follow_ups: if autostart { Vec::new() } else { then },
    }
}

/// What it means that a vGPU is always there.
pub const AUTOSTART: &str = "these vGPUs exist from boot on: a host that is suspended while one exists may hang, even if no VM runs. The hook \
    creates a vGPU only while its VM runs; it uses one that already exists, and does not remove it";
