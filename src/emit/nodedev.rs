//! A vGPU as a libvirt node device for `virsh nodedev-define`, an alternative to the hook.

use super::{Destination, File, FollowUp, Guest, Vgpu, shell};
use crate::text::sanitize::clean;

/// The node device XML of a vGPU.
pub fn file(guest: &Guest, vgpu: &Vgpu, command: &str) -> File {
    let (address, uuid) =
        (vgpu.pci.replace([':', '.'], "_"), vgpu.uuid.to_string().replace('-', "_"));
    // libvirt ignores the name, but its schema requires one. This is the name that libvirt gives
    // the device since 7.8.
    let name = format!("mdev_{uuid}_{address}");
    let text = format!(
        "<?made-by {}?>\n<!-- {} -->\n<device>\n  <name>{name}</name>\n  <parent>pci_{address}</parent>\n  <capability type='mdev'>\n    \
         <type id='{}'/>\n    <uuid>{}</uuid>\n  </capability>\n</device>\n",
        instruction(command),
        comment(&format!(
            "A vGPU of the domain {}. It does not start by itself: a host that is suspended while a vGPU exists may hang.",
            shell::word(&guest.name)
        )),
        vgpu.vgpu_type,
        vgpu.uuid
    );
    File {
        place: Destination::Elsewhere(
            "pass this file to `virsh nodedev-define` (libvirt 7.3 and later, with mdevctl)",
        ),
        mode: 0o644,
        text,
        follow_ups: vec![FollowUp::DefineDevice(name)],
    }
}

/// Escapes a string for a processing instruction, which ends at `?>`.
fn instruction(text: &str) -> String {
    clean(text).replace("?>", "?\\u{3e}")
}

/// Escapes a string for a comment, which may not contain two dashes.
fn comment(text: &str) -> String {
    clean(text).replace("--", "-\\u{2d}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_ends_of_comments_and_instructions() {
        assert_eq!(instruction("a --b '?>'"), "a --b '?\\u{3e}'");
        assert_eq!(comment("a --> b --- c"), "a -\\u{2d}> b -\\u{2d}- c");
    }
}
