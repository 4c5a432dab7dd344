//! `gvtg-xml fix --suppress`: the domains say what is to be ignored in them, and nothing else in
//! them changes.

use std::sync::Arc;

use super::files::{Files, Input};
use super::fix::{Document, InputKind, deliver, read};
use super::flags::SuppressIn;
use super::lint::{
    Handled, claims_if_multiple, fail, located, name, position_in, say_skipped, say_unreadable,
    settings_for,
};
use super::{FixArgs, Options, Status, io};
use crate::config::EffectiveConfig;
use crate::cross_file::Claims;
use crate::lint::suppress_with_others;
use crate::sanitize::clean;
use crate::source::Source;
use crate::suppress::SuppressionStyle;
use crate::xml;

pub(super) fn run(
    args: &FixArgs,
    options: &Options,
    files: &Files,
    in_force: &[Arc<EffectiveConfig>],
) -> Status {
    let (form, reason) = match usage(args, in_force) {
        Ok(usage) => usage,
        Err(message) => return fail(&message),
    };
    let mut status = say_unreadable(&files.unreadable);
    let (mut skipped, mut count) = (Vec::new(), 0);
    let mut others = claims_if_multiple(&files.inputs);
    for (index, (input, in_force)) in files.inputs.iter().zip(in_force).enumerate() {
        match suppress_one(input, args, in_force, options, (form, reason), others.as_mut()) {
            Ok(Handled::Done(one)) => {
                count += one;
                if one > 0 && (args.diff || args.check) && !options.exit_zero {
                    status = status.max(Status::Findings);
                }
            }
            Ok(Handled::Skipped(why)) => skipped.push((index, why)),
            Err(message) => status = fail(&message),
        }
    }
    if !args.quiet {
        say_skipped(files, &skipped, options);
        let findings = if count == 1 { "finding" } else { "findings" };
        let done = if args.diff || args.check {
            format!("{findings} would be suppressed")
        } else {
            format!("{findings} suppressed")
        };
        let kept = match form {
            SuppressionStyle::Metadata => "in the domain's metadata, which `virsh define` keeps",
            SuppressionStyle::Comment => {
                "with comments, which `virsh define` drops (it keeps what `--suppress-in metadata` writes)"
            }
        };
        let how = if count > 0 { format!(" {kept}") } else { String::new() };
        io::print_note(&format!("{count} {done}{how}"));
    }
    status
}

/// The form and the reason, where they and the rules can be what is said.
fn usage<'a>(
    args: &'a FixArgs,
    in_force: &[Arc<EffectiveConfig>],
) -> Result<(SuppressionStyle, &'a str), String> {
    let form = match args.suppress_in.unwrap_or(SuppressIn::Metadata) {
        SuppressIn::Comment => SuppressionStyle::Comment,
        SuppressIn::Metadata => SuppressionStyle::Metadata,
    };
    let reason = args.reason.as_deref().unwrap_or("");
    form.validate_reason(reason).map_err(|message| format!("--reason: {message}"))?;
    for in_force in in_force {
        in_force
            .rules
            .clone()
            .narrow(&args.suppress, &[])
            .map_err(|message| format!("--suppress: {}", clean(&message)))?;
    }
    Ok((form, reason))
}

/// How many findings are to be ignored that counted before.
fn suppress_one(
    input: &Input,
    args: &FixArgs,
    in_force: &EffectiveConfig,
    options: &Options,
    (form, reason): (SuppressionStyle, &str),
    others: Option<&mut Claims>,
) -> Result<Handled<usize>, String> {
    let name = name(&input.path, options);
    let Document { text, to_replace } = match read(input, args, in_force, options)? {
        InputKind::Text(document) => document,
        InputKind::HandedOn => return Ok(Handled::Done(0)),
        InputKind::PassedOver(why) => return Ok(Handled::Skipped(why)),
        InputKind::NoText(bytes) => {
            let message = xml::decode(&bytes)
                .err()
                .map(|error| located(&name, position_in(&bytes, &error), &error));
            return Err(message.unwrap_or_default());
        }
    };
    let settings = settings_for(input, options, in_force);
    let old = text.clone();
    let suppressed = suppress_with_others(
        text,
        &args.suppress,
        reason,
        form,
        &in_force.rules,
        &settings,
        others.as_deref(),
    )
    .map_err(|error| located(&name, Source::new("", &old).position(error.offset), &error))?;
    if let Some(others) = others {
        others.add(&name, suppressed.summary);
    }
    let shown = (args.diff || args.check).then_some(old.as_str());
    deliver(
        args,
        options,
        &name,
        shown,
        &suppressed.text,
        suppressed.text != old,
        to_replace.as_ref(),
    )?;
    Ok(Handled::Done(suppressed.count))
}
