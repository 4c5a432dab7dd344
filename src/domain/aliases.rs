//! Device ids: user-defined aliases, and libvirt's numbers.

use crate::xml::Element;

/// Gives host devices their ids as libvirt does: it numbers interfaces of type hostdev first,
/// regardless of their position, then hostdevs. Devices with a `ua-` alias keep it and take no
/// number (libvirt: src/qemu/qemu_alias.c `qemuAssignDeviceHostdevAlias`).
pub(super) fn number_host_devices<'d>(
    interfaces: &[Element<'d>],
    hostdevs: &[Element<'d>],
) -> Vec<(Element<'d>, String)> {
    let interfaces = interfaces.iter().filter(|interface| {
        interface.is("interface") && interface.attribute("type") == Some("hostdev")
    });
    let mut next_number = 0;
    let with_id = |device: &Element<'d>| {
        let id = user_alias(*device).map_or_else(
            || {
                next_number += 1;
                format!("hostdev{}", next_number - 1)
            },
            str::to_owned,
        );
        (*device, id)
    };
    interfaces.chain(hostdevs).map(with_id).collect()
}

/// The user-defined alias of a device, if it is one that libvirt keeps.
pub fn user_alias(device: Element<'_>) -> Option<&str> {
    let name = device.child("alias")?.attribute("name")?;
    if is_user_alias(name) { Some(name) } else { None }
}

/// Whether libvirt keeps this name as a user-defined alias (src/conf/domain_conf.c
/// `virDomainDeviceAliasIsUserAlias`, `USER_ALIAS_CHARS`).
pub fn is_user_alias(name: &str) -> bool {
    name.strip_prefix("ua-").is_some_and(|rest| {
        !rest.is_empty()
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}

/// Whether an id is one that libvirt gives to host devices: `hostdev0`, `hostdev1` …
pub fn is_host_device_number(id: &str) -> bool {
    id.strip_prefix("hostdev")
        .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}
