//! The lists of modules that belong to a kernel.

use super::words::normalized;
use crate::host::{Probe, Root};

/// Folders with the modules of a kernel. NixOS keeps the running kernel's modules apart from the
/// next kernel's.
const MODULES: &[&str] = &[
    "/lib/modules",
    "/usr/lib/modules",
    "/run/booted-system/kernel-modules/lib/modules",
    "/run/current-system/kernel-modules/lib/modules",
];

/// The names of the modules that the running kernel can load.
pub(super) fn available(root: &Root, release: &Probe<String>) -> Probe<Vec<String>> {
    module_list(root, release, "modules.dep")
}

/// The names of the modules that are built into the running kernel.
pub(super) fn built_in(root: &Root, release: &Probe<String>) -> Vec<String> {
    module_list(root, release, "modules.builtin").present().unwrap_or_default()
}

/// Reads the module names in a list in the kernel's module folder, with lines like
/// `kernel/drivers/gpu/drm/i915/kvmgt.ko.xz: kernel/virt/lib/irqbypass.ko.xz …`.
fn module_list(root: &Root, release: &Probe<String>, file: &str) -> Probe<Vec<String>> {
    let Some(release) = release.as_present() else { return Probe::Absent };
    let mut texts = MODULES.iter().map(|folder| root.text(&format!("{folder}/{release}/{file}")));
    let text = texts.find(|text| *text != Probe::Absent).unwrap_or(Probe::Absent);
    let name = |line: &str| {
        Some(normalized(line.split(':').next()?.rsplit('/').next()?.split(".ko").next()?))
    };
    text.map(|text| text.lines().filter_map(name).collect())
}
