//! The user's own QEMU arguments, split into options and operands.

use super::Domain;
use crate::qemu::{known_option, set_parts};
use crate::xml::Element;

/// A `<qemu:arg>` with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argument<'d> {
    /// The element.
    pub element: Element<'d>,
    /// Its value.
    pub value: &'d str,
}

/// A QEMU option and its operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QemuOption<'d> {
    /// The name without its leading dashes.
    pub name: &'d str,
    /// The option's `<qemu:arg>` element.
    pub element: Element<'d>,
    /// The operand; `None` if the option takes none or no argument follows.
    pub operand: Option<Argument<'d>>,
}

/// A `-set device.ALIAS.PROPERTY=VALUE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Set<'d> {
    /// The `<qemu:arg value='-set'/>`.
    pub option: Element<'d>,
    /// The `<qemu:arg>` after it, which is its operand.
    pub operand: Element<'d>,
    /// The device's id.
    pub device: &'d str,
    /// The property's name.
    pub property: &'d str,
    /// Its value.
    pub value: &'d str,
}

/// A `<qemu:property>` of an override.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Override<'d> {
    /// The element.
    pub element: Element<'d>,
    /// The alias of the device that the override names.
    pub alias: &'d str,
    /// The property's name.
    pub property: &'d str,
    /// The type, empty if missing.
    pub kind: &'d str,
    /// The value, empty if missing.
    pub value: &'d str,
}

/// Parses a `-set device.…` option; `None` for any other option.
pub(super) fn parse_set<'d>(option: &QemuOption<'d>) -> Option<Set<'d>> {
    if option.name != "set" {
        return None;
    }
    let operand = option.operand?;
    let [group, device, property, value] = set_parts(operand.value)?;
    if group != "device" {
        return None;
    }
    Some(Set { option: option.element, operand: operand.element, device, property, value })
}

/// Splits arguments into options and operands as QEMU does. An unknown option takes the next
/// argument as its operand unless that starts with a dash.
pub(super) fn parse_options<'d>(arguments: &[Argument<'d>]) -> Vec<QemuOption<'d>> {
    let mut options = Vec::new();
    let mut rest = arguments.iter().peekable();
    while let Some(argument) = rest.next() {
        let Some(name) =
            argument.value.strip_prefix("--").or_else(|| argument.value.strip_prefix('-'))
        else {
            continue;
        };
        if name.contains([' ', '=']) {
            continue;
        }
        let operand = match known_option(name) {
            // Even an argument that starts with a dash.
            Some(option) if option.has_operand => rest.next().copied(),
            Some(_) => None,
            None => rest.next_if(|next| !next.value.starts_with('-')).copied(),
        };
        options.push(QemuOption { name, element: argument.element, operand });
    }
    options
}

impl<'d> Domain<'d> {
    /// The option that `argument` is, or whose operand it is.
    pub fn option_of(&self, argument: Element<'d>) -> Option<&QemuOption<'d>> {
        let indices = || {
            let options = self.options.iter().enumerate();
            let elements = options.flat_map(|(index, option)| {
                std::iter::once(option.element)
                    .chain(option.operand.map(|operand| operand.element))
                    .map(move |element| (element.id(), index))
            });
            elements.collect()
        };
        self.options.get(*self.cache.options_by_argument.get_or_init(indices).get(&argument.id())?)
    }

    /// The last option if its operand is missing: QEMU would take the argument that libvirt or a
    /// fix adds after it as the operand.
    pub fn option_without_operand(&self) -> Option<QemuOption<'d>> {
        let last = self.options.last().filter(|option| option.operand.is_none())?;
        let is_last_argument =
            self.arguments.last().is_some_and(|argument| argument.element == last.element);
        let needs_operand = known_option(last.name).is_some_and(|option| option.has_operand);
        if is_last_argument && needs_operand { Some(*last) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::testing::{commandline, with_domain};

    #[test]
    fn pairs_options_with_operands() {
        let arguments = [
            "-set",
            "device.hostdev0.display=on",
            "-nodefaults",
            "--display",
            "gtk",
            "-set",
            "-s",
            "stray",
            "-s",
        ];
        with_domain("", &commandline(&arguments), "9.0", |domain| {
            let sets: Vec<_> =
                domain.sets.iter().map(|set| (set.device, set.property, set.value)).collect();
            assert_eq!(sets, [("hostdev0", "display", "on")]);
            assert_eq!(domain.displays().len(), 1);
            assert_eq!(domain.options.len(), 5);
        });
    }
}
