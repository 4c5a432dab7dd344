//! What is to be different in a domain, in the domain's own terms, and turning that into byte
//! edits.
//!
//! A rule says "this property must reach the vGPU" or "this element goes"; all changes of one round
//! are turned into edits together, so that two of them that need the same new block share it, and
//! none needs to know where the other writes.

use std::cell::OnceCell;
use std::ops::Range;

use crate::domain::{Domain, Set};
use crate::edit::Edits;
use crate::fragment::{NewElement, Style};
use crate::layout;
use crate::property::PropertyType;
use crate::xml::Element;

mod assign_alias;
mod blocks;
mod edit_builder;
mod insertion_point;
mod lost_templates;
mod metadata;
mod moved_ranges;
mod references;
mod set_property;

pub use assign_alias::assign_alias;
use assign_alias::naming;
pub use blocks::root_prefix;
use edit_builder::EditBuilder;
pub use lost_templates::overwritten;
pub use metadata::new_metadata;
use references::update_references;
pub use set_property::deliver;

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
    /// The vGPU has its alias, and what names it or a device whose number moves says so
    /// ([`Domain::renaming`]).
    NameVgpu,
    /// QEMU gets these arguments, behind its new `-set`.
    Arguments(Vec<String>),
    /// QEMU gets `-set` for the device that has this id now.
    Set {
        /// The device's id: that which the vGPU has or gets, or that which another device has now.
        alias: String,
        /// The property's name.
        property: String,
        /// Its value, as QEMU writes it (`on`).
        value: String,
    },
    /// QEMU gets this environment variable.
    Environment(String, String),
    /// The device of this alias gets this property.
    Override {
        /// The device's alias: that which the vGPU has or gets, or that which another device has
        /// now.
        alias: String,
        /// The property's name.
        property: String,
        /// Its type.
        kind: PropertyType,
        /// Its value.
        value: String,
    },
    /// libvirt believes that QEMU lacks this capability.
    DeleteCapability(String),
    /// The namespace of QEMU's elements is declared on `<domain>`.
    DeclareNamespace,
    /// This comment is gone.
    RemoveComment(Range<usize>),
    /// This part of a comment reads so.
    EditComment(Range<usize>, String),
}

/// Turns changes of one domain into edits.
pub struct EditPlanner<'c, 'd> {
    domain: &'c Domain<'d>,
    /// How the document is written: worked out once.
    style: OnceCell<Style>,
}

impl<'c, 'd> EditPlanner<'c, 'd> {
    /// One for this domain.
    pub fn new(domain: &'c Domain<'d>) -> Self {
        EditPlanner { domain, style: OnceCell::new() }
    }

    /// The edits that make all changes, and what these make wrong elsewhere right. Changes inside a
    /// removed element are dropped; of two that set one attribute the first counts.
    pub fn edits<'a>(&self, changes: impl Iterator<Item = &'a Change<'d>> + Clone) -> Edits
    where
        'd: 'a,
    {
        let removed = changes.clone().filter_map(|change| match change {
            Change::Remove(element) => Some(element.id()),
            _ => None,
        });
        let names_vgpu = changes.clone().any(|change| *change == Change::NameVgpu);
        let following = update_references(self.domain, &removed.collect(), names_vgpu);
        let naming = if names_vgpu { naming(self.domain) } else { Vec::new() };
        let mut all: Vec<&Change<'d>> = Vec::new();
        // One by one, as those of the rules live longer.
        changes.for_each(|change| all.push(change));
        all.extend(&following);
        let style = self.style.get_or_init(|| layout::style(self.domain.document));
        let mut composition = EditBuilder::new(self.domain, style, all.iter().copied());
        composition.all(all.iter().copied());
        // What a change says itself about a name counts.
        composition.all(naming.iter());
        composition.edits()
    }
}
