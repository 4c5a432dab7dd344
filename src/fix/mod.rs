//! Semantic changes to a domain and their translation into text edits.
//!
//! A rule says "this property must reach the vGPU" or "remove this element". All changes of one
//! pass are translated together, so that two changes that need the same new block share it, and
//! neither has to know where the other writes.

use std::ops::Range;

use crate::domain::{Domain, Set};
use crate::qemu::property::PropertyType;
use crate::text::Edits;
use crate::xml::Element;
use crate::xml::fragment::{NewElement, Style};

mod assign_alias;
mod blocks;
mod deletions;
mod edit_builder;
mod element_edits;
mod insertion_point;
pub(crate) mod layout;
mod lost_templates;
mod metadata;
mod moved_ranges;
mod references;
mod set_property;

use assign_alias::alias_changes;
pub use assign_alias::assign_alias;
pub use blocks::root_prefix;
use edit_builder::EditBuilder;
pub use layout::style;
pub use lost_templates::overwritten;
pub use metadata::new_metadata;
use references::update_references;
pub use set_property::deliver;

/// A change to a domain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Change<'d> {
    /// Removes the element, and QEMU's block around it if that becomes empty.
    Remove(Element<'d>),
    /// Sets the attribute, which may exist already.
    SetAttribute(Element<'d>, String, String),
    /// Removes the attribute.
    RemoveAttribute(Element<'d>, String),
    /// Replaces the element's content with this text.
    SetText(Element<'d>, String),
    /// Adds a child to the element, at the place where libvirt would write it.
    Insert(Element<'d>, NewElement),
    /// Adds the new element directly after this one.
    InsertAfter(Element<'d>, NewElement),
    /// Moves this range of the document's text into the element, as it is written.
    InsertSource(Element<'d>, Range<usize>),
    /// Replaces the prefix (with its colon) of the element's start and end tags.
    SetPrefix(Element<'d>, String),
    /// Makes this `-set` refer to the device with this id.
    SetDevice(Set<'d>, String),
    /// Sets the value of this `-set`.
    SetValue(Set<'d>, String),
    /// Sets a property in this argument, the operand of a `-device`.
    DeviceProperty(Element<'d>, String, String),
    /// Gives the vGPU its alias, and updates the references to it and to devices whose numbers
    /// change ([`Domain::renaming`]).
    NameVgpu,
    /// Passes these arguments to QEMU, after any new `-set`.
    Arguments(Vec<String>),
    /// Passes a `-set` to QEMU for the device that has this id before the fix.
    Set {
        /// The device's id: the one that the vGPU has or gets, or another device's current one.
        alias: String,
        /// The property's name.
        property: String,
        /// The value as QEMU writes it (`on`).
        value: String,
    },
    /// Passes an environment variable to QEMU.
    Environment(String, String),
    /// Overrides a property of the device with this alias.
    Override {
        /// The device's alias: the one that the vGPU has or gets, or another device's current one.
        alias: String,
        /// The property's name.
        property: String,
        /// The property's type.
        kind: PropertyType,
        /// The property's value.
        value: String,
    },
    /// Tells libvirt that QEMU lacks this capability.
    DeleteCapability(String),
    /// Declares the namespace of QEMU's elements on `<domain>`.
    DeclareNamespace,
    /// Removes this comment.
    RemoveComment(Range<usize>),
    /// Replaces this part of a comment.
    EditComment(Range<usize>, String),
}

/// Returns the edits for all changes and for what has to follow them elsewhere, such as references,
/// in this style ([`style`]). Changes inside a removed element are dropped; of two changes to one
/// attribute, the first counts.
pub fn edits<'a, 'd: 'a>(
    domain: &Domain<'d>,
    style: &Style,
    changes: impl Iterator<Item = &'a Change<'d>> + Clone,
) -> Edits {
    let removed = changes.clone().filter_map(|change| match change {
        Change::Remove(element) => Some(element.id()),
        _ => None,
    });
    let names_vgpu = changes.clone().any(|change| *change == Change::NameVgpu);
    let following = update_references(domain, &removed.collect(), names_vgpu);
    let alias_changes = if names_vgpu { alias_changes(domain) } else { Vec::new() };
    let mut all_changes: Vec<&Change<'d>> = Vec::new();
    // Pushed one by one because their lifetime differs from that of `following`.
    changes.for_each(|change| all_changes.push(change));
    all_changes.extend(&following);
    let mut builder = EditBuilder::new(domain, style, all_changes.iter().copied());
    builder.add_all(all_changes.iter().copied());
    // Added last, so that other changes to the same attributes take precedence.
    builder.add_all(alias_changes.iter());
    builder.edits()
}
