//! A vGPU as a node device of libvirt: `virsh nodedev-define` takes it, in place of the hook.

use super::{Destination, File, FollowUp, Guest, Vgpu, shell};
use crate::sanitize::clean;

/// The XML of one vGPU.
pub fn file(guest: &Guest, vgpu: &Vgpu, command: &str) -> File {
    let (address, uuid) =
        (vgpu.pci.replace([':', '.'], "_"), vgpu.uuid.to_string().replace('-', "_"));
    // libvirt ignores the name, and its schema wants it. It is the one that libvirt gives the
    // device, since 7.8.
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

/// A text that ends no processing instruction.
fn instruction(text: &str) -> String {
    clean(text).replace("?>", "?\\u{3e}")
}

/// A text that can be in a comment, where XML allows no two dashes.
fn comment(text: &str) -> String {
    clean(text).replace("--", "-\\u{2d}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_what_is_written_around_it() {
        assert_eq!(instruction("a --b '?>'"), "a --b '?\\u{3e}'");
        assert_eq!(comment("a --> b --- c"), "a -\\u{2d}> b -\\u{2d}- c");
    }
}
