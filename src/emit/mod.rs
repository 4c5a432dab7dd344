//! The host's side of GVT-g guests, as files: pure functions of what the domains say and of what
//! the user wants.
//!
//! [`guest`] reads what the host has to know off a domain; each kind of file has a module of its
//! own. [`shell`] writes words and comments that hold whatever a domain is called, [`step`] says
//! what makes the host take notice of a file, [`manifest`] lists files.

pub mod cmdline;
pub mod filter;
pub mod guest;
pub mod hook;
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

/// A file for the host, or lines for one that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it belongs.
    pub place: Destination,
    /// Its mode, like `0o644`.
    pub mode: u32,
    /// What is in it.
    pub text: String,
    /// What makes the host take notice of it.
    pub follow_ups: Vec<FollowUp>,
}

/// Where a text belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// In a file of its own: an absolute path.
    At(String),
    /// Somewhere that only the user knows: what to do with it, as an order.
    Elsewhere(&'static str),
}

impl File {
    /// A file that everybody may read.
    fn at(path: impl Into<String>, text: String, then: Vec<FollowUp>) -> Self {
        File { place: Destination::At(path.into()), mode: 0o644, text, follow_ups: then }
    }

    /// Its path, if it has one of its own.
    pub fn path(&self) -> Option<&str> {
        match &self.place {
            Destination::At(path) => Some(path),
            Destination::Elsewhere(_) => None,
        }
    }
}

/// The folders in which the files of `emit all` and their manifest are.
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

/// The steps after the file at this path is written.
pub fn steps_of(path: &str) -> Vec<FollowUp> {
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

/// The line that says how a file was made.
fn made_by(command: &str) -> String {
    shell::comment(&format!("Made by: {command}"))
}

/// Names of guests, as people say them.
fn names(guests: &[Guest]) -> String {
    let names: Vec<String> = guests.iter().map(|guest| shell::word(&guest.name)).collect();
    shell::list(&names)
}
