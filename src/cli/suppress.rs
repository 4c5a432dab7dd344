//! `gvtg-xml fix --suppress`: adds suppressions to domains, and changes nothing else in them.

use std::sync::Arc;

use miette::Diagnostic;
use thiserror::Error;

use super::error::{DocumentError, fail};
use super::files::{Files, Input};
use super::fix::{Document, FixCommandError, InputKind, is_filter, read, write_result};
use super::flags::SuppressIn;
use super::lint::{
    FileOutcome, claims_if_multiple, name, print_skip_reason, print_skipped, print_unreadable,
    settings_for, skips_unrelated,
};
use super::{FixArgs, Options, Status, io};
use crate::lint::claims::Claims;
use crate::lint::suppress::SuppressionStyle;
use crate::lint::{Foreign, Linter};
use crate::rules::UnknownRuleError;
use crate::settings::config::EffectiveConfig;
use crate::text::Source;
use crate::xml::{self, XmlError};

/// An error of `fix --suppress`.
#[derive(Debug, Error, Diagnostic)]
enum SuppressError {
    #[error("--reason: {0}")]
    Reason(&'static str),
    #[error("--suppress: {0}")]
    Rule(UnknownRuleError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Document(#[from] DocumentError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Fix(#[from] FixCommandError),
}

pub(super) fn run(
    args: &FixArgs,
    options: &Options,
    files: &Files,
    effective_configs: &[Arc<EffectiveConfig>],
) -> Status {
    let (style, reason) = match validated_style_and_reason(args, effective_configs) {
        Ok(validated_style_and_reason) => validated_style_and_reason,
        Err(error) => return fail(&error),
    };
    let mut status = print_unreadable(&files.unreadable);
    let mut skipped = Vec::new();
    let mut count = 0;
    let mut others = claims_if_multiple(&files.inputs);
    for (index, (input, effective)) in files.inputs.iter().zip(effective_configs).enumerate() {
        match suppress_one(input, args, effective, options, (style, reason), others.as_mut()) {
            Ok(FileOutcome::Done(file_count)) => {
                count += file_count;
                if file_count > 0 && (args.diff || args.check) && !options.exit_zero {
                    status = status.max(Status::Findings);
                }
            }
            Ok(FileOutcome::Skipped(reason)) => skipped.push((index, reason)),
            Err(error) => status = fail(&error),
        }
    }
    if !args.quiet {
        print_skipped(files, &skipped, options);
        let findings = if count == 1 { "finding" } else { "findings" };
        let done = if args.diff || args.check {
            format!("{findings} would be suppressed")
        } else {
            format!("{findings} suppressed")
        };
        let persistence = match style {
            SuppressionStyle::Metadata => "in the domain's metadata, which `virsh define` keeps",
            SuppressionStyle::Comment => {
                "with comments, which `virsh define` drops (it keeps what `--suppress-in metadata` writes)"
            }
        };
        let suffix = if count > 0 { format!(" {persistence}") } else { String::new() };
        io::print_note(&format!("{count} {done}{suffix}"));
    }
    status
}

/// Returns where suppressions are written and their reason, after checking the reason and the
/// rules' names.
fn validated_style_and_reason<'a>(
    args: &'a FixArgs,
    effective_configs: &[Arc<EffectiveConfig>],
) -> Result<(SuppressionStyle, &'a str), SuppressError> {
    let style = match args.suppress_in.unwrap_or(SuppressIn::Metadata) {
        SuppressIn::Comment => SuppressionStyle::Comment,
        SuppressIn::Metadata => SuppressionStyle::Metadata,
    };
    let reason = args.reason.as_deref().unwrap_or("");
    style.validate_reason(reason).map_err(SuppressError::Reason)?;
    for effective in effective_configs {
        effective.rules.set().narrow(&args.suppress, &[]).map_err(SuppressError::Rule)?;
    }
    Ok((style, reason))
}

/// Adds suppressions to one file and returns how many findings they suppress.
fn suppress_one(
    input: &Input,
    args: &FixArgs,
    effective: &EffectiveConfig,
    options: &Options,
    (style, reason): (SuppressionStyle, &str),
    others: Option<&mut Claims>,
) -> Result<FileOutcome<usize>, SuppressError> {
    let name = name(&input.path, options);
    let Document { text, to_replace } = match read(input, args, options)? {
        InputKind::Text(document) => document,
        InputKind::PassedThrough => return Ok(FileOutcome::Done(0)),
        InputKind::Skipped(skip_reason) => return Ok(FileOutcome::Skipped(skip_reason)),
        InputKind::NotUtf8(bytes) => {
            let error =
                xml::decode(&bytes).err().unwrap_or_else(|| XmlError::new(0, "is not UTF-8", ""));
            return Err(DocumentError::in_bytes(&name, &bytes, &error).into());
        }
    };
    let settings = settings_for(input, options, effective);
    let old = text.clone();
    let rules = effective.rules.set();
    let suppressed = Linter::new(&rules, &settings)
        .others(others.as_deref())
        .skip_unrelated(skips_unrelated(input, options, effective))
        .suppress(text, &args.suppress, reason, style)
        .map_err(|error| {
            DocumentError::new(&name, Source::new("", &old).position(error.offset), &error)
        })?;
    if suppressed.is_skipped {
        let skip_reason = print_skip_reason(input, options, Foreign::NoSign);
        return if is_filter(args) {
            io::print(&old).map_err(FixCommandError::from)?;
            Ok(FileOutcome::Done(0))
        } else {
            Ok(FileOutcome::Skipped(skip_reason))
        };
    }
    if let Some(others) = others {
        others.add(&name, suppressed.summary);
    }
    let shown = (args.diff || args.check).then_some(old.as_str());
    write_result(
        args,
        options,
        &name,
        shown,
        &suppressed.text,
        suppressed.text != old,
        to_replace.as_ref(),
    )?;
    Ok(FileOutcome::Done(suppressed.count))
}
