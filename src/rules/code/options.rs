//! Checks for arguments that QEMU cannot read: unknown options, options without their operand, and
//! invalid operands.

use crate::domain::{Argument, QemuOption, is_template};
use crate::fix::Change;
use crate::qemu::{OptionList, Syntax, is_vnc_server, known_option, set_parts};
use crate::rules::Context;
use crate::rules::finding::Finding;
use crate::xml::ElementSet;
use crate::xml::fragment::NewElement;

/// Finds arguments at which QEMU exits before it looks at any device.
pub(super) fn unreadable<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let domain = context.domain;
    let mut findings: Vec<Finding<'d, 'r>> =
        domain.options.iter().filter_map(|option| unreadable_option(context, option)).collect();
    let read_arguments: ElementSet = domain
        .options
        .iter()
        .flat_map(|option| [Some(option.element), option.operand.map(|operand| operand.element)])
        .flatten()
        .map(|e| e.id())
        .collect();
    // QEMU takes an argument without an option for a disk image. One that looks like a file name
    // may be right.
    let may_be_a_file =
        |word: &str| word.is_empty() || word.starts_with(['/', '-']) || word.contains(':');
    let stray_arguments = domain.arguments.iter().filter(|argument| {
        !read_arguments.contains(&argument.element.id()) && !may_be_a_file(argument.value)
    });
    findings.extend(stray_arguments.map(|argument| {
        at(context, argument, "it does not belong to an option, so QEMU takes it for a disk image")
    }));
    findings
}

fn unreadable_option<'d, 'r>(
    context: &Context<'_, 'd, 'r>,
    option: &QemuOption<'d>,
) -> Option<Finding<'d, 'r>> {
    let finding_because = |what: &str| {
        Finding::at_attribute(context.rule, option.element, "value")
            .with_value("found", format!("-{}", option.name))
            .with_value("what", what)
    };
    let Some(known) = known_option(option.name) else {
        return Some(finding_because("QEMU does not have this option"));
    };
    let Some(operand) = option.operand else {
        // Another rule's fix adds the operand of a `-display`.
        let is_fixed_elsewhere = option.name == "display" && context.domain.vgpu.is_some();
        return (known.has_operand && !is_fixed_elsewhere).then(|| {
            finding_because(
                "its value is missing, so it takes the first of libvirt's own arguments",
            )
        });
    };
    // The final value is unknown until the template is filled in.
    if is_template(operand.value) {
        return None;
    }
    match option.name {
        "set" if set_parts(operand.value).is_none_or(|[group, ..]| !is_option_group(group)) => {
            Some(unreadable_set(context, &operand))
        }
        // The options of VNC have a syntax of their own.
        "display" if is_vnc_server(operand.value) => None,
        "display" => OptionList::parse(operand.value, Syntax::DISPLAY).map_or_else(
            |words| Some(at(context, &operand, &format!("\"{words}\""))),
            |list| {
                let dropped = list
                    .iter()
                    .map(|(name, _)| name)
                    .find(|name| DROPPED_DISPLAY_PARTS.contains(name))?;
                (list.get("type") == Some("sdl")).then(|| {
                    at(context, &operand, &format!("\"Parameter '{dropped}' is unexpected\""))
                })
            },
        ),
        "device" => OptionList::parse(operand.value, Syntax::DEVICE)
            .err()
            .map(|words| at(context, &operand, &format!("\"{words}\""))),
        _ => None,
    }
}

/// The options of `-display sdl` that QEMU 7.1 dropped.
pub(super) const DROPPED_DISPLAY_PARTS: &[&str] =
    &["frame", "alt_grab", "ctrl_grab", "window_close"];

fn at<'d, 'r>(
    context: &Context<'_, 'd, 'r>,
    argument: &Argument<'d>,
    what: &str,
) -> Finding<'d, 'r> {
    Finding::at_attribute(context.rule, argument.element, "value")
        .with_value("found", argument.value)
        .with_value("what", what)
}

/// Returns the finding for an operand of `-set` that QEMU cannot read. The fix removes blanks and
/// quotes around it: those are shell syntax, and no shell reads the arguments.
fn unreadable_set<'d, 'r>(
    context: &Context<'_, 'd, 'r>,
    operand: &Argument<'d>,
) -> Finding<'d, 'r> {
    let unquoted = operand.value.trim().trim_matches(['"', '\'']).trim();
    let finding = at(context, operand, "it follows -set, which needs GROUP.ID.NAME=VALUE");
    let is_valid_unquoted = set_parts(unquoted).is_some_and(|[group, ..]| is_option_group(group))
        && unquoted != operand.value;
    if is_valid_unquoted {
        finding.fixed_by(vec![Change::SetAttribute(
            operand.element,
            "value".into(),
            unquoted.to_owned(),
        )])
    } else {
        finding
    }
}

/// Whether QEMU may have an option group of this name; all are in lower case.
fn is_option_group(name: &str) -> bool {
    name.bytes().all(|byte| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
    })
}

/// Finds options that newer releases of QEMU no longer support.
pub(super) fn dropped<'d, 'r>(context: &Context<'_, 'd, 'r>) -> Vec<Finding<'d, 'r>> {
    let dropped = |option: &QemuOption<'d>| {
        let known = known_option(option.name)?;
        let (major, minor) = known.removed_in?;
        let finding = Finding::at_attribute(context.rule, option.element, "value")
            .with_value("found", format!("-{}", option.name))
            .with_value("other", format!("{major}.{minor}"));
        let Some((first, operands)) = known.replacement.split_first() else { return Some(finding) };
        let prefix = option.element.written_prefix();
        let mut changes =
            vec![Change::SetAttribute(option.element, "value".into(), (*first).to_owned())];
        let insert_after = |operand: &&str| {
            Change::InsertAfter(
                option.element,
                NewElement::new(format!("{prefix}arg")).with_attribute("value", *operand),
            )
        };
        changes.extend(operands.iter().map(insert_after));
        Some(finding.fixed_by(changes))
    };
    context.domain.options.iter().filter_map(dropped).collect()
}
