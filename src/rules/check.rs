//! Runs a rule's check on a domain: one function or match arm per kind of check.

use std::cell::OnceCell;
use std::ops::Range;

use super::conditions::{applies, is_removed, remaining};
use super::declarative_fix::DeclarativeFix;
use super::environment::{RequiredEnv, environment};
use super::finding::Finding;
use super::other_sources::{is_provided_elsewhere, moved_ramfb};
use super::path::{Selector, Text};
use super::risk::Risk;
use super::schema::{Check, Format, Group, Rule};
use super::{Context, code};
use crate::domain::{Domain, attribute_span, parse_uuid};
use crate::fix::{Change, deliver};
use crate::qemu::property::{to_set, type_of};
use crate::text::Applicability;
use crate::xml::Element;
use foldhash::{HashMap, HashMapExt, HashSet};

/// Returns all findings of a rule in a domain.
pub fn findings<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let Context { domain, rule, .. } = *context;
    if !applies(&rule.when, context) {
        return Vec::new();
    }
    let select =
        || rule.select.as_ref().map_or(Vec::new(), |selector| remaining(selector, context));
    let fix = rule.fix_for(domain.settings.libvirt);
    let declarative_fix = DeclarativeFix { fix, template: OnceCell::new(), context };
    let mut findings = match &rule.check {
        Check::Forbid => select()
            .into_iter()
            .map(|element| declarative_fix.with_fix(Finding::at(context.rule, element), ""))
            .collect(),
        Check::Require { child } => select()
            .into_iter()
            .filter(|element| {
                let children = context.search.select_from(child, Some(*element));
                children.iter().all(|child| is_removed(*child, context))
            })
            .map(|element| declarative_fix.with_fix(Finding::at(context.rule, element), ""))
            .collect(),
        Check::Attribute { name, required, forbidden, one_of, format } => select()
            .into_iter()
            .filter(|element| match element.attribute(name) {
                None => *required,
                Some(value) => *forbidden || !is_allowed(value, one_of, *format),
            })
            .map(|element| {
                let value = element.attribute(name).unwrap_or("").to_owned();
                let canonical =
                    parse_uuid(&value).map_or_else(String::new, |uuid| uuid.to_string());
                declarative_fix.with_fix(
                    Finding::at_attribute(context.rule, element, name)
                        .with_value("found", value)
                        .with_value("canonical", canonical),
                    name,
                )
            })
            .collect(),
        Check::Text { one_of, format } => select()
            .into_iter()
            .filter(|element| !is_allowed(element.text().trim(), one_of, *format))
            .map(|element| {
                declarative_fix.with_fix(
                    Finding::within(context.rule, element, element.content())
                        .with_value("found", element.text().trim()),
                    "",
                )
            })
            .collect(),
        Check::Unique { attribute, of } => {
            unique(attribute, of.as_ref(), &select(), &declarative_fix)
        }
        Check::Reference { attribute, to, key } => {
            let targets: HashSet<&str> = remaining(to, context)
                .into_iter()
                .filter_map(|element| element.attribute(key))
                .collect();
            let is_dangling = |element: &Element<'d>| {
                element.attribute(attribute).is_some_and(|value| !targets.contains(value))
            };
            let dangling_reference = |element: Element<'d>| {
                let value = element.attribute(attribute).unwrap_or("").to_owned();
                declarative_fix.with_fix(
                    Finding::at_attribute(context.rule, element, attribute)
                        .with_value("found", value),
                    attribute,
                )
            };
            select().into_iter().filter(is_dangling).map(dangling_reference).collect()
        }
        Check::Property { .. } | Check::Environment { .. } if !domain.has_vgpu() => Vec::new(),
        Check::Property { name, value } => property(name, value, context),
        Check::Environment { name, value, format, setting, displays } => {
            let required_env =
                RequiredEnv { name, value, format: *format, setting: setting.as_deref(), displays };
            environment(&required_env, context)
        }
        Check::Code { function } => code::run_check(function, context),
        // Handled by the caller: these need the results of all rules, or of all files.
        Check::Suppression { .. } | Check::Across { .. } => Vec::new(),
        // These two always hold for a parsed domain.
        Check::WellFormed | Check::Domain => Vec::new(),
    };
    if findings.is_empty() {
        return findings;
    }
    // `when.absent` holds although such elements exist, so another fix removes them.
    if rule.message_once_removed.is_some()
        && rule.when.absent.as_ref().is_some_and(|absent| context.search.any(absent, |_| true))
    {
        findings.iter_mut().for_each(|finding| finding.is_pending = true);
    }
    // QEMU would take an argument added after an option without its operand for that operand.
    if domain.option_without_operand().is_some() {
        let adds_arguments =
            |change: &Change<'d>| matches!(change, Change::Arguments(_) | Change::Set { .. });
        for finding in &mut findings {
            finding.changes.take_if(|changes| changes.iter().any(adds_arguments));
        }
    }
    let unsafe_if = fix.and_then(|fix| fix.unsafe_if.as_ref());
    let has_display_in_use =
        || fix.is_some_and(|fix| fix.unsafe_if_watched) && domain.has_other_display();
    let risk = if unsafe_if.is_some_and(|selector| context.search.any(selector, |_| true))
        || has_display_in_use()
    {
        Some(Risk::Watched)
    } else if is_for_the_picture(rule, domain) && domain.has_screen_without_gl() {
        Some(Risk::Screen)
    } else {
        None
    };
    if risk.is_some() {
        findings.iter_mut().for_each(|finding| finding.risk = risk);
    }
    findings
}

