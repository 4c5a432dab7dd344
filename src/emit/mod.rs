//! The host's side of GVT-g guests, as files: pure functions of what the domains say and of what the user wants.
//!
//! [`guest`] reads what the host has to know off a domain; each kind of file has a module of its own; [`shell`] writes words and comments
//! that hold whatever a domain is called.

pub mod guest;
pub mod hook;
pub mod modules;
pub mod shell;

pub use guest::{Guest, GuestError, Vgpu, Wanted};

/// A file for the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it belongs: an absolute path.
    pub path: String,
    /// Its mode, like `0o644`.
    pub mode: u32,
    /// What is in it.
    pub text: String,
    /// What makes the host take notice of it, in the order in which it is done.
    pub then: Vec<&'static str>,
}

/// The line that says how a file was made.
fn made_by(command: &str) -> String {
    shell::comment(&format!("Made by: {command}"))
}
