//! The files that prepare a host for GVT-g guests. They depend only on the domains and the user's
//! options.
//!
//! [`guest`] reads the facts about a domain that the host needs; each kind of file has a module.
//! [`shell`] quotes words and comments, whatever a domain's name contains, [`step`] lists the steps
//! that make a file take effect, and [`manifest`] lists the written files.

pub mod cmdline;
pub mod filter;
pub mod guest;
pub mod hook;
pub mod kernel_cmdline;
pub mod manifest;
pub mod mdevctl;
pub mod modprobe;
pub mod modules;
pub mod nixos;
pub mod nodedev;
pub mod parameter;
pub mod qemu_conf;
pub mod shell;
pub mod step;
pub mod udev;

pub use guest::{EmitOptions, Guest, GuestError, Vgpu};
pub use step::FollowUp;

/// A file for the host, or lines for an existing file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The destination.
    pub place: Destination,
    /// The mode, like `0o644`.
    pub mode: u32,
    /// The content.
    pub text: String,
    /// The steps that make it take effect.
    pub follow_ups: Vec<FollowUp>,
}

/// Where the content of an emitted file goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A separate file, by absolute path.
    At(String),
    /// A place that only the user knows; holds the instruction to the user.
    Elsewhere(&'static str),
}

impl File {
    /// Creates a file that every user may read.
    fn at(path: impl Into<String>, text: String, follow_ups: Vec<FollowUp>) -> Self {
        File { place: Destination::At(path.into()), mode: 0o644, text, follow_ups }
    }

    /// The path, if it is a separate file.
    pub fn path(&self) -> Option<&str> {
        match &self.place {
            Destination::At(path) => Some(path),
            Destination::Elsewhere(_) => None,
        }
    }
}

/// The folders that may contain the files of `emit all` and the manifest.
pub const FOLDERS: &[&str] = &[
    "/etc/gvtg-xml",
    "/etc/libvirt/hooks",
    "/etc/libvirt/hooks/qemu.d",
    "/var/lib/libvirt/hooks",
    "/var/lib/libvirt/hooks/qemu.d",
    "/etc/modules-load.d",
    "/etc/modprobe.d",
    "/etc/default/grub.d",
    "/etc/kernel",
    "/etc/udev/rules.d",
];

/// The steps to take after writing the file at this path.
pub fn follow_ups_for(path: &str) -> Vec<FollowUp> {
    let files = [
        modules::file(),
        modprobe::file(),
        cmdline::grub(),
        cmdline::kernel_install(""),
        udev::file(),
    ];
    files
        .into_iter()
        .find(|file| file.path() == Some(path))
        .map(|file| file.follow_ups)
        .unwrap_or_default()
}

/// The comment line with the command that made a file.
fn origin_comment(command: &str) -> String {
    shell::comment(&format!("Made by: {command}"))
}

/// Lists the names of guests in words.
fn names(guests: &[Guest]) -> String {
    let names: Vec<String> = guests.iter().map(|guest| shell::word(&guest.name)).collect();
    shell::list(&names)
}
