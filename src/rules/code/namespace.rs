//! Checks of the position and the namespace of QEMU's elements: libvirt silently ignores them if
//! either is wrong.

use crate::fix::{Change, root_prefix};
use crate::rules::Context;
use crate::rules::finding::Finding;
use crate::xml::{Element, Prefixes, QEMU_NAMESPACE, QEMU_PREFIX};
use foldhash::{HashSet, HashSetExt};

/// The blocks that libvirt reads as direct children of `<domain>`.
const BLOCKS: &[&str] = &["commandline", "capabilities", "override"];

/// Finds `qemu:` elements without a namespace declaration.
pub(super) fn undeclared<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    if !domain.document.lacks_qemu_declaration() {
        return Vec::new();
    }
    let used = domain.document.elements().find(|element| element.is_in_namespace(QEMU_NAMESPACE));
    let finding = Finding::at(context.rule, domain.root).fixed_by(vec![Change::DeclareNamespace]);
    vec![used.into_iter().fold(finding, |finding, element| {
        finding.related_to(element.start_tag().span, "used here")
    })]
}

/// Finds QEMU blocks with a namespace URI that resembles libvirt's.
pub(super) fn wrong<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let mut findings: Vec<Finding<'d, 'r>> = Vec::new();
    let mut reported_declarations: HashSet<String> = HashSet::new();
    let blocks = domain.root.children().filter(|child| BLOCKS.contains(&child.name()));
    for block in blocks.filter(|block| {
        block.namespace().is_some_and(|uri| uri != QEMU_NAMESPACE && is_meant(*block, uri))
    }) {
        let prefix = block.written_prefix().trim_end_matches(':');
        let name = if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
        // One finding per declaration on the root, however many blocks use it.
        let owner = if block.attribute_place(&name).is_some() { block } else { domain.root };
        if owner == domain.root
            && (!reported_declarations.insert(name.clone())
                || owner.attribute_place(&name).is_none())
        {
            continue;
        }
        let finding = Finding::at_attribute(context.rule, owner, &name)
            .with_value("found", block.namespace().unwrap_or(""));
        findings.push(finding.fixed_by(vec![Change::SetAttribute(
            owner,
            name,
            QEMU_NAMESPACE.into(),
        )]));
    }
    findings
}

/// Whether a namespace other than libvirt's was meant to be libvirt's, judging by its prefix or its
/// URI.
fn is_meant(block: Element<'_>, uri: &str) -> bool {
    block.written_prefix().trim_end_matches(':') == QEMU_PREFIX
        || uri.contains("libvirt.org/schemas/domain/qemu")
}

/// Finds QEMU blocks without a namespace.
pub(super) fn unqualified<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let prefix = root_prefix(domain.root);
    let blocks = domain.root.children().filter(|child| BLOCKS.iter().any(|name| child.is(name)));
    blocks
        .map(|block| {
            let unqualified_elements = || {
                [block]
                    .into_iter()
                    .chain(block.descendants())
                    .filter(|element| element.namespace().is_none())
            };
            // If an element inside binds the same prefix to another namespace, only the author
            // knows which elements are QEMU's.
            let name = Some(prefix.trim_end_matches(':'));
            if unqualified_elements().any(|element| {
                element.resolve_prefix(name).is_some_and(|uri| uri != QEMU_NAMESPACE)
            }) {
                return Finding::at(context.rule, block);
            }
            Finding::at(context.rule, block).fixed_by(
                unqualified_elements()
                    .map(|element| Change::SetPrefix(element, prefix.clone()))
                    .collect(),
            )
        })
        .collect()
}

/// Finds QEMU blocks that are not direct children of `<domain>`.
pub(super) fn misplaced<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let is_misplaced = |element: &Element<'d>| {
        BLOCKS.iter().any(|name| element.is_qemu(name))
            && element.parent().is_some_and(|parent| parent.parent().is_some())
    };
    let metadata = domain.child("metadata");
    let in_metadata = |element: &Element<'d>| {
        metadata.is_some_and(|metadata| element.ancestors().any(|ancestor| ancestor == metadata))
    };
    let misplaced =
        domain.document.elements().filter(is_misplaced).filter(|element| !in_metadata(element));
    let prefixes = Prefixes::new(domain.document);
    misplaced
        .map(|block| {
            match declarations_to_add(domain.root, &prefixes, [block].into_iter(), domain.root) {
                Some(mut changes) => {
                    changes.extend([
                        Change::InsertSource(domain.root, block.span()),
                        Change::Remove(block),
                    ]);
                    Finding::at(context.rule, block).fixed_by(changes)
                }
                None => Finding::at(context.rule, block),
            }
        })
        .collect()
}

/// Finds further `<devices>` elements, which libvirt's schema refuses.
pub(super) fn second_devices<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let blocks = domain.children_named(domain.root, "devices");
    let Some((first, others)) = blocks.split_first() else { return Vec::new() };
    let merge = |block: &Element<'d>| {
        let changes = match block.is_empty() {
            true => vec![Change::Remove(*block)],
            false => vec![Change::InsertSource(*first, block.content()), Change::Remove(*block)],
        };
        Finding::at(context.rule, *block)
            .related_to(first.start_tag().span, "the first <devices>")
            .fixed_by(changes)
    };
    others.iter().map(merge).collect()
}

/// Returns the declarations to add to the root so that elements can move to another place. `None`
/// if a prefix or the default namespace means something else there.
fn declarations_to_add<'d>(
    root: Element<'d>,
    prefixes: &Prefixes<'d>,
    elements: impl Iterator<Item = Element<'d>>,
    place: Element<'d>,
) -> Option<Vec<Change<'d>>> {
    let mut changes = Vec::new();
    for element in elements {
        for prefix in prefixes.changed_prefixes(element, place) {
            let (name, uri) = prefix.zip(element.parent()?.resolve_prefix(prefix))?;
            // New QEMU elements may declare this prefix themselves.
            let is_for_qemu = root_prefix(root).trim_end_matches(':') == name;
            // The root can bind a prefix to one namespace only.
            let is_taken = place.resolve_prefix(prefix).is_some()
                || prefixes.first_namespace(name) != Some(uri);
            if is_taken || (is_for_qemu || name == QEMU_PREFIX) && uri != QEMU_NAMESPACE {
                return None;
            }
            changes.push(match is_for_qemu {
                true => Change::DeclareNamespace,
                false => Change::SetAttribute(root, format!("xmlns:{name}"), uri.to_owned()),
            });
        }
    }
    Some(changes)
}

/// Finds further blocks of the same kind, which libvirt's schema refuses.
pub(super) fn split<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let mut findings = Vec::new();
    let prefixes = Prefixes::new(domain.document);
    for name in BLOCKS {
        let blocks = domain.blocks(name);
        let Some((first, others)) = blocks.split_first() else { continue };
        let prefix = first.written_prefix();
        for block in others {
            let finding = Finding::at(context.rule, *block)
                .related_to(first.start_tag().span, "the first one");
            let changes = if block.is_empty() {
                Some(vec![Change::Remove(*block)])
            } else {
                let declarations = if block.written_prefix() == prefix {
                    declarations_to_add(domain.root, &prefixes, block.children(), *first)
                } else {
                    None
                };
                declarations.map(|mut changes| {
                    changes.extend([
                        Change::InsertSource(*first, block.content()),
                        Change::Remove(*block),
                    ]);
                    changes
                })
            };
            findings.push(changes.into_iter().fold(finding, Finding::fixed_by));
        }
    }
    findings
}
