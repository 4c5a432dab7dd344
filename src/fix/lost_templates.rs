//! Finds template expressions that changes would overwrite. Libvirt reads the value that the
//! template fills in later, so the value in the file does not decide whether a fix is needed.

use std::ops::Range;

use super::Change;
use crate::domain::{Domain, templates};
use crate::qemu::{OptionList, Syntax};
use crate::xml::Element;
use crate::xml::fragment::{NewElement, Node};

/// Returns the first template expression that these changes remove from the domain; `None` if all
/// stay or the user requested the new value.
pub fn overwritten<'d>(domain: &Domain<'d>, changes: &[Change<'d>]) -> Option<String> {
    if changes.is_empty() || !domain.may_have_templates() {
        return None;
    }
    let mut lost = lost_expressions(domain, changes);
    if lost.is_empty() {
        return None;
    }
    let written = new_values(changes);
    lost.retain(|expression| !written.iter().any(|value| value.contains(expression.as_str())));
    lost.into_iter().next()
}

/// Returns the expressions in everything that the changes replace or remove.
fn lost_expressions<'d>(domain: &Domain<'d>, changes: &[Change<'d>]) -> Vec<String> {
    let mut lost = Vec::new();
    let mut replace = |old: Option<&str>, new: Option<&str>| {
        let is_kept = old == new || new.is_some_and(|new| domain.settings.has_explicit_value(new));
        if let Some(old) = old
            && !is_kept
        {
            lost.extend(templates(old).map(str::to_owned));
        }
    };
    let moved: Vec<&Range<usize>> = changes
        .iter()
        .filter_map(|change| match change {
            Change::InsertSource(_, range) => Some(range),
            _ => None,
        })
        .collect();
    for change in changes {
        match change {
            Change::SetAttribute(element, _, _) if names_itself(*element) => {}
            Change::SetAttribute(element, name, value) => {
                replace(element.attribute(name), Some(value))
            }
            Change::RemoveAttribute(element, name) => replace(element.attribute(name), None),
            Change::SetText(element, text) => replace(Some(&element.deep_text()), Some(text)),
            Change::SetDevice(set, alias) => replace(Some(set.device), Some(alias)),
            Change::SetValue(set, value) => replace(Some(set.value), Some(value)),
            Change::DeviceProperty(argument, name, value) => {
                let list =
                    OptionList::parse(argument.attribute("value").unwrap_or(""), Syntax::DEVICE);
                replace(list.as_ref().ok().and_then(|list| list.get(name)), Some(value));
            }
            Change::NameVgpu => {
                let alias = domain.vgpu.and_then(|vgpu| vgpu.child("alias")?.attribute("name"));
                replace(alias, Some(domain.vgpu_alias()));
            }
            Change::Remove(element) => {
                for descendant in [*element].into_iter().chain(element.descendants()) {
                    let span = descendant.span();
                    if !moved.iter().any(|range| range.start <= span.start && span.end <= range.end)
                    {
                        values(descendant).for_each(|value| replace(Some(value), None));
                        replace(Some(&descendant.text()), None);
                    }
                }
            }
            _ => {}
        }
    }
    lost
}

/// Whether this is a variable such as `<qemu:env name='DISPLAY' value='$DISPLAY'/>`, copied from a
/// shell that would have expanded it. libvirt passes it on unchanged, so it is not a template.
fn names_itself(element: Element<'_>) -> bool {
    let value = element.attribute("value").and_then(|value| value.strip_prefix('$'));
    element.is_qemu("env") && value.is_some() && value == element.attribute("name")
}

/// The values of an element's attributes except passwords, which may look like a template and are
/// removed with their display.
fn values<'d>(element: Element<'d>) -> impl Iterator<Item = &'d str> {
    element
        .attribute_names()
        .filter(|name| *name != "passwd")
        .filter_map(move |name| element.attribute(name))
}

/// Returns all values that the changes write.
fn new_values<'c>(changes: &'c [Change<'_>]) -> Vec<&'c str> {
    let mut written = Vec::new();
    for change in changes {
        match change {
            Change::SetAttribute(_, _, value)
            | Change::SetText(_, value)
            | Change::SetDevice(_, value)
            | Change::SetValue(_, value)
            | Change::DeviceProperty(_, _, value)
            | Change::Environment(_, value) => written.push(value.as_str()),
            Change::Set { alias, value, .. } | Change::Override { alias, value, .. } => {
                written.extend([alias.as_str(), value])
            }
            Change::Arguments(values) => written.extend(values.iter().map(String::as_str)),
            Change::Insert(_, element) | Change::InsertAfter(_, element) => {
                add_values(element, &mut written)
            }
            _ => {}
        }
    }
    written
}

fn add_values<'c>(element: &'c NewElement, written: &mut Vec<&'c str>) {
    written.extend(element.attributes.iter().map(|(_, value)| value.as_str()));
    for node in &element.children {
        match node {
            Node::Element(child) => add_values(child, written),
            Node::Text(text) => written.push(text),
            Node::Comment(_) => {}
        }
    }
}
