//! `gvtg-xml fix`.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::error::fail;
use super::files::{Input, collect};
use super::lint::{
    FileOutcome, claims_if_multiple, name, print_skip_reason, print_skipped, print_unreadable,
    settings_for, skips_unrelated,
};
use super::output::{DefaultReport, Outputs, Stream};
use super::terminal::TerminalStyle;
use super::{FixArgs, Options, Status, configs, io, next_steps, suppress};
use crate::domain::Settings;
use crate::emit::shell;
use crate::host::{Root, installed};
use crate::lint::claims::Claims;
use crate::lint::{Diagnostic, FixError, Fixed, Foreign, Guest, Linter};
use crate::report::{Concise, FileFindings, Part, Report, State};
use crate::rules::schema::{self, Severity};
use crate::settings::config::EffectiveConfig;
use crate::text::Source;
use crate::text::sanitize::clean;
use crate::version::Version;
use crate::xml::{self, XmlError};

mod document;
mod error;

pub(super) use document::{Document, InputKind, is_filter, read, write_result};
pub(super) use error::FixCommandError;

/// The note for a domain in a folder that is left unchanged.
const FIXES_WITHHELD: &str = "cannot tell whether the mediated device is Intel's, so no fixes are applied: name the file itself, or pass --unsafe-fixes";

pub(super) fn run(args: &FixArgs) -> Status {
    let common = &args.common;
    let options = Options::new(common);
    let to_stdout = is_filter(args);
    let from_pipe = args.files.is_empty() || args.files == [PathBuf::from("-")];
    if args.files.is_empty() && io::stdin_is_terminal() {
        return fail(&FixCommandError::NoInput);
    }
    if args.in_place
        && (args.files.is_empty() || args.files.iter().any(|file| file.as_os_str() == "-"))
    {
        return fail(&FixCommandError::StdinInPlace);
    }
    let files = collect(&args.files);
    let inputs = &files.inputs;
    if to_stdout && (inputs.len() != 1 || inputs.iter().any(|input| !input.named)) {
        return fail(&FixCommandError::SeveralFiles);
    }
    let configs = match configs::of_run(common, common.choices.settings.values.clone(), inputs) {
        Ok(configs) => configs,
        Err(failure) => return configs::fail(failure, options.color),
    };
    if !args.suppress.is_empty() {
        return suppress::run(args, &options, &files, &configs.files);
    }
    let stream = (!args.quiet).then_some(Stream::Stderr);
    let mut outputs = match Outputs::open(
        &args.output,
        stream,
        (!args.check).then_some(DefaultReport::WithHelp),
        &configs.all_files(),
        &options,
    ) {
        Ok(outputs) => outputs,
        Err(error) => return fail(&error),
    };
    let mut status = print_unreadable(&files.unreadable);
    let local_x_display = if from_pipe { local_x_display() } else { None };
    let mut skipped_files = Vec::new();
    let mut guests = Vec::new();
    let mut others = claims_if_multiple(inputs);
    let mut written_versions = Vec::new();
    for (index, (input, effective)) in inputs.iter().zip(&configs.files).enumerate() {
        let mut settings = settings_for(input, &options, effective);
        settings.fallback.display_env =
            settings.fallback.display_env.or_else(|| local_x_display.clone());
        match fix_one(input, args, &settings, effective, &options, others.as_mut(), &mut outputs) {
            Ok(FileOutcome::Done(outcome)) => {
                status = status.max(outcome.status);
                if outcome.guest.is_some() && !written_versions.contains(&settings.libvirt) {
                    written_versions.push(settings.libvirt);
                }
                guests.extend(outcome.guest);
            }
            Ok(FileOutcome::Skipped(reason)) => skipped_files.push((index, reason)),
            Err(error) => status = fail(&error),
        }
    }
    if let Err(error) = outputs.finish() {
        return fail(&error);
    }
    // Not hidden by --quiet, because a domain in the wrong form does not start.
    if !args.check && (args.quiet || !args.output.is_for_programs()) {
        let warnings = written_versions
            .iter()
            .filter_map(|version| installed::form_warning(&Root::default(), *version));
        warnings.for_each(|warning| io::print_note(&warning));
    }
    if !args.quiet && !args.output.is_for_programs() {
        print_skipped(&files, &skipped_files, &options);
        // A git hook should not print next steps.
        if !(args.diff || args.check || options.skip_foreign) {
            io::eprint_wrapped(&next_steps::steps(
                &guests,
                if args.in_place { &args.files } else { &[] },
            ));
        }
    }
    status
}

