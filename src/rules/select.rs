//! Evaluates selectors on a document.
//!
//! A single walk of the document, made when it is first needed, finds the elements that the
//! prefixes of all built-in selectors lead to. Most prefixes match nothing, which settles these
//! selectors. Remaining steps look up children by name in a [`Children`] index. The total work
//! therefore grows with the document, not with the document times the number of rules.

use std::cell::OnceCell;

use super::SELECTOR_TRIE;
use super::path::{Axis, Condition, Name, Path, Selector, Step, Value};
use crate::xml::{Children, Element, QEMU_NAMESPACE};
use foldhash::{HashSet, HashSetExt};

/// The result of a step: an element, or `None` for the document itself (the root element's parent).
type Node<'d> = Option<Element<'d>>;

/// A document to evaluate selectors on.
pub struct Search<'c, 'd> {
    children: &'c Children<'d>,
    /// The elements that the path to each trie node leads to, in document order; indexed like the
    /// trie.
    by_stem: OnceCell<Vec<Vec<Element<'d>>>>,
}

impl<'c, 'd> Search<'c, 'd> {
    /// Creates a search of the document that these children belong to.
    pub fn new(children: &'c Children<'d>) -> Self {
        Search { children, by_stem: OnceCell::new() }
    }

    /// Returns the elements that a selector matches from the document, in document order and
    /// without duplicates.
    pub fn select(&self, selector: &Selector) -> Vec<Element<'d>> {
        self.select_from(selector, None)
    }

    /// Like [`select`](Self::select), but relative paths start at an element.
    pub fn select_from(&self, selector: &Selector, from: Option<Element<'d>>) -> Vec<Element<'d>> {
        let mut elements: Vec<Element<'d>> = Vec::new();
        for path in selector.paths.iter() {
            self.any_node(path, from, &mut |node| {
                elements.extend(node);
                false
            });
        }
        let is_in_order = selector.paths.len() == 1
            && selector.paths[0].steps.iter().all(|step| step.axis == Axis::Child);
        if !is_in_order && elements.len() > 1 {
            elements.sort_by_key(|element| element.id());
            elements.dedup();
        }
        elements
    }

    /// Whether any element that the selector matches passes a test. Stops at the first that does.
    pub fn any(&self, selector: &Selector, fits: impl Fn(Element<'d>) -> bool) -> bool {
        selector
            .paths
            .iter()
            .any(|path| self.any_node(path, None, &mut |node| node.is_some_and(&fits)))
    }

    /// Whether any node that a path leads to passes a test. Stops at the first that does; may test
    /// a node more than once.
    fn any_node(
        &self,
        path: &Path,
        from: Node<'d>,
        fits: &mut dyn FnMut(Node<'d>) -> bool,
    ) -> bool {
        // From several nodes, `..` and `//` can reach the same node many times.
        let mut later_steps = path
            .steps
            .iter()
            .skip_while(|step| matches!(step.axis, Axis::Own | Axis::Parent))
            .skip(1);
        if later_steps.any(|step| matches!(step.axis, Axis::Parent | Axis::Descendant)) {
            return self.level_by_level(path, from).into_iter().any(fits);
        }
        let Some(stem) = path.stem else {
            return self.follow(&path.steps, if path.absolute { None } else { from }, fits);
        };
        let (prefix, rest) = path.steps.split_at(SELECTOR_TRIE[stem].depth);
        let conditions = prefix.last().map_or(&[][..], |step| &step.conditions);
        self.elements_at(stem).iter().any(|element| {
            self.all_hold(conditions, *element) && self.follow(rest, Some(*element), fits)
        })
    }

    fn elements_at(&self, stem: usize) -> &[Element<'d>] {
        let by_stem = self.by_stem.get_or_init(|| {
            let mut by_stem = vec![Vec::new(); SELECTOR_TRIE.len()];
            walk(0, std::iter::once(self.children.document().root()), &mut by_stem);
            by_stem
        });
        &by_stem[stem]
    }

    fn follow(
        &self,
        steps: &[Step],
        from: Node<'d>,
        fits: &mut dyn FnMut(Node<'d>) -> bool,
    ) -> bool {
        let Some((step, rest)) = steps.split_first() else { return fits(from) };
        self.any_candidate(step, from, &mut |node| self.follow(rest, node, fits))
    }

    /// Returns the nodes that a path leads to. Removes duplicates after each step, so that the work
    /// stays linear.
    fn level_by_level(&self, path: &Path, from: Node<'d>) -> Vec<Node<'d>> {
        let mut nodes: Vec<Node<'d>> = vec![if path.absolute { None } else { from }];
        for step in path.steps.iter() {
            let mut next: Vec<Node<'d>> = Vec::new();
            for &node in &nodes {
                self.any_candidate(step, node, &mut |node| {
                    next.push(node);
                    false
                });
            }
            if step.axis != Axis::Child && nodes.len() > 1 {
                let mut seen = HashSet::new();
                next.retain(|node| seen.insert(node.map(Element::id)));
            }
            nodes = next;
        }
        nodes
    }

    /// Whether any node that one step leads to passes a test.
    fn any_candidate(
        &self,
        step: &Step,
        from: Node<'d>,
        fits: &mut dyn FnMut(Node<'d>) -> bool,
    ) -> bool {
        let mut test = |node: Node<'d>| {
            node.is_none_or(|element| self.all_hold(&step.conditions, element)) && fits(node)
        };
        let has_name = |element: &Element<'d>| is_named(*element, &step.name);
        let document = self.children.document();
        match (step.axis, from) {
            (Axis::Own, from) => test(from),
            (Axis::Parent, None) => false,
            (Axis::Parent, Some(element)) => test(element.parent()),
            (Axis::Child, None) => {
                Some(document.root()).filter(has_name).is_some_and(|root| test(Some(root)))
            }
            (Axis::Child, Some(element)) => match &step.name {
                Name::Plain(name) | Name::Qemu(name) => self
                    .children
                    .named(element, name)
                    .filter(has_name)
                    .any(|child| test(Some(child))),
                Name::Any | Name::AnyQemu => {
                    element.children().filter(has_name).any(|child| test(Some(child)))
                }
            },
            (Axis::Descendant, None) => {
                document.elements().filter(has_name).any(|element| test(Some(element)))
            }
            (Axis::Descendant, Some(element)) => {
                element.descendants().filter(has_name).any(|inner| test(Some(inner)))
            }
        }
    }

    fn all_hold(&self, conditions: &[Condition], element: Element<'d>) -> bool {
        conditions.iter().all(|condition| self.holds(condition, element))
    }

    fn holds(&self, condition: &Condition, element: Element<'d>) -> bool {
        match condition {
            Condition::All(parts) => self.all_hold(parts, element),
            Condition::Any(parts) => parts.iter().any(|part| self.holds(part, element)),
            Condition::Not(parts) => !parts.iter().any(|part| self.holds(part, element)),
            Condition::Exists(value) => self.any_value(value, element, |_| true),
            Condition::Equal(value, text) => {
                self.any_value(value, element, |candidate| candidate == text)
            }
            Condition::Different(value, text) => {
                self.any_value(value, element, |candidate| candidate != text)
            }
        }
    }

    /// Whether any value at a value path passes a test.
    fn any_value(&self, value: &Value, element: Element<'d>, fits: impl Fn(&str) -> bool) -> bool {
        self.any_node(&value.path, Some(element), &mut |node| match &value.attribute {
            Some(attribute) => {
                node.and_then(|element| element.attribute(attribute)).is_some_and(&fits)
            }
            None => fits(&node.unwrap_or_else(|| self.children.document().root()).deep_text()),
        })
    }
}

/// Adds the elements that the children of a trie node match to `by_stem`, recursively.
fn walk<'d>(
    node: usize,
    below: impl Iterator<Item = Element<'d>>,
    by_stem: &mut [Vec<Element<'d>>],
) {
    for element in below {
        let next = SELECTOR_TRIE[node]
            .next
            .iter()
            .copied()
            .find(|next| is_named(element, &SELECTOR_TRIE[*next].name));
        if let Some(next) = next {
            by_stem[next].push(element);
            if !SELECTOR_TRIE[next].next.is_empty() {
                walk(
                    next,
                    &mut element.children() as &mut dyn Iterator<Item = Element<'d>>,
                    by_stem,
                );
            }
        }
    }
}

fn is_named(element: Element<'_>, name: &Name) -> bool {
    match name {
        Name::Any => true,
        Name::Plain(name) => element.is(name),
        Name::Qemu(name) => element.is_qemu(name),
        Name::AnyQemu => element.is_in_namespace(QEMU_NAMESPACE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::read;

    const DOMAIN: &str = "<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><name>w<!---->10</name><devices>\
        <disk id='1'><source file='a'/></disk><disk id='2'/><hub><disk id='3'/></hub></devices>\
        <q:commandline><q:arg value='-s'/></q:commandline><commandline/></domain>";

    /// Returns the ids (or names) of the elements that a selector matches, separated by spaces.
    fn select_ids(selector: &str) -> String {
        let selector = Selector::parse(selector).unwrap();
        read(DOMAIN, |document| {
            let names: Vec<&str> = Search::new(&Children::new(document))
                .select(&selector)
                .into_iter()
                .map(|element| element.attribute("id").unwrap_or(element.name()))
                .collect();
            names.join(" ")
        })
        .unwrap()
    }

    #[test]
    fn selects_by_steps() {
        assert_eq!(select_ids("/domain/devices/disk"), "1 2");
        assert_eq!(select_ids("//disk"), "1 2 3");
        assert_eq!(select_ids("//hub//disk/.."), "hub");
        assert_eq!(select_ids("//disk/.."), "devices hub");
        assert_eq!(select_ids("/devices"), "");
        assert_eq!(select_ids("/*/*"), "name devices commandline commandline");
        assert_eq!(select_ids("/domain/devices/hub | /domain/devices/disk"), "1 2 hub");
    }

    #[test]
    fn qemu_prefix_matches_the_namespace() {
        assert_eq!(select_ids("/domain/qemu:commandline/qemu:arg"), "arg");
        assert_eq!(select_ids("/domain/qemu:*"), "commandline");
        assert_eq!(select_ids("/domain/commandline/qemu:arg"), "");
    }

    #[test]
    fn undeclared_default_namespace_means_none() {
        let names = read(
            "<domain><x xmlns='urn:x'><disk id='1'/><disk xmlns='' id='2'/></x></domain>",
            |document| {
                let elements = Search::new(&Children::new(document))
                    .select(&Selector::parse("//disk").unwrap());
                elements
                    .into_iter()
                    .filter_map(|element| element.attribute("id").map(str::to_owned))
                    .collect::<Vec<_>>()
            },
        );
        assert_eq!(names.unwrap(), ["2"]);
    }

    #[test]
    fn conditions_follow_xpath() {
        assert_eq!(select_ids("//disk[@id='2']"), "2");
        assert_eq!(select_ids("//disk[@id!='2']"), "1 3");
        assert_eq!(select_ids("//disk[@none!='2']"), "", "different means that there is one");
        assert_eq!(select_ids("//disk[not(@id='2')]"), "1 3");
        assert_eq!(select_ids("//disk[source/@file='a' or ../../hub and @id='3']"), "1 3");
        assert_eq!(select_ids("//disk[/domain/name='w10'][not(source)]"), "2 3");
        assert_eq!(select_ids("/domain[devices/disk/source]"), "domain");
        assert_eq!(select_ids("/domain[name='w10']"), "domain");
    }
}
