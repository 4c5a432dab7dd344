//! Evaluates a rule's `when`, and filters out elements that earlier fixes remove.

use super::Context;
use super::path::Selector;
use super::schema::{DisplayBackend, When};
use crate::xml::Element;

/// Whether all conditions of a rule hold.
pub(super) fn applies(when: &When, context: &Context<'_, '_, '_>) -> bool {
    when.vgpu.is_none_or(|wanted| wanted == context.domain.has_vgpu())
        && applies_to_vgpu(when, context)
}

/// Whether all conditions of a rule hold except `when.vgpu`: for a vGPU that a fix is about to add.
pub(super) fn applies_to_vgpu(when: &When, context: &Context<'_, '_, '_>) -> bool {
    let domain = context.domain;
    let stays = |element: Element<'_>| !is_removed(element, context);
    let matches = |selector: &Option<Selector>| {
        selector.as_ref().map(|selector| context.search.any(selector, stays))
    };
    let is_shown_by = |wanted: DisplayBackend| match wanted {
        DisplayBackend::Graphics => domain.is_shown_by_graphics(),
        DisplayBackend::Qemu => !domain.is_shown_by_graphics(),
        DisplayBackend::Window => {
            !domain.is_shown_by_graphics() && domain.display_kind() != "egl-headless"
        }
    };
    let holds_for_setting = |name: &str| match name.strip_prefix('!') {
        Some(name) => !domain.settings.is_set(name),
        None => domain.settings.is_set(name),
    };
    when.libvirt.is_none_or(|range| range.contains(domain.settings.libvirt))
        && when.shown_by.is_none_or(is_shown_by)
        && when.ramfb.is_none_or(|wanted| wanted == domain.has_ramfb())
        && when.setting.as_deref().is_none_or(holds_for_setting)
        && matches(&when.absent) != Some(true)
        && matches(&when.present) != Some(false)
}

/// Returns the elements that match a selector and are not removed by earlier fixes.
pub(super) fn remaining<'d>(
    selector: &Selector,
    context: &Context<'_, 'd, '_>,
) -> Vec<Element<'d>> {
    let mut elements = context.search.select(selector);
    elements.retain(|element| !is_removed(*element, context));
    elements
}

/// Whether an earlier fix removes an element or one of its ancestors.
pub(super) fn is_removed(element: Element<'_>, context: &Context<'_, '_, '_>) -> bool {
    !context.removed.is_empty()
        && element.ancestors().any(|ancestor| context.removed.contains(&ancestor.id()))
}