/// Returns `$DISPLAY` if it is an X display on this machine.
fn local_x_display() -> Option<String> {
    let display = std::env::var("DISPLAY").ok()?;
    let is_local = display.starts_with(':') && schema::Format::Display.fits(&display);
    if is_local { Some(display) } else { None }
}

/// The outcome for one document.
struct Outcome {
    status: Status,
    /// The guest, and whether it was changed; `None` if the document could not be read or was
    /// passed through.
    guest: Option<(Guest, bool)>,
}

fn fix_one(
    input: &Input,
    args: &FixArgs,
    settings: &Settings,
    effective: &EffectiveConfig,
    options: &Options,
    others: Option<&mut Claims>,
    outputs: &mut Outputs,
) -> Result<FileOutcome<Outcome>, FixCommandError> {
    let name = name(&input.path, options);
    // A line break in a file name must not look like another line of the report.
    let shown = clean(&name);
    let Document { text, to_replace } = match read(input, args, options)? {
        InputKind::Text(document) => document,
        InputKind::PassedThrough => {
            return Ok(FileOutcome::Done(Outcome { status: Status::Clean, guest: None }));
        }
        InputKind::Skipped(reason) => return Ok(FileOutcome::Skipped(reason)),
        InputKind::NotUtf8(bytes) => {
            let error =
                xml::decode(&bytes).err().unwrap_or_else(|| XmlError::new(0, "is not UTF-8", ""));
            let text = String::from_utf8_lossy(&bytes);
            let source = Source::new(&name, &text);
            return refuse(&source, &Diagnostic::unreadable(&source, &error), options, outputs)
                .map(FileOutcome::Done);
        }
    };
    // `fix FILE > FILE`: the shell empties the file before it is read.
    let is_emptied = text.is_empty() && input.path.as_os_str() != "-" && is_filter(args);
    let original = (args.diff || args.check).then(|| text.clone());
    // The input is kept only if a report shows it, so that a large document is in memory once.
    let reported = args.output.is_requested().then(|| text.clone());
    let rules = effective.rules.set();
    let linter = Linter::new(&rules, settings)
        .detail(outputs.detail())
        .others(others.as_deref())
        .skip_unrelated(skips_unrelated(input, options, effective));
    let mut fixed = match linter.fix(text) {
        Ok(fixed) if fixed.is_skipped => {
            let reason = print_skip_reason(input, options, Foreign::NoSign);
            return if is_filter(args) {
                io::print(&fixed.text)?;
                Ok(FileOutcome::Done(Outcome { status: Status::Clean, guest: None }))
            } else {
                Ok(FileOutcome::Skipped(reason))
            };
        }
        Ok(fixed) => fixed,
        Err(FixError::Xml(mut error, position)) => {
            if is_emptied {
                let file = shell::argument(&name);
                error.help = format!(
                    "if the shell emptied it (`> {file}`), restore it from a backup, and then run `gvtg-xml fix --in-place {file}`"
                );
            }
            // Without the text only the position is known, which is all that the default report
            // shows.
            let source = Source::new(&name, reported.as_deref().unwrap_or(""));
            let diagnostic = match &reported {
                Some(_) => Diagnostic::unreadable(&source, &error),
                None => Diagnostic::unreadable_at(position, &error),
            };
            return refuse(&source, &diagnostic, options, outputs).map(FileOutcome::Done);
        }
        Err(FixError::Loop(names)) => {
            return Err(FixCommandError::Loop { name, rules: names.join(", ") });
        }
        Err(FixError::Setting { message, help }) => {
            return Err(FixCommandError::Setting { name, message, help: help.to_string() });
        }
        Err(FixError::Growth(rule)) => {
            return Err(FixCommandError::Growth { name, rule: rule.to_string() });
        }
    };
    if let Some(others) = others {
        others.add(&name, std::mem::take(&mut fixed.summary));
    }
    let status_of_remaining =
        options.status(effective, fixed.remaining.iter().map(|diagnostic| diagnostic.severity));
    let would_change =
        if (fixed.changed || fixed.fixes_skipped_unknown_vendor) && !options.exit_zero {
            Status::Findings
        } else {
            Status::Clean
        };
    write_result(
        args,
        options,
        &name,
        original.as_deref(),
        &fixed.text,
        fixed.changed,
        to_replace.as_ref(),
    )?;
    let status = if original.is_some() { would_change } else { status_of_remaining };
    let state = if args.diff || args.check { State::Fixable } else { State::Fixed };
    let before = Source::new(&name, reported.as_deref().unwrap_or(""));
    let parts = [
        Part { state, source: &before, diagnostics: &fixed.applied },
        Part { state: State::Remaining, source: &before, diagnostics: &fixed.remaining },
        Part { state: State::Suppressed, source: &before, diagnostics: &fixed.suppressed },
    ];
    outputs.add(&FileFindings { name: &name, parts: &parts, fail_on: effective.fail_on })?;
    if args.check && fixed.fixes_skipped_unknown_vendor && !args.output.is_for_programs() {
        io::print_note(&format!("{shown}: {FIXES_WITHHELD}"));
    }
    if !args.quiet && !args.check && !args.output.is_for_programs() {
        io::eprint_wrapped(&summary(&fixed, state, settings));
    }
    Ok(FileOutcome::Done(Outcome { status, guest: Some((fixed.guest, fixed.changed)) }))
}

