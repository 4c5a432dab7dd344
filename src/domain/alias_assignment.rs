//! The vGPU's alias, and the references that change when the vGPU gets it.

use super::{Domain, PropertySyntax, Set, user_alias};
use crate::xml::Element;

/// The maximum length in bytes of an alias that is kept. A longer one is replaced, because the
/// alias is written once per property.
const MAX_ALIAS_LEN: usize = 1000;

/// References to ids that change once the vGPU has its alias, each with the new id.
#[derive(Debug, Default)]
pub struct Renaming<'d> {
    /// The `-set` options.
    pub sets: Vec<(Set<'d>, String)>,
    /// The `<qemu:device>` elements of overrides.
    pub overrides: Vec<(Element<'d>, String)>,
}

impl Renaming<'_> {
    /// The number of references.
    pub fn len(&self) -> usize {
        self.sets.len() + self.overrides.len()
    }

    /// Whether no reference changes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'d> Domain<'d> {
    /// The alias by which properties name the vGPU, or will name it once the fix has set it. If
    /// there is no vGPU yet, the alias that a new one gets.
    pub fn vgpu_alias(&self) -> &str {
        &self.cache.vgpu_alias.get_or_init(|| self.choose_alias()).0
    }

    /// Whether there is a vGPU that does not have [`Domain::vgpu_alias`] yet.
    pub fn needs_alias(&self) -> bool {
        self.vgpu.is_some() && self.cache.vgpu_alias.get_or_init(|| self.choose_alias()).1
    }

    /// Chooses the vGPU's alias, and returns whether the vGPU does not have it yet.
    fn choose_alias(&self) -> (String, bool) {
        if let Some(vgpu) = self.vgpu
            && let Some(alias) = user_alias(vgpu)
            && alias.len() <= MAX_ALIAS_LEN
            && self.settings.explicit.alias.as_deref().is_none_or(|requested| requested == alias)
        {
            return (alias.to_owned(), false);
        }
        if matches!(self.property_syntax(), PropertySyntax::Set(_))
            && self.settings.explicit.alias.is_none()
        {
            if let Some(alias) = self.vgpu.and_then(|vgpu| self.alias_of(vgpu))
                && !self.vgpu_properties().sets.is_empty()
            {
                return (alias.to_owned(), false);
            }
            if self.settings.fallback.alias.is_none() && self.is_only_host_device() {
                return ("hostdev0".into(), false);
            }
        }
        let preferred = self.settings.alias();
        let numbered = (1..).map(|number| {
            if number == 1 { preferred.to_owned() } else { format!("{preferred}-{number}") }
        });
        // The vGPU's own alias may be the preferred one with a number, if another vGPU has that
        // one.
        let current = self.vgpu.and_then(user_alias);
        let mut free =
            numbered.filter(|alias| current == Some(alias.as_str()) || !self.is_alias_taken(alias));
        let alias = free.next().unwrap_or_default();
        let is_new = current != Some(&alias);
        (alias, is_new)
    }

    /// Whether the vGPU is hostdev0 regardless of the rest of the domain: there is no other
    /// hostdev, and no interface that could become one.
    fn is_only_host_device(&self) -> bool {
        let has_other_hostdev =
            self.devices_named("hostdev").into_iter().any(|hostdev| Some(hostdev) != self.vgpu);
        let interfaces = self.devices_named("interface");
        let can_become_hostdev = |interface: &Element<'d>| {
            matches!(interface.attribute("type"), Some("hostdev" | "network"))
        };
        !has_other_hostdev && !interfaces.iter().any(can_become_hostdev)
    }

    /// The references that have to change once the vGPU has its alias: a device with a user-defined
    /// alias takes no number, so the numbers of the devices after it decrease.
    pub fn renaming(&self) -> &Renaming<'d> {
        self.cache.renaming.get_or_init(|| {
            let mut devices: Vec<Element<'d>> = self
                .qemu_overrides
                .iter()
                .filter_map(|property| property.element.parent()?.parent())
                .collect();
            devices.dedup();
            let renamed_device =
                |device: Element<'d>| Some((device, self.new_id(device.attribute("alias")?)?));
            Renaming {
                sets: self
                    .sets
                    .iter()
                    .filter_map(|set| Some((*set, self.new_id(set.device)?)))
                    .collect(),
                overrides: devices.into_iter().filter_map(renamed_device).collect(),
            }
        })
    }

    /// The new id of the device with this id once the vGPU has its alias; `None` if it does not
    /// change.
    pub fn new_id(&self, id: &str) -> Option<String> {
        let vgpu_id = self.vgpu.and_then(|vgpu| self.alias_of(vgpu))?;
        let number = |alias: &str| {
            alias.strip_prefix("hostdev").and_then(|digits| digits.parse::<usize>().ok())
        };
        match (number(id), number(vgpu_id)) {
            _ if id == vgpu_id => Some(self.vgpu_alias().to_owned()),
            (Some(device_number), Some(vgpu_number))
                if device_number > vgpu_number && self.host_device(id).is_some() =>
            {
                Some(format!("hostdev{}", device_number - 1))
            }
            _ => None,
        }
    }
}
