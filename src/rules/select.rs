//! Finding the elements that a selector means.
//!
//! Most rules ask for children of `<domain>` and `<devices>` by name. A [`Children`] index answers that in one step however many
//! children there are, so that the work grows with the document and not with the document times the number of rules.

use super::path::{Axis, Condition, Name, Path, Selector, Step, Value};
use crate::xml::{Children, Element, QEMU_NAMESPACE};

/// The elements that any of the selector's paths leads to from the document, in document order, each once.
pub fn select<'d>(selector: &Selector, children: &Children<'d>) -> Vec<Element<'d>> {
    select_from(selector, children, None)
}

/// The same from an element at hand.
pub fn select_from<'d>(selector: &Selector, children: &Children<'d>, from: Option<Element<'d>>) -> Vec<Element<'d>> {
    let mut found: Vec<Element<'d>> = Vec::new();
    for path in selector.paths.iter() {
        found.extend(walk(path, children, from).into_iter().flatten());
    }
    if selector.paths.len() > 1 || selector.paths.iter().any(|path| path.steps.iter().any(|step| step.axis != Axis::Child)) {
        found.sort_by_key(|element| (element.span().start, std::cmp::Reverse(element.span().end)));
        found.dedup();
    }
    found
}

/// Something that a step leads to: an element, or None for the document itself, the root element's parent.
type Node<'d> = Option<Element<'d>>;

fn walk<'d>(path: &Path, children: &Children<'d>, from: Node<'d>) -> Vec<Node<'d>> {
    let mut here: Vec<Node<'d>> = vec![if path.absolute { None } else { from }];
    for step in path.steps.iter() {
        let mut next: Vec<Node<'d>> = Vec::new();
        for &node in &here {
            let fits = |candidate: &Node<'d>| match candidate {
                Some(element) => step.conditions.iter().all(|condition| holds(condition, children, *element)),
                None => true,
            };
            next.extend(candidates(step, children, node).into_iter().filter(fits));
        }
        // From several elements `..` and `//` can lead to one more than once.
        if step.axis != Axis::Child && here.len() > 1 {
            let mut seen = std::collections::HashSet::new();
            next.retain(|node| seen.insert(node.map(Element::id)));
        }
        here = next;
    }
    here
}

fn candidates<'d>(step: &Step, children: &Children<'d>, from: Node<'d>) -> Vec<Node<'d>> {
    let document = children.document();
    let named = |element: &Element<'d>| is_named(*element, &step.name);
    match (step.axis, from) {
        (Axis::Own, from) => vec![from],
        (Axis::Parent, from) => from.map(Element::parent).into_iter().collect(),
        (Axis::Child, None) => Some(document.root()).filter(named).map(Some).into_iter().collect(),
        (Axis::Child, Some(element)) => match &step.name {
            Name::Plain(name) | Name::Qemu(name) => children.named(element, name).iter().copied().filter(named).map(Some).collect(),
            Name::Any | Name::AnyQemu => element.children().filter(named).map(Some).collect(),
        },
        (Axis::Descendant, None) => document.elements().filter(named).map(Some).collect(),
        (Axis::Descendant, Some(element)) => element.descendants().filter(named).map(Some).collect(),
    }
}

fn is_named(element: Element<'_>, name: &Name) -> bool {
    match name {
        Name::Any => true,
        Name::Plain(name) => element.is(name),
        Name::Qemu(name) => element.is_qemu(name),
        Name::AnyQemu => element.namespace() == Some(QEMU_NAMESPACE),
    }
}

fn holds<'d>(condition: &Condition, children: &Children<'d>, element: Element<'d>) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().all(|part| holds(part, children, element)),
        Condition::Any(parts) => parts.iter().any(|part| holds(part, children, element)),
        Condition::Not(parts) => !parts.iter().any(|part| holds(part, children, element)),
        Condition::Exists(value) => any_value(value, children, element, |_| true),
        Condition::Equal(value, text) => any_value(value, children, element, |found| found == text),
        Condition::Different(value, text) => any_value(value, children, element, |found| found != text),
    }
}

/// Whether any of the values that a value path leads to fits.
fn any_value<'d>(value: &Value, children: &Children<'d>, element: Element<'d>, fits: impl Fn(&str) -> bool) -> bool {
    let fits_here = |node: Node<'d>| match &value.attribute {
        Some(attribute) => node.and_then(|element| element.attribute(attribute)).is_some_and(&fits),
        None => fits(&node.unwrap_or_else(|| children.document().root()).deep_text()),
    };
    if value.path.steps.is_empty() && !value.path.absolute {
        return fits_here(Some(element));
    }
    walk(&value.path, children, Some(element)).into_iter().any(fits_here)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::read;

    const DOMAIN: &str = "<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><name>w<!---->10</name><devices>\
        <disk id='1'><source file='a'/></disk><disk id='2'/><hub><disk id='3'/></hub></devices>\
        <q:commandline><q:arg value='-s'/></q:commandline><commandline/></domain>";

    /// The ids (or names) of what a selector finds.
    fn found(selector: &str) -> String {
        let selector = Selector::parse(selector).unwrap();
        read(DOMAIN, |document| {
            let names: Vec<&str> = select(&selector, &Children::new(document))
                .into_iter()
                .map(|element| element.attribute("id").unwrap_or(element.name()))
                .collect();
            names.join(" ")
        })
        .unwrap()
    }

    #[test]
    fn steps_follow_the_tree() {
        assert_eq!(found("/domain/devices/disk"), "1 2");
        assert_eq!(found("//disk"), "1 2 3");
        assert_eq!(found("//hub//disk/.."), "hub");
        assert_eq!(found("//disk/.."), "devices hub");
        assert_eq!(found("/devices"), "");
        assert_eq!(found("/*/*"), "name devices commandline commandline");
        assert_eq!(found("/domain/devices/hub | /domain/devices/disk"), "1 2 hub");
    }

    #[test]
    fn qemu_means_the_namespace_and_not_the_prefix() {
        assert_eq!(found("/domain/qemu:commandline/qemu:arg"), "arg");
        assert_eq!(found("/domain/qemu:*"), "commandline");
        assert_eq!(found("/domain/commandline/qemu:arg"), "");
    }

    #[test]
    fn an_element_whose_default_namespace_is_undone_is_in_none() {
        let names = read("<domain><x xmlns='urn:x'><disk id='1'/><disk xmlns='' id='2'/></x></domain>", |document| {
            let found = select(&Selector::parse("//disk").unwrap(), &Children::new(document));
            found.into_iter().filter_map(|element| element.attribute("id").map(str::to_owned)).collect::<Vec<_>>()
        });
        assert_eq!(names.unwrap(), ["2"]);
    }

    #[test]
    fn conditions_have_xpaths_meaning() {
        assert_eq!(found("//disk[@id='2']"), "2");
        assert_eq!(found("//disk[@id!='2']"), "1 3");
        assert_eq!(found("//disk[@none!='2']"), "", "different means that there is one");
        assert_eq!(found("//disk[not(@id='2')]"), "1 3");
        assert_eq!(found("//disk[source/@file='a' or ../../hub and @id='3']"), "1 3");
        assert_eq!(found("//disk[/domain/name='w10'][not(source)]"), "2 3");
        assert_eq!(found("/domain[devices/disk/source]"), "domain");
        assert_eq!(found("/domain[name='w10']"), "domain");
    }
}
