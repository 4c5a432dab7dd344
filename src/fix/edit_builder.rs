//! Collects a set of changes and turns them into edits; changes to the same place become one edit.

use std::ops::Range;

use super::Change;
use super::element_edits::with_device_property;
use super::moved_ranges::MovedRanges;
use crate::domain::{Domain, Set};
use crate::qemu::property::{PropertyType, VGPU_PROPERTIES};
use crate::text::{Edit, Edits};
use crate::xml::fragment::{NewElement, Style};
use crate::xml::{Element, ElementId, ElementMap, ElementSet};
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

/// The insertions into one element.
pub(super) type Insertions<'d> = (Element<'d>, Vec<Insertion<'d>>);

pub(super) struct Insertion<'d> {
    /// The order among the new children.
    pub(super) rank: Rank,
    pub(super) new: NewChild,
    /// The sibling to insert after; `None` for libvirt's own order.
    pub(super) after: Option<Element<'d>>,
}

/// The order of a new child among the other new ones: libvirt's order of QEMU's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Rank {
    /// Any other child, arguments included.
    Child,
    /// `<qemu:env>`.
    Environment,
    /// `<qemu:commandline>`.
    Commandline,
    /// `<qemu:capabilities>`.
    Capabilities,
    /// `<qemu:override>`.
    Override,
}

pub(super) enum NewChild {
    Element(NewElement),
    /// A range of the document's own text, which moves.
    Source(Range<usize>),
}