/// Reports a document that can't be parsed: in the reports of the run, or else as one line on
/// stderr.
fn refuse(
    source: &Source<'_>,
    diagnostic: &Diagnostic<'_>,
    options: &Options,
    outputs: &mut Outputs,
) -> Result<Outcome, FixCommandError> {
    let part =
        Part { state: State::Remaining, source, diagnostics: std::slice::from_ref(diagnostic) };
    let file = FileFindings { name: source.name(), parts: &[part], fail_on: Severity::Error };
    outputs.add(&file)?;
    if !outputs.is_seen() {
        let mut text = String::new();
        Concise::with_help(TerminalStyle::of_stderr(options.color).color).file(&file, &mut text);
        io::eprint_all(&text);
    }
    Ok(Outcome { status: Status::Failed, guest: None })
}

/// Summarizes a fix: how many findings were fixed, are left and are suppressed, and which fixes
/// were skipped.
fn summary(fixed: &Fixed<'_>, state: State, settings: &Settings) -> String {
    let mut text = String::new();
    let count = fixed.applied.len();
    let left = fixed.remaining.len();
    let version = settings.libvirt;
    let target = if version == Version::NEWEST {
        "libvirt 8.5 and later".to_owned()
    } else {
        format!("libvirt {version}")
    };
    let suppressed = if fixed.suppressed.is_empty() {
        String::new()
    } else {
        format!(", {} suppressed", fixed.suppressed.len())
    };
    let _ = writeln!(
        text,
        "gvtg-xml: {count} {}, {left} left{suppressed} (for {target})",
        state.name()
    );
    if fixed.fixes_skipped_unknown_vendor {
        let _ = writeln!(text, "gvtg-xml: {FIXES_WITHHELD}");
    }
    if fixed.display_fixes_skipped {
        let reason = if fixed.ignores_errors {
            "an error is suppressed, so the guest might be left without a display"
        } else {
            "they would leave the guest without a display"
        };
        let _ = writeln!(text, "gvtg-xml: display fixes were skipped: {reason}");
    }
    text
}
