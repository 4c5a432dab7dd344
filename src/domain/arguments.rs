//! The user's own arguments to QEMU, and what they mean.

use crate::qemu::{known, set_parts};
use crate::xml::Element;

/// A `<qemu:arg>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argument<'d> {
    /// The element.
    pub element: Element<'d>,
    /// Its value.
    pub value: &'d str,
}

/// An option of QEMU's and its operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QemuOption<'d> {
    /// Its name without dashes.
    pub name: &'d str,
    /// Where it stands.
    pub element: Element<'d>,
    /// What it takes along; None for one that takes nothing, and where nothing follows.
    pub operand: Option<Argument<'d>>,
}

/// `-set device.ALIAS.PROPERTY=VALUE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Set<'d> {
    /// The `<qemu:arg value='-set'/>`.
    pub option: Element<'d>,
    /// The argument behind it.
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
    /// The device's alias.
    pub alias: &'d str,
    /// The property's name.
    pub property: &'d str,
    /// Its type, empty where it has none.
    pub kind: &'d str,
    /// Its value, empty where it has none.
    pub value: &'d str,
}

pub(super) fn set<'d>(option: &QemuOption<'d>) -> Option<Set<'d>> {
    let operand = option.operand.filter(|_| option.name == "set")?;
    let [group, device, property, value] = set_parts(operand.value)?;
    (group == "device").then_some(Set {
        option: option.element,
        operand: operand.element,
        device,
        property,
        value,
    })
}

pub(super) fn options<'d>(arguments: &[Argument<'d>]) -> Vec<QemuOption<'d>> {
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
        let operand = match known(name) {
            // It takes whatever comes next.
            Some(known) if known.has_operand => rest.next().copied(),
            Some(_) => None,
            None => rest.next_if(|next| !next.value.starts_with('-')).copied(),
        };
        options.push(QemuOption { name, element: argument.element, operand });
    }
    options
}