pub(super) struct EditBuilder<'c, 'd> {
    pub(super) domain: &'c Domain<'d>,
    pub(super) style: &'c Style,
    pub(super) edits: Vec<Edit>,
    pub(super) removed: ElementSet,
    pub(super) moved: MovedRanges,
    pub(super) attributes: HashSet<(ElementId, &'c str)>,
    /// Grouped by parent.
    pub(super) insertions: Vec<Insertions<'d>>,
    /// The new device and the new value of each changed `-set`, keyed by its operand.
    pub(super) sets: ElementMap<(Set<'d>, Option<&'c str>, Option<&'c str>)>,
    /// The new operands of `-device`, each with its argument.
    pub(super) operands: Vec<(Element<'d>, String)>,
    /// Indices into `insertions`.
    pub(super) by_parent: ElementMap<usize>,
    /// Whether the vGPU gets an alias, which changes other devices' numbers.
    pub(super) names_vgpu: bool,
    /// Operands of new `-set`, each with its property's name.
    pub(super) new_sets: Vec<(&'c str, String)>,
    pub(super) arguments: Vec<String>,
    pub(super) environment: Vec<(&'c str, &'c str)>,
    pub(super) overrides: Vec<(&'c str, NewOverride<'c>)>,
    pub(super) overridden: HashSet<(&'c str, &'c str)>,
    pub(super) capabilities: Vec<&'c str>,
    pub(super) removed_comments: Vec<Range<usize>>,
    pub(super) needs_declaration: bool,
    pub(super) prefix_set: bool,
}

pub(super) struct NewOverride<'c> {
    pub(super) property: &'c str,
    pub(super) kind: PropertyType,
    pub(super) value: &'c str,
}

impl<'c, 'd> EditBuilder<'c, 'd> {
    pub(super) fn new(
        domain: &'c Domain<'d>,
        style: &'c Style,
        changes: impl Iterator<Item = &'c Change<'d>> + Clone,
    ) -> Self {
        let moved = MovedRanges::from_changes(changes.clone());
        let names_vgpu = changes.clone().any(|change| *change == Change::NameVgpu);
        let removed = changes.filter_map(|change| match change {
            Change::Remove(element) => Some(element.id()),
            _ => None,
        });
        EditBuilder {
            domain,
            style,
            edits: Vec::new(),
            removed: removed.collect(),
            moved,
            attributes: HashSet::new(),
            insertions: Vec::new(),
            by_parent: ElementMap::default(),
            names_vgpu,
            new_sets: Vec::new(),
            arguments: Vec::new(),
            environment: Vec::new(),
            overrides: Vec::new(),
            sets: ElementMap::default(),
            operands: Vec::new(),
            overridden: HashSet::new(),
            capabilities: Vec::new(),
            removed_comments: Vec::new(),
            needs_declaration: false,
            prefix_set: false,
        }
    }

    pub(super) fn text(&self) -> &'d str {
        self.domain.document.text()
    }

    pub(super) fn is_removed(&self, element: Element<'d>) -> bool {
        !self.removed.is_empty() && self.moved.is_lost(element, &self.removed)
    }

    /// Adds changes, ignoring duplicates: several rules may want the same one.
    pub(super) fn add_all(&mut self, changes: impl Iterator<Item = &'c Change<'d>> + Clone) {
        let mut seen = HashSet::with_capacity(changes.clone().count());
        let unique = changes.filter(|change| {
            !matches!(change, Change::Remove(_) | Change::NameVgpu) && seen.insert(*change)
        });
        unique.for_each(|change| self.add(change));
    }

    fn add(&mut self, change: &'c Change<'d>) {
        match change {
            Change::SetAttribute(element, name, value) if !self.is_removed(*element) => {
                self.set_attribute(*element, name, Some(value))
            }
            Change::RemoveAttribute(element, name) if !self.is_removed(*element) => {
                self.set_attribute(*element, name, None)
            }
            Change::SetText(element, text) if !self.is_removed(*element) => {
                self.set_text(*element, text)
            }
            Change::Insert(parent, element) if !self.is_removed(*parent) => {
                self.insert(*parent, Rank::Child, NewChild::Element(element.clone()));
            }
            Change::InsertSource(parent, range) if !self.is_removed(*parent) => {
                self.insert(*parent, Rank::Child, NewChild::Source(range.clone()));
            }
            Change::InsertAfter(sibling, element) if !self.is_removed(*sibling) => {
                if let Some(parent) = sibling.parent() {
                    self.insert_at(
                        parent,
                        Insertion {
                            rank: Rank::Child,
                            new: NewChild::Element(element.clone()),
                            after: Some(*sibling),
                        },
                    );
                }
            }
            Change::SetPrefix(element, prefix) if !self.is_removed(*element) => {
                self.set_prefix(*element, prefix)
            }
            Change::SetDevice(set, alias) if !self.is_removed(set.operand) => {
                self.sets
                    .entry(set.operand.id())
                    .or_insert((*set, None, None))
                    .1
                    .get_or_insert(alias);
            }
            Change::SetValue(set, value) if !self.is_removed(set.operand) => {
                self.sets
                    .entry(set.operand.id())
                    .or_insert((*set, None, None))
                    .2
                    .get_or_insert(value);
            }
            Change::DeviceProperty(argument, name, value) if !self.is_removed(*argument) => {
                let index =
                    self.operands.iter().position(|(known, _)| known == argument).unwrap_or_else(
                        || {
                            self.operands.push((
                                *argument,
                                argument.attribute("value").unwrap_or("").to_owned(),
                            ));
                            self.operands.len() - 1
                        },
                    );
                let operand = &mut self.operands[index].1;
                *operand = with_device_property(operand, name, value);
            }
            Change::Arguments(values) => self.arguments.extend(values.iter().cloned()),
            Change::Set { alias, property, value } => {
                let alias = self.new_id(alias).unwrap_or_else(|| alias.clone());
                self.new_sets.push((property, format!("device.{alias}.{property}={value}")));
            }
            Change::Environment(name, value)
                if !self.environment.iter().any(|(known, _)| known == name) =>
            {
                self.environment.push((name, value));
            }
            Change::Override { alias, property, kind, value }
                if self.overridden.insert((alias, property)) =>
            {
                self.overrides.push((alias, NewOverride { property, kind: *kind, value }));
            }
            Change::DeleteCapability(name) => self.capabilities.push(name),
            Change::DeclareNamespace => self.needs_declaration = true,
            Change::RemoveComment(span) => self.removed_comments.push(span.clone()),
            Change::EditComment(range, text) => {
                self.edits.push(Edit { range: range.clone(), text: text.clone() })
            }
            _ => {}
        }
    }

    /// Returns the id that a device gets in this pass; `None` if its id stays.
    pub(super) fn new_id(&self, id: &str) -> Option<String> {
        if self.names_vgpu { self.domain.new_id(id) } else { None }
    }

    pub(super) fn insert(&mut self, parent: Element<'d>, rank: Rank, new: NewChild) {
        self.insert_at(parent, Insertion { rank, new, after: None });
    }

    fn insert_at(&mut self, parent: Element<'d>, insertion: Insertion<'d>) {
        let index = *self.by_parent.entry(parent.id()).or_insert(self.insertions.len());
        if index == self.insertions.len() {
            self.insertions.push((parent, Vec::new()));
        }
        self.insertions[index].1.push(insertion);
    }

    /// Returns the edits for all changes.
    pub(super) fn edits(mut self) -> Edits {
        self.new_sets.sort_by_key(|(property, _)| property_order(property));
        self.overrides.sort_by_key(|(_, new)| property_order(new.property));
        for (argument, operand) in std::mem::take(&mut self.operands) {
            self.set_attribute(argument, "value", Some(&operand));
        }
        for (set, device, value) in std::mem::take(&mut self.sets).into_values() {
            let (device, value) = (device.unwrap_or(set.device), value.unwrap_or(set.value));
            self.set_attribute(
                set.operand,
                "value",
                Some(&format!("device.{device}.{}={value}", set.property)),
            );
        }
        self.commandline();
        self.override_block();
        self.capability_block();
        if self.needs_declaration || self.prefix_set {
            self.declare_namespace();
        }
        self.write_deletions();
        // Insertions into a piece that moves are written before the piece is.
        let (moves, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.insertions).into_iter().partition(|(_, children)| {
                children.iter().any(|child| matches!(child.new, NewChild::Source(_)))
            });
        for (parent, children) in others {
            self.write_insertions(parent, children, &HashMap::new());
        }
        let pieces = self.moved.take_texts(self.text(), &mut self.edits);
        for (parent, children) in moves {
            self.write_insertions(parent, children, &pieces);
        }
        // Edits should never overlap; if they do, the first wins and the next pass sees the rest.
        Edits::compatible(self.edits)
    }
}

/// The index of a property in the guide's order; properties that the guide does not name come last.
fn property_order(name: &str) -> usize {
    VGPU_PROPERTIES.iter().position(|known| *known == name).unwrap_or(VGPU_PROPERTIES.len())
}
