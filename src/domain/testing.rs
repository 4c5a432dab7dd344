//! Domains for the unit tests of this module.

use super::{Domain, Settings, read};
use crate::xml::QEMU_NAMESPACE;

/// Reads a domain with these devices and `qemu:` elements, for this libvirt release.
pub(super) fn with_domain<R>(
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
