//! The reports that a run writes, and where they go.
//!
//! `--output-file` names the file for the report of the preceding `--format`. A report without a
//! file goes to stdout, or to stderr if the fixed document goes to stdout. So one run can write a
//! report for a server and show another one to the user.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches};
use miette::Diagnostic;

use super::configs::AllFiles;
use super::flags::{ColorChoice, Format};
use super::io::{CreateError, StdoutError};
use super::terminal::TerminalStyle;
use super::{Options, io};
use crate::lint::Detail;
use crate::report::{
    Concise, FileFindings, Full, GitHub, GitLab, JUnit, Json, JsonLines, Report, Sarif, Statistics,
};
use crate::rules::{self, RuleRef};
use crate::text::sanitize::system_error;
use crate::xml::{self, XmlErrorKind};

/// Bytes of report text that are written before the next file is processed.
const LARGE: usize = 1 << 20;

/// The flags, as clap parses them.
#[derive(Args, Debug)]
struct OutputFlags {
    /// Report format
    #[arg(long, value_enum, help_heading = "Output")]
    format: Vec<Format>,
    /// File for the report of the preceding --format
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    output_file: Vec<PathBuf>,
    /// Print the number of findings per rule
    #[arg(long, help_heading = "Output")]
    statistics: bool,
}

/// The requested reports.
#[derive(Clone, Debug)]
pub(super) struct OutputArgs {
    /// The requested formats, each with its file; at most one has none.
    formats: Vec<(Format, Option<PathBuf>)>,
    statistics: bool,
}

impl Args for OutputArgs {
    fn augment_args(command: Command) -> Command {
        OutputFlags::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        OutputFlags::augment_args_for_update(command)
    }
}

impl FromArgMatches for OutputArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let flags = OutputFlags::from_arg_matches(matches)?;
        let indices = |name: &str| matches.indices_of(name).map_or(Vec::new(), Iterator::collect);
        let format_indices: Vec<usize> = indices("format");
        let file_indices: Vec<usize> = indices("output_file");
        let mut formats: Vec<(Format, Option<PathBuf>)> =
            flags.format.into_iter().map(|format| (format, None)).collect();
        for (file, file_index) in flags.output_file.into_iter().zip(file_indices) {
            let preceding = format_indices.iter().filter(|index| **index < file_index).count();
            match preceding.checked_sub(1).and_then(|index| formats.get_mut(index)) {
                Some((_, target)) if target.is_none() => *target = Some(file),
                _ => {
                    return Err(argument_conflict(
                        "each --output-file must come after the --format it belongs to",
                    ));
                }
            }
        }
        let printed = formats.iter().filter(|(_, file)| file.is_none()).count();
        match (printed, flags.statistics) {
            (0 | 1, false) | (0, true) => {}
            (_, true) => {
                return Err(argument_conflict(
                    "--format and --statistics both print a report: add `--output-file FILE` after --format, or leave one out",
                ));
            }
            (_, false) => {
                return Err(argument_conflict(
                    "only one report can be printed: add `--output-file FILE` after each --format but one",
                ));
            }
        }
        Ok(OutputArgs { formats, statistics: flags.statistics })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = OutputArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

fn argument_conflict(message: &str) -> Error {
    Error::raw(ErrorKind::ArgumentConflict, format!("{message}\n"))
}

impl OutputArgs {
    /// Whether a report was requested explicitly.
    pub(super) fn is_requested(&self) -> bool {
        self.statistics || !self.formats.is_empty()
    }

    /// Whether the stream carries a report for programs, to which nothing may be added.
    pub(super) fn is_for_programs(&self) -> bool {
        let is_text =
            |format: Format| matches!(format, Format::Full | Format::Concise | Format::Github);
        self.formats.iter().any(|(format, file)| file.is_none() && !is_text(*format))
    }

    /// Whether the report makes a closing count unnecessary: it counts the findings, or its reader
    /// does.
    pub(super) fn is_counted(&self) -> bool {
        self.statistics || self.is_for_programs()
    }
}

/// The stream for reports without a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

/// The report of a run if none is requested.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum DefaultReport {
    /// [`Full`].
    Full,
    /// One line per finding, and how to fix those that are left ([`Concise::with_help`]).
    WithHelp,
}

/// An error of writing a report.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(super) enum OutputError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Stdout(#[from] StdoutError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Create(#[from] CreateError),
    #[error("{}: can't be written: {}", path.display(), system_error(error))]
    Write { path: PathBuf, error: std::io::Error },
    #[error("{}: is a domain, and is not overwritten with a report", path.display())]
    IsDomain { path: PathBuf },
}

/// The reports that a run writes.
pub(super) struct Outputs {
    outputs: Vec<Output>,
}

struct Output {
    report: Box<dyn Report>,
    target: Target,
    text: String,
    /// Whether its lines are prose, which may be wrapped to fit a terminal.
    is_prose: bool,
}

enum Target {
    Stream(Stream),
    File(PathBuf, fs::File),
}

