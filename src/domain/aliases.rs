//! The ids of devices: the user's own, and libvirt's numbers.

use crate::xml::Element;

/// libvirt's numbering: interfaces of type hostdev first, wherever they stand, then hostdevs; a
/// `ua-` alias takes no number (libvirt: src/qemu/qemu_alias.c `qemuAssignDeviceHostdevAlias`).
pub(super) fn number_host_devices<'d>(
    interfaces: &[Element<'d>],
    hostdevs: &[Element<'d>],
) -> Vec<(Element<'d>, String)> {
    let interfaces = interfaces.iter().filter(|interface| {
        interface.is("interface") && interface.attribute("type") == Some("hostdev")
    });
    let mut number = 0;
    let number_one = |device: &Element<'d>| {
        let own = user_alias(*device).map(str::to_owned);
        let alias = own.unwrap_or_else(|| {
            number += 1;
            format!("hostdev{}", number - 1)
        });
        (*device, alias)
    };
    interfaces.chain(hostdevs).map(number_one).collect()
}

/// A device's alias of the user's own, if it is one that libvirt keeps.
pub fn user_alias(device: Element<'_>) -> Option<&str> {
    let name = device.child("alias")?.attribute("name")?;
    is_user_alias(name).then_some(name)
}

/// What libvirt keeps as a user's own alias (src/conf/domain_conf.c
/// `virDomainDeviceAliasIsUserAlias`, `USER_ALIAS_CHARS`).
pub fn is_user_alias(name: &str) -> bool {
    name.strip_prefix("ua-").is_some_and(|rest| {
        !rest.is_empty()
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}

/// Whether an id is one of libvirt's numbers for host devices: `hostdev0`, `hostdev1` ….
pub fn is_host_device_number(id: &str) -> bool {
    id.strip_prefix("hostdev")
        .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}
