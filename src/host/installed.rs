//! Which libvirt a machine has: read off a file name, as starting a program would cost more than all the rest.

use super::Root;
use crate::version::Version;

/// Where distributions put the library.
const FOLDERS: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib/x86_64-linux-gnu",
    "/usr/local/lib64",
    "/usr/local/lib",
    "/lib64",
];

/// The release that `libvirt.so.0` links to; None without one.
pub fn libvirt(root: &Root) -> Option<Version> {
    FOLDERS.iter().find_map(|folder| Version::of_library(&root.link(&format!("{folder}/libvirt.so.0")).present()?))
}
