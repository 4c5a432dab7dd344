//! Device ids: user-defined aliases, and libvirt's numbers.

use super::Domain;
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

impl<'d> Domain<'d> {
    /// The id that libvirt gives a host device.
    pub fn alias_of(&self, device: Element<'d>) -> Option<&str> {
        let indices = || {
            self.host_devices
                .iter()
                .enumerate()
                .map(|(index, (element, _))| (element.id(), index))
                .collect()
        };
        let index = *self.cache.by_device.get_or_init(indices).get(&device.id())?;
        Some(&self.host_devices[index].1)
    }

    /// The host device with this id; the first one if several share it.
    pub fn host_device(&self, alias: &str) -> Option<Element<'d>> {
        // Inserted in reverse order so that the first device with an id overwrites the others.
        let indices = || {
            self.host_devices
                .iter()
                .enumerate()
                .rev()
                .map(|(index, (_, alias))| (alias.clone(), index))
                .collect()
        };
        let index = *self.cache.by_alias.get_or_init(indices).get(alias)?;
        Some(self.host_devices[index].0)
    }

    /// Whether any device has this user-defined alias.
    pub fn is_alias_taken(&self, alias: &str) -> bool {
        let aliases = || {
            let devices = self.devices.into_iter().flat_map(|devices| devices.children());
            devices.filter_map(|device| device.child("alias")?.attribute("name")).collect()
        };
        self.cache.aliases.get_or_init(aliases).contains(alias)
    }
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

#[cfg(test)]
mod tests {
    use crate::domain::testing::with_domain;

    #[test]
    fn numbers_host_devices_like_libvirt() {
        let devices = "<hostdev type='usb'/><hostdev type='pci'><alias name='ua-nic'/></hostdev><interface type='hostdev'/>\
            <hostdev type='mdev'><alias name='ua-x.1'/></hostdev>";
        let aliases = with_domain(devices, "", "9.0", |domain| {
            domain
                .host_devices
                .iter()
                .map(|(element, alias)| format!("{} {alias}", element.attribute("type").unwrap()))
                .collect::<Vec<_>>()
        });
        assert_eq!(aliases, ["hostdev hostdev0", "usb hostdev1", "pci ua-nic", "mdev hostdev2"]);
    }
}
