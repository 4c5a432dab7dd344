//! The libvirt hook that creates a VM's vGPUs when the VM starts and removes them when it stops.
//! The hook's script is `hook.sh`.

use super::{File, FollowUp, Guest, Vgpu, names, origin_comment, shell};

const HOOK: &str = include_str!("hook.sh");
const SESSION: &str = include_str!("session.sh");

/// The GPU that `hook.sh` uses for lines without one.
const GPU: &str = "0000:00:02.0";

/// How the hook is installed, and which libvirt runs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// In `hooks/qemu.d`, with other hooks; run by the system libvirt since 6.5.
    #[default]
    DropIn,
    /// As `hooks/qemu`, the only hook; run by every system libvirt.
    Whole,
    /// In `hooks/qemu.d` too; run as the user by a session libvirt.
    Session,
}

impl Style {
    fn path(self) -> &'static str {
        match self {
            Style::DropIn | Style::Session => "/etc/libvirt/hooks/qemu.d/gvtg",
            Style::Whole => "/etc/libvirt/hooks/qemu",
        }
    }
}

/// The hook for these guests; `generated_by` is the command that its comment names.
pub fn file(guests: &[Guest], style: Style, generated_by: &str) -> File {
    let (path, session) = (style.path(), if style == Style::Session { SESSION } else { "" });
    let (first, script) = HOOK.split_once('\n').unwrap_or_default();
    let what = format!(
        "Creates the vGPUs of {} when the VM starts, and removes them when it stops.",
        names(guests)
    );
    let place = match style {
        Style::DropIn => format!("Install it as {path} with mode 755 (libvirt 6.5 and later)."),
        Style::Whole => format!(
            "Install it as {path} with mode 755. There can be only one: if you already have one, merge the two. It reads the VM's XML from stdin."
        ),
        Style::Session => format!(
            "Install it as {path} with mode 755, owned by root (libvirt 6.5 and later). For qemu:///session."
        ),
    };
    let lines: String = guests
        .iter()
        .flat_map(|guest| guest.vgpus.iter().map(|vgpu| setup_line(guest, vgpu)))
        .collect();
    let text = format!(
        "{first}\n{}{}#\n{script}{session}\n{lines}",
        shell::comment(&format!("{what}\n{place}")),
        origin_comment(generated_by)
    );
    File { mode: 0o755, ..File::at(path, text, vec![FollowUp::ReloadLibvirt]) }
}

fn setup_line(guest: &Guest, vgpu: &Vgpu) -> String {
    let comment = if vgpu.is_default_type {
        let message = format!(
            "The domain records no type, so this is {}, which nearly every GPU offers (`gvtg-xml types` lists them all).",
            vgpu.vgpu_type
        );
        shell::comment(&message)
    } else {
        String::new()
    };
    let gpu = if vgpu.pci == GPU { String::new() } else { format!(" {}", vgpu.pci) };
    format!(
        "{comment}setup_gpu {} {} {}{gpu}\n",
        shell::word(&guest.name),
        vgpu.uuid,
        vgpu.vgpu_type
    )
}