/// Returns how safe a finding's fix is, or `None` if it has no fix.
pub fn applicability(finding: &Finding<'_, '_>, domain: &Domain<'_>) -> Option<Applicability> {
    let fix = finding.rule.fix_for(domain.settings.libvirt)?;
    match &finding.changes {
        None => None,
        Some(_) if finding.risk.is_some() => Some(fix.applicability.min(Applicability::Unsafe)),
        Some(_) => Some(fix.applicability),
    }
}

/// Whether a rule's fix is only useful together with a display that shows the vGPU.
pub(crate) fn is_for_the_picture(rule: &Rule, domain: &Domain<'_>) -> bool {
    // A fix that keeps the picture is useful without another display, unless the user's own
    // arguments turn on SPICE. They can on libvirt before 7.2, which leaves SPICE to QEMU.
    if rule.fix.iter().any(|fix| fix.keeps_picture)
        && !domain.options.iter().any(|option| option.name == "spice")
    {
        return false;
    }
    matches!(rule.check, Check::Property { .. } | Check::Environment { .. })
        || rule.group == Group::Display
        || rule.fix.iter().any(|fix| fix.property.is_some())
}

fn is_allowed(value: &str, one_of: &[Text], format: Option<Format>) -> bool {
    (one_of.is_empty() || one_of.iter().any(|allowed| allowed == value))
        && format.is_none_or(|format| format.fits(value))
}

fn unique<'d, 'r>(
    attribute: &str,
    owner_path: Option<&Selector>,
    selected: &[Element<'d>],
    declarative_fix: &DeclarativeFix<'_, 'd, 'r>,
) -> Vec<Finding<'d, 'r>> {
    let mut first: HashMap<String, Range<usize>> = HashMap::new();
    let mut findings = Vec::new();
    for element in selected {
        let owner = match owner_path {
            None => Some(*element),
            Some(selector) => declarative_fix
                .context
                .search
                .select_from(selector, Some(*element))
                .into_iter()
                .next(),
        };
        let Some((owner, value)) =
            owner.and_then(|owner| owner.attribute(attribute).map(|value| (owner, value)))
        else {
            continue;
        };
        // Different spellings of a UUID count as equal.
        let key = parse_uuid(value).map_or_else(|| value.to_owned(), |uuid| uuid.to_string());
        let span = attribute_span(owner, attribute);
        match first.get(&key) {
            None => {
                first.insert(key, span);
            }
            Some(first_span) => {
                let finding = Finding::within(declarative_fix.context.rule, *element, span)
                    .with_value("found", value)
                    .related_to(first_span.clone(), "the first one");
                findings.push(declarative_fix.with_fix(finding, attribute));
            }
        }
    }
    findings
}

fn property<'d, 'r>(
    name: &str,
    value: &str,
    context: &Context<'_, 'd, 'r>,
) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let Some(owner) = domain.vgpu.or(domain.raw_vgpu) else { return Vec::new() };
    let effective = domain.effective_property(name);
    if effective.as_ref().is_some_and(|effective| effective.value == value)
        || domain.is_handled_by_other_rule(name)
        || is_provided_elsewhere(name, domain)
    {
        return Vec::new();
    }
    let span = domain.property_span(effective.as_ref());
    let shown_value = effective.map_or_else(
        || "not set".to_owned(),
        |effective| to_set(type_of(name).map_or("", |kind| kind.name()), &effective.value),
    );
    let finding = Finding::within(context.rule, owner, span)
        .with_value("found", shown_value)
        .with_value("property", name);
    let mut changes = deliver(domain, name, value);
    if name == "ramfb" {
        changes.extend(moved_ramfb(domain));
    }
    vec![if changes.is_empty() { finding } else { finding.fixed_by(changes) }]
}
