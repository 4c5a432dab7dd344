//! Finds the places for new elements: where libvirt itself writes them, so that `virsh define` does
//! not move them.

use std::ops::Range;

use super::edit_builder::{EditBuilder, Insertion, NewChild, Rank};
use crate::fix::layout::{self, InsertionPoint};
use crate::xml::{Element, QEMU_NAMESPACE};
use foldhash::{HashMap, HashMapExt};

impl<'d> EditBuilder<'_, 'd> {
    /// Writes the insertions into one element; `pieces` are the new content of the ranges that
    /// move.
    pub(super) fn write_insertions(
        &mut self,
        parent: Element<'d>,
        mut children: Vec<Insertion<'d>>,
        pieces: &HashMap<Range<usize>, String>,
    ) {
        let text = self.text();
        let indent = layout::child_indentation(self.style, text, parent);
        children.sort_by_key(|insertion| insertion.rank);
        // Children for the same place are written together, in order.
        let mut places: Vec<(InsertionPoint<'d>, Vec<String>)> = Vec::new();
        let mut by_place: HashMap<InsertionPoint<'d>, usize> = HashMap::new();
        let mut by_name: HashMap<(String, Rank), InsertionPoint<'d>> = HashMap::new();
        for Insertion { rank, new, after } in children {
            let (name, written) = match new {
                NewChild::Element(element) => {
                    (element.name.clone(), element.write(self.style, &indent))
                }
                NewChild::Source(range) => {
                    let piece = pieces.get(&range).map_or(&text[range.clone()], String::as_str);
                    (String::new(), layout::reindented(text, range.start, piece, &indent))
                }
            };
            let place = match after {
                Some(sibling) => InsertionPoint::After(sibling),
                None => *by_name
                    .entry((name, rank))
                    .or_insert_with_key(|(name, rank)| self.insertion_point(parent, name, *rank)),
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

    /// Returns the place where libvirt writes a child of this name.
    fn insertion_point(&self, parent: Element<'d>, name: &str, rank: Rank) -> InsertionPoint<'d> {
        let plain = name.rsplit(':').next().unwrap_or(name);
        let order = child_order(parent.name());
        // The parent itself is kept, or nothing would be inserted into it.
        let is_kept = |child: &Element<'d>| !self.removed.contains(&child.id());
        let last = || {
            parent
                .children()
                .rev()
                .find(is_kept)
                .map_or(InsertionPoint::First, InsertionPoint::After)
        };
        if parent.is_qemu("commandline") && rank == Rank::Child {
            let kept_children = |name: &'static str| {
                self.domain
                    .children
                    .named(parent, name)
                    .filter(move |child| child.is_qemu(name))
                    .filter(is_kept)
            };
            if kept_children("env").next().is_some() {
                let last = kept_children("arg").last();
                return last.map_or(InsertionPoint::First, InsertionPoint::After);
            }
        }
        match order.iter().position(|known| *known == plain) {
            // After the last child that libvirt writes before it or does not know.
            Some(own_index) if parent.namespace().is_none() => {
                let kept: Vec<Element<'d>> = parent.children().filter(is_kept).collect();
                let ranks = ranks(&kept, order);
                let first_later =
                    ranks.iter().position(|rank| rank.is_some_and(|index| index > own_index));
                let last_earlier =
                    ranks.iter().rposition(|rank| rank.is_some_and(|index| index < own_index));
                // After the last child of the same name, even if that one is not where libvirt
                // would write it.
                if let Some(index) = ranks.iter().rposition(|rank| *rank == Some(own_index)) {
                    return InsertionPoint::After(kept[index]);
                }
                match first_later {
                    // The document does not follow libvirt's order: insert after everything that
                    // comes before.
                    Some(later) if last_earlier.is_some_and(|earlier| earlier > later) => {
                        InsertionPoint::After(kept[last_earlier.unwrap_or(later)])
                    }
                    Some(0) => InsertionPoint::First,
                    Some(index) => InsertionPoint::After(kept[index - 1]),
                    None => last(),
                }
            }
            _ => last(),
        }
    }
}

/// Returns the index of each element in libvirt's order; `None` for elements not in it.
fn ranks(elements: &[Element<'_>], order: &[&str]) -> Vec<Option<usize>> {
    let mut ranks = Vec::with_capacity(elements.len());
    let mut name = "";
    let mut rank = None;
    for element in elements {
        // Elements of one name are usually adjacent.
        if element.name() != name {
            name = element.name();
            rank = order.iter().position(|known| *known == name);
        }
        ranks.push(rank.filter(|_| matches!(element.namespace(), None | Some(QEMU_NAMESPACE))));
    }
    ranks
}

/// libvirt's order of the children that this program inserts and of those that follow them
/// (libvirt: src/conf/domain_conf.c `virDomainDefFormatInternalSetRootName`,
/// `virDomainHostdevDefFormat`).
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
