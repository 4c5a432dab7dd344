//! What is to be different in a domain, in the domain's own terms, and turning that into byte edits.
//!
//! A rule says "this property must reach the vGPU" or "this element goes"; all changes of one round are turned into edits together,
//! so that two of them that need the same new block share it, and none needs to know where the other writes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::ops::Range;

use crate::domain::Domain;
use crate::edit::{Edit, Edits};
use crate::fragment::{NewElement, Style, escape_attribute, escape_text};
use crate::layout::{self, Place};
use crate::property::PropertyType;
use crate::vgpu::with_device_property;
use crate::xml::{Element, ElementId, QEMU_NAMESPACE, QEMU_PREFIX};

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
    /// The operand of `-device` in this argument has this property.
    DeviceProperty(Element<'d>, String, String),
    /// The vGPU has its alias, and what names it or a device whose number moves says so ([`Domain::naming`]).
    NameVgpu,
    /// QEMU gets these arguments; those of a smaller order come first.
    Arguments(u8, Vec<String>),
    /// QEMU gets this environment variable.
    Environment(String, String),
    /// The device of this alias gets this property.
    Override {
        /// The device's alias.
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

/// The edits that make all changes. Changes inside a removed element are dropped; of two that set one attribute the first counts.
pub fn compose<'c, 'd>(domain: &'c Domain<'d>, changes: impl Iterator<Item = &'c Change<'d>> + Clone) -> Edits {
    let mut composer = Composer::new(domain, changes.clone());
    // Several rules may want the same.
    let mut seen = HashSet::new();
    for change in changes {
        if seen.insert(change) {
            composer.change(change);
        }
    }
    // What a change says itself about a name counts.
    if seen.contains(&Change::NameVgpu) {
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
    /// What moves to another place, and takes along what changes in it.
    moved: Vec<Range<usize>>,
    attributes: HashSet<(ElementId, &'c str)>,
    /// By parent; of each child its rank among its new siblings.
    insertions: Vec<Insertions<'d>>,
    /// Operands of `-device` as they become, by their argument.
    operands: Vec<(Element<'d>, String)>,
    /// Places in `insertions`.
    by_parent: HashMap<ElementId, usize>,
    arguments: Vec<(u8, &'c [String])>,
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
        let moved = changes.clone().filter_map(|change| match change {
            Change::InsertSource(_, range) => Some(range.clone()),
            _ => None,
        });
        let moved = moved.collect();
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
            arguments: Vec::new(),
            environment: Vec::new(),
            overrides: Vec::new(),
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
        if self.removed.is_empty() {
            return false;
        }
        // What is around a piece that moves away may go: the piece stays.
        let moved = self.moved.iter().find(|range| holds(range, &element.span()));
        let mut around = element.ancestors().take_while(|ancestor| moved.is_none_or(|range| holds(range, &ancestor.span())));
        around.any(|ancestor| self.removed.contains(&ancestor.id()) && moved != Some(&ancestor.span()))
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
            Change::DeviceProperty(argument, name, value) if !self.is_removed(*argument) => {
                let index = self.operands.iter().position(|(known, _)| known == argument).unwrap_or_else(|| {
                    self.operands.push((*argument, argument.attribute("value").unwrap_or("").to_owned()));
                    self.operands.len() - 1
                });
                let operand = &mut self.operands[index].1;
                *operand = with_device_property(operand, name, value);
            }
            Change::Arguments(order, values) => self.arguments.push((*order, values)),
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
        self.commandline();
        self.override_block();
        self.capability_block();
        if self.declare || self.prefix_set {
            self.declare_namespace();
        }
        let kept: HashSet<ElementId> = self.insertions.iter().map(|(parent, _)| parent.id()).collect();
        let removed = with_emptied_blocks(self.domain, self.removed.clone(), &kept);
        let spans: Vec<Range<usize>> =
            removed.iter().filter_map(|id| self.domain.document.element(*id)).map(|element| element.span()).collect();
        let removals = |spans: Vec<Range<usize>>| layout::removals(self.domain.document.text(), spans).into_iter();
        let mut deletions: Vec<Range<usize>> = Vec::new();
        for moved in &self.moved {
            deletions.extend(removals(spans.iter().filter(|span| holds(moved, span) && *span != moved).cloned().collect()));
        }
        deletions.extend(removals(spans));
        self.edits.extend(deletions.into_iter().map(|range| Edit { range, text: String::new() }));
        self.removed = removed;
        // What goes into a piece that moves is written before the piece is.
        let (moves, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.insertions)
            .into_iter()
            .partition(|(_, children)| children.iter().any(|child| matches!(child.new, New::Source(_))));
        for (parent, children) in others.into_iter().chain(moves) {
            self.write_insertions(parent, children);
        }
        self.edits.retain(|edit| !self.moved.iter().any(|range| is_inside(edit, range)));
        // Nothing that is composed here can stand in another's way; if it ever does, the first wins and the next round sees the rest.
        Edits::compatible(self.edits)
    }

    fn commandline(&mut self) {
        if self.arguments.is_empty() && self.environment.is_empty() {
            return;
        }
        let block = self.kept_block("commandline");
        let prefix = self.qemu_prefix(block);
        let element = |name: &str| NewElement::new(format!("{prefix}{name}"));
        let arguments = self.arguments.iter().flat_map(|(_, values)| *values).map(|value| element("arg").with("value", value));
        let variables = self.environment.iter().map(|(name, value)| element("env").with("name", *name).with("value", *value));
        let (arguments, variables): (Vec<_>, Vec<_>) = (arguments.collect(), variables.collect());
        match block {
            Some(block) => {
                arguments.into_iter().for_each(|child| self.insert(block, 0, New::Element(child)));
                variables.into_iter().for_each(|child| self.insert(block, 1, New::Element(child)));
            }
            None => {
                let block = arguments.into_iter().chain(variables).fold(element("commandline"), NewElement::containing);
                self.insert(self.domain.root, 2, New::Element(block));
            }
        }
    }

    fn override_block(&mut self) {
        let mut by_alias: Vec<(&str, Vec<NewOverride<'c>>)> = Vec::new();
        for (_, alias, new) in std::mem::take(&mut self.overrides) {
            match by_alias.iter_mut().find(|(known, _)| *known == alias) {
                Some((_, list)) => list.push(new),
                None => by_alias.push((alias, vec![new])),
            }
        }
        if by_alias.is_empty() {
            return;
        }
        let block = self.kept_block("override");
        let prefix = self.qemu_prefix(block);
        let element = |name: &str| NewElement::new(format!("{prefix}{name}"));
        let property =
            |new: &NewOverride<'c>| element("property").with("name", new.property).with("type", new.kind.name()).with("value", new.value);
        let mut devices = Vec::new();
        for (alias, list) in by_alias {
            let known = block.map_or(&[][..], |block| self.domain.override_devices(block, alias));
            let device = known.iter().copied().find(|device| !self.is_removed(*device));
            let frontend = device.and_then(|device| device.children().find(|child| child.is_qemu("frontend") && !self.is_removed(*child)));
            let inside = list.iter().map(property);
            match (device, frontend) {
                (_, Some(frontend)) => {
                    for child in inside.collect::<Vec<_>>() {
                        self.insert(frontend, 0, New::Element(child));
                    }
                }
                (Some(device), None) => {
                    let frontend = inside.fold(element("frontend"), NewElement::containing);
                    self.insert(device, 0, New::Element(frontend));
                }
                (None, None) => {
                    let frontend = inside.fold(element("frontend"), NewElement::containing);
                    devices.push(element("device").with("alias", alias).containing(frontend));
                }
            }
        }
        match block {
            _ if devices.is_empty() => {}
            Some(block) => devices.into_iter().for_each(|device| self.insert(block, 0, New::Element(device))),
            None => {
                let block = devices.into_iter().fold(element("override"), NewElement::containing);
                self.insert(self.domain.root, 4, New::Element(block));
            }
        }
    }

    fn capability_block(&mut self) {
        if self.capabilities.is_empty() {
            return;
        }
        let block = self.kept_block("capabilities");
        let prefix = self.qemu_prefix(block);
        let element = |name: &str| NewElement::new(format!("{prefix}{name}"));
        let deletions: Vec<NewElement> = self.capabilities.iter().map(|name| element("del").with("capability", *name)).collect();
        match block {
            Some(block) => deletions.into_iter().for_each(|del| self.insert(block, 0, New::Element(del))),
            None => {
                let block = deletions.into_iter().fold(element("capabilities"), NewElement::containing);
                self.insert(self.domain.root, 3, New::Element(block));
            }
        }
    }

    /// The first block of this name that is not removed itself.
    fn kept_block(&self, name: &str) -> Option<Element<'d>> {
        self.domain.blocks(name).iter().copied().find(|block| !self.is_removed(*block))
    }

    /// The prefix, with its colon, that new elements of QEMU's take: their block's own, else one that the root has or gets.
    fn qemu_prefix(&mut self, block: Option<Element<'d>>) -> String {
        if let Some(block) = block {
            return block.written_prefix().to_owned();
        }
        self.declare |= self.domain.root.prefix_for(QEMU_NAMESPACE).is_none();
        root_prefix(self.domain.root)
    }

    fn declare_namespace(&mut self) {
        let root = self.domain.root;
        if root.prefix_for(QEMU_NAMESPACE).is_some() {
            return;
        }
        let at = root.start_tag().attributes_end(self.text());
        let (quote, prefix) = (self.style.quote, free_prefix(root));
        self.edits.push(Edit { range: at..at, text: format!(" xmlns:{prefix}={quote}{QEMU_NAMESPACE}{quote}") });
    }

    fn write_insertions(&mut self, parent: Element<'d>, mut children: Vec<Insertion<'d>>) {
        let text = self.text();
        let indent = layout::child_indentation(self.style, text, parent);
        children.sort_by_key(|insertion| insertion.rank);
        // What goes to one place is written together, in order.
        let mut places: Vec<(Place<'d>, Vec<String>)> = Vec::new();
        let mut by_place: HashMap<Place<'d>, usize> = HashMap::new();
        let mut by_name: HashMap<(String, u8), Place<'d>> = HashMap::new();
        for Insertion { rank, new, behind } in children {
            let (name, written) = match new {
                New::Element(element) => (element.name.clone(), element.write(self.style, &indent)),
                New::Source(range) => (String::new(), layout::moved(text, range.start, &self.edited(range), &indent)),
            };
            let place = match behind {
                Some(sibling) => Place::Behind(sibling),
                None => *by_name.entry((name, rank)).or_insert_with_key(|(name, rank)| self.place(parent, name, *rank)),
            };
            let index = *by_place.entry(place).or_insert(places.len());
            if index == places.len() {
                places.push((place, Vec::new()));
            }
            places[index].1.push(written);
        }
        for (place, list) in places {
            self.edits.extend(layout::insertion(self.style, text, parent, place, &list, &indent));
        }
    }

    /// A piece of the text with what changes in it.
    fn edited(&self, range: Range<usize>) -> String {
        let inside = self.edits.iter().filter(|edit| is_inside(edit, &range));
        let shifted =
            inside.map(|edit| Edit { range: edit.range.start - range.start..edit.range.end - range.start, text: edit.text.clone() });
        Edits::compatible(shifted.collect()).apply(&self.text()[range])
    }

    /// Where libvirt itself writes a child of this name, so that `virsh define` moves nothing.
    fn place(&self, parent: Element<'d>, name: &str, rank: u8) -> Place<'d> {
        let plain = name.rsplit(':').next().unwrap_or(name);
        let order = child_order(parent.name());
        // The parent stays, or nothing would be put into it.
        let kept = |child: &Element<'d>| !self.removed.contains(&child.id());
        let last = || parent.children().rev().find(kept).map_or(Place::First, Place::Behind);
        if parent.is_qemu("commandline") && rank == 0 {
            let of = |name: &str| self.domain.children.named(parent, name);
            if of("env").iter().any(|child| child.is_qemu("env") && kept(child)) {
                let last = of("arg").iter().rev().find(|child| child.is_qemu("arg") && kept(child)).copied();
                return last.map_or(Place::First, Place::Behind);
            }
        }
        match order.iter().position(|known| *known == plain) {
            // Behind the last child that libvirt writes before it or that it doesn't know.
            Some(own) if parent.namespace().is_none() => {
                let kept: Vec<Element<'d>> = parent.children().filter(kept).collect();
                let is = |child: &Element<'d>, name: &str| child.is(name) || child.is_qemu(name);
                let rank = |child: &Element<'d>| order.iter().position(|known| is(child, known));
                let first_later = kept.iter().position(|child| rank(child).is_some_and(|index| index > own));
                let last_earlier = kept.iter().rposition(|child| rank(child).is_some_and(|index| index < own));
                // The last of its kind, even where something else stands before that.
                if let Some(index) = kept.iter().rposition(|child| is(child, plain)) {
                    return Place::Behind(kept[index]);
                }
                match first_later {
                    // A document in an order of its own: behind what comes before.
                    Some(later) if last_earlier.is_some_and(|earlier| earlier > later) => {
                        Place::Behind(kept[last_earlier.unwrap_or(later)])
                    }
                    Some(0) => Place::First,
                    Some(index) => Place::Behind(kept[index - 1]),
                    None => last(),
                }
            }
            _ => last(),
        }
    }
}

/// Whether a range holds another one.
fn holds(range: &Range<usize>, inner: &Range<usize>) -> bool {
    range.start <= inner.start && inner.end <= range.end
}

/// Whether an edit changes something in a piece that moves, and not what is around it.
fn is_inside(edit: &Edit, moved: &Range<usize>) -> bool {
    holds(moved, &edit.range)
        && edit.range != *moved
        && (!edit.range.is_empty() || moved.start < edit.range.start && edit.range.end < moved.end)
}

/// libvirt's own order of the children that this program inserts and of what follows them (libvirt: src/conf/domain_conf.c
/// `virDomainDefFormatInternalSetRootName`, `virDomainHostdevDefFormat`).
fn child_order(parent: &str) -> &'static [&'static str] {
    match parent {
        "domain" => &[
            "name",
            "uuid",
            "genid",
            "title",
            "description",
            "metadata",
            "maxMemory",
            "memory",
            "currentMemory",
            "memtune",
            "memoryBacking",
            "vcpu",
            "os",
            "features",
            "cpu",
            "clock",
            "devices",
            "seclabel",
            "commandline",
            "capabilities",
            "override",
        ],
        "devices" => &[
            "sound",
            "audio",
            "video",
            "hostdev",
            "redirdev",
            "redirfilter",
            "hub",
            "watchdog",
            "memballoon",
            "rng",
            "nvram",
            "panic",
            "shmem",
            "memory",
            "iommu",
            "vsock",
        ],
        "hostdev" => &["driver", "source", "boot", "rom", "alias", "acpi", "address"],
        _ => &[],
    }
}

/// The prefix (with its colon) that elements of QEMU's directly in `<domain>` have or get.
pub fn root_prefix(root: Element<'_>) -> String {
    format!("{}:", root.prefix_for(QEMU_NAMESPACE).map_or_else(|| free_prefix(root), str::to_owned))
}

/// `qemu`, or another prefix where the root uses that for something else.
fn free_prefix(root: Element<'_>) -> String {
    if root.namespace_of(QEMU_PREFIX).is_none_or(|uri| uri == QEMU_NAMESPACE) {
        return QEMU_PREFIX.into();
    }
    let numbered = (1..).map(|number| format!("{QEMU_PREFIX}{number}"));
    let mut free = numbered.filter(|prefix| root.namespace_of(prefix).is_none());
    free.next().unwrap_or_default()
}

/// Blocks of QEMU's that removals leave without anything in them go too.
fn with_emptied_blocks(domain: &Domain<'_>, mut removed: HashSet<ElementId>, kept: &HashSet<ElementId>) -> HashSet<ElementId> {
    let mut parents: BTreeMap<usize, Element<'_>> = BTreeMap::new();
    for id in &removed {
        let element = domain.document.element(*id).and_then(Element::parent);
        for parent in element.into_iter().flat_map(Element::ancestors).take_while(|parent| parent.namespace() == Some(QEMU_NAMESPACE)) {
            parents.insert(parent.span().start, parent);
        }
    }
    let mut counts: HashMap<ElementId, bool> = HashMap::new();
    // The inner ones first.
    for parent in parents.into_values().rev() {
        let emptied = *counts.entry(parent.id()).or_insert_with(|| {
            // The children first: of many, the first that stays ends the search.
            !kept.contains(&parent.id()) && parent.children().all(|child| removed.contains(&child.id())) && !parent.has_comments()
        });
        if emptied {
            removed.insert(parent.id());
        }
    }
    removed
}
