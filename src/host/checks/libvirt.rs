//! libvirt and QEMU: their versions, and what QEMU may open.

use super::{Asked, Verdict};
use crate::domain::form_for;
use crate::host::Reading;
use crate::host::libvirt::QEMU_CONF;
use crate::version::Version;

const LIBRARY: &str = "libvirt.so.0";

pub(super) fn missing(asked: Asked<'_>) -> Verdict {
    match asked.host.libvirt.version {
        Some(version) => Verdict::fine([LIBRARY], vec![("libvirt", version.to_string())]),
        None => Verdict::wrong([LIBRARY], vec![]),
    }
}

pub(super) fn old(asked: Asked<'_>) -> Verdict {
    let Some(version) = asked.host.libvirt.version else { return Verdict::skipped() };
    let values = vec![("libvirt", version.to_string())];
    if form_for(version) == form_for(Version::NEWEST) { Verdict::fine([LIBRARY], values) } else { Verdict::wrong([LIBRARY], values) }
}

/// The first QEMU with a display for vGPUs.
const FIRST_QEMU: (u32, u32) = (2, 12);

pub(super) fn old_qemu(asked: Asked<'_>) -> Verdict {
    let Some((version, path)) = &asked.host.libvirt.qemu else {
        return Verdict::unknown(
            ["/var/lib/dpkg/status", "/var/lib/pacman/local"],
            "QEMU's version stands in no file that this program can read",
        );
    };
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let number = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let values = vec![("found", version.clone())];
    if number < FIRST_QEMU { Verdict::wrong([path.clone()], values) } else { Verdict::fine([path.clone()], values) }
}

pub(super) fn dri_not_allowed(asked: Asked<'_>) -> Verdict {
    let Some(card) = asked.able() else { return Verdict::skipped() };
    let nodes: Vec<String> = card.nodes.iter().map(|node| format!("/dev/dri/{node}")).collect();
    let allowed = match &asked.host.libvirt.device_acl {
        Reading::Unreadable(why) => return Verdict::unreadable(QEMU_CONF, why),
        // Without the file libvirt's default holds, which has no GPU.
        Reading::Absent if asked.host.libvirt.version.is_none() => return Verdict::skipped(),
        Reading::Absent => &None,
        Reading::Present(allowed) => allowed,
    };
    if nodes.is_empty() {
        return Verdict::skipped();
    }
    let how = match allowed {
        Some(_) => "add them to the list there",
        None => "gvtg-xml emit qemu-conf | sudo tee -a /etc/libvirt/qemu.conf",
    };
    let allowed = allowed.as_deref().unwrap_or_default();
    let missing: Vec<String> = nodes.into_iter().filter(|node| !allowed.contains(node)).map(|node| format!("\"{node}\"")).collect();
    if missing.is_empty() {
        return Verdict::fine([QEMU_CONF], vec![]);
    }
    Verdict::wrong([QEMU_CONF], vec![("nodes", missing.join(", ")), ("how", how.to_owned())])
}
