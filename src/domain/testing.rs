//! Domains for the unit tests of this module.

use super::{Domain, Settings, read};
use crate::xml::QEMU_NAMESPACE;

/// Reads a domain with these devices and `qemu:` elements, for this libvirt release.
pub(in crate::domain) fn with_domain<R>(
    devices: &str,
    qemu: &str,
    libvirt: &str,
    query: impl FnOnce(&Domain<'_>) -> R,
) -> R {
    let text = format!(
        "<domain xmlns:qemu='{QEMU_NAMESPACE}'><devices>{devices}</devices>{qemu}</domain>"
    );
    let settings = Settings { libvirt: libvirt.parse().unwrap(), ..Settings::default() };
    read(&text, &settings, query).unwrap()
}

/// A `<qemu:commandline>` with these arguments, which are written into the XML as they are.
pub(in crate::domain) fn commandline(arguments: &[&str]) -> String {
    let elements: String =
        arguments.iter().map(|value| format!("<qemu:arg value='{value}'/>")).collect();
    format!("<qemu:commandline>{elements}</qemu:commandline>")
}