impl Outputs {
    /// Opens the requested reports, or `default_report` if none is requested; without a stream,
    /// only those in files.
    ///
    /// # Errors
    /// Fails for a file that can't be created, or that contains a domain.
    pub(super) fn open(
        args: &OutputArgs,
        stream: Option<Stream>,
        default_report: Option<DefaultReport>,
        files: &AllFiles,
        options: &Options,
    ) -> Result<Self, OutputError> {
        let mut outputs = Outputs { outputs: Vec::new() };
        // If a report only goes to a file, stdout stays empty, as with other linters.
        if !args.is_requested()
            && let (Some(default_report), Some(stream)) = (default_report, stream)
        {
            let target = Target::Stream(stream);
            let report = match default_report {
                DefaultReport::Full => report(Format::Full, &target, files, options),
                DefaultReport::WithHelp => {
                    Box::new(Concise::with_help(terminal_style(&target, options.color).color))
                }
            };
            outputs.begin(report, target, default_report == DefaultReport::WithHelp);
        }
        for (format, file) in &args.formats {
            let target = match (file, stream) {
                (Some(path), _) => create(path)?,
                (None, Some(stream)) => Target::Stream(stream),
                (None, None) => continue,
            };
            outputs.begin(report(*format, &target, files, options), target, false);
        }
        if args.statistics
            && let Some(stream) = stream
        {
            outputs.begin(Box::new(Statistics::default()), Target::Stream(stream), false);
        }
        Ok(outputs)
    }

    fn begin(&mut self, mut report: Box<dyn Report>, target: Target, is_prose: bool) {
        let mut text = String::new();
        report.begin(&mut text);
        self.outputs.push(Output { report, target, text, is_prose });
    }

    /// Returns the most detail that any of the reports shows.
    pub(super) fn detail(&self) -> Detail {
        self.outputs.iter().map(|output| output.report.detail()).max().unwrap_or(Detail::Line)
    }

    /// Whether a report goes to stdout or stderr.
    pub(super) fn is_seen(&self) -> bool {
        self.outputs.iter().any(|output| matches!(output.target, Target::Stream(_)))
    }

    /// Adds a file's findings. Large reports are written in pieces, and those on stderr at once,
    /// because other messages follow there.
    pub(super) fn add(&mut self, file: &FileFindings<'_>) -> Result<(), OutputError> {
        for output in &mut self.outputs {
            output.report.file(file, &mut output.text);
            if output.text.len() > LARGE || matches!(output.target, Target::Stream(Stream::Stderr))
            {
                output.write()?;
            }
        }
        Ok(())
    }

    /// Ends the reports and writes the remaining text.
    pub(super) fn finish(mut self) -> Result<(), OutputError> {
        for output in &mut self.outputs {
            output.report.end(&mut output.text);
            output.write()?;
        }
        Ok(())
    }
}

impl Output {
    fn write(&mut self) -> Result<(), OutputError> {
        let text = std::mem::take(&mut self.text);
        match &mut self.target {
            Target::Stream(Stream::Stdout) => Ok(io::print(&text)?),
            Target::Stream(Stream::Stderr) => {
                if self.is_prose {
                    io::eprint_wrapped(&text);
                } else {
                    io::eprint_all(&text);
                }
                Ok(())
            }
            Target::File(path, file) => file
                .write_all(text.as_bytes())
                .map_err(|error| OutputError::Write { path: path.clone(), error }),
        }
    }
}

fn report(format: Format, target: &Target, files: &AllFiles, options: &Options) -> Box<dyn Report> {
    match format {
        Format::Full => {
            let style = terminal_style(target, options.color);
            Box::new(Full::new(style.color, style.width))
        }
        Format::Concise => Box::new(Concise::new(terminal_style(target, options.color).color)),
        Format::Json => Box::new(Json::default()),
        Format::JsonLines => Box::new(JsonLines::default()),
        Format::Sarif => {
            let unreadable = [XmlErrorKind::NotADomain, XmlErrorKind::NotWellFormed]
                .map(rules::rule_for_xml_error);
            let mut shown_rules = files.rules.clone();
            shown_rules.retain(|rule| unreadable.iter().all(|other| other.id != rule.id));
            shown_rules.extend(unreadable.map(RuleRef::from));
            shown_rules.sort_by(|left, right| left.id.cmp(&right.id));
            Box::new(Sarif::new(shown_rules, files.rule_pages.clone()))
        }
        Format::Github => Box::new(GitHub),
        Format::Gitlab => Box::new(GitLab::default()),
        Format::Junit => Box::new(JUnit),
    }
}

fn terminal_style(target: &Target, choice: ColorChoice) -> TerminalStyle {
    match target {
        Target::Stream(Stream::Stdout) => TerminalStyle::of_stdout(choice),
        Target::Stream(Stream::Stderr) => TerminalStyle::of_stderr(choice),
        Target::File(..) => TerminalStyle::of_file(choice),
    }
}

/// Creates a file for a report. A file that contains a domain is refused, because it was probably
/// meant as input.
fn create(path: &PathBuf) -> Result<Target, OutputError> {
    let is_domain = path.is_file()
        && fs::read(path).is_ok_and(|bytes| xml::root_name(&bytes).as_deref() == Some("domain"));
    if is_domain {
        return Err(OutputError::IsDomain { path: path.clone() });
    }
    let file = fs::File::create(path).map_err(|error| CreateError::new(path, &error))?;
    Ok(Target::File(path.clone(), file))
}
