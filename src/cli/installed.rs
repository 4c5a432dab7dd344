//! Which libvirt this machine has: read off a file name, as starting a program would cost more than all the rest.

use std::fs;
use std::path::Path;

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
pub(super) fn libvirt() -> Option<Version> {
    FOLDERS.iter().find_map(|folder| {
        let target = fs::read_link(Path::new(folder).join("libvirt.so.0")).ok()?;
        Version::of_library(target.file_name()?.to_str()?)
    })
}
