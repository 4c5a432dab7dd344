//! `gvtg-xml lint`.

use std::ops::Range;
use std::path::Path;

use thiserror::Error;

use super::error::{UnreadableInput, fail};
use super::files::{Files, Folder, Input, UnreadablePath, collect, is_called_xml};
use super::output::{DefaultReport, OutputError, Outputs, Stream};
use super::summary::{LintSummary, count_with_noun};
use super::{LintArgs, Options, Status, configs, io};
use crate::domain::Settings;
use crate::lint::claims::Claims;
use crate::lint::{Diagnostic, Findings, Foreign, Linter, skip_reason};
use crate::report::{FileFindings, Part, State};
use crate::settings::config::EffectiveConfig;
use crate::text::Source;
use crate::text::sanitize::clean_path;
use crate::xml;

/// An error of `lint`.
#[derive(Debug, Error, miette::Diagnostic)]
enum LintError {
    #[error("no input: name a FILE, or pipe a domain's XML in")]
    #[diagnostic(help("`virsh dumpxml --inactive --security-info win10 | gvtg-xml lint`"))]
    NoInput,
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unreadable(#[from] UnreadableInput),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Output(#[from] OutputError),
}

pub(super) fn run(args: &LintArgs) -> Status {
    let common = &args.common;
    let options = Options::new(common);
    if args.files.is_empty() && io::stdin_is_terminal() {
        return fail(&LintError::NoInput);
    }
    let files = collect(&args.files);
    let inputs = &files.inputs;
    let mut status = print_unreadable(&files.unreadable);
    // Only `fix` applies unsafe fixes.
    let flags = common.choices.settings.values.clone().with("unsafe-fixes", Some(false));
    let configs = match configs::of_run(common, flags, inputs) {
        Ok(configs) => configs,
        Err(failure) => return configs::fail(failure, options.color),
    };
    let mut outputs = match Outputs::open(
        &args.output,
        Some(Stream::Stdout),
        Some(DefaultReport::Full),
        &configs.all_files(),
        &options,
    ) {
        Ok(outputs) => outputs,
        Err(error) => return fail(&error),
    };
    let mut skipped = Vec::new();
    let mut summary = LintSummary::default();
    let mut others = claims_if_multiple(inputs);
    for (index, (input, effective)) in inputs.iter().zip(&configs.files).enumerate() {
        match lint_one(input, &options, effective, others.as_mut(), &mut outputs, &mut summary) {
            Ok(FileOutcome::Done(file_status)) => status = status.max(file_status),
            Ok(FileOutcome::Skipped(reason)) => skipped.push((index, reason)),
            Err(error) => status = fail(&error),
        }
    }
    if let Err(error) = outputs.finish() {
        return fail(&error);
    }
    if !args.quiet {
        print_skipped(&files, &skipped, &options);
        if !args.output.is_counted()
            && let Some(sentence) = summary.sentence()
        {
            io::print_note(&sentence);
        }
    }
    status
}

/// Returns the collection of claims for cross-file checks; `None` for a run over a single file.
pub(super) fn claims_if_multiple(inputs: &[Input]) -> Option<Claims> {
    if inputs.len() > 1 { Some(Claims::default()) } else { None }
}

/// The outcome for one file of a run.
pub(super) enum FileOutcome<T> {
    /// It was processed.
    Done(T),
    /// It was skipped: it is not a GVT-g domain, and the user did not name it.
    Skipped(Foreign),
}

/// Skipped files: their indices among the inputs in ascending order, each with the reason.
pub(super) type Skipped = Vec<(usize, Foreign)>;

/// Lints one file, unless it is skipped, and returns the status that its findings mean. Adds the
/// file's claims to `others`.
fn lint_one(
    input: &Input,
    options: &Options,
    effective: &EffectiveConfig,
    others: Option<&mut Claims>,
    outputs: &mut Outputs,
    tally: &mut LintSummary,
) -> Result<FileOutcome<Status>, LintError> {
    let name = name(&input.path, options);
    let bytes = io::read(&input.path, options.max_size).map_err(|reason| {
        UnreadableInput::new(&input.path, &name, reason, "--security-info", "gvtg-xml lint")
    })?;
    if let Some(reason) = skipped(input, options, &bytes) {
        return Ok(FileOutcome::Skipped(reason));
    }
    let settings = settings_for(input, options, effective);
    let lossy;
    let (text, error) = match xml::decode(&bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            lossy = String::from_utf8_lossy(&bytes);
            (&*lossy, Some(error))
        }
    };
    let source = Source::new(&name, text);
    let rules = effective.rules.set();
    let linter = Linter::new(&rules, &settings)
        .detail(outputs.detail())
        .others(others.as_deref())
        .skip_unrelated(skips_unrelated(input, options, effective));
    let (open, suppressed, status) = match error.map_or_else(|| linter.lint_source(&source), Err) {
        Ok(Findings { is_skipped: true, .. }) => {
            return Ok(FileOutcome::Skipped(print_skip_reason(input, options, Foreign::NoSign)));
        }
        Ok(Findings { open, suppressed, summary, .. }) => {
            if let Some(others) = others {
                others.add(&name, summary);
            }
            let status =
                options.status(effective, open.iter().map(|diagnostic| diagnostic.severity));
            (open, suppressed, status)
        }
        Err(error) => (vec![Diagnostic::unreadable(&source, &error)], Vec::new(), Status::Failed),
    };
    let parts = [
        Part { state: State::Found, source: &source, diagnostics: &open },
        Part { state: State::Suppressed, source: &source, diagnostics: &suppressed },
    ];
    outputs.add(&FileFindings { name: &name, parts: &parts, fail_on: effective.fail_on })?;
    tally.add(&open, suppressed.len());
    Ok(FileOutcome::Done(status))
}

