//! Where QEMU's elements stand and which namespace they are in: libvirt ignores them in silence everywhere else.

use std::collections::HashSet;

use crate::change::{Change, root_prefix};
use crate::rules::Context;
use crate::rules::check::Finding;
use crate::xml::{Element, QEMU_NAMESPACE, QEMU_PREFIX};

/// The blocks that libvirt reads directly in `<domain>`.
const BLOCKS: &[&str] = &["commandline", "capabilities", "override"];

/// `qemu:` without a declaration.
pub(super) fn undeclared<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let domain = context.domain;
    if !domain.document.lacks_qemu_declaration() {
        return Vec::new();
    }
    let used = domain.document.elements().find(|element| element.namespace() == Some(QEMU_NAMESPACE));
    let finding = Finding::at(domain.root).fixed_by(vec![Change::DeclareNamespace]);
    vec![used.into_iter().fold(finding, |finding, element| finding.related_to(element.start_tag().span, "used here"))]
}

/// A block of QEMU's under a URI that is almost libvirt's.
pub(super) fn wrong<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let domain = context.domain;
    let mut findings: Vec<Finding<'d>> = Vec::new();
    let mut of_root: HashSet<String> = HashSet::new();
    let blocks = domain.root.children().filter(|child| BLOCKS.contains(&child.name()));
    for block in blocks.filter(|block| block.namespace().is_some_and(|uri| uri != QEMU_NAMESPACE && is_meant(*block, uri))) {
        let prefix = block.written_prefix().trim_end_matches(':');
        let name = if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
        // What the root declares is found once, however many blocks use it.
        let owner = if block.attribute_place(&name).is_some() { block } else { domain.root };
        if owner == domain.root && (!of_root.insert(name.clone()) || owner.attribute_place(&name).is_none()) {
            continue;
        }
        let finding = Finding::at_attribute(owner, &name).with("found", block.namespace().unwrap_or(""));
        findings.push(finding.fixed_by(vec![Change::SetAttribute(owner, name, QEMU_NAMESPACE.into())]));
    }
    findings
}

/// Whether a namespace that isn't libvirt's stands where libvirt's was meant: by its prefix, or by what it looks like.
fn is_meant(block: Element<'_>, uri: &str) -> bool {
    block.written_prefix().trim_end_matches(':') == QEMU_PREFIX || uri.contains("libvirt.org/schemas/domain/qemu")
}

/// A block of QEMU's in no namespace.
pub(super) fn unqualified<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let domain = context.domain;
    let prefix = root_prefix(domain.root);
    let blocks = domain.root.children().filter(|child| BLOCKS.iter().any(|name| child.is(name)));
    blocks
        .map(|block| {
            let inside = [block].into_iter().chain(block.descendants()).filter(|element| element.namespace().is_none());
            let changes = inside.map(|element| Change::SetPrefix(element, prefix.clone())).collect();
            Finding::at(block).fixed_by(changes)
        })
        .collect()
}

/// A block of QEMU's that is not directly in `<domain>`.
pub(super) fn misplaced<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let domain = context.domain;
    // libvirt writes none anywhere else, so only a document that mentions one deeper pays for the search.
    let text = domain.document.text().as_bytes();
    if !BLOCKS.iter().any(|name| memchr::memmem::find(text, name.as_bytes()).is_some()) {
        return Vec::new();
    }
    let is_misplaced = |element: &Element<'d>| {
        BLOCKS.iter().any(|name| element.is_qemu(name)) && element.parent().is_some_and(|parent| parent.parent().is_some())
    };
    let metadata = domain.root.child("metadata");
    let in_metadata = |element: &Element<'d>| metadata.is_some_and(|metadata| element.ancestors().any(|ancestor| ancestor == metadata));
    let misplaced = domain.document.elements().filter(is_misplaced).filter(|element| !in_metadata(element));
    misplaced
        .map(|block| {
            let changes = vec![Change::InsertSource(domain.root, block.span()), Change::Remove(block)];
            // A prefix that is declared only further in would be lost on the way out.
            let known = block.written_prefix().trim_end_matches(':');
            let survives =
                block.attribute_place(&format!("xmlns:{known}")).is_some() || domain.root.namespace_of(known) == Some(QEMU_NAMESPACE);
            let undeclared = domain.document.lacks_qemu_declaration();
            let finding = Finding::at(block);
            if survives || undeclared || known.is_empty() { finding.fixed_by(changes) } else { finding }
        })
        .collect()
}

/// A second `<devices>`, which the schema refuses.
pub(super) fn second_devices<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let domain = context.domain;
    let blocks = domain.named(domain.root, "devices");
    let Some((first, others)) = blocks.split_first() else { return Vec::new() };
    let merged = |block: &Element<'d>| {
        let changes = match block.is_empty() {
            true => vec![Change::Remove(*block)],
            false => vec![Change::InsertSource(*first, block.content()), Change::Remove(*block)],
        };
        Finding::at(*block).related_to(first.start_tag().span, "the first one").fixed_by(changes)
    };
    others.iter().map(merged).collect()
}

/// A second block of one kind, which the schema refuses.
pub(super) fn split<'d>(context: &Context<'_, 'd>) -> Vec<Finding<'d>> {
    let domain = context.domain;
    let mut findings = Vec::new();
    for name in BLOCKS {
        let blocks = domain.blocks(name);
        let Some((first, others)) = blocks.split_first() else { continue };
        let prefix = first.written_prefix();
        for block in others {
            let changes = match block.is_empty() {
                true => vec![Change::Remove(*block)],
                false => vec![Change::InsertSource(*first, block.content()), Change::Remove(*block)],
            };
            let same_prefix = block.written_prefix() == prefix;
            let finding = Finding::at(*block).related_to(first.start_tag().span, "the first one");
            findings.push(if same_prefix { finding.fixed_by(changes) } else { finding });
        }
    }
    findings
}
