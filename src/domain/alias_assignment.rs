//! The id by which properties name the vGPU, and what has to follow once the vGPU gets it.

use super::{Domain, PropertySyntax, Set, user_alias};
use crate::xml::Element;

/// A longer alias is none to write once a property: the vGPU gets another.
const MAX_ALIAS_LEN: usize = 1000;

/// What names a device by an id that it has no longer once the vGPU has its alias, each with the id
/// then.
#[derive(Debug, Default)]
pub struct Renaming<'d> {
    /// `-set` arguments.
    pub sets: Vec<(Set<'d>, String)>,
    /// `<qemu:device>` elements of overrides.
    pub overrides: Vec<(Element<'d>, String)>,
}

impl Renaming<'_> {
    /// How many places it is about.
    pub fn len(&self) -> usize {
        self.sets.len() + self.overrides.len()
    }

    /// Whether nothing has to follow.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'d> Domain<'d> {
    /// The id by which properties name the vGPU, or will once it has it. With no vGPU yet, the one
    /// that a new one gets.
    pub fn vgpu_alias(&self) -> &str {
        &self.answers.vgpu_alias.get_or_init(|| self.choose_alias()).0
    }

    /// Whether there is a vGPU that has to be given [`Domain::vgpu_alias`] first.
    pub fn needs_alias(&self) -> bool {
        self.vgpu.is_some() && self.answers.vgpu_alias.get_or_init(|| self.choose_alias()).1
    }

    fn choose_alias(&self) -> (String, bool) {
        if let Some(vgpu) = self.vgpu
            && let Some(own) = user_alias(vgpu).filter(|own| own.len() <= MAX_ALIAS_LEN)
            && self.settings.explicit.alias.as_deref().is_none_or(|asked| asked == own)
        {
            return (own.to_owned(), false);
        }
        if matches!(self.form(), PropertySyntax::Set(_)) && self.settings.explicit.alias.is_none() {
            let current = self.vgpu.and_then(|vgpu| self.alias_of(vgpu));
            let addressed = current.filter(|_| !self.addressed().sets.is_empty());
            if let Some(alias) = addressed {
                return (alias.to_owned(), false);
            }
            if self.settings.fallback.alias.is_none() && self.is_only_host_device() {
                return ("hostdev0".into(), false);
            }
        }
        let wanted = self.settings.alias();
        let numbered =
            (1..).map(
                |number| if number == 1 { wanted.to_owned() } else { format!("{wanted}-{number}") },
            );
        // Its own may be the asked one with a number, where another vGPU has that one.
        let own = self.vgpu.and_then(user_alias);
        let mut free = numbered.filter(|alias| own == Some(alias) || !self.is_alias_taken(alias));
        let alias = free.next().unwrap_or_default();
        let is_new = own != Some(&alias);
        (alias, is_new)
    }

    /// Whether the vGPU is hostdev0 whatever libvirt makes of the rest: no other hostdev, no
    /// interface that can become one.
    fn is_only_host_device(&self) -> bool {
        let others =
            self.devices_named("hostdev").into_iter().any(|hostdev| Some(hostdev) != self.vgpu);
        let interfaces = self.devices_named("interface");
        let can_become_one = |interface: &Element<'d>| {
            matches!(interface.attribute("type"), Some("hostdev" | "network"))
        };
        !others && !interfaces.iter().any(can_become_one)
    }

    /// What names a device by its number and has to say another once the vGPU has its alias: a
    /// device with an alias of its own takes no number, so that those behind it move up.
    pub fn renaming(&self) -> &Renaming<'d> {
        self.answers.renaming.get_or_init(|| {
            let mut devices: Vec<Element<'d>> = self
                .overrides
                .iter()
                .filter_map(|found| found.element.parent()?.parent())
                .collect();
            devices.dedup();
            let of_override =
                |device: Element<'d>| Some((device, self.renamed(device.attribute("alias")?)?));
            Renaming {
                sets: self
                    .sets
                    .iter()
                    .filter_map(|set| Some((*set, self.renamed(set.device)?)))
                    .collect(),
                overrides: devices.into_iter().filter_map(of_override).collect(),
            }
        })
    }

    /// The id that a device has once the vGPU has its alias; None for one that keeps its own.
    pub fn renamed(&self, id: &str) -> Option<String> {
        let old = self.vgpu.and_then(|vgpu| self.alias_of(vgpu))?;
        let number = |alias: &str| {
            alias.strip_prefix("hostdev").and_then(|digits| digits.parse::<usize>().ok())
        };
        match (number(id), number(old)) {
            _ if id == old => Some(self.vgpu_alias().to_owned()),
            (Some(own), Some(gone)) if own > gone && self.host_device(id).is_some() => {
                Some(format!("hostdev{}", own - 1))
            }
            _ => None,
        }
    }
}