/// Whether the user named this file explicitly: folders and hooks pass arbitrary files.
fn is_explicitly_named(input: &Input, options: &Options) -> bool {
    input.named && !options.skip_foreign
}

/// Returns the settings for a file.
pub(super) fn settings_for(
    input: &Input,
    options: &Options,
    effective: &EffectiveConfig,
) -> Settings {
    Settings {
        explicitly_named: is_explicitly_named(input, options) || effective.named,
        ..effective.settings.clone()
    }
}

/// Whether a file is skipped if it is a domain without a sign of GVT-g.
pub(super) fn skips_unrelated(
    input: &Input,
    options: &Options,
    effective: &EffectiveConfig,
) -> bool {
    !is_explicitly_named(input, options) && !effective.all
}

/// Returns why a file is skipped before it is parsed: it was not named explicitly, and is not a
/// domain. With `--verbose` the reason is also printed.
pub(super) fn skipped(input: &Input, options: &Options, bytes: &[u8]) -> Option<Foreign> {
    if is_explicitly_named(input, options) {
        return None;
    }
    why_skipped(&input.path, bytes).map(|reason| print_skip_reason(input, options, reason))
}

/// Prints why a file is skipped, with `--verbose`; returns the reason.
pub(super) fn print_skip_reason(input: &Input, options: &Options, reason: Foreign) -> Foreign {
    if options.verbose {
        io::print_note(&format!("{}: skipped: {reason}", name(&input.path, options)));
    }
    reason
}

/// Returns why a file that the user did not name is skipped before it is parsed.
///
/// A `.xml` file that is not XML may be a damaged domain, so it is checked.
pub(super) fn why_skipped(path: &Path, bytes: &[u8]) -> Option<Foreign> {
    skip_reason(bytes).filter(|reason| *reason != Foreign::NotXml || !is_called_xml(path))
}

/// Reports how many files were skipped and which folders contain no domain, so that no output never
/// means "nothing was checked".
pub(super) fn print_skipped(files: &Files, skipped: &Skipped, options: &Options) {
    let (all, checked) = (files.inputs.len(), files.inputs.len() - skipped.len());
    let is_skipped = |index: usize| skipped.binary_search_by_key(&index, |(index, _)| *index);
    let hint = |inputs: Range<usize>| {
        let has_domain = inputs
            .filter_map(|index| is_skipped(index).ok())
            .any(|skipped_index| skipped[skipped_index].1 == Foreign::NoSign);
        match (options.verbose, has_domain) {
            (true, _) => "",
            (false, true) => " (--verbose lists them, --all checks every domain)",
            (false, false) => " (--verbose lists them)",
        }
    };
    let none = |count: usize| {
        if count == 1 { "it is not a GVT-g domain" } else { "none is a GVT-g domain" }
    };
    let mut explained = 0;
    for Folder { path, inputs, .. } in files.folders.iter().filter(|folder| !folder.has_more) {
        let path = clean_path(path);
        if inputs.is_empty() {
            io::print_note(&format!("{path}: no .xml files in this folder"));
        } else if inputs.clone().all(|index| is_skipped(index).is_ok()) {
            let count = inputs.len();
            io::print_note(&format!(
                "{path}: checked 0 of {}: {}{}",
                count_with_noun(count, "file"),
                none(count),
                hint(inputs.clone())
            ));
            explained += inputs.len();
        }
    }
    if checked < all && (checked > 0 || explained < skipped.len()) {
        let rest = match all - checked {
            _ if checked == 0 => none(all),
            1 => "the other one is not a GVT-g domain",
            _ => "the rest are not GVT-g domains",
        };
        io::print_note(&format!(
            "checked {checked} of {}: {rest}{}",
            count_with_noun(all, "file"),
            hint(0..all)
        ));
    }
}

/// Returns the name that messages show for a path.
pub(super) fn name(path: &Path, options: &Options) -> String {
    if path == Path::new("-") { options.stdin_filename.clone() } else { path.display().to_string() }
}

/// Reports the files and folders that can't be read.
pub(super) fn print_unreadable(paths: &[UnreadablePath]) -> Status {
    let failures = paths.iter().map(|error| fail(error));
    failures.max().unwrap_or(Status::Clean)
}
