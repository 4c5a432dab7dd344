//! What is to be different in a domain, in the domain's own terms, and turning that into byte edits.
//!
//! A rule says "this property must reach the vGPU" or "this element goes"; all changes of one round are turned into edits together,
//! so that two of them that need the same new block share it, and none needs to know where the other writes.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::domain::{Domain, Set};
use crate::edit::{Edit, Edits};
use crate::fragment::{NewElement, Style, escape_attribute, escape_text};
use crate::layout;
use crate::property::{PropertyType, type_of};
use crate::qemu::{OptionList, Syntax, Value};
use crate::xml::{Element, ElementId};

mod blocks;
mod moved;
mod places;
mod references;

pub use blocks::root_prefix;
use blocks::with_emptied_blocks;
use moved::Moved;
use references::following;

/// One thing that is to be different.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Change<'d> {
    /// The element is gone, and an emptied block of QEMU's with it.
    Remove(Element<'d>),
    /// The attribute has this value, whether it was there or not.
    SetAttribute(Element<'d>, String, String),
    /// The attribute is gone.
    RemoveAttribute(Element<'d>, String),
    /// The element holds this text and nothing else.
    SetText(Element<'d>, String),
    /// The element has this child more, where libvirt would write it.
    Insert(Element<'d>, NewElement),
    /// This element stands right behind the other.
    InsertBehind(Element<'d>, NewElement),
    /// The element has its source's text in it, as it stands there.
    InsertSource(Element<'d>, Range<usize>),
    /// The element and its end tag have this prefix (with its colon).
    SetPrefix(Element<'d>, String),
    /// This `-set` names the device of this id.
    SetDevice(Set<'d>, String),
    /// This `-set` gives its property this value.
    SetValue(Set<'d>, String),
    /// The operand of `-device` in this argument has this property.
    DeviceProperty(Element<'d>, String, String),
    /// The vGPU has its alias, and what names it or a device whose number moves says so ([`Domain::naming`]).
    NameVgpu,
    /// QEMU gets these arguments; those of a smaller order come first.
    Arguments(u8, Vec<String>),
    /// QEMU gets `-set` for the device that has this id now.
    Set {
        /// The device's id.
        alias: String,
        /// What stands behind it: `NAME=VALUE`.
        operand: String,
        /// Properties of a smaller order come first.
        order: u8,
    },
    /// QEMU gets this environment variable.
    Environment(String, String),
    /// The device of this alias gets this property.
    Override {
        /// The device's alias: that which the vGPU has or gets, or that which another device has now.
        alias: String,
        /// The property's name.
        property: String,
        /// Its type.
        kind: PropertyType,
        /// Its value.
        value: String,
        /// Properties of a smaller order come first.
        order: u8,
    },
    /// libvirt believes that QEMU lacks this capability.
    DeleteCapability(String),
    /// The namespace of QEMU's elements is declared on `<domain>`.
    DeclareNamespace,
}

/// The edits that make all changes, and what these make wrong elsewhere right. Changes inside a removed element are dropped; of two that set one attribute the first counts.
pub fn compose<'c, 'd>(domain: &'c Domain<'d>, changes: impl Iterator<Item = &'c Change<'d>> + Clone) -> Edits {
    let removed = changes.clone().filter_map(|change| match change {
        Change::Remove(element) => Some(element.id()),
        _ => None,
    });
    let names_vgpu = changes.clone().any(|change| *change == Change::NameVgpu);
    let following = following(domain, &removed.collect(), names_vgpu);
    let mut all: Vec<&Change<'d>> = Vec::new();
    // One by one, as those of the rules live longer.
    changes.for_each(|change| all.push(change));
    all.extend(&following);
    compose_all(domain, all.iter().copied())
}

fn compose_all<'c, 'd>(domain: &'c Domain<'d>, changes: impl Iterator<Item = &'c Change<'d>> + Clone) -> Edits {
    let mut composer = Composer::new(domain, changes.clone());
    composer.names_vgpu = changes.clone().any(|change| *change == Change::NameVgpu);
    // Several rules may want the same.
    let mut seen = HashSet::new();
    for change in changes {
        if seen.insert(change) {
            composer.change(change);
        }
    }
    // What a change says itself about a name counts.
    if composer.names_vgpu {
        domain.naming().iter().for_each(|change| composer.change(change));
    }
    composer.finish()
}

/// What is to be inserted into one element.
type Insertions<'d> = (Element<'d>, Vec<Insertion<'d>>);

struct Insertion<'d> {
    /// Among its new siblings.
    rank: u8,
    new: New,
    /// The element to stand behind; libvirt's own order says otherwise.
    behind: Option<Element<'d>>,
}

enum New {
    Element(NewElement),
    /// A range of the document's own text.
    Source(Range<usize>),
}

struct Composer<'c, 'd> {
    domain: &'c Domain<'d>,
    style: &'c Style,
    edits: Vec<Edit>,
    removed: HashSet<ElementId>,
    moved: Moved,
    attributes: HashSet<(ElementId, &'c str)>,
    /// By parent; of each child its rank among its new siblings.
    insertions: Vec<Insertions<'d>>,
    /// What a `-set` names and says then, each where it is to be another, by its operand.
    sets: HashMap<ElementId, (Set<'d>, Option<&'c str>, Option<&'c str>)>,
    /// Operands of `-device` as they become, by their argument.
    operands: Vec<(Element<'d>, String)>,
    /// Places in `insertions`.
    by_parent: HashMap<ElementId, usize>,
    /// Whether the vGPU gets an alias, so that other devices' numbers move.
    names_vgpu: bool,
    arguments: Vec<(u8, Vec<String>)>,
    environment: Vec<(&'c str, &'c str)>,
    overrides: Vec<(u8, &'c str, NewOverride<'c>)>,
    overridden: HashSet<(&'c str, &'c str)>,
    capabilities: Vec<&'c str>,
    declare: bool,
    prefix_set: bool,
}

struct NewOverride<'c> {
    property: &'c str,
    kind: PropertyType,
    value: &'c str,
}

impl<'c, 'd> Composer<'c, 'd> {
    fn new(domain: &'c Domain<'d>, changes: impl Iterator<Item = &'c Change<'d>> + Clone) -> Self {
        let moved = Moved::of(changes.clone());
        let removed = changes.filter_map(|change| match change {
            Change::Remove(element) => Some(element.id()),
            _ => None,
        });
        Composer {
            domain,
            style: domain.style(),
            edits: Vec::new(),
            removed: removed.collect(),
            moved,
            attributes: HashSet::new(),
            insertions: Vec::new(),
            by_parent: HashMap::new(),
            names_vgpu: false,
            arguments: Vec::new(),
            environment: Vec::new(),
            overrides: Vec::new(),
            sets: HashMap::new(),
            operands: Vec::new(),
            overridden: HashSet::new(),
            capabilities: Vec::new(),
            declare: false,
            prefix_set: false,
        }
    }

    fn text(&self) -> &'d str {
        self.domain.document.text()
    }

    fn is_removed(&self, element: Element<'d>) -> bool {
        !self.removed.is_empty() && self.moved.is_lost(element, &self.removed)
    }

    fn change(&mut self, change: &'c Change<'d>) {
        match change {
            Change::Remove(_) | Change::NameVgpu => {}
            Change::SetAttribute(element, name, value) if !self.is_removed(*element) => self.set_attribute(*element, name, Some(value)),
            Change::RemoveAttribute(element, name) if !self.is_removed(*element) => self.set_attribute(*element, name, None),
            Change::SetText(element, text) if !self.is_removed(*element) => self.set_text(*element, text),
            Change::Insert(parent, element) if !self.is_removed(*parent) => {
                self.insert(*parent, 0, New::Element(element.clone()));
            }
            Change::InsertSource(parent, range) if !self.is_removed(*parent) => {
                self.insert(*parent, 0, New::Source(range.clone()));
            }
            Change::InsertBehind(sibling, element) if !self.is_removed(*sibling) => {
                if let Some(parent) = sibling.parent() {
                    self.insert_at(parent, Insertion { rank: 0, new: New::Element(element.clone()), behind: Some(*sibling) });
                }
            }
            Change::SetPrefix(element, prefix) if !self.is_removed(*element) => self.set_prefix(*element, prefix),
            Change::SetDevice(set, alias) if !self.is_removed(set.operand) => {
                self.sets.entry(set.operand.id()).or_insert((*set, None, None)).1.get_or_insert(alias);
            }
            Change::SetValue(set, value) if !self.is_removed(set.operand) => {
                self.sets.entry(set.operand.id()).or_insert((*set, None, None)).2.get_or_insert(value);
            }
            Change::DeviceProperty(argument, name, value) if !self.is_removed(*argument) => {
                let index = self.operands.iter().position(|(known, _)| known == argument).unwrap_or_else(|| {
                    self.operands.push((*argument, argument.attribute("value").unwrap_or("").to_owned()));
                    self.operands.len() - 1
                });
                let operand = &mut self.operands[index].1;
                *operand = with_device_property(operand, name, value);
            }
            Change::Arguments(order, values) => self.arguments.push((*order, values.clone())),
            Change::Set { alias, operand, order } => {
                let alias = self.renamed(alias).unwrap_or_else(|| alias.clone());
                self.arguments.push((*order, vec!["-set".into(), format!("device.{alias}.{operand}")]));
            }
            Change::Environment(name, value) if !self.environment.iter().any(|(known, _)| known == name) => {
                self.environment.push((name, value));
            }
            Change::Override { alias, property, kind, value, order } if self.overridden.insert((alias, property)) => {
                self.overrides.push((*order, alias, NewOverride { property, kind: *kind, value }));
            }
            Change::DeleteCapability(name) => self.capabilities.push(name),
            Change::DeclareNamespace => self.declare = true,
            _ => {}
        }
    }

    /// The id that a device gets in this round; None for one that keeps its own.
    fn renamed(&self, id: &str) -> Option<String> {
        self.names_vgpu.then(|| self.domain.renamed(id, &self.domain.vgpu_alias().0)).flatten()
    }

    fn set_attribute(&mut self, element: Element<'d>, name: &'c str, value: Option<&String>) {
        if !self.attributes.insert((element.id(), name)) {
            return;
        }
        let text = self.text();
        let edit = match (element.attribute_place(name), value) {
            (Some(place), Some(value)) => {
                let quote = if text[place.value.end..].starts_with('"') { '"' } else { '\'' };
                Edit { range: place.value, text: escape_attribute(value, quote) }
            }
            (None, Some(value)) => {
                let at = element.start_tag().attributes_end(text);
                let quote = self.style.quote;
                Edit { range: at..at, text: format!(" {name}={quote}{}{quote}", escape_attribute(value, quote)) }
            }
            (Some(place), None) => {
                let start = text[..place.name.start].trim_end_matches([' ', '\t', '\n', '\r']).len();
                Edit { range: start..place.span().end, text: String::new() }
            }
            (None, None) => return,
        };
        // What is right already is not touched.
        if text[edit.range.clone()] != edit.text {
            self.edits.push(edit);
        }
    }

    fn set_text(&mut self, element: Element<'d>, text: &str) {
        let tag = element.start_tag();
        let name = &self.text()[tag.name.clone()];
        let edit = match tag.self_closing {
            true => Edit { range: tag.span.end - 2..tag.span.end, text: format!(">{}</{name}>", escape_text(text)) },
            false => Edit { range: element.content(), text: escape_text(text) },
        };
        self.edits.push(edit);
    }

    fn set_prefix(&mut self, element: Element<'d>, prefix: &str) {
        let (tag, content, span) = (element.start_tag(), element.content(), element.span());
        let length = element.written_prefix().len();
        let mut replace = |start: usize| self.edits.push(Edit { range: start..start + length, text: prefix.to_owned() });
        replace(tag.name.start);
        if !tag.self_closing && content.end + 2 < span.end {
            replace(content.end + 2);
        }
        self.prefix_set = true;
    }

    fn insert(&mut self, parent: Element<'d>, rank: u8, new: New) {
        self.insert_at(parent, Insertion { rank, new, behind: None });
    }

    fn insert_at(&mut self, parent: Element<'d>, insertion: Insertion<'d>) {
        let index = *self.by_parent.entry(parent.id()).or_insert(self.insertions.len());
        if index == self.insertions.len() {
            self.insertions.push((parent, Vec::new()));
        }
        self.insertions[index].1.push(insertion);
    }

    fn finish(mut self) -> Edits {
        self.arguments.sort_by_key(|(order, _)| *order);
        self.overrides.sort_by_key(|(order, ..)| *order);
        for (argument, operand) in std::mem::take(&mut self.operands) {
            self.set_attribute(argument, "value", Some(&operand));
        }
        for (set, device, value) in std::mem::take(&mut self.sets).into_values() {
            let (device, value) = (device.unwrap_or(set.device), value.unwrap_or(set.value));
            self.set_attribute(set.operand, "value", Some(&format!("device.{device}.{}={value}", set.property)));
        }
        self.commandline();
        self.override_block();
        self.capability_block();
        if self.declare || self.prefix_set {
            self.declare_namespace();
        }
        let kept: HashSet<ElementId> = self.insertions.iter().map(|(parent, _)| parent.id()).collect();
        let removed = with_emptied_blocks(self.domain, self.removed.clone(), &kept);
        let mut spans: Vec<Range<usize>> =
            removed.iter().filter_map(|id| self.domain.document.element(*id)).map(|element| element.span()).collect();
        spans.sort_by_key(|span| (span.start, Reverse(span.end)));
        let deletions = self.moved.spans_inside(&spans).chain([spans.clone()]);
        let deletions = deletions.flat_map(|spans| layout::removals(self.domain.document.text(), spans));
        self.edits.extend(deletions.map(|range| Edit { range, text: String::new() }));
        self.removed = removed;
        // What goes into a piece that moves is written before the piece is.
        let (moves, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.insertions)
            .into_iter()
            .partition(|(_, children)| children.iter().any(|child| matches!(child.new, New::Source(_))));
        for (parent, children) in others {
            self.write_insertions(parent, children, &HashMap::new());
        }
        let pieces = self.moved.written(self.text(), &mut self.edits);
        for (parent, children) in moves {
            self.write_insertions(parent, children, &pieces);
        }
        // Nothing that is composed here can stand in another's way; if it ever does, the first wins and the next round sees the rest.
        Edits::compatible(self.edits)
    }
}

/// The operand of `-device` in which a property has this value (`true`/`false` for a bool); an operand that QEMU can't read as it is.
fn with_device_property(operand: &str, name: &str, value: &str) -> String {
    let written = match type_of(name) {
        Some(PropertyType::Bool) => Value::Switch(value == "true"),
        Some(PropertyType::Unsigned | PropertyType::Signed) => Value::Number(value),
        Some(PropertyType::String) | None => Value::Text(value),
    };
    OptionList::parse(operand, Syntax::DEVICE).map_or_else(|_| operand.to_owned(), |list| list.with(name, written))
}
